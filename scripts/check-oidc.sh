#!/usr/bin/env bash
# Usage: scripts/check-oidc.sh
#
# Starts a real OpenID provider (pinned in Tests/OIDC/requirements.txt) and a whole stack that trusts it, on free ports;
# signs in as a browser does, and tries what must not work. Stops both again. Takes seconds.
#
# Environment: ARAGORA_BIN_DIR, CONFIG as in scripts/up.sh (CONFIG is debug unless told).
#
# Exit codes: 0 every check held, 1 one did not; those of scripts/up.sh when the stack did not start; 69 the packages are
# not to be had.
set -euo pipefail
for library in common ports against; do
  # shellcheck source=/dev/null
  source "$(dirname -- "${BASH_SOURCE[0]}")/lib/$library.sh"
done

[[ "${1:-}" != -h && "${1:-}" != --help ]] || { usage && exit 0; }
[[ $# -eq 0 ]] || die "$EX_USAGE" "unknown argument: $1 (see --help)"
bootstrap
python="$("$ROOT/scripts/python.sh" Tests/OIDC/requirements.txt)"
provider_port=""
pick_port provider_port
log="$(mktemp "${TMPDIR:-/tmp}/aragora-oidc.XXXXXX")"
"$python" "$ROOT/Tests/OIDC/provider.py" "$provider_port" >"$log" 2>&1 &
provider=$!
export ARAGORA_SSO_ENABLED=true ARAGORA_SSO_CLIENT_ID=aragora ARAGORA_SSO_CLIENT_SECRET='a secret: & more' \
  ARAGORA_SSO_ISSUER_URL="http://127.0.0.1:$provider_port" ARAGORA_SSO_ALLOWED_DOMAINS=example.org \
  ARAGORA_COOKIE_SECURE=false ARAGORA_REGISTRATION=closed
# As browsers would reach it behind a proxy; the check plays the proxy, for the stack's port is not known yet.
export ARAGORA_SSO_CALLBACK_URL=http://aragora.test/api/auth/sso/callback
code=0
(
  against_a_stack
  "$python" "$ROOT/Tests/OIDC/check_oidc.py" "$ARAGORA_BASE_URL" "http://127.0.0.1:$provider_port"
) || code=$?
[[ $code -eq 0 ]] || tail -n 20 "$log" >&2
kill "$provider" 2>/dev/null || true
rm -f -- "$log"
exit "$code"
