#!/usr/bin/env bash
# Usage: scripts/check-images.sh [--cache DIR] [--keep]          (needs root, podman, runc and debootstrap)
#
# Builds every target of deploy/images/Dockerfile, as the Dockerfile says, and checks the images by running them: size,
# user, read-only root without capabilities, libraries, version, health, /health/build, what a stop does, that pg_dump is
# the server's, that nothing of the working copy but the sources gets in. Prints a line per check and a table.
#
# The vendors' base images are made here from Debian's packages (scripts/lib/containers.sh says how), so no registry
# is asked; what is proven is our Dockerfile, not debian:bookworm-slim, swift:6.3.1-bookworm or postgres:16-bookworm.
#
#   --cache DIR  keep images and compiled objects there for the next run (outside the repository; 4 GB)
#   --keep       leave the scratch folder
#
# Environment: JOBS bounds the compiler; TMPDIR is where the scratch folder is made (3 GB; default /var/tmp).
#
# Exit codes: 0 all passed, 1 a check failed, 64 wrong arguments, 70 an image could not be built,
# 77 containers can not run here (the last line says why).
set -euo pipefail
for library in common process containers checks; do
  # shellcheck source=/dev/null
  source "$(dirname -- "${BASH_SOURCE[0]}")/lib/$library.sh"
done

# What `docker images` shows, in bytes: layers unpacked, the base included.
readonly SINGLE_LIMIT=120000000 ALL_LIMIT=150000000
readonly HEALTH_SECONDS=30 STOP_SECONDS=40
readonly POSTGRES_IMAGE=postgres:16-bookworm
VERSION="$(sed -n 's/.*productVersion = "\(.*\)"$/\1/p' "$ROOT/Shared/Platform/BuildInfo.swift")"
readonly VERSION PREFIX=localhost/aragora-check
readonly SERVICES=(api ws-gateway debate-worker backup)
# As compose and the manifests start them, and stricter than any default.
readonly HARDENED=(--read-only --read-only-tmpfs=false --cap-drop=ALL --security-opt=no-new-privileges)
# Programs that fetch, connect or compile: not needed to run, useful only to an intruder.
readonly FORBIDDEN=(curl wget nc ncat netcat telnet ssh git gcc cc python3 swift)

cache="" keep=no arguments=("$@")
while [[ $# -gt 0 ]]; do
  case "$1" in
    --cache)
      [[ -n "${2:-}" ]] || die "$EX_USAGE" "--cache needs a folder"
      cache="$2"
      shift
      ;;
    --keep) keep=yes ;;
    -h | --help) usage && exit 0 ;;
    *) die "$EX_USAGE" "unknown argument: $1 (see --help)" ;;
  esac
  shift
done
containers_isolate network "$cache" "$keep" "${arguments[@]}"

executables_of() {
  case "$1" in
    aragora) echo aragora-api aragora-ws-gateway aragora-debate-worker aragora-backup aragora ;;
    cli) echo aragora ;;
    backup) echo aragora-backup aragora ;;
    *) echo "aragora-$1" ;;
  esac
}

image() { printf '%s/%s:latest\n' "$PREFIX" "$1"; }
inspect() { podman image inspect --format "$2" "$(image "$1")"; }

# Prints what a command says in a fresh container of a target, hardened and without a network. Not what podman says
# beside it: that there is no systemd to time health checks, or which cgroups it may not make.
# inside TARGET COMMAND...
inside() {
  local target="$1"
  shift
  podman run --rm "${HARDENED[@]}" --network=none --entrypoint "" "$(image "$target")" "$@" 2>/dev/null || true
}

# --- what an image is ---------------------------------------------------------------------------------------------------

check_size() {
  local limit="$SINGLE_LIMIT" size
  size="$(inspect "$1" '{{.Size}}')"
  [[ "$1" != backup ]] || limit=0
  [[ "$1" != aragora ]] || limit="$ALL_LIMIT"
  sizes[$1]="$((size / 1000000)) MB"
  if ((limit > 0)); then
    verify "$1: $((size / 1000000)) MB, at most $((limit / 1000000))" test "$size" -le "$limit"
  fi
}

check_configuration() {
  expect "$1: runs as" 10001:10001 "$(inspect "$1" '{{.User}}')"
  expect "$1: is stopped by" SIGTERM "$(inspect "$1" '{{.Config.StopSignal}}')"
  expect "$1: label revision" "$IMAGE_SHA" "$(inspect "$1" '{{index .Labels "org.opencontainers.image.revision"}}')"
  expect "$1: label created" "$IMAGE_TIME" "$(inspect "$1" '{{index .Labels "org.opencontainers.image.created"}}')"
  expect "$1: label source" https://github.com/an0mium/aragora "$(inspect "$1" '{{index .Labels "org.opencontainers.image.source"}}')"
}

check_content() {
  local executables product version found
  read -r -a executables <<<"$(executables_of "$1")"
  expect "$1: /usr/local/bin of ours" "$(printf '%s\n' "${executables[@]}" | sort | xargs)" \
    "$(inside "$1" sh -c 'cd /usr/local/bin && ls -d aragora*' | sort | xargs)"
  for product in "${executables[@]}"; do
    version="$(inside "$1" "$product" --version)"
    verify "$1: $product --version, hardened: $version" contains "$version" "$VERSION"
    expect "$1: libraries of $product that do not resolve" "" \
      "$(inside "$1" sh -c "ldd /usr/local/bin/$product | grep 'not found'; true")"
  done
  found="$(inside "$1" sh -c "for tool in ${FORBIDDEN[*]}; do command -v \$tool; done; true" | xargs)"
  expect "$1: programs that fetch or compile" "" "$found"
  # shellcheck disable=SC2016 # expanded inside
  expect "$1: a file written to the root, /usr, /etc or /app" "" \
    "$(inside "$1" sh -c 'for folder in / /usr /etc /app; do touch $folder/x 2>/dev/null && echo $folder; done; true')"
  # /backups of the others is a folder of the base that nobody uses.
  expect "$1: owner of /app/data" aragora:aragora:750 "$(inside "$1" stat -c %U:%G:%a /app/data)"
  verify "$1: certificate authorities" inside_succeeds "$1" test -s /etc/ssl/certs/ca-certificates.crt
}

inside_succeeds() { podman run --rm "${HARDENED[@]}" --network=none --entrypoint "" "$(image "$1")" "${@:2}" >/dev/null 2>&1; }

# --- what an image does -------------------------------------------------------------------------------------------------

# Postgres in a network without a way out. The services join it one after another, on the same 127.0.0.1.
start_postgres() {
  podman run --detach --name check-postgres --network=none --env POSTGRES_USER=aragora --env POSTGRES_PASSWORD=secret \
    "$(containers_full_name "$POSTGRES_IMAGE")" >/dev/null 2>&1
  wait_until "$HEALTH_SECONDS" podman exec check-postgres pg_isready --quiet -h 127.0.0.1 -U aragora ||
    die "$EX_FAILED" "the stand-in for Postgres did not start: $(podman logs --tail 3 check-postgres 2>&1)"
  POSTGRES_PID="$(podman inspect --format '{{.State.Pid}}' check-postgres)"
}

health_of() { podman inspect --format '{{.State.Health.Status}}' "$1" 2>/dev/null; }
# The image's command, now; the state follows it only after the period of grace at the start (a minute).
health_check_fails() { ! podman healthcheck run "$1" >/dev/null 2>&1; }
health_is() { [[ "$(health_of "$1")" = "$2" ]]; }

# Asks a path on the shared 127.0.0.1:9090, from outside the image: inside is nothing to ask with.
ask() { nsenter --net="/proc/$POSTGRES_PID/ns/net" curl --silent --max-time 5 "http://127.0.0.1:9090$1"; }

# One service: healthy with its store, unhealthy while the store is frozen, healthy again, and gone when told.
# check_service TARGET IMAGE COMMAND...
check_service() {
  local target="$1" image="$2" name="check-service" body began code
  shift 2
  podman run --detach --name "$name" "${HARDENED[@]}" --network container:check-postgres --tmpfs /tmp \
    --volume check-backups:/backups --env ARAGORA_MIGRATE_ON_START=true --env ARAGORA_BACKUP_DIR=/backups \
    --env "ARAGORA_POSTGRES_DSN=postgres://aragora:secret@127.0.0.1:5432/aragora" "$image" "$@" >/dev/null 2>&1
  verify "$target: healthy by its own HEALTHCHECK" wait_until "$HEALTH_SECONDS" health_is "$name" healthy
  body="$(ask /health/build)"
  expect "$target: /health/build commit" "$IMAGE_SHA" "$(jq -r .sha <<<"$body" 2>/dev/null)"
  expect "$target: /health/build time" "$IMAGE_TIME" "$(jq -r .build_time <<<"$body" 2>/dev/null)"
  podman pause check-postgres >/dev/null
  verify "$target: its HEALTHCHECK fails while Postgres is frozen" wait_until "$HEALTH_SECONDS" health_check_fails "$name"
  podman unpause check-postgres >/dev/null
  verify "$target: and passes again" wait_until "$HEALTH_SECONDS" podman healthcheck run "$name"
  began="$EPOCHREALTIME"
  podman stop --time "$STOP_SECONDS" "$name" >/dev/null 2>&1
  code="$(podman inspect --format '{{.State.ExitCode}}' "$name")"
  expect "$target: exit code after SIGTERM ($(elapsed "$began") s)" 0 "$code"
  [[ "$code" = 0 ]] || podman logs --tail 5 "$name" >&2
  podman rm --force "$name" >/dev/null 2>&1
}

check_backup_tools() {
  local server tool
  server="$(podman run --rm --network=none --entrypoint "" "$(containers_full_name "$POSTGRES_IMAGE")" postgres --version 2>/dev/null | awk '{ print $3 }')"
  for tool in pg_dump pg_restore pg_basebackup pg_receivewal psql; do
    expect "backup: $tool is the server's version" "$server" "$(inside backup "$tool" --version | awk '{ print $3 }')"
  done
}

# --- how it is built ----------------------------------------------------------------------------------------------------

# Another commit and time, no other change: all layers with content must be the same ones, and the commit the new one.
check_layers() {
  local before after
  before="$(inspect api '{{json .RootFS.Layers}}' | jq -c '.[:-1]')"
  IMAGE_SHA=other IMAGE_TIME=later containers_target api "$PREFIX/again"
  after="$(podman image inspect --format '{{json .RootFS.Layers}}' "$PREFIX/again" | jq -c '.[:-1]')"
  verify "api: a build with another commit keeps all $(jq length <<<"$before") layers with content" test "$before" = "$after"
  verify "api: and names that commit" contains "$(podman image inspect --format '{{.Config.Env}}' "$PREFIX/again")" ARAGORA_BUILD_SHA=other
}

# Nothing but what .dockerignore lets through may reach a build, least of all deploy/.env.
check_context() {
  printf 'FROM %s\nCOPY . /context\n' "$DOCKER_LIBRARY/debian:bookworm-slim" >"$CONTAINERS_HOME/tmp/Containerfile"
  containers_build "$PREFIX/context" "$ROOT" --no-cache --file "$CONTAINERS_HOME/tmp/Containerfile"
  expect "the build's context" "Benchmarks Package.swift Plugins Services Shared Tests" \
    "$(podman run --rm --network=none "$PREFIX/context" sh -c 'ls -A /context' 2>/dev/null | xargs)"
  podman image rm --force "$PREFIX/context" >/dev/null 2>&1 || true
}

# The debug information of the target `symbols` belongs to the very executables of the images.
check_symbols() {
  local symbols api build_id
  IMAGE_SHA=- IMAGE_TIME=- containers_target symbols "$PREFIX/symbols"
  symbols="$(podman image mount "$PREFIX/symbols")"
  api="$(podman image mount "$(image api)")"
  build_id="$(readelf --notes "$api/usr/local/bin/aragora-api" 2>/dev/null | awk '/Build ID/ { print $3 }')"
  expect "symbols: build id of aragora-api" "$build_id" \
    "$(readelf --notes "$symbols/aragora-api.debug" 2>/dev/null | awk '/Build ID/ { print $3 }')"
  verify "api: has a build id and names of functions" has_names "$api/usr/local/bin/aragora-api" "$build_id"
  verify "symbols: have line numbers" contains "$(readelf --sections --wide "$symbols/aragora-api.debug" 2>/dev/null)" .debug_line
  podman image unmount --all >/dev/null
}

has_names() { [[ -n "$2" ]] && contains "$(readelf --sections --wide "$1")" .symtab; }

# --- all of it ----------------------------------------------------------------------------------------------------------

declare -A sizes=() seconds=()
IMAGE_SHA="$(git -C "$ROOT" rev-parse HEAD 2>/dev/null || echo 0000000000000000000000000000000000000000)"
IMAGE_TIME="$(date -u +%Y-%m-%dT%H:%M:%SZ)"
containers_open
containers_base_image
containers_probe
containers_builder_image
step "making the stand-in for $POSTGRES_IMAGE"
containers_stand_in "$POSTGRES_IMAGE"

targets=(aragora api ws-gateway debate-worker cli backup)
for target in "${targets[@]}"; do
  step "building $target"
  began="$EPOCHREALTIME"
  containers_target "$target" "$(image "$target")"
  seconds[$target]="$(elapsed "$began")"
done

step "what they are"
check_context
check_layers
check_symbols
for target in "${targets[@]}"; do
  check_size "$target"
  check_configuration "$target"
  check_content "$target"
done
check_backup_tools

step "what they do"
containers_drive_health
start_postgres
for service in "${SERVICES[@]}"; do
  check_service "$service" "$(image "$service")"
done
check_service "aragora as ws-gateway" "$(image aragora)" aragora-ws-gateway
verify "cli: db verify, hardened" podman run --rm "${HARDENED[@]}" --network container:check-postgres \
  --env "ARAGORA_POSTGRES_DSN=postgres://aragora:secret@127.0.0.1:5432/aragora" "$(image cli)" db verify
containers_close

printf '\n%-14s %8s %9s  %s\n' target size built executables
for target in "${targets[@]}"; do
  printf '%-14s %8s %7s s  %s\n' "$target" "${sizes[$target]}" "${seconds[$target]}" "$(executables_of "$target")"
done
checks_end
