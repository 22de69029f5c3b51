"""The two halves of check-live.sh: `configure FOLDER` writes what the programs read, `run FOLDER` loads them and judges.

Ports and addresses come from the environment that check-live.sh sets.
"""

import asyncio
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

import websockets.asyncio.client
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "Tests/Deploy/monitoring"))
import queries  # noqa: E402

MONITORING = ROOT / "deploy/compose/monitoring"
# The last one holds the 30 s of the rule itself.
TARGETS_SECONDS, LOAD_SECONDS, SETTLE_SECONDS, OUTAGE_SECONDS, ALERT_SECONDS = 30, 25, 20, 30, 60
# Alerts that this load must set off, were it to last, and some that it must not.
DUE = {"AragoraAgentCircuitOpen", "AragoraAgentErrorRateHigh", "AragoraWorkerLost"}
UNDUE = {
    "AragoraAllProvidersDown", "AragoraApiDown", "AragoraBackupFailed", "AragoraBackupTooOld", "AragoraCertificateExpiresSoon",
    "AragoraDatabaseDown", "AragoraDeadLetters", "AragoraInvariantAlarm", "AragoraNoAgentCalls", "AragoraNoRunner",
    "AragoraProbeFailed", "AragoraRedisDown", "AragoraRedisEvictions",
}
# Labels that Kubernetes adds when it scrapes.
OF_KUBERNETES = {"namespace", "pod", "rollouts_pod_template_hash"}
# What the providers do: Claude answers in its time, OpenAI is down, Mistral fails now and then.
SCENARIO = {
    "seed": 7,
    "latency": {"kind": "lognormal", "median_ms": 80, "sigma": 0.4},
    "answer_words": 40,
    "rules": [
        {"model": "gpt*", "fault": {"kind": "status", "status": 500}},
        {"model": "mistral*", "every": 4, "fault": {"kind": "status", "status": 429}},
    ],
}

problems = []


def check(condition, text):
    if not condition:
        problems.append(text)
        print("problem:", text)


def port(name):
    return int(os.environ[f"{name}_PORT"])


# --- Configuration ---------------------------------------------------------------------------------------------------

NGINX = """
pid nginx.pid; error_log nginx-error.log; worker_processes 1; events {{ worker_connections 200; }}
http {{
  access_log off; client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
  server {{
    listen 127.0.0.1:{https} ssl; ssl_certificate server.crt; ssl_certificate_key server.key;
    location / {{ proxy_pass {api}; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }}
  }}
  server {{ listen 127.0.0.1:{status}; location /stub_status {{ stub_status; }} }}
}}
"""


def targets():
    """Where each job of prometheus.yml is, here."""

    def address(url):
        return urllib.parse.urlsplit(os.environ[url]).netloc

    def local(name):
        return f"127.0.0.1:{port(name)}"

    return {
        "aragora-api": [address("ARAGORA_API_METRICS_URL")],
        "aragora-ws-gateway": [address("ARAGORA_GATEWAY_METRICS_URL")],
        "aragora-debate-worker": [address(f"ARAGORA_WORKER_{n}_METRICS_URL") for n in (1, 2)],
        "aragora-backup": [address("ARAGORA_BACKUP_METRICS_URL")],
        "postgres": [local("POSTGRES_EXPORTER")],
        "redis": [local("REDIS_EXPORTER")],
        "node": [local("NODE_EXPORTER")],
        "nginx": [local("NGINX_EXPORTER")],
        "blackbox-https": [f"https://{local('NGINX')}/healthz"],
        "prometheus": [local("PROMETHEUS")],
        "alertmanager": [local("ALERTMANAGER")],
    }


def configure(folder):
    """The shipped files with the addresses of this run, and a second where they say more."""
    shutil.copytree(MONITORING, folder / "prometheus")
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    config["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": targets()["alertmanager"]}]}]
    assert {job["job_name"] for job in config["scrape_configs"]} == set(targets()), "the jobs are not those of this check"
    for job in config["scrape_configs"]:
        job.pop("scrape_interval", None)
        job.pop("dns_sd_configs", None)
        job["static_configs"] = [{"targets": targets()[job["job_name"]]}]
        if job["job_name"] == "postgres":
            # Its exporter tries for a second before it says that Postgres is down.
            job |= {"scrape_interval": "3s", "scrape_timeout": "3s"}
        for relabel in job.get("relabel_configs", []):
            if relabel.get("replacement") == "blackbox-exporter:9115":
                relabel["replacement"] = f"127.0.0.1:{port('BLACKBOX')}"
    (folder / "prometheus/prometheus.yml").write_text(yaml.safe_dump(config))

    shutil.copytree(MONITORING, folder / "alertmanager")
    text = (MONITORING / "alertmanager.yml").read_text()
    text = re.sub(r"group_wait: \d+\w", "group_wait: 0s", re.sub(r"group_interval: \d+\w", "group_interval: 1s", text))
    (folder / "alertmanager/alertmanager.yml").write_text(text)
    (folder / "tmp").mkdir()
    (folder / "nginx.conf").write_text(NGINX.format(https=port("NGINX"), status=port("NGINX_STATUS"), api=os.environ["ARAGORA_BASE_URL"]))


# --- Asking ----------------------------------------------------------------------------------------------------------


def ask(path, **parameters):
    """Prometheus' answer, or its complaint as an exception."""
    url = f"http://127.0.0.1:{port('PROMETHEUS')}/api/v1/{path}?" + urllib.parse.urlencode(parameters, doseq=True)
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        raise ValueError(error.read().decode()) from None


def until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return True
        except OSError:
            pass
        time.sleep(0.2)
    check(False, f"{what}: not within {seconds} s")
    return False


def api(method, path, body=None, client="198.51.100.1", token=True, base=None):
    """Status and body of a request, as if a client with that address had sent it."""
    headers = {"X-Forwarded-For": client, "content-type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {os.environ['ARAGORA_API_TOKEN']}"
    request = urllib.request.Request(
        (base or os.environ["ARAGORA_BASE_URL"]) + path, method=method, headers=headers,
        data=json.dumps(body).encode() if body is not None else None)
    try:
        with urllib.request.urlopen(request, timeout=20, context=INSECURE if path and (base or "").startswith("https") else None) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, None


INSECURE = ssl.create_default_context()
INSECURE.check_hostname = False
INSECURE.verify_mode = ssl.CERT_NONE


# --- The load --------------------------------------------------------------------------------------------------------


def debate(question, agents, rounds=2, client="198.51.100.2", **more):
    status, body = api("POST", "/api/v1/debates", {"question": question, "agents": agents, "rounds": rounds, **more}, client)
    check(status == 200, f"creating a debate of {agents}: {status}")
    return body["debate_id"] if body else None


def scripts(*command):
    subprocess.run([ROOT / "scripts" / command[0], *command[1:]], check=True, capture_output=True)


class Viewers:
    """Watches debates over WebSocket on a thread of its own until it is closed."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.frames = 0
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def watch(self, debate_id):
        asyncio.run_coroutine_threadsafe(self.follow(debate_id), self.loop)

    async def follow(self, debate_id):
        url = f"{os.environ['ARAGORA_WS_URL']}?debate_id={debate_id}"
        headers = {"Authorization": f"Bearer {os.environ['ARAGORA_API_TOKEN']}"}
        async with websockets.asyncio.client.connect(url, additional_headers=headers, proxy=None) as connection:
            async for _ in connection:
                self.frames += 1


def malformed():
    """A head that is no HTTP at all."""
    address = urllib.parse.urlsplit(os.environ["ARAGORA_BASE_URL"])
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(b"this is not HTTP\r\n\r\n")
        connection.recv(1000)


def upgrade_without_gateway():
    """The API passes /ws on to nobody: its own 5xx."""
    scripts("service.sh", "stop", "ws-gateway")
    address = urllib.parse.urlsplit(os.environ["ARAGORA_BASE_URL"])
    for _ in range(3):
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
        connection.request("GET", "/ws", headers={
            "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            "Authorization": f"Bearer {os.environ['ARAGORA_API_TOKEN']}"})
        status = connection.getresponse().status
        check(status >= 500, f"/ws without a gateway is answered with {status}")
        connection.close()
        time.sleep(1.2)
    scripts("service.sh", "start", "ws-gateway")
    scripts("service.sh", "wait", "ws-gateway")


def load():
    simulator = f"http://127.0.0.1:{port('SIMULATOR')}"
    status, _ = api("PUT", "/scenario", SCENARIO, base=simulator)
    check(status < 300, f"the simulator refuses its scenario: {status}")

    for number in range(4):
        debate(f"Does the demonstration number {number} end well?", ["demo", "demo", "demo"], client=f"198.51.100.{number}")
    upgrade_without_gateway()
    viewers = Viewers()
    # Calls that fail for good, a budget that is spent at once, one that lasts, and more than two slots can hold.
    debate("Does a debate end when every call of it fails?", ["openai", "openai"], 1)
    debate("What is a small budget good for, and for how long?", ["anthropic", "anthropic"], 5, budget_limit_usd=0.008)
    watched = [
        debate(f"How do providers behave under load, part {number}?", ["anthropic", "openai", "mistral"], 2, client="198.51.100.3", budget_limit_usd=5)
        for number in range(4)
    ]
    cancelled = debate("Is this one worth the money?", ["anthropic", "anthropic"], 3)
    api("POST", f"/api/v1/debates/{cancelled}/cancel")
    for debate_id in watched:
        viewers.watch(debate_id)

    https = f"https://127.0.0.1:{port('NGINX')}"
    # Connections that are kept alive, idle between two requests: to nginx and to the API.
    address = urllib.parse.urlsplit(os.environ["ARAGORA_BASE_URL"])
    idle = [
        http.client.HTTPSConnection("127.0.0.1", port("NGINX"), context=INSECURE),
        http.client.HTTPConnection(address.hostname, address.port),
    ]
    deadline, beat = time.monotonic() + LOAD_SECONDS, 0
    while time.monotonic() < deadline:
        beat += 1
        for path in ("/api/v1/debates", "/api/v1/debates/queue/status", "/api/health", "/api/v1/receipts", f"/api/v1/debates/{watched[0]}"):
            api("GET", path, client=f"203.0.113.{beat % 200}")
        api("GET", "/api/v1/debates", base=https)
        api("GET", "/nothing/here", client=f"203.0.113.{beat % 200}")
        api("GET", "/api/v1/debates", client="203.0.113.201", token=False)
        # One client that does not stop at a hundred a minute.
        for _ in range(30):
            api("GET", "/api/v1/debates/active", client="203.0.113.250")
        malformed()
        for connection in idle:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        if beat == 4:
            # Its debate is adopted by the other one.
            scripts("service.sh", "crash", "debate-worker-2")
        if beat == 12:
            scripts("service.sh", "start", "debate-worker-2")
        if beat % 5 == 0:
            # A replay from the first event.
            viewers.watch(watched[0])
            debate(f"Does the demonstration of beat {beat} end well?", ["demo", "demo", "demo"], client=f"203.0.113.{beat % 200}")
        time.sleep(0.5)
    check(viewers.frames > 20, f"the viewers saw {viewers.frames} frames")
    return viewers


# --- The judgement ---------------------------------------------------------------------------------------------------


def check_targets():
    wanted = sorted((job, where) for job, addresses in targets().items() for where in addresses)

    def up():
        return sorted((t["labels"]["job"], t["labels"]["instance"]) for t in ask("targets")["activeTargets"] if t["health"] == "up")

    if not until(lambda: up() == wanted, TARGETS_SECONDS, f"{len(wanted)} targets are up"):
        for target in ask("targets")["activeTargets"]:
            if target["health"] != "up":
                print(" ", target["labels"]["job"], target["scrapeUrl"], target["lastError"])


class Scraped:
    """Every series of this run, by metric."""

    def __init__(self, began):
        self.series = {}
        for labels in ask("series", **{"match[]": '{__name__=~".+"}', "start": began, "end": time.time()}):
            self.series.setdefault(labels["__name__"], []).append(labels)

    def wants(self, query):
        """What a query needs that is not there."""
        needs = queries.needs(queries.substituted(query.expr))
        allowed = OF_KUBERNETES if query.where.startswith("kubernetes/") else set()
        seen = set()
        for name, conditions in needs.metrics:
            if name == "ALERTS":
                return
            if name not in self.series:
                yield f"no metric {name}"
                continue
            labels = {label for series in self.series[name] for label in series}
            seen |= labels
            for key, sign, value in conditions:
                if key not in labels | allowed:
                    yield f"{name} has no label {key}"
                elif sign == "=" and key not in allowed and not any(series.get(key) == value for series in self.series[name]):
                    yield f"{name} has no {key}={value}"
        for label in needs.labels - seen - allowed:
            yield f"nothing in it has the label {label}"


def check_names(scraped):
    count = 0
    for query in queries.every(ROOT):
        count += 1
        for want in scraped.wants(query):
            check(False, f"{query.where}: {query.panel}: {want}")
    return count


def check_dashboards(began):
    excused = {(zero["dashboard"], zero["panel"], zero["expr"]) for zero in queries.zeros(ROOT)}
    count = zero_count = 0
    for query in queries.of_dashboards(ROOT / "deploy/compose/grafana"):
        count += 1
        expr = queries.substituted(query.expr, rate_interval="10s")
        try:
            result = ask("query_range", query=expr, start=began, end=time.time(), step="1")["result"]
        except ValueError as error:
            check(False, f"{query.where}: {query.panel}: {expr}: {error}")
            continue
        numbers = [float(value) for series in result for _, value in series["values"]]
        numbers = [number for number in numbers if number == number]
        check(numbers, f"{query.where}: {query.panel}: nothing: {expr}")
        if numbers and not any(numbers):
            zero_count += 1
            check((query.where, query.panel, query.expr) in excused, f"{query.where}: {query.panel}: always zero: {expr}")
    return count, zero_count


class WebHook(http.server.BaseHTTPRequestHandler):
    received = []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        WebHook.received.extend((alert["status"], alert["labels"]["alertname"], alert["labels"].get("job")) for alert in body["alerts"])
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def check_alerts():
    """What of the load Prometheus is about to report."""
    alerts = {result["metric"]["alertname"] for result in ask("query", query="ALERTS")["result"]}
    print("pending or firing under this load:", ", ".join(sorted(alerts)))
    check(DUE <= alerts, f"not even pending: {DUE - alerts}")
    check(not UNDUE & alerts, f"pending or firing without a reason: {UNDUE & alerts}")


def check_logs():
    """Every line of ours is JSON with what Promtail makes labels of, from its closed set; what users asked is in none."""
    template = (MONITORING / "promtail.yaml").read_text()
    levels = set(re.findall(r'\(eq \.Value "(\w+)"\)', template))
    lines = 0
    for name in ("api", "ws-gateway", "backup", "debate-worker-1", "debate-worker-2"):
        for line in (pathlib.Path(os.environ["RUN_DIR"]) / f"logs/{name}.log").read_text().splitlines():
            lines += 1
            try:
                entry = json.loads(line)
            except ValueError:
                check(False, f"{name} wrote a line that is no JSON: {line[:200]}")
                continue
            check(entry.get("level") in levels, f"{name}: level {entry.get('level')} is no label")
            check(re.fullmatch(r"[a-z-]+", str(entry.get("service"))), f"{name}: service {entry.get('service')}")
            check("Does the demonstration" not in line, f"{name} logs what a user asked")
            check(re.fullmatch("[0-9a-f]{32}", entry.get("trace_id", "0" * 32)), f"{name}: trace {entry.get('trace_id')}")
    check(levels and lines > 100, f"only {lines} lines, levels {levels}")


def check_chain():
    """Redis dies; Prometheus sees it, Alertmanager hears of it, the webhook is told; and of its return."""

    # Who uses Redis says so, and so does the exporter that asks it.
    jobs = {"aragora-api", "aragora-ws-gateway", "aragora-debate-worker", "redis"}

    def told(status):
        return {job for state, name, job in WebHook.received if (state, name) == (status, "AragoraRedisDown")} == jobs

    check("AragoraRedisDown" not in {name for _, name, _ in WebHook.received}, "AragoraRedisDown fires while Redis is there")
    began = time.monotonic()
    scripts("service.sh", "crash", "redis")
    if until(lambda: told("firing"), ALERT_SECONDS, "the webhook hears that Redis is lost"):
        print(f"Redis killed; told after {time.monotonic() - began:.1f} s")
    began = time.monotonic()
    scripts("service.sh", "start", "redis")
    if until(lambda: told("resolved"), ALERT_SECONDS, "the webhook hears that Redis is back"):
        print(f"Redis started; told after {time.monotonic() - began:.1f} s")


def check_postgres():
    """Postgres dies: every service says so, and the exporter that asks it; then all is well again."""
    alert = {"AragoraDatabaseDown": {"aragora-api", "aragora-ws-gateway", "aragora-debate-worker", "aragora-backup", "postgres"}, "AragoraApiDown": {"aragora-api"}}

    def seen():
        found = {}
        for result in ask("query", query="ALERTS")["result"]:
            found.setdefault(result["metric"]["alertname"], set()).add(result["metric"].get("job"))
        return found

    scripts("service.sh", "crash", "postgres")
    if not until(lambda: all(seen().get(name) == jobs for name, jobs in alert.items()), OUTAGE_SECONDS, f"{alert} are pending without Postgres"):
        print("  pending are", seen())
    scripts("service.sh", "start", "postgres")
    until(lambda: not set(alert) & set(seen()), OUTAGE_SECONDS, "nothing of that is pending any more")


def run(folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port("WEBHOOK")), WebHook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ready = f"http://127.0.0.1:{port('PROMETHEUS')}/-/ready"
    until(lambda: urllib.request.urlopen(ready, timeout=2).status == 200, TARGETS_SECONDS, "Prometheus is ready")
    began = time.time()
    check_targets()
    viewers = load()
    check_targets()
    # Some series are made by the end of a debate, and some numbers are read from Postgres now and then.
    scraped = Scraped(began)
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline and any(list(scraped.wants(query)) for query in queries.every(ROOT)):
        time.sleep(1)
        scraped = Scraped(began)
    used = check_names(scraped)
    shown, zero = check_dashboards(began)
    check_alerts()
    check_logs()
    check_chain()
    check_postgres()
    catalogue, _ = queries.catalogue(ROOT / "docs/metrics.md")
    silent = sorted(name for name in catalogue if name not in scraped.series and f"{name}_bucket" not in catalogue)
    print("in docs/metrics.md and not seen here:", ", ".join(silent) or "none")
    print(f"{used} queries ask for what is there; {shown} of dashboards answered, {zero} of them excused zeros; "
          f"{viewers.frames} frames seen; {len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    {"configure": configure, "run": run}[sys.argv[1]](pathlib.Path(sys.argv[2]))
