#!/usr/bin/env bash
# Usage: scripts/soak.sh [--minutes N] [--rate DEBATES_A_SECOND] [--warm-up SHARE] [--out FOLDER]
#
# Starts a private stack with two workers, runs debates through it at a steady rate, each watched over WebSocket to its end
# and read afterwards, and prints how memory and descriptors of each executable change: per cent in ten minutes, after
# the warm-up (30 % of the time unless told). Defaults: 20 minutes at 35 debates a second, half of what two processors do.
# FOLDER (default .build/soak) gets soak.json and soak.png.
#
# Environment:
#   ARAGORA_BIN_DIR=DIR   use these executables, build nothing
#
# Exit codes: 0 every slope is under 1 %, 1 one is not, or a debate failed; 69 and 70 as scripts/up.sh.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"

[[ "${1:-}" != -h && "${1:-}" != --help ]] || { usage && exit 0; }
out="$ROOT/.build/soak"
arguments=()
while [[ $# -gt 0 ]]; do
  [[ $# -ge 2 ]] || die "$EX_USAGE" "$1 needs a value (see --help)"
  case "$1" in
    --out) out="$2" ;;
    --minutes | --rate | --warm-up) arguments+=("$1" "$2") ;;
    *) die "$EX_USAGE" "unknown argument: $1 (see --help)" ;;
  esac
  shift 2
done
mkdir -p "$out"
python="$("$ROOT/scripts/python.sh" Benchmarks/growth/requirements.txt)"
RUN_DIR="$(mktemp -d "${TMPDIR:-/tmp}/aragora-soak.XXXXXX")"
export RUN_DIR
trap '"$ROOT/scripts/down.sh" >&2 || true; rm -rf -- "$RUN_DIR"' EXIT
PORTS=auto ARAGORA_RATE_LIMIT=0 ARAGORA_WS_CONN_RATE=0 ARAGORA_LOG_LEVEL=warning "$ROOT/scripts/up.sh" --workers 2 >&2
"$python" "$ROOT/Benchmarks/growth/soak.py" --stack "$RUN_DIR" --out "$out" "${arguments[@]}"
