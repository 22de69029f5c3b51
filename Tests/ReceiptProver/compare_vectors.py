#!/usr/bin/env python3
"""compare_vectors.py FILE: what `receipt-prover vectors` wrote, judged by the second verifier. Exit code 1 at a difference."""
import json
import sys

import verify_receipt


def main():
    with open(sys.argv[1], encoding="utf-8") as lines:
        keys = json.loads(next(lines))
        verifier = verify_receipt.Verifier(
            [bytes.fromhex(keys["secret"])], [key.encode() for key in keys["public_keys"]])
        count = accepted = 0
        for count, vector in enumerate(map(json.loads, lines), start=1):
            why = None
            try:
                found = (True, *verifier.bundle(bytes.fromhex(vector["file"]), vector["head"]))
            except Exception as error:  # whatever is wrong with a file, it is not proven
                found, why = (False, "", ""), error
            if found != (vector["accepted"], vector["chain"], vector["log"]):
                sys.exit(f"vector {count}: this one says {found} ({why!r}), the first one {vector}")
            accepted += found[0]
    print(f"{count} vectors, {accepted} accepted by both, the rest by neither")
    sys.exit(0 if 0 < accepted < count else 1)


if __name__ == "__main__":
    main()
