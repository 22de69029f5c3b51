#!/usr/bin/env bash
# Usage: scripts/test.sh [swift-test argument...]          (make test [FILTER=…])
#
# Builds everything and runs every test, with a private Postgres and Redis that exist only for this run.
# FILTER is a regular expression over suite and test names: make test FILTER=LedgerTests
#
# Given to the tests: TEST_DATABASE_URL, TEST_REDIS_URL, REQUIRE_INTEGRATION=1 (a test that needs a store
# fails rather than skips), ARAGORA_BIN_DIR (the debug executables, with kill points), TEST_PYTHON (a
# Python with the packages of Tests/requirements.txt).
#
# Exit codes: those of `swift test`; 69 when the stores did not start; 78 see bootstrap.sh.
set -euo pipefail
for library in common ports process stack; do
  # shellcheck source=/dev/null
  source "$(dirname -- "${BASH_SOURCE[0]}")/lib/$library.sh"
done

[[ "${1:-}" != -h && "${1:-}" != --help ]] || { usage && exit 0; }
bootstrap
cd "$ROOT"
mapfile -t build < <(swift_build_arguments)
arguments=("$@")
[[ -z "${FILTER:-}" ]] || arguments+=(--filter "$FILTER")

step "building the tests (debug)"
swift build --build-tests "${build[@]}" || die "$EX_FAILED" "the tests do not build"
TEST_PYTHON="$("$ROOT/scripts/python.sh")"
ARAGORA_BIN_DIR="$ROOT/.build/debug"
export TEST_PYTHON ARAGORA_BIN_DIR
if [[ ${#arguments[@]} -eq 0 ]]; then
  step "the official client libraries judge the provider simulator"
  "$ROOT/scripts/check-simulator.sh"
fi
# All at once, tests with deadlines would measure each other.
with_private_stores swift test --skip-build "${build[@]}" \
  --experimental-maximum-parallelization-width "$((4 * $(nproc)))" "${arguments[@]}"
