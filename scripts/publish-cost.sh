#!/usr/bin/env bash
# Usage: scripts/publish-cost.sh [MESSAGES]
#
# What a live message costs Redis, in processor time by its own account (INFO cpu), which a busy machine does not change much:
# PUBLISH at one server, and PUBLISH and SPUBLISH in a cluster of three, each with one subscriber at the node that has
# the channel's slot. MESSAGES (200000) of 300 bytes each.
#
# Exit codes: 0 measured, 69 a server did not start.
set -euo pipefail
for library in common ports; do
  # shellcheck source=/dev/null
  source "$(dirname -- "${BASH_SOURCE[0]}")/lib/$library.sh"
done

[[ "${1:-}" != -h && "${1:-}" != --help ]] || { usage && exit 0; }
bootstrap
readonly MESSAGES="${1:-200000}"
folder="$(mktemp -d "${TMPDIR:-/tmp}/aragora-publish.XXXXXX")"
pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf -- "$folder"
}
trap finish EXIT

# Starts a server on PORT with more arguments.
server() {
  local port="$1"
  shift
  mkdir -p "$folder/$port"
  redis-server --port "$port" --bind 127.0.0.1 --dir "$folder/$port" --save "" --appendonly no \
    --client-output-buffer-limit 'pubsub 0 0 0' "$@" \
    >"$folder/$port.log" 2>&1 &
  pids+=("$!")
  local try
  for ((try = 0; try < 100; try++)); do
    [[ "$(redis-cli -p "$port" ping 2>/dev/null)" != PONG ]] || return 0
    sleep 0.1
  done
  die "$EX_UNAVAILABLE" "redis-server on $port did not start: $(tail -n 3 "$folder/$port.log")"
}

# Microseconds of processor time that the servers on PORT... have used.
used() {
  local port
  for port in "$@"; do redis-cli -p "$port" info cpu; done | tr -d '\r' |
    awk -F: '$1 ~ /^used_cpu_(user|sys)$/ { sum += $2 } END { printf "%d\n", sum * 1000000 }'
}

# measure NAME VERB SUBSCRIBE-VERB PORT OTHER-PORT...
measure() {
  local name="$1" verb="$2" listen="$3" port="$4" before after payload subscriber try
  payload="$(head -c 300 /dev/zero | tr '\0' x)"
  redis-cli -p "$port" "$listen" "$CHANNEL" >"$folder/heard" 2>&1 &
  subscriber="$!"
  sleep 0.5
  before="$(used "${@:4}")"
  redis-benchmark -p "$port" -n "$MESSAGES" -c 8 -P 8 -q "$verb" "$CHANNEL" "$payload" >/dev/null
  # What is written to the subscriber counts too; it may be slower than the publishers.
  for ((try = 0; try < 300 && $(grep -c xxx "$folder/heard") < MESSAGES; try++)); do sleep 0.1; done
  after="$(used "${@:4}")"
  kill "$subscriber"
  wait "$subscriber" 2>/dev/null || true
  printf '%s: %s us of all nodes a message, %s heard\n' "$name" \
    "$(awk -v used="$((after - before))" -v n="$MESSAGES" 'BEGIN { printf "%.2f", used / n }')" "$(grep -c xxx "$folder/heard")"
}

# In the slots of the first node: CLUSTER KEYSLOT 3443.
readonly CHANNEL='{user1000}:live'
alone='' port='' bus=''
pick_port alone
server "$alone"
step "$MESSAGES messages of 300 bytes"
measure "one server, PUBLISH" PUBLISH SUBSCRIBE "$alone" "$alone"
ports=()
for _ in 1 2 3; do
  pick_port port
  pick_port bus
  server "$port" --cluster-enabled yes --cluster-port "$bus" --cluster-node-timeout 5000
  ports+=("$port")
  [[ "$port" = "${ports[0]}" ]] || redis-cli -p "${ports[0]}" cluster meet 127.0.0.1 "$port" "$bus" >/dev/null
done
redis-cli -p "${ports[0]}" cluster addslotsrange 0 5460 >/dev/null
redis-cli -p "${ports[1]}" cluster addslotsrange 5461 10922 >/dev/null
redis-cli -p "${ports[2]}" cluster addslotsrange 10923 16383 >/dev/null
for port in "${ports[@]}"; do
  for ((try = 0; try < 100; try++)); do
    ! redis-cli -p "$port" cluster info | grep -q cluster_state:ok || break
    sleep 0.1
  done
done
measure "cluster of three, PUBLISH" PUBLISH SUBSCRIBE "${ports[@]}"
measure "cluster of three, SPUBLISH" SPUBLISH SSUBSCRIBE "${ports[@]}"
