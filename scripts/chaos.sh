#!/usr/bin/env bash
# Usage: scripts/chaos.sh [aragora-chaos argument...]          (make chaos [SEED=n] [DURATION=s] [FAULTS=n] [DEBATES=n])
#
# Builds executables and runs the fault program, Tests/Chaos: a whole stack of real processes with stores of its
# own, clients that create and watch debates, and faults at random from a seed; then every check of docs/faults.md.
# `scripts/chaos.sh --help-program` prints the program's own options. Without arguments: 50 faults, 20 debates, 40 s.
#
# Environment:
#   CONFIG=release         release executables (debug): thousands of viewers check every event they see, and are slow otherwise
#   ARAGORA_BIN_DIR=DIR    use the executables in DIR, the program too, and build nothing
#
# Exit codes: those of the program (0 every check passed, 1 one did not, 130 interrupted); 70 when the build failed.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"

[[ "${1:-}" != -h && "${1:-}" != --help ]] || { usage && exit 0; }
[[ "${1:-}" != --help-program ]] || set -- --help
bootstrap
cd "$ROOT"
if [[ -z "${ARAGORA_BIN_DIR:-}" ]]; then
  mapfile -t build < <(swift_build_arguments)
  config="${CONFIG:-debug}"
  [[ "$config" = release || "$config" = debug ]] || die "$EX_USAGE" "CONFIG must be release or debug, not $config"
  step "building the executables and the fault program ($config)"
  for product in aragora-api aragora-ws-gateway aragora-debate-worker aragora-backup provider-simulator aragora-chaos; do
    swift build -c "$config" "${build[@]}" --product "$product" >&2 || die "$EX_FAILED" "$product does not build"
  done
  ARAGORA_BIN_DIR="$ROOT/.build/$config"
fi
export ARAGORA_BIN_DIR
exec "$ARAGORA_BIN_DIR/aragora-chaos" "$@"
