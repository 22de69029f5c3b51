#!/usr/bin/env bash
# Inside the system that run.sh boots: installs Aragora and operates it as deploy/systemd/README.md says. Each line of
# output is one sentence that holds, or FAILED with what was seen. Not run by hand: it changes the system it is in (--help).
set -euo pipefail
[[ -e /src/scenario.sh ]] || { echo "only inside the system that run.sh boots" >&2 && exit 64; }

failed=0
# holds SENTENCE COMMAND...
holds() {
  local said
  if said="$("${@:2}" 2>&1)"; then
    echo "ok      $1"
  else
    failed=$((failed + 1))
    printf 'FAILED  %s\n%s\n' "$1" "$said"
  fi
}
is() { [[ "$1" = "$2" ]] || { echo "'$1', not '$2'" && return 1; }; }
active() { is "$(systemctl is-active "$1")" "${2:-active}"; }
property() { systemctl show -P "$2" "$1"; }
ready() { is "$(curl -s "http://127.0.0.1:$1/readyz")" '{"degraded":[],"status":"ready"}'; }
answers() { is "$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $2" "http://127.0.0.1:$1/api/v1/debates")" "$3"; }
number() { cat "/run/aragora/$1/pid"; }
within() {
  local end=$((SECONDS + $1)) said
  until said="$("${@:2}" 2>&1)"; do
    ((SECONDS < end)) || { echo "$said" && return 1; }
    sleep 0.2
  done
}
status_of() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$(number "$1")/status"; }

systemctl start postgresql redis-server
su postgres -c "psql -q" <<'SQL'
CREATE ROLE aragora LOGIN CREATEDB PASSWORD 'booted';
CREATE DATABASE aragora OWNER aragora;
SQL
first="$(openssl rand -hex 24)" second="$(openssl rand -hex 24)"
manager() {
  case "$1" in
    away) printf '#!/bin/sh\nexit 255\n' ;;
    *)
      printf '{"DATABASE_URL":"postgresql://aragora:booted@127.0.0.1/aragora","REDIS_URL":"redis://127.0.0.1:6379/0","ARAGORA_API_TOKEN":"%s","ARAGORA_RECEIPT_SIGNING_KEY":"%s"}' \
        "$1" "$(printf '%064d' 7)" >/etc/answer.json
      printf '#!/bin/sh\ncat /etc/answer.json\n'
      ;;
  esac >/usr/local/bin/aws.new
  chmod 755 /usr/local/bin/aws.new && mv /usr/local/bin/aws.new /usr/local/bin/aws
}
manager "$first"

holds "the host's installation ends well" /src/deploy/systemd/install-host.sh /src/bin
echo ARAGORA_DEMO_FALLBACK=true >>/etc/aragora/aragora.env
holds "all services start and are enabled" systemctl enable --now aragora.target aragora aragora-ws-gateway aragora-debate-worker@1 aragora-backup
for port in 8080 9100 9101 9111 9102; do holds "port $port is ready when that returns" ready "$port"; done
holds "one more API starts beside the first" systemctl enable --now aragora-api@2
holds "and is ready" ready 8081
holds "journalctl -u aragora shows the API's lines" sh -c 'journalctl -u aragora -n 1000 --no-pager | grep -q "\"message\":\"api listening\""'
holds "systemctl status aragora shows it" systemctl status aragora --no-pager
for service in api-1 api-2 ws-gateway debate-worker-1 backup; do
  holds "$service has no capability" is "$(status_of "$service" CapBnd)$(status_of "$service" CapEff)" "$(printf '%032d' 0)"
  holds "$service gains no privilege and is filtered" is "$(status_of "$service" NoNewPrivs)$(status_of "$service" Seccomp)" 12
  holds "$service keeps its secrets out of its environment" sh -c "! tr '\\0' '\\n' </proc/$(number "$service")/environ | grep -q '$first'"
done
holds "the backup dumps and restores within its bounds" within 60 sh -c 'ls /var/lib/aragora/backups/aragora-*.sql.gz'
# As root in the API's own view of the files: read-only means read-only.
writes() { nsenter --target "$(number api-1)" --mount touch "$1"; }
refused() { ! writes "$1"; }
for file in /etc/x /usr/local/bin/x /var/lib/x /root/x /home/x; do holds "the API sees no $file that can be written" refused "$file"; done
holds "but its own folder" writes /var/lib/aragora/x

before="$(number api-1) $(number api-2)"
manager "$second"
holds "a reload reaches every service" systemctl reload aragora
for port in 8080 8081; do
  holds "port $port takes the new token" within 10 answers "$port" "$second" 200
  holds "and refuses the old one" answers "$port" "$first" 401
done
holds "without a restart" is "$(number api-1) $(number api-2)" "$before"
# shellcheck disable=SC2016
holds "kill -HUP \$(cat /var/run/aragora.pid) reaches the first API" sh -c 'kill -HUP $(cat /var/run/aragora.pid)'
manager away
holds "a restart while the manager is away goes on with the last good secrets" systemctl restart aragora
holds "and is ready" ready 8080
holds "the first API's other name can be started" systemctl start aragora-api@1
holds "and ends the one" active aragora inactive
holds "and is ready" ready 8080
holds "and back" systemctl restart aragora
holds "which ends the other" active aragora-api@1 inactive

echo ARAGORA_RATE_LIMIT=many >/etc/aragora/api-2.env
began=$SECONDS
holds "a wrong setting fails the start" sh -c '! systemctl restart aragora-api@2'
holds "at once" test $((SECONDS - began)) -lt 20
sleep 6
holds "with 78, and is not tried again" is "$(property aragora-api@2 ExecMainStatus) $(property aragora-api@2 ActiveState)" "78 failed"
rm /etc/aragora/api-2.env
holds "and starts when it is right" systemctl start aragora-api@2

kill -KILL "$(number debate-worker-1)"
holds "a killed worker comes back" within 30 ready 9111
holds "by one restart" is "$(property aragora-debate-worker@1 NRestarts)" 1
systemctl stop postgresql
echo ARAGORA_READY_SECONDS=3 >/etc/aragora/ws-gateway.env
holds "a start without Postgres fails" sh -c '! systemctl restart aragora-ws-gateway'
systemctl start postgresql
holds "and is tried until Postgres is back" within 60 ready 9101

command="systemd-run -q --pipe -p User=aragora -p EnvironmentFile=/etc/aragora/aragora.env -p EnvironmentFile=/run/aragora/api-1/secrets.env aragora"
# shellcheck disable=SC2086
holds "aragora doctor finds nothing broken" $command doctor
holds "everything restarts" systemctl restart aragora.target
for unit in aragora aragora-api@2 aragora-ws-gateway aragora-debate-worker@1 aragora-backup; do holds "$unit runs" within 60 active "$unit"; done
holds "a stop drains" systemctl stop aragora aragora-api@2 aragora-ws-gateway aragora-debate-worker@1 aragora-backup
for unit in aragora aragora-api@2 aragora-ws-gateway aragora-debate-worker@1 aragora-backup; do
  holds "$unit ended well" is "$(property "$unit" Result) $(property "$unit" ExecMainStatus)" "success 0"
done
[[ $failed -eq 0 ]] || { echo "$failed sentences are false" && exit 1; }
echo "all hold"
