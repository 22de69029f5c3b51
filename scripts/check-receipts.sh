#!/usr/bin/env bash
# Usage: scripts/check-receipts.sh [vectors | mutations]...
#
# Judges receipts from outside: a second verifier, in Python, says of generated files what ours says; and edited files are
# given to ours, which must accept none. Without an argument: vectors.
#
# Environment: VECTORS (10000), EDITS (1000000), SEED (1), CONFIG (release).
#
# Exit codes: 0 they agree and nothing was accepted, 1 they differ or something was, 70 the prover does not build.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"

[[ "${1:-}" != -h && "${1:-}" != --help ]] || { usage && exit 0; }
bootstrap
cd "$ROOT"
mapfile -t build < <(swift_build_arguments)
config="${CONFIG:-release}"
swift build "${build[@]}" -c "$config" --product receipt-prover >&2 || die "$EX_FAILED" "the prover does not build"
prover=".build/$config/receipt-prover"

check_vectors() {
  local file python
  python="$(scripts/python.sh)"
  file="$(mktemp "${TMPDIR:-/tmp}/aragora-vectors.XXXXXX")"
  # shellcheck disable=SC2064
  trap "rm -f -- '$file'" EXIT
  step "${VECTORS:-10000} vectors, seed ${SEED:-1}"
  "$prover" vectors "${VECTORS:-10000}" "${SEED:-1}" >"$file"
  "$python" Tests/ReceiptProver/compare_vectors.py "$file"
}

check_mutations() {
  step "${EDITS:-1000000} edits, seed ${SEED:-1}"
  "$prover" mutate "${EDITS:-1000000}" "${SEED:-1}"
}

[[ $# -gt 0 ]] || set -- vectors
for check in "$@"; do
  case "$check" in
    vectors | mutations) "check_$check" ;;
    *) die "$EX_USAGE" "unknown argument: $check (see --help)" ;;
  esac
done
