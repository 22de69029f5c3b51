#!/usr/bin/env bash
# Usage: scripts/lint.sh [--fix]          (make lint, make format)
#
# Checks what a machine can check about the text of the repository: Swift formatting (.swift-format),
# shell scripts (shellcheck), and a few rules for every tracked file. What is about the structure of the
# program (layers, names, forbidden calls) is in Tests/TidyTests.
#
#   --fix   format the Swift sources instead of complaining about them
#
# Exit codes: 0 clean, 1 findings, 64 wrong arguments.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"

readonly SWIFT_FOLDERS=(Package.swift Plugins Services Shared Tests Benchmarks)

fix=no
for argument in "$@"; do
  case "$argument" in
    --fix) fix=yes ;;
    -h | --help) usage && exit 0 ;;
    *) die "$EX_USAGE" "unknown argument: $argument (see --help)" ;;
  esac
done
bootstrap
cd "$ROOT"

if [[ "$fix" = yes ]]; then
  step "formatting Swift"
  swift format format --in-place --parallel --recursive "${SWIFT_FOLDERS[@]}"
  exit 0
fi

findings=0
complain() {
  findings=$((findings + 1))
  say "$*"
}

# The files git knows or would add, without binary ones.
text_files() { git grep --untracked -I --name-only -e '' -- "$@"; }

# Complains when PATTERN is found in any text file.
# forbid WHY PATTERN [PATHSPEC...]
forbid() {
  local why="$1" pattern="$2" hits
  shift 2
  hits="$(git grep --untracked -nIE -e "$pattern" -- "$@" || true)"
  [[ -z "$hits" ]] || complain "$why:"$'\n'"$hits"
}

step "Swift formatting"
swift format lint --strict --parallel --recursive "${SWIFT_FOLDERS[@]}" || complain "the Swift sources are not formatted: run 'make format'"

step "golden samples, by a second implementation"
python3 scripts/check-golden.py || complain "Tests/Golden is not what the second implementation computes"

step "the table of docs/scale.md"
scripts/scale.py --check docs/scale.md >/dev/null || complain "docs/scale.md does not have what scripts/scale.py prints"

step "shell scripts"
mapfile -t shell_files < <(git grep --untracked -lE -e '^#!.*\bbash$|^# shellcheck shell=' -- scripts .ci)
shellcheck "${shell_files[@]}" || complain "shellcheck has findings"
for file in "${shell_files[@]}"; do
  bash -n "$file" || complain "$file does not parse"
  if [[ "$(head -c 2 "$file")" = '#!' ]]; then
    [[ -x "$file" ]] || complain "$file is not executable"
    grep -q '^set -euo pipefail$' "$file" || complain "$file does not set -euo pipefail"
    grep -q -- '--help' "$file" || complain "$file has no --help"
  fi
done

step "every file"
forbid "conflict markers" '^(<{7}|>{7}|\|{7}) '
forbid "white space at the end of a line" '[[:blank:]]+$' ':!*.http' ':!Tests/Golden' ':!Tests/Fuzz/*/corpus/*' ':!Shared/Storage/Migrations'
forbid "carriage returns" $'\r$' ':!Tests/Golden' ':!Tests/Fuzz/*/corpus/*'
forbid "tabs in sources" $'^\t' '*.swift' '*.sh' '*.md'
forbid "a secret" '(sk-ant-[A-Za-z0-9]{20}|sk-proj-[A-Za-z0-9]{20}|BEGIN (RSA |EC )?PRIVATE KEY)' ':!Tests/*'
while IFS= read -r file; do
  [[ -z "$(tail -c 1 "$file")" ]] || complain "$file: no newline at the end"
done < <(text_files '*.swift' '*.sh' '*.md' '*.sql' '*.h' Makefile)

[[ "$findings" -eq 0 ]] || die 1 "$findings kinds of findings"
say "clean"
