#!/usr/bin/env bash
# Usage: scripts/service.sh (start|stop|crash|restart|pid|wait) NAME
#
# One member of the stack in RUN_DIR (default .run), by itself: for fault tests and for a person who wants
# to see what happens. NAME is api, ws-gateway, debate-worker-1 …, backup, postgres or redis.
#
#   start     start it again with the environment `make up` gave it, on the same ports
#   stop      drain it (services: TERM; Postgres: fast; Redis: TERM)
#   crash     no farewell (services, Redis: KILL; Postgres: immediate)
#   restart   stop, start, wait
#   wait      return when it is ready, at most READY_SECONDS
#   pid       print its pid; exit 69 if it does not run
#
# Exit codes: 0 done, 64 wrong arguments, 69 not running or not ready.
set -euo pipefail
for library in common ports process stack build services; do
  # shellcheck source=/dev/null
  source "$(dirname -- "${BASH_SOURCE[0]}")/lib/$library.sh"
done

[[ "${1:-}" != -h && "${1:-}" != --help ]] || { usage && exit 0; }
[[ $# -eq 2 ]] || die "$EX_USAGE" "two arguments are needed (see --help)"
action="$1"
member="$2"
folder="${RUN_DIR:-$ROOT/.run}"
[[ -d "$folder/stack" ]] || die "$EX_UNAVAILABLE" "no stack in $folder"
bootstrap
stack_use "$folder"
BIN_DIR="${ARAGORA_BIN_DIR:-$(state_get executables)}"
# Members start in folders of their own, where a relative path names nothing.
BIN_DIR="$(cd -- "$BIN_DIR" && pwd -P)" || die "$EX_CONFIG" "ARAGORA_BIN_DIR: no such folder"
export BIN_DIR

is_store() { [[ "$member" = postgres || "$member" = redis ]]; }
stop_store() { if [[ "$member" = postgres ]]; then postgres_stop fast; else redis_stop TERM; fi; }
member_pid() { if is_store; then "${member}_pid"; else service_pid "$member"; fi; }
member_start() { if is_store; then "${member}_start"; else service_start "$member"; fi; }
member_stop() { if is_store; then stop_store; else services_stop "$member"; fi; }
member_wait() { is_store || services_await "$member"; }
member_crash() {
  local pid
  case "$member" in
    postgres) postgres_stop immediate ;;
    redis) redis_stop KILL ;;
    *)
      pid="$(service_pid "$member")"
      [[ -n "$pid" ]] || die "$EX_UNAVAILABLE" "$member does not run"
      kill -KILL "$pid"
      wait_until "$STOP_SECONDS" process_gone "$pid"
      ;;
  esac
}

case "$action" in
  start) member_start ;;
  stop) member_stop ;;
  crash) member_crash ;;
  restart) member_stop && member_start && member_wait ;;
  wait) member_wait ;;
  pid)
    pid="$(member_pid)"
    [[ -n "$pid" ]] || die "$EX_UNAVAILABLE" "$member does not run"
    printf '%s\n' "$pid"
    ;;
  *) die "$EX_USAGE" "unknown action: $action (see --help)" ;;
esac
