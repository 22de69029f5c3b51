#!/bin/sh
# Writes what nginx.conf includes from /run/aragora, then becomes nginx. The container's command.
#
# Environment:
#   TLS_MODE=selfsigned        selfsigned, letsencrypt or cloudflare; the last two tell browsers to use HTTPS only
#   ARAGORA_CDN=none           whom to believe about the client's address: cdn-<name>.conf beside this file
#   ARAGORA_HTTPS_PORT=443     where the outside finds HTTPS, for redirects
#   ARAGORA_PORT=8080          of the API
#   ARAGORA_WS_PORT=8765       of the gateway
#   GRAFANA_UPSTREAM           host:port of Grafana (grafana:3000)
#   NGINX_RESOLVERS            name servers, instead of the first in /etc/resolv.conf
#   NGINX_RESOLV_CONF          another file instead of /etc/resolv.conf
#   NGINX_RUN=/run/aragora     where to write
#   NGINX_CERTS                the folder with server.crt and server.key (/etc/aragora/certs)
#   NGINX_LISTEN_HTTPS=443     port or address:port of the server with TLS
#
# Arguments are given to nginx (default: -g "daemon off;").
# Exit codes: 78 a setting or the certificate is wrong or missing.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
run=${NGINX_RUN:-/run/aragora}
certs=${NGINX_CERTS:-/etc/aragora/certs}
listen=${NGINX_LISTEN_HTTPS:-443}

fail() {
  echo "nginx: $*" >&2
  exit 78
}

is_port() {
  case "$1" in
    '' | *[!0-9]*) return 1 ;;
    *) [ "$1" -ge 1 ] && [ "$1" -le 65535 ] ;;
  esac
}

# The first in a resolv.conf; an IPv6 address stands in brackets. The others are for when it does not answer, but nginx
# would ask all in turn: podman lists the machine's own after the network's, and they know no service.
resolvers_of() {
  awk '$1 == "nameserver" { sub(/%.*/, "", $2); print ($2 ~ /:/) ? "[" $2 "]" : $2; exit }' "$1"
}

# Is this nginx at least 1.25.1, which has `http2 on` and warns of the older form?
has_http2_directive() {
  nginx -v 2>&1 | sed 's|^.*nginx/||; s|[^0-9.].*||' |
    awk -F . '{ exit !($1 * 1000000 + $2 * 1000 + $3 >= 1025001) }'
}

for file in server.crt server.key; do
  [ -r "$certs/$file" ] || fail "deploy/nginx/certs/$file is missing or not readable: scripts/install.sh makes one, deploy/compose/README.md (\"Certificates\") says how to bring your own"
done

https_port=${ARAGORA_HTTPS_PORT:-443}
api_port=${ARAGORA_PORT:-8080}
ws_port=${ARAGORA_WS_PORT:-8765}
for port in "$https_port" "$api_port" "$ws_port"; do
  is_port "$port" || fail "ARAGORA_HTTPS_PORT, ARAGORA_PORT and ARAGORA_WS_PORT must be 1 to 65535, not '$port'"
done
suffix=
[ "$https_port" = 443 ] || suffix=":$https_port"

case "${TLS_MODE:-selfsigned}" in
  # A browser that has once seen HSTS lets nobody past an untrusted certificate.
  selfsigned) hsts= ;;
  letsencrypt | cloudflare) hsts="max-age=31536000" ;;
  *) fail "TLS_MODE must be selfsigned, letsencrypt or cloudflare, not '$TLS_MODE'" ;;
esac

cdn=${ARAGORA_CDN:-none}
case "$cdn" in
  *[!a-z0-9-]*) fail "ARAGORA_CDN is the name of a file cdn-<name>.conf, not '$cdn'" ;;
esac
[ -r "$here/cdn-$cdn.conf" ] || fail "ARAGORA_CDN: there is no cdn-$cdn.conf in deploy/compose/nginx"

resolv_conf=${NGINX_RESOLV_CONF:-/etc/resolv.conf}
resolvers=${NGINX_RESOLVERS:-$(resolvers_of "$resolv_conf")}
[ -n "$resolvers" ] || fail "no name server in $resolv_conf"

mkdir -p "$run"
cat >"$run/http.conf" <<HTTP
# Written by start.sh.
resolver $resolvers valid=5s ipv6=off;
resolver_timeout 2s;
map "" \$api { default aragora:$api_port; }
map "" \$gateway { default ws-gateway:$ws_port; }
map "" \$grafana { default ${GRAFANA_UPSTREAM:-grafana:3000}; }
map "" \$https_suffix { default "$suffix"; }
# Nothing on the plain port, whoever asks there.
map \$https \$hsts { on "$hsts"; }
include $here/cdn-$cdn.conf;
HTTP
if has_http2_directive; then
  printf 'listen %s ssl default_server;\nhttp2 on;\n' "$listen"
else
  printf 'listen %s ssl http2 default_server;\n' "$listen"
fi >"$run/https.conf"

[ "$#" -gt 0 ] || set -- -g 'daemon off;'
exec nginx -c "$here/nginx.conf" "$@"
