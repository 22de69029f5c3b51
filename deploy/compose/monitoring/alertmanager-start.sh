#!/bin/sh
# Usage: alertmanager-start.sh [alertmanager's arguments]
#
# Adds to the receivers of alertmanager.yml what a secret was given for, and starts Alertmanager. Runs in the vendor's
# image, whose shell is busybox.
#
#   secret file       what it adds
#   slack_url         Slack, both receivers: the URL of an incoming webhook
#   webhook_url       a POST of Alertmanager's JSON, both receivers
#   smtp_password     e-mail, both receivers; also needs ALERT_EMAIL_TO, ALERT_EMAIL_FROM, SMTP_SMARTHOST (host:port)
#                     and SMTP_USERNAME
#   pagerduty_key     PagerDuty, only what is critical: an Events API v2 routing key
#
# Environment:
#   ALERT_SECRETS=/run/secrets/alertmanager   the folder of the secret files; an empty file counts as none
#   ALERT_CONFIG=/etc/alertmanager            the folder of this script's files
#   ALERT_RENDERED=/tmp/alertmanager.yml      what is written, for its owner only
#   ALERTMANAGER=/bin/alertmanager            the program; `true` only renders
#
# Exit codes: 78 a value can not be part of a configuration, else Alertmanager's.
set -eu

config="${ALERT_CONFIG:-/etc/alertmanager}" secrets="${ALERT_SECRETS:-/run/secrets/alertmanager}"
rendered="${ALERT_RENDERED:-/tmp/alertmanager.yml}"
case "${1:-}" in
  -h | --help)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "$0"
    exit 0
    ;;
esac

has() { [ -s "$secrets/$1" ]; }

# Prints VALUE if it can stand between single quotes and in a sed expression.
# plain NAME VALUE
plain() {
  case "$2" in
    *[!A-Za-z0-9@._:/?=\&%+,\ ~-]* | '')
      echo "error: $1 is empty or has a character that a configuration can not hold" >&2
      exit 78
      ;;
  esac
  printf '%s' "$2" | sed 's/[\\&|]/\\&/g'
}

# Prints the integrations of a receiver as members of it.
# integrations SEVERITY
integrations() {
  has slack_url && indent slack -e ''
  if has webhook_url; then
    url="$(plain webhook_url "$(tr -d '\r\n' <"$secrets/webhook_url")")" || exit 78
    indent webhook -e "s|@WEBHOOK_URL@|$url|"
  fi
  if has smtp_password; then
    to="$(plain ALERT_EMAIL_TO "${ALERT_EMAIL_TO:-}")" || exit 78
    from="$(plain ALERT_EMAIL_FROM "${ALERT_EMAIL_FROM:-}")" || exit 78
    host="$(plain SMTP_SMARTHOST "${SMTP_SMARTHOST:-}")" || exit 78
    user="$(plain SMTP_USERNAME "${SMTP_USERNAME:-}")" || exit 78
    indent email -e "s|@EMAIL_TO@|$to|;s|@EMAIL_FROM@|$from|;s|@SMTP_SMARTHOST@|$host|;s|@SMTP_USERNAME@|$user|"
  fi
  [ "$1" != critical ] || ! has pagerduty_key || indent pagerduty -e ''
}

# indent INTEGRATION SED-ARGUMENTS...
indent() {
  name="$1"
  shift
  sed -e "s|@SECRETS@|$secrets|" "$@" -e 's/^/    /' "$config/integrations/$name.yml"
}

umask 077
folder="$(mktemp -d)"
for severity in critical warning; do
  integrations "$severity" >"$folder/$severity" || exit 78
done
sed -e "/^    # integrations: critical\$/r $folder/critical" -e "/^    # integrations: warning\$/r $folder/warning" \
  -e "s|^  - templates/|  - $config/templates/|" "$config/alertmanager.yml" >"$rendered"
rm -rf "$folder"
exec "${ALERTMANAGER:-/bin/alertmanager}" --config.file="$rendered" "$@"
