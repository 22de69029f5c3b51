#!/usr/bin/env bash
# Usage: Tests/Deploy/monitoring/check-live.sh [--keep]
#
# Starts our services (api, gateway, backup, two workers) with a private Postgres and Redis, a simulator of model
# providers, nginx with TLS, and a real Prometheus, Alertmanager and exporters, all on free ports of 127.0.0.1; puts a load
# on them in which much goes wrong; then asks Prometheus whether
#
#   - every target of prometheus.yml is up,
#   - every metric and label that a rule, a dashboard or an autoscaler uses is there,
#   - every query of a dashboard has an answer, and one that is not zero,
#   - the loss of Redis reaches a webhook through the alert, and its return as well,
#   - the loss of Postgres is noticed in every service.
#
# The configuration is the shipped one; only addresses are replaced, and intervals shortened to a second.
#
#   --keep   leave everything running until Enter is pressed, and the folder where it is
#
# Environment: ARAGORA_BIN_DIR, DEPLOY_PYTHON (set by scripts/check-deploy.sh)
#
# Exit codes: 0 passed, 1 not, 64 wrong arguments, 69 something did not start, 70 the simulator does not build.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/../../.."
for library in common ports process; do
  # shellcheck source=/dev/null
  source "scripts/lib/$library.sh"
done

keep=no
case "${1:-}" in
  '') ;;
  --keep) keep=yes ;;
  -h | --help) usage && exit 0 ;;
  *) die "$EX_USAGE" "unknown argument: $1 (see --help)" ;;
esac
python="${DEPLOY_PYTHON:-$(scripts/python.sh Tests/Deploy/requirements.txt)}"
export ARAGORA_BIN_DIR="${ARAGORA_BIN_DIR:-$ROOT/.build/debug}"
simulator="$ARAGORA_BIN_DIR/provider-simulator"
if [[ ! -x "$simulator" ]]; then
  find_swift || die "$EX_CONFIG" "swift is not on PATH"
  mapfile -t build < <(swift_build_arguments)
  swift build "${build[@]}" --product provider-simulator >&2 || die "$EX_FAILED" "the simulator does not build"
  simulator=.build/debug/provider-simulator
fi

# Nothing here may go through a proxy.
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
folder="$(mktemp -d "${TMPDIR:-/tmp}/aragora-monitoring.XXXXXX")"
export RUN_DIR="$folder/run"
started=()
cleanup() {
  local code=$?
  trap - EXIT
  if [[ "$keep" = yes ]]; then
    say "kept in $folder; Prometheus is http://127.0.0.1:${PROMETHEUS_PORT:-}; Enter ends it"
    read -r _ </dev/tty || true
  fi
  [[ ${#started[@]} -eq 0 ]] || kill "${started[@]}" 2>/dev/null || true
  scripts/down.sh >"$folder/down.log" 2>&1 || true
  wait
  # Found problems speak for themselves; that something did not run is in its log.
  [[ "$code" -le 1 ]] || tail -n 5 "$folder"/*.log >&2 || true
  [[ "$keep" = yes ]] || rm -rf "$folder"
  exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# background NAME COMMAND...: runs it, its words in NAME.log.
background() {
  local name="$1"
  shift
  "$@" </dev/null >"$folder/$name.log" 2>&1 &
  started+=("$!")
}

for port in PROMETHEUS ALERTMANAGER POSTGRES_EXPORTER REDIS_EXPORTER NODE_EXPORTER NGINX_EXPORTER BLACKBOX \
  NGINX NGINX_STATUS SIMULATOR WEBHOOK; do
  pick_port "${port}_PORT"
  export "${port}_PORT"
done

step "starting the simulator and the stack"
background simulator "$simulator" --port "$SIMULATOR_PORT"
# Two slots in all, so that a queue forms; four providers at one simulator, of which it fails three.
export WORKER_CONCURRENCY=1 ARAGORA_EMBEDDED_RUNNER=off ARAGORA_RATE_LIMIT=100
# What a call may cost at most is reserved from the budget before it is made.
export ARAGORA_PROVIDER_MAX_TOKENS=256
export ANTHROPIC_API_KEY=key ANTHROPIC_BASE_URL="http://127.0.0.1:$SIMULATOR_PORT"
export OPENAI_API_KEY=key OPENAI_BASE_URL="http://127.0.0.1:$SIMULATOR_PORT/v1"
export MISTRAL_API_KEY=key MISTRAL_BASE_URL="http://127.0.0.1:$SIMULATOR_PORT/v1"
PORTS=auto scripts/up.sh --workers 2 >"$folder/up.log" 2>&1 || { cat "$folder/up.log" >&2 && exit "$EX_UNAVAILABLE"; }
# shellcheck source=/dev/null
source "$RUN_DIR/env"
unset ANTHROPIC_API_KEY OPENAI_API_KEY MISTRAL_API_KEY

step "starting nginx, exporters, Alertmanager and Prometheus"
mkdir "$folder/secrets"
echo "http://127.0.0.1:$WEBHOOK_PORT/hook" >"$folder/secrets/webhook_url"
openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=localhost -keyout "$folder/server.key" -out "$folder/server.crt" 2>/dev/null
"$python" Tests/Deploy/monitoring/live.py configure "$folder"
background nginx nginx -p "$folder" -c nginx.conf -g 'daemon off;'
DATA_SOURCE_NAME="$DATABASE_URL?sslmode=disable" background postgres-exporter \
  prometheus-postgres-exporter --web.listen-address "127.0.0.1:$POSTGRES_EXPORTER_PORT"
redis="${REDIS_URL#redis://default:}"
background redis-exporter prometheus-redis-exporter -redis.addr "redis://${redis#*@}" -redis.password "${redis%%@*}" \
  -web.listen-address "127.0.0.1:$REDIS_EXPORTER_PORT"
background node-exporter prometheus-node-exporter --web.listen-address "127.0.0.1:$NODE_EXPORTER_PORT"
background nginx-exporter prometheus-nginx-exporter -nginx.scrape-uri "http://127.0.0.1:$NGINX_STATUS_PORT/stub_status" \
  -nginx.retries 10 -nginx.retry-interval 1s -web.listen-address "127.0.0.1:$NGINX_EXPORTER_PORT"
background blackbox prometheus-blackbox-exporter --config.file deploy/compose/monitoring/blackbox.yml \
  --web.listen-address "127.0.0.1:$BLACKBOX_PORT"
ALERT_CONFIG="$folder/alertmanager" ALERT_SECRETS="$folder/secrets" ALERT_RENDERED="$folder/alertmanager.yml" \
  ALERTMANAGER="$(command -v prometheus-alertmanager)" background alertmanager busybox sh deploy/compose/monitoring/alertmanager-start.sh \
  --storage.path "$folder/alertmanager-data" --web.listen-address "127.0.0.1:$ALERTMANAGER_PORT" --cluster.listen-address=
background prometheus prometheus --config.file "$folder/prometheus/prometheus.yml" --storage.tsdb.path "$folder/tsdb" \
  --web.listen-address "127.0.0.1:$PROMETHEUS_PORT"

"$python" Tests/Deploy/monitoring/live.py run "$folder"
