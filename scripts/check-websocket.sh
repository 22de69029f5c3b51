#!/usr/bin/env bash
# Usage: scripts/check-websocket.sh [--cache DIR] [core | deflate]...          (needs root and debootstrap)
#
# Lets the Autobahn test suite's fuzzing client judge the WebSocket code that the gateway serves with, through
# aragora-ws-echo. core: framing, fragments, UTF-8, closing. deflate: permessage-deflate, 216 cases of 1,000 messages,
# some minutes. Without an argument: both.
#
# The suite needs Python 2.7, which Debian had last in bullseye: it is installed there, under DIR
# (default: ~/.cache/aragora-autobahn, 700 MB), once.
#
# Environment: CONFIG (debug).
#
# Exit codes: 0 every case passed strictly, 1 one did not, 64 wrong arguments, 69 the echo server did not start,
# 77 skipped: the suite can not be installed here.
set -euo pipefail
for library in common ports process; do
  # shellcheck source=/dev/null
  source "$(dirname -- "${BASH_SOURCE[0]}")/lib/$library.sh"
done

readonly SUITE=bullseye SUITE_VERSION=25.10.1
# The last versions of these that run on Python 2.7.
readonly INSTALLERS=(pip==20.3.4 setuptools==44.1.1 wheel==0.37.1)
readonly BUILD_PACKAGES=(gcc libc6-dev python2.7-dev libffi-dev libssl-dev)

skip() {
  say "skipped: $*"
  exit 77
}

cache="${XDG_CACHE_HOME:-$HOME/.cache}/aragora-autobahn"
checks=()
while [[ $# -gt 0 ]]; do
  case "$1" in
    -h | --help) usage && exit 0 ;;
    --cache) [[ $# -ge 2 ]] || die "$EX_USAGE" "--cache needs a folder"; cache="$2"; shift ;;
    core | deflate) checks+=("$1") ;;
    *) die "$EX_USAGE" "unknown argument: $1 (see --help)" ;;
  esac
  shift
done
[[ ${#checks[@]} -gt 0 ]] || checks=(core deflate)
readonly debian="$cache/root"

# The mirror that this machine's apt uses.
debian_mirror() {
  # shellcheck disable=SC2016 # apt's own placeholders
  apt-get indextargets --format '$(ORIGIN) $(CREATED_BY) $(REPO_URI) $(RELEASE)' |
    awk '$1 == "Debian" && $2 == "Packages" && $4 !~ /-/ { print $3; exit }'
}

install_suite() {
  [[ ! -e "$debian/.installed" ]] || return 0
  [[ $EUID -eq 0 ]] || skip "needs root, for chroot"
  command -v debootstrap >/dev/null || skip "needs debootstrap (scripts/bootstrap.sh --containers)"
  local mirror
  mirror="$(debian_mirror)"
  [[ -n "$mirror" ]] || skip "apt has no lists of Debian here (apt-get update)"
  step "installing the suite under $cache"
  rm -rf -- "$debian"
  mkdir -p "$cache"
  debootstrap --variant=minbase --include=python2.7,ca-certificates "$SUITE" "$debian" "$mirror" >"$cache/install.log" 2>&1 ||
    skip "debootstrap failed: $(tail -n 1 "$cache/install.log")"
  cp /etc/resolv.conf "$debian/etc/"
  cp /etc/ssl/certs/ca-certificates.crt "$debian/etc/ssl/certs/"
  { python3 -m pip download --no-deps --only-binary=:all: --python-version 2.7 -d "$debian/wheels" "${INSTALLERS[@]}" &&
    chroot "$debian" apt-get install -y --no-install-recommends "${BUILD_PACKAGES[@]}" &&
    chroot "$debian" sh -c "export PIP_CERT=/etc/ssl/certs/ca-certificates.crt
      python2.7 /wheels/pip-*.whl/pip install --no-cache-dir /wheels/* &&
      python2.7 -m pip install --no-cache-dir autobahntestsuite==$SUITE_VERSION"; } >>"$cache/install.log" 2>&1 ||
    skip "the suite did not install: $(tail -n 1 "$cache/install.log")"
  touch "$debian/.installed"
}

# judge NAME CASES EXCLUDED, both JSON: runs the cases and reads the report; wstest itself always exits 0.
judge() {
  local name="$1"
  step "Autobahn, $name"
  rm -rf -- "$debian/reports"
  printf '{"outdir":"/reports","servers":[{"agent":"aragora","url":"ws://127.0.0.1:%s/"}],"cases":%s,"exclude-cases":%s,"exclude-agent-cases":{}}' \
    "$port" "$2" "$3" >"$debian/spec.json"
  chroot "$debian" wstest -m fuzzingclient -s /spec.json >"$cache/$name.log" 2>&1
  python3 - "$debian/reports/index.json" "$4" <<'PYTHON'
import json, sys
cases = json.load(open(sys.argv[1])).get("aragora", {})
good = {"OK", "INFORMATIONAL"}
bad = {name: case for name, case in cases.items() if case["behavior"] not in good or case["behaviorClose"] not in good}
for name, case in sorted(bad.items()):
    print(f"    {name}: {case['behavior']}, closing {case['behaviorClose']} with {case['remoteCloseCode']}")
informational = sum(case["behavior"] == "INFORMATIONAL" for case in cases.values())
print(f"    {len(cases)} cases, {len(cases) - len(bad)} passed, {informational} of them informational")
sys.exit(0 if not bad and len(cases) == int(sys.argv[2]) else 1)
PYTHON
}

bootstrap
cd "$ROOT"
install_suite
mapfile -t build < <(swift_build_arguments)
config="${CONFIG:-debug}"
swift build "${build[@]}" -c "$config" --product aragora-ws-echo >&2 || die "$EX_FAILED" "the echo server does not build"
log="$(mktemp "${TMPDIR:-/tmp}/aragora-ws-echo.XXXXXX")"
".build/$config/aragora-ws-echo" 0 2>"$log" &
echo_process=$!
trap 'kill "$echo_process" 2>/dev/null; rm -f -- "$log"' EXIT
for _ in $(seq 50); do
  grep -q listening "$log" && break
  sleep 0.1
done
port="$(sed -nE 's/.*listening on .*:([0-9]+)$/\1/p' "$log")"
[[ -n "$port" ]] || die 69 "the echo server did not start: $(cat "$log")"

result=0
for check in "${checks[@]}"; do
  case "$check" in
    core) judge core '["*"]' '["9.*","12.*","13.*"]' 247 || result=1 ;;
    deflate) judge deflate '["12.*","13.*"]' '[]' 216 || result=1 ;;
  esac
done
exit "$result"
