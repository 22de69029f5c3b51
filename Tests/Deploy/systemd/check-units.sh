#!/usr/bin/env bash
# Usage: Tests/Deploy/systemd/check-units.sh [--help]
#
# Installs deploy/systemd into a folder and judges it there by systemd's own tools: every unit loads, names only programs
# and directives that exist, and may do little. Then holds what systemd can not know: both files of the first API say the
# same, stop times are longer than drains, ports are the documented ones. Nothing is started (systemd is not process 1 here).
#
# Environment: ARAGORA_BIN_DIR, the executables that the units name.
# Exit codes: 0 passed, 1 findings, 64 wrong arguments, 77 no systemd-analyze here.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../../../scripts/lib/common.sh"
case "${1:-}" in
  '') ;;
  -h | --help) usage && exit 0 ;;
  *) die "$EX_USAGE" "unknown argument: $1" ;;
esac
cd "$ROOT"
command -v systemd-analyze >/dev/null || { say "systemd-analyze is not installed" && exit 77; }
: "${ARAGORA_BIN_DIR:?scripts/check-deploy.sh sets it}"

# Of 10 points; a unit without any restriction has 9.6.
readonly EXPOSURE_LIMIT=20 # tenths
readonly UNITS=(aragora.service aragora-api@1.service aragora-api@3.service aragora-ws-gateway.service
  aragora-debate-worker@1.service aragora-backup.service aragora.target)
host="$(mktemp -d)"
trap 'rm -rf "$host"' EXIT
failed=0
complain() {
  failed=$((failed + 1))
  say "FAILED  $*"
}

# --- install, twice ---------------------------------------------------------------------------------------------------
# Links: the executables are large, and nothing here runs them for long.
mkdir -p "$host/source"
for product in aragora-api aragora-ws-gateway aragora-debate-worker aragora-backup aragora; do
  printf '#!/bin/sh\nexec %q "$@"\n' "$ARAGORA_BIN_DIR/$product" >"$host/source/$product" && chmod 755 "$host/source/$product"
done
install_host() { DESTDIR="$host/root" deploy/systemd/install-host.sh --nginx "$host/source" >/dev/null; }
inventory() { (cd "$host/root" && find . -printf '%p %m %l\n' | sort && find . -type f -exec sha256sum {} + | sort); }
install_host
first="$(inventory)"
echo "ARAGORA_LOG_LEVEL=debug" >>"$host/root/etc/aragora/aragora.env"
settings="$(sha256sum "$host/root/etc/aragora/aragora.env")"
install_host
[[ "$(sha256sum "$host/root/etc/aragora/aragora.env")" = "$settings" ]] || complain "a second installation changes settings"
install -m 640 deploy/systemd/aragora.env.example "$host/root/etc/aragora/aragora.env"
[[ "$(inventory)" = "$first" ]] || complain "a second installation changes files"
for wrong in "" "--bogus" "$host"; do
  # shellcheck disable=SC2086
  ! DESTDIR="$host/none" deploy/systemd/install-host.sh $wrong >/dev/null 2>&1 || complain "install-host.sh accepts '$wrong'"
done

# --- systemd's own judgement ------------------------------------------------------------------------------------------
# The targets that ours build on, and what is outside of our packages.
mkdir -p "$host/root/lib/systemd" "$host/root/bin"
cp -a /lib/systemd/system "$host/root/lib/systemd/"
cp /bin/kill "$host/root/bin/"
verify() { systemd-analyze verify --man=no --recursive-errors=yes --root="$host/root" "$@"; }
report="$(verify "${UNITS[@]}" 2>&1)" || complain "systemd-analyze verify: $report"
[[ -z "$report" ]] || complain "systemd-analyze verify has remarks: $report"

# It must be able to fail: a misspelt directive, a missing program, an unknown section.
units="$host/root/etc/systemd/system"
for change in 's/^RestartSec=/RestartSecs=/' 's/^\[Service\]/[Servcie]/' 's|aragora-fetch-secrets$|aragora-fetch-nothing|' 's/^TimeoutStopSec=60/TimeoutStopSec=soon/'; do
  cp "$units/aragora.service" "$host/kept"
  sed -i "$change" "$units/aragora.service"
  if broken="$(verify aragora.service 2>&1)" && [[ -z "$broken" ]]; then complain "systemd-analyze does not see: $change"; fi
  cp "$host/kept" "$units/aragora.service"
done

for unit in "${UNITS[@]}"; do
  [[ "$unit" = *.service ]] || continue
  systemd-analyze security --offline=true --threshold="$EXPOSURE_LIMIT" --root="$host/root" "$unit" >"$host/security" 2>&1 ||
    complain "$unit may do too much: $(tail -n 1 "$host/security")"
  say "$unit: $(sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p' "$host/security") of 10 exposed"
done
if systemd-analyze security --offline=true --threshold="$EXPOSURE_LIMIT" --root="$host/root" rescue.service >/dev/null 2>&1; then
  complain "the threshold passes everything"
fi
systemd-tmpfiles --create --root="$host/root" "$host/root/etc/tmpfiles.d/aragora.conf"
[[ "$(readlink "$host/root/run/aragora.pid")" = /run/aragora/api-1/pid ]] || complain "/run/aragora.pid is no link to the first API's number"

# --- what systemd can not know ----------------------------------------------------------------------------------------
value_of() { sed -n "s/^$2=//p" "deploy/systemd/$1"; }
body() { sed -e '/^#/d' -e "s/%i/$2/g" "deploy/systemd/$1"; }
differences="$(diff <(body aragora-api@.service 1) <(body aragora.service 1) | grep '^[<>]' || true)"
[[ "$differences" = "< ReloadPropagatedFrom=aragora.service" ]] || complain "aragora.service and aragora-api@.service differ: $differences"

hardening() { sed -n '/^# --- What it may do/,/^\[Install\]/p' "deploy/systemd/$1"; }
for unit in deploy/systemd/*.service; do
  unit="${unit##*/}"
  [[ "$(hardening "$unit")" = "$(hardening aragora.service)" ]] || complain "$unit may do other things than aragora.service"
  # shellcheck disable=SC2016
  for line in LimitNOFILE=65535 Restart=on-failure 'RestartPreventExitStatus=64 78' 'PartOf=aragora.target' KillMode=mixed \
    'ExecReload=/bin/kill -HUP $MAINPID' 'ExecStartPre=/usr/local/lib/aragora/aragora-fetch-secrets' WantedBy=aragora.target; do
    grep -qxF -- "$line" "deploy/systemd/$unit" || complain "$unit lacks $line"
  done
  # Everything of a service lies in its own folder below /run/aragora.
  folder="$(value_of "$unit" RuntimeDirectory)"
  grep -qx "Environment=ARAGORA_PID_FILE=/run/$folder/pid" "deploy/systemd/$unit" || complain "$unit: the number's file is not in its folder"
  grep -qx "EnvironmentFile=-/run/$folder/secrets.env" "deploy/systemd/$unit" || complain "$unit: the secrets are not in its folder"
done

# Defaults of the drains, as the settings document them.
default_of() { sed -n "s/^| \`$1\` |[^|]*| \`\([0-9]*\)\` .*/\1/p" docs/configuration.md; }
api_drain=$(($(default_of ARAGORA_DRAIN_SECONDS) + $(default_of WORKER_DRAIN_SECONDS)))
# stop UNIT DRAIN
stop() { [[ "$(value_of "$1" TimeoutStopSec)" -gt "$2" ]] || complain "$1 is killed before it has drained ($2 s)"; }
stop aragora.service "$api_drain"
stop aragora-ws-gateway.service "$(default_of ARAGORA_WS_DRAIN_SECONDS)"
stop aragora-debate-worker@.service "$(default_of WORKER_DRAIN_SECONDS)"

# ports SERVICE NUMBER WANTED
ports() {
  local got
  # shellcheck disable=SC2016
  got="$(env -i PATH="$PATH" deploy/systemd/aragora-instance "$1" "$2" sh -c 'echo "${ARAGORA_PORT:-} $ARAGORA_METRICS_PORT ${ARAGORA_WS_UPSTREAM:-}"')"
  [[ "$got" = "$3" ]] || complain "ports of $1 $2: '$got', not '$3'"
}
ports api 1 "8080 9100 127.0.0.1:8765"
ports api 2 "8081 9202 127.0.0.1:8765"
ports api 10 "8089 9210 127.0.0.1:8765"
ports debate-worker 1 " 9111 "
ports debate-worker 12 " 9122 "
for wrong in "api 0 true" "api 01 true" "api -1 true" "api x true" "api 90 true" "gateway 1 true" "api 1"; do
  # shellcheck disable=SC2086
  code=0 && deploy/systemd/aragora-instance $wrong >/dev/null 2>&1 || code=$?
  [[ "$code" -eq 64 ]] || complain "aragora-instance $wrong ends with $code"
done

# A name in the example that no service reads would be a setting without effect.
while IFS= read -r name; do
  case "$name" in
    ARAGORA_SECRETS_COMMAND | AWS_DEFAULT_REGION) ;;
    *) grep -q "\`${name%_FILE}\`" docs/configuration.md || complain "aragora.env.example: nobody reads $name" ;;
  esac
done < <(sed -n 's/^#\{0,1\}\([A-Z][A-Z0-9_]*\)=.*/\1/p' deploy/systemd/aragora.env.example)

# await-ready: not for a process that is gone, not for ever, and not the wrong way round.
fake() { printf '#!/bin/sh\necho "%s"\nexit %s\n' "$1" "$2" >"$host/fake" && chmod 755 "$host/fake"; }
fake "ready" 0
deploy/systemd/aragora-await-ready "$host/fake" || complain "aragora-await-ready does not believe a ready service"
fake "postgres is away" 1
said="$(ARAGORA_READY_SECONDS=1 MAINPID=$$ deploy/systemd/aragora-await-ready "$host/fake" 2>&1)" && complain "aragora-await-ready waits for nothing"
[[ "$said" = "not ready within 1 s: postgres is away" ]] || complain "aragora-await-ready says: $said"
sleep 0 &
gone=$!
wait "$gone"
said="$(MAINPID=$gone timeout 10 deploy/systemd/aragora-await-ready "$host/fake" 2>&1)" && complain "aragora-await-ready waits for a dead process"
[[ "$said" = "the service has ended"* ]] || complain "aragora-await-ready says: $said"

[[ $failed -eq 0 ]] || die 1 "$failed findings"
say "all hold"
