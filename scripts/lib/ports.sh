# shellcheck shell=bash
# Free TCP ports on the loopback interface. Sourced, never run.

# Below the range the kernel gives to outgoing connections (32768 and up), so that a port found
# free is not taken by somebody's client socket a moment later.
readonly FIRST_PORT=20000 LAST_PORT=31999 PORT_ATTEMPTS=200

PICKED_PORTS=" "

# Does nobody listen on 127.0.0.1:PORT?
port_is_free() {
  ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Sets the variable named by $1 to a free port not given out before by this process.
# (By name, because a subshell would forget what it gave out.)
pick_port() {
  local candidate attempt
  for ((attempt = 0; attempt < PORT_ATTEMPTS; attempt++)); do
    candidate=$((FIRST_PORT + (RANDOM * 32768 + RANDOM) % (LAST_PORT - FIRST_PORT + 1)))
    [[ "$PICKED_PORTS" != *" $candidate "* ]] || continue
    port_is_free "$candidate" || continue
    PICKED_PORTS+="$candidate "
    printf -v "$1" '%s' "$candidate"
    return 0
  done
  die "$EX_UNAVAILABLE" "no free port found between $FIRST_PORT and $LAST_PORT"
}
