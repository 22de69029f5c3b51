# shellcheck shell=bash
# Containers for the checks that need them: podman as root, in namespaces of its own, without a registry. Sourced, never
# run. scripts/check-images.sh and scripts/check-stack.sh are its users.
#
# Nothing outside one scratch folder changes. The calling script starts itself again in new mount, process and (when
# asked) network namespaces: storage, state, locks, bridges, firewall rules and published ports exist only there, and end
# with it, whatever way it ends. Two such checks, and a podman or docker of the machine, do not see each other.
#
# Images are made here, since a check must not depend on a registry:
#   debian:bookworm-slim   debootstrap, from the mirror that this machine's apt uses, slimmed as the vendor's is
#   swift:6.3.1-bookworm   that, and the packages a Swift toolchain needs; the toolchain itself is mounted
#   stand-ins              Tests/Deploy/images/stand-ins: Debian's packages under the vendors' names. They imitate what our
#                          files rely on of the vendors' images. They prove OUR wiring, not the vendors' images.
#
# Globals: CONTAINERS_HOME (the scratch folder), CONTAINERS_SWIFT (the toolchain, mounted into builds).

readonly EX_SKIPPED=77 # containers can not run here, with the reason on the last line
readonly CONTAINERS_SUITE=bookworm
# shellcheck disable=SC2153 # of lib/common.sh
readonly STAND_INS="$ROOT/Tests/Deploy/images/stand-ins"
# The names under which an image without a registry is known; podman and docker both add the first to a bare name.
readonly DOCKER_LIBRARY=docker.io/library

# skip REASON...: ends the script as not applicable on this machine.
skip() {
  printf 'skipped: %s\n' "$*" >&2
  exit "$EX_SKIPPED"
}

# --- namespaces -----------------------------------------------------------------------------------------------------

# Starts the calling script again, isolated, and ends with its exit code; returns only inside.
# containers_isolate network|no-network CACHE KEEP ARGUMENTS...
#   network  the machine's network (an image build installs packages)
#   private  a network of its own, with loopback only: any port is free, and nobody else can reach it
#   CACHE    a folder that keeps images between runs, or nothing
#   KEEP     yes: leave the scratch folder and say how to look into it
containers_isolate() {
  local network="$1" cache="$2" keep="$3" unshare_options=(--mount --pid --fork --kill-child --mount-proc --propagation private)
  shift 3
  [[ -z "${CONTAINERS_HOME:-}" ]] || return 0
  containers_require
  [[ "$network" = network ]] || unshare_options+=(--net)
  unshare "${unshare_options[@]}" true 2>/dev/null || skip "new namespaces are refused here (unshare ${unshare_options[*]})"
  if [[ -n "$cache" ]]; then
    case "$(mkdir -p "$cache" && cd "$cache" && pwd -P)/" in
      "$ROOT"/*) die "$EX_USAGE" "the cache must lie outside the repository: $cache" ;;
    esac
    CONTAINERS_HOME="$(cd -- "$cache" && pwd -P)"
    exec 8>"$CONTAINERS_HOME/lock"
    flock --nonblock 8 || { step "waiting for the cache $CONTAINERS_HOME, which another check uses" && flock 8; }
  else
    CONTAINERS_HOME="$(mktemp -d "${TMPDIR:-/var/tmp}/aragora-containers.XXXXXX")"
  fi
  export CONTAINERS_HOME
  local code=0 child="" interrupted=no
  # A signal ends the namespaces' first process, and the kernel ends all the others.
  trap 'interrupted=yes; [[ -z "$child" ]] || kill -KILL "$child" 2>/dev/null' INT TERM HUP
  unshare "${unshare_options[@]}" -- "$0" "$@" 8>&- &
  child=$!
  wait "$child" || code=$?
  while kill -0 "$child" 2>/dev/null; do wait "$child" || code=$?; done
  [[ "$interrupted" = no ]] || code=130
  containers_remove_cgroups
  if [[ "$keep" = yes ]]; then
    say "kept: $CONTAINERS_HOME (storage, logs, conf)"
  elif [[ -z "$cache" ]]; then
    rm -rf -- "$CONTAINERS_HOME"
  fi
  exit "$code"
}

# What a killed check leaves is one empty cgroup per container and hierarchy; the storage still knows the containers.
containers_remove_cgroups() {
  local list identifier
  for list in "$CONTAINERS_HOME"/storage/*-containers/containers.json; do
    [[ -s "$list" ]] || continue
    for identifier in $(jq --raw-output '.[].id' "$list"); do
      find /sys/fs/cgroup -depth -type d -path "*/libpod-*$identifier*" -exec rmdir {} + 2>/dev/null || true
    done
  done
}

# Installs what is missing, and skips where containers can not run.
containers_require() {
  local tool
  [[ "$(uname -s)" = Linux ]] || skip "not Linux"
  is_root || skip "not root: make it so, or let CI do it"
  command -v apt-get >/dev/null || skip "not a Debian system: the base images are made with debootstrap"
  "$ROOT/scripts/bootstrap.sh" --quiet --containers || skip "what containers need could not be installed; the lines above say why"
  for tool in podman runc debootstrap unshare iptables docker-compose; do
    command -v "$tool" >/dev/null || skip "no $tool"
  done
}

# --- podman -----------------------------------------------------------------------------------------------------------

# Prepares podman inside the namespaces: its configuration, state and storage, all under CONTAINERS_HOME.
containers_open() {
  local folder driver=overlay descriptors processes
  for folder in storage tmp conf run networks volumes logs bin; do mkdir -p "$CONTAINERS_HOME/$folder"; done
  ip link set lo up 2>/dev/null || true
  # /run and the shared memory of the locks are ours: what podman, runc and netavark write there stays here.
  mount -t tmpfs -o mode=755 tmpfs "$CONTAINERS_HOME/run"
  mkdir -p "$CONTAINERS_HOME/run/upper" "$CONTAINERS_HOME/run/work"
  mount -t overlay -o "lowerdir=/run,upperdir=$CONTAINERS_HOME/run/upper,workdir=$CONTAINERS_HOME/run/work" overlay /run ||
    mount -t tmpfs -o mode=755 tmpfs /run
  mount -t tmpfs -o mode=1777 tmpfs /dev/shm
  rm -rf /run/libpod /run/containers /run/netns
  containers_own_cgroups
  containers_overlay_works || driver=vfs
  # Without CAP_SYS_RESOURCE a container can not be given more than we have.
  descriptors="$(ulimit -Hn)" processes="$(ulimit -Hu)"
  [[ "$descriptors" != unlimited ]] || descriptors=65536
  [[ "$processes" != unlimited ]] || processes=20000
  cat >"$CONTAINERS_HOME/conf/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=$descriptors:$descriptors", "nproc=$processes:$processes"]
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "/run/libpod"
volume_path = "$CONTAINERS_HOME/volumes"
[network]
network_backend = "netavark"
network_config_dir = "$CONTAINERS_HOME/networks"
CONF
  cat >"$CONTAINERS_HOME/conf/storage.conf" <<CONF
[storage]
driver = "$driver"
graphroot = "$CONTAINERS_HOME/storage"
runroot = "/run/containers/storage"
CONF
  cat >"$CONTAINERS_HOME/conf/registries.conf" <<'CONF'
unqualified-search-registries = ["docker.io"]
short-name-mode = "disabled"
CONF
  printf '{"default":[{"type":"insecureAcceptAnything"}]}\n' >"$CONTAINERS_HOME/conf/policy.json"
  export CONTAINERS_CONF="$CONTAINERS_HOME/conf/containers.conf"
  export CONTAINERS_STORAGE_CONF="$CONTAINERS_HOME/conf/storage.conf"
  export CONTAINERS_REGISTRIES_CONF="$CONTAINERS_HOME/conf/registries.conf"
  export TMPDIR="$CONTAINERS_HOME/tmp"
  [[ -e /etc/containers/policy.json ]] || containers_policy
  # What an earlier run with the same cache left when it was killed.
  podman rm --all --force >/dev/null 2>&1 || true
  podman volume prune --force >/dev/null 2>&1 || true
}

# With the old hierarchies podman makes a folder for every controller it knows, mounted or not, beside those that are:
# it gets a folder of its own for that.
containers_own_cgroups() {
  local own="$CONTAINERS_HOME/run/cgroup" controller
  [[ "$(stat -f -c %T /sys/fs/cgroup 2>/dev/null)" = tmpfs ]] || return 0
  mkdir -p "$own" && mount -t tmpfs -o mode=755 tmpfs "$own"
  for controller in /sys/fs/cgroup/*; do
    if [[ -L "$controller" ]]; then
      cp -P "$controller" "$own/"
    elif mountpoint -q "$controller"; then
      mkdir "$own/${controller##*/}" && mount --rbind "$controller" "$own/${controller##*/}"
    fi
  done
  mount --rbind "$own" /sys/fs/cgroup
}

containers_overlay_works() {
  local probe="$CONTAINERS_HOME/tmp/overlay"
  mkdir -p "$probe"/{lower,upper,work,merged}
  mount -t overlay -o "lowerdir=$probe/lower,upperdir=$probe/upper,workdir=$probe/work" overlay "$probe/merged" 2>/dev/null || return 1
  umount "$probe/merged"
  rm -rf "$probe"
}

# podman wants a signature policy in /etc/containers; ours lies over that folder, in this namespace only.
containers_policy() {
  mkdir -p /etc/containers 2>/dev/null || return 0
  cp "$CONTAINERS_HOME/conf/policy.json" "$CONTAINERS_HOME/conf/containers.conf" "$CONTAINERS_HOME/run/" &&
    mount -t tmpfs tmpfs /etc/containers && cp "$CONTAINERS_HOME/run/policy.json" /etc/containers/
}

# The containers of this check end.
containers_close() {
  podman rm --all --force --time 5 >/dev/null 2>&1 || true
  podman volume prune --force >/dev/null 2>&1 || true
}

# Runs the smallest container; skips with podman's own words where it can not.
containers_probe() {
  local why
  why="$(podman run --rm --network=none "$DOCKER_LIBRARY/debian:bookworm-slim" true 2>&1)" ||
    skip "a container does not start here: ${why##*$'\n'}"
}

# podman has no timer without systemd, so somebody must ask: runs the health check of every container that has one, every
# two seconds until it is healthy, then every ten. Ends with the namespaces.
containers_drive_health() {
  (
    round=0
    while sleep 2; do
      round=$((round + 1))
      podman ps --format '{{.ID}} {{.Status}}' 2>/dev/null |
        awk -v all=$((round % 5 == 0)) '/\((starting|healthy|unhealthy)\)/ && (all || !/\(healthy\)/) { print $1 }' |
        xargs --no-run-if-empty --max-args=1 --max-procs=3 podman healthcheck run >/dev/null 2>&1 || true
    done
  ) &
}

# --- images -----------------------------------------------------------------------------------------------------------

# has_image NAME
has_image() { podman image exists "$1"; }

# Prints the Debian sources of this machine for SUITE, one line each, as debootstrap's and apt's sources.list want them.
containers_sources() {
  # shellcheck disable=SC2016 # apt's own placeholders
  apt-get indextargets --format '$(ORIGIN)|$(CREATED_BY)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)' |
    awk -F '|' -v suite="$CONTAINERS_SUITE" '
      $1 == "Debian" && $2 == "Packages" && ($4 == suite || $4 == suite "-updates" || $4 == suite "-security") {
        print "deb " $3 " " $4 " " $5
      }' | sort -u
}

# Makes debian:bookworm-slim: the smallest Debian, without documents, manuals and translations, as the vendor's.
containers_base_image() {
  local image="$DOCKER_LIBRARY/debian:bookworm-slim" root="$CONTAINERS_HOME/tmp/base" mirror sources
  ! has_image "$image" || return 0
  sources="$(containers_sources)"
  mirror="$(awk -v suite="$CONTAINERS_SUITE" '$3 == suite { print $2; exit }' <<<"$sources")"
  [[ -n "$mirror" ]] || skip "apt has no lists of Debian $CONTAINERS_SUITE here (apt-get update)"
  step "making debian:bookworm-slim"
  rm -rf "$root"
  debootstrap --variant=minbase "$CONTAINERS_SUITE" "$root" "$mirror" >"$CONTAINERS_HOME/logs/debootstrap" 2>&1 ||
    skip "debootstrap failed: $(tail -n 1 "$CONTAINERS_HOME/logs/debootstrap")"
  rm -f "$root"/etc/apt/sources.list.d/*
  printf '%s\n' "$sources" >"$root/etc/apt/sources.list"
  containers_copy_apt_access "$root"
  cat >"$root/etc/dpkg/dpkg.cfg.d/slim" <<'CONF'
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/lintian/*
path-exclude /usr/share/groff/*
CONF
  cat >"$root/etc/apt/apt.conf.d/slim" <<'CONF'
Acquire::Languages "none";
Acquire::GzipIndexes "true";
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };
CONF
  find "$root/usr/share/doc" -type f ! -name copyright -delete
  find "$root/usr/share/doc" -empty -delete
  rm -rf "$root"/usr/share/{man,info,locale,lintian,groff}/* "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* \
    "$root"/var/log/* "$root"/var/cache/debconf/*-old "$root"/var/lib/dpkg/*-old "$root"/etc/resolv.conf "$root"/etc/hostname
  # debootstrap keeps the machine's names; a container gets its own.
  tar --directory "$root" --one-file-system --create . |
    podman import --change 'CMD ["bash"]' - "$image" >/dev/null 2>&1
  rm -rf "$root"
}

# A proxy, or an authority that signed the mirror's certificate, belongs to this machine: builds here need it too.
containers_copy_apt_access() {
  apt-config dump --no-empty --format '%f "%v";%n' Acquire::http::Proxy Acquire::https::Proxy >"$1/etc/apt/apt.conf.d/proxy"
  if grep -q '^deb https:' "$1/etc/apt/sources.list"; then
    cp /etc/ssl/certs/ca-certificates.crt "$1/etc/apt/authorities.crt"
    printf 'Acquire::https::CAInfo "/etc/apt/authorities.crt";\n' >"$1/etc/apt/apt.conf.d/authorities"
  fi
}

# Sets CONTAINERS_SWIFT to the folder of the toolchain that is mounted into builds.
containers_find_swift() {
  find_swift || skip "no Swift toolchain, which the build of the images mounts"
  CONTAINERS_SWIFT="$(dirname -- "$(dirname -- "$(dirname -- "$(readlink -f "$(command -v swift)")")")")"
  [[ "$CONTAINERS_SWIFT" != / ]] || skip "the toolchain is installed in /usr, which can not be mounted over a container's own"
}

# Makes swift:6.3.1-bookworm: what the vendor's image adds to Debian, but for the toolchain.
containers_builder_image() {
  containers_find_swift
  step "making swift:6.3.1-bookworm"
  containers_build "$DOCKER_LIBRARY/swift:6.3.1-bookworm" "$STAND_INS/swift" --build-arg "SWIFT_HOME=$CONTAINERS_SWIFT"
}

# Builds an image and shows podman's words only when that fails.
# containers_build NAME FOLDER OPTIONS...
containers_build() {
  local name="$1" folder="$2" log
  shift 2
  log="$CONTAINERS_HOME/logs/build-$(tr '/:' '--' <<<"${name#"$DOCKER_LIBRARY/"}")"
  # Without --format docker a HEALTHCHECK is dropped. The machine's network: packages are installed.
  if ! podman build --format docker --pull=never --network=host --layers --tag "$name" "$@" "$folder" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    die "$EX_FAILED" "the image $name could not be built; the end of podman's output is above"
  fi
}

# Makes the stand-in for a vendor's image, under exactly the name given; 1 when there is none.
# containers_stand_in IMAGE
containers_stand_in() {
  local folder
  folder="$(containers_stand_in_folder "$1")" || return 1
  containers_build "$(containers_full_name "$1")" "$STAND_INS/$folder"
}

# Prints the folder of the stand-in for an image, by its name without the tag.
containers_stand_in_folder() {
  local name="${1%%@*}"
  name="${name#docker.io/}" name="${name#library/}"
  case "${name%%:*}" in
    postgres) echo postgres ;;
    redis) echo redis ;;
    nginx) echo nginx ;;
    prom/prometheus | quay.io/prometheus/prometheus) echo prometheus ;;
    prom/alertmanager | quay.io/prometheus/alertmanager) echo alertmanager ;;
    prom/node-exporter | quay.io/prometheus/node-exporter) echo node-exporter ;;
    prom/blackbox-exporter | quay.io/prometheus/blackbox-exporter) echo blackbox-exporter ;;
    prometheuscommunity/postgres-exporter | quay.io/prometheuscommunity/postgres-exporter) echo postgres-exporter ;;
    oliver006/redis_exporter) echo redis-exporter ;;
    nginx/nginx-prometheus-exporter) echo nginx-exporter ;;
    *) return 1 ;;
  esac
}

# Prints the whole name of an image: `redis:7` is docker.io/library/redis:7.
containers_full_name() {
  case "$1" in
    localhost/* | *.*/*) printf '%s\n' "$1" ;;
    */*) printf 'docker.io/%s\n' "$1" ;;
    *) printf '%s/%s\n' "$DOCKER_LIBRARY" "$1" ;;
  esac
}

# Builds one target of deploy/images/Dockerfile under a name. IMAGE_SHA and IMAGE_TIME become /health/build.
# POSTGRES_IMAGE is what the backup image is made from.
# containers_target TARGET NAME OPTIONS...
containers_target() {
  local target="$1" name="$2"
  shift 2
  containers_build "$(containers_full_name "$name")" "$ROOT" --file "$ROOT/deploy/images/Dockerfile" --target "$target" \
    --volume "$CONTAINERS_SWIFT:$CONTAINERS_SWIFT:ro" \
    --build-arg "BUILD_JOBS=${JOBS:-}" --build-arg "POSTGRES_IMAGE=$(containers_full_name "$POSTGRES_IMAGE")" \
    --build-arg "ARAGORA_BUILD_SHA=$IMAGE_SHA" --build-arg "ARAGORA_BUILD_TIME=$IMAGE_TIME" "$@"
}

# In a network without a way out a name server still has to say so at once: that of the containers answers nobody else
# while it waits for one above it. Answers every question with "no such name"; call it inside the network namespace.
containers_resolver() {
  python3 - <<'PYTHON' &
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.53", 53))
while True:
    question, asker = server.recvfrom(512)
    # The question again, with the flags of an answer: recursion available, NXDOMAIN; no records behind it.
    server.sendto(question[:2] + b"\x81\x83" + question[4:6] + bytes(6) + question[12:], asker)
PYTHON
  printf 'nameserver 127.0.0.53\n' >/run/aragora-resolv.conf
  mount --bind /run/aragora-resolv.conf "$(readlink -f /etc/resolv.conf)"
}

# --- docker, as the guides type it --------------------------------------------------------------------------------------

# Puts a `docker` on PATH that is podman, and whose `compose` is docker-compose over podman's socket, reading the .env
# beside the compose file as the plugin does. Call it inside the network namespace in which the containers shall live.
containers_docker() {
  local socket=/run/aragora-podman.sock
  cp "$STAND_INS/docker.sh" "$CONTAINERS_HOME/bin/docker"
  chmod 755 "$CONTAINERS_HOME/bin/docker"
  export PATH="$CONTAINERS_HOME/bin:$PATH" DOCKER_HOST="unix://$socket" COMPOSE_HTTP_TIMEOUT=300
  podman system service --time=0 "unix://$socket" >"$CONTAINERS_HOME/logs/podman-service" 2>&1 &
  wait_until 20 test -S "$socket" || die "$EX_FAILED" "podman's service did not start: $(tail -n 3 "$CONTAINERS_HOME/logs/podman-service")"
}
