#!/usr/bin/env python3
"""Usage: same_document.py FILE.yaml URL

Is a description in YAML what a server serves as JSON? Exit codes: 0 yes, 1 no.
"""
import json
import sys
import urllib.request

import yaml

with open(sys.argv[1], encoding="utf-8") as file:
    written = yaml.safe_load(file)
with urllib.request.urlopen(sys.argv[2], timeout=30) as answer:
    served = json.load(answer)
if written != served:
    for key in sorted(set(written["paths"]) ^ set(served["paths"])):
        print(f"only in one of them: {key}")
    sys.exit(f"{sys.argv[1]} is not what {sys.argv[2]} serves")
print(f"the same: {len(served['paths'])} paths")
