#!/usr/bin/env bash
# Usage: scripts/bench.sh [aragora-bench argument...]          (make bench)
#
# Builds release executables and runs the one benchmark runner, Benchmarks/, with a private Postgres and
# Redis. Timed checks live there and only there. See `scripts/bench.sh --help-runner` for its own options.
#
# Given to the runner: TEST_DATABASE_URL, TEST_REDIS_URL, ARAGORA_BIN_DIR (release executables).
#
# Exit codes: those of the runner; 69 when the stores did not start; 70 when the build failed.
set -euo pipefail
for library in common ports process stack build; do
  # shellcheck source=/dev/null
  source "$(dirname -- "${BASH_SOURCE[0]}")/lib/$library.sh"
done

[[ "${1:-}" != -h && "${1:-}" != --help ]] || { usage && exit 0; }
[[ "${1:-}" != --help-runner ]] || set -- --help
bootstrap
use_executables
cd "$ROOT"
mapfile -t build < <(swift_build_arguments)
swift build -c release "${build[@]}" --product aragora-bench >&2 || die "$EX_FAILED" "the benchmark runner does not build"
export ARAGORA_BIN_DIR="$BIN_DIR"
with_private_stores "$ROOT/.build/release/aragora-bench" "$@"
