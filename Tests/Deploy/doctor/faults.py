"""The faults: how each is injected, and the code that must be found."""

import os
import resource
import secrets
import shutil
import socket
import stat
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from installation import MINIMUM_DESCRIPTORS, Installation, free_port, wait_until


class Skipped(Exception):
    """This machine can not have the fault."""


@dataclass
class Injected:
    """What differs for the operator who types the command."""

    environment: dict[str, str | None] = field(default_factory=dict)
    # What the command is run under.
    prefix: list[str] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    undo: Callable[[], None] = lambda: None


@dataclass
class Case:
    code: str | None
    name: str
    inject: Callable[[Installation], Injected]
    seen_by_validate_env: bool = False
    # Where an otherwise broken thing only is advice.
    is_advice: bool = False


CASES: list[Case] = []


def fault(code: str | None, name: str, seen_by_validate_env: bool = False, is_advice: bool = False):
    def register(function):
        CASES.append(Case(code, name, function, seen_by_validate_env, is_advice))
        return function
    return register


def setting(code: str, name: str, is_advice: bool = False, **values: str | None):
    """A fault that is a setting's value."""
    hidden = {value for value in values.values() if value and ("CHANGEME" in value or "hunter2" in value)}
    CASES.append(Case(code, name, lambda _: Injected(dict(values), secrets=hidden), True, is_advice))


# --- nothing wrong -------------------------------------------------------------------------------


@fault(None, "a healthy installation")
def healthy(_: Installation) -> Injected:
    return Injected()


@fault(None, "the same, its secrets in files")
def secret_files(it: Installation) -> Injected:
    changes: dict[str, str | None] = {}
    for name in ("ARAGORA_API_TOKEN", "ARAGORA_POSTGRES_DSN", "ARAGORA_REDIS_URL", "ANTHROPIC_API_KEY"):
        path = it.folder / name.lower()
        path.write_text(f"{it.environment[name]}\n")
        changes |= {name: None, f"{name}_FILE": str(path)}
    return Injected(changes)


def pooled(it: Installation, name: str, **changes: str) -> Injected:
    port = it.start_pooler(name)
    if port is None:
        raise Skipped("there is no PgBouncer")
    return Injected({"ARAGORA_DB_POOLER": "transaction", "ARAGORA_POSTGRES_DIRECT_DSN": it.dsn(),
                     "ARAGORA_POSTGRES_DSN": it.dsn(port=port, **changes)})


@fault(None, "the same behind a transaction pooler")
def pooler(it: Installation) -> Injected:
    return pooled(it, "healthy")


# --- 1 Postgres ----------------------------------------------------------------------------------


@fault("ARA-D101", "Postgres: nobody listens", True)
def postgres_refused(it: Installation) -> Injected:
    return Injected({"ARAGORA_POSTGRES_DSN": it.dsn(port=free_port())})


@fault("ARA-D101", "Postgres: unknown host", True)
def postgres_unknown(it: Installation) -> Injected:
    return Injected({"ARAGORA_POSTGRES_DSN": it.dsn(host="postgres.invalid")})


@fault("ARA-D101", "Postgres: a host that never answers", True)
def postgres_silent(it: Installation) -> Injected:
    silent = socket.create_server(("127.0.0.1", 0))
    return Injected({"ARAGORA_POSTGRES_DSN": it.dsn(port=silent.getsockname()[1])}, undo=silent.close)


@fault("ARA-D102", "Postgres: wrong password", True)
def postgres_password(it: Installation) -> Injected:
    return Injected({"ARAGORA_POSTGRES_DSN": it.dsn(password="hunter2-wrong")}, secrets={"hunter2-wrong"})


@fault("ARA-D102", "Postgres: unknown user", True)
def postgres_user(it: Installation) -> Injected:
    return Injected({"ARAGORA_POSTGRES_DSN": it.dsn().replace("//aragora:", "//nobody:")})


@fault("ARA-D102", "Postgres: wrong password, refused by a pooler", True)
def pooler_password(it: Installation) -> Injected:
    injected = pooled(it, "password", password="hunter2-wrong")
    injected.secrets = {"hunter2-wrong"}
    return injected


@fault("ARA-D103", "Postgres: wrong database, refused by a pooler", True)
def pooler_database(it: Installation) -> Injected:
    return pooled(it, "database", database="elsewhere")


@fault("ARA-D103", "Postgres: wrong database", True)
def postgres_database(it: Installation) -> Injected:
    return Injected({"ARAGORA_POSTGRES_DSN": it.dsn("elsewhere")})


@fault("ARA-D104", "Postgres: every connection slot taken", True)
def postgres_slots(it: Installation) -> Injected:
    other = it.start_stores("crowded", "6")
    port, password = int(other["POSTGRES_PORT"]), other["POSTGRES_PASSWORD"]
    dsn = it.dsn(port=port, password=password)

    def take() -> bool:
        """One more; until the server has none left for users like ours."""
        asked = subprocess.run(["psql", "-XAtc", "SELECT 1", dsn], capture_output=True, check=False)
        if asked.returncode != 0:
            return b"connection slots" in asked.stderr or b"too many" in asked.stderr
        it.spawn(["psql", "-XAtc", "SELECT pg_sleep(120)", dsn])
        return False

    wait_until("a full server", take)
    return Injected({"ARAGORA_POSTGRES_DSN": dsn}, secrets={password, other["SUPERUSER_PASSWORD"]})


@fault("ARA-D105", "schema: a migration is missing")
def migration_missing(it: Installation) -> Injected:
    it.sql("older", "DELETE FROM schema_migrations WHERE version = (SELECT max(version) FROM schema_migrations)")
    return Injected({"ARAGORA_POSTGRES_DSN": it.dsn("older")})


@fault("ARA-D105", "schema: a database that holds nothing of ours")
def schema_empty(it: Installation) -> Injected:
    it.sql("empty_of_us", "DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION aragora")
    return Injected({"ARAGORA_POSTGRES_DSN": it.dsn("empty_of_us")})


@fault("ARA-D106", "schema: newer than this version")
def schema_newer(it: Installation) -> Injected:
    it.sql("newer", "INSERT INTO schema_migrations (version, name, checksum, compatible) VALUES (999, 'later', 'x', false)")
    return Injected({"ARAGORA_POSTGRES_DSN": it.dsn("newer")})


@fault("ARA-D107", "schema: an applied migration had another text")
def schema_foreign(it: Installation) -> Injected:
    it.sql("edited", "UPDATE schema_migrations SET checksum = 'edited' WHERE version = 1")
    return Injected({"ARAGORA_POSTGRES_DSN": it.dsn("edited")})


def pg_dump_stub(it: Installation, name: str, version: str, failure: str) -> str:
    """A PATH in which pg_dump says this version, and fails to dump. psql is the real one."""
    folder = it.folder / name
    folder.mkdir()
    stub = folder / "pg_dump"
    stub.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "pg_dump (PostgreSQL) {version}" && exit 0\n'
                    f"echo '{failure}' >&2\nexit 1\n")
    stub.chmod(0o755)
    return f"{folder}:{it.environment['PATH']}"


@fault("ARA-D108", "pg_dump is older than the server")
def client_older(it: Installation) -> Injected:
    return Injected({"PATH": pg_dump_stub(it, "old-client", "9.6.24", "too old")})


def clock(offset: str) -> Injected:
    if not shutil.which("faketime"):
        raise Skipped("there is no faketime")
    return Injected({"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}, ["faketime", "-f", offset])


@fault("ARA-D109", "this machine's clock is ten minutes ahead")
def clock_ahead(_: Installation) -> Injected:
    return clock("+10m")


@fault("ARA-D109", "this machine's clock is two years behind")
def clock_behind(_: Installation) -> Injected:
    return clock("-730d")


@fault("ARA-D110", "Postgres: the database lets nobody in", True)
def postgres_closed(it: Installation) -> Injected:
    it.sql("postgres", "ALTER DATABASE closed ALLOW_CONNECTIONS false")
    return Injected({"ARAGORA_POSTGRES_DSN": it.dsn("closed")})


# --- 2 Redis -------------------------------------------------------------------------------------


@fault("ARA-D201", "Redis: nobody listens", True)
def redis_refused(_: Installation) -> Injected:
    return Injected({"ARAGORA_REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"})


@fault("ARA-D201", "Redis: a host that never answers", True)
def redis_silent(_: Installation) -> Injected:
    silent = socket.create_server(("127.0.0.1", 0))
    return Injected({"ARAGORA_REDIS_URL": f"redis://127.0.0.1:{silent.getsockname()[1]}/0"}, undo=silent.close)


@fault("ARA-D202", "Redis: wrong password", True)
def redis_password(it: Installation) -> Injected:
    place = it.redis_url.rsplit("@", 1)[1]
    return Injected({"ARAGORA_REDIS_URL": f"redis://:hunter2-wrong@{place}"}, secrets={"hunter2-wrong"})


@fault("ARA-D202", "Redis: no password given", True)
def redis_no_password(it: Installation) -> Injected:
    return Injected({"ARAGORA_REDIS_URL": f"redis://{it.redis_url.rsplit('@', 1)[1]}"})


@fault("ARA-D203", "Redis: evicts any key")
def redis_evicting(it: Installation) -> Injected:
    return Injected({"ARAGORA_REDIS_URL": it.start_redis("evicting", "maxmemory-policy allkeys-lru")})


@fault("ARA-D204", "Redis: no append-only file")
def redis_no_aof(it: Installation) -> Injected:
    return Injected({"ARAGORA_REDIS_URL": it.start_redis("noaof", "appendonly no")})


@fault("ARA-D205", "Redis: out of memory")
def redis_full(it: Installation) -> Injected:
    url = it.start_redis("full", "maxmemory 8mb")
    full = lambda: "OOM" in it.redis("SET", secrets.token_hex(8), "x" * 100_000, url=url)  # noqa: E731
    wait_until("a full Redis", full)
    return Injected({"ARAGORA_REDIS_URL": url})


@fault("ARA-D206", "Redis: CONFIG does not exist")
def redis_no_config(it: Installation) -> Injected:
    return Injected({"ARAGORA_REDIS_URL": it.start_redis("noconfig", 'rename-command CONFIG ""')})


@fault("ARA-D206", "Redis: CONFIG is forbidden to our user")
def redis_config_forbidden(it: Installation) -> Injected:
    url = it.start_redis("acl")
    it.redis("ACL", "SETUSER", "limited", "on", ">limited-password-of-a-test", "~*", "&*", "+@all", "-config", url=url)
    place = url.rsplit("@", 1)[1]
    return Injected({"ARAGORA_REDIS_URL": f"redis://limited:limited-password-of-a-test@{place}"},
                    secrets={"limited-password-of-a-test"})


@fault("ARA-D207", "Redis: filled before a restore raised the generation")
def redis_generation(it: Installation) -> Injected:
    it.sql("raised", "UPDATE installation SET generation = generation + 1")
    return Injected({"ARAGORA_POSTGRES_DSN": it.dsn("raised")})


@fault("ARA-D207", "Redis: ahead of a database that was put back by hand")
def redis_ahead(it: Installation) -> Injected:
    return Injected({"ARAGORA_POSTGRES_DSN": it.dsn("restored")})


@fault("ARA-D208", "Redis: a read-only replica")
def redis_replica(it: Installation) -> Injected:
    primary = it.start_redis("primary")
    password, place = primary.split(":", 2)[2].rsplit("@", 1)
    host, port = place.split("/")[0].split(":")
    url = it.start_redis("replica", f"masterauth {password}", f"replicaof {host} {port}")
    wait_until("replication", lambda: "master_link_status:up" in it.redis("INFO", "replication", url=url))
    return Injected({"ARAGORA_REDIS_URL": url})


# --- 3 Settings and secrets ----------------------------------------------------------------------

setting("ARA-D301", "a number that is none", ARAGORA_DB_POOL_SIZE="many")
setting("ARA-D301", "a DSN that is none", ARAGORA_POSTGRES_DSN="postgresql://[hunter2")
setting("ARA-D301", "a Redis URL that is none", ARAGORA_REDIS_URL="http://user:hunter2@host", ARAGORA_MULTI_INSTANCE=None)
setting("ARA-D302", "no DSN", ARAGORA_POSTGRES_DSN=None)
setting("ARA-D303", "the JWT secret is CHANGEME", ARAGORA_JWT_SECRET="CHANGEME_JWT_SECRET_THAT_IS_LONG_ENOUGH")
setting("ARA-D303", "the encryption key is the reference's placeholder", ARAGORA_ENCRYPTION_KEY="CHANGEME_ENCRYPTION_KEY")
setting("ARA-D303", "the API token is a template's", ARAGORA_API_TOKEN="<replace this by openssl rand -hex 32>")
setting("ARA-D303", "a provider's key is a template's", ANTHROPIC_API_KEY="sk-ant-your-key-here")
setting("ARA-D304", "no API token", ARAGORA_API_TOKEN=None)
setting("ARA-D305", "a short API token", ARAGORA_API_TOKEN="hunter2")
setting("ARA-D306", "a short JWT secret", ARAGORA_JWT_SECRET="hunter2")
setting("ARA-D307", "a short encryption key", ARAGORA_ENCRYPTION_KEY="0123456789abcdef")
setting("ARA-D308", "no receipt key", ARAGORA_RECEIPT_SIGNING_KEY=None)
setting("ARA-D309", "a short receipt key", ARAGORA_RECEIPT_SIGNING_KEY="hunter2")
setting("ARA-D310", "wildcard origins", ARAGORA_ALLOWED_ORIGINS="*")
setting("ARA-D311", "insecure cookies", ARAGORA_COOKIE_SECURE="false")
setting("ARA-D312", "open trusted proxies", ARAGORA_TRUSTED_PROXIES="0.0.0.0/0")
setting("ARA-D312", "open trusted proxies, IPv6", ARAGORA_TRUSTED_PROXIES="10.0.0.0/8, ::/0")
setting("ARA-D313", "several instances without Redis", ARAGORA_REDIS_URL=None)
setting("ARA-D306", "outside production a short JWT secret is advice", is_advice=True, ARAGORA_ENV="development",
        ARAGORA_JWT_SECRET="hunter2")


@fault("ARA-D303", "the database's password is CHANGEME, and wrong", True)
def dsn_placeholder(it: Installation) -> Injected:
    return Injected({"ARAGORA_POSTGRES_DSN": it.dsn(password="CHANGEME_DB")}, secrets={"CHANGEME_DB"})


@fault("ARA-D314", "another encryption key than the one that sealed what is stored")
def secret_unreadable(_: Installation) -> Injected:
    return Injected({"ARAGORA_ENCRYPTION_KEY": secrets.token_hex(32)})


@fault("ARA-D315", "an encryption key that was changed, and nothing sealed anew yet")
def secrets_of_previous_key(it: Installation) -> Injected:
    return Injected({"ARAGORA_ENCRYPTION_KEY": secrets.token_hex(32),
                     "ARAGORA_ENCRYPTION_KEY_PREVIOUS": it.environment["ARAGORA_ENCRYPTION_KEY"]})


# --- 4 Certificate -------------------------------------------------------------------------------


def with_certificate(files) -> Injected:
    return Injected({"ARAGORA_TLS_CERT_FILE": str(files[0]), "ARAGORA_TLS_KEY_FILE": str(files[1])})


@fault("ARA-D401", "the certificate has expired")
def certificate_expired(it: Installation) -> Injected:
    return with_certificate(it.certificate("expired", "aragora.example", 30, "-60d"))


@fault("ARA-D401", "the certificate is not valid yet")
def certificate_future(it: Installation) -> Injected:
    return with_certificate(it.certificate("future", "aragora.example", 60, "+30d"))


@fault("ARA-D401", "the certificate in its default place has expired")
def certificate_default(it: Installation) -> Injected:
    place = it.folder / "checkout/deploy/nginx/certs"
    place.mkdir(parents=True)
    for source, name in zip(it.certificate("default", "aragora.example", 30, "-60d"), ("server.crt", "server.key")):
        shutil.copy(source, place / name)
    return Injected({"ARAGORA_TLS_CERT_FILE": None, "ARAGORA_TLS_KEY_FILE": None, "TEST_FOLDER": str(it.folder / "checkout")})


@fault("ARA-D402", "the certificate is for another name")
def certificate_name(it: Installation) -> Injected:
    return with_certificate(it.certificate("other", "other.example"))


@fault("ARA-D403", "the key is another certificate's")
def certificate_key(it: Installation) -> Injected:
    return with_certificate((it.certificate("one", "aragora.example")[0], it.certificate("two", "aragora.example")[1]))


@fault("ARA-D404", "the certificate's file does not exist")
def certificate_missing(it: Installation) -> Injected:
    return with_certificate((it.folder / "none.crt", it.folder / "none.key"))


@fault("ARA-D404", "the certificate's file holds none")
def certificate_unreadable(it: Installation) -> Injected:
    (it.folder / "empty.crt").write_text("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
    return with_certificate((it.folder / "empty.crt", it.folder / "empty.crt"))


@fault("ARA-D405", "the certificate ends in a week")
def certificate_soon(it: Installation) -> Injected:
    return with_certificate(it.certificate("soon", "aragora.example", 7))


# --- 5 Model providers ---------------------------------------------------------------------------


@fault("ARA-D501", "no provider has a key", True)
def provider_none(_: Installation) -> Injected:
    return Injected({"ANTHROPIC_API_KEY": None})


@fault("ARA-D502", "a provider refuses its key")
def provider_refused(_: Installation) -> Injected:
    return Injected({"ANTHROPIC_API_KEY": "a-key-that-was-revoked"}, secrets={"a-key-that-was-revoked"})


@fault("ARA-D502", "one provider of two refuses its key")
def provider_refused_second(it: Installation) -> Injected:
    return Injected({"OPENAI_API_KEY": "a-key-that-was-revoked", "OPENAI_BASE_URL": f"http://127.0.0.1:{it.provider}/v1"},
                    secrets={"a-key-that-was-revoked"})


@fault("ARA-D503", "nobody listens at a provider's address")
def provider_unreachable(_: Installation) -> Injected:
    return Injected({"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{free_port()}"})


@fault("ARA-D503", "a provider never answers")
def provider_silent(_: Installation) -> Injected:
    silent = socket.create_server(("127.0.0.1", 0))
    return Injected({"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}"}, undo=silent.close)


@fault("ARA-D503", "a provider is in trouble itself")
def provider_failing(it: Installation) -> Injected:
    return Injected({"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{it.provider}/broken"})


# --- 6 Debates -----------------------------------------------------------------------------------


@fault("ARA-D601", "no process runs debates")
def worker_missing(it: Installation) -> Injected:
    # This copy of the database was made before Redis was filled; what it would say of that is another fault's.
    return Injected({"ARAGORA_POSTGRES_DSN": it.dsn("noworker"), "ARAGORA_REDIS_PREFIX": "noworker:v1"})


def silent_debates(it: Installation) -> Injected:
    """Debates that wait in a database whose only worker does nothing, and their stream."""
    port = free_port()
    changes: dict[str, str | None] = {"ARAGORA_POSTGRES_DSN": it.dsn("bells"), "ARAGORA_REDIS_PREFIX": "bells:v1"}
    api = it.start_service("aragora-api", **changes, ARAGORA_PORT=str(port), ARAGORA_METRICS_PORT=str(free_port()),
                           ARAGORA_EMBEDDED_RUNNER="off")
    it.wait_ready(port)
    for _ in range(3):
        it.create_debate(port)
    api.terminate()
    api.wait(20)
    it.sql("bells", "UPDATE debate_runs SET queued_at = now() - interval '5 minutes'")
    return Injected(changes)


@fault("ARA-D602", "debates wait that nobody rang for")
def bells_missing(it: Installation) -> Injected:
    injected = silent_debates(it)
    announced = it.run("doctor", environment={**it.environment, **injected.environment}).stdout
    if "every waiting debate has one" not in announced:
        raise RuntimeError(f"with their announcements: {announced}")
    if it.redis("DEL", "bells:v1:jobs:debate") != "1":
        raise RuntimeError("there was no stream to delete")
    return injected


@fault("ARA-D603", "debates were given up")
def dead_letters(it: Installation) -> Injected:
    url = it.start_redis("dead")
    it.redis("XADD", "aragora:v1:jobs:debate:dead", "*", "id", "dbt_00000000000000000000000000", "reason", "attempts", url=url)
    return Injected({"ARAGORA_REDIS_URL": url})


# --- 7 Backups -----------------------------------------------------------------------------------


@fault("ARA-D701", "the newest backup is three days old")
def backup_old(it: Installation) -> Injected:
    folder = it.folder / "old-backups"
    folder.mkdir()
    late = clock("-3d")
    environment = {**it.environment, **late.environment, "ARAGORA_BACKUP_DIR": str(folder)}
    it.run("backup", "create", environment=environment, prefix=late.prefix, check=True)
    return Injected({"ARAGORA_BACKUP_DIR": str(folder)})


@fault("ARA-D702", "the last backup failed")
def backup_failed(it: Installation) -> Injected:
    path = pg_dump_stub(it, "failing-client", "99.0", "pg_dump: error: no space left on device")
    environment = {**it.environment, "PATH": path, "ARAGORA_POSTGRES_DSN": it.dsn("failed")}
    if it.run("backup", "create", environment=environment).returncode == 0:
        raise RuntimeError("the backup did not fail")
    return Injected({"ARAGORA_POSTGRES_DSN": it.dsn("failed"), "ARAGORA_REDIS_PREFIX": "failed:v1"})


@fault("ARA-D703", "there is no backup yet")
def backup_missing(it: Installation) -> Injected:
    (it.folder / "no-backups").mkdir()
    return Injected({"ARAGORA_BACKUP_DIR": str(it.folder / "no-backups")})


# --- 8 Host --------------------------------------------------------------------------------------


def namespace(*kinds: str) -> list[str]:
    """What begins a command in namespaces of its own; root is asked for where we are not."""
    prefix = ["unshare", *(["--user", "--map-root-user"] if os.geteuid() != 0 else []), *kinds]
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
        raise Skipped(f"no namespace of its own ({' '.join(kinds)}) here")
    return prefix


@fault("ARA-D801", "the disk of a folder is nearly full")
def disk_full(it: Installation) -> Injected:
    place = it.folder / "small"
    place.mkdir()
    script = f'mount -t tmpfs -o size=16m tmpfs "{place}" && head -c 15728640 /dev/zero >"{place}/filler" && exec "$@"'
    return Injected({"ARAGORA_STORE_DIR": str(place)}, [*namespace("--mount"), "sh", "-c", script, "sh"])


@fault("ARA-D802", "a folder is read-only")
def folder_read_only(it: Installation) -> Injected:
    place = it.folder / "locked"
    place.mkdir()
    if os.geteuid() != 0:
        place.chmod(stat.S_IRUSR | stat.S_IXUSR)
        return Injected({"ARAGORA_STORE_DIR": str(place)})
    # Root may write into any folder, but not to a file system that is mounted read-only.
    script = f'mount -t tmpfs -o ro,size=1m tmpfs "{place}" && exec "$@"'
    return Injected({"ARAGORA_STORE_DIR": str(place)}, [*namespace("--mount"), "sh", "-c", script, "sh"])


@fault("ARA-D803", "a folder does not exist")
def folder_missing(it: Installation) -> Injected:
    return Injected({"ARAGORA_STORE_DIR": str(it.folder / "nowhere")})


@fault("ARA-D804", "a service may open few files")
def descriptors_few(it: Installation) -> Injected:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < MINIMUM_DESCRIPTORS:
        raise Skipped(f"this machine allows no more than {hard} descriptors, so that nothing here is healthy")
    # In a process namespace of its own doctor sees no service, and judges by itself.
    return Injected(prefix=[*namespace("--pid", "--fork", "--mount-proc"), "prlimit", "--nofile=512:512"])


class Stranger(BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802, the name that http.server calls
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"hi")

    def log_message(self, *_):
        pass


@fault("ARA-D805", "another web server has our port")
def port_taken(it: Installation) -> Injected:
    return Injected({"ARAGORA_WS_PORT": str(it.serve(Stranger))})


@fault("ARA-D805", "something that speaks no HTTP has our port")
def port_taken_silently(_: Installation) -> Injected:
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            connection.close()

    threading.Thread(target=serve, daemon=True).start()
    return Injected({"ARAGORA_WS_PORT": str(server.getsockname()[1])}, undo=server.close)


@fault("ARA-D806", "the API runs and is not ready")
def api_not_ready(it: Installation) -> Injected:
    port, metrics = str(free_port()), str(free_port())
    it.start_service("aragora-api", ARAGORA_PORT=port, ARAGORA_METRICS_PORT=metrics, ARAGORA_STARTUP_TIMEOUT="600",
                     ARAGORA_POSTGRES_DSN=it.dsn(port=free_port()))
    wait_until("an API that waits", lambda: it.answer(int(port), "/readyz") == 503)
    return Injected({"ARAGORA_PORT": port, "ARAGORA_METRICS_PORT": metrics, "ARAGORA_BASE_URL": f"http://127.0.0.1:{port}"})
