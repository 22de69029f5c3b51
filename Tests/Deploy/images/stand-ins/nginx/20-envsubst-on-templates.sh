#!/bin/sh
# /etc/nginx/templates/*.template become /etc/nginx/conf.d/*, with the defined variables put in.
set -e
templates="${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}"
suffix="${NGINX_ENVSUBST_TEMPLATE_SUFFIX:-.template}"
output="${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}"
filter="${NGINX_ENVSUBST_FILTER:-}"
[ -d "$templates" ] || exit 0
defined=$(awk -v filter="$filter" 'BEGIN { for (name in ENVIRON) if (name ~ filter) printf "${%s} ", name }' </dev/null)
[ -w "$output" ] || { echo "20-envsubst-on-templates.sh: $output is not writable" >&2 && exit 0; }
find "$templates" -follow -type f -name "*$suffix" | while read -r template; do
  relative="${template#"$templates"/}"
  target="$output/${relative%"$suffix"}"
  mkdir -p "$(dirname "$target")"
  envsubst "$defined" <"$template" >"$target"
done
