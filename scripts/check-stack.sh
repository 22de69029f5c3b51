#!/usr/bin/env bash
# Usage: scripts/check-stack.sh [--cache DIR] [--keep] [--quick] [--only PART]...        (needs root)
#
# Builds the images, installs with scripts/install.sh, and uses the stack as an operator would: a debate through nginx
# over TLS, watched over wss; monitoring; workers scaled and killed; API and gateway scaled; 200 running debates while
# every service in turn is made anew; a backup that is restored to prove it; every command block of the guides that
# is annotated `run: compose`; taken down. Prints what it saw.
#
# All of it in namespaces of its own, on a copy of the working copy: neither the machine's ports nor deploy/.env are touched.
# Left out, because Debian has nothing to stand in for them: grafana, loki, promtail, jaeger. For the other vendors'
# images see scripts/lib/containers.sh.
#
#   --cache DIR  keep images and compiled objects there for the next run (the same folder as for check-images.sh)
#   --keep       leave the scratch folder
#   --quick      20 debates instead of 200, shorter ones
#   --only PART  install, do this part, take down: door, debate, monitoring, hardening, embedded, workers, scale, recreate,
#                backup or documents; may be repeated
#
# Environment: JOBS bounds the compiler; TMPDIR is where the scratch folder is made (5 GB; default /var/tmp).
#
# Exit codes: 0 all passed, 1 a check failed, 64 wrong arguments, 70 an image could not be built,
# 77 containers can not run here (the last line says why).
set -euo pipefail
for library in common process containers checks; do
  # shellcheck source=/dev/null
  source "$(dirname -- "${BASH_SOURCE[0]}")/lib/$library.sh"
done

readonly COMPOSE_FILE=deploy/docker-compose.production.yml PODMAN_FILE=deploy/docker-compose.podman.yml
readonly ARAGORA_IMAGE=ghcr.io/an0mium/aragora:latest ARAGORA_BACKUP_IMAGE=ghcr.io/an0mium/aragora-backup:latest
readonly ARAGORA_CLI_IMAGE=localhost/aragora-check/cli:latest
readonly POSTGRES_IMAGE=postgres:16-bookworm
readonly WITHOUT_STAND_IN=(grafana loki promtail jaeger)
readonly MONITORING=(prometheus alertmanager postgres-exporter redis-exporter node-exporter nginx-exporter blackbox-exporter)
readonly READY_SECONDS=120
readonly BASE=https://localhost

readonly PARTS=(door debate monitoring hardening embedded workers scale recreate backup documents)

cache="" keep=no quick=no only=() arguments=("$@")
while [[ $# -gt 0 ]]; do
  case "$1" in
    --cache)
      [[ -n "${2:-}" ]] || die "$EX_USAGE" "--cache needs a folder"
      cache="$2"
      shift
      ;;
    --keep) keep=yes ;;
    --quick) quick=yes ;;
    --only)
      [[ -n "${2:-}" && " ${PARTS[*]} " = *" $2 "* ]] || die "$EX_USAGE" "--only needs one of: ${PARTS[*]}"
      only+=("$2")
      shift
      ;;
    -h | --help) usage && exit 0 ;;
    *) die "$EX_USAGE" "unknown argument: $1 (see --help)" ;;
  esac
  shift
done
# The crowd: how many debates, how long (about four answers a round, one after the other).
CROWD=200 CROWD_ROUNDS=12 LATENCY_MS=6000 CROWD_SECONDS=1200
[[ "$quick" = no ]] || CROWD=20 CROWD_ROUNDS=8 LATENCY_MS=4000 CROWD_SECONDS=600

# The Python of the tests is made before the network is gone.
[[ -n "${CONTAINERS_HOME:-}" ]] || { PYTHON="$("$ROOT/scripts/python.sh" Tests/Deploy/requirements.txt)" && export PYTHON; }
containers_isolate network "$cache" "$keep" "${arguments[@]}"
CHECKOUT="$CONTAINERS_HOME/checkout"

# --- before the network is ours alone: everything that is built ------------------------------------------------------------

make_images() {
  local image
  containers_open
  containers_base_image
  containers_probe
  containers_builder_image
  # Used by containers_target.
  export IMAGE_SHA IMAGE_TIME
  IMAGE_SHA="$(git -C "$ROOT" rev-parse HEAD)"
  IMAGE_TIME="$(date -u +%Y-%m-%dT%H:%M:%SZ)"
  containers_stand_in "$POSTGRES_IMAGE"
  step "building aragora, backup and cli"
  containers_target aragora "$ARAGORA_IMAGE"
  containers_target backup "$ARAGORA_BACKUP_IMAGE"
  containers_target cli "$ARAGORA_CLI_IMAGE"
  while IFS= read -r image; do
    if containers_stand_in_folder "$image" >/dev/null; then
      step "making the stand-in for $image"
      containers_stand_in "$image"
    else
      say "    nothing stands in for $image: left out"
    fi
  done < <(sed -n 's/^    image: \([a-z].*\)$/\1/p' "$ROOT/$COMPOSE_FILE")
}

# The files of the working copy, as a checkout would have them, without anybody's deploy/.env.
make_checkout() {
  rm -rf "$CHECKOUT"
  mkdir -p "$CHECKOUT"
  git -C "$ROOT" ls-files --cached --others --exclude-standard -z -- deploy scripts docs Tests/Deploy/docs |
    (cd "$ROOT" && xargs -0 cp --parents --target-directory "$CHECKOUT" 2>/dev/null) || true
  # Read by our `docker compose` in addition, so that commands are typed as in the guides.
  # Where a file sets one limit, podman sets the other one to a million, which it may not do without CAP_SYS_RESOURCE.
  local service processes
  processes="$(ulimit -Hu)"
  [[ "$processes" != unlimited ]] || processes=20000
  {
    printf 'services:\n'
    for service in nginx aragora ws-gateway debate-worker; do
      printf '  %s: {ulimits: {nproc: %s}}\n' "$service" "$processes"
    done
  } >"$CHECKOUT/$PODMAN_FILE"
}

if [[ -z "${STACK_NETWORK:-}" ]]; then
  make_images
  make_checkout
  unshare --net true 2>/dev/null || skip "a network namespace is refused here"
  code=0
  STACK_NETWORK=own unshare --net -- "$0" "${arguments[@]}" || code=$?
  containers_close
  exit "$code"
fi

# --- from here on in a network of our own -----------------------------------------------------------------------------------

cd "$CHECKOUT"
ip link set lo up
# What an earlier run with the same cache saw last.
rm -f "$CONTAINERS_HOME"/tmp/*.json

compose() { docker compose -f "$COMPOSE_FILE" "$@"; }
saw() { printf '        %s\n' "$*"; }
part() { printf '\n%s\n' "$*"; }

# Runs a command whose output only matters when it fails.
quietly() {
  local log="$CONTAINERS_HOME/logs/last"
  if ! "$@" >"$log" 2>&1; then
    tail -n 15 "$log" | sed 's/^/        /'
    return 1
  fi
}

# By podman: docker-compose takes half a second to start.
containers_of() { podman ps --quiet --filter "label=com.docker.compose.service=$1" 2>/dev/null; }

# Are there NUMBER containers of a service, all healthy?
# is_healthy SERVICE NUMBER
is_healthy() {
  local states
  states="$(podman ps --all --filter "label=com.docker.compose.service=$1" --format '{{.Status}}' 2>/dev/null)"
  sleep 0.5
  [[ "$(grep -c '(healthy)' <<<"$states")" -eq "$2" && "$(grep -c . <<<"$states")" -eq "$2" ]]
}

# An answer through nginx, over TLS with the installer's certificate as the only authority.
front() { curl --silent --max-time 15 --cacert deploy/nginx/certs/server.crt "$@"; }
status_of() { front --output /dev/null --write-out '%{http_code}' "$@"; }
prometheus() { curl --silent --max-time 10 --get "http://127.0.0.1:9090/api/v1/$1" "${@:2}"; }

# The first address of a container; this machine's end of the bridge reaches it.
address_of() { podman inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' "$1" | awk '{ print $1 }'; }
# The sum over the samples of a metric in one container.
# metric CONTAINER PATTERN
metric() {
  curl --silent --max-time 5 "http://$(address_of "$1"):9090/metrics" |
    awk -v pattern="^$2" '$0 ~ pattern { sum += $NF } END { printf "%d\n", sum }'
}

viewers() {
  local rounds="$1" debates="$2" status="$3"
  ARAGORA_API_TOKEN="$TOKEN" "$PYTHON" "$ROOT/Tests/Deploy/images/viewers.py" --base "$BASE" --ca deploy/nginx/certs/server.crt \
    --rounds "$rounds" --debates "$debates" --status "$status" --deadline "$CROWD_SECONDS"
}
running() { jq --raw-output '.running // 0' "$1" 2>/dev/null || echo 0; }
runs_at_least() { [[ "$(running "$1")" -ge "$2" ]]; }

# --- 1 ----------------------------------------------------------------------------------------------------------------------

install_it() {
  local before began="$EPOCHREALTIME"
  part "Installation: scripts/install.sh --profile workers --profile backup"
  ARAGORA_NOFILE="$(ulimit -Hn)" quietly scripts/install.sh --no-start
  expect "install.sh --no-start writes settings that only the owner reads" 600 "$(stat -c %a deploy/.env)"
  # For this check: answers take time, so that debates run while we disturb them, and nobody counts our requests.
  cat >>deploy/.env <<ENV
ARAGORA_DEMO_LATENCY_MS=$LATENCY_MS
ARAGORA_RATE_LIMIT=0
ARAGORA_PROVIDER_MAX_INFLIGHT=1000
WORKER_CONCURRENCY=80
ENV
  verify "install.sh --profile workers --profile backup" install_run
  [[ "$CHECKS_FAILED" -eq 0 ]] || die 1 "nothing else can be checked without an installation"
  saw "$(elapsed "$began") s from nothing to healthy"
  before="$(installed)"
  quietly scripts/install.sh --profile workers --profile backup || failed "the second run of install.sh"
  verify "a second run of it changes no settings, no certificate and no container" test "$before" = "$(installed)"
  TOKEN="$(sed -n 's/^ARAGORA_API_TOKEN=//p' deploy/.env)"
}

installed() { sha256sum deploy/.env deploy/nginx/certs/*; podman ps --quiet --no-trunc | sort; }
install_run() { scripts/install.sh --profile workers --profile backup >"$CONTAINERS_HOME/logs/install.out" 2>"$CONTAINERS_HOME/logs/install.err" || { tail -n 25 "$CONTAINERS_HOME/logs/install.err" && return 1; }; }

check_door() {
  local outside
  part "The front door"
  outside="$(ss --no-header --listening --tcp --numeric | awk '{ print $4 }' | grep -vE '^(127\.|\[::1\]|10\.)' | sed 's/.*://' | sort -un | xargs)"
  expect "ports open to the outside" "80 443" "$outside"
  expect "http://localhost/ leads to https" "301" "$(front --output /dev/null --write-out '%{http_code}' http://localhost/)"
  expect "$BASE/healthz" 200 "$(status_of "$BASE/healthz")"
  expect "HTTP version" 2 "$(front --output /dev/null --write-out '%{http_version}' "$BASE/healthz")"
  expect "$BASE/metrics from the outside" 403 "$(status_of "$BASE/metrics")"
  expect "$BASE/api/v1/debates without a token" 401 "$(status_of "$BASE/api/v1/debates")"
  verify "docker compose logs aragora | grep -i migration: $(compose logs --no-color aragora 2>/dev/null | grep -ci migration) lines" \
    test "$(compose logs --no-color aragora 2>/dev/null | grep -ci migration)" -gt 0
  expect "$BASE/grafana/ without Grafana" 502 "$(status_of "$BASE/grafana/")"
}

# As the engine sees it: every container of ours and of the vendors.
check_hardening() {
  local containers
  mapfile -t containers < <(podman ps --quiet --filter label=com.docker.compose.project=aragora)
  podman inspect "${containers[@]}" >"$CONTAINERS_HOME/tmp/containers.json"
  part "Hardening: all ${#containers[@]} containers, as the engine sees them"
  expect "with a root file system that can be written" "" "$(those '.HostConfig.ReadonlyRootfs | not')"
  expect "without no-new-privileges" "" "$(those '.HostConfig.SecurityOpt | tostring | contains("no-new-privileges") | not')"
  expect "without a limit of memory" "" "$(those '.HostConfig.Memory == 0')"
  expect "with capabilities" nginx "$(those '(.EffectiveCaps // []) | length > 0')"
  # blackbox-exporter's image names no user; it has no capability, so root is a number.
  expect "that run as root" "blackbox-exporter nginx" "$(those '.Config.User | . == "" or . == "root" or . == "0"')"
  expect "of ours that run as another user than 10001" "" \
    "$(those '(.Config.Image | contains("an0mium")) and (.Config.User | startswith("10001") | not)')"
}

# Prints the services whose container fits a jq condition.
those() {
  jq --raw-output "[.[] | select($1) | .Config.Labels[\"com.docker.compose.service\"]] | unique | join(\" \")" \
    "$CONTAINERS_HOME/tmp/containers.json"
}

first_debate() {
  local answer
  part "The first debate"
  # As the installer printed it.
  answer="$(bash "$CONTAINERS_HOME/logs/install.out" 2>/dev/null)"
  expect "the curl that the installer prints creates a debate" created "$(jq --raw-output .status <<<"$answer")"
  verify "aragora ask, in the image, over TLS and wss: chain, receipt and signature" ask
  grep -E '^(completed|agreed|✓)' "$CONTAINERS_HOME/logs/ask" | while IFS= read -r line; do saw "$line"; done
}

ask() {
  podman run --rm --network=host --read-only --cap-drop=ALL --volume "$CHECKOUT/deploy/nginx/certs/server.crt:/ca.crt:ro" \
    --env ARAGORA_BASE_URL="$BASE" --env ARAGORA_CA_FILE=/ca.crt --env ARAGORA_API_TOKEN="$TOKEN" \
    --env ARAGORA_RECEIPT_SIGNING_KEY="$(sed -n 's/^ARAGORA_RECEIPT_SIGNING_KEY=//p' deploy/.env)" \
    "$ARAGORA_CLI_IMAGE" ask --rounds 2 "Postgres or MongoDB?" >"$CONTAINERS_HOME/logs/ask" 2>&1 ||
    { cat "$CONTAINERS_HOME/logs/ask" && return 1; }
}

# --- 2 ----------------------------------------------------------------------------------------------------------------------

targets_of() { prometheus targets | jq --raw-output '.data.activeTargets[] | "\(.labels.job) \(.health)"' 2>/dev/null | sort; }
all_up() {
  local targets
  targets="$(targets_of)"
  [[ "$(grep -c . <<<"$targets")" -ge "$1" ]] && ! grep -qv ' up$' <<<"$targets"
}

probe_succeeds() { [[ "$(prometheus query --data-urlencode 'query=min_over_time(probe_success[15s])' | jq --raw-output '.data.result[0].value[1] // 0')" = 1 ]]; }

monitor() {
  part "Monitoring: docker compose --profile monitoring up -d ${MONITORING[*]}"
  saw "left out, since nothing here stands in for them: ${WITHOUT_STAND_IN[*]}"
  verify "the monitoring services start" quietly compose --profile monitoring up -d "${MONITORING[@]}"
  # One each, two workers.
  verify "every Prometheus target is up" wait_until "$READY_SECONDS" all_up 12
  targets_of | uniq -c | while read -r number job health; do saw "$number $job $health"; done
  verify "the probe from outside, through nginx over TLS, succeeds" wait_until 60 probe_succeeds
  expect "rule groups loaded without an error" "" \
    "$(prometheus rules | jq --raw-output '[.data.groups[].rules[] | select(.lastError) | .name] | unique | join(" ")')"
  saw "$(prometheus rules | jq '[.data.groups[].rules[]] | length') rules, firing: $(prometheus alerts | jq --raw-output '[.data.alerts[] | select(.state == "firing") | .labels.alertname] | unique | join(" ") | if . == "" then "none" else . end')"
  expect "Alertmanager is found" 1 "$(prometheus alertmanagers | jq '.data.activeAlertmanagers | length')"
}

# --- 3 ----------------------------------------------------------------------------------------------------------------------

kill_a_worker() {
  local status="$CONTAINERS_HOME/tmp/kill.json" victim report watcher
  part "Workers: --scale debate-worker=3, one killed"
  verify "--scale debate-worker=3" quietly compose --profile workers up -d --no-recreate --scale debate-worker=3 debate-worker
  verify "three healthy workers" wait_until "$READY_SECONDS" is_healthy debate-worker 3
  verify "Prometheus finds all three" wait_until 60 finds debate-worker 3
  viewers 2 30 "$status" >"$CONTAINERS_HOME/tmp/kill.out" 2>&1 &
  watcher=$!
  verify "30 debates run" wait_until 60 runs_at_least "$status" 30
  for victim in $(containers_of debate-worker); do
    saw "worker ${victim:0:12} runs $(metric "$victim" aragora_active_debates)"
  done
  podman kill --signal KILL "$victim" >/dev/null
  saw "killed ${victim:0:12}"
  if wait "$watcher"; then passed "all 30 complete, every chain holds"; else failed "not all 30 complete: $(tail -n 3 "$CONTAINERS_HOME/tmp/kill.out")"; fi
  report="$(tail -n 1 "$CONTAINERS_HOME/tmp/kill.out")"
  verify "debates of the killed worker were taken over" test "$(jq .taken_over <<<"$report")" -gt 0
  saw "$(jq --raw-output '"\(.taken_over) taken over, \(.events) events, longest pause of a debate \(.longest_silence_s) s"' <<<"$report")"
  verify "the killed worker is back by its restart policy" wait_until "$READY_SECONDS" is_healthy debate-worker 3
}

finds() { [[ "$(prometheus query --data-urlencode "query=count(up{job=\"aragora-$1\"} == 1)" | jq --raw-output '.data.result[0].value[1] // 0')" = "$2" ]]; }

# Without the profile `workers` the API hosts the runner.
run_embedded() {
  local status="$CONTAINERS_HOME/tmp/embedded.json"
  part "No worker: the API runs debates itself"
  verify "stop debate-worker" quietly compose --profile workers stop debate-worker
  if viewers 1 3 "$status" >"$CONTAINERS_HOME/tmp/embedded.out" 2>&1; then
    passed "3 debates complete, every chain holds"
  else
    failed "not all 3 complete: $(tail -n 3 "$CONTAINERS_HOME/tmp/embedded.out")"
  fi
  verify "up -d debate-worker" quietly compose --profile workers up -d debate-worker
  verify "the workers are healthy again" wait_until "$READY_SECONDS" is_healthy debate-worker 2
}

# --- 4 ----------------------------------------------------------------------------------------------------------------------

scale_services() {
  local container number before=() status="$CONTAINERS_HOME/tmp/spread.json" watcher
  part "API and gateway: --scale aragora=2, --scale ws-gateway=2"
  verify "--scale aragora=2 --scale ws-gateway=2" quietly compose up -d --no-recreate --scale aragora=2 --scale ws-gateway=2 aragora ws-gateway
  verify "two healthy APIs" wait_until "$READY_SECONDS" is_healthy aragora 2
  verify "two healthy gateways" wait_until "$READY_SECONDS" is_healthy ws-gateway 2
  # nginx asks the resolver again after five seconds.
  sleep 6
  for container in $(containers_of aragora); do before+=("$(metric "$container" aragora_http_requests_total)"); done
  for ((number = 0; number < 100; number++)); do
    status_of --header "Authorization: Bearer $TOKEN" "$BASE/api/v1/debates?limit=1"
    echo
    sleep 0.02
  done | sort | uniq -c | xargs >"$CONTAINERS_HOME/tmp/answers"
  expect "answers to 100 requests" "100 200" "$(<"$CONTAINERS_HOME/tmp/answers")"
  number=0
  for container in $(containers_of aragora); do
    verify "API ${container:0:12} got its share of 100 requests" test "$(($(metric "$container" aragora_http_requests_total) - before[number]))" -ge 25
    saw "$(($(metric "$container" aragora_http_requests_total) - before[number])) requests, its own health checks included"
    number=$((number + 1))
  done
  viewers 1 40 "$status" >"$CONTAINERS_HOME/tmp/spread.out" 2>&1 &
  watcher=$!
  verify "40 debates run" wait_until 60 runs_at_least "$status" 40
  for container in $(containers_of ws-gateway); do
    number="$(metric "$container" 'aragora_websocket_connections[ {]')"
    verify "gateway ${container:0:12} has its share of 40 viewers: $number" test "$number" -ge 10
  done
  if wait "$watcher"; then passed "all 40 complete, every chain holds"; else failed "not all 40 complete: $(tail -n 3 "$CONTAINERS_HOME/tmp/spread.out")"; fi
}

# --- 5 ----------------------------------------------------------------------------------------------------------------------

recreate() {
  local service="$1" number="$2" status="$3" began="$EPOCHREALTIME"
  verify "$service, while $(running "$status") debates run" quietly compose --profile workers --profile backup up -d --force-recreate --no-deps \
    --scale "$service=$number" "$service"
  verify "$service: $number healthy again" wait_until "$READY_SECONDS" is_healthy "$service" "$number"
  saw "$(elapsed "$began") s"
}

disturb() {
  local status="$CONTAINERS_HOME/tmp/crowd.json" watcher report
  part "$CROWD running debates, each watched, while every service is made anew: up -d --force-recreate"
  viewers "$CROWD_ROUNDS" "$CROWD" "$status" >"$CONTAINERS_HOME/tmp/crowd.out" 2>&1 &
  watcher=$!
  verify "$CROWD debates run at once" wait_until 90 runs_at_least "$status" "$CROWD"
  recreate ws-gateway 2 "$status"
  recreate debate-worker 3 "$status"
  recreate aragora 2 "$status"
  recreate nginx 1 "$status"
  recreate redis 1 "$status"
  recreate postgres 1 "$status"
  saw "$(running "$status") debates still run"
  if wait "$watcher"; then
    passed "all $CROWD complete; every viewer saw every event once, in order, each hash following"
  else
    failed "not so: $(tail -n 3 "$CONTAINERS_HOME/tmp/crowd.out")"
  fi
  report="$(tail -n 1 "$CONTAINERS_HOME/tmp/crowd.out")"
  saw "$(jq --raw-output '"\(.events) events over \(.connections) connections in \(.seconds) s; closed by \(.closings)"' <<<"$report")"
  saw "$(jq --raw-output '"\(.taken_over) debates changed their worker; longest pause of one \(.longest_silence_s) s; answers to creates that were sent again: \(.refusals)"' <<<"$report")"
  verify "aragora db verify, in the container: every chain of the database" db_verify
}

db_verify() {
  compose exec -T aragora aragora db verify >"$CONTAINERS_HOME/logs/db-verify" 2>&1 || { cat "$CONTAINERS_HOME/logs/db-verify" && return 1; }
}

# --- 6 ----------------------------------------------------------------------------------------------------------------------

back_up() {
  local size
  part "Backup"
  verify "aragora backup create, in the container" quietly compose --profile backup exec -T backup aragora backup create
  verify "deploy/backups has files" test -n "$(ls -A deploy/backups)"
  find deploy/backups -mindepth 1 -maxdepth 2 -printf '%s %P\n' | sort -k2 | tail -n 4 | while read -r size name; do saw "$size bytes $name"; done
  verify "aragora backup verify latest: restored into a database of its own, every chain followed" \
    quietly compose --profile backup exec -T backup aragora backup verify latest
  tail -n 3 "$CONTAINERS_HOME/logs/last" | while IFS= read -r line; do saw "$line"; done
  size="$(docker exec aragora-postgres pg_dump -U aragora aragora | wc -c)"
  verify "docker exec aragora-postgres pg_dump -U aragora aragora: $size bytes" test "$size" -gt 10000
}

look_after() {
  part "How it stands: aragora doctor, in the container"
  verify "doctor finds no fault" compose exec -T aragora aragora doctor
  compose exec -T aragora aragora doctor 2>/dev/null | tail -n 1 | while IFS= read -r line; do saw "$line"; done
  verify "every Prometheus target is up" wait_until "$READY_SECONDS" all_up 12
}

# The guides' own words, in the order in which they stand. They stop, restore and change passwords: the last part.
run_documents() {
  local word name
  part "The command blocks of the guides that are annotated 'run: compose'"
  python3 Tests/Deploy/docs/run-blocks.py compose >"$CONTAINERS_HOME/logs/documents" 2>&1 || true
  while read -r word name; do
    case "$word" in
      ran) passed "$name" ;;
      FAILED)
        failed "$name"
        awk -v line="FAILED   $name" '$0 == line { on = 1; next } /^(ran|FAILED) / { on = 0 } on { print "        " $0 }' \
          "$CONTAINERS_HOME/logs/documents" | tail -n 20
        ;;
    esac
  done < <(grep -E '^(ran|FAILED) ' "$CONTAINERS_HOME/logs/documents")
  verify "$(tail -n 1 "$CONTAINERS_HOME/logs/documents")" grep -q '^ran ' "$CONTAINERS_HOME/logs/documents"
}

take_down() {
  part "docker compose down -v"
  verify "down" quietly compose --profile workers --profile monitoring --profile backup down --volumes --timeout 30
  expect "containers left" "" "$(podman ps --all --quiet | xargs)"
  expect "volumes left" "" "$(podman volume ls --quiet | grep '^aragora' | xargs)"
  expect "networks left" "" "$(podman network ls --quiet | grep '^aragora' | xargs)"
}

containers_resolver
containers_docker
containers_drive_health
trap 'collect_logs' EXIT
# What the services said stays with --keep, or with a cache.
collect_logs() {
  local container
  for container in $(podman ps --all --format '{{.Names}}' 2>/dev/null); do
    podman logs "$container" >"$CONTAINERS_HOME/logs/container-$container" 2>&1 || true
  done
}

# wanted PART: without --only all are.
wanted() { [[ ${#only[@]} -eq 0 || " ${only[*]} " = *" $1 "* ]]; }

install_it
if wanted door; then check_door; fi
if wanted debate; then first_debate; fi
# Those two ask Prometheus.
if wanted monitoring || wanted workers || wanted documents; then monitor; fi
if wanted hardening; then check_hardening; fi
if wanted embedded; then run_embedded; fi
if wanted workers; then kill_a_worker; fi
if wanted scale; then scale_services; fi
if wanted recreate; then disturb; fi
if wanted backup; then back_up; fi
if wanted monitoring; then look_after; fi
if wanted documents; then run_documents; fi
collect_logs
take_down
checks_end
