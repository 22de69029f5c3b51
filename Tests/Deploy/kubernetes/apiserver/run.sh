#!/usr/bin/env bash
# Usage: Tests/Deploy/kubernetes/apiserver/run.sh
#
# Applies deploy/kubernetes to a real API server with the real controllers (Deployments, Jobs, endpoints, disruption
# budgets, autoscalers), and types the run book's commands at it; cluster.py says what is expected. There is no kubelet:
# cluster.py says "running" and "ready" for it, and no container runs.
#
# The server is Debian's source package kubernetes (1.20), built once: some 10 minutes on four cores, and 4 GB. Then a run
# takes a minute. Meant for a night, or for whoever changes the manifests a lot.
#
#   KUBE_CACHE=DIR   where source and binaries are kept (default: ~/.cache/aragora-kube)
#
# Exit codes: 0 all well, 1 something is wrong, 69 the packages can not be had, 77 no kubectl or no Debian.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/../../../.."
# shellcheck source=/dev/null
source scripts/lib/common.sh
[[ "${1:-}" != -h && "${1:-}" != --help ]] || { usage && exit 0; }

if ! command -v kubectl >/dev/null || ! ls /etc/apt/sources.list.d/*.sources >/dev/null 2>&1 || [[ "$(id -u)" != 0 ]]; then
  echo "needs kubectl, a Debian with its sources in /etc/apt/sources.list.d, and root to install packages"
  exit 77
fi
cache="${KUBE_CACHE:-$HOME/.cache/aragora-kube}"
binaries="$cache/gopath/src/k8s.io/kubernetes/_output/local/bin/linux/amd64"

# The system's own list of packages is left as it is.
fetch_source() {
  local options
  mkdir -p "$cache/lists/partial" "$cache/parts" "$cache/gopath/src/k8s.io" "$cache/home"
  sed 's/^Types: deb$/Types: deb-src/' /etc/apt/sources.list.d/debian.sources >"$cache/parts/source.sources"
  options=(-o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$cache/parts" -o "Dir::State::lists=$cache/lists")
  (
    cd "$cache"
    apt-get -qq "${options[@]}" update
    apt-get -qq "${options[@]}" source --download-only kubernetes
    rm -rf gopath/src/k8s.io/kubernetes
    dpkg-source --no-check -x kubernetes_*.dsc gopath/src/k8s.io/kubernetes
  )
}

build_server() {
  (
    cd "$cache/gopath/src/k8s.io/kubernetes"
    export HOME="$cache/home" GOPATH="$cache/gopath" GO111MODULE=off GOPROXY=off GOCACHE="$cache/gocache" CGO_ENABLED=0
    PATH="/usr/lib/go-1.19/bin:$PATH" nice make WHAT="cmd/kube-apiserver cmd/kube-controller-manager"
  )
}

if [[ ! -x "$binaries/kube-controller-manager" || ! -x "$binaries/kube-apiserver" ]]; then
  step "building an API server in $cache"
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends golang-1.19-go rsync etcd-server dpkg-dev >&2 ||
    die "$EX_UNAVAILABLE" "apt-get could not install what the build needs"
  [[ -d "$cache/gopath/src/k8s.io/kubernetes" ]] || fetch_source >&2
  build_server >&2
fi
python="${DEPLOY_PYTHON:-$(scripts/python.sh Tests/Deploy/requirements.txt)}"
exec "$python" Tests/Deploy/kubernetes/apiserver/cluster.py "$binaries"
