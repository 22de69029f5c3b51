#!/usr/bin/env python3
"""deploy/compose/postgres and deploy/compose/redis, read by a real Postgres and a real Redis.

Both start as the compose file starts them, with its commands and health checks; only paths and ports differ. The
servers are Debian's (15 and 7.0): what only 16 or only Alpine does is not seen here.
"""
import contextlib
import glob
import os
import pathlib
import random
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
SERVICES = yaml.safe_load((DEPLOY / "docker-compose.production.yml").read_text())["services"]
POSTGRES_BIN = pathlib.Path(max(glob.glob("/usr/lib/postgresql/*/bin"), default="/nonexistent"))
# What URLs, shells and settings files each find special, but no single quote.
PASSWORD = "p@ss:w/rd%20+=!&?~#"
REDIS_PASSWORD = 'pa"ss\\word #1\'$x'


def expect(condition, *what):
    if not condition:
        raise AssertionError(" ".join(str(w) for w in what))


def run(*command, user=None, ok=True, **options):
    done = subprocess.run([str(c) for c in (*as_user(user), *command)], capture_output=True, text=True, check=False,
                          stdin=options.pop("stdin", subprocess.DEVNULL), **options)
    expect(not ok or done.returncode == 0, command, done.stdout, done.stderr)
    return done


def as_user(user):
    """The servers refuse to be root; the tests may not be."""
    return ("setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups") if user and os.getuid() == 0 else ()


def free_port():
    """Below the ports that the kernel gives to clients, so that it is still free when the server binds it."""
    while True:
        port = random.randint(20000, 31999)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_for(condition, what, log=None, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        said = log.read_text()[-2000:] if log else ""
        expect(time.monotonic() < deadline, "not within", seconds, "s:", what, said)
        time.sleep(0.05)


def health_command(service):
    kind, command = SERVICES[service]["healthcheck"]["test"]
    expect(kind == "CMD-SHELL", service)
    return command.replace("$$", "$")


@contextlib.contextmanager
def folder_of(user):
    with tempfile.TemporaryDirectory(prefix=f"aragora-{user}.") as text:
        folder = pathlib.Path(text)
        folder.chmod(0o755)
        for name in ("conf", "data", "run"):
            (folder / name).mkdir()
            if os.getuid() == 0:
                shutil.chown(folder / name, user, user)
        (folder / "data").chmod(0o700)
        yield folder


class Postgres:
    """A server that is started as in the compose file."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        shutil.copytree(DEPLOY / "compose/postgres", folder / "conf", dirs_exist_ok=True)
        password = folder / "password"
        password.write_text(PASSWORD + "\n")
        options = shlex.split(SERVICES["postgres"]["environment"]["POSTGRES_INITDB_ARGS"])
        run(POSTGRES_BIN / "initdb", "-D", folder / "data", "-U", "aragora", f"--pwfile={password}", "--no-sync",
            *options, user="postgres", cwd="/")
        command = [argument.replace("/etc/aragora/postgres", str(folder / "conf"))
                   for argument in SERVICES["postgres"]["command"]]
        expect(command[0] == "postgres" and str(folder) in " ".join(command), command)
        self.log = open(folder / "log", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [*as_user("postgres"), POSTGRES_BIN / "postgres", *command[1:], "-p", str(self.port), "-k", folder / "run"],
            env={**os.environ, "PGDATA": str(folder / "data")}, stdout=self.log, stderr=self.log, cwd="/")
        environment = {**os.environ, "PATH": f"{POSTGRES_BIN}:{os.environ['PATH']}", "POSTGRES_USER": "aragora",
                       "POSTGRES_DB": "postgres", "PGPORT": str(self.port)}
        wait_for(lambda: self.process.poll() is None
                 and run("sh", "-c", health_command("postgres"), ok=False, env=environment).returncode == 0,
                 "Postgres answers its health check", folder / "log")

    def ask(self, statement, dsn=None, ok=True):
        dsn = dsn or f"host={self.folder}/run port={self.port} user=aragora dbname=postgres"
        return run(POSTGRES_BIN / "psql", "-X", "-At", "-w", "-d", dsn, "-c", statement, ok=ok)

    def stop(self):
        # The image's stop signal: fast.
        self.process.send_signal(2)
        self.process.wait(30)
        self.log.close()


def check_postgres():
    with folder_of("postgres") as folder, contextlib.ExitStack() as cleanup:
        server = Postgres(folder)
        cleanup.callback(server.stop)
        wrong = server.ask("SELECT name, setting, error FROM pg_file_settings WHERE NOT applied").stdout
        expect(wrong == "", "settings that do not count:", wrong)
        wrong = server.ask("SELECT line_number, error FROM pg_hba_file_rules WHERE error IS NOT NULL").stdout
        expect(wrong == "", "rules that are not read:", wrong)
        for line in (folder / "conf/postgresql.conf").read_text().splitlines():
            if line and not line.startswith("#"):
                name, value = (part.strip() for part in line.split("=", 1))
                same = server.ask(f"SELECT sourcefile LIKE '%/conf/postgresql.conf' FROM pg_settings WHERE lower(name) = '{name}'")
                expect(same.stdout.strip() == "t", name, "=", value, "comes from elsewhere")
        expect(server.ask("SHOW data_checksums").stdout.strip() == "on")

        # The connection string of the compose file, with a password that any other form would mangle.
        form = yaml.safe_load((DEPLOY / "docker-compose.production.yml").read_text())["x-stores"]["DATABASE_URL"]
        dsn = form.replace("${POSTGRES_DB:-aragora}", "aragora").replace("${POSTGRES_USER:-aragora}", "aragora")
        start, end = dsn.index("${"), dsn.index("}") + 1
        dsn = (dsn[:start] + PASSWORD + dsn[end:]).replace("host=postgres port=5432", f"host=127.0.0.1 port={server.port}")
        server.ask("CREATE DATABASE aragora")
        expect(server.ask("SELECT current_user", dsn).stdout.strip() == "aragora")
        for bad in (dsn.replace(PASSWORD, "wrong"), dsn.replace(f" password='{PASSWORD}'", "")):
            refused = server.ask("SELECT 1", bad, ok=False)
            expect(refused.returncode == 2 and "password" in refused.stderr, refused)
        migrated = run(pathlib.Path(os.environ["ARAGORA_BIN_DIR"]) / "aragora", "db", "migrate",
                       env={"PATH": os.environ["PATH"], "ARAGORA_POSTGRES_DSN": "", "DATABASE_URL": dsn}, ok=False)
        expect(migrated.returncode == 0, "our programs read it differently:", migrated.stdout, migrated.stderr)

        # A slow statement is logged, what was asked is not.
        script = folder / "slow.sql"
        script.write_text("\\set secret 424242\nSELECT pg_sleep(0.6), :secret::int;\n")
        run(POSTGRES_BIN / "pgbench", "-n", "-M", "extended", "-t", "1", "-f", script, "-h", folder / "run", "-p",
            server.port, "-U", "aragora", "postgres")
        log = (folder / "log").read_text()
        expect("pg_sleep" in log and "duration:" in log, "a slow statement is not logged")
        expect("424242" not in log, "a parameter is in the log")
        server.ask("CREATE EXTENSION pg_stat_statements")


class Redis:
    def __init__(self, folder, **settings):
        self.folder, self.port = folder, free_port()
        expect(SERVICES["redis"]["command"] == ["/bin/sh", "/etc/aragora/redis/start.sh"], "started otherwise")
        shutil.copytree(DEPLOY / "compose/redis", folder / "conf", dirs_exist_ok=True)
        settings_file = folder / "conf/redis.conf"
        text = settings_file.read_text()
        expect("\ndir /data\n" in text, "redis.conf keeps its data elsewhere")
        settings_file.write_text(text.replace("\ndir /data\n", f"\ndir {folder}/data\n"))
        self.environment = {"PATH": os.environ["PATH"], "REDIS_PASSWORD": REDIS_PASSWORD, "REDIS_RUN": f"{folder}/run",
                            **settings}
        self.log = open(folder / "log", "a", encoding="utf-8")
        self.process = subprocess.Popen(
            [*as_user("redis"), *self.shell(), folder / "conf/start.sh", "--port", str(self.port)], env=self.environment, stdout=self.log, stderr=self.log, cwd="/")

    @staticmethod
    def shell():
        """The vendor's image has busybox."""
        return ("/bin/busybox", "sh") if pathlib.Path("/bin/busybox").exists() else ("/bin/sh",)

    def ask(self, *command, password=REDIS_PASSWORD):
        done = run("redis-cli", "-p", self.port, *command, ok=False,
                   env={"PATH": os.environ["PATH"], "REDISCLI_AUTH": password} if password else {"PATH": os.environ["PATH"]})
        return (done.stdout + done.stderr).strip()

    def is_healthy(self, password=REDIS_PASSWORD):
        command = health_command("redis").replace("redis-cli", f"redis-cli -p {self.port}")
        return run("sh", "-c", command, ok=False, env={"PATH": os.environ["PATH"], "REDISCLI_AUTH": password}).returncode == 0

    def start(self):
        wait_for(lambda: self.process.poll() is None and self.is_healthy(),
                 "Redis answers its health check", self.folder / "log")
        return self

    def stop(self):
        self.process.terminate()
        code = self.process.wait(30)
        self.log.close()
        return code


def check_redis_refuses_what_is_unsafe():
    with folder_of("redis") as folder:
        for name, value in (("REDIS_PASSWORD", ""), ("REDIS_MAXMEMORY", "0"), ("REDIS_MAXMEMORY", "many")):
            code = Redis(folder, **{name: value}).process.wait(10)
            expect(code == 78, name, value, code)


def check_redis_settings():
    with folder_of("redis") as folder:
        server = Redis(folder).start()
        try:
            expect(server.ask("PING") == "PONG")
            expect("NOAUTH" in server.ask("PING", password=None) and "WRONGPASS" in server.ask("PING", password="other"))
            expected = {"maxmemory": str(512 << 20), "maxmemory-policy": "volatile-lru", "appendonly": "yes",
                        "appendfsync": "everysec", "save": "60 1000 300 100", "stop-writes-on-bgsave-error": "no"}
            for name, value in expected.items():
                expect(server.ask("CONFIG", "GET", name).splitlines()[1:] == [value], name, server.ask("CONFIG", "GET", name))
            expect(server.ask("CONFIG", "GET", "client-output-buffer-limit").endswith("pubsub 67108864 16777216 60"))
            command = pathlib.Path(f"/proc/{server.process.pid}/cmdline").read_bytes()
            expect(b"redis-server" in command and b"pa" + b'"ss' not in command, "the password is in the command line")
            mode = (folder / "run/redis.conf").stat().st_mode & 0o777
            expect(mode == 0o600, "others may read the password:", oct(mode))

            # A second password beside the first, for a change without a gap.
            expect(server.ask("ACL", "SETUSER", "default", ">second") == "OK")
            expect(server.ask("PING") == server.ask("PING", password="second") == "PONG")

            # The documented change of the password.
            server.ask("SET", "kept", "yes")
            expect(server.ask("CONFIG", "SET", "requirepass", "new-one") == "OK")
            expect(server.ask("CONFIG", "REWRITE", password="new-one") == "OK")
            expect("WRONGPASS" in server.ask("PING") and server.ask("PING", password="new-one") == "PONG")
            expect(server.is_healthy(), "unhealthy while the old password is refused")
            expect("new-one" in (folder / "run/redis.conf").read_text())
        finally:
            expect(server.stop() == 0, "Redis did not end well")
        expect(not server.is_healthy(), "healthy after its end")
        # Until .env names the new one, a start goes back to the old, which the services still have.
        server = Redis(folder).start()
        expect(server.ask("GET", "kept") == "yes", "what was written is lost")
        server.stop()
        server = Redis(folder, REDIS_PASSWORD="new-one")
        wait_for(lambda: server.ask("PING", password="new-one") == "PONG", "the new password from .env")
        server.stop()


def check_redis_evicts_what_expires():
    with folder_of("redis") as folder:
        server = Redis(folder, REDIS_MAXMEMORY="6mb").start()
        try:
            for number in range(20):
                server.ask("XADD", "jobs", "*", "debate", str(number))
            script = "for i = 1, 2000 do redis.call('SET', 'cache:' .. i, string.rep('x', 4000), 'EX', 3600) end return 'done'"
            for _ in range(3):
                server.ask("EVAL", script, "0")
                for number in range(200):
                    server.ask("SET", f"more:{number}", "y" * 8000, "EX", "3600") if number % 20 == 0 else None
            expect(int(server.ask("INFO", "stats").split("evicted_keys:")[1].split()[0]) > 0, "nothing was evicted")
            expect(server.ask("XLEN", "jobs") == "20", "a stream without a TTL was evicted")
        finally:
            server.stop()


def main():
    for program in (POSTGRES_BIN / "postgres", "redis-server"):
        if not shutil.which(program):
            print(f"{program} is not installed")
            return 77
    for name, check in list(globals().items()):
        if name.startswith("check_"):
            check()
            print(f"ok {name[6:].replace('_', ' ')}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
