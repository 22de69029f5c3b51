#!/usr/bin/env python3
"""Usage: scripts/init_postgres_db.py

The name that the hosted runbook types. It is `aragora db migrate`: brings the database's schema up to date, and changes
nothing when it is. Settings come from the environment (ARAGORA_POSTGRES_DSN or DATABASE_URL).

Exit codes: those of `aragora db migrate`, 64 wrong arguments, 69 no executable `aragora`.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "lib"))
from command_line import become_aragora  # noqa: E402

if sys.argv[1:] in (["-h"], ["--help"]):
    print(__doc__)
elif sys.argv[1:]:
    print("error: no arguments, please (see --help)", file=sys.stderr)
    sys.exit(64)
else:
    become_aragora("db", "migrate")
