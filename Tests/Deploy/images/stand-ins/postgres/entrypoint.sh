#!/usr/bin/env bash
# What compose relies on of the vendor's entrypoint, in its order: owner of the data, initdb with POSTGRES_USER and
# POSTGRES_PASSWORD (or *_FILE), trust for local sockets, scram for the network, POSTGRES_DB, /docker-entrypoint-initdb.d.
set -Eeuo pipefail

file_env() {
  local name="$1" file="$1_FILE"
  [[ -z "${!name:-}" || -z "${!file:-}" ]] || { echo "error: both $name and $file are set" >&2 && exit 1; }
  [[ -z "${!file:-}" ]] || printf -v "$name" '%s' "$(<"${!file}")"
  export "$name=${!name:-${2:-}}"
  unset "$file"
}

[[ "${1:0:1}" != - ]] || set -- postgres "$@"
if [[ "$1" = postgres ]]; then
  mkdir -p "$PGDATA" /var/run/postgresql || :
  chmod 00700 "$PGDATA" || :
  chmod 03775 /var/run/postgresql 2>/dev/null || :
fi
if [[ "$1" = postgres && "$(id -u)" = 0 ]]; then
  find "$PGDATA" \! -user postgres -exec chown postgres '{}' +
  find /var/run/postgresql \! -user postgres -exec chown postgres '{}' +
  exec gosu postgres "${BASH_SOURCE[0]}" "$@"
fi
if [[ "$1" = postgres && ! -s "$PGDATA/PG_VERSION" ]]; then
  file_env POSTGRES_PASSWORD
  file_env POSTGRES_USER postgres
  file_env POSTGRES_DB "$POSTGRES_USER"
  file_env POSTGRES_INITDB_ARGS
  [[ -n "$POSTGRES_PASSWORD" ]] || { echo "Error: Database is uninitialized and superuser password is not specified." >&2 && exit 1; }
  eval 'initdb --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD") '"$POSTGRES_INITDB_ARGS"
  printf '\nhost all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"
  # With the settings of the command, as later; without the network, so that nobody connects half way.
  PGUSER="$POSTGRES_USER" pg_ctl -D "$PGDATA" -o "$(printf '%q ' "${@:2}" -c listen_addresses='' -p 5432)" -w start
  export PGHOST='' PGHOSTADDR=''
  [[ "$POSTGRES_DB" = postgres ]] ||
    psql -v ON_ERROR_STOP=1 --no-password --no-psqlrc --username "$POSTGRES_USER" --dbname postgres \
      --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
  # shellcheck disable=SC1090 # the files are the user's
  for file in /docker-entrypoint-initdb.d/*; do
    case "$file" in
      *.sh) if [[ -x "$file" ]]; then "$file"; else source "$file"; fi ;;
      *.sql) psql -v ON_ERROR_STOP=1 --no-password --no-psqlrc --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" -f "$file" ;;
    esac
  done
  PGUSER="$POSTGRES_USER" pg_ctl -D "$PGDATA" -m fast -w stop
  echo "PostgreSQL init process complete; ready for start up."
fi
exec "$@"
