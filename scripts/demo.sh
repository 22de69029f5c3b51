#!/usr/bin/env bash
# Usage: scripts/demo.sh [TOPIC...]          (make demo TOPIC="…")
#
# One debate from nothing: starts a whole stack on free ports in a temporary folder, asks TOPIC as a client
# would (HTTP and WebSocket), prints every turn as it arrives, the decision, the dissent, the receipt and its
# verification, and stops everything again. With a provider key (ANTHROPIC_API_KEY, OPENAI_API_KEY …) or
# ARAGORA_LOCAL_LLM_URL it uses that provider; without, the built-in demo agents, and says so.
#
# Environment: DEMO_TOPIC instead of an argument; CONFIG, ARAGORA_BIN_DIR as in scripts/up.sh.
# The logs of a demo that failed are kept, and named.
#
# Exit codes: those of `aragora demo` (0: the receipt verified); those of scripts/up.sh when it did not start.
set -euo pipefail
for library in common ports process stack build services; do
  # shellcheck source=/dev/null
  source "$(dirname -- "${BASH_SOURCE[0]}")/lib/$library.sh"
done

[[ "${1:-}" != -h && "${1:-}" != --help ]] || { usage && exit 0; }
topic="${*:-${DEMO_TOPIC:-Should a three-person startup use Postgres or MongoDB?}}"

folder="$(mktemp -d "${TMPDIR:-/tmp}/aragora-demo.XXXXXX")"
client=""

# Always stops the stack; keeps the logs when something failed.
finish() {
  local code=$?
  trap - EXIT
  trap '' INT TERM
  [[ -z "$client" ]] || kill -TERM "$client" 2>/dev/null || true
  if [[ "$code" -ne 0 && -d "$folder/logs" ]]; then
    local kept="$ROOT/.run/demo-logs"
    rm -rf -- "$kept"
    mkdir -p "$(dirname -- "$kept")"
    cp -rL "$folder/logs" "$kept" 2>/dev/null || true
    say "the logs are in $kept"
  fi
  RUN_DIR="$folder" "$ROOT/scripts/down.sh" --erase 2>/dev/null || true
  rm -rf -- "$folder"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

bootstrap
use_executables
RUN_DIR="$folder" PORTS=auto ARAGORA_BIN_DIR="$BIN_DIR" "$ROOT/scripts/up.sh" --workers 1
# shellcheck source=/dev/null
source "$folder/env"
# In the background and awaited, so that a signal reaches the trap at once.
"$BIN_DIR/aragora" demo --topic "$topic" &
client=$!
code=0
wait "$client" || code=$?
client=""
exit "$code"
