#!/usr/bin/env bash
# Usage: Tests/Deploy/systemd/booted/run.sh [--cache DIR]          (needs root and debootstrap; three minutes)
#
# Boots a small Debian whose process 1 is systemd, installs Aragora in it with deploy/systemd/install-host.sh beside Debian's
# own Postgres and Redis, and operates it by systemctl and journalctl: scenario.sh, inside. It has processes, mounts, network,
# host name and cgroups of its own; /proc/sys and /sys are read-only there, and capabilities that reach the kernel are gone,
# so that nothing of this machine changes.
#
#   --cache DIR   keep the Debian for the next time
#
# Environment: ARAGORA_BIN_DIR, use these executables (default: builds debug ones).
# Exit codes: 0 passed, 1 findings, 64 wrong arguments, 77 can not be done here (the last line says why), 78 see bootstrap.sh.
set -euo pipefail
here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)"
for library in common build; do
  # shellcheck source=/dev/null
  source "$here/../../../../scripts/lib/$library.sh"
done
readonly PACKAGES=systemd,systemd-sysv,dbus,python3-minimal,libpython3-stdlib,postgresql,redis-server,libhiredis0.14,libcurl4,libpq5,zlib1g,curl,openssl,procps
readonly BOOT_SECONDS=60 SCENARIO_SECONDS=400
readonly CGROUPS=/sys/fs/cgroup/systemd

# Inside the new namespaces: everything below, and only that, is ROOT's. Becomes its process 1.
boot() {
  local device
  # Anywhere else these mounts would be this machine's.
  [[ "$$" -eq 1 && -e "$1/lib/systemd/systemd" ]] || die "$EX_USAGE" "--boot is for process 1 of the new system"
  mount --make-rprivate /
  mount --bind "$1" "$1"
  cd "$1"
  mount -t proc proc proc
  # No setting of the kernel can be changed (systemd-sysctl sees that and stays away).
  mount --bind proc/sys proc/sys
  mount -o remount,bind,ro proc/sys
  mount -t sysfs -o ro sysfs sys
  mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
  mkdir sys/fs/cgroup/systemd
  mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
  mount -o remount,ro sys/fs/cgroup
  mount -t tmpfs -o mode=755 tmpfs run
  mount -t tmpfs -o mode=1777 tmpfs tmp
  # No real device: no disk, no terminal.
  mount -t tmpfs -o mode=755 tmpfs dev
  for device in null zero full random urandom tty; do
    touch "dev/$device"
    mount --bind "/dev/$device" "dev/$device"
  done
  mkdir -p dev/shm dev/pts old
  mount -t tmpfs -o mode=1777 tmpfs dev/shm
  mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
  ln -s pts/ptmx dev/ptmx
  ln -s /proc/self/fd dev/fd
  pivot_root . old
  cd /
  umount -l /old
  exec env -i container=aragora PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    setpriv --bounding-set=-sys_time,-sys_module,-syslog,-sys_rawio,-mknod,-wake_alarm,-mac_admin,-mac_override \
    /lib/systemd/systemd --log-target=journal-or-kmsg --unit=multi-user.target
}

cache=""
case "${1:-}" in
  '') ;;
  --boot) boot "$2" ;;
  --cache) cache="${2:?--cache wants a folder}" ;;
  -h | --help) usage && exit 0 ;;
  *) die "$EX_USAGE" "unknown argument: $1 (see --help)" ;;
esac

skip() {
  say "$*"
  exit 77
}
is_root || skip "only root can give a system namespaces of its own"
command -v debootstrap >/dev/null || skip "debootstrap is not installed (scripts/bootstrap.sh --containers)"
grep -q "^cgroup $CGROUPS cgroup .*name=systemd" /proc/mounts || skip "no cgroup hierarchy named systemd at $CGROUPS: this was only tried where there is one"
CONFIG="${CONFIG:-debug}" use_executables

base="$(mktemp -d /var/tmp/aragora-booted.XXXXXX)"
init="" group="$CGROUPS/aragora-booted.$$"
finish() {
  if [[ -n "$init" ]]; then kill -KILL "$init" 2>/dev/null || true; fi
  sleep 0.5
  if [[ -d "$group" ]]; then find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null || true; fi
  rm -rf "$base"
}
trap finish EXIT

if [[ -z "$cache" || ! -e "$cache/whole" ]]; then
  # shellcheck disable=SC2016 # apt's own placeholders
  mirror="$(apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)|$(RELEASE)' | sed -n 's/^Debian|\(.*\)|bookworm$/\1/p' | head -n 1)"
  [[ -n "$mirror" ]] || skip "apt has no lists of Debian bookworm here (apt-get update)"
  step "making a Debian with systemd, Postgres and Redis"
  debootstrap --variant=minbase --include="$PACKAGES" bookworm "${cache:-$base}/root" "$mirror" >"$base/debootstrap" 2>&1 ||
    skip "debootstrap failed: $(tail -n 1 "$base/debootstrap")"
  rm -f "${cache:-$base}/root/usr/sbin/policy-rc.d"
  touch "${cache:-$base}/whole"
fi
# shellcheck disable=SC2153
readonly repository="$ROOT"
root="$base/root"
[[ -z "$cache" ]] || cp -a "$cache/root" "$root"
mkdir -p "$root/src/deploy/compose" "$root/src/bin"
cp -r "$repository/deploy/systemd" "$root/src/deploy/"
cp -r "$repository/deploy/compose/nginx" "$root/src/deploy/compose/"
cp "$here/scenario.sh" "$root/src/"
for product in "${PRODUCTS[@]}"; do cp "$BIN_DIR/$product" "$root/src/bin/"; done
# Executables that are not linked statically want Swift's libraries where they were.
while IFS= read -r library; do
  [[ -e "$root$library" ]] || install -D -m 755 "$library" "$root$library"
done < <(ldd "${PRODUCTS[@]/#/$BIN_DIR/}" | sed -n 's/.* => \(\/.*\) (0x.*/\1/p' | grep -i swift | sort -u)

step "booting it"
mkdir "$group"
(
  echo "$BASHPID" >"$group/cgroup.procs"
  exec unshare --pid --fork --kill-child=KILL --mount --net --uts --ipc --cgroup "$0" --boot "$root"
) >"$base/boot" 2>&1 &
outside=$!
end=$((SECONDS + BOOT_SECONDS))
inside() { nsenter --target "$init" --mount --pid --net --uts --ipc --cgroup env -i LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
until [[ -n "$init" ]] && [[ "$(inside systemctl is-system-running 2>/dev/null)" =~ ^(running|degraded)$ ]]; do
  ((SECONDS < end)) || skip "systemd did not come up: $(tail -n 1 "$base/boot")"
  kill -0 "$outside" 2>/dev/null || skip "systemd did not start: $(tail -n 1 "$base/boot")"
  # unshare's only child is process 1 of the new system.
  init="$(pgrep -P "$outside" || true)"
  sleep 0.2
done
step "operating it"
code=0
timeout --kill-after=5 "$SCENARIO_SECONDS" nsenter --target "$init" --mount --pid --net --uts --ipc --cgroup \
  env -i LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin bash /src/scenario.sh || code=1
exit "$code"
