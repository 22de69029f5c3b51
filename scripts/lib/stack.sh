# shellcheck shell=bash
# A private Postgres and a private Redis in a folder of their own. Sourced, never run.
#
# Needs lib/common.sh, lib/ports.sh and lib/process.sh, and one call of `stack_use FOLDER` first. Both
# servers listen on 127.0.0.1 only, ask for a password, and never run as root: root starts them as the
# users `postgres` and `redis` that the Debian packages made. What is kept, under FOLDER/stack:
#
#   home               where the two data folders are (FOLDER itself, unless those users can not enter it)
#   postgres.port …    the port, password, pid and identity of each
#   postgres.socket    a short folder for the Unix socket (its path may have 107 bytes)

readonly STORE_START_SECONDS=30 STORE_STOP_SECONDS=30 STORE_START_ATTEMPTS=3

# Uses FOLDER for everything that follows, and makes it.
stack_use() {
  STACK_FOLDER="$(mkdir -p -- "$1" && cd -- "$1" && pwd -P)"
  STACK_STATE="$STACK_FOLDER/stack"
  # Other users pass through to their data folder, and see nothing on the way.
  chmod 711 "$STACK_FOLDER"
  private_folder "$STACK_STATE" "$STACK_FOLDER/logs"
}

# Makes folders only we can look into.
private_folder() {
  mkdir -p -- "$@" && chmod 700 -- "$@"
}

state_get() { [[ ! -f "$STACK_STATE/$1" ]] || cat "$STACK_STATE/$1"; }
state_set() { (umask 077 && printf '%s\n' "$2" >"$STACK_STATE/$1.new" && mv -f "$STACK_STATE/$1.new" "$STACK_STATE/$1"); }

# The secret kept under NAME, made on first use. Kept across restarts: yesterday's receipts must still verify.
# stack_secret NAME [BYTES]
stack_secret() {
  [[ -s "$STACK_STATE/$1" ]] || state_set "$1" "$(openssl rand -hex "${2:-32}")"
  state_get "$1"
}

# Runs a command as the unprivileged user a server belongs to, without our locks and terminal.
# as_server USER COMMAND...
as_server() {
  local user="$1"
  shift
  if is_root; then
    (cd / && close_inherited && exec runuser -u "$user" -- "$@" </dev/null)
  else
    (cd / && close_inherited && exec "$@" </dev/null)
  fi
}

# The folder that holds both data folders. Root's checkout may lie where `postgres` can not go (/root).
stack_home() {
  local home
  home="$(state_get home)"
  if [[ -z "$home" || ! -d "$home" ]]; then
    home="$STACK_FOLDER"
    if is_root && ! as_server postgres test -x "$STACK_FOLDER"; then
      home="$(mktemp -d /var/tmp/aragora-stack.XXXXXX)"
      chmod 711 "$home"
    fi
    state_set home "$home"
  fi
  printf '%s\n' "$home"
}

# Makes a folder that belongs to a server's user.
# server_folder USER PATH
server_folder() {
  private_folder "$2"
  ! is_root || chown "$1:" "$2"
}

# --- Postgres -----------------------------------------------------------------------------------

postgres_binaries() {
  local folder
  folder="$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)"
  [[ -x "$folder/initdb" ]] || die "$EX_CONFIG" "no Postgres server under /usr/lib/postgresql (scripts/bootstrap.sh installs one)"
  printf '%s\n' "$folder"
}

postgres_data() { printf '%s/postgres\n' "$(stack_home)"; }
postgres_pid() { process_recorded "$STACK_STATE/postgres.pid" "$STACK_STATE/postgres.identity"; }
postgres_url() { printf 'postgresql://aragora:%s@127.0.0.1:%s/aragora\n' "$(stack_secret postgres.password 24)" "$(state_get postgres.port)"; }

# Makes the cluster, once: a superuser nobody else uses, data checksums, passwords everywhere.
postgres_initialise() {
  local data password_file
  data="$(postgres_data)"
  [[ ! -s "$data/PG_VERSION" ]] || return 0
  server_folder postgres "$data"
  password_file="$(stack_home)/initdb.password"
  (umask 077 && stack_secret postgres.superuser 24 >"$password_file")
  ! is_root || chown postgres: "$password_file"
  as_server postgres "$(postgres_binaries)/initdb" --pgdata="$data" --username=postgres --pwfile="$password_file" \
    --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --data-checksums >"$STACK_FOLDER/logs/initdb.log" 2>&1 ||
    die "$EX_FAILED" "initdb failed: $(tail -n 5 "$STACK_FOLDER/logs/initdb.log")"
  rm -f "$password_file"
  printf "include 'aragora.conf'\n" >>"$data/postgresql.conf"
}

# What must hold for the product: commits are durable, the log is good enough to replicate and archive.
postgres_configure() {
  local data socket
  data="$(postgres_data)"
  socket="$(state_get postgres.socket)"
  if [[ -z "$socket" || ! -d "$socket" ]]; then
    socket="$(mktemp -d /tmp/aragora-pg.XXXXXX)"
    server_folder postgres "$socket"
    state_set postgres.socket "$socket"
  fi
  cat >"$data/aragora.conf" <<CONF
listen_addresses = '127.0.0.1'
port = $1
unix_socket_directories = '$socket'
max_connections = 400
fsync = on
synchronous_commit = on
full_page_writes = on
wal_level = replica
max_wal_senders = 10
password_encryption = 'scram-sha-256'
log_line_prefix = '%m [%p] %a '
CONF
  ! is_root || chown postgres: "$data/aragora.conf"
}

# Runs psql on the private server as its superuser.
postgres_admin() {
  PGPASSWORD="$(state_get postgres.superuser)" psql -X -q -A -t -v ON_ERROR_STOP=1 \
    -h 127.0.0.1 -p "$(state_get postgres.port)" -U postgres "$@"
}

# The product's role owns one database, may make scratch ones (a trial restore needs that) and stream the log.
postgres_create_role() {
  [[ -z "$(postgres_admin -d postgres -c "SELECT 1 FROM pg_roles WHERE rolname = 'aragora'")" ]] || return 0
  postgres_admin -d postgres -v password="$(stack_secret postgres.password 24)" <<'SQL'
CREATE ROLE aragora LOGIN CREATEDB REPLICATION PASSWORD :'password';
GRANT pg_monitor TO aragora;
CREATE DATABASE aragora OWNER aragora;
SQL
}

# Starts Postgres, on its former port if that is free, and returns when it answers. Starting what runs is fine.
# glibc gives memory back to the kernel after every large statement and asks for it again at the next, page by page: an eighth
# of Postgres's time in whole debates. Eight megabytes a connection may stay; docs/performance.md, "Whole debates".
readonly POSTGRES_MALLOC=(MALLOC_TRIM_THRESHOLD_=8388608 MALLOC_TOP_PAD_=1048576)

postgres_start() {
  local port data log attempt
  port="$(state_get postgres.port)"
  [[ -z "$(postgres_pid)" ]] || return 0
  postgres_initialise
  data="$(postgres_data)"
  log="$(stack_home)/postgres.log"
  touch "$log" && { ! is_root || chown postgres: "$log"; }
  ln -sfn "$log" "$STACK_FOLDER/logs/postgres.log" 2>/dev/null || true
  for ((attempt = 1; attempt <= STORE_START_ATTEMPTS; attempt++)); do
    if [[ -z "$port" ]] || ! port_is_free "$port"; then pick_port port; fi
    postgres_configure "$port"
    state_set postgres.port "$port"
    if as_server postgres env "${POSTGRES_MALLOC[@]}" "$(postgres_binaries)/pg_ctl" --pgdata="$data" --log="$log" --wait \
      --timeout="$STORE_START_SECONDS" --silent start >/dev/null 2>&1; then
      process_record "$(head -n 1 "$data/postmaster.pid")" "$STACK_STATE/postgres.pid" "$STACK_STATE/postgres.identity"
      postgres_create_role
      return 0
    fi
    port=""
  done
  tail -n 20 "$log" >&2
  die "$EX_UNAVAILABLE" "Postgres did not start; its log is above"
}

# Stops Postgres: `fast` ends the sessions and writes a checkpoint, `immediate` is a crash.
# postgres_stop fast|immediate
postgres_stop() {
  local data socket
  data="$(postgres_data)"
  if [[ -n "$(postgres_pid)" ]]; then
    as_server postgres "$(postgres_binaries)/pg_ctl" --pgdata="$data" --mode="$1" --wait \
      --timeout="$STORE_STOP_SECONDS" --silent stop >/dev/null 2>&1 ||
      as_server postgres "$(postgres_binaries)/pg_ctl" --pgdata="$data" --mode=immediate --wait --silent stop >/dev/null
  fi
  rm -f "$STACK_STATE/postgres.pid" "$STACK_STATE/postgres.identity"
  socket="$(state_get postgres.socket)"
  [[ "$socket" != /tmp/aragora-pg.* ]] || rm -rf -- "$socket"
  rm -f "$STACK_STATE/postgres.socket"
}

# --- Redis --------------------------------------------------------------------------------------

redis_data() { printf '%s/redis\n' "$(stack_home)"; }
redis_pid() { process_recorded "$STACK_STATE/redis.pid" "$STACK_STATE/redis.identity"; }
# The user is named because redis-cli 7.0 takes an empty one literally.
redis_url() { printf 'redis://default:%s@127.0.0.1:%s/0\n' "$(stack_secret redis.password 24)" "$(state_get redis.port)"; }

redis_admin() {
  REDISCLI_AUTH="$(state_get redis.password)" redis-cli -h 127.0.0.1 -p "$(state_get redis.port)" "$@"
}

redis_answers() { [[ "$(redis_admin PING 2>/dev/null)" = PONG ]]; }

# volatile-lru as the product's documents ask: only what has a TTL may be evicted, and nothing that matters has one.
redis_configure() {
  local data
  data="$(redis_data)"
  server_folder redis "$data"
  (umask 077 && cat >"$data/redis.conf" <<CONF
bind 127.0.0.1
port $1
requirepass $(stack_secret redis.password 24)
dir $data
daemonize yes
pidfile $data/redis.pid
logfile $data/redis.log
appendonly yes
appendfsync everysec
save ""
maxmemory 256mb
maxmemory-policy volatile-lru
CONF
  )
  ! is_root || chown redis: "$data/redis.conf"
}

redis_runs() { [[ -s "$(redis_data)/redis.pid" ]] && redis_answers; }

# Starts Redis, on its former port if that is free, and returns when it answers. Starting what runs is fine.
redis_start() {
  local port data attempt
  port="$(state_get redis.port)"
  [[ -z "$(redis_pid)" ]] || return 0
  data="$(redis_data)"
  for ((attempt = 1; attempt <= STORE_START_ATTEMPTS; attempt++)); do
    if [[ -z "$port" ]] || ! port_is_free "$port"; then pick_port port; fi
    redis_configure "$port"
    state_set redis.port "$port"
    rm -f "$data/redis.pid"
    ln -sfn "$data/redis.log" "$STACK_FOLDER/logs/redis.log"
    if as_server redis redis-server "$data/redis.conf" >/dev/null && wait_until "$STORE_START_SECONDS" redis_runs; then
      process_record "$(<"$data/redis.pid")" "$STACK_STATE/redis.pid" "$STACK_STATE/redis.identity"
      return 0
    fi
    port=""
  done
  tail -n 20 "$data/redis.log" >&2 || true
  die "$EX_UNAVAILABLE" "Redis did not start; its log is above"
}

# Stops Redis: TERM lets it finish its append-only file, KILL is a crash.
# redis_stop TERM|KILL
redis_stop() {
  local pid
  pid="$(redis_pid)"
  if [[ -n "$pid" ]]; then
    kill "-$1" "$pid" 2>/dev/null || true
    wait_until "$STORE_STOP_SECONDS" process_gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
  fi
  rm -f "$STACK_STATE/redis.pid" "$STACK_STATE/redis.identity"
}

# --- both ---------------------------------------------------------------------------------------

stores_start() {
  postgres_start
  redis_start
}

stores_stop() {
  redis_stop TERM
  postgres_stop fast
}

# Removes the data and the secrets. Only after stores_stop.
stores_erase() {
  local home
  home="$(state_get home)"
  [[ -z "$home" ]] || rm -rf -- "$home/postgres" "$home/redis" "$home/postgres.log"
  [[ "$home" != /var/tmp/aragora-stack.* ]] || rm -rf -- "$home"
  rm -rf -- "$STACK_STATE"
}

# Runs COMMAND with fresh stores of its own, described by TEST_DATABASE_URL and TEST_REDIS_URL; they are
# gone afterwards, whatever happened. Takes over the EXIT trap.
# with_private_stores COMMAND...
with_private_stores() {
  PRIVATE_STORES="$(mktemp -d "${TMPDIR:-/tmp}/aragora-stores.XXXXXX")"
  stack_use "$PRIVATE_STORES"
  trap 'stores_stop; stores_erase; rm -rf -- "$PRIVATE_STORES"' EXIT
  step "starting a private Postgres and Redis"
  stores_start
  TEST_DATABASE_URL="$(postgres_url)" TEST_REDIS_URL="$(redis_url)" REQUIRE_INTEGRATION=1 "$@"
}
