#!/usr/bin/env bash
# Usage: scripts/check-simulator.sh
#
# Builds the provider simulator, starts it on a free port and lets the official anthropic and openai client
# libraries for Python (pinned in Tests/requirements.txt) talk to it. Our own provider clients are tested
# against the simulator, so it must be what those libraries take for the real thing.
#
# Exit codes: 0 both understood everything, 1 one did not, 69 the simulator or the libraries are not to be
# had, 70 the simulator does not build.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"

[[ "${1:-}" != -h && "${1:-}" != --help ]] || { usage && exit 0; }
bootstrap
cd "$ROOT"
mapfile -t build < <(swift_build_arguments)
swift build "${build[@]}" --product provider-simulator >&2 || die "$EX_FAILED" "the simulator does not build"
python="${TEST_PYTHON:-$("$ROOT/scripts/python.sh")}"

folder="$(mktemp -d)"
simulator=
cleanup() {
  [[ -z "$simulator" ]] || kill "$simulator" 2>/dev/null || true
  rm -rf "$folder"
}
trap cleanup EXIT
.build/debug/provider-simulator --port 0 --port-file "$folder/port" >"$folder/log" 2>&1 &
simulator=$!
for _ in $(seq 100); do
  [[ ! -s "$folder/port" ]] || break
  kill -0 "$simulator" 2>/dev/null || { cat "$folder/log" >&2 && die "$EX_UNAVAILABLE" "the simulator ended"; }
  sleep 0.05
done
[[ -s "$folder/port" ]] || die "$EX_UNAVAILABLE" "the simulator does not listen"
# The libraries go through a proxy when the environment names one.
env -u http_proxy -u HTTP_PROXY -u all_proxy -u ALL_PROXY \
  "$python" scripts/check-simulator.py "http://127.0.0.1:$(<"$folder/port")"
