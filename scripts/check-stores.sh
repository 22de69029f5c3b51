#!/usr/bin/env bash
# Usage: scripts/check-stores.sh [failover | cost | publish]...
#
# Stores of several servers, and what they cost. failover: sentinels, a Redis Cluster, a pooler and a replica of Postgres, each hurt
# REPETITIONS times in the middle of debates. cost: bytes and processor time a debate, with and without a pooler. publish:
# a live message at one Redis and in a cluster. Without an argument: all. docs/scale.md has the results.
#
# Environment: REPETITIONS (3), CONFIG (debug), DEBATES (300).
#
# Exit codes: 0 all passed, 1 something failed, 64 wrong arguments, 69 a store did not start.
set -euo pipefail
for library in common ports process stack; do
  # shellcheck source=/dev/null
  source "$(dirname -- "${BASH_SOURCE[0]}")/lib/$library.sh"
done

[[ "${1:-}" != -h && "${1:-}" != --help ]] || { usage && exit 0; }
bootstrap
cd "$ROOT"
[[ $# -gt 0 ]] || set -- failover cost publish
for check in "$@"; do
  [[ " failover cost publish " = *" $check "* ]] || die "$EX_USAGE" "unknown argument: $check (see --help)"
done

check_failover() {
  local repetition
  for ((repetition = 1; repetition <= ${REPETITIONS:-3}; repetition++)); do
    ARAGORA_FAILOVER_TESTS=1 FILTER='RedisTopologyTests|RedisClusterTests|PoolerTests|PostgresFailoverTests' scripts/test.sh
  done
}

check_cost() {
  local product build config="${CONFIG:-debug}"
  mapfile -t build < <(swift_build_arguments)
  for product in aragora-api aragora-ws-gateway aragora-debate-worker; do
    swift build "${build[@]}" -c "$config" --product "$product" >&2 || die "$EX_FAILED" "$product does not build"
  done
  export ARAGORA_BIN_DIR="$ROOT/.build/$config"
  with_private_stores scripts/store-cost.py --debates "${DEBATES:-300}"
}

check_publish() { scripts/publish-cost.sh; }

for check in "$@"; do
  (step "$check" && "check_$check")
done
