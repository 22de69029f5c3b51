"""Finds the command line `aragora` for the scripts that only carry an old name. Imported, never run."""
import os
import shutil
import sys

EX_UNAVAILABLE = 69
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))


def become_aragora(*arguments):
    """Becomes `aragora ARGUMENTS…`: of ARAGORA_BIN_DIR, of PATH, or the one that was built in this checkout."""
    places = [os.environ.get("ARAGORA_BIN_DIR"), None, f"{ROOT}/.build/release", f"{ROOT}/.build/debug"]
    for place in places:
        found = shutil.which("aragora", path=place) if place else shutil.which("aragora")
        if found:
            print(f"aragora {' '.join(arguments)}", file=sys.stderr)
            sys.stderr.flush()
            os.execv(found, [found, *arguments])
    print("error: no executable `aragora` in ARAGORA_BIN_DIR, on PATH or in .build (swift build -c release --product aragora)",
          file=sys.stderr)
    sys.exit(EX_UNAVAILABLE)
