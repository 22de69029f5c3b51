"""A healthy installation in production mode, for check.py to break: real stores, a real API, a backup, a provider."""

import http.client
import json
import os
import re
import resource
import secrets
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

WAIT_SECONDS = 30
MINIMUM_DESCRIPTORS = 4096


def free_port() -> int:
    """Below the range of outgoing connections, so that nobody takes it by chance."""
    while True:
        port = 20000 + secrets.randbelow(12000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_until(what: str, condition, seconds: float = WAIT_SECONDS):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := condition():
            return result
        time.sleep(0.05)
    raise TimeoutError(f"{what}: not within {seconds} s")


class Provider(BaseHTTPRequestHandler):
    """Lists its models to whoever has the key."""

    key = ""

    def do_GET(self):  # noqa: N802, the name that http.server calls
        known = self.headers.get("x-api-key") == self.key
        path = self.path.split("?")[0]
        status = 503 if path.startswith("/broken") else 404 if not path.endswith("/models") else 200 if known else 401
        body = b'{"data":[]}' if status == 200 else b'{"error":"no"}'
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Installation:
    """Use with `with`. `environment` is what its operator has set."""

    # Copies of the migrated database, made while nobody is connected to it.
    COPIES = ("noworker", "newer", "older", "empty_of_us", "edited", "closed", "raised", "restored", "bells", "failed")

    def __init__(self, root: Path, binaries: Path):
        self.root, self.binaries = root, binaries.resolve()
        self.folder = Path(tempfile.mkdtemp(prefix="aragora-doctor."))
        self.folder.chmod(0o711)
        self.processes: list[subprocess.Popen] = []
        self.store_folders: list[Path] = []
        self.servers: list[ThreadingHTTPServer] = []
        self.lock = threading.Lock()

    def __enter__(self):
        try:
            self.prepare()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for server in self.servers:
            server.shutdown()
            server.server_close()
        for folder in self.store_folders:
            subprocess.run([self.stores, "stop", folder], check=False, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    # What it is made of

    @property
    def stores(self) -> Path:
        return Path(__file__).resolve().parent / "stores.sh"

    def start_stores(self, name: str, *arguments: str) -> dict[str, str]:
        folder = self.folder / name
        with self.lock:
            self.store_folders.append(folder)
        out = subprocess.run([self.stores, "start", folder, *arguments], check=True, capture_output=True, text=True)
        return dict(line.split("=", 1) for line in out.stdout.splitlines())

    def prepare(self):
        main = self.start_stores("stores")
        self.port, self.password = int(main["POSTGRES_PORT"]), main["POSTGRES_PASSWORD"]
        self.superuser_password, self.redis_url = main["SUPERUSER_PASSWORD"], main["REDIS_URL"]
        key, token = secrets.token_hex(24), secrets.token_hex(32)
        others = {name: secrets.token_hex(32) for name in ("encryption", "jwt", "receipt")}
        self.secrets = {key, token, self.password, self.superuser_password, *others.values(),
                        re.search(r":([^:@]+)@", self.redis_url)[1]}
        self.token = token
        self.provider = self.serve(type("OneKey", (Provider,), {"key": key}))
        self.api_port, self.metrics_port = free_port(), free_port()
        self.backups, self.data = self.folder / "backups", self.folder / "data"
        self.backups.mkdir()
        self.data.mkdir()
        certificate, private = self.certificate("good", "aragora.example")
        self.environment: dict[str, str | None] = {
            "PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "ARAGORA_ENV": "production",
            "ARAGORA_API_TOKEN": token, "ARAGORA_ENCRYPTION_KEY": others["encryption"],
            "ARAGORA_JWT_SECRET": others["jwt"], "ARAGORA_RECEIPT_SIGNING_KEY": others["receipt"],
            "ARAGORA_POSTGRES_DSN": self.dsn(), "ARAGORA_REDIS_URL": self.redis_url, "ARAGORA_MULTI_INSTANCE": "true",
            "ANTHROPIC_API_KEY": key, "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{self.provider}",
            "ARAGORA_BACKUP_DIR": str(self.backups), "ARAGORA_STORE_DIR": str(self.data),
            "ARAGORA_PORT": str(self.api_port), "ARAGORA_METRICS_PORT": str(self.metrics_port),
            "ARAGORA_WS_PORT": str(free_port()), "ARAGORA_BASE_URL": f"http://127.0.0.1:{self.api_port}",
            "ARAGORA_BIND_ADDRESS": "127.0.0.1", "ARAGORA_DOMAIN": "aragora.example",
            "ARAGORA_ALLOWED_ORIGINS": "https://aragora.example", "ARAGORA_TLS_CERT_FILE": str(certificate),
            "ARAGORA_TLS_KEY_FILE": str(private), "no_proxy": "127.0.0.1",
        }
        if "LD_LIBRARY_PATH" in os.environ:
            self.environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
        # Ten databases are made, and none must outlive a power cut.
        self.sql("postgres", "ALTER SYSTEM SET fsync = off")
        self.sql("postgres", "SELECT pg_reload_conf()")
        self.run("db", "migrate", check=True)
        for name in self.COPIES:
            self.sql("postgres", f"CREATE DATABASE {name} TEMPLATE aragora OWNER aragora")
            if name != "noworker":
                self.add_runner(name)
        self.run("backup", "create", check=True)
        self.api = self.start_service("aragora-api")
        self.wait_ready(self.api_port)
        # Copies of a log in Redis, as a used installation has them.
        debate = self.create_debate(self.api_port)
        wait_until("a debate", lambda: self.sql(
            "aragora", f"SELECT 1 FROM debate_runs WHERE debate_id = '{debate}' AND status = 'completed'"))
        # And a secret that is stored sealed.
        self.create_webhook(self.api_port)
        wait_until("its copy in Redis", lambda: self.redis("--scan", "--pattern", "*:events:*"))

    # Parts

    def dsn(self, database: str = "aragora", port: int | None = None, password: str | None = None,
            host: str = "127.0.0.1") -> str:
        return f"postgresql://aragora:{password or self.password}@{host}:{port or self.port}/{database}"

    def run(self, *arguments: str, environment=None, prefix=(), check=False, folder=None) -> subprocess.CompletedProcess:
        """`aragora` with the operator's environment, in a folder that holds nothing of ours."""
        variables = {name: value for name, value in (environment or self.environment).items() if value is not None}
        done = subprocess.run(
            [*prefix, self.binaries / "aragora", *arguments], env=variables, capture_output=True, text=True,
            cwd=folder or variables.get("TEST_FOLDER") or self.folder, timeout=120)
        if check and done.returncode != 0:
            raise RuntimeError(f"aragora {' '.join(arguments)}: {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def spawn(self, command, environment=None, **options) -> subprocess.Popen:
        process = subprocess.Popen(
            [str(word) for word in command], env=environment, stdin=subprocess.DEVNULL,
            stdout=options.pop("stdout", subprocess.DEVNULL), stderr=subprocess.DEVNULL, **options)
        with self.lock:
            self.processes.append(process)
        return process

    def start_service(self, name: str, prefix=(), **changes: str | None) -> subprocess.Popen:
        variables = {**self.environment, **changes}
        variables = {key: value for key, value in variables.items() if value is not None}
        log = open(self.folder / f"{name}.{len(self.processes)}.log", "wb")  # noqa: SIM115, the child's for good
        return self.spawn([*prefix, self.binaries / name], variables, stdout=log, preexec_fn=raise_descriptors)

    def answer(self, port: int, path: str) -> int | None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return None
        finally:
            connection.close()

    def wait_ready(self, port: int):
        wait_until(f"port {port}", lambda: self.answer(port, "/readyz") == 200)

    def create_debate(self, port: int) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        body = json.dumps({"topic": "Is this installation healthy?", "agents": ["demo", "demo"], "rounds": 1})
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        connection.request("POST", "/api/v1/debates", body, headers)
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer["debate_id"]

    def create_webhook(self, port: int):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        connection.request("POST", "/api/v1/webhooks", json.dumps({"url": "https://example.com/hook", "events": ["*"]}), headers)
        answer = json.loads(connection.getresponse().read())
        connection.close()
        self.secrets.add(answer["secret"])

    def sql(self, database: str, statement: str, port: int | None = None, password: str | None = None) -> str:
        done = subprocess.run(
            ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(port or self.port), "-U", "postgres",
             "-d", database, "-c", statement],
            env={**os.environ, "PGPASSWORD": password or self.superuser_password}, capture_output=True, text=True,
            check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()

    def add_runner(self, database: str):
        """A worker that lives for an hour, as far as the table can tell."""
        self.sql(database, "INSERT INTO runners (id, kind, expires_at, capacity, postgres_started_at) VALUES "
                           "('run_of_a_test', 'worker', now() + interval '1 hour', 3, pg_postmaster_start_time())")

    def redis(self, *words: str, url: str | None = None) -> str:
        done = subprocess.run(
            ["redis-cli", "--no-auth-warning", "-u", url or self.redis_url, *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def start_redis(self, name: str, *lines: str) -> str:
        """A Redis of its own; unless `lines` say otherwise it is as a healthy one. Returns its URL."""
        port, folder = free_port(), self.folder / f"redis-{name}"
        folder.mkdir()
        settings = {"appendonly": "yes", "maxmemory": "64mb", "maxmemory-policy": "volatile-lru", "save": '""'}
        settings |= dict(line.split(" ", 1) for line in lines)
        password = secrets.token_hex(16)
        with self.lock:
            self.secrets.add(password)
        fixed = {"bind": "127.0.0.1", "port": str(port), "dir": str(folder), "requirepass": password}
        text = "".join(f"{key} {value}\n" for key, value in {**fixed, **settings}.items())
        (folder / "redis.conf").write_text(text)
        self.spawn(["redis-server", folder / "redis.conf"])
        url = f"redis://default:{password}@127.0.0.1:{port}/0"

        def answers():
            try:
                return self.redis("PING", url=url) == "PONG"
            except subprocess.CalledProcessError:
                return False

        wait_until(f"redis {name}", answers)
        return url

    def start_pooler(self, name: str) -> int | None:
        """A PgBouncer in transaction mode before our Postgres; nil where there is none."""
        program = "/usr/sbin/pgbouncer"
        if not os.access(program, os.X_OK):
            return None
        port, folder = free_port(), self.folder / f"pooler-{name}"
        folder.mkdir()
        (folder / "users").write_text(f'"aragora" "{self.password}"\n')
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\naragora = host=127.0.0.1 port={self.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
            f"listen_port = {port}\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {folder}/users\n"
            "pool_mode = transaction\ndefault_pool_size = 4\n")
        prefix = []
        if os.geteuid() == 0:
            # It refuses to be root, which lends it the user of Postgres.
            prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, "postgres", "postgres")
        self.spawn([*prefix, program, folder / "pgbouncer.ini"])

        def listens():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        wait_until("a pooler", listens)
        return port

    def serve(self, handler) -> int:
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        with self.lock:
            self.servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_address[1]

    def certificate(self, name: str, domain: str, days: int = 365, clock: str | None = None) -> tuple[Path, Path]:
        """A self-signed certificate and its key; `clock` is faketime's word for when it is made."""
        files = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                   "-keyout", str(files[1]), "-out", str(files[0]), "-days", str(days), "-subj", f"/CN={domain}",
                   "-addext", f"subjectAltName=DNS:{domain}"]
        subprocess.run(["faketime", "-f", clock, *command] if clock else command, check=True, capture_output=True)
        return files


def raise_descriptors():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
