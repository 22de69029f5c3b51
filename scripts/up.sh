#!/usr/bin/env bash
# Usage: scripts/up.sh [--workers N]          (make up [WORKERS=N])
#
# Builds, then starts a private Postgres and Redis, applies the migrations, and starts the api, the
# gateway, N workers (default 1; with 0 the api runs the debates itself) and the backup service in the
# background. Returns when every one of them answers /readyz. `make down` stops it all.
#
# Environment:
#   PORTS=auto            free ports instead of 8080, 8765, 9100, 9101, 9102, 9110+n
#   RUN_DIR=FOLDER        where everything lives (default: .run)
#   CONFIG=debug          debug executables, which have kill points (default: release)
#   ARAGORA_BIN_DIR=DIR   use these executables, build nothing
#   READY_SECONDS=60      how long to wait until all are ready
# Everything else (ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL, ARAGORA_LOCAL_LLM_URL, WORKER_CONCURRENCY,
# ARAGORA_RATE_LIMIT, ARAGORA_DEMO_LATENCY_MS …) reaches the services as it is.
#
# Writes RUN_DIR/env (source it), RUN_DIR/pids/<service>.pid and RUN_DIR/logs/<service>.log.
#
# Exit codes: 0 all ready, 64 wrong arguments, 69 a port is taken or something did not become ready
# (what was started is stopped again), 70 the build or a migration failed, 75 already up, 78 see bootstrap.sh.
set -euo pipefail
for library in common ports process stack build services; do
  # shellcheck source=/dev/null
  source "$(dirname -- "${BASH_SOURCE[0]}")/lib/$library.sh"
done

workers=1
while [[ $# -gt 0 ]]; do
  case "$1" in
    --workers)
      [[ $# -ge 2 ]] || die "$EX_USAGE" "--workers needs a number"
      workers="$2"
      shift 2
      ;;
    -h | --help) usage && exit 0 ;;
    *) die "$EX_USAGE" "unknown argument: $1 (see --help)" ;;
  esac
done
[[ "$workers" =~ ^[0-9]{1,3}$ ]] || die "$EX_USAGE" "the number of workers must be 0 to 999, not '$workers'"

stop_what_was_started() {
  local code=$?
  trap - EXIT
  # Undone also when the person presses Ctrl-C twice.
  trap '' INT TERM
  say "stopping what was started"
  stack_stop || true
  exit "$code"
}

bootstrap
stack_use "${RUN_DIR:-$ROOT/.run}"
stack_lock
running="$(stack_running | paste -sd ' ')"
[[ -z "$running" ]] || die "$EX_BUSY" "a stack is already up in $STACK_FOLDER ($running); 'make down' stops it"
rm -f "$STACK_FOLDER"/pids/*.pid "$STACK_STATE"/*.identity
ports_assign "$workers"
use_executables

trap stop_what_was_started EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
step "starting Postgres and Redis"
stores_start
services_configure
step "applying migrations"
(run_as_service api "$BIN_DIR/aragora" db migrate) </dev/null >"$STACK_FOLDER/logs/migrate.log" 2>&1 || {
  tail -n "$LOG_TAIL_LINES" "$STACK_FOLDER/logs/migrate.log" >&2
  die "$EX_FAILED" "aragora db migrate failed; its output is above"
}
step "starting ${SERVICES[*]}"
for name in "${SERVICES[@]}"; do
  service_start "$name"
done
services_await "${SERVICES[@]}"
state_set executables "$BIN_DIR"
trap - EXIT INT TERM

say "ready in $SECONDS s
  page     http://127.0.0.1:$API_PORT/signin#token=$API_TOKEN
  api      http://127.0.0.1:$API_PORT
  gateway  ws://127.0.0.1:$WS_PORT/ws
  client   source $STACK_FOLDER/env
  logs     $STACK_FOLDER/logs"
