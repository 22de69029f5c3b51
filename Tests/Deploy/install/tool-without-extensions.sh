#!/bin/sh
# Stands for a tool of PATH: writes down how it was called, refuses what only GNU's version can, then is busybox's.
# Called through a link that has the tool's name.
tool="${0##*/}"
{
  printf '%s' "$tool"
  for argument in "$@"; do printf ' %s' "$argument"; done
  echo
} >>"$FAKE_DOCKER/tools"
refuse() {
  echo "$tool: $1 is not understood by BSD's $tool" >&2
  exit 99
}
for argument in "$@"; do
  case "$tool:$argument" in
    *:--) ;;
    openssl:*) ;;
    *:--*) refuse "$argument" ;;
    sed:-i* | sed:-r | sed:-*z* | date:-d* | grep:-*P* | mv:-*T* | cp:-*t* | ls:-*Z* | tail:-*z* | sort:-*V* | df:-*h*) refuse "$argument" ;;
    sed:*'\+'* | sed:*'\|'* | sed:*'\?'*) refuse "$argument" ;;
  esac
done
exec /bin/busybox "$tool" "$@"
