#!/usr/bin/env bash
# Usage: scripts/fuzz.sh [NAME...]          (make fuzz)
#
# Builds and runs the fuzz targets under Tests/Fuzz with libFuzzer and AddressSanitizer: a million
# executions or 60 seconds each, whichever comes first. NAME chooses targets; without it, all of them.
#
# A target is a folder Tests/Fuzz/<Name>/ with
#   *.swift      exports the entry point:
#                    @_cdecl("LLVMFuzzerTestOneInput")
#                    func fuzz(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt { …; return 0 }
#                and traps (precondition) on what must not be
#   sources.txt  what is fuzzed, one item per line; # begins a comment:
#                    Shared/Contracts/JSON/JSONParser.swift   a file, compiled into the target itself
#                    module Domain                            all of Shared/Domain as an instrumented module, to
#                                                             be imported; those it imports come before it
#   corpus/      committed inputs, small; they are read, never written
#   dictionary   optional, in the format of libFuzzer
# Files in Tests/Fuzz itself are compiled into every target. What a run finds is kept under
# .build-fuzz/<Name>: new inputs in found/, crashes in crashes/ (turn each into a test).
#
# Environment: FUZZ_SECONDS (60), FUZZ_RUNS (1000000), FUZZ_SEED, FUZZ_MERGE=1 adds the new inputs that
# reach new code to the committed corpus.
#
# Exit codes: 0 nothing found, 1 a target crashed, 64 no such target, 70 a target does not build.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"

readonly OUTPUT="$ROOT/.build-fuzz" INPUT_LIMIT_BYTES=65536 INPUT_SECONDS=10
# One -sanitize with both names: of two options the second would win, and nothing would be instrumented.
readonly FLAGS=(
  -swift-version 6 -package-name aragora -parse-as-library -O -g "-sanitize=fuzzer,address" -use-ld=lld
  -enable-upcoming-feature ExistentialAny -enable-upcoming-feature MemberImportVisibility
  -enable-upcoming-feature InternalImportsByDefault -enable-upcoming-feature NonisolatedNonsendingByDefault
)

[[ "${1:-}" != -h && "${1:-}" != --help ]] || { usage && exit 0; }
bootstrap
cd "$ROOT"
mkdir -p "$OUTPUT/modules"

c_modules=()
for folder in Shared/C/*/; do
  c_modules+=(-I "$folder")
done

# Compiles all of Shared/NAME once per run.
# build_module NAME
declare -A built=()
build_module() {
  local files
  [[ -z "${built[$1]:-}" ]] || return 0
  mapfile -t files < <(find "Shared/$1" -name '*.swift' | sort)
  [[ ${#files[@]} -gt 0 ]] || die "$EX_FAILED" "Shared/$1 has no Swift files"
  step "module $1"
  swiftc "${FLAGS[@]}" "${c_modules[@]}" -I "$OUTPUT/modules" -wmo -module-name "$1" \
    -emit-module -emit-module-path "$OUTPUT/modules/$1.swiftmodule" -c "${files[@]}" -o "$OUTPUT/modules/$1.o" ||
    die "$EX_FAILED" "module $1 does not build for fuzzing"
  built[$1]=yes
}

# Builds one target to .build-fuzz/NAME/target.
# build_target NAME
build_target() {
  local kind item objects=() files=()
  while read -r kind item; do
    case "$kind" in
      module) build_module "$item" && objects+=("$OUTPUT/modules/$item.o") ;;
      *.swift) files+=("$kind") ;;
      '' | '#'*) ;;
      *) die "$EX_FAILED" "Tests/Fuzz/$1/sources.txt: unknown line: $kind $item" ;;
    esac
  done <"Tests/Fuzz/$1/sources.txt"
  mapfile -t -O "${#files[@]}" files < <(find "Tests/Fuzz/$1" Tests/Fuzz -maxdepth 1 -name '*.swift' | sort)
  swiftc "${FLAGS[@]}" "${c_modules[@]}" -I "$OUTPUT/modules" -wmo -module-name "Fuzz$1" \
    -emit-executable -emit-module-path "$OUTPUT/$1/target.swiftmodule" "${files[@]}" "${objects[@]}" -o "$OUTPUT/$1/target" || die "$EX_FAILED" "target $1 does not build"
}

# run_target NAME
run_target() {
  local name="$1" options=(-print_final_stats=1 -rss_limit_mb=2048)
  mkdir -p "$OUTPUT/$name/found" "$OUTPUT/$name/crashes" "Tests/Fuzz/$name/corpus"
  build_target "$name"
  [[ ! -f "Tests/Fuzz/$name/dictionary" ]] || options+=("-dict=Tests/Fuzz/$name/dictionary")
  [[ -z "${FUZZ_SEED:-}" ]] || options+=("-seed=$FUZZ_SEED")
  step "fuzzing $name"
  ASAN_OPTIONS=detect_leaks=0 "$OUTPUT/$name/target" "${options[@]}" \
    -max_total_time="${FUZZ_SECONDS:-60}" -runs="${FUZZ_RUNS:-1000000}" -max_len="$INPUT_LIMIT_BYTES" -timeout="$INPUT_SECONDS" \
    -artifact_prefix="$OUTPUT/$name/crashes/" "$OUTPUT/$name/found" "Tests/Fuzz/$name/corpus" >"$OUTPUT/$name/log" 2>&1 || {
    tail -n 60 "$OUTPUT/$name/log" >&2
    return 1
  }
  ! grep -q '^WARNING: no interesting inputs' "$OUTPUT/$name/log" || { say "$name is not instrumented" && return 1; }
  say "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$OUTPUT/$name/log") executions, $(grep -oE 'cov: [0-9]+' "$OUTPUT/$name/log" | tail -n 1)"
  [[ -z "${FUZZ_MERGE:-}" ]] || "$OUTPUT/$name/target" -merge=1 "Tests/Fuzz/$name/corpus" "$OUTPUT/$name/found" >>"$OUTPUT/$name/log" 2>&1
}

targets=("$@")
if [[ ${#targets[@]} -eq 0 ]]; then
  for file in Tests/Fuzz/*/sources.txt; do
    [[ ! -e "$file" ]] || targets+=("$(basename "$(dirname "$file")")")
  done
fi
[[ ${#targets[@]} -gt 0 ]] || { say "no targets under Tests/Fuzz" && exit 0; }
for target in "${targets[@]}"; do
  [[ -f "Tests/Fuzz/$target/sources.txt" ]] || die "$EX_USAGE" "no such target: Tests/Fuzz/$target/sources.txt does not exist"
done
failed=()
for target in "${targets[@]}"; do
  run_target "$target" || failed+=("$target")
done
[[ ${#failed[@]} -eq 0 ]] || die 1 "crashed: ${failed[*]} (inputs in .build-fuzz/<Name>/crashes)"
