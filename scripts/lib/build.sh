# shellcheck shell=bash
# Building the executables. Sourced, never run.

readonly PRODUCTS=(aragora-api aragora-ws-gateway aragora-debate-worker aragora-backup aragora)

# Sets BIN_DIR to the folder with the five executables, building them first.
# With ARAGORA_BIN_DIR set, those are used as they are: tests bring what they built.
# CONFIG is `release` (default) or `debug`; only debug builds have kill points.
use_executables() {
  local config="${CONFIG:-release}" product
  if [[ -n "${ARAGORA_BIN_DIR:-}" ]]; then
    BIN_DIR="$(cd -- "$ARAGORA_BIN_DIR" && pwd -P)" || die "$EX_CONFIG" "ARAGORA_BIN_DIR: no such folder: $ARAGORA_BIN_DIR"
  else
    [[ "$config" = release || "$config" = debug ]] || die "$EX_USAGE" "CONFIG must be release or debug, not $config"
    step "building ($config; the first build takes minutes, the next ones seconds)"
    build_products "$config"
    BIN_DIR="$ROOT/.build/$config"
  fi
  for product in "${PRODUCTS[@]}"; do
    [[ -x "$BIN_DIR/$product" ]] || die "$EX_CONFIG" "no executable $product in $BIN_DIR"
  done
}

build_products() {
  local product arguments
  mapfile -t arguments < <(swift_build_arguments)
  for product in "${PRODUCTS[@]}"; do
    swift build --package-path "$ROOT" -c "$1" "${arguments[@]}" --product "$product" >&2 ||
      die "$EX_FAILED" "swift build -c $1 --product $product failed; the lines above say why"
  done
}
