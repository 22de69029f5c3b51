#!/usr/bin/env bash
# Stands in for docker on a machine that has podman: `docker compose` is docker-compose 1.29, the rest is podman.
# Not imitated: what only the plugin knows (`include`, `up --wait`, `docker compose ls`).
set -euo pipefail

# Like the plugin, and unlike docker-compose, read the .env beside the first compose file. Behind the last one comes
# docker-compose.podman.yml, if that lies beside it: what this engine needs to be told.
compose() {
  local before=() file="" folder="" environment=""
  # The options before the subcommand.
  while [[ $# -gt 0 && "$1" = -* ]]; do
    case "$1" in
      -f | --file) file="${file:-${2:-}}" ;;
      --env-file | --env-file=*) environment=given ;;
    esac
    before+=("$1")
    case "$1" in
      -f | --file | -p | --project-name | --profile | --env-file | --project-directory | --ansi)
        before+=("${2:-}")
        shift
        ;;
    esac
    shift
  done
  [[ -z "$file" ]] || folder="$(dirname -- "$file")"
  [[ -z "$folder" || ! -f "$folder/docker-compose.podman.yml" ]] || before+=(-f "$folder/docker-compose.podman.yml")
  [[ -z "$folder" || -n "$environment" || ! -f "$folder/.env" ]] || before+=(--env-file "$folder/.env")
  # It says of every service that it does not know reservations of processors; the plugin does.
  docker-compose "${before[@]}" "$@" 2> >(grep -v 'deploy sub-keys are not supported' >&2)
}

case "${1:-}" in
  compose)
    shift
    compose "$@"
    exit
    ;;
  info)
    case "${3:-}" in
      *MemTotal*) exec podman info --format '{{.Host.MemTotal}}' ;;
      *SecurityOptions*) echo '[name=seccomp]' && exit 0 ;;
    esac
    ;;
esac
exec podman "$@"
