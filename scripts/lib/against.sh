# shellcheck shell=bash
# A stack for the length of one check. Sourced, never run.

# Starts a stack on free ports, exports what its clients need, and sees to it that it is stopped and erased at the end.
# Sets AGAINST_FOLDER, which is removed too.
against_a_stack() {
  AGAINST_FOLDER="$(mktemp -d "${TMPDIR:-/tmp}/aragora-against.XXXXXX")"
  trap against_end EXIT
  # Nobody counts the requests of a check, and its debates wait for nothing.
  RUN_DIR="$AGAINST_FOLDER/run" PORTS=auto CONFIG="${CONFIG:-debug}" ARAGORA_RATE_LIMIT=0 WORKER_CONCURRENCY=20 \
    "$ROOT/scripts/up.sh" --workers 1
  # shellcheck disable=SC1091
  source "$AGAINST_FOLDER/run/env"
}

# Ends with the code given, or the one there is.
against_end() {
  local code="${1:-$?}"
  trap - EXIT
  if [[ $code -ne 0 ]]; then
    grep -h '"level":"error"' "$AGAINST_FOLDER"/run/logs/*.log 2>/dev/null | tail -n 20 >&2 || true
  fi
  RUN_DIR="$AGAINST_FOLDER/run" "$ROOT/scripts/down.sh" --erase >&2 || true
  rm -rf -- "$AGAINST_FOLDER"
  exit "$code"
}
