# shellcheck shell=bash
# Images, containers, waiting, and what is said at the end. Sourced by install.sh, never run. For bash 3.2.
#
# install.sh sets start, profiles and force_env.
# shellcheck disable=SC2154

readonly COMPOSE_FILE_NAME="deploy/docker-compose.production.yml" OVERRIDE_NAME="deploy/docker-compose.override.yml"
readonly FIXED_CONTAINERS="aragora-postgres aragora-redis"
readonly AWAITED="postgres redis aragora ws-gateway nginx"
readonly LOG_TAIL_LINES=20 RESTARTS_TOLERATED=3
# How often a container is looked at, and how often a person hears that we still wait.
readonly POLL_SECONDS="${ARAGORA_INSTALL_POLL:-2}" HEARTBEAT_SECONDS=15
readonly TIMEOUT_SECONDS="${ARAGORA_INSTALL_TIMEOUT:-300}"
readonly FOREIGN_PORTS="ARAGORA_HTTP_PORT:80 ARAGORA_HTTPS_PORT:443 ARAGORA_LOCAL_PORT:8080"
readonly MONITORING_PORTS="PROMETHEUS_PORT:9090 ALERTMANAGER_PORT:9093 GRAFANA_PORT:3000 JAEGER_PORT:16686"

# What the caller's environment says, else deploy/.env, else the default: Compose's own order.
effective() {
  local value="${!1:-}"
  if [ -n "$value" ]; then printf '%s\n' "$value"; else setting "$1" "$2"; fi
}

project_name() { effective COMPOSE_PROJECT_NAME aragora; }

published_ports() {
  local pair ports="" wanted="$FOREIGN_PORTS"
  case " $profiles $(setting COMPOSE_PROFILES '') " in *monitoring*) wanted="$wanted $MONITORING_PORTS" ;; esac
  for pair in $wanted; do ports="${ports:+$ports }$(effective "${pair%%:*}" "${pair#*:}")"; done
  printf '%s\n' "$ports"
}

# Compose, from the root of the checkout, with deploy/.env. A secret that the caller's shell happens to export would win
# over the file, and the next `up` from another shell would quietly change it: so the file's secrets are the only ones.
compose() {
  local profile
  (
    cd "$ROOT" || exit
    for secret in $SECRETS; do unset "${secret%%:*}"; done
    for secret in $PROVIDER_KEYS COMPOSE_PROFILES COMPOSE_FILE; do unset "$secret"; done
    set -- -f "$COMPOSE_FILE_NAME" "$@"
    # Compose reads this file by itself only where nobody says -f.
    [ ! -f "$OVERRIDE_NAME" ] || { shift 2 && set -- -f "$COMPOSE_FILE_NAME" -f "$OVERRIDE_NAME" "$@"; }
    for profile in $profiles; do set -- --profile "$profile" "$@"; done
    [ ! -f "$ENV_FILE" ] || set -- --env-file "$ENV_FILE" "$@"
    # shellcheck disable=SC2086
    exec $COMPOSE_COMMAND "$@"
  )
}

# The same as a person would type it.
compose_line() {
  local line="docker compose -f $COMPOSE_FILE_NAME"
  [ "${COMPOSE_COMMAND:-docker compose}" = "docker compose" ] || line="$COMPOSE_COMMAND --env-file deploy/.env -f $COMPOSE_FILE_NAME"
  [ ! -f "$ROOT/$OVERRIDE_NAME" ] || line="$line -f $OVERRIDE_NAME"
  printf '%s\n' "$line $*"
}

# The containers of a service; there may be several, or none.
containers_of() { compose ps -q "$1" 2>/dev/null || true; }

# Prints "<health, if there is a check>|<status>|<restarts>" of a container.
container_state() {
  docker inspect --format '{{if .State.Health}}{{.State.Health.Status}}{{end}}|{{.State.Status}}|{{.RestartCount}}' "$1" 2>/dev/null ||
    echo "|missing|0"
}

service_runs() {
  local id state
  [ -n "$COMPOSE_COMMAND" ] && [ -f "$ENV_FILE" ] || return 1
  for id in $(containers_of "$1"); do
    state="$(docker inspect --format '{{.State.Status}}' "$id" 2>/dev/null || true)"
    [ "$state" != running ] || return 0
  done
  return 1
}

# Prints the name of the volume with the database, if there is one already.
database_volume() {
  local volume="${VOLUME_PREFIX:-$(project_name)}_postgres-data"
  ! docker volume inspect "$volume" >/dev/null 2>&1 || printf '%s\n' "$volume"
}

# A database keeps the password it was made with; the container's environment counts only for a new one.
password_to_change=no
warn_of_old_volumes() {
  local volume
  volume="$(database_volume)"
  [ -n "$volume" ] || return 0
  password_to_change=yes
  doubt "the volume $volume keeps the database's old password"
  if [ "$start" = yes ]; then
    say "           it will be changed to the new one below"
  else
    say "           Next, when the services run: $(change_password_line)"
  fi
}

# Inside its container the database trusts its own socket; the password is read there, from the environment.
readonly CHANGE_PASSWORD_SQL="\getenv password POSTGRES_PASSWORD
ALTER ROLE CURRENT_USER PASSWORD :'password';"
# shellcheck disable=SC2016
readonly PSQL_IN_CONTAINER='psql -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB"'
change_password_line() {
  printf '%s\n' "printf '%s\\n' '\\getenv p POSTGRES_PASSWORD' \"ALTER ROLE CURRENT_USER PASSWORD :'p';\" | $(compose_line "exec -T postgres sh -c '$PSQL_IN_CONTAINER'")"
}

change_database_password() {
  compose up -d postgres >"$OUTPUT" 2>&1 || start_failed
  await_service postgres
  printf '%s\n' "$CHANGE_PASSWORD_SQL" | compose exec -T postgres sh -c "$PSQL_IN_CONTAINER" >"$OUTPUT" 2>&1 || {
    cat "$OUTPUT" >&2
    die "$EX_START" "the database's password could not be changed to the one in deploy/.env. Next: $(change_password_line)"
  }
  good "the database's password is the one of deploy/.env"
}

image_here() { docker image inspect "$1" >/dev/null 2>&1; }

# Pulls what is not here; builds what can not be pulled. What is here stays: an upgrade is another command.
get_images() {
  [ -n "$COMPOSE_COMMAND" ] || die "$EX_MISSING" "no Docker Compose. Next: run this without --skip-prereqs; it says what to install."
  new_output
  get_image aragora "$(effective ARAGORA_IMAGE ghcr.io/an0mium/aragora:latest)"
  case " $profiles " in *" backup "*) get_image backup "$(effective ARAGORA_BACKUP_IMAGE ghcr.io/an0mium/aragora-backup:latest)" ;; esac
}

get_image() {
  if image_here "$2"; then
    good "$2: here already"
    return 0
  fi
  say "  pulling $2"
  if compose pull "$1" >"$OUTPUT" 2>&1 && image_here "$2"; then
    good "$2: pulled"
    return 0
  fi
  say "  it can not be pulled ($(tail -n 1 "$OUTPUT" | cut -c 1-160)); building it, which takes minutes"
  if compose build "$1" >"$OUTPUT" 2>&1; then
    good "$2: built"
    return 0
  fi
  tail -n "$LOG_TAIL_LINES" "$OUTPUT" >&2
  die "$EX_IMAGES" "$2 could be neither pulled nor built; the lines above say why. Next: reach the registry (docker login ghcr.io, a proxy), or set ARAGORA_IMAGE in deploy/.env to an image that you have; to build by hand: $(compose_line build "$1")"
}

# Where the programs' own words go until we know whether anybody has to read them.
new_output() { OUTPUT="$(umask 077 && mktemp "${TMPDIR:-/tmp}/aragora-install.XXXXXX")"; }

# Two containers have fixed names, which the guides type; another project's, or another checkout's, would be in the way.
refuse_foreign_containers() {
  local name project ours
  ours="$(project_name)"
  for name in $FIXED_CONTAINERS; do
    project="$(docker inspect --format '{{index .Config.Labels "com.docker.compose.project"}}' "$name" 2>/dev/null)" || continue
    [ "$project" = "$ours" ] ||
      die "$EX_START" "there is a container $name of ${project:+the project }${project:-nobody}, not of the project $ours. Next: stop that installation where it was started (docker compose … down), or, if nobody needs it: docker rm -f $name (volumes stay)."
  done
}

start_services() {
  [ "$password_to_change" = no ] || change_database_password
  say "  starting; the first time the other images are pulled, which takes minutes"
  if ! compose up -d >"$OUTPUT" 2>&1; then start_failed; fi
  good "started${profiles:+, with $profiles}"
}

start_failed() {
  local next
  tail -n "$LOG_TAIL_LINES" "$OUTPUT" >&2
  if grep -qiE 'name .* is already in use|name .* already exists' "$OUTPUT"; then
    next="docker ps -a --filter name=aragora shows the container that has the name; stop that installation (docker compose … down), or docker rm -f it (volumes stay)"
  elif grep -qiE 'port is already allocated|address already in use|ports are not available' "$OUTPUT"; then
    next="sudo lsof -i :$(published_ports | cut -d ' ' -f 2) says who has the port; stop it, or set ARAGORA_HTTP_PORT and ARAGORA_HTTPS_PORT in deploy/.env"
  elif grep -qiE 'no space left' "$OUTPUT"; then
    next="make room: docker system df shows what Docker holds, docker image prune removes what no container uses"
  elif grep -qiE 'pull access denied|manifest unknown|toomanyrequests|TLS handshake|no such host|i/o timeout|connection refused' "$OUTPUT"; then
    next="an image could not be pulled: reach the registry (docker login, a proxy), then run this again"
  elif grep -qiE 'is unhealthy|dependency failed' "$OUTPUT"; then
    next="$(compose_line ps -a) shows which service, $(compose_line logs --tail 50) why"
  else
    next="$(compose_line config --quiet) checks the files, $(compose_line ps -a) shows how far it came"
  fi
  die "$EX_START" "the services could not be started; the lines above say why. Next: $next. Then run this again: it goes on where it ended."
}

await_services() {
  local service wanted="$AWAITED"
  case " $profiles " in *" workers "*) wanted="$wanted debate-worker" ;; esac
  case " $profiles " in *" backup "*) wanted="$wanted backup" ;; esac
  began=$SECONDS
  for service in $wanted; do await_service "$service"; done
}

# Sets WORST to the state of the least healthy container of a service, RESTARTS to the most restarts of one.
look_at() {
  local id seen health status restarts
  WORST="" RESTARTS=0
  for id in $(containers_of "$1"); do
    seen="$(container_state "$id")"
    health="${seen%%|*}" status="${seen#*|}"
    restarts="${status#*|}" status="${status%%|*}"
    case "$restarts" in '' | *[!0-9]*) ;; *) [ "$restarts" -le "$RESTARTS" ] || RESTARTS="$restarts" ;; esac
    # A container that has ended keeps the health it had.
    if [ "$status" = running ] && [ -n "$health" ]; then status="$health"; fi
    case "$status" in
      healthy | running) WORST="${WORST:-$status}" ;;
      *) WORST="$status" ;;
    esac
  done
  WORST="${WORST:-missing}"
}

await_service() {
  local last="" told=$SECONDS restarts_before="" WORST RESTARTS
  began="${began:-$SECONDS}"
  while :; do
    look_at "$1"
    restarts_before="${restarts_before:-$RESTARTS}"
    case "$WORST" in
      healthy | running)
        good "$1: $WORST"
        return 0
        ;;
    esac
    if [ $((RESTARTS - restarts_before)) -ge "$RESTARTS_TOLERATED" ]; then service_failed "$1" "keeps ending and starting"; fi
    if [ $((SECONDS - began)) -ge "$TIMEOUT_SECONDS" ]; then service_failed "$1" "is $WORST after $TIMEOUT_SECONDS s"; fi
    if [ "$WORST" != "$last" ] || [ $((SECONDS - told)) -ge "$HEARTBEAT_SECONDS" ]; then
      say "  waiting  $1: $WORST, $((SECONDS - began)) s of at most $TIMEOUT_SECONDS s"
      last="$WORST" told=$SECONDS
    fi
    sleep "$POLL_SECONDS"
  done
}

service_failed() {
  local next
  say "--- the last lines of $1"
  compose logs --no-color --tail "$LOG_TAIL_LINES" "$1" >&2 2>/dev/null || true
  case "$1" in
    postgres) next="is there room on the disk (docker system df)? Is it an old volume of another version (docker volume ls)?" ;;
    redis) next="is there memory (docker stats --no-stream)?" ;;
    aragora | ws-gateway | debate-worker) next="$(compose_line exec -T aragora aragora doctor) names what is wrong. If the password of the database is: $(change_password_line)" ;;
    backup) next="may the user of BACKUP_USER in deploy/.env write into deploy/backups? ls -ld deploy/backups" ;;
    nginx) next="is the certificate good? openssl x509 -noout -dates -in deploy/nginx/certs/server.crt" ;;
    *) next="$(compose_line logs "$1")" ;;
  esac
  die "$EX_UNHEALTHY" "$1 $2; its last lines are above. Next: $next. Then run this again."
}

# Who owns what the backup service writes: the user of this checkout, so that backups can be copied away; of root's
# checkout the image's own user. Docker without root maps its root to the user who runs it.
choose_owner() {
  case "$(docker info --format '{{.SecurityOptions}}' 2>/dev/null || true)" in
    *rootless*) choose BACKUP_USER 0:0 ;;
    *) is_root || choose BACKUP_USER "$(id -u):$(id -g)" ;;
  esac
}

readonly IMAGE_USER=10001
make_folders() {
  local folder="$DEPLOY/backups"
  if [ ! -d "$folder" ]; then
    (umask 027 && mkdir "$folder") || die "$EX_SETTINGS" "can not make $folder. Next: write access to $DEPLOY."
    if is_root && [ "$(setting BACKUP_USER "$IMAGE_USER:$IMAGE_USER")" = "$IMAGE_USER:$IMAGE_USER" ]; then
      chown "$IMAGE_USER:$IMAGE_USER" "$folder"
    fi
  fi
  mkdir -p "$DEPLOY/nginx/acme"
  open_mounted_files
}

# What is mounted is read by other users than ours; after a clone under umask 077 they could not. Nothing there is secret.
open_mounted_files() {
  [ -d "$DEPLOY/compose" ] || return 0
  [ -n "$(find "$DEPLOY/compose" ! -type l ! -perm -004)" ] || return 0
  if chmod -R go+rX "$DEPLOY/compose" 2>/dev/null; then
    say "  deploy/compose was closed to the containers' users; now they can read it"
  else
    doubt "deploy/compose is closed to the containers' users. Next: chmod -R go+rX deploy/compose, as its owner"
  fi
}

print_how_to_start() {
  say ""
  say "Configured, not started (--no-start). To start: $(compose_line up -d)"
}

base_url() {
  local port
  port="$(effective ARAGORA_HTTPS_PORT 443)"
  [ "$port" != 443 ] || port=""
  printf 'https://%s%s\n' "$1" "${port:+:$port}"
}

print_where_it_is() {
  local domain url
  url="$(base_url localhost)"
  domain="$(setting ARAGORA_DOMAIN '')"
  say ""
  say "Aragora runs."
  say ""
  say "  $url/                 the page and the API (self-signed certificate: curl -k)"
  say "  $url/healthz          health"
  say "  wss://${url#https://}/ws               live events"
  case "$domain" in
    '' | localhost | *.example.com) ;;
    *) say "  $(base_url "$domain")/" ;;
  esac
  case " $profiles " in
    *" monitoring "*)
      say "  $url/grafana/         user $(setting GRAFANA_USER admin), password: GRAFANA_PASSWORD in deploy/.env"
      say "  http://127.0.0.1:$(effective PROMETHEUS_PORT 9090)/         Prometheus; Alertmanager $(effective ALERTMANAGER_PORT 9093), Jaeger $(effective JAEGER_PORT 16686), from this machine only"
      ;;
  esac
  say ""
  say "The first debate:"
  say ""
  # On stdout: it is the result, and can be piped into a shell.
  cat <<END
TOKEN="\$(sed -n 's/^ARAGORA_API_TOKEN=//p' deploy/.env | tr -d '\\r')"
curl -k -X POST $url/api/v1/debates \\
  -H "Authorization: Bearer \$TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"topic": "What is the best database for startups?", "rounds": 2}'
END
  say ""
  say "Status: $(compose_line ps)      Logs: $(compose_line logs -f aragora)"
  say "Check:  $(compose_line exec aragora aragora doctor)"
}
