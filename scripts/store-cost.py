#!/usr/bin/env python3
"""What a debate costs the stores: bytes in Postgres and Redis, and CPU with and without a transaction pooler.

Usage: scripts/store-cost.py [--debates N] [--at-once K] [--rounds R] [--ways direct pooled] [--set NAME=VALUE]...
                             [--json FILE]

Starts api, gateway and two workers on a database of its own, runs N debates of three demonstration agents and three rounds
(39 calls, 60 events), K at a time and without any waiting for models, and reads what they left. Rounds go
to the server and through PgBouncer in transaction mode by turns. Called by scripts/check-stores.sh, which gives it TEST_DATABASE_URL, TEST_REDIS_URL
and ARAGORA_BIN_DIR. Exit code 1 when a debate does not complete.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

TICK = os.sysconf("SC_CLK_TCK")
TOKEN = "token-of-the-cost-run-0123456789abcdef"
PATIENCE_SECONDS = 120
POOLER_SERVERS = 16
DATABASE = os.environ["TEST_DATABASE_URL"]
REDIS = os.environ["TEST_REDIS_URL"]
BINARIES = pathlib.Path(os.environ["ARAGORA_BIN_DIR"])


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def sql(url: str, text: str) -> list[list[str]]:
    answer = subprocess.run(["psql", "-XAtq", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", text, url],
                            check=True, capture_output=True, text=True).stdout
    return [line.split("\t") for line in answer.splitlines()]


def redis_info(section: str) -> dict[str, str]:
    answer = subprocess.run(["redis-cli", "--no-auth-warning", "-u", REDIS, "INFO", section],
                            check=True, capture_output=True, text=True).stdout
    return dict(line.strip().split(":", 1) for line in answer.splitlines() if ":" in line)


def cpu(pid: int, with_children: bool = False) -> float:
    """Milliseconds so far; with those of children that live and that have ended."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split() if with_children else []
    except FileNotFoundError:
        return 0.0
    ticks = sum(int(value) for value in fields[11:15 if with_children else 13])
    return ticks * 1000 / TICK + sum(cpu(int(child)) for child in children)


class Run:
    """One stack over one database, from its start to what it left."""

    def __init__(self, pooled: bool, folder: pathlib.Path, settings: list[str]):
        self.pooled, self.folder = pooled, folder
        self.name = f"cost_{secrets.token_hex(4)}"
        sql(DATABASE, f"CREATE DATABASE {self.name}")
        for setting in settings:  # what a pooler lets no client set for its session
            sql(DATABASE, f"ALTER DATABASE {self.name} SET {setting}")
        parts = urllib.parse.urlsplit(DATABASE)
        self.direct = parts._replace(path=f"/{self.name}").geturl()
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.dsn = self.direct
        if pooled:
            self.dsn = self.start_pooler(parts)
        self.api_port = free_port()
        gateway_port = free_port()
        self.spawn("api", "aragora-api", ARAGORA_PORT=str(self.api_port), ARAGORA_MIGRATE_ON_START="true",
                   ARAGORA_EMBEDDED_RUNNER="off", ARAGORA_WS_UPSTREAM=f"127.0.0.1:{gateway_port}")
        self.until(self.is_ready, "the api is ready")
        self.spawn("gateway", "aragora-ws-gateway", ARAGORA_WS_PORT=str(gateway_port))
        for number in (1, 2):
            self.spawn(f"worker-{number}", "aragora-debate-worker", WORKER_CONCURRENCY="32")
        self.until(lambda: sql(self.direct, "SELECT count(*) FROM runners") == [["2"]], "two workers live")
        backend = sql(self.direct, f"SELECT pid FROM pg_stat_activity WHERE datname = '{self.name}' AND pid <> pg_backend_pid()")
        self.postgres = int(pathlib.Path(f"/proc/{backend[0][0]}/stat").read_text().rsplit(")", 1)[1].split()[1])
        self.redis = int(redis_info("server")["process_id"])

    def start_pooler(self, parts: urllib.parse.SplitResult) -> str:
        port = free_port()
        password = urllib.parse.unquote(parts.password or "")
        (self.folder / "users").write_text(f'"{parts.username}" "{password}"\n')
        (self.folder / "pgbouncer.ini").write_text(
            f"[databases]\n* = host={parts.hostname} port={parts.port or 5432} user={parts.username} password={password}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = {'scram-sha-256' if password else 'trust'}\nauth_file = {self.folder}/users\n"
            f"pool_mode = transaction\ndefault_pool_size = {POOLER_SERVERS}\nmax_client_conn = 500\n"
            f"logfile = {self.folder}/pgbouncer.log\nlog_connections = 0\nlog_disconnections = 0\n")
        command = ["/usr/sbin/pgbouncer", str(self.folder / "pgbouncer.ini")]
        if os.getuid() == 0:  # it refuses to be root
            for path in (self.folder, self.folder / "users", self.folder / "pgbouncer.ini"):
                shutil.chown(path, "postgres")
            command = ["/usr/sbin/runuser", "-u", "postgres", "--", *command]
        self.children["pooler"] = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        dsn = parts._replace(netloc=f"{parts.netloc.rsplit('@', 1)[0]}@127.0.0.1:{port}", path=f"/{self.name}").geturl()
        self.until(lambda: sql(dsn, "SELECT 1") == [["1"]], "the pooler lets in")
        return dsn

    def spawn(self, name: str, product: str, **more: str) -> None:
        environment = {
            "PATH": os.environ["PATH"], "ARAGORA_POSTGRES_DSN": self.dsn, "ARAGORA_REDIS_URL": REDIS,
            "ARAGORA_REDIS_PREFIX": self.name, "ARAGORA_API_TOKEN": TOKEN, "ARAGORA_RECEIPT_SIGNING_KEY": "5a" * 32,
            "ARAGORA_BIND_ADDRESS": "127.0.0.1", "ARAGORA_RATE_LIMIT": "0", "ARAGORA_DEMO_LATENCY_MS": "0",
            "ARAGORA_LOG_LEVEL": "warning", "ARAGORA_EVENT_LOOPS": "1", "ARAGORA_METRICS_PORT": "0", **more}
        if self.pooled:
            environment |= {"ARAGORA_DB_POOLER": "transaction", "ARAGORA_POSTGRES_DIRECT_DSN": self.direct}
        with open(self.folder / f"{name}.log", "ab") as log:
            self.children[name] = subprocess.Popen([BINARIES / product], env=environment, stdout=log, stderr=log)

    def until(self, condition, what: str):
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            try:
                if answer := condition():
                    return answer
            except (OSError, subprocess.CalledProcessError, urllib.error.URLError):
                pass
            time.sleep(0.05)
        raise SystemExit(f"not within {PATIENCE_SECONDS} s: {what}; logs in {self.folder}")

    def is_ready(self) -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.api_port}/readyz", timeout=5) as answer:
            return answer.status == 200

    def create(self) -> str:
        body = {"question": "Should a three-person startup use Postgres or MongoDB?", "agents": ["demo"] * 3, "rounds": 3,
                "consensus": "unanimous"}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.api_port}/api/v1/debates", json.dumps(body).encode(),
            {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["debate_id"]

    def debates(self, count: int, at_once: int) -> float:
        """Runs debates, `at_once` of them under way; returns how long that took, in seconds."""
        began, made, done = time.monotonic(), 0, 0
        before = self.ended()
        with concurrent.futures.ThreadPoolExecutor(8) as callers:
            while done < count:
                wanted = min(count - made, at_once - (made - done))
                list(callers.map(lambda _: self.create(), range(wanted)))
                made += wanted
                done = self.ended() - before
                if time.monotonic() - began > PATIENCE_SECONDS:
                    rows = sql(self.direct, "SELECT * FROM debate_runs WHERE status IN ('queued', 'running')")
                    raise SystemExit(f"{done} of {count} debates ended; logs in {self.folder}\n{rows}")
                time.sleep(0.01)
        return time.monotonic() - began

    def ended(self) -> int:
        rows = sql(self.direct, "SELECT status, count(*) FROM debate_runs GROUP BY status")
        bad = [row for row in rows if row[0] not in ("queued", "running", "completed")]
        if bad:
            raise SystemExit(f"debates ended as {bad}; logs in {self.folder}")
        return sum(int(number) for status, number in rows if status == "completed")

    def used(self) -> dict[str, float]:
        pooler = self.children.get("pooler")
        return {
            "postgres": cpu(self.postgres, with_children=True), "redis": cpu(self.redis),
            "pooler": cpu(pooler.pid, with_children=True) if pooler else 0,
            "api": cpu(self.children["api"].pid), "gateway": cpu(self.children["gateway"].pid),
            "workers": cpu(self.children["worker-1"].pid) + cpu(self.children["worker-2"].pid)}

    def sizes(self) -> dict[str, int]:
        rows = sql(self.direct, "SELECT relname, pg_total_relation_size(oid) FROM pg_class "
                                "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        return {name: int(size) for name, size in rows}

    def wal(self) -> int:
        return int(sql(self.direct, "SELECT (pg_current_wal_lsn() - '0/0')::bigint")[0][0])

    def stop(self) -> None:
        for child in self.children.values():
            child.send_signal(signal.SIGTERM)
        for child in self.children.values():
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        sql(DATABASE, f"DROP DATABASE {self.name} WITH (FORCE)")


def measure(pooled: bool, count: int, at_once: int, settings: list[str]) -> dict:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="aragora-cost."))
    run = Run(pooled, folder, settings)
    is_done = False
    try:
        run.debates(min(count, 2 * at_once), at_once)  # warm-up: plans, caches, pages that are only begun
        sizes, wal, used = run.sizes(), run.wal(), run.used()
        memory = int(redis_info("memory")["used_memory"])
        took = run.debates(count, at_once)
        after = run.used()
        grown = {name: (size - sizes.get(name, 0)) / count for name, size in run.sizes().items()}
        per_debate = {name: (after[name] - used[name]) / count for name in after}
        events = sql(run.direct, "SELECT count(*)::float / count(DISTINCT debate_id), avg(length(data)) FROM debate_events")
        calls = sql(run.direct, "SELECT count(*)::float / count(DISTINCT debate_id) FROM agent_calls")
        is_done = True
        return {"pooled": pooled, "debates": count, "per_second": count / took, "cpu_ms": per_debate,
                "wal_bytes": (run.wal() - wal) / count, "redis_bytes": (int(redis_info("memory")["used_memory"]) - memory) / count,
                "table_bytes": {name: size for name, size in sorted(grown.items(), key=lambda item: -item[1]) if size > 0},
                "events": float(events[0][0]), "event_data_bytes": float(events[0][1]), "calls": float(calls[0][0])}
    finally:
        run.stop()
        if is_done:
            shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--debates", type=int, default=400)
    parser.add_argument("--at-once", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--ways", nargs="+", choices=["direct", "pooled"], default=["direct", "pooled"])
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="of the database, for both ways")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    found = []
    for _ in range(options.rounds):
        for way in options.ways:
            result = measure(way == "pooled", options.debates, options.at_once, options.set)
            found.append(result)
            words = ", ".join(f"{name} {value:.1f}" for name, value in result["cpu_ms"].items() if value)
            print(f"{way}: {result['per_second']:.1f} debates/s; CPU a debate, ms: {words}", flush=True)
    direct = [result for result in found if not result["pooled"]] or found
    print(f"one debate: {direct[0]['calls']:.0f} calls, {direct[0]['events']:.0f} events of "
          f"{direct[0]['event_data_bytes']:.0f} bytes on average")
    tables = {name: statistics.median(result["table_bytes"].get(name, 0) for result in direct) for name in direct[0]["table_bytes"]}
    for name, size in tables.items():
        print(f"  {name}: {size / 1024:.1f} KiB")
    print(f"  all tables with indexes: {sum(tables.values()) / 1024:.1f} KiB; "
          f"WAL: {statistics.median(result['wal_bytes'] for result in direct) / 1024:.0f} KiB; "
          f"Redis: {statistics.median(result['redis_bytes'] for result in direct) / 1024:.1f} KiB")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
