#!/usr/bin/env bash
# Usage: scripts/bench.sh [aragora-bench argument...]          (make bench)
#
# Builds release executables and runs the one benchmark runner, Benchmarks/, with a private Postgres and
# Redis, everything on two processors. Timed checks live there and only there. `scripts/bench.sh --help-runner`
# prints the runner's own options; docs/performance.md says what the figures mean.
#
# Given to the runner: TEST_DATABASE_URL, TEST_REDIS_URL, ARAGORA_BIN_DIR (release executables),
# BENCH_POSTGRES_PID and BENCH_REDIS_PID (whose CPU is counted), BENCH_FSYNC_COMMAND (pg_test_fsync beside the
# data of Postgres).
#
# Environment:
#   BENCH_PROCESSORS=0,1   processors that servers, stores and clients share, as taskset takes them
#   ARAGORA_BIN_DIR=DIR    use the executables in DIR, the runner too, and build nothing
#   BENCH_LITELLM=FILE     the LiteLLM proxy to measure beside; else the one of Benchmarks/litellm/requirements.txt is
#                          installed into .build/litellm when its benchmark is chosen (700 MB)
#   BENCH_HUMMINGBIRD=FILE the Hummingbird server to measure beside; else the one of Benchmarks/rivals-http is built when
#                          `http` or `api` is chosen (minutes, the first time), and left out when it can not be
#
# Exit codes: those of the runner; 69 when the stores did not start; 70 when the build failed.
set -euo pipefail
for library in common ports process stack build; do
  # shellcheck source=/dev/null
  source "$(dirname -- "${BASH_SOURCE[0]}")/lib/$library.sh"
done

readonly PROCESSORS="${BENCH_PROCESSORS:-0,1}" FSYNC_SECONDS=1

# Whether the benchmark NAME is among those that the arguments choose.
# chooses NAME ARGUMENT...
chooses() {
  local name="$1" only=
  shift
  while [[ $# -gt 0 ]]; do
    [[ "$1" != --only ]] || only="${2:-}"
    shift
  done
  [[ -z "$only" || ",$only," = *",$name,"* ]]
}

# Installs the rival that is not in Debian, and sets BENCH_LITELLM.
install_litellm() {
  local wanted="$ROOT/Benchmarks/litellm/requirements.txt" folder="$ROOT/.build/litellm"
  if ! cmp -s "$wanted" "$folder/installed"; then
    step "installing LiteLLM into $folder"
    if ! python3 -m venv "$folder" || ! "$folder/bin/pip" install --quiet --requirement "$wanted" >&2; then
      die "$EX_UNAVAILABLE" "LiteLLM could not be installed; --only leaves it out"
    fi
    cp "$wanted" "$folder/installed"
  fi
  export BENCH_LITELLM="$folder/bin/litellm"
}

# Builds the rival of `http` and `api`, a package of its own, and sets BENCH_HUMMINGBIRD.
build_hummingbird() {
  local package="$ROOT/Benchmarks/rivals-http/hummingbird-server" folder="$ROOT/.build/hummingbird" arguments
  mapfile -t arguments < <(swift_build_arguments)
  step "building Hummingbird into $folder"
  if swift build --package-path "$package" --scratch-path "$folder" -c release "${arguments[@]}" >&2; then
    export BENCH_HUMMINGBIRD="$folder/release/rival-hummingbird"
  else
    say "Hummingbird could not be built: measuring without it"
  fi
}

# Runs the runner with the stores that with_private_stores has started.
# run_runner ARGUMENT...
run_runner() {
  local fsync=(timeout 5 "$(postgres_binaries)/pg_test_fsync" -s "$FSYNC_SECONDS" -f "$(postgres_data)/pg_test_fsync.out")
  ! is_root || fsync=(runuser -u postgres -- "${fsync[@]}")
  BENCH_POSTGRES_PID="$(postgres_pid)" BENCH_REDIS_PID="$(redis_pid)" BENCH_FSYNC_COMMAND="cd / && ${fsync[*]}" \
    "$RUNNER" "$@"
}

[[ "${1:-}" != -h && "${1:-}" != --help ]] || { usage && exit 0; }
[[ "${1:-}" != --help-runner ]] || set -- --help
"$ROOT/scripts/bootstrap.sh" --quiet --benchmarks
bootstrap
built="${ARAGORA_BIN_DIR:-}"
use_executables
RUNNER="$BIN_DIR/aragora-bench"
cd "$ROOT"
if [[ -z "$built" ]]; then
  mapfile -t build < <(swift_build_arguments)
  for product in aragora-bench provider-simulator; do
    swift build -c release "${build[@]}" --product "$product" >&2 || die "$EX_FAILED" "$product does not build"
  done
fi
export ARAGORA_BIN_DIR="$BIN_DIR"
# What measures nothing needs no stores.
for argument in "$@"; do
  case "$argument" in --list | --help) exec "$RUNNER" "$@" ;; esac
done
[[ -n "${BENCH_LITELLM:-}" ]] || ! chooses litellm "$@" || install_litellm
if [[ -z "${BENCH_HUMMINGBIRD:-}" ]] && { chooses http "$@" || chooses api "$@"; }; then
  build_hummingbird
fi
# From here on, everything that is started shares these processors.
taskset --cpu-list --pid "$PROCESSORS" $$ >/dev/null || die "$EX_CONFIG" "this machine has no processors $PROCESSORS"
with_private_stores run_runner "$@"
