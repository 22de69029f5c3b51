"""Runs what the pods run, as they would; called by check-start.sh with a Postgres in TEST_DATABASE_URL.

Different from a cluster are only addresses, ports, folders, and shorter drains; each is named in `local`.
"""
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import documents  # noqa: E402
import kustomize  # noqa: E402
from objects import Objects, command  # noqa: E402
from rules.pods import AFTER_DRAIN, DRAIN_SETTING  # noqa: E402

ROOT, BINARIES = documents.ROOT, pathlib.Path(os.environ["ARAGORA_BIN_DIR"])
DATABASE = os.environ["TEST_DATABASE_URL"]
# Instead of the manifests' 10 to 25 s.
DRAIN_SECONDS = 2


class Pod:
    """One container as a process."""

    def __init__(self, cluster, workload, container):
        self.name, self.container = container["name"], container
        self.executable = command(container)[0]
        self.ports = {port["name"]: free_port() for port in container.get("ports", [])}
        self.environment = cluster.environment(container) | cluster.local(self)
        self.log = cluster.folder / f"{workload}.log"
        self.process = None

    def start(self):
        line = [BINARIES / self.executable, *command(self.container)[1:]]
        self.process = subprocess.Popen(
            line, env=self.environment, stdout=self.log.open("ab"), stderr=subprocess.STDOUT, start_new_session=True)
        return self

    def probe(self, kind):
        """The HTTP status of a probe; 0 when nobody answers."""
        asked = self.container[f"{kind}Probe"]["httpGet"]
        try:
            return get(self.ports[asked["port"]], asked["path"])[0]
        except OSError:
            return 0

    def end(self):
        """Seconds from SIGTERM to the end."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        expect(code == 0, f"{self.name} ended with {code}")
        return time.monotonic() - began


class Cluster:
    """The objects of a variant, its Secret, and what stands in for the nodes."""

    def __init__(self, variant, secret, folder):
        self.objects = Objects(kustomize.render(ROOT / variant))
        self.secret, self.folder = secret, folder

    def environment(self, container):
        found = {"PATH": os.environ["PATH"]}
        for name, value in self.objects.environment(container).items():
            if isinstance(value, dict):
                value = self.secret.get(value["secretKeyRef"]["key"])
            if value is not None:
                found[name] = value
        return found

    def local(self, pod):
        """What differs from the pod's own environment, because this is one machine."""
        changed = {"ARAGORA_BIND_ADDRESS": "127.0.0.1"}
        for port, name in (("http", "ARAGORA_PORT"), ("ws", "ARAGORA_WS_PORT"), ("metrics", "ARAGORA_METRICS_PORT")):
            if port in pod.ports:
                changed[name] = str(pod.ports[port])
        if pod.executable in DRAIN_SETTING:
            changed[DRAIN_SETTING[pod.executable]] = str(DRAIN_SECONDS)
        if pod.name == "debate-worker":
            changed["ARAGORA_DEMO_LATENCY_MS"] = "20000"  # so that calls are in flight when it is told to go
        if "backup" in pod.name:
            changed["ARAGORA_BACKUP_DIR"] = str(self.folder / "backups")
        return changed

    def pod(self, kind, name):
        workload = self.objects.workload(kind, name)
        return Pod(self, name, workload.pod["containers"][0])


def free_port():
    with contextlib.closing(socket.socket()) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(port, path, method="GET", body=None, token=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"} if token else {}
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    return response.status, response.read().decode()


def expect(is_so, otherwise):
    if not is_so:
        raise SystemExit(f"FAILED: {otherwise}")


def until(seconds, what, question):
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        expect(time.monotonic() < deadline, f"not within {seconds} s: {what}")
        time.sleep(0.1)
    return answer


def sql(query):
    run = subprocess.run(["psql", "-Atqc", query, DATABASE], capture_output=True, text=True)
    expect(run.returncode == 0, f"{query}: {run.stderr}")
    return run.stdout.strip()


def made_secret(redis_port):
    """The Secret that make-secrets.sh makes, with the addresses of this machine."""
    run = subprocess.run(
        [ROOT / "deploy/kubernetes/make-secrets.sh", "--postgres", DATABASE], capture_output=True, text=True, check=True,
        env={"PATH": os.environ["PATH"], "OPENAI_API_KEY": "sk-not-used"})
    secret = yaml.safe_load(run.stdout)["stringData"]
    secret["ARAGORA_REDIS_URL"] = secret["ARAGORA_REDIS_URL"].replace("aragora-redis:6379", f"127.0.0.1:{redis_port}")
    return secret


@contextlib.contextmanager
def redis(objects, secret, port, folder):
    """The component's Redis: its command and its configuration, with the folders of this machine."""
    container = objects.workload("StatefulSet", "aragora-redis").pod["containers"][0]
    moved = {"/etc/redis": str(folder), "/data": str(folder / "data"), "/tmp": str(folder / "tmp")}
    for name in ("data", "tmp"):
        (folder / name).mkdir()
    text = objects.config["aragora-redis"]["redis.conf"].replace("dir /data", f"dir {moved['/data']}")
    (folder / "redis.conf").write_text(text.replace("bind * -::*", "bind 127.0.0.1") + f"port {port}\n")
    script = re.sub("/etc/redis|/tmp", lambda path: moved[path[0]], container["args"][0])
    environment = {"PATH": os.environ["PATH"], "REDIS_PASSWORD": secret["REDIS_PASSWORD"]}
    process = subprocess.Popen([*container["command"], script], env=environment, stdout=(folder / "redis.log").open("ab"))
    try:
        probe = container["readinessProbe"]["exec"]["command"]
        probe = [part.replace("redis-cli", f"redis-cli -p {port}") for part in probe]
        until(10, "redis answers its probe", lambda: subprocess.run(probe, env=environment, capture_output=True).returncode == 0)
        wrong = subprocess.run(["redis-cli", "-p", str(port), "ping"], capture_output=True, text=True).stdout
        expect("NOAUTH" in wrong, "Redis answers without a password")
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def main():
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        (folder / "backups").mkdir()
        (folder / "redis").mkdir()
        redis_port = free_port()
        secret = made_secret(redis_port)
        small = Objects(kustomize.render(ROOT / "deploy/kubernetes/overlays/small"))
        cluster = Cluster("deploy/kubernetes/overlays/production", secret, folder)
        try:
            stack.enter_context(redis(small, secret, redis_port, folder / "redis"))
            run(cluster, stack)
        except SystemExit:
            for log in sorted(folder.rglob("*.log")):
                print(f"--- {log.name}\n" + "\n".join(log.read_text().splitlines()[-15:]))
            raise


def run(cluster, stack):
    api = cluster.pod("Deployment", "aragora-backend")
    gateway = cluster.pod("Deployment", "aragora-ws-gateway")
    worker = cluster.pod("Deployment", "aragora-debate-worker")
    backup = cluster.pod("Deployment", "aragora-backup")
    api.environment["ARAGORA_WS_UPSTREAM"] = f"127.0.0.1:{gateway.ports['ws']}"
    services = (api, gateway, worker)
    for pod in services + (backup,):
        stack.callback(lambda pod=pod: pod.process and pod.process.poll() is None and pod.process.kill())

    # Applied in any order: without a schema they live, wait, and are not ready.
    for pod in services:
        pod.start()
    for pod in services:
        until(10, f"{pod.name} lives", lambda: pod.probe("startup") == 200 and pod.probe("liveness") == 200)
        expect(pod.probe("readiness") != 200, f"{pod.name} is ready without a schema")
    migrate = cluster.pod("Job", "aragora-migrate").start()
    expect(migrate.process.wait(timeout=60) == 0, "the migration failed")
    for pod in services:
        until(10, f"{pod.name} is ready", lambda: pod.probe("readiness") == 200)
    print("services waited for the schema, and are ready after the migration")

    # A debate is one to the autoscalers, and its calls are in flight when the worker is told to go.
    token = cluster.secret["ARAGORA_API_TOKEN"]
    body = json.dumps({"topic": "Tabs or spaces?", "rounds": 2, "agents": ["demo", "demo"]})
    expect(get(api.ports["http"], "/api/v1/debates", "POST", body)[0] == 401, "a debate without a token")
    status, answer = get(api.ports["http"], "/api/v1/debates", "POST", body, token)
    expect(status in (200, 201), f"a debate: {status} {answer}")
    until(10, "the debate runs", lambda: sql("SELECT status FROM debate_runs") == "running")
    # The calls that it makes first are recorded before they are sent.
    until(10, "its calls are in flight", lambda: sql("SELECT count(*) FROM agent_calls WHERE state = 'intent'") != "0")
    keda = Objects(kustomize.render(ROOT / "Tests/Deploy/kubernetes/variants/full"))
    counted = keda.find("ScaledObject", "aragora-debate-worker")["spec"]["triggers"][0]["metadata"]["query"]
    expect(sql(counted) == "1", f"KEDA's query says {sql(counted)} for one running debate")
    gauges = lambda: {line.split()[0]: line.split()[1] for line in get(api.ports["metrics"], "/metrics")[1].splitlines() if line and line[0] != "#"}
    until(10, "the API counts it", lambda: (gauges().get("aragora_debates_waiting"), gauges().get("aragora_debates_running")) == ("0", "1"))
    print("one running debate is one open debate, to KEDA's query and to the metrics of the other autoscalers")

    exporters(cluster)
    known_everywhere(api, gateway)

    # A worker that goes waits for its calls, gives them up after its drain, and hands the debate back.
    took(worker, worker.end())
    expect(sql("SELECT status FROM debate_runs") == "queued", "the debate was not handed back")
    expect(sql(counted) == "1", "a debate that waits for a worker would wake none")

    # A request that never comes to its end, and a WebSocket that never answers.
    half = stack.enter_context(socket.create_connection(("127.0.0.1", api.ports["http"])))
    half.sendall(f"POST /api/v1/debates HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nContent-Length: 9999\r\n\r\n{{".encode())
    deaf = stack.enter_context(socket.create_connection(("127.0.0.1", gateway.ports["ws"])))
    deaf.sendall(
        f"GET /ws HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode())
    expect(b" 101 " in deaf.recv(100), "the gateway takes no WebSocket")
    time.sleep(0.2)
    took(api, api.end())
    took(gateway, gateway.end())

    # The nightly job of the plain installation, and the service that stands in for it in production.
    plain = Cluster("deploy/kubernetes", cluster.secret, cluster.folder)
    nightly = plain.pod("CronJob", "aragora-backup").start()
    expect(nightly.process.wait(timeout=120) == 0, "the nightly backup failed")
    expect(any((cluster.folder / "backups").iterdir()), "the nightly backup left nothing")
    backup.start()
    until(20, "the backup service is ready", lambda: backup.probe("readiness") == 200)
    took(backup, backup.end())
    print("a backup was made and proved by the command of the CronJob")


def known_everywhere(api, gateway):
    """Who has signed in at the API, and who has a key of theirs, is let in by the gateway: it must have the same secrets."""
    person = json.dumps({"email": "ada@example.org", "password": "a good long password"})
    status, answer = get(api.ports["http"], "/api/v1/auth/register", "POST", person)
    expect(status == 201, f"the first user: {status} {answer}")
    access = json.loads(answer)["tokens"]["access_token"]
    status, answer = get(api.ports["http"], "/api/v1/auth/api-keys", "POST", json.dumps({"name": "check"}), access)
    expect(status == 200, f"a key: {status} {answer}")
    for what, credential, wanted in (("a session", access, b" 101 "), ("a key", json.loads(answer)["api_key"], b" 101 "), ("nobody", "x", b" 401 ")):
        with socket.create_connection(("127.0.0.1", gateway.ports["ws"])) as viewer:
            viewer.settimeout(5)
            viewer.sendall(
                f"GET /ws HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {credential}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode())
            got = viewer.recv(100)
            expect(wanted in got, f"the gateway answers {what}: {got[:40]}")
    print("sessions and keys that the API made are good at the gateway")


def exporters(cluster):
    """Debian's builds of the exporters, with the variables of the component store-exporters."""
    for name, program, flag, gauge in (
        ("redis-exporter", "prometheus-redis-exporter", "-web.listen-address", "redis_up 1"),
        ("postgres-exporter", "prometheus-postgres-exporter", "--web.listen-address", "pg_up 1"),
    ):
        if not shutil.which(program):
            print(f"{program} is missing: {name} was not tried")
            continue
        pod = cluster.pod("Deployment", f"aragora-{name}")
        if "DATA_SOURCE_NAME" in pod.environment:
            pod.environment["DATA_SOURCE_NAME"] += "?sslmode=disable"  # the private Postgres speaks no TLS
        port = pod.ports["metrics"]
        process = subprocess.Popen([program, f"{flag}=127.0.0.1:{port}"], env=pod.environment, stdout=pod.log.open("wb"), stderr=subprocess.STDOUT)
        try:
            until(10, f"{name} is ready", lambda: pod.probe("readiness") == 200)
            expect(gauge in get(port, "/metrics")[1].splitlines(), f"{name} does not say {gauge}")
        finally:
            process.terminate()
            process.wait(timeout=10)
        print(f"{name}: {gauge}")


def took(pod, seconds):
    """Whether `pod` waited its drain out, and ended within what terminationGracePeriodSeconds reckons with."""
    drain = DRAIN_SECONDS if pod.executable in DRAIN_SETTING else 0
    most = drain + AFTER_DRAIN[pod.executable]
    expect(drain * 0.9 <= seconds <= most, f"{pod.name} ended after {seconds:.1f} s, expected {drain} to {most}")
    print(f"{pod.name}: ended {seconds:.1f} s after SIGTERM; drain {drain} s, reckoned with {most} s")


main()
