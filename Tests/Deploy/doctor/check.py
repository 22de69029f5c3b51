#!/usr/bin/env python3
"""Every fault that `aragora doctor` knows, injected for real.

A healthy installation in production mode (real Postgres, Redis, API with its embedded runner, a verified backup, a
provider that takes one key, a certificate) must have no finding. Then, one at a time, something is broken: doctor must
find that and nothing else, within five seconds, with the exit code of its weight, and print no secret. Faults that
settings alone make, or the way to a store, must make `aragora validate-env` fail too.

Environment: ARAGORA_BIN_DIR, the executables. ONLY=REGEX runs only the faults whose name it matches.
Exit codes: 0 all found, 1 not. Faults that this machine can not inject are listed as skipped.
"""

import json
import os
import re
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from faults import CASES, Case, Skipped  # noqa: E402
from installation import Installation  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
LIMIT_SECONDS = 5.0
WORKERS = 3
ROW = re.compile(r"^\| (ARA-D\d{3}) \| (✗|○) \|")


def weights() -> dict[str, str]:
    """Code to mark, as docs/troubleshooting.md lists them."""
    text = (ROOT / "docs/troubleshooting.md").read_text()
    return {match[1]: match[2] for line in text.splitlines() if (match := ROW.match(line))}


def judge(installation: Installation, case: Case, marks: dict[str, str]) -> tuple[str, float]:
    """Injects one fault and looks at what doctor says. Returns what is wrong with that, or nothing, and the seconds."""
    injected = case.inject(installation)
    environment = {**installation.environment, **injected.environment}
    environment = {name: value for name, value in environment.items() if value is not None}
    began = time.monotonic()
    run = installation.run("doctor", "--json", environment=environment, prefix=injected.prefix)
    seconds = time.monotonic() - began
    problems = []
    try:
        report = json.loads(run.stdout)
    except ValueError:
        return f"no JSON, exit code {run.returncode}: {run.stdout[-300:]} {run.stderr[-300:]}", seconds
    codes = [finding["code"] for finding in report["findings"]]
    if codes != ([case.code] if case.code else []):
        found = "; ".join(f"{finding['code']} {finding['message']}" for finding in report["findings"])
        problems.append(f"found {found or 'nothing'}")
    for finding in report["findings"]:
        if not finding["fix"] or "\n" in finding["fix"] or not finding["message"]:
            problems.append(f"{finding['code']} has no remedy of one line")
    broken = case.code is not None and (marks[case.code] == "✗" and not case.is_advice)
    if run.returncode != (1 if broken else 0):
        problems.append(f"exit code {run.returncode}")
    if report["healthy"] == broken:
        problems.append(f"healthy is {report['healthy']}")
    if seconds > LIMIT_SECONDS:
        problems.append(f"took {seconds:.1f} s")
    text = installation.run("doctor", environment=environment, prefix=injected.prefix)
    if case.code and f"[{case.code}]" not in text.stdout:
        problems.append("its text does not name the code")
    shown = run.stdout + run.stderr + text.stdout + text.stderr
    if case.seen_by_validate_env:
        valid = installation.run("validate-env", environment=environment, prefix=injected.prefix)
        shown += valid.stdout + valid.stderr
        if valid.returncode != (1 if broken else 0) or f"[{case.code}]" not in valid.stdout:
            problems.append(f"validate-env ends with {valid.returncode}: {valid.stdout[-300:]}")
    for secret in installation.secrets | injected.secrets:
        if secret in shown:
            problems.append("a secret is printed")
    injected.undo()
    return "; ".join(problems), seconds


def check_healthy(installation: Installation) -> list[str]:
    """The documented output, and none of it red."""
    problems = []
    run = installation.run("validate-env")
    expected = [
        r"✓ Environment: production", r"✓ Encryption key: configured \(32 bytes\)",
        r"✓ Redis: connected \(version \d+\.\d+\.\d+\)", r"✓ PostgreSQL: connected \(PostgreSQL \d+\.\d+\)",
        r"✓ AI provider: anthropic configured", r"✓ All production requirements met",
    ]
    lines = run.stdout.splitlines()
    for pattern in expected:
        if not any(re.fullmatch(pattern, line) for line in lines):
            problems.append(f"validate-env lacks: {pattern}")
    if run.returncode != 0 or not run.stdout.rstrip().endswith("All production requirements met"):
        problems.append(f"validate-env ends with {run.returncode}: {run.stdout}")
    report = json.loads(installation.run("validate-env", "--json", "--strict").stdout)
    if not report["final_valid"] or report["errors"] or report["warnings"] or not report["strict_mode"]:
        problems.append(f"validate-env --json --strict: {report}")
    for name in ("environment", "distributed_state", "encryption", "redis", "postgresql", "ai_providers", "jwt_secret"):
        if report["checks"].get(name, {}).get("status") != "passed":
            problems.append(f"validate-env --json: {name}: {report['checks'].get(name)}")
    text = installation.run("doctor").stdout
    if "✗" in text or not re.search(r"^Summary: \d+ passed, 0 failed, \d+ optional$", text, re.M):
        problems.append(f"doctor: {text}")
    return problems


def check_silent(installation: Installation) -> list[str]:
    """Everything that could answer does not: still within the time, and each of them named once."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        changes = {
            "ARAGORA_POSTGRES_DSN": installation.dsn(port=port), "ARAGORA_REDIS_URL": f"redis://127.0.0.1:{port}/0",
            "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}", "OPENAI_API_KEY": "of-a-test",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{port}", "ARAGORA_BASE_URL": f"http://127.0.0.1:{port}",
        }
        began = time.monotonic()
        run = installation.run("doctor", "--json", environment={**installation.environment, **changes})
        seconds = time.monotonic() - began
    codes = [finding["code"] for finding in json.loads(run.stdout)["findings"]]
    expected = ["ARA-D503", "ARA-D503", "ARA-D101", "ARA-D201"]
    problems = [] if codes == expected else [f"with nobody answering: {codes}"]
    print(f"nobody answers: {len(codes)} findings in {seconds:.2f} s")
    return problems + ([f"with nobody answering: {seconds:.1f} s"] if seconds > LIMIT_SECONDS else [])


def main() -> int:
    marks = weights()
    only = re.compile(os.environ.get("ONLY", ""))
    results: list[tuple[Case, str, float]] = []
    with Installation(ROOT, Path(os.environ["ARAGORA_BIN_DIR"])) as installation:
        failures = [("healthy", problem) for problem in check_healthy(installation)]
        failures += [("silent", problem) for problem in check_silent(installation)]

        def attempt(case: Case) -> tuple[Case, str, float]:
            try:
                return (case, *judge(installation, case, marks))
            except Skipped as reason:
                return case, f"SKIPPED: {reason}", 0.0
            except Exception as error:  # noqa: BLE001, one fault that can not be injected must not hide the others
                return case, f"not injected: {error!r}", 0.0

        with ThreadPoolExecutor(WORKERS) as pool:
            results = list(pool.map(attempt, [case for case in CASES if only.search(case.name)]))
    print(f"{'code':9} {'fault':58} {'s':>5}  result")
    for case, problem, seconds in results:
        print(f"{case.code or '-':9} {case.name:58} {seconds:5.2f}  {problem or 'found, alone'}")
        if problem and not problem.startswith("SKIPPED"):
            failures.append((case.name, problem))
    tried = {case.code for case, problem, _ in results if not problem}
    skipped = {case.code for case, problem, _ in results if problem.startswith("SKIPPED")}
    missing = sorted(set(marks) - tried - skipped)
    if missing and not only.pattern:
        failures.append(("the table", f"nothing injects {', '.join(missing)}"))
    for name, problem in failures:
        print(f"FAILED {name}: {problem}", file=sys.stderr)
    print(f"{len(results)} faults, {len(tried)} codes, {len(skipped)} skipped, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
