# shellcheck shell=bash
# The certificate that nginx shows until a trusted one takes its place. Sourced by install.sh, never run. For bash 3.2.

readonly CERTIFICATE_DAYS=365 CERTIFICATE_BITS=2048 EXPIRY_WARN_SECONDS=2592000
readonly CERTIFICATES="$DEPLOY/nginx/certs"

make_certificate() {
  local certificate="$CERTIFICATES/server.crt" key="$CERTIFICATES/server.key"
  mkdir -p "$CERTIFICATES" || die "$EX_CERTIFICATE" "can not make $CERTIFICATES. Next: write access to $DEPLOY."
  if [ -e "$certificate" ] && [ -e "$key" ]; then
    check_certificate "$certificate" "$key"
    return 0
  fi
  if [ -e "$certificate" ]; then
    die "$EX_CERTIFICATE" "$certificate is there, its key $key is not. Next: copy the key beside it, or move the certificate away to get a self-signed pair."
  fi
  if [ -e "$key" ]; then
    # May be the key of a request that waits for its certificate.
    mv "$key" "$key.before-$(date +%Y%m%d-%H%M%S)"
    say "  a key without a certificate was there; it is kept as server.key.before-…"
  fi
  new_certificate "$certificate" "$key"
}

# Two digests are compared: neither the key nor anything about it leaves openssl.
check_certificate() {
  local of_certificate of_key
  of_certificate="$(openssl x509 -in "$1" -noout -pubkey 2>/dev/null)" ||
    die "$EX_CERTIFICATE" "$1 is not a certificate in PEM. Next: copy a good one there, or move both files of deploy/nginx/certs away to get a self-signed pair."
  if [ ! -r "$2" ]; then
    doubt "$2 can not be read by $(id -un); not checked"
    return 0
  fi
  of_key="$(openssl pkey -in "$2" -pubout 2>/dev/null </dev/null)" ||
    die "$EX_CERTIFICATE" "$2 is not a private key in PEM without a passphrase. Next: copy a good one there; nginx can not ask for a passphrase."
  [ "$of_certificate" = "$of_key" ] ||
    die "$EX_CERTIFICATE" "server.key does not belong to server.crt. Next: copy the two of one pair, or move both away to get a self-signed pair."
  if ! openssl x509 -in "$1" -noout -checkend 0 >/dev/null 2>&1; then
    doubt "the certificate has expired; clients refuse it. Next: renew it (certbot renew, or move both files away and run this again)"
  elif ! openssl x509 -in "$1" -noout -checkend "$EXPIRY_WARN_SECONDS" >/dev/null 2>&1; then
    doubt "the certificate expires within 30 days"
  else
    good "kept: $(openssl x509 -in "$1" -noout -subject 2>/dev/null | sed 's/^subject= *//'), valid until $(openssl x509 -in "$1" -noout -enddate | sed 's/^notAfter=//')"
  fi
}

is_host_name() {
  case "$1" in
    '' | *[!A-Za-z0-9.-]* | -* | .*) return 1 ;;
    *) return 0 ;;
  esac
}

# A configuration file rather than -addext: LibreSSL on macOS knows only the former.
certificate_request() {
  local domain host
  domain="$(setting ARAGORA_DOMAIN localhost)"
  case "$domain" in *.example.com) domain=localhost ;; esac
  is_host_name "$domain" || domain=localhost
  host="$(hostname 2>/dev/null || true)"
  printf '%s\n' '[req]' 'distinguished_name = name' 'x509_extensions = extensions' 'prompt = no' '[name]' \
    'O = Aragora, self-signed' "CN = $(printf '%s' "$domain" | cut -c 1-64)" \
    '[extensions]' 'basicConstraints = critical, CA:FALSE' 'keyUsage = critical, digitalSignature, keyEncipherment' \
    'extendedKeyUsage = serverAuth' 'subjectKeyIdentifier = hash' 'subjectAltName = @names' '[names]' \
    'DNS.1 = localhost' 'IP.1 = 127.0.0.1' 'IP.2 = ::1'
  [ "$domain" = localhost ] || printf 'DNS.2 = %s\n' "$domain"
  if is_host_name "$host" && [ "$host" != localhost ] && [ "$host" != "$domain" ]; then printf 'DNS.3 = %s\n' "$host"; fi
}

new_certificate() {
  local folder="$CERTIFICATES/$UNFINISHED" log
  mkdir -p "$folder"
  if ! log="$(
    umask 077
    certificate_request >"$folder/request.cnf"
    openssl req -x509 -nodes -newkey "rsa:$CERTIFICATE_BITS" -sha256 -days "$CERTIFICATE_DAYS" -config "$folder/request.cnf" \
      -keyout "$folder/server.key" -out "$folder/server.crt" 2>&1
  )"; then
    say "$log"
    die "$EX_CERTIFICATE" "openssl made no certificate; the lines above say why. Next: copy a pair of your own to deploy/nginx/certs/server.crt and server.key."
  fi
  chmod 600 "$folder/server.key"
  chmod 644 "$folder/server.crt"
  # The key first: a certificate without its key is refused above, a key alone is replaced.
  mv "$folder/server.key" "$2"
  mv "$folder/server.crt" "$1"
  rm -rf "$folder"
  good "self-signed, RSA $CERTIFICATE_BITS, $CERTIFICATE_DAYS days, for: $(certificate_names "$1")"
  say "  Browsers will warn of it. For a trusted one: docs/deployment.md, \"Certificates\"."
}

certificate_names() {
  openssl x509 -in "$1" -noout -text | awk '/Subject Alternative Name/ { getline; gsub(/DNS:|IP Address:/, ""); sub(/^ */, ""); print }'
}
