#!/bin/sh
# The vendor's: before nginx starts, each *.envsh of /docker-entrypoint.d is read and each *.sh is run, in order.
set -e
if [ "$1" = nginx ] || [ "$1" = nginx-debug ]; then
  # shellcheck disable=SC1090 # the files are the user's
  for file in /docker-entrypoint.d/*; do
    [ -x "$file" ] || continue
    case "$file" in
      *.envsh) . "$file" ;;
      *.sh) "$file" ;;
    esac
  done
fi
exec "$@"
