# shellcheck shell=bash
# What must be there before an installation begins. Sourced by install.sh, never run. For bash 3.2.
#
# install.sh sets start.
# shellcheck disable=SC2154

readonly DOCKER_MINIMUM="20.10" COMPOSE_V1_MINIMUM="1.28"
readonly MEMORY_WARN_MB=3584 DISK_WARN_MB=10240

good() { say "  ok       $*"; }
doubt() { say "  warning  $*"; }

# miss WHAT NEXT: something without which it can not work; all of them are told before the end.
missing_count=0
miss() {
  missing_count=$((missing_count + 1))
  say "  MISSING  $1"
  say "           Next: $2"
}

# version_at_least HAVE WANT: by the first two numbers; "25.0.3-ce", "20.10.24+dfsg1" and "v2.24.0" are versions.
version_at_least() {
  local have="${1#v}" want="$2" have_major have_minor want_major want_minor
  have_major="${have%%.*}"
  have_minor="${have#*.}"
  have_minor="${have_minor%%[!0-9]*}"
  want_major="${want%%.*}"
  want_minor="${want#*.}"
  case "$have_major" in '' | *[!0-9]*) return 1 ;; esac
  [ "$have_major" -gt "$want_major" ] || { [ "$have_major" -eq "$want_major" ] && [ "${have_minor:-0}" -ge "$want_minor" ]; }
}

# Sets COMPOSE_COMMAND to what calls Compose here, and COMPOSE_VERSION; empty when there is none.
find_compose() {
  COMPOSE_COMMAND="" COMPOSE_VERSION=""
  if COMPOSE_VERSION="$(docker compose version --short 2>/dev/null)" && [ -n "$COMPOSE_VERSION" ]; then
    COMPOSE_COMMAND="docker compose"
  elif COMPOSE_VERSION="$(docker-compose version --short 2>/dev/null)" && [ -n "$COMPOSE_VERSION" ]; then
    COMPOSE_COMMAND="docker-compose"
  fi
}

system_name() { uname -s 2>/dev/null || echo unknown; }
is_wsl() { grep -qi microsoft /proc/version 2>/dev/null; }

how_to_get_docker() {
  case "$(system_name)" in
    Darwin) echo "install Docker Desktop (https://docs.docker.com/desktop/setup/install/mac-install/) and start it" ;;
    *)
      if is_wsl; then
        echo "install Docker Desktop on Windows and switch on its WSL integration for this distribution, or install Docker Engine in it"
      else
        echo "install Docker Engine, $DOCKER_MINIMUM or newer (https://docs.docker.com/engine/install/)"
      fi
      ;;
  esac
}

how_to_reach_docker() {
  case "$1" in
    *"permission denied"*) echo "sudo usermod -aG docker $(id -un), then log out and in; or run this with sudo" ;;
    *)
      case "$(system_name)" in
        Darwin) echo "start Docker Desktop and wait until it says that it runs" ;;
        *) if is_wsl; then echo "start Docker Desktop on Windows, with WSL integration for this distribution"; else echo "sudo systemctl start docker"; fi ;;
      esac
      ;;
  esac
}

check_prerequisites() {
  missing_count=0
  check_docker
  check_compose
  if command -v openssl >/dev/null 2>&1; then
    good "openssl"
  else
    miss "openssl, which makes the secrets and the certificate" "install the package openssl (apt install openssl, dnf install openssl, brew install openssl)"
  fi
  check_disk
  [ "$missing_count" -eq 0 ] || die "$EX_MISSING" "$missing_count missing; nothing was changed"
}

check_docker() {
  local version answer memory
  if ! command -v docker >/dev/null 2>&1; then
    miss "docker" "$(how_to_get_docker)"
    return 0
  fi
  # "Docker version 25.0.3, build 4debf41", or of a stand-in "podman version 4.3.1".
  version="$(docker --version 2>/dev/null || true)"
  case "$version" in
    podman*) good "${version} in docker's place" ;;
    *)
      version="${version#*ersion }"
      version="${version%%,*}"
      if version_at_least "$version" "$DOCKER_MINIMUM"; then
        good "docker $version"
      else
        miss "docker $DOCKER_MINIMUM or newer (here: ${version:-a version that can not be read})" "$(how_to_get_docker)"
        return 0
      fi
      ;;
  esac
  if ! answer="$(docker info --format '{{.MemTotal}}' 2>&1)"; then
    miss "the Docker daemon does not answer" "$(how_to_reach_docker "$answer")"
    return 0
  fi
  memory="$(printf '%s\n' "$answer" | tail -n 1)"
  check_memory "$memory"
  check_ports
}

check_compose() {
  if [ -z "$COMPOSE_COMMAND" ]; then
    miss "Docker Compose" "install the Compose plugin: apt install docker-compose-plugin, or https://docs.docker.com/compose/install/"
  elif [ "$COMPOSE_COMMAND" = "docker compose" ] || version_at_least "$COMPOSE_VERSION" 2.0; then
    good "$COMPOSE_COMMAND ${COMPOSE_VERSION#v}"
  elif version_at_least "$COMPOSE_VERSION" "$COMPOSE_V1_MINIMUM"; then
    doubt "docker-compose $COMPOSE_VERSION works but is no longer maintained; where a guide says 'docker compose', type 'docker-compose --env-file deploy/.env'"
  else
    miss "Docker Compose 2 (here: docker-compose $COMPOSE_VERSION)" "apt install docker-compose-plugin, or https://docs.docker.com/compose/install/"
  fi
}

# Of the machine that runs the containers: on macOS and Windows that is a virtual one, smaller than this.
check_memory() {
  local megabytes
  case "$1" in '' | *[!0-9]*) return 0 ;; esac
  megabytes=$(($1 / 1048576))
  [ "$megabytes" -gt 0 ] || return 0
  if [ "$megabytes" -lt "$MEMORY_WARN_MB" ]; then
    doubt "$megabytes MB of memory for containers; 4 GB is the minimum (Docker Desktop: Settings, Resources)"
  else
    good "$megabytes MB of memory"
  fi
}

check_disk() {
  local kilobytes
  # The available space is the field before the first one that ends in "%"; names of devices may hold spaces.
  kilobytes="$(df -Pk "$DEPLOY" 2>/dev/null | awk 'NR == 2 { for (i = 2; i <= NF; i++) if ($i ~ /%$/) { print $(i - 1); exit } }')"
  case "$kilobytes" in '' | *[!0-9]*) return 0 ;; esac
  if [ $((kilobytes / 1024)) -lt "$DISK_WARN_MB" ]; then
    doubt "$((kilobytes / 1024)) MB free on the disk of $DEPLOY; 10 GB is the minimum"
  else
    good "$((kilobytes / 1024)) MB of free disk"
  fi
}

port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Ports that our own nginx holds already are as they should be.
check_ports() {
  local port taken=""
  for port in $(published_ports); do
    if port_taken "$port"; then taken="${taken:+$taken and }$port"; fi
  done
  if [ -z "$taken" ]; then
    good "ports $(published_ports) are free"
  elif service_runs nginx; then
    good "ports $(published_ports) are held by this installation"
  elif [ "$start" = no ]; then
    doubt "port $taken in use: sudo lsof -i :${taken%% *} says by whom; it must be free before you start"
  else
    miss "port $taken (in use by another program)" "sudo lsof -i :${taken%% *} says by whom; stop it, or choose another: ARAGORA_HTTP_PORT=8081 ARAGORA_HTTPS_PORT=8443 ARAGORA_LOCAL_PORT=8082 bash scripts/install.sh (deploy/.env remembers them)"
  fi
}
