#!/usr/bin/env bash
# Usage: deploy/systemd/install-host.sh [--nginx] BIN_DIR
#
# Installs Aragora on a host with systemd and without containers: the five executables of BIN_DIR into /usr/local/bin, the
# units, and the user `aragora`. Starts nothing. Run it again to upgrade: settings that are there stay, what is ours is
# replaced, each file whole; then restart one service after the other.
#
#   --nginx    also the nginx site, with a self-signed certificate until certbot brings one
#
# Environment:
#   DESTDIR=DIR    install below DIR, for packages and tests: no user is made, nothing is told to systemd
#
# Exit codes: 0 installed, 64 wrong arguments, 69 an executable is missing, 77 not root.
set -euo pipefail

readonly PRODUCTS=(aragora-api aragora-ws-gateway aragora-debate-worker aragora-backup aragora)
here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)"
readonly here root="${DESTDIR:-}"

die() {
  printf 'error: %s\n' "$2" >&2
  exit "$1"
}
with_nginx=no bin=""
for argument in "$@"; do
  case "$argument" in
    --nginx) with_nginx=yes ;;
    -h | --help) awk 'NR == 1 { next } /^#/ { sub(/^# ?/, ""); print; next } { exit }' "$0" && exit 0 ;;
    -*) die 64 "unknown argument: $argument (see --help)" ;;
    *) bin="$argument" ;;
  esac
done
[[ -n "$bin" ]] || die 64 "which folder has the executables? (see --help)"
for product in "${PRODUCTS[@]}"; do
  [[ -x "$bin/$product" ]] || die 69 "no executable $product in $bin"
done

group=(-g aragora)
if [[ -n "$root" ]]; then
  group=()
elif [[ "$(id -u)" -ne 0 ]]; then
  die 77 "run this as root"
elif ! getent passwd aragora >/dev/null; then
  useradd --system --user-group --home-dir /var/lib/aragora --shell /usr/sbin/nologin aragora
fi

# A running service keeps the file that it began with: install writes another and renames.
put() {
  local mode="$1" to="$root$3"
  install -D -m "$mode" -- "$2" "$to.new.$$" && mv -f -- "$to.new.$$" "$to"
}
for product in "${PRODUCTS[@]}"; do put 755 "$bin/$product" "/usr/local/bin/$product"; done
for script in aragora-fetch-secrets aragora-instance aragora-await-ready; do
  put 755 "$here/$script" "/usr/local/lib/aragora/$script"
done
for unit in "$here"/*.service "$here"/*.target "$here"/*.service.d/*.conf; do
  put 644 "$unit" "/etc/systemd/system/${unit#"$here/"}"
done
put 644 "$here/aragora.tmpfiles.conf" /etc/tmpfiles.d/aragora.conf
install -d -m 750 "${group[@]}" -- "$root/etc/aragora"
if [[ ! -e "$root/etc/aragora/aragora.env" ]]; then
  install -m 640 "${group[@]}" -- "$here/aragora.env.example" "$root/etc/aragora/aragora.env"
fi

if [[ "$with_nginx" = yes ]]; then
  for file in "$here"/../compose/nginx/cdn-*.conf; do
    put 644 "$file" "/etc/nginx/aragora/$(basename -- "$file")"
  done
  [[ -e "$root/etc/nginx/aragora/clients.conf" ]] || ln -s cdn-none.conf "$root/etc/nginx/aragora/clients.conf"
  if [[ ! -e "$root/etc/nginx/sites-available/aragora" ]]; then
    put 644 "$here/nginx-aragora.conf" /etc/nginx/sites-available/aragora
    install -d -- "$root/etc/nginx/sites-enabled"
    ln -sf ../sites-available/aragora "$root/etc/nginx/sites-enabled/aragora"
  fi
  if [[ ! -e "$root/etc/ssl/private/aragora.key" ]]; then
    install -d -- "$root/etc/ssl/certs"
    install -d -m 710 -- "$root/etc/ssl/private"
    (umask 077 && openssl req -x509 -nodes -days 365 -newkey rsa:2048 -subj /CN=aragora.local -addext subjectAltName=DNS:aragora.local,DNS:localhost \
      -keyout "$root/etc/ssl/private/aragora.key" -out "$root/etc/ssl/certs/aragora.crt" 2>/dev/null)
    chmod 644 "$root/etc/ssl/certs/aragora.crt"
  fi
fi

if [[ -z "$root" ]]; then
  systemd-tmpfiles --create aragora.conf
  systemctl daemon-reload
fi
cat <<END
Installed. Next: settings in /etc/aragora/aragora.env, then
  systemctl enable --now aragora.target aragora aragora-ws-gateway aragora-debate-worker@1 aragora-backup
END
