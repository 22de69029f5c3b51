#!/usr/bin/env bash
# Usage: scripts/check-deploy.sh [--list] [AREA...]          (make check-deploy)
#
# Checks everything under deploy/ that can be checked without a container engine, with the real programs: nginx,
# Prometheus, Alertmanager, Postgres, Redis and our own executables. Each check is an executable
# Tests/Deploy/<area>/check*.sh or check*.py; AREA (a folder there) runs only those. What it says goes to the
# terminal when it fails, and to .run-checks/<area>-<check>.log in any case.
#
#   --list   print the checks, run nothing
#
# Environment:
#   ARAGORA_BIN_DIR=DIR     use these executables, build nothing (default: builds debug ones)
#   CHECK_SECONDS=300       longest one check may take
#
# A check exits with 0 (passed), 77 (skipped; its last line says why) or anything else (failed).
#
# Exit codes: 0 nothing failed, 1 a check failed, 64 no such area, 69 and 78 see bootstrap.sh.
set -euo pipefail
for library in common build; do
  # shellcheck source=/dev/null
  source "$(dirname -- "${BASH_SOURCE[0]}")/lib/$library.sh"
done

readonly CHECKS_FOLDER="Tests/Deploy" LOGS=".run-checks" CHECK_SECONDS="${CHECK_SECONDS:-300}" EX_SKIPPED=77
# A check that is told to stop gets this long to stop its servers.
readonly KILL_AFTER_SECONDS=20

list=no
areas=()
for argument in "$@"; do
  case "$argument" in
    --list) list=yes ;;
    -h | --help) usage && exit 0 ;;
    -*) die "$EX_USAGE" "unknown argument: $argument (see --help)" ;;
    *) areas+=("$argument") ;;
  esac
done
cd "$ROOT"
[[ ${#areas[@]} -gt 0 ]] || mapfile -t areas < <(find "$CHECKS_FOLDER" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort)
checks=()
for area in "${areas[@]}"; do
  [[ -d "$CHECKS_FOLDER/$area" ]] || die "$EX_USAGE" "no such area: $area (a folder of $CHECKS_FOLDER)"
  mapfile -t found < <(find "$CHECKS_FOLDER/$area" -maxdepth 1 -type f -name 'check*' -perm -u+x | sort)
  checks+=("${found[@]}")
done
if [[ "$list" = yes ]]; then
  printf '%s\n' "${checks[@]}"
  exit 0
fi

"$ROOT/scripts/bootstrap.sh" --quiet --deploy
export ARAGORA_BOOTSTRAPPED=1
find_swift || die "$EX_CONFIG" "swift is not on PATH (run scripts/bootstrap.sh for the details)"
CONFIG="${CONFIG:-debug}" use_executables
ARAGORA_BIN_DIR="$BIN_DIR"
DEPLOY_PYTHON="$("$ROOT/scripts/python.sh" "$CHECKS_FOLDER/requirements.txt")"
export ARAGORA_BIN_DIR DEPLOY_PYTHON
mkdir -p "$LOGS"
report="" failed=0
for check in "${checks[@]}"; do
  name="${check#"$CHECKS_FOLDER"/}"
  log="$LOGS/${name//\//-}.log"
  step "$name"
  command=("./$check")
  [[ "$check" != *.py ]] || command=("$DEPLOY_PYTHON" "$check")
  began=$SECONDS
  code=0
  timeout --kill-after="$KILL_AFTER_SECONDS" "$CHECK_SECONDS" "${command[@]}" </dev/null >"$log" 2>&1 || code=$?
  case "$code" in
    0) outcome=passed ;;
    "$EX_SKIPPED") outcome="SKIPPED: $(tail -n 1 "$log")" ;;
    124) outcome="FAILED: not done after $CHECK_SECONDS s" ;;
    *) outcome="FAILED ($code)" ;;
  esac
  if [[ "$outcome" = FAILED* ]]; then
    failed=$((failed + 1))
    cat "$log" >&2
  fi
  printf -v line '%-36s %4d s  %s' "$name" "$((SECONDS - began))" "$outcome"
  report+="$line"$'\n'
  say "    $line"
done
say $'\n'"$report${#checks[@]} checks, $failed failed"
[[ $failed -eq 0 ]] || exit 1
