#!/usr/bin/env bash
# Usage: scripts/rivals.sh [--only celery,dbos,aragora] [--jobs N] [--kill-every SECONDS]
#
# The same shape of job on Celery (Redis), on DBOS (Postgres) and on this product: steps that call a simulated provider
# with an idempotency key, three workers of four jobs each, one of which is killed at random every few seconds and started
# again a second later. Prints a line of JSON for each: jobs lost, calls sent twice, takeover, jobs a second.
#
# Environment:
#   ARAGORA_BIN_DIR=DIR   use these executables (the provider simulator too), build nothing
#
# Exit codes: 0 measured, 64 wrong arguments; 69 and 70 as scripts/up.sh; 1 a measurement failed.
set -euo pipefail
for library in common ports process stack build; do
  # shellcheck source=/dev/null
  source "$(dirname -- "${BASH_SOURCE[0]}")/lib/$library.sh"
done

[[ "${1:-}" != -h && "${1:-}" != --help ]] || { usage && exit 0; }
only=celery,dbos,aragora options=()
while [[ $# -gt 0 ]]; do
  [[ $# -ge 2 ]] || die "$EX_USAGE" "$1 needs a value (see --help)"
  case "$1" in
    --only) only="$2" ;;
    --jobs | --kill-every) options+=("$1" "$2") ;;
    *) die "$EX_USAGE" "unknown argument: $1 (see --help)" ;;
  esac
  shift 2
done
bootstrap
built="${ARAGORA_BIN_DIR:-}"
use_executables
if [[ -z "$built" ]]; then
  swift build --package-path "$ROOT" -c release --product provider-simulator >&2 || die "$EX_FAILED" "provider-simulator does not build"
fi
export ARAGORA_BIN_DIR="$BIN_DIR"
python="$("$ROOT/scripts/python.sh" Benchmarks/rivals/requirements.txt)"
folder="$(mktemp -d "${TMPDIR:-/tmp}/aragora-rivals.XXXXXX")"
simulator=
clean_up() {
  [[ -z "${RUN_DIR:-}" ]] || "$ROOT/scripts/down.sh" >&2 || true
  [[ -z "$simulator" ]] || kill "$simulator" 2>/dev/null || true
  rm -rf -- "$folder"
}
trap clean_up EXIT

printf '{"latency":{"kind":"fixed","ms":500},"answer_words":20}' >"$folder/scenario"
"$BIN_DIR/provider-simulator" --port-file "$folder/port" --scenario "$folder/scenario" >/dev/null &
simulator=$!
for _ in {1..50}; do
  [[ -s "$folder/port" ]] && break
  sleep 0.1
done
provider="http://127.0.0.1:$(<"$folder/port")"
# The stack's stores serve the rivals too: one Postgres and one Redis for all.
RUN_DIR="$folder/stack"
export RUN_DIR
# Exported, for a worker that is started again has what its starter has.
export ARAGORA_RATE_LIMIT=0 ARAGORA_LOG_LEVEL=warning WORKER_CONCURRENCY=4 OPENAI_API_KEY=key OPENAI_BASE_URL="$provider/v1"
PORTS=auto BACKUP_INTERVAL=86400 "$ROOT/scripts/up.sh" --workers 3 >&2
# shellcheck source=/dev/null
source "$RUN_DIR/env"
psql -q "$DATABASE_URL" -c "CREATE DATABASE rival"
for name in ${only//,/ }; do
  "$python" "$ROOT/Benchmarks/rivals/run.py" "$name" --provider "$provider" --redis "$REDIS_URL" \
    --postgres "${DATABASE_URL%/*}/rival" --folder "$folder" --stack "$RUN_DIR" --stack-postgres "$DATABASE_URL" \
    --api "$ARAGORA_BASE_URL" --token "$ARAGORA_API_TOKEN" --root "$ROOT" "${options[@]}"
done
