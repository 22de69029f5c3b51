#!/usr/bin/env bash
# Usage: scripts/check-model.sh [MODEL...]
#
# Checks the models of docs/protocol-model with spin: safety and "never stuck" of each, that a debate ends in spite of
# one crash, and that every rule a model names is needed: left out, it must be found as a violation. MODEL is one of
# append, phase, commands, watch, live; without it, all. Half a minute to four minutes, 2 GB.
#
# Needs Debian's `spin`, which `scripts/bootstrap.sh --model` installs, and a C compiler.
#
# Exit codes: 0 all as it must be, 1 something is not, 64 no such model, 77 spin is missing.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"

readonly MODELS=(append phase commands watch live) LIMIT_SECONDS=300
[[ "${1:-}" != -h && "${1:-}" != --help ]] || { usage && exit 0; }
chosen=("$@")
[[ ${#chosen[@]} -gt 0 ]] || chosen=("${MODELS[@]}")
for model in "${chosen[@]}"; do
  [[ " ${MODELS[*]} " = *" $model "* ]] || die "$EX_USAGE" "no such model: $model (one of: ${MODELS[*]})"
done
if ! command -v spin >/dev/null || ! command -v gcc >/dev/null; then
  say "left out: spin or gcc is missing (scripts/bootstrap.sh --model)"
  exit 77
fi

folder="$(mktemp -d "${TMPDIR:-/tmp}/aragora-model.XXXXXX")"
trap 'rm -rf -- "$folder"' EXIT
failed=0

# Lets spin look at MODEL, built with the C flags CFLAGS, run with the words of PANFLAGS; sets `errors` and `states`.
# explore MODEL CFLAGS PANFLAGS [SPIN-FLAG...]
explore() {
  local model="$1" cflags="$2" panflags="$3"
  shift 3
  rm -rf -- "$folder/run" && mkdir "$folder/run"
  (
    cd "$folder/run"
    spin -a "$@" "$ROOT/docs/protocol-model/$model.pml" >spin.log
    # shellcheck disable=SC2086
    gcc -O1 -w -DCOLLAPSE $cflags -o pan pan.c
    # shellcheck disable=SC2086
    timeout "$LIMIT_SECONDS" ./pan -m400000 $panflags >pan.log
  ) || die "$EX_FAILED" "$model $*: $(tail -n 3 "$folder"/run/*.log 2>/dev/null)"
  ! grep -q 'max search depth too small' "$folder/run/pan.log" || die "$EX_FAILED" "$model $*: not searched to the end"
  errors="$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' "$folder/run/pan.log")"
  states="$(awk '/states, stored/ { print $1; exit }' "$folder/run/pan.log")"
}

# judge WHAT WANTED: `sound` wants no error, `found` wants one
judge() {
  local verdict=ok
  if [[ "$2" = sound && "$errors" != 0 ]] || [[ "$2" = found && "${errors:-0}" = 0 ]]; then
    verdict=FAIL
    failed=1
  fi
  printf '%-5s %-32s %s, %s states\n' "$verdict" "$1" "$([[ "$errors" = 0 ]] && echo "no violation" || echo "a violation")" "$states"
}

# The faults that a model names in its head, one a line: " *   NAME   what".
faults_of() { sed -n '2,/\*\//s/^ \*   \([A-Z][A-Z_]*\) .*/\1/p' "$ROOT/docs/protocol-model/$1.pml"; }

for model in "${chosen[@]}"; do
  if [[ "$model" = live ]]; then
    explore append "-DNFAIR=5" "-a -f" -DLIVE -DCRASH=1 -DSPUR=1 -DLOST=0
    judge "append, ends after one crash" sound
    continue
  fi
  bounds=()
  [[ "$model" != append ]] || bounds=(-DCRASH=1 -DSPUR=1 -DLOST=1)
  explore "$model" -DSAFETY -w24 "${bounds[@]}"
  judge "$model" sound
  mapfile -t faults < <(faults_of "$model")
  [[ ${#faults[@]} -gt 0 ]] || die "$EX_FAILED" "$model names no faults"
  for fault in "${faults[@]}"; do
    explore "$model" -DSAFETY -w24 "${bounds[@]}" "-D$fault"
    judge "$model without its rule $fault" found
  done
done
exit "$failed"
