#!/usr/bin/env bash
# Usage: scripts/check-api.sh [--seconds N] [SCHEMATHESIS-ARGUMENT...]
#
# Starts a whole stack on free ports and lets schemathesis (pinned in Tests/Contract/requirements.txt) try every operation of
# its /openapi.json with valid and invalid requests: no undeclared status, no 5xx, no accepted invalid input, every answer
# as described. Compares docs/openapi.yaml with what is served. Stops the stack again.
#
#   --seconds N   stop after N seconds (default 420); what was found until then counts
#
# Environment: ARAGORA_BIN_DIR, CONFIG as in scripts/up.sh (CONFIG is debug unless told); SEED to repeat a run.
#
# Exit codes: 0 nothing found, 1 something was; those of scripts/up.sh when the stack did not start; 69 the packages are
# not to be had.
set -euo pipefail
for library in common against; do
  # shellcheck source=/dev/null
  source "$(dirname -- "${BASH_SOURCE[0]}")/lib/$library.sh"
done

seconds=420
arguments=()
while [[ $# -gt 0 ]]; do
  case "$1" in
    -h | --help) usage && exit 0 ;;
    --seconds)
      [[ "${2:-}" =~ ^[1-9][0-9]*$ ]] || die "$EX_USAGE" "--seconds needs a number"
      seconds="$2"
      shift
      ;;
    *) arguments+=("$1") ;;
  esac
  shift
done
bootstrap
python="$("$ROOT/scripts/python.sh" Tests/Contract/requirements.txt)"
# Debates that it makes are run by demonstration agents at once; one worker keeps up.
against_a_stack
step "docs/openapi.yaml is what is served"
"$python" "$ROOT/Tests/Contract/same_document.py" "$ROOT/docs/openapi.yaml" "$ARAGORA_BASE_URL/openapi.json"
step "schemathesis, at most $seconds s"
cd "$AGAINST_FOLDER"
"$(dirname "$python")/schemathesis" --config-file "$ROOT/Tests/Contract/schemathesis.toml" run \
  "$ARAGORA_BASE_URL/openapi.json" --header "Authorization: Bearer $ARAGORA_API_TOKEN" --workers 1 \
  --max-time "$seconds" --seed "${SEED:-1}" "${arguments[@]}"
