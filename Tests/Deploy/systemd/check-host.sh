#!/usr/bin/env bash
# Usage: Tests/Deploy/systemd/check-host.sh [--help]
#
# Installs deploy/systemd into a folder and executes what its units say, line by line, as systemd would: two APIs, a
# gateway, a worker and the backup with a secrets manager that is a stub, real stores, and real nginx with the shipped site
# before them. host.py has the sentences. In a network of its own, because the units' ports are fixed.
#
# Environment: ARAGORA_BIN_DIR, the executables.
# Exit codes: 0 passed, 1 findings, 64 wrong arguments, 77 no network of its own can be had here.
set -euo pipefail
folder="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)"
for library in common ports process stack; do
  # shellcheck source=/dev/null
  source "$folder/../../../scripts/lib/$library.sh"
done
case "${1:-}" in
  '' | --inside) ;;
  -h | --help) usage && exit 0 ;;
  *) die "$EX_USAGE" "unknown argument: $1" ;;
esac

if [[ "${1:-}" != --inside ]]; then
  is_root || { say "only root can have a network of its own" && exit 77; }
  unshare --net true 2>/dev/null || { say "unshare --net is not permitted here" && exit 77; }
  exec unshare --net "$0" --inside
fi
# The loopback interface of a new network is down (SIOCSIFFLAGS, IFF_UP).
python3 -c 'import fcntl, socket, struct; fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8914, struct.pack("16sh", b"lo", 1))'
with_private_stores python3 "$folder/host.py"
