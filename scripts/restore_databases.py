#!/usr/bin/env python3
"""Usage: scripts/restore_databases.py --input FOLDER/latest [--verify] [--dry-run] [--force]

The name that the production checklist types. It is `aragora backup restore latest --folder FOLDER`: checks the file, restores
all of it or nothing, and walks every chain afterwards, so that --verify is always on. Instead of `latest` a backup's own
name may stand. Settings come from the environment (ARAGORA_POSTGRES_DSN or DATABASE_URL).

  --verify    accepted; it always verifies
  --dry-run   `aragora backup verify`: restores into a scratch database only
  --force     replaces everything that the database holds; without it a database with tables is refused

Exit codes: those of `aragora backup restore`, 64 wrong arguments, 69 no executable `aragora`.
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
parser.add_argument("--input", required=True, metavar="FOLDER/latest")
parser.add_argument("--verify", action="store_true")
parser.add_argument("--dry-run", action="store_true")
parser.add_argument("--force", action="store_true")
arguments = parser.parse_args()
if arguments.dry_run and arguments.force:
    parser.error("--dry-run changes nothing, so there is nothing to force")
folder, name = os.path.split(arguments.input.rstrip("/"))
# `--input FOLDER` means its newest.
if os.path.isdir(arguments.input) and name != "latest":
    folder, name = arguments.input, "latest"
if arguments.dry_run:
    become_aragora("backup", "verify", name, "--folder", folder or ".")
become_aragora("backup", "restore", name, "--folder", folder or ".", *(["--force"] if arguments.force else []))
