# shellcheck shell=bash
# Processes by identity, not by number alone: a pid is reused, a pid with its start time is not. Sourced, never run.

readonly POLL_SECONDS=0.05

# Prints "<boot id> <start time in ticks since boot>" of a process, or nothing when it is gone or a zombie.
process_identity() {
  local stat fields
  stat="$(cat "/proc/$1/stat" 2>/dev/null)" || return 0
  # The command name may hold spaces and parentheses; what follows its last ")" does not.
  read -r -a fields <<<"${stat##*) }"
  [[ "${fields[0]}" != Z && "${fields[0]}" != X ]] || return 0
  printf '%s %s\n' "$(cat /proc/sys/kernel/random/boot_id)" "${fields[19]}"
}

# Writes FILE.pid and, beside the state of the stack, who that pid was.
# process_record PID PIDFILE IDENTITYFILE
process_record() {
  printf '%s\n' "$1" >"$2"
  process_identity "$1" >"$3"
}

# Prints the pid in PIDFILE if that very process still runs.
# process_recorded PIDFILE IDENTITYFILE
process_recorded() {
  local pid identity
  [[ -s "$1" && -s "$2" ]] || return 0
  pid="$(<"$1")"
  [[ "$pid" =~ ^[0-9]+$ ]] || return 0
  identity="$(process_identity "$pid")"
  [[ -z "$identity" || "$identity" != "$(<"$2")" ]] || printf '%s\n' "$pid"
}

# Waits until COMMAND succeeds; fails after SECONDS.
# wait_until SECONDS COMMAND...
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS <= deadline)) || return 1
    sleep "$POLL_SECONDS"
  done
}

# Closes every descriptor but the first three: a server must not keep our lock, or a caller's pipe, open.
# Only in a subshell that is about to become that server.
close_inherited() {
  local descriptor
  for descriptor in /proc/self/fd/*; do
    descriptor="${descriptor##*/}"
    ((descriptor < 3)) || eval "exec $descriptor>&-"
  done
}

process_gone() { [[ -z "$(process_identity "$1")" ]]; }
