#!/usr/bin/env bash
# Usage: Tests/Deploy/install/check-password.sh [--help]
#
# Gives the lines with which the installer changes the password of an existing database to a real Postgres and its psql
# (which must be 14 or newer, for \getenv): the new password opens, the old one does not, whatever characters it has.
#
# Exit codes: 0 passed, 1 findings, 64 wrong arguments.
set -euo pipefail
for library in common ports process stack; do
  # shellcheck source=/dev/null
  source "$(dirname -- "${BASH_SOURCE[0]}")/../../../scripts/lib/$library.sh"
done
case "${1:-}" in
  '') ;;
  -h | --help) usage && exit 0 ;;
  *) die "$EX_USAGE" "unknown argument: $1" ;;
esac

# opens PASSWORD: over TCP, as the services come.
opens() { PGPASSWORD="$1" psql -X -q -A -t -h 127.0.0.1 -p "$(state_get postgres.port)" -U aragora -d aragora -c 'SELECT 1' >/dev/null 2>&1; }

change_it() {
  local sql new before
  # The variable as install-services.sh defines it.
  sql="$(sed -n '/^readonly CHANGE_PASSWORD_SQL=/,/;"$/p' "$ROOT/scripts/lib/install-services.sh")"
  eval "${sql#readonly }"
  [[ -n "${CHANGE_PASSWORD_SQL:-}" ]] || die 1 "install-services.sh has no CHANGE_PASSWORD_SQL"
  # As in the image, where POSTGRES_USER is the superuser.
  postgres_admin -d postgres -c 'ALTER ROLE aragora SUPERUSER'
  before="$(stack_secret postgres.password)"
  opens "$before" || die 1 "the first password does not open"
  for new in "$(openssl rand -hex 24)" "it's \"quoted\"; \$x \\ %s"; do
    printf '%s\n' "$CHANGE_PASSWORD_SQL" |
      POSTGRES_PASSWORD="$new" PGPASSWORD="$before" psql -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$(state_get postgres.port)" -U aragora -d aragora
    opens "$new" || die 1 "the new password does not open"
    ! opens "$before" || die 1 "the old password still opens"
    before="$new"
  done
}
with_private_stores change_it
say "all hold"
