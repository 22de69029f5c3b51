#!/usr/bin/env bash
# Usage: Tests/Deploy/install/check-old-names.sh [--help]
#
# Runs the scripts that only carry a name of the operators' documents, as the documents write them, on a real database:
# init_postgres_db.py, backup_databases.py --output, restore_databases.py --input …/latest --verify.
#
# Environment: ARAGORA_BIN_DIR, the executables.
# Exit codes: 0 passed, 1 findings, 64 wrong arguments.
set -euo pipefail
here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)"
for library in common ports process stack; do
  # shellcheck source=/dev/null
  source "$here/../../../scripts/lib/$library.sh"
done
case "${1:-}" in
  '' | --inside) ;;
  -h | --help) usage && exit 0 ;;
  *) die "$EX_USAGE" "unknown argument: $1" ;;
esac
if [[ "${1:-}" != --inside ]]; then
  with_private_stores "$0" --inside
  exit
fi

cd "$ROOT"
export DATABASE_URL="$TEST_DATABASE_URL"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
failed=0
# expect CODE COMMAND...
expect() {
  local code=0
  "${@:2}" >"$folder/said" 2>&1 || code=$?
  [[ "$code" -eq "$1" ]] && say "ok      ${*:2}" && return 0
  failed=$((failed + 1))
  say "FAILED  ${*:2} ended with $code, not $1:"$'\n'"$(cat "$folder/said")"
}
run() { python3 "scripts/$1" "${@:2}"; }

expect 0 run init_postgres_db.py
expect 0 run init_postgres_db.py
expect 0 run backup_databases.py --output "$folder/backups"
[[ "$(find "$folder/backups" -name 'aragora-*.sql.gz' | wc -l)" -eq 1 ]] || { failed=$((failed + 1)) && say "FAILED  no backup in $folder/backups"; }
expect 0 run restore_databases.py --input "$folder/backups/latest" --verify --dry-run
# A database that holds something is not replaced by accident.
code=0
run restore_databases.py --input "$folder/backups/latest" --verify >"$folder/said" 2>&1 || code=$?
if [[ $code -eq 0 ]] || ! grep -q -- --force "$folder/said"; then
  failed=$((failed + 1))
  say "FAILED  restored over a database: $(cat "$folder/said")"
fi
expect 0 run restore_databases.py --input "$folder/backups/latest" --verify --force
psql -q "$DATABASE_URL" -c 'DROP SCHEMA public CASCADE; CREATE SCHEMA public' 2>/dev/null
expect 0 run restore_databases.py --input "$folder/backups/latest" --verify
[[ "$(psql -At "$DATABASE_URL" -c 'SELECT count(*) > 0 FROM schema_migrations')" = t ]] || { failed=$((failed + 1)) && say "FAILED  nothing was restored"; }
expect 64 run backup_databases.py
expect 64 run backup_databases.py --bogus
expect 64 run restore_databases.py --verify
expect 64 run restore_databases.py --input x --dry-run --force
expect 64 run init_postgres_db.py now
for script in backup_databases.py restore_databases.py init_postgres_db.py; do expect 0 run "$script" --help; done
expect 69 env -u ARAGORA_BIN_DIR PATH=/nowhere /usr/bin/python3 -c "
import sys; sys.path.insert(0, 'scripts/lib')
import command_line; command_line.ROOT = '/nowhere'; command_line.become_aragora('--help')"
[[ $failed -eq 0 ]] || die 1 "$failed findings"
say "all hold"
