# shellcheck shell=bash
# deploy/.env: made from deploy/.env.template, with secrets. Sourced by install.sh, never run. For bash 3.2.
#
# A secret lives in shell variables and in files of mode 0600 only: printf and read are part of the shell, so that no
# program is given one as an argument, where every user of the machine could read it.
#
# install.sh sets force_env and profiles. Files are read by one function and written under another name.
# shellcheck disable=SC2154,SC2094

# Every secret that is made here, with its length in random bytes. Hex, so that it fits into URLs and needs no quotes.
readonly SECRETS="POSTGRES_PASSWORD:24 REDIS_PASSWORD:24 ARAGORA_JWT_SECRET:32 ARAGORA_API_TOKEN:32
ARAGORA_ENCRYPTION_KEY:32 ARAGORA_RECEIPT_SIGNING_KEY:32 GRAFANA_PASSWORD:16"
readonly PROVIDER_KEYS="ANTHROPIC_API_KEY OPENAI_API_KEY OPENROUTER_API_KEY MISTRAL_API_KEY GEMINI_API_KEY XAI_API_KEY"
readonly OTHERS_FROM_ENVIRONMENT="ARAGORA_DOMAIN ACME_EMAIL ARAGORA_IMAGE ARAGORA_BACKUP_IMAGE COMPOSE_PROJECT_NAME
ARAGORA_HTTP_PORT ARAGORA_HTTPS_PORT ARAGORA_LOCAL_PORT ARAGORA_NOFILE"
readonly PROMPT_ATTEMPTS=3
readonly CARRIAGE_RETURN=$'\r'

# What the new file shall say: names in CHOSEN, the value of NAME in CHOSEN_NAME.
CHOSEN=""
choose() {
  case " $CHOSEN " in *" $1 "*) ;; *) CHOSEN="${CHOSEN:+$CHOSEN }$1" ;; esac
  eval "CHOSEN_$1=\$2"
}
is_chosen() { case " $CHOSEN " in *" $1 "*) return 0 ;; *) return 1 ;; esac }

# Sets VALUE to what a file of settings says about NAME, as Compose would read it; fails when it says nothing.
# value_of FILE NAME
value_of() {
  local line found=1
  VALUE=""
  [ -f "$1" ] || return 1
  while IFS= read -r line || [ -n "$line" ]; do
    line="${line%"$CARRIAGE_RETURN"}"
    line="${line#export }"
    case "$line" in
      "$2="*)
        VALUE="${line#*=}"
        found=0
        case "$VALUE" in
          \"*) VALUE="${VALUE#\"}" && VALUE="${VALUE%%\"*}" ;;
          \'*) VALUE="${VALUE#\'}" && VALUE="${VALUE%%\'*}" ;;
          *)
            VALUE="${VALUE%%[[:space:]]#*}"
            VALUE="${VALUE%"${VALUE##*[![:space:]]}"}"
            ;;
        esac
        ;;
    esac
  done <"$1"
  return "$found"
}

# setting NAME DEFAULT: prints what deploy/.env says. Never for a secret: this is a subshell's output, not an argument,
# but what is printed once is printed again.
setting() {
  local VALUE
  if value_of "$ENV_FILE" "$1" && [ -n "$VALUE" ]; then printf '%s\n' "$VALUE"; else printf '%s\n' "$2"; fi
}

is_placeholder() {
  case "$1" in
    '' | *CHANGEME* | *CHANGE_ME* | *change-me* | *changeme*) return 0 ;;
    *) return 1 ;;
  esac
}

# Sets VALUE to N random bytes in hex.
random_hex() {
  VALUE="$(openssl rand -hex "$1" 2>/dev/null)" || VALUE=""
  [ "${#VALUE}" -eq $(($1 * 2)) ] ||
    die "$EX_SETTINGS" "openssl rand gave no random bytes. Next: openssl rand -hex 16 must print 32 digits; repair or install openssl."
}

# A provider's key as we take it: what needs no quotes in deploy/.env.
is_plausible_key() {
  case "$1" in
    *[!A-Za-z0-9._-]*) return 1 ;;
    *) [ "${#1}" -ge 8 ] ;;
  esac
}

write_settings() {
  [ -f "$ENV_TEMPLATE" ] || [ -f "$ENV_FILE" ] ||
    die "$EX_SETTINGS" "no $ENV_TEMPLATE. Next: the checkout is not complete; git checkout -- deploy/.env.template"
  if [ -L "$ENV_FILE" ] && [ ! -e "$ENV_FILE" ]; then
    die "$EX_SETTINGS" "$ENV_FILE is a link to nothing. Next: rm '$ENV_FILE', or mend the link."
  fi
  if [ ! -e "$ENV_FILE" ]; then
    new_settings
  elif [ "$force_env" = yes ]; then
    replace_settings
  else
    keep_settings
  fi
}

# Chooses every secret anew.
choose_secrets() {
  local secret
  for secret in $SECRETS; do
    random_hex "${secret#*:}"
    choose "${secret%%:*}" "$VALUE"
  done
}

# Takes what the environment brings; true when a provider's key was among it.
choose_from_environment() {
  local name value any=1
  for name in $PROVIDER_KEYS; do
    value="${!name:-}"
    [ -n "$value" ] || continue
    if is_plausible_key "$value"; then
      choose "$name" "$value"
      any=0
      good "$name: from the environment"
    else
      doubt "$name in the environment is not used: a key has 8 or more letters, digits, dots, dashes and underscores"
    fi
  done
  return "$any"
}

choose_others_from_environment() {
  local name value
  for name in $OTHERS_FROM_ENVIRONMENT; do
    value="${!name:-}"
    [ -n "$value" ] || continue
    case "$value" in
      *[!A-Za-z0-9._:/@+-]*) doubt "$name in the environment is not used: it holds a character that needs quotes" ;;
      *)
        choose "$name" "$value"
        good "$name=$value: from the environment"
        ;;
    esac
  done
}

# Asks for a key, on a terminal only. True when one was given.
choose_from_terminal() {
  local given=1
  [ -t 0 ] || return 1
  # Without echo from before the first question until after the last: people type ahead.
  stty -echo 2>/dev/null || true
  if ask_for_key; then given=0; fi
  stty echo 2>/dev/null || true
  return "$given"
}

ask_for_key() {
  local attempt key name
  for ((attempt = 1; attempt <= PROMPT_ATTEMPTS; attempt++)); do
    say ""
    say "  A key of Anthropic, OpenAI, OpenRouter, Mistral, Google Gemini or xAI lets real models debate."
    printf '  Key (not shown; Enter for the built-in demonstration agents): ' >&2
    IFS= read -r -s key || key=""
    say ""
    key="${key#"${key%%[![:space:]]*}"}"
    key="${key%"${key##*[![:space:]]}"}"
    [ -n "$key" ] || return 1
    if ! is_plausible_key "$key"; then
      say "  That is no key: letters, digits, dots, dashes and underscores only, 8 or more."
      continue
    fi
    name="$(provider_of "$key")"
    [ -n "$name" ] || ask_whose_key
    if [ -n "$name" ]; then
      choose "$name" "$key"
      good "$name: as typed"
      return 0
    fi
  done
  say "  Going on without a key."
  return 1
}

# What a key begins with tells most of them apart. (Given to a shell function, not to a program.)
provider_of() {
  case "$1" in
    sk-ant-*) echo ANTHROPIC_API_KEY ;;
    sk-or-*) echo OPENROUTER_API_KEY ;;
    sk-*) echo OPENAI_API_KEY ;;
    xai-*) echo XAI_API_KEY ;;
    AIza*) echo GEMINI_API_KEY ;;
  esac
}

# Sets `name` of the caller.
ask_whose_key() {
  local answer
  printf '  Whose is it? 1 Anthropic, 2 OpenAI, 3 OpenRouter, 4 Mistral, 5 Gemini, 6 xAI: ' >&2
  IFS= read -r answer || answer=""
  say "$answer"
  case "$answer" in
    1) name=ANTHROPIC_API_KEY ;;
    2) name=OPENAI_API_KEY ;;
    3) name=OPENROUTER_API_KEY ;;
    4) name=MISTRAL_API_KEY ;;
    5) name=GEMINI_API_KEY ;;
    6) name=XAI_API_KEY ;;
    *) say "  Please answer 1 to 6." ;;
  esac
}

choose_providers() {
  if choose_from_environment || choose_from_terminal; then
    return 0
  fi
  if [ "$force_env" = yes ] && keep_provider_keys; then return 0; fi
  choose ARAGORA_DEMO_FALLBACK true
  say "  No provider key: the built-in demonstration agents answer (ARAGORA_DEMO_FALLBACK=true). Later: write one into"
  say "  deploy/.env, then: $(compose_line up -d)"
}

# A key that somebody bought is not ours to throw away.
keep_provider_keys() {
  local name any=1
  for name in $PROVIDER_KEYS; do
    if value_of "$ENV_FILE" "$name" && ! is_placeholder "$VALUE"; then
      choose "$name" "$VALUE"
      any=0
      good "$name: kept from the old file"
    fi
  done
  return "$any"
}

choose_profiles() {
  local remembered="" profile
  if value_of "${1:-/nonexistent/nothing}" COMPOSE_PROFILES; then remembered="$(printf '%s' "$VALUE" | tr ',' ' ')"; fi
  for profile in $profiles; do
    case " $remembered " in *" $profile "*) ;; *) remembered="${remembered:+$remembered }$profile" ;; esac
  done
  profiles="$remembered"
  VALUE="$(printf '%s' "$remembered" | tr -s ' ' ',')"
}

new_settings() {
  choose_secrets
  choose_providers
  choose_others_from_environment
  choose_owner
  choose_profiles
  [ -z "$VALUE" ] || choose COMPOSE_PROFILES "$VALUE"
  choose_collector "$VALUE"
  write_env_file "$ENV_TEMPLATE" drop-returns
  good "written, mode 0600, with $(printf '%s\n' "$SECRETS" | wc -w | tr -d ' ') random secrets"
}

# With monitoring comes a Jaeger, which might as well get the traces; whoever has a collector names it in the environment.
choose_collector() {
  case ",$1," in
    *,monitoring,*) [ -n "${OTEL_EXPORTER_OTLP_ENDPOINT:-}" ] || choose OTEL_EXPORTER_OTLP_ENDPOINT http://jaeger:4318 ;;
  esac
}

replace_settings() {
  local kept
  [ -f "$ENV_TEMPLATE" ] || die "$EX_SETTINGS" "no $ENV_TEMPLATE. Next: git checkout -- deploy/.env.template"
  kept="$(keep_old_env_file)"
  choose_secrets
  choose_providers
  choose_others_from_environment
  choose_owner
  # Receipts outlive the key that signed them.
  if value_of "$ENV_FILE" ARAGORA_RECEIPT_SIGNING_KEY && ! is_placeholder "$VALUE"; then
    choose ARAGORA_RECEIPT_SIGNING_KEY_PREVIOUS "$VALUE"
  fi
  choose_profiles "$ENV_FILE"
  [ -z "$VALUE" ] || choose COMPOSE_PROFILES "$VALUE"
  choose_collector "$VALUE"
  write_env_file "$ENV_TEMPLATE" drop-returns
  good "written anew, mode 0600; the old one is ${kept#"$ROOT/"}"
  say "  Other settings of the old file are not taken over: diff them by hand, then delete it."
  warn_of_old_volumes
}

# Prints the name of the copy. Two in one second get different names.
keep_old_env_file() {
  local stamp name count=1
  stamp="$(date +%Y%m%d-%H%M%S)"
  name="$ENV_FILE.backup-$stamp"
  while [ -e "$name" ]; do
    count=$((count + 1))
    name="$ENV_FILE.backup-$stamp-$count"
  done
  (umask 077 && cat "$ENV_FILE" >"$ENV_FILE$UNFINISHED" && mv "$ENV_FILE$UNFINISHED" "$name") ||
    die "$EX_SETTINGS" "can not keep a copy of $ENV_FILE. Next: make room on the disk, or write access to $DEPLOY."
  printf '%s\n' "$name"
}

# An existing file is the operator's: only what is empty or still a placeholder is filled in.
keep_settings() {
  local secret name filled="" kept
  for secret in $SECRETS; do
    name="${secret%%:*}"
    if value_of "$ENV_FILE" "$name" && ! is_placeholder "$VALUE"; then continue; fi
    random_hex "${secret#*:}"
    choose "$name" "$VALUE"
    filled="${filled:+$filled }$name"
  done
  if ! has_provider_key; then choose_from_environment || true; fi
  choose_profiles "$ENV_FILE"
  if [ -n "$VALUE" ] && [ "$VALUE" != "$(setting COMPOSE_PROFILES '')" ]; then choose COMPOSE_PROFILES "$VALUE"; fi
  if grep -q "$CARRIAGE_RETURN" "$ENV_FILE"; then
    doubt "deploy/.env has Windows line ends; Compose reads it, shells do not. Next: tr -d '\\r' <deploy/.env >deploy/.env.unix && mv deploy/.env.unix deploy/.env && chmod 600 deploy/.env"
  fi
  if [ -n "$CHOSEN" ]; then
    if [ -n "$filled" ]; then
      kept="$(keep_old_env_file)"
      say "  filled in, because empty or still a placeholder: $filled (before: ${kept#"$ROOT/"})"
    fi
    write_env_file "$ENV_FILE" keep-returns
    good "kept, but for: $CHOSEN"
    case " $filled " in *" POSTGRES_PASSWORD "*) warn_of_old_volumes ;; esac
  else
    protect_env_file
    good "kept as it is"
  fi
}

has_provider_key() {
  local name VALUE
  for name in $PROVIDER_KEYS; do
    if value_of "$ENV_FILE" "$name" && ! is_placeholder "$VALUE"; then return 0; fi
  done
  return 1
}

# Others must not read secrets, whoever made the file.
is_open_to_others() {
  # shellcheck disable=SC2012
  case "$(ls -lL "$1" | cut -c 5-10)" in
    ------) return 1 ;;
  esac
}
protect_env_file() {
  is_open_to_others "$ENV_FILE" || return 0
  chmod 600 "$ENV_FILE" || die "$EX_SETTINGS" "others can read $ENV_FILE. Next: chmod 600 '$ENV_FILE', as its owner."
  if is_open_to_others "$ENV_FILE"; then
    doubt "others can read deploy/.env: the disk keeps no modes (WSL2: /mnt/c). Next: move the checkout into the Linux home folder"
  else
    say "  its mode was open to others; now 0600"
  fi
}

# Writes deploy/.env from FILE with the chosen values in their places; what has no place there is added at the end.
# write_env_file FILE keep-returns|drop-returns
write_env_file() {
  local line name returns written="" target="$ENV_FILE"
  # A link (to an encrypted disk, say) stays a link: its target is what is written.
  [ ! -L "$ENV_FILE" ] || target=""
  (
    umask 077
    while IFS= read -r line || [ -n "$line" ]; do
      returns=""
      case "$line" in *"$CARRIAGE_RETURN") returns="$CARRIAGE_RETURN" && line="${line%"$CARRIAGE_RETURN"}" ;; esac
      [ "$2" = keep-returns ] || returns=""
      name="${line%%=*}"
      case "$line" in
        '#'*=*)
          # "# NAME=example" is where a setting that has no default belongs.
          name="${name#\#}"
          name="${name# }"
          case "$name" in '' | *[!A-Z0-9_]*) name="" ;; esac
          if [ -n "$name" ] && is_chosen "$name" && ! has_line "$1" "$name"; then line="$name="; else name=""; fi
          ;;
        *=*) case "$name" in '' | *[!A-Z0-9_]*) name="" ;; esac ;;
        *) name="" ;;
      esac
      if [ -n "$name" ] && is_chosen "$name"; then
        # A second line of the same name would win over the first.
        case " $written " in *" $name "*) continue ;; esac
        written="$written $name"
        eval "line=\"$name=\$CHOSEN_$name\""
      fi
      printf '%s%s\n' "$line" "$returns"
    done <"$1"
    for name in $CHOSEN; do
      case " $written " in
        *" $name "*) ;;
        *)
          eval "printf '%s=%s\n' \"\$name\" \"\$CHOSEN_$name\""
          ;;
      esac
    done
  ) >"$ENV_FILE$UNFINISHED" || die "$EX_SETTINGS" "can not write $ENV_FILE. Next: make room on the disk, or write access to $DEPLOY."
  chmod 600 "$ENV_FILE$UNFINISHED"
  refuse_placeholders "$ENV_FILE$UNFINISHED"
  if [ -n "$target" ]; then
    mv -f "$ENV_FILE$UNFINISHED" "$target"
  else
    cat "$ENV_FILE$UNFINISHED" >"$ENV_FILE" && rm -f "$ENV_FILE$UNFINISHED"
  fi
  protect_env_file
}

# has_line FILE NAME: whether NAME has a line of its own, not commented out.
has_line() { grep -q "^$2=" "$1"; }

# A secret that nobody fills in would start a service that everybody can enter.
refuse_placeholders() {
  local left
  left="$(sed -n 's/^\([A-Z0-9_]*\)=.*CHANGE_*ME.*/\1/p' "$1" | tr '\n' ' ')"
  [ -z "$left" ] || die "$EX_SETTINGS" "these still have a placeholder for a value: ${left% }. Next: set them in deploy/.env (or in the template, if they are secrets of yours)."
}
