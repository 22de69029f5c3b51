#!/usr/bin/env bash
# Usage: scripts/check-telemetry.sh
#
# Starts a whole stack that sends its traces and errors to a receiver of this script's own, which decodes them with the
# packages of OpenTelemetry and Sentry (pinned in Tests/Telemetry/requirements.txt): one trace from the request to the
# WebSocket, over a takeover too; a collector that refuses, stalls or is gone costs nothing but spans. Stops the stack again.
#
# Environment: ARAGORA_BIN_DIR, CONFIG as in scripts/up.sh (CONFIG is debug unless told).
#
# Exit codes: 0 every check held, 1 one did not; those of scripts/up.sh when the stack did not start; 69 the packages are
# not to be had.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"

[[ "${1:-}" != -h && "${1:-}" != --help ]] || { usage && exit 0; }
[[ $# -eq 0 ]] || die "$EX_USAGE" "unknown argument: $1 (see --help)"
bootstrap
python="$("$ROOT/scripts/python.sh" Tests/Telemetry/requirements.txt)"
exec "$python" "$ROOT/Tests/Telemetry/check_telemetry.py" "$ROOT"
