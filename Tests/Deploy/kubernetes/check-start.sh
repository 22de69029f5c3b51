#!/usr/bin/env bash
# Starts our executables exactly as the pods of deploy/kubernetes do (command, environment, probes, end), with a private
# Postgres and the Redis of the component redis; start.py says what is expected.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/../../.."
for library in common ports process stack; do
  # shellcheck source=/dev/null
  source "scripts/lib/$library.sh"
done
if ! command -v redis-server >/dev/null || [[ ! -x "${ARAGORA_BIN_DIR:-}/aragora-api" ]]; then
  echo "redis-server or ARAGORA_BIN_DIR is missing; run by scripts/check-deploy.sh"
  exit 77
fi
python="${DEPLOY_PYTHON:-$(scripts/python.sh Tests/Deploy/requirements.txt)}"
with_private_stores "$python" Tests/Deploy/kubernetes/start.py
