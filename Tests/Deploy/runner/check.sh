#!/usr/bin/env bash
# The runner itself: a check that passes, one that fails, one that is skipped and one that hangs are told apart.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/../../.."

root="$(mktemp -d)"
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/scripts" "$root/Tests/Deploy" "$root/bin"
cp -R scripts/lib scripts/check-deploy.sh "$root/scripts/"
# Neither packages nor a build are what this is about.
printf '#!/bin/sh\nexit 0\n' >"$root/scripts/bootstrap.sh"
printf '#!/bin/sh\necho /usr/bin/python3\n' >"$root/scripts/python.sh"
for product in aragora-api aragora-ws-gateway aragora-debate-worker aragora-backup aragora; do
  printf '#!/bin/sh\nexit 0\n' >"$root/bin/$product"
done
chmod +x "$root"/scripts/*.sh "$root"/bin/*

# make_check AREA BODY
make_check() {
  mkdir -p "$root/Tests/Deploy/$1"
  printf '#!/bin/sh\n%s\n' "$2" >"$root/Tests/Deploy/$1/check.sh"
  chmod +x "$root/Tests/Deploy/$1/check.sh"
}
# expect CODE TEXT AREA...
expect() {
  local wanted="$1" text="$2" code=0 output
  shift 2
  output="$(ARAGORA_BIN_DIR="$root/bin" CHECK_SECONDS=1 "$root/scripts/check-deploy.sh" "$@" 2>&1)" || code=$?
  if [[ "$code" -ne "$wanted" || "$output" != *"$text"* ]]; then
    printf 'areas %s: exit %s, expected %s with "%s"; it said:\n%s\n' "$*" "$code" "$wanted" "$text" "$output"
    exit 1
  fi
}

make_check passes 'exit 0'
make_check fails 'echo the reason; exit 3'
make_check skips 'echo no engine here; exit 77'
make_check hangs 'exec sleep 60'
expect 0 'passed' passes
expect 1 'the reason' fails
expect 1 'FAILED (3)' passes fails
expect 0 'SKIPPED: no engine here' passes skips
expect 1 'not done after 1 s' hangs
expect 64 'no such area' absent
printf 'import sys; sys.exit(5)\n' >"$root/Tests/Deploy/passes/check-python.py"
chmod +x "$root/Tests/Deploy/passes/check-python.py"
expect 1 'FAILED (5)' passes
echo "six outcomes told apart"
