#!/usr/bin/env bash
# Usage: scripts/python.sh [REQUIREMENTS]
#
# Prints the path of a Python that has the packages pinned in REQUIREMENTS (default Tests/requirements.txt: official
# client libraries, used by tests only), making a virtual environment for that list when needed. Without that
# file it is the system's Python.
#
# Exit codes: 0 printed, 64 wrong arguments, 69 the packages could not be installed.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"

[[ "${1:-}" != -h && "${1:-}" != --help ]] || { usage && exit 0; }
[[ $# -le 1 && "${1:-}" != -* ]] || die "$EX_USAGE" "unknown argument: $* (see --help)"
bootstrap
readonly list="${1:-Tests/requirements.txt}"
readonly requirements="$ROOT/$list"
# One environment a list: their packages need not agree with each other.
environment="$ROOT/.venv"
[[ "$list" = Tests/requirements.txt ]] || environment="$ROOT/.venv-$(basename "$(dirname "$list")" | tr '[:upper:]' '[:lower:]')"
readonly environment
if [[ ! -f "$requirements" ]]; then
  command -v python3
  exit 0
fi
# The pinned list is copied in last, so that an interrupted installation is done again.
if ! cmp -s "$requirements" "$environment/requirements.txt"; then
  step "installing the Python packages of the tests"
  python3 -m venv "$environment" >&2
  "$environment/bin/pip" install --quiet --disable-pip-version-check -r "$requirements" >&2 ||
    die "$EX_UNAVAILABLE" "pip could not install $list"
  cp "$requirements" "$environment/requirements.txt"
fi
printf '%s\n' "$environment/bin/python3"
