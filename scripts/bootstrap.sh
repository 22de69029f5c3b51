#!/usr/bin/env bash
# Usage: scripts/bootstrap.sh [--quiet] [--check] [--deploy] [--containers] [--benchmarks] [--model] [--web]
#
# Makes this machine able to build and run Aragora: installs the Debian packages that are missing
# (as root, or through sudo) and checks that a Swift toolchain is there. Every other script calls it;
# when nothing is missing it costs one dpkg-query.
#
#   --quiet   say nothing when there is nothing to do
#   --check   install nothing; exit 78 and name what is missing
#   --deploy   also what scripts/check-deploy.sh needs: nginx, Prometheus and its exporters
#   --containers  also what scripts/check-images.sh and check-stack.sh need: an engine and debootstrap
#   --model    also what scripts/check-model.sh needs
#   --benchmarks  also what only scripts/bench.sh needs: the load generator and the rivals
#   --web      also what scripts/check-web.sh and check-web-manage.sh need: the browser
#
# Exit codes: 0 ready, 64 wrong arguments, 69 the packages could not be installed,
# 78 not Debian, neither root nor sudo, or no Swift toolchain.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"

# C libraries behind the modules of Shared/C; the two stores; what scripts call.
PACKAGES=(
  libhiredis-dev libpq-dev libcurl4-openssl-dev libssl-dev zlib1g-dev libc6-dev libstdc++-12-dev
  postgresql postgresql-client pgbouncer redis-server
  libfaketime pkg-config make jq curl openssl ca-certificates git python3 python3-venv shellcheck util-linux
)
readonly DEPLOY_PACKAGES=(
  nginx-light nghttp2-client docker-compose yamllint systemd busybox faketime certbot python3-certbot-nginx
  prometheus prometheus-alertmanager prometheus-node-exporter prometheus-postgres-exporter prometheus-redis-exporter
  prometheus-nginx-exporter prometheus-blackbox-exporter
)
readonly CONTAINER_PACKAGES=(
  podman buildah runc netavark aardvark-dns slirp4netns containernetworking-plugins catatonit uidmap iptables
  debootstrap docker-compose
)
readonly MODEL_PACKAGES=(spin gcc)
readonly BENCHMARK_PACKAGES=(wrk nginx-light libnginx-mod-nchan gcc liburing-dev)
# Pictures of the page should look alike on every machine: the font comes with it.
readonly WEB_PACKAGES=(chromium fonts-inter)

quiet=no
check=no
for argument in "$@"; do
  case "$argument" in
    --quiet) quiet=yes ;;
    --check) check=yes ;;
    --deploy) PACKAGES+=("${DEPLOY_PACKAGES[@]}") ;;
    --containers) PACKAGES+=("${CONTAINER_PACKAGES[@]}") ;;
    --model) PACKAGES+=("${MODEL_PACKAGES[@]}") ;;
    --benchmarks) PACKAGES+=("${BENCHMARK_PACKAGES[@]}") ;;
    --web) PACKAGES+=("${WEB_PACKAGES[@]}") ;;
    -h | --help) usage && exit 0 ;;
    *) die "$EX_USAGE" "unknown argument: $argument (see --help)" ;;
  esac
done

# Prints the packages of PACKAGES that are not installed.
missing_packages() {
  local installed
  # dpkg-query exits 1 when it has never heard of one; what it prints still counts.
  installed="$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${PACKAGES[@]}" 2>/dev/null || true)"
  local package
  for package in "${PACKAGES[@]}"; do
    grep -qx "installed $package" <<<"$installed" || printf '%s\n' "$package"
  done
}

# Runs a command as root.
as_root() {
  if is_root; then "$@"; else sudo -- "$@"; fi
}

# The packages' own daemons must not start: we run private ones, on other ports, with other data.
readonly POLICY=/usr/sbin/policy-rc.d
install_packages() {
  is_root || command -v sudo >/dev/null || die "$EX_CONFIG" "missing Debian packages: $*. Run this as root, or install sudo."
  local made_policy=no
  if [[ ! -e "$POLICY" ]]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
    as_root chmod 755 "$POLICY"
    made_policy=yes
  fi
  local failed=no
  step "installing Debian packages: $*"
  as_root apt-get update -qq >&2 || failed=yes
  [[ "$failed" = yes ]] || as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "$@" >&2 || failed=yes
  [[ "$made_policy" = no ]] || as_root rm -f "$POLICY"
  [[ "$failed" = no ]] || die "$EX_UNAVAILABLE" "apt-get failed; the lines above say why"
}

command -v dpkg-query >/dev/null || die "$EX_CONFIG" "this is not a Debian system; install what corresponds to: ${PACKAGES[*]}"
mapfile -t missing < <(missing_packages)
if [[ ${#missing[@]} -gt 0 ]]; then
  [[ "$check" = no ]] || die "$EX_CONFIG" "missing Debian packages: ${missing[*]}"
  install_packages "${missing[@]}"
fi

find_swift || die "$EX_CONFIG" "no Swift toolchain: 'swift' is neither on PATH nor in /opt/swift/usr/bin or /usr/local/bin.
Install Swift 6.3 for Debian 12 from https://www.swift.org/install/linux/ and put its usr/bin on PATH."

[[ "$quiet" = yes ]] || say "ready: $(swift --version 2>/dev/null | head -n 1), all ${#PACKAGES[@]} Debian packages installed"
