#!/usr/bin/env bash
# Usage: scripts/growth.sh [--only stored,viewers,events,workers] [--most N] [--out FOLDER]
#
# Measures what work costs as it grows, through the real API and gateway of private stacks: 1,000 to 1,000,000 debates
# stored (two events each, and a sixtieth as many full ones), 1 to 10,000 viewers of one debate, 10 to 10,000 events of
# one, 1 to 8 workers. Prints the figures and writes growth-<part>.json, .md (a table) and .png to FOLDER (default
# .build/growth), and the query plans that matter. Each part is repeated alone with --only; --most ends it at a size.
# A million debates take 10 GB and ten minutes.
#
# Environment:
#   ARAGORA_BIN_DIR=DIR   use these executables, build nothing
#
# Exit codes: 0 measured, 64 wrong arguments; 69 and 70 as scripts/up.sh; 1 a measurement failed.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"

[[ "${1:-}" != -h && "${1:-}" != --help ]] || { usage && exit 0; }
out="$ROOT/.build/growth" only=stored,viewers,events,workers most=()
while [[ $# -gt 0 ]]; do
  [[ $# -ge 2 ]] || die "$EX_USAGE" "$1 needs a value (see --help)"
  case "$1" in
    --out) out="$2" ;;
    --only) only="$2" ;;
    --most) most=(--most "$2") ;;
    *) die "$EX_USAGE" "unknown argument: $1 (see --help)" ;;
  esac
  shift 2
done
mkdir -p "$out"
python="$("$ROOT/scripts/python.sh" Benchmarks/growth/requirements.txt)"

stop_stack() {
  [[ -z "${RUN_DIR:-}" ]] || { "$ROOT/scripts/down.sh" >&2 || true; rm -rf -- "$RUN_DIR"; }
}
trap stop_stack EXIT

# Runs one part against a stack of its own.
# measure PART WORKERS
measure() {
  RUN_DIR="$(mktemp -d "${TMPDIR:-/tmp}/aragora-growth.XXXXXX")"
  export RUN_DIR
  PORTS=auto ARAGORA_RATE_LIMIT=0 ARAGORA_LOG_LEVEL=warning BACKUP_INTERVAL=86400 "$ROOT/scripts/up.sh" --workers "$2" >&2
  "$python" "$ROOT/Benchmarks/growth/growth.py" "$1" --stack "$RUN_DIR" --out "$out" "${most[@]}"
  stop_stack
  RUN_DIR=
}

for part in ${only//,/ }; do
  case "$part" in
    stored | events) measure "$part" 1 ;;
    # So long that viewers can come before it ends.
    viewers) ARAGORA_DEMO_LATENCY_MS=300 ARAGORA_WS_MAX_PER_IP=0 ARAGORA_WS_CONN_RATE=0 measure viewers 1 ;;
    workers) for workers in 1 2 4 8; do measure workers "$workers"; done ;;
    *) die "$EX_USAGE" "no such part: $part (see --help)" ;;
  esac
done
