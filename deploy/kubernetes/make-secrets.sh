#!/usr/bin/env bash
# Usage: deploy/kubernetes/make-secrets.sh --postgres DSN [--redis URL] | kubectl apply --server-side -f -
#
# Prints the Secret aragora-secrets with new random tokens and keys. Provider keys are taken from the environment
# (ANTHROPIC_API_KEY, OPENAI_API_KEY, OPENROUTER_API_KEY, MISTRAL_API_KEY, GEMINI_API_KEY, XAI_API_KEY); one is needed.
# Run it once: a second run makes other keys, which ends sessions and leaves old receipts unverifiable. Values that exist
# are changed one by one (README.md, "Secrets").
#
#   --postgres DSN   postgresql://user:password@host:5432/aragora
#   --redis URL      redis:// or rediss://; without it a password is made for the component redis
#
# Exit codes: 0 printed, 64 wrong arguments.
set -euo pipefail

usage() { awk 'NR == 1 { next } /^#/ { sub(/^# ?/, ""); print; next } { exit }' "$0"; }
wrong() {
  printf 'error: %s (see --help)\n' "$1" >&2
  exit 64
}

postgres="" redis="" redis_password=""
while [ $# -gt 0 ]; do
  case "$1" in
    --postgres | --redis)
      [ $# -ge 2 ] || wrong "$1 needs a value"
      if [ "$1" = --postgres ]; then postgres="$2"; else redis="$2"; fi
      shift 2
      ;;
    -h | --help) usage && exit 0 ;;
    *) wrong "unknown argument: $1" ;;
  esac
done
case "$postgres" in
  postgres://* | postgresql://*) ;;
  "") wrong "--postgres is missing" ;;
  *) wrong "--postgres is no URL" ;;
esac
case "$redis" in
  redis://* | rediss://*) ;;
  "")
    redis_password="$(openssl rand -hex 32)"
    redis="redis://:$redis_password@aragora-redis:6379/0"
    ;;
  *) wrong "--redis is no URL" ;;
esac

# field NAME VALUE: one key, quoted for YAML; an empty value is left out.
field() {
  [ -n "$2" ] || return 0
  printf "  %s: '%s'\n" "$1" "$(printf '%s' "$2" | sed "s/'/''/g")"
}

providers=""
for name in ANTHROPIC_API_KEY OPENAI_API_KEY OPENROUTER_API_KEY MISTRAL_API_KEY GEMINI_API_KEY XAI_API_KEY; do
  value="${!name:-}"
  [ -z "$value" ] || providers="$providers$(field "$name" "$value")
"
done
[ -n "$providers" ] || wrong "no provider key in the environment"

cat <<HEAD
apiVersion: v1
kind: Secret
metadata:
  name: aragora-secrets
  namespace: aragora
type: Opaque
stringData:
HEAD
field ARAGORA_POSTGRES_DSN "$postgres"
field ARAGORA_REDIS_URL "$redis"
field REDIS_PASSWORD "$redis_password"
for name in ARAGORA_API_TOKEN ARAGORA_RECEIPT_SIGNING_KEY ARAGORA_JWT_SECRET ARAGORA_ENCRYPTION_KEY; do
  field "$name" "$(openssl rand -hex 32)"
done
printf '%s' "$providers"
