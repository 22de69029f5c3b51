#!/usr/bin/env python3
"""Usage: run-blocks.py PLACE [DOCUMENT...]

Executes, document by document, every command block that is annotated `run: PLACE` (host or compose; blocks.py says
more), in the environment and folder it is called in. Prints a line for each block, and the output of the first one
of a document that fails or does not say what it must.

  --list   only name the blocks

Environment: BLOCK_SECONDS (600), longest one document may take.
Exit codes: 0 all ran, 1 a block failed, 64 wrong arguments.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile

from blocks import DOCUMENTS, PLACES, load, script


def run(document: str, blocks: list) -> bool:
    """Runs the blocks of one document in one shell; True when each succeeded."""
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as file:
        file.write(script(blocks))
        file.flush()
        # A session of its own: what a block leaves running dies with it.
        child = subprocess.Popen(["bash", file.name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, start_new_session=True)
        try:
            output, _ = child.communicate(timeout=float(os.environ.get("BLOCK_SECONDS", "600")))
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            output, _ = child.communicate()
    pieces = re.split(r"^@@ (\d+|end)\n", output.decode(errors="replace"), flags=re.M)
    said = {pieces[at]: pieces[at + 1] for at in range(1, len(pieces) - 1, 2)}
    for number, block in enumerate(blocks):
        text = said.get(str(number))
        if text is None:
            print(f"FAILED   {block.name}: never reached")
            return False
        is_over = str(number + 1) in said or "end" in said
        if not is_over:
            print(f"FAILED   {block.name}: exit {child.returncode}\n{block.text}\n--- it said:\n{text[-4000:]}")
            return False
        if block.expect and not re.search(block.expect, text):
            print(f"FAILED   {block.name}: no /{block.expect}/ in what it said:\n{text[-4000:]}")
            return False
        print(f"ran      {block.name}")
    return True


def main(words: list[str]) -> int:
    only_list = "--list" in words
    words = [word for word in words if word != "--list"]
    if not words or words[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if words else 64
    place, documents = words[0], words[1:] or list(DOCUMENTS)
    if place not in PLACES or any(document not in DOCUMENTS for document in documents):
        print(f"run-blocks.py: not understood: {' '.join(words)}; see --help", file=sys.stderr)
        return 64
    failed, count = 0, 0
    for document in documents:
        blocks = [block for block in load([document]) if block.place == place]
        count += len(blocks)
        if only_list:
            for block in blocks:
                print(block.name)
        elif blocks and not run(document, blocks):
            failed += 1
    if not only_list:
        print(f"{count} blocks of place {place}, {failed} documents failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
