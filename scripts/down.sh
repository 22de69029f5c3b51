#!/usr/bin/env bash
# Usage: scripts/down.sh [--erase]          (make down)
#
# Stops exactly what scripts/up.sh started in RUN_DIR (default .run): the services first (TERM, then KILL
# after STOP_SECONDS, 40), then Redis, then Postgres. A pid counts only while it is the process that was
# started: a number used again by another program is left alone. Doing it twice is fine.
#
#   --erase   also remove the data and the secrets; without it the next `make up` finds the same debates
#
# Exit codes: 0 nothing runs, 64 wrong arguments, 75 another script holds this stack.
set -euo pipefail
for library in common ports process stack build services; do
  # shellcheck source=/dev/null
  source "$(dirname -- "${BASH_SOURCE[0]}")/lib/$library.sh"
done

erase=no
for argument in "$@"; do
  case "$argument" in
    --erase) erase=yes ;;
    -h | --help) usage && exit 0 ;;
    *) die "$EX_USAGE" "unknown argument: $argument (see --help)" ;;
  esac
done

folder="${RUN_DIR:-$ROOT/.run}"
if [[ ! -d "$folder/stack" ]]; then
  say "nothing is up in $folder"
  exit 0
fi
bootstrap
stack_use "$folder"
stack_lock
running="$(stack_running | paste -sd ' ')"
[[ -z "$running" ]] || step "stopping $running"
stack_stop
[[ "$erase" = no ]] || stores_erase
say "nothing runs in $STACK_FOLDER"
