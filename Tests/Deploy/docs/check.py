#!/usr/bin/env python3
"""The documents an operator types from: every command block says who runs it, and those of place `host` are run here,
on a stack of real processes."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from blocks import ROOT, load, parse, problems

PRODUCTS = ("aragora-api", "aragora-ws-gateway", "aragora-debate-worker", "aragora-backup", "aragora")


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
    return []


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


def main() -> int:
    found = check_self() + problems(load())
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
        ran = subprocess.run([sys.executable, ROOT / "Tests/Deploy/docs/run-blocks.py", "host"], env=given, cwd=ROOT)
        return ran.returncode
    finally:
        subprocess.run([ROOT / "scripts/down.sh"], env=base, cwd=ROOT, check=False)
        shutil.rmtree(run, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
