#!/usr/bin/env bash
# Usage: scripts/send-cost.sh [SOCKETS [TURNS [ROUNDS]]]
#
# What one KB to each of SOCKETS (1000) costs the sender, in its own processor time: a send(2) for each, as the gateway's loops
# do it, against one io_uring submission for all of them: plain, with registered sockets, and with a registered buffer and
# SEND_ZC. ROUNDS (5) of TURNS (300) each, in turn. The product does not use io_uring; this says whether it should.
#
# Environment:
#   BENCH_PROCESSORS=0,1   the sender's processor and the reader's
#
# Exit codes: 0 measured, 64 wrong arguments, 69 and 78 as scripts/bootstrap.sh, 1 the kernel refuses io_uring.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"

[[ "${1:-}" != -h && "${1:-}" != --help ]] || { usage && exit 0; }
for number in "$@"; do
  [[ "$number" =~ ^[1-9][0-9]*$ && $# -le 3 ]] || die "$EX_USAGE" "not a number: $number (see --help)"
done
"$ROOT/scripts/bootstrap.sh" --quiet --benchmarks
processors="${BENCH_PROCESSORS:-0,1}"
ulimit -n "$(ulimit -Hn)"
folder="$(mktemp -d "${TMPDIR:-/tmp}/aragora-send.XXXXXX")"
trap 'rm -rf -- "$folder"' EXIT
gcc -O2 -Wall -Wextra -Werror -o "$folder/send_cost" "$ROOT/Benchmarks/sending/send_cost.c" -luring
"$folder/send_cost" "${1:-1000}" "${2:-300}" "${3:-5}" "${processors%%,*}" "${processors##*,}"
