# shellcheck shell=bash
# What every script shares: the repository root, messages, exit codes, the toolchain on PATH. Sourced, never run.

[[ -n "${ARAGORA_COMMON_SH:-}" ]] && return 0
ARAGORA_COMMON_SH=1

# Exit codes (from sysexits.h, the same the executables use).
readonly EX_USAGE=64       # wrong arguments
readonly EX_UNAVAILABLE=69 # something needed did not become ready, or a port is taken
readonly EX_FAILED=70      # a build, a test or a service failed
readonly EX_BUSY=75        # a stack is already up here, or another script holds it
readonly EX_CONFIG=78      # the machine lacks something we can not install

ROOT="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)"
readonly ROOT
# Used by the scripts that source this file.
export EX_USAGE EX_UNAVAILABLE EX_FAILED EX_BUSY EX_CONFIG ROOT

# Progress goes to stderr: stdout belongs to the result (a debate, a report).
say() { printf '%s\n' "$*" >&2; }
step() { printf '==> %s\n' "$*" >&2; }
warn() { printf 'warning: %s\n' "$*" >&2; }

# die CODE MESSAGE...
die() {
  local code="$1"
  shift
  printf 'error: %s\n' "$*" >&2
  exit "$code"
}

# Prints the comment block at the top of the calling script: it is the help text.
usage() {
  awk 'NR == 1 { next } /^#/ { sub(/^# ?/, ""); print; next } { exit }' "$0"
}

# Puts the Swift toolchain on PATH, looking where installers leave it.
find_swift() {
  local folder
  command -v swift >/dev/null 2>&1 && return 0
  for folder in /opt/swift/usr/bin /usr/local/bin /usr/local/swift/usr/bin "${HOME:-/nonexistent}/.local/share/swiftly/bin"; do
    if [[ -x "$folder/swift" ]]; then
      export PATH="$folder:$PATH"
      return 0
    fi
  done
  return 1
}

# Installs what is missing (once per tree of scripts) and finds the toolchain.
bootstrap() {
  if [[ -z "${ARAGORA_BOOTSTRAPPED:-}" ]]; then
    "$ROOT/scripts/bootstrap.sh" --quiet
    export ARAGORA_BOOTSTRAPPED=1
  fi
  find_swift || die "$EX_CONFIG" "swift is not on PATH (run scripts/bootstrap.sh for the details)"
}

# Arguments shared by every `swift` call. JOBS bounds the build on a shared machine.
swift_build_arguments() {
  [[ -z "${JOBS:-}" ]] || printf '%s\n' --jobs "$JOBS"
}

is_root() { [[ "$(id -u)" -eq 0 ]]; }
