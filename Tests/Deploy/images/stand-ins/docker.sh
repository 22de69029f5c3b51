#!/usr/bin/env bash
# Stands in for docker on a machine that has podman: `docker compose` is docker-compose 1.29, the rest is podman.
# Not imitated: what only the plugin knows (`include`, `up --wait`, `docker compose ls`).
set -euo pipefail

# Like the plugin, and unlike docker-compose, read the .env beside the first compose file.
compose() {
  local arguments=("$@") file="" environment=""
  while [[ $# -gt 0 ]]; do
    case "$1" in
      -f | --file) file="${file:-${2:-}}" ;;
      --env-file | --env-file=*) environment=given ;;
    esac
    shift
  done
  if [[ -n "$file" && -z "$environment" && -f "$(dirname -- "$file")/.env" ]]; then
    arguments=(--env-file "$(dirname -- "$file")/.env" "${arguments[@]}")
  fi
  exec docker-compose "${arguments[@]}"
}

case "${1:-}" in
  compose)
    shift
    compose "$@"
    ;;
  info)
    case "${3:-}" in
      *MemTotal*) exec podman info --format '{{.Host.MemTotal}}' ;;
      *SecurityOptions*) echo '[name=seccomp]' && exit 0 ;;
    esac
    ;;
esac
exec podman "$@"
