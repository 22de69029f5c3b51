#!/usr/bin/env bash
# Usage: scripts/check-sdk.sh
#
# Starts a whole stack on free ports and lets the official aragora-sdk for Python, unmodified (pinned in
# Tests/SDK/requirements.txt), use it: sync, async and streaming, every path of the contract that must be there, compared
# by content. Stops the stack again.
#
# Environment: ARAGORA_BIN_DIR, CONFIG as in scripts/up.sh (CONFIG is debug unless told).
#
# Exit codes: 0 every check held, 1 one did not; those of scripts/up.sh when the stack did not start; 69 the packages are
# not to be had.
set -euo pipefail
for library in common against; do
  # shellcheck source=/dev/null
  source "$(dirname -- "${BASH_SOURCE[0]}")/lib/$library.sh"
done

[[ "${1:-}" != -h && "${1:-}" != --help ]] || { usage && exit 0; }
[[ $# -eq 0 ]] || die "$EX_USAGE" "unknown argument: $1 (see --help)"
bootstrap
python="$("$ROOT/scripts/python.sh" Tests/SDK/requirements.txt)"
against_a_stack
"$python" "$ROOT/Tests/SDK/check_sdk.py" "$ARAGORA_BASE_URL" "$ARAGORA_API_TOKEN" "$ARAGORA_WS_URL"
