#!/usr/bin/env bash
# Usage: Tests/Deploy/doctor/stores.sh start|stop FOLDER [MAX_CONNECTIONS]
#
# A private Postgres and Redis in FOLDER for check.py. `start` prints NAME=value lines: POSTGRES_PORT,
# POSTGRES_PASSWORD (of the product's role and database, both `aragora`), SUPERUSER_PASSWORD, REDIS_URL. With
# MAX_CONNECTIONS there is only a Postgres, which takes that many.
set -euo pipefail
for library in common process ports stack; do
  # shellcheck source=/dev/null
  source "$(dirname -- "${BASH_SOURCE[0]}")/../../../scripts/lib/$library.sh"
done

[[ $# -ge 2 ]] || { usage && exit "$EX_USAGE"; }
stack_use "$2"
case "$1" in
  start)
    postgres_start
    if [[ $# -gt 2 ]]; then
      # The last line of a name counts.
      printf 'max_connections = %d\n' "$3" >>"$(postgres_data)/postgresql.conf"
      postgres_stop fast
      postgres_start
    else
      redis_start
      printf 'REDIS_URL=%s\n' "$(redis_url)"
    fi
    printf '%s=%s\n' POSTGRES_PORT "$(state_get postgres.port)" POSTGRES_PASSWORD "$(stack_secret postgres.password 24)" \
      SUPERUSER_PASSWORD "$(state_get postgres.superuser)"
    ;;
  stop)
    stores_stop
    stores_erase
    ;;
  *) usage && exit "$EX_USAGE" ;;
esac
