#!/usr/bin/env bash
# Usage: scripts/sanitize.sh [address|thread ...]          (make sanitize)
#
# Runs the suites of the drivers, the parsers and the ledger under AddressSanitizer and ThreadSanitizer
# (both by default), with real stores. ThreadSanitizer leaves out the suites of pure values, which have no threads
# to race. Build folders of their own: .build-asan, .build-tsan; only what those suites import is built. FILTER
# chooses among their tests; SUITES replaces the list; JOBS bounds the build.
#
# LeakSanitizer is off: the test runner of the toolchain itself leaks a few hundred bytes at exit.
#
# Exit codes: 0 no report, 64 wrong arguments, otherwise those of `swift test`.
set -euo pipefail
for library in common ports process stack; do
  # shellcheck source=/dev/null
  source "$(dirname -- "${BASH_SOURCE[0]}")/lib/$library.sh"
done

readonly CONCURRENT_SUITES=PlatformTests,SocketsTests,CryptoTests,HTTPTests,HTTPClientTests,PostgresClientTests,RedisClientTests
readonly PURE_SUITES=ContractsTests,LedgerTests

sanitizers=()
for argument in "$@"; do
  case "$argument" in
    address | thread) sanitizers+=("$argument") ;;
    -h | --help) usage && exit 0 ;;
    *) die "$EX_USAGE" "unknown argument: $argument (see --help)" ;;
  esac
done
[[ ${#sanitizers[@]} -gt 0 ]] || sanitizers=(address thread)
bootstrap
cd "$ROOT"
mapfile -t build < <(swift_build_arguments)

# One sanitizer after the other: each build needs the memory.
run_sanitizers() {
  local sanitizer scratch suites
  for sanitizer in "${sanitizers[@]}"; do
    case "$sanitizer" in
      address) scratch=.build-asan suites=${SUITES:-$CONCURRENT_SUITES,$PURE_SUITES} ;;
      thread) scratch=.build-tsan suites=${SUITES:-$CONCURRENT_SUITES} ;;
    esac
    step "tests under the $sanitizer sanitizer"
    ARAGORA_ONLY_TARGETS="$suites" ASAN_OPTIONS=detect_leaks=0 TSAN_OPTIONS=halt_on_error=0:second_deadlock_stack=1 \
      swift test --sanitize="$sanitizer" --scratch-path "$scratch" "${build[@]}" \
      --experimental-maximum-parallelization-width "$(nproc)" --filter "${FILTER:-^(${suites//,/|})\\.}"
  done
}
with_private_stores run_sanitizers
