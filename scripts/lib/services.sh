# shellcheck shell=bash
# The executables of one stack: their ports, their environment, starting and stopping them. Sourced, never run.
#
# Needs lib/stack.sh with `stack_use` called, and BIN_DIR. Kept under FOLDER (see README, "Where things are"):
#
#   pids/<service>.pid          api, ws-gateway, debate-worker-1 …, backup
#   logs/<service>.log          appended to
#   env                         what a client needs, to be sourced
#   stack/<service>.env         what that service was given
#   stack/<service>.identity    who the pid was

readonly READY_SECONDS="${READY_SECONDS:-60}" # until every /readyz answers 200
readonly STOP_SECONDS="${STOP_SECONDS:-40}"   # from TERM to KILL; a worker drains up to 25 s
readonly LOG_TAIL_LINES=30

service_pidfile() { printf '%s/pids/%s.pid\n' "$STACK_FOLDER" "$1"; }
service_log() { printf '%s/logs/%s.log\n' "$STACK_FOLDER" "$1"; }
service_pid() { process_recorded "$(service_pidfile "$1")" "$STACK_STATE/$1.identity"; }

# The names of the services that have a pid file, in the order they are listed in.
services_recorded() {
  local file
  for file in "$STACK_FOLDER"/pids/*.pid; do
    [[ ! -e "$file" ]] || basename "$file" .pid
  done
}

service_product() {
  case "$1" in
    api) echo aragora-api ;;
    ws-gateway) echo aragora-ws-gateway ;;
    debate-worker-*) echo aragora-debate-worker ;;
    backup) echo aragora-backup ;;
    *) die "$EX_USAGE" "no such service: $1" ;;
  esac
}

# Decides every port: the documented ones, or free ones with PORTS=auto. Fails when one is taken.
# ports_assign WORKERS
ports_assign() {
  local port worker
  WORKER_METRICS_PORTS=()
  if [[ "${PORTS:-default}" = auto ]]; then
    pick_port API_PORT && pick_port WS_PORT
    pick_port API_METRICS_PORT && pick_port WS_METRICS_PORT && pick_port BACKUP_METRICS_PORT
    for ((worker = 1; worker <= $1; worker++)); do
      pick_port port && WORKER_METRICS_PORTS+=("$port")
    done
    return 0
  fi
  [[ "${PORTS:-default}" = default ]] || die "$EX_USAGE" "PORTS must be 'default' or 'auto', not '$PORTS'"
  API_PORT=8080 WS_PORT=8765 API_METRICS_PORT=9100 WS_METRICS_PORT=9101 BACKUP_METRICS_PORT=9102
  for ((worker = 1; worker <= $1; worker++)); do
    WORKER_METRICS_PORTS+=($((9110 + worker)))
  done
  for port in "$API_PORT" "$WS_PORT" "$API_METRICS_PORT" "$WS_METRICS_PORT" "$BACKUP_METRICS_PORT" "${WORKER_METRICS_PORTS[@]}"; do
    port_is_free "$port" || die "$EX_UNAVAILABLE" "port $port on 127.0.0.1 is taken by another program; stop it, or use PORTS=auto"
  done
}

# Writes NAME=value lines, quoted for the shell, from pairs "NAME=value".
assignments() {
  local pair
  for pair in "$@"; do
    printf 'export %s=%q\n' "${pair%%=*}" "${pair#*=}"
  done
}

# The caller's own value of a secret wins over the one this stack keeps.
secret_for() { printf '%s\n' "${!1:-$(stack_secret "$2")}"; }

# Writes what one service is given on top of the caller's environment.
# service_configure NAME PAIR...
service_configure() {
  local name="$1"
  shift
  (umask 077 && assignments \
    "ARAGORA_POSTGRES_DSN=$(postgres_url)" \
    "ARAGORA_REDIS_URL=$(redis_url)" \
    "ARAGORA_API_TOKEN=$API_TOKEN" \
    "ARAGORA_RECEIPT_SIGNING_KEY=$SIGNING_KEY" \
    "ARAGORA_LOG_FORMAT=${ARAGORA_LOG_FORMAT:-json}" \
    "ARAGORA_BIND_ADDRESS=${ARAGORA_BIND_ADDRESS:-127.0.0.1}" \
    "ARAGORA_BUILD_SHA=${ARAGORA_BUILD_SHA:-$BUILD_SHA}" \
    "ARAGORA_BUILD_TIME=${ARAGORA_BUILD_TIME:-$(date -u -r "$BIN_DIR/$(service_product "$name")" +%Y-%m-%dT%H:%M:%SZ)}" \
    "$@" >"$STACK_STATE/$name.env")
}

# Configures every service. Workers 1…n by the number of WORKER_METRICS_PORTS.
services_configure() {
  local worker
  API_TOKEN="$(secret_for ARAGORA_API_TOKEN api.token)"
  SIGNING_KEY="$(secret_for ARAGORA_RECEIPT_SIGNING_KEY receipt.key)"
  private_folder "$STACK_FOLDER/pids" "$STACK_FOLDER/backups"
  BUILD_SHA="$(git -C "$ROOT" rev-parse HEAD 2>/dev/null || echo unknown)"
  SERVICES=(api ws-gateway backup)
  # The client's variables are also the api's: the port it serves on, the gateway it passes /ws to.
  service_configure api "ARAGORA_PORT=$API_PORT" "ARAGORA_METRICS_PORT=$API_METRICS_PORT" "ARAGORA_WS_UPSTREAM=127.0.0.1:$WS_PORT"
  service_configure ws-gateway "ARAGORA_WS_PORT=$WS_PORT" "ARAGORA_METRICS_PORT=$WS_METRICS_PORT"
  service_configure backup "ARAGORA_METRICS_PORT=$BACKUP_METRICS_PORT" "ARAGORA_BACKUP_DIR=$STACK_FOLDER/backups"
  for ((worker = 1; worker <= ${#WORKER_METRICS_PORTS[@]}; worker++)); do
    SERVICES+=("debate-worker-$worker")
    service_configure "debate-worker-$worker" "ARAGORA_METRICS_PORT=${WORKER_METRICS_PORTS[worker - 1]}"
  done
  client_environment_write
}

# Writes FOLDER/env: everything a client, a test or a person needs to talk to this stack.
client_environment_write() {
  local worker pairs=(
    "ARAGORA_BASE_URL=http://127.0.0.1:$API_PORT"
    "ARAGORA_WS_URL=ws://127.0.0.1:$WS_PORT/ws"
    "ARAGORA_API_TOKEN=$API_TOKEN"
    "ARAGORA_RECEIPT_SIGNING_KEY=$SIGNING_KEY"
    "DATABASE_URL=$(postgres_url)"
    "REDIS_URL=$(redis_url)"
    "ARAGORA_BACKUP_DIR=$STACK_FOLDER/backups"
    "ARAGORA_API_METRICS_URL=http://127.0.0.1:$API_METRICS_PORT/metrics"
    "ARAGORA_GATEWAY_METRICS_URL=http://127.0.0.1:$WS_METRICS_PORT/metrics"
    "ARAGORA_BACKUP_METRICS_URL=http://127.0.0.1:$BACKUP_METRICS_PORT/metrics"
  )
  for ((worker = 1; worker <= ${#WORKER_METRICS_PORTS[@]}; worker++)); do
    pairs+=("ARAGORA_WORKER_${worker}_METRICS_URL=http://127.0.0.1:${WORKER_METRICS_PORTS[worker - 1]}/metrics")
  done
  (umask 077 && assignments "${pairs[@]}" >"$STACK_FOLDER/env.new" && mv -f "$STACK_FOLDER/env.new" "$STACK_FOLDER/env")
}

# Becomes the given executable, with the service's environment over the caller's.
# run_as_service NAME COMMAND...
run_as_service() {
  # shellcheck disable=SC1090
  source "$STACK_STATE/$1.env"
  shift
  # Aliases of what was just set, and what only concerns the scripts, would confuse.
  unset DATABASE_URL REDIS_URL MAKEFLAGS MFLAGS MAKELEVEL PORTS CONFIG TOPIC ARAGORA_BOOTSTRAPPED
  cd "$STACK_FOLDER" && close_inherited && exec "$@"
}

# Starts one service, detached: a session of its own, none of our descriptors.
service_start() {
  local executable
  [[ -z "$(service_pid "$1")" ]] || return 0
  [[ -s "$STACK_STATE/$1.env" ]] || die "$EX_USAGE" "no such service in this stack: $1"
  executable="$BIN_DIR/$(service_product "$1")"
  # Not a group leader here, so setsid does not fork and $! is the service itself.
  (run_as_service "$1" setsid "$executable") </dev/null >>"$(service_log "$1")" 2>&1 &
  process_record "$!" "$(service_pidfile "$1")" "$STACK_STATE/$1.identity"
}

# Does the service answer 200 on /readyz? Says so at once when its process is gone.
service_ready() {
  local port
  port="$(sed -n 's/^export ARAGORA_METRICS_PORT=//p' "$STACK_STATE/$1.env")"
  [[ "$(curl -s -o /dev/null -w '%{http_code}' --max-time 3 "http://127.0.0.1:$port/readyz")" = 200 ]]
}

# Waits for every service named; on failure shows the log of the one that is not ready.
# services_await NAME...
services_await() {
  local deadline=$((SECONDS + READY_SECONDS)) name
  for name in "$@"; do
    until service_ready "$name"; do
      if [[ -z "$(service_pid "$name")" ]]; then
        service_failed "$name" "exited before it was ready"
      elif ((SECONDS > deadline)); then
        service_failed "$name" "was not ready within $READY_SECONDS s"
      fi
      sleep "$POLL_SECONDS"
    done
  done
}

service_failed() {
  say "--- the last lines of $(service_log "$1")"
  tail -n "$LOG_TAIL_LINES" "$(service_log "$1")" >&2 || true
  die "$EX_UNAVAILABLE" "$1 $2"
}

# Asks every named service to drain, then waits for all of them; kills what is still there after STOP_SECONDS.
# services_stop NAME...
services_stop() {
  local name pid deadline
  for name in "$@"; do
    pid="$(service_pid "$name")"
    # A stopped process (SIGSTOP) would not see TERM.
    [[ -z "$pid" ]] || kill -TERM "$pid" 2>/dev/null || true
    [[ -z "$pid" ]] || kill -CONT "$pid" 2>/dev/null || true
  done
  deadline=$((SECONDS + STOP_SECONDS))
  for name in "$@"; do
    pid="$(service_pid "$name")"
    if [[ -n "$pid" ]] && ! wait_until "$((deadline > SECONDS ? deadline - SECONDS : 0))" process_gone "$pid"; then
      warn "$name did not stop within $STOP_SECONDS s; killed"
      kill -KILL "$pid" 2>/dev/null || true
    fi
    rm -f "$(service_pidfile "$name")" "$STACK_STATE/$name.identity"
  done
}

# --- the whole stack ----------------------------------------------------------------------------

# One script at a time may change a stack; the lock ends with the script.
stack_lock() {
  exec 9>"$STACK_FOLDER/.lock"
  flock --nonblock 9 || die "$EX_BUSY" "another script is starting or stopping the stack in $STACK_FOLDER"
}

# Names what of this stack still runs.
stack_running() {
  local name
  for name in $(services_recorded); do
    [[ -z "$(service_pid "$name")" ]] || printf '%s\n' "$name"
  done
  [[ -z "$(postgres_pid)" ]] || echo postgres
  [[ -z "$(redis_pid)" ]] || echo redis
}

# Services first, so that what they hold is written; then the stores.
stack_stop() {
  local names
  mapfile -t names < <(services_recorded)
  services_stop "${names[@]}"
  stores_stop
  rm -f "$STACK_FOLDER/env"
}
