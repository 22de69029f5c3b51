#!/usr/bin/env bash
# Usage: scripts/transcript.sh [FILE]
#
# Writes docs/transcript.md (or FILE): one debate of the format `full`, from the question to the receipt, as
# `aragora debate export --format md` shows it. Starts a whole stack on free ports in a temporary folder, with
# the provider simulator in the place of three providers, rebuilds the debate from its recorded outcomes, and
# stops everything. No model is asked, and nothing leaves this machine.
#
# Exit codes: 0 written; 1 the debate did not complete or could not be rebuilt; those of scripts/up.sh.
set -euo pipefail
for library in common ports process stack build services; do
  # shellcheck source=/dev/null
  source "$(dirname -- "${BASH_SOURCE[0]}")/lib/$library.sh"
done

[[ "${1:-}" != -h && "${1:-}" != --help ]] || { usage && exit 0; }
target="${1:-$ROOT/docs/transcript.md}"
question="Should a three-person startup build its own job queue or rent one?"

folder="$(mktemp -d "${TMPDIR:-/tmp}/aragora-transcript.XXXXXX")"
simulator=""
finish() {
  local code=$?
  trap - EXIT
  [[ -z "$simulator" ]] || kill "$simulator" 2>/dev/null || true
  RUN_DIR="$folder" "$ROOT/scripts/down.sh" --erase >/dev/null 2>&1 || true
  rm -rf -- "$folder"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

bootstrap
use_executables
cd "$ROOT"
mapfile -t build < <(swift_build_arguments)
swift build "${build[@]}" --product provider-simulator >&2 || die "$EX_FAILED" "the simulator does not build"
printf '{"seed":7,"answer_words":36}' >"$folder/scenario.json"
.build/debug/provider-simulator --port 0 --port-file "$folder/port" --scenario "$folder/scenario.json" \
  >"$folder/simulator.log" 2>&1 &
simulator=$!
for _ in $(seq 100); do [[ -s "$folder/port" ]] || sleep 0.05; done
[[ -s "$folder/port" ]] || die "$EX_UNAVAILABLE" "the simulator does not listen"
url="http://127.0.0.1:$(<"$folder/port")"
export ANTHROPIC_API_KEY=simulated OPENAI_API_KEY=simulated GEMINI_API_KEY=simulated
export ANTHROPIC_BASE_URL="$url" OPENAI_BASE_URL="$url/v1" GEMINI_BASE_URL="$url/v1beta"

RUN_DIR="$folder" PORTS=auto ARAGORA_BIN_DIR="$BIN_DIR" "$ROOT/scripts/up.sh" --workers 1
# shellcheck source=/dev/null
source "$folder/env"
ask() { curl -fsS --noproxy '*' -H "Authorization: Bearer $ARAGORA_API_TOKEN" "$@"; }
debate="$(ask -X POST "$ARAGORA_BASE_URL/api/v1/debates" -d "{
  \"question\": \"$question\", \"debate_format\": \"full\", \"consensus\": \"hybrid\",
  \"context\": \"Three people, one of whom has run Postgres for years. About 200 jobs a second at peak.\",
  \"agents\": [\"anthropic\", \"openai\", {\"provider\": \"gemini\", \"role\": \"devils_advocate\"}]}" \
  | sed -n 's/.*"debate_id":"\([^"]*\)".*/\1/p')"
[[ -n "$debate" ]] || die "$EX_FAILED" "no debate was created"
ask -X POST "$ARAGORA_BASE_URL/api/v1/debates/$debate/messages" \
  -d '{"role":"constraint","content":"At most 300 dollars a month, operations included."}' >/dev/null
status=""
for _ in $(seq 300); do
  status="$(ask "$ARAGORA_BASE_URL/api/v1/debates/$debate" | sed -n 's/.*"status":"\([a-z]*\)".*/\1/p')"
  [[ "$status" = pending || "$status" = running ]] || break
  sleep 0.2
done
[[ "$status" = completed ]] || die "$EX_FAILED" "the debate is $status"
"$BIN_DIR/aragora" debate replay --check "$debate" >&2
"$BIN_DIR/aragora" debate export "$debate" --format md --output "$folder/transcript.md" >&2
{
  cat <<'NOTE'
<!-- Written by scripts/transcript.sh: run it again instead of editing this. -->

**No model spoke here.** This is one debate of the format `full`, with the provider simulator of
`Tests/ProviderSimulator` in the place of three providers: the forms, the order, the votes, the decision and the
receipt are real, the words are drawn from a list and mean nothing. `scripts/transcript.sh` wrote it with
`aragora debate export --format md`, after `aragora debate replay` had rebuilt the debate byte for byte.

NOTE
  cat "$folder/transcript.md"
} >"$target"
step "wrote $target"
