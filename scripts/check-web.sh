#!/usr/bin/env bash
# Usage: scripts/check-web.sh [--only CHECK]... [--screenshots FOLDER] [--bench SECONDS]
#
# Uses the page as people would: Debian's Chromium, driven by playwright (pinned in Tests/Web/requirements.txt), over a whole
# stack on free ports with the provider simulator in the place of three providers. Asks, watches, reloads, kills the
# gateway, cancels, signs in at an OpenID provider, verifies receipts and tampered ones, reads hostile answers, works by keyboard and at 360 px. Anything
# that the browser's console complains about fails the check, a violated Content-Security-Policy too. Stops the stack.
#
#   --only CHECK          only this function of Tests/Web/check_web.py; may be repeated
#   --screenshots FOLDER  takes every view, light and dark, wide and narrow, into FOLDER, in place of the checks
#   --bench SECONDS       holds one page on a debate of ten agents that stream 200 tokens a second, in place of the checks
#
# Environment: ARAGORA_BIN_DIR, CONFIG as in scripts/up.sh (CONFIG is debug unless told); CHROMIUM, another browser.
#
# Exit codes: 0 every check held, 1 one did not, 64 wrong arguments; those of scripts/up.sh when the stack did not start; 69
# browser or packages are not to be had, 70 the simulator does not build.
set -euo pipefail
for library in common ports against; do
  # shellcheck source=/dev/null
  source "$(dirname -- "${BASH_SOURCE[0]}")/lib/$library.sh"
done

program=check_web.py arguments=()
while [[ $# -gt 0 ]]; do
  case "$1" in
    --only)
      [[ -n "${2:-}" ]] || die "$EX_USAGE" "--only needs a check"
      arguments+=(--only "$2")
      shift
      ;;
    --screenshots | --bench)
      [[ -n "${2:-}" ]] || die "$EX_USAGE" "$1 needs a value"
      [[ "$1" = --bench ]] && program=bench_web.py || program=take_screenshots.py
      arguments=("$2")
      shift
      ;;
    -h | --help) usage && exit 0 ;;
    *) die "$EX_USAGE" "unknown argument: $1 (see --help)" ;;
  esac
  shift
done
"$ROOT/scripts/bootstrap.sh" --quiet --web
python="$("$ROOT/scripts/python.sh" Tests/Web/requirements.txt)"
cd "$ROOT"
bin="${ARAGORA_BIN_DIR:-$ROOT/.build/${CONFIG:-debug}}"
if [[ ! -x "$bin/provider-simulator" ]]; then
  mapfile -t build < <(swift_build_arguments)
  swift build "${build[@]}" --product provider-simulator >&2 || die "$EX_FAILED" "the simulator does not build"
  bin="$ROOT/.build/debug"
fi

simulator="" provider="" scratch="$(mktemp -d "${TMPDIR:-/tmp}/aragora-web.XXXXXX")"
finish() {
  local code=$?
  trap - EXIT
  [[ -z "$simulator$provider" ]] || kill $simulator $provider 2>/dev/null || true
  rm -rf -- "$scratch"
  [[ -z "${AGAINST_FOLDER:-}" ]] || against_end "$code"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

"$bin/provider-simulator" --port 0 --port-file "$scratch/port" >"$scratch/log" 2>&1 &
simulator=$!
for _ in $(seq 100); do [[ -s "$scratch/port" ]] || sleep 0.05; done
[[ -s "$scratch/port" ]] || die "$EX_UNAVAILABLE" "the simulator does not listen: $(cat "$scratch/log")"
SIMULATOR_URL="http://127.0.0.1:$(<"$scratch/port")"
export SIMULATOR_URL ANTHROPIC_API_KEY=simulated OPENAI_API_KEY=simulated GEMINI_API_KEY=simulated
export ANTHROPIC_BASE_URL="$SIMULATOR_URL" OPENAI_BASE_URL="$SIMULATOR_URL/v1" GEMINI_BASE_URL="$SIMULATOR_URL/v1beta"
# Second factors need a key to be sealed with.
ARAGORA_ENCRYPTION_KEY="$(openssl rand -hex 32)"
export ARAGORA_ENCRYPTION_KEY ARAGORA_REGISTRATION=open ARAGORA_RATE_LIMIT=0
if [[ "$program" = check_web.py ]]; then
  # Somebody to sign in at; browsers reach the page by a name that only the check knows.
  port="" identity="$("$ROOT/scripts/python.sh" Tests/OIDC/requirements.txt)"
  pick_port port
  "$identity" "$ROOT/Tests/OIDC/provider.py" "$port" >"$scratch/provider.log" 2>&1 &
  provider=$!
  export ARAGORA_SSO_ENABLED=true ARAGORA_SSO_CLIENT_ID=aragora ARAGORA_SSO_CLIENT_SECRET=simulated ARAGORA_COOKIE_SECURE=false
  export ARAGORA_SSO_ISSUER_URL="http://127.0.0.1:$port" ARAGORA_SSO_CALLBACK_URL=http://aragora.test/signin
fi
against_a_stack
trap finish EXIT
export RUN_DIR="$AGAINST_FOLDER/run" ROOT ARAGORA_BASE_URL ARAGORA_API_TOKEN
step "the page, in a browser"
PYTHONDONTWRITEBYTECODE=1 "$python" "$ROOT/Tests/Web/$program" "${arguments[@]}"
