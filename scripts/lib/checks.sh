# shellcheck shell=bash
# A line per check, and the sum at the end. Sourced, never run.

CHECKS_PASSED=0 CHECKS_FAILED=0

# verify WHAT COMMAND...: passes when the command succeeds; what it says is shown only when it does not.
verify() {
  local what="$1" output
  shift
  if output="$("$@" 2>&1)"; then
    passed "$what"
  else
    failed "$what${output:+: $(tail -n 3 <<<"$output")}"
  fi
}

# expect WHAT EXPECTED ACTUAL
expect() {
  if [[ "$2" = "$3" ]]; then passed "$1: ${3:-none}"; else failed "$1: expected '${2:-nothing}', found '$3'"; fi
}

passed() {
  CHECKS_PASSED=$((CHECKS_PASSED + 1))
  printf '  ok    %s\n' "$1"
}

failed() {
  CHECKS_FAILED=$((CHECKS_FAILED + 1))
  printf '  FAIL  %s\n' "$1"
}

# Prints the sum; 1 when something failed.
checks_end() {
  printf '\n%d checks passed, %d failed\n' "$CHECKS_PASSED" "$CHECKS_FAILED"
  [[ "$CHECKS_FAILED" -eq 0 ]]
}

# contains TEXT PART
contains() { [[ "$1" = *"$2"* ]]; }

# Prints the seconds since an EPOCHREALTIME.
elapsed() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }'; }
