#!/usr/bin/env bash
# Usage: Tests/Deploy/metrics/check.sh
#
# Starts our services (api, gateway, backup, a worker) with a private Postgres and Redis on free ports of 127.0.0.1, lets
# much happen in them (debates that end well, fail and are cancelled, providers that fail and refuse, a client over its
# rate limit, a malformed request, viewers, a backup), scrapes each service, and holds what it finds against
# docs/metrics.md: scrape.py says how.
#
# Environment: ARAGORA_BIN_DIR, DEPLOY_PYTHON (set by scripts/check-deploy.sh)
#
# Exit codes: 0 passed, 1 not, 64 wrong arguments, 69 something did not start.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/../../.."
# shellcheck source=scripts/lib/common.sh
source scripts/lib/common.sh

case "${1:-}" in
  '') ;;
  -h | --help) usage && exit 0 ;;
  *) die "$EX_USAGE" "unknown argument: $1 (see --help)" ;;
esac
command -v promtool >/dev/null || die "$EX_UNAVAILABLE" "promtool is missing (scripts/bootstrap.sh --deploy installs it)"
python="${DEPLOY_PYTHON:-$(scripts/python.sh Tests/Deploy/requirements.txt)}"
export ARAGORA_BIN_DIR="${ARAGORA_BIN_DIR:-$ROOT/.build/debug}"

# Nothing here may go through a proxy.
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
folder="$(mktemp -d "${TMPDIR:-/tmp}/aragora-metrics.XXXXXX")"
export RUN_DIR="$folder/run"
provider=
cleanup() {
  local code=$?
  trap - EXIT
  [[ -z "$provider" ]] || kill "$provider" 2>/dev/null || true
  scripts/down.sh >"$folder/down.log" 2>&1 || true
  wait
  rm -rf "$folder"
  exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step "starting a provider that fails, and the stack"
"$python" Tests/Deploy/metrics/failing-provider.py "$folder/provider.port" </dev/null >"$folder/provider.log" 2>&1 &
provider=$!
for _ in $(seq 100); do
  [[ ! -s "$folder/provider.port" ]] || break
  sleep 0.05
done
[[ -s "$folder/provider.port" ]] || die "$EX_UNAVAILABLE" "the failing provider does not listen: $(<"$folder/provider.log")"
base="http://127.0.0.1:$(<"$folder/provider.port")"
export ANTHROPIC_API_KEY=key ANTHROPIC_BASE_URL="$base" OPENAI_API_KEY=key OPENAI_BASE_URL="$base/v1"
# Nobody listens to traces and reports there, which is something to count as well.
export OTEL_EXPORTER_OTLP_ENDPOINT="$base" SENTRY_DSN="${base/:\/\//://key@}/1"
export ARAGORA_RATE_LIMIT=60 ARAGORA_BUILD_SHA=0123456789abcdef
PORTS=auto scripts/up.sh --workers 1 >"$folder/up.log" 2>&1 || { cat "$folder/up.log" >&2 && exit "$EX_UNAVAILABLE"; }
# shellcheck source=/dev/null
source "$RUN_DIR/env"
unset ANTHROPIC_API_KEY OPENAI_API_KEY

"$python" Tests/Deploy/metrics/scrape.py
