#!/usr/bin/env bash
# Usage: scripts/check-web-manage.sh [--only WORD] [--screenshots FOLDER]
#
# Uses what the page has for those who look after debates and the installation: Find, leaderboard, Operate, Account. Debian's
# Chromium, driven by playwright (pinned in Tests/Web/requirements.txt), over a whole stack on free ports with the provider
# simulator in the place of three providers. Stops the stack again. Takes about a minute.
#
#   --only WORD           only checks whose name has this word
#   --screenshots FOLDER  takes every view, light and dark, wide and narrow, into FOLDER, in place of the checks
#
# Environment: ARAGORA_BIN_DIR, CONFIG as in scripts/up.sh (CONFIG is debug unless told); CHROMIUM, another browser.
#
# Exit codes: 0 every check held, 1 one did not, 64 wrong arguments; those of scripts/up.sh when the stack did not start; 69
# browser or packages are not to be had, 70 the simulator does not build.
set -euo pipefail
for library in common against; do
  # shellcheck source=/dev/null
  source "$(dirname -- "${BASH_SOURCE[0]}")/lib/$library.sh"
done

arguments=()
while [[ $# -gt 0 ]]; do
  case "$1" in
    -h | --help) usage && exit 0 ;;
    --only | --screenshots)
      [[ -n "${2:-}" ]] || die "$EX_USAGE" "$1 needs a value"
      value="$2"
      [[ "$1" = --only ]] || value="$(realpath -m -- "$2")"
      arguments+=("$1" "$value")
      shift
      ;;
    *) die "$EX_USAGE" "unknown argument: $1 (see --help)" ;;
  esac
  shift
done
"$ROOT/scripts/bootstrap.sh" --quiet --web
export CHROMIUM="${CHROMIUM:-/usr/bin/chromium}"
[[ -x "$CHROMIUM" ]] || die "$EX_UNAVAILABLE" "there is no browser at $CHROMIUM"
python="$("$ROOT/scripts/python.sh" Tests/Web/requirements.txt)"
cd "$ROOT"
bin="${ARAGORA_BIN_DIR:-$ROOT/.build/${CONFIG:-debug}}"
if [[ ! -x "$bin/provider-simulator" ]]; then
  mapfile -t build < <(swift_build_arguments)
  swift build "${build[@]}" --product provider-simulator >&2 || die "$EX_FAILED" "the simulator does not build"
  bin="$ROOT/.build/debug"
fi

scratch="$(mktemp -d "${TMPDIR:-/tmp}/aragora-manage.XXXXXX")"
"$bin/provider-simulator" --port 0 --port-file "$scratch/port" >"$scratch/log" 2>&1 &
simulator=$!
finish() {
  local code=$?
  trap - EXIT
  kill "$simulator" 2>/dev/null || true
  rm -rf -- "$scratch"
  [[ -n "${AGAINST_FOLDER:-}" ]] || exit "$code"
  # The stack's own end looks at the code that it finds.
  set +e
  (exit "$code")
  against_end
}
trap finish EXIT
for _ in $(seq 100); do [[ -s "$scratch/port" ]] || sleep 0.05; done
[[ -s "$scratch/port" ]] || die "$EX_UNAVAILABLE" "the simulator does not listen: $(cat "$scratch/log")"
simulated="http://127.0.0.1:$(<"$scratch/port")"
export ANTHROPIC_API_KEY=simulated OPENAI_API_KEY=simulated GEMINI_API_KEY=simulated
export ANTHROPIC_BASE_URL="$simulated" OPENAI_BASE_URL="$simulated/v1" GEMINI_BASE_URL="$simulated/v1beta"
# Second factors and webhooks need a key to be sealed with.
ARAGORA_ENCRYPTION_KEY="$(openssl rand -hex 32)"
export ARAGORA_ENCRYPTION_KEY
against_a_stack
trap finish EXIT
step "the page for those who look after things, in a browser"
env -u http_proxy -u HTTP_PROXY -u all_proxy -u ALL_PROXY PYTHONDONTWRITEBYTECODE=1 \
  "$python" "$ROOT/Tests/Web/check_manage.py" "${arguments[@]}"
