#!/usr/bin/env bash
# Usage: Tests/Deploy/systemd/check-certbot.sh [--help]
#
# Lets the real certbot put a certificate into the shipped nginx site (`certbot install --nginx`, the half of
# `certbot --nginx` that needs no public authority), and asks the nginx that it reloads which certificate it shows.
# In a network of its own, because the site's ports are fixed.
#
# Environment: ARAGORA_BIN_DIR, the executables that install-host.sh wants to see.
# Exit codes: 0 passed, 1 failed, 64 wrong arguments, 77 no network of its own can be had here, or no certbot.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../../../scripts/lib/common.sh"
case "${1:-}" in
  '' | --inside) ;;
  -h | --help) usage && exit 0 ;;
  *) die "$EX_USAGE" "unknown argument: $1" ;;
esac
if [[ "${1:-}" != --inside ]]; then
  command -v certbot >/dev/null || { say "certbot is not installed" && exit 77; }
  is_root || { say "only root can have a network of its own" && exit 77; }
  unshare --net true 2>/dev/null || { say "unshare --net is not permitted here" && exit 77; }
  exec unshare --net "$0" --inside
fi
readonly NAME=aragora.example.com WAIT_SECONDS=20
# The loopback interface of a new network is down (SIOCSIFFLAGS, IFF_UP).
python3 -c 'import fcntl, socket, struct; fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8914, struct.pack("16sh", b"lo", 1))'

base="$(mktemp -d)"
finish() {
  if [[ -s "$base/nginx.pid" ]]; then kill "$(<"$base/nginx.pid")" 2>/dev/null || true; fi
  rm -rf "$base"
}
trap finish EXIT
mkdir -p "$base/nginx/sites-enabled" "$base/log"
DESTDIR="$base/host" "$ROOT/deploy/systemd/install-host.sh" --nginx "$ARAGORA_BIN_DIR" >/dev/null
site="$base/nginx/sites-enabled/aragora"
# The site as it is shipped, but for where its files are, and without IPv6, which this network lacks.
sed -e "s|/etc/ssl/|$base/host/etc/ssl/|; s|/etc/nginx/aragora/|$base/host/etc/nginx/aragora/|; s|/var/log/nginx|$base/log|" \
  -e '/listen \[::\]/d' "$base/host/etc/nginx/sites-available/aragora" >"$site"
printf 'pid %s/nginx.pid;\nerror_log %s/log/error;\nevents {}\nhttp {\n    include %s/nginx/sites-enabled/*;\n}\n' "$base" "$base" "$base" \
  >"$base/nginx/nginx.conf"
nginx -q -t -c "$base/nginx/nginx.conf"
nginx -c "$base/nginx/nginx.conf"
shown() { openssl s_client -connect 127.0.0.1:443 -servername "$NAME" </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256; }
fingerprint() { openssl x509 -in "$1" -noout -fingerprint -sha256; }
await() {
  local end=$((SECONDS + WAIT_SECONDS))
  until [[ "$(shown 2>/dev/null)" = "$1" ]]; do
    ((SECONDS < end)) || die 1 "$2"
    sleep 0.1
  done
}
await "$(fingerprint "$base/host/etc/ssl/certs/aragora.crt")" "nginx does not show the self-signed certificate"

openssl req -x509 -nodes -days 90 -newkey rsa:2048 -subj "/CN=$NAME" -addext "subjectAltName=DNS:$NAME" \
  -keyout "$base/new.key" -out "$base/new.crt" 2>/dev/null
certbot install --nginx --nginx-server-root "$base/nginx" --config-dir "$base/certbot" --work-dir "$base/work" \
  --logs-dir "$base/log" --non-interactive --no-redirect -d "$NAME" --cert-path "$base/new.crt" --key-path "$base/new.key" \
  --fullchain-path "$base/new.crt" >"$base/log/certbot.out" 2>&1 || { cat "$base/log/certbot.out" && die 1 "certbot does not understand the site"; }
grep -q "ssl_certificate $base/new.crt; # managed by Certbot" "$site" || die 1 "certbot wrote no certificate into the site"
await "$(fingerprint "$base/new.crt")" "nginx does not show the certificate that certbot installed"
passes() { grep -c 'proxy_pass http://aragora_' "$1"; }
[[ "$(passes "$site")" = "$(passes "$ROOT/deploy/systemd/nginx-aragora.conf")" ]] || die 1 "certbot lost lines of the site"
say "certbot $(certbot --version | sed 's/.* //') installs into the site, and nginx shows its certificate"
