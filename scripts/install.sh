#!/usr/bin/env bash
# Usage: bash scripts/install.sh [--no-start] [--profile NAME]... [--force-env] [--skip-prereqs] [-h]
#
# Installs Aragora on this machine with Docker Compose: checks what it needs, writes deploy/.env with random secrets,
# asks for a provider key, makes a self-signed certificate, pulls or builds the images, starts everything, waits until it
# is healthy and prints where it is. Run it again at any time: what is there is kept, a second run changes nothing.
#
#   --no-start       write the settings and the certificate, start nothing
#   --profile NAME   also start monitoring, workers or backup; may be repeated. Remembered in deploy/.env
#                    (COMPOSE_PROFILES), so that a plain `docker compose … up -d` later starts the same services
#   --force-env      write deploy/.env anew with new secrets; the old one is kept beside it with the date in its name
#   --skip-prereqs   do not check Docker, memory, disk and ports
#   -h, --help       this text
#
# Environment, read when deploy/.env is written:
#   ANTHROPIC_API_KEY, OPENAI_API_KEY, OPENROUTER_API_KEY, MISTRAL_API_KEY, GEMINI_API_KEY, XAI_API_KEY
#                                  copied into it; then nobody is asked
#   ARAGORA_DOMAIN, ACME_EMAIL, ARAGORA_IMAGE, ARAGORA_BACKUP_IMAGE, COMPOSE_PROJECT_NAME, ARAGORA_HTTP_PORT,
#   ARAGORA_HTTPS_PORT, ARAGORA_LOCAL_PORT, ARAGORA_NOFILE
#                                  copied into it, if set
# and in any case:
#   ARAGORA_INSTALL_TIMEOUT=300    seconds until every service must be healthy
#
# Works with bash 3.2 and the tools of macOS, Linux and WSL2. No secret is printed or handed to a program as an argument.
#
# Exit codes: 0 done, 10 something needed is missing, 20 deploy/.env could not be written, 30 the certificate could not be
# made, 40 an image could be neither pulled nor built, 50 the services could not be started, 60 a service did not become
# healthy, 64 wrong arguments, 75 another installation runs, 129, 130 and 143 interrupted (nothing is left half written).
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
readonly EX_MISSING=10 EX_SETTINGS=20 EX_CERTIFICATE=30 EX_IMAGES=40 EX_START=50 EX_UNHEALTHY=60
readonly PROFILES_KNOWN="monitoring workers backup"
readonly DEPLOY="$ROOT/deploy"
readonly ENV_FILE="$DEPLOY/.env" ENV_TEMPLATE="$DEPLOY/.env.template" LOCK="$DEPLOY/.install.lock"
# Used by the libraries.
export EX_MISSING EX_SETTINGS EX_CERTIFICATE EX_IMAGES EX_START EX_UNHEALTHY ENV_FILE ENV_TEMPLATE
for library in checks settings certificate services; do
  # shellcheck source=/dev/null
  . "$ROOT/scripts/lib/install-$library.sh"
done

start=yes force_env=no skip_prereqs=no profiles=""
add_profile() {
  local known
  for known in $PROFILES_KNOWN; do
    if [ "$1" = "$known" ]; then
      case " $profiles " in *" $1 "*) ;; *) profiles="${profiles:+$profiles }$1" ;; esac
      return 0
    fi
  done
  die "$EX_USAGE" "no such profile: '$1' (there are: $PROFILES_KNOWN)"
}

while [ $# -gt 0 ]; do
  case "$1" in
    --no-start) start=no ;;
    --profile)
      [ $# -ge 2 ] || die "$EX_USAGE" "--profile wants a name: $PROFILES_KNOWN"
      add_profile "$2"
      shift
      ;;
    --profile=*) add_profile "${1#--profile=}" ;;
    --force-env) force_env=yes ;;
    --skip-prereqs) skip_prereqs=yes ;;
    -h | --help) usage && exit 0 ;;
    *) die "$EX_USAGE" "unknown argument: '$1' (see --help)" ;;
  esac
  shift
done
export force_env
case "${ARAGORA_INSTALL_TIMEOUT:-300}" in
  '' | *[!0-9]*) die "$EX_USAGE" "ARAGORA_INSTALL_TIMEOUT must be a number of seconds, not '$ARAGORA_INSTALL_TIMEOUT'" ;;
esac

# What is written is first written under a name that ends so, and renamed when it is whole.
readonly UNFINISHED=".unfinished.$$"
locked=no
leave() {
  local code=$?
  trap - EXIT HUP INT TERM
  rm -rf "$ENV_FILE$UNFINISHED" "$DEPLOY/nginx/certs/$UNFINISHED" "${OUTPUT:-/nonexistent/nothing}"
  [ "$locked" = no ] || rm -rf "$LOCK"
  # A prompt that was interrupted leaves the terminal without echo.
  if [ -t 0 ]; then stty echo 2>/dev/null || true; fi
  exit "$code"
}
trap leave EXIT
trap 'say ""; say "interrupted; nothing is half written. Run it again to go on."; exit 129' HUP
trap 'say ""; say "interrupted; nothing is half written. Run it again to go on."; exit 130' INT
trap 'say ""; say "interrupted; nothing is half written. Run it again to go on."; exit 143' TERM

# mkdir is the one test-and-set that every system has. A lock whose process is gone is taken over.
take_lock() {
  local holder
  if ! mkdir "$LOCK" 2>/dev/null; then
    [ -d "$LOCK" ] || die "$EX_SETTINGS" "can not write in $DEPLOY. Next: run this as the user who owns the checkout ($(id -un) does not)."
    holder="$(cat "$LOCK/pid" 2>/dev/null || true)"
    if [ -z "$holder" ] || kill -0 "$holder" 2>/dev/null; then
      die "$EX_BUSY" "another installation runs here (process ${holder:-unknown}). Next: wait for it; if there is none, rm -r '$LOCK'."
    fi
    rm -rf "$LOCK"
    mkdir "$LOCK" 2>/dev/null || die "$EX_BUSY" "another installation has just begun here. Next: wait for it."
  fi
  locked=yes
  printf '%s\n' "$$" >"$LOCK/pid"
}

umask 022
[ -d "$DEPLOY" ] || die "$EX_SETTINGS" "no folder $DEPLOY. Next: run this from a complete checkout (git clone)."
take_lock
find_compose
if [ "$skip_prereqs" = yes ]; then
  step "prerequisites: not checked (--skip-prereqs)"
else
  step "prerequisites"
  check_prerequisites
fi

step "settings: deploy/.env"
write_settings

step "certificate: deploy/nginx/certs"
make_certificate
make_folders

if [ "$start" = no ]; then
  print_how_to_start
  exit 0
fi
step "images"
get_images
step "services"
refuse_foreign_containers
start_services
await_services
print_where_it_is
