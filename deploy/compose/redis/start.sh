#!/bin/sh
# Writes redis.conf with the password and the memory limit where only Redis reads it, then becomes Redis. The
# container's command. (On the command line every `ps` would show the password.)
#
# Environment:
#   REDIS_PASSWORD            required
#   REDIS_MAXMEMORY=512mb
#   REDIS_RUN=/run/aragora    where to write; also where `CONFIG REWRITE` writes
#
# Arguments are given to Redis. Exit codes: 78 a setting is wrong or missing.
set -eu
umask 077

here=$(cd "$(dirname "$0")" && pwd)
run=${REDIS_RUN:-/run/aragora}

fail() {
  echo "redis: $*" >&2
  exit 78
}

[ -n "${REDIS_PASSWORD:-}" ] || fail "REDIS_PASSWORD is not set"
memory=${REDIS_MAXMEMORY:-512mb}
case "$memory" in
  [1-9]*) ;;
  # 0 would mean no limit: the container's limit would kill Redis instead.
  *) fail "REDIS_MAXMEMORY must be a size such as 512mb, not '$memory'" ;;
esac

mkdir -p "$run"
{
  cat "$here/redis.conf"
  printf '\nmaxmemory %s\n' "$memory"
  printf 'requirepass "%s"\n' "$(printf '%s' "$REDIS_PASSWORD" | sed 's/[\\"]/\\&/g')"
} >"$run/redis.conf"
exec redis-server "$run/redis.conf" "$@"
