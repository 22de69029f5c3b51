#!/usr/bin/env python3
"""Usage: scripts/backup_databases.py --output FOLDER

The name that the production checklist types. It is `aragora backup create --output FOLDER`: a dump of the database, proven
by restoring it once. Settings come from the environment (ARAGORA_POSTGRES_DSN or DATABASE_URL).

Exit codes: those of `aragora backup create`, 64 wrong arguments, 69 no executable `aragora`.
"""
import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "lib"))
from command_line import become_aragora  # noqa: E402


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(64, f"error: {message} (see --help)\n")


parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, add_help=True, usage=argparse.SUPPRESS)
parser.add_argument("--output", "--backup-dir", required=True, metavar="FOLDER")
become_aragora("backup", "create", "--output", parser.parse_args().output)
