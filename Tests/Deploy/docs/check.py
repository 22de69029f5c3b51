#!/usr/bin/env python3
"""The documents an operator types from: every command block says who runs it, every link and path leads somewhere, and
the blocks of place `host` are run here, on a stack of real processes."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from blocks import DOCUMENTS, ROOT, load, parse, problems

BACKUP_SECONDS = 60


def check_self() -> list[str]:
    """The parser and the rules refuse what they must."""
    fence = "```"
    sample = (f"<!-- run: host expect: ^ok$ -->\n\n{fence}bash\necho ok\n{fence}\n"
              f"{fence}bash\necho lost\n{fence}\n<!-- not run: x -->\n{fence}bash\nrm\n{fence}\n"
              f"<!-- run: moon -->\n{fence}bash\nls\n{fence}\n")
    blocks = parse("sample.md", sample)
    wrong = problems(blocks)
    if [len(blocks), len(wrong), blocks[0].expect, blocks[0].line] != [4, 3, "^ok$", 3]:
        return [f"blocks.py does not see what is wrong in its sample: {blocks} {wrong}"]
    if len(dead_ends("docs/sample.md", "[a](nowhere.md) [b](configuration.md#nothing) `scripts/absent.sh`")) != 3:
        return ["check.py does not see dead ends"]
    return []


# Made by the installer or by a run, so not in the repository.
MADE = ("deploy/.env", "deploy/backups", "deploy/nginx/certs", "deploy/nginx/acme", "deploy/docker-compose.override.yml")


def anchors(text: str) -> set[str]:
    """The anchors that the headings of a Markdown text make, as the repository's host forms them."""
    headings = re.findall(r"^#+\s+(.*?)\s*$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_ends(document: str, text: str) -> list[str]:
    """Relative links whose file or heading is not there, and paths in backquotes that do not exist."""
    said = []
    prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        path = (ROOT / document).parent / file if file else ROOT / document
        if not path.exists():
            said.append(f"{document}: links to {target}, which is not there")
        elif anchor and anchor not in anchors(path.read_text(encoding="utf-8")):
            said.append(f"{document}: links to {target}, which has no such heading")
    for path in re.findall(r"`((?:Tests|scripts|deploy|docs|Services|Shared|\.ci)/[\w./-]*)`", prose):
        if not path.startswith(MADE) and not (ROOT / path).exists():
            said.append(f"{document}: names {path}, which is not there")
    return said


def environment(folder: Path, run: Path) -> dict[str, str]:
    """What a shell has after `source .run/env`, with the executables on PATH and commands kept off the caller's home."""
    quiet = {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(run), "RUN_DIR": str(run / "stack"),
             "PORTS": "auto", "NO_COLOR": "1", "ARAGORA_RATE_LIMIT": "0"}
    return {**{key: value for key, value in os.environ.items() if not key.startswith("ARAGORA_")}, **quiet,
            "ARAGORA_BIN_DIR": str(folder)}


def sourced(file: Path, base: dict[str, str]) -> dict[str, str]:
    text = subprocess.run(["bash", "-c", 'set -a; source "$1"; env -0', "bash", str(file)], env=base, check=True,
                          capture_output=True).stdout.decode()
    return dict(line.split("=", 1) for line in text.split("\0") if "=" in line)


def await_first_backup(metrics: str) -> None:
    """The backup service makes one when it starts, and two at a time are refused."""
    deadline = time.monotonic() + BACKUP_SECONDS
    while time.monotonic() < deadline:
        with urllib.request.urlopen(metrics, timeout=5) as answer:
            if re.search(rb'^aragora_backup_runs_total\{outcome="success"\} [1-9]', answer.read(), flags=re.M):
                return
        time.sleep(0.2)
    raise SystemExit("the backup service made no backup")


def main() -> int:
    found = check_self() + problems(load())
    for document in (*DOCUMENTS, "docs/command-map.md", "docs/deploy-checks.md"):
        if (ROOT / document).exists():
            found += dead_ends(document, (ROOT / document).read_text(encoding="utf-8"))
        else:
            found.append(f"{document} is not there")
    for line in found:
        print(line)
    if found:
        return 1
    blocks = [block for block in load() if block.place == "host"]
    if not blocks:
        print("no block of place host")
        return 1
    folder = Path(os.environ["ARAGORA_BIN_DIR"]).resolve()
    run = Path(tempfile.mkdtemp(prefix="aragora-docs."))
    run.chmod(0o755)
    base = environment(folder, run)
    try:
        subprocess.run([ROOT / "scripts/up.sh", "--workers", "2"], env=base, check=True, cwd=ROOT)
        given = sourced(run / "stack/env", base)
        given["ARAGORA_BACKUP_DIR"] = str(run / "backups")
        (run / "backups").mkdir()
        await_first_backup(given["ARAGORA_BACKUP_METRICS_URL"])
        ran = subprocess.run([sys.executable, ROOT / "Tests/Deploy/docs/run-blocks.py", "host"], env=given, cwd=ROOT)
        return ran.returncode
    finally:
        subprocess.run([ROOT / "scripts/down.sh"], env=base, cwd=ROOT, check=False)
        shutil.rmtree(run, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
