"""The load of check.sh, and what the scrapes of every service must say after it.

Held against docs/metrics.md, which is made from the program's catalogue: every metric that a service is said to show is
there, with these labels and no others, each label with one of its values; nothing is there that the document does not list;
`promtool check metrics` has no complaint; histograms have buckets; and the numbers are those of what was done.
"""

import asyncio
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import websockets.asyncio.client

ROOT = pathlib.Path(__file__).resolve().parents[3]
SERVICES = {
    "api": "ARAGORA_API_METRICS_URL",
    "ws-gateway": "ARAGORA_GATEWAY_METRICS_URL",
    "debate-worker": "ARAGORA_WORKER_1_METRICS_URL",
    "backup": "ARAGORA_BACKUP_METRICS_URL",
}
# What one process may show at most; an API that knows every route, method and status stays below it.
MAX_SERIES = 3000
# A call that meets an open breaker waits until it closes, a minute, before its last try.
WAIT_SECONDS = 100
# What promtool does not like and the documents that operators follow call so.
EXCUSED = {"aragora_receipt_retention_days use base unit \"seconds\" instead of \"days\""}

problems = []


def check(condition, text):
    if not condition:
        problems.append(text)
        print("problem:", text)


# --- The document ----------------------------------------------------------------------------------------------------


def words(cell):
    return re.findall(r"`([^`]+)`", cell)


def rows(text, section):
    """The cells of every table row between the marks of a section."""
    inside = text.split(f"<!-- {section} -->")[1].split(f"<!-- /{section} -->")[0]
    for line in inside.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `"):
            yield cells


class Document:
    def __init__(self):
        text = (ROOT / "docs/metrics.md").read_text()
        self.kinds, self.labels, self.shown = {}, {}, {service: set() for service in SERVICES}
        for name, kind, labels, _, by in rows(text, "metrics"):
            name = words(name)[0]
            self.kinds[name], self.labels[name] = kind, set(words(labels))
            for service in words(by) or SERVICES:
                self.shown[service].add(name)
        self.values = {}
        for label, metrics, values in rows(text, "labels"):
            for metric in words(metrics):
                listed = re.fullmatch(r"(`[^`]+`(, )?)+", values.strip())
                self.values[(metric, words(label)[0])] = set(words(values)) if listed else None
        self.pending = {words(name)[0] for name, *_ in rows(text, "pending")}
        assert len(self.kinds) > 60 and self.values, "docs/metrics.md: its tables changed"


# --- Scrapes ---------------------------------------------------------------------------------------------------------

LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Scrape:
    def __init__(self, service):
        self.service = service
        with urllib.request.urlopen(os.environ[SERVICES[service]], timeout=10) as answer:
            self.text = answer.read().decode()
            check(answer.headers["content-type"].startswith("text/plain; version=0.0.4"), f"{service}: content type")
        self.types, self.samples = {}, []
        for line in self.text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split()
                check(name not in self.types, f"{service}: two TYPE lines of {name}")
                self.types[name] = kind
            elif not line.startswith("#"):
                series, value = line.rsplit(" ", 1)
                name, _, labels = series.partition("{")
                self.samples.append((name, dict(LABEL.findall(labels)), float(value)))

    def value(self, name, **labels):
        """The sum of the series with these labels; None when there is none."""
        found = [v for n, l, v in self.samples if n == name and labels.items() <= l.items()]
        return sum(found) if found else None

    def base(self, name):
        """The metric that a sample belongs to."""
        for suffix in ("_bucket", "_sum", "_count"):
            if name.endswith(suffix) and self.types.get(name.removesuffix(suffix)) == "histogram":
                return name.removesuffix(suffix)
        return name


def lint(scrape):
    done = subprocess.run(["promtool", "check", "metrics"], input=scrape.text, capture_output=True, text=True, check=False)
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip() and line.strip() not in EXCUSED]
    check(not said, f"{scrape.service}: promtool says {said}")


def against(document, scrape):
    service = scrape.service
    for name in sorted(document.shown[service] - scrape.types.keys()):
        check(False, f"{service}: no {name}")
    for name in sorted(scrape.types.keys() - document.shown[service]):
        check(False, f"{service}: {name} is there, and docs/metrics.md does not say so")
    check(not scrape.types.keys() & document.pending, f"{service}: pending metrics are there")
    for name, kind in scrape.types.items():
        check(document.kinds.get(name) == kind, f"{service}: {name} is a {kind}")
    seen = set()
    for name, labels, _ in scrape.samples:
        base = scrape.base(name)
        expected = document.labels.get(base, set()) | ({"le"} if name != base and name.endswith("_bucket") else set())
        check(labels.keys() == expected, f"{service}: {name} has labels {sorted(labels)}")
        for label, value in labels.items():
            allowed = document.values.get((base, label))
            check(label == "le" or allowed is None or value in allowed, f"{service}: {base}: {label}={value}")
        if labels.get("le") == "+Inf":
            seen.add(base)
    histograms = {name for name, kind in scrape.types.items() if kind == "histogram"}
    check(seen == histograms, f"{service}: histograms without buckets: {sorted(histograms - seen)}")
    check(len(scrape.samples) <= MAX_SERIES, f"{service}: {len(scrape.samples)} series")
    check("dbt_" not in scrape.text and "rcp_" not in scrape.text, f"{service}: an id is in a label")


def second_names(scrape):
    for first, second in (("aragora_requests_total", "aragora_http_requests_total"),
                          ("aragora_request_latency_seconds", "aragora_http_request_duration_seconds")):
        def series(name):
            return [(s[0].removeprefix(name), s[1], s[2]) for s in scrape.samples if scrape.base(s[0]) == name]

        check(series(first) and series(first) == series(second), f"{scrape.service}: {second} is not {first}")


# --- The load --------------------------------------------------------------------------------------------------------


def api(method, path, body=None, client="198.51.100.1"):
    """Status and body of a request, as if a client with that address had sent it."""
    request = urllib.request.Request(
        os.environ["ARAGORA_BASE_URL"] + path, method=method, data=json.dumps(body).encode() if body else None,
        headers={"Authorization": f"Bearer {os.environ['ARAGORA_API_TOKEN']}", "X-Forwarded-For": client,
                 "content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, None


def debate(agents, rounds=2, **more):
    status, body = api("POST", "/api/v1/debates", {"question": f"What do {agents} think?", "agents": agents, "rounds": rounds, **more})
    check(status == 200, f"creating a debate of {agents}: {status}")
    return body["debate_id"]


def ended(debate_id):
    client = f"203.0.113.{int(time.monotonic() * 5) % 250}"
    return (api("GET", f"/api/v1/debates/{debate_id}", client=client)[1] or {}).get("status") in ("completed", "failed", "cancelled", "timeout")


def until(condition, what):
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            check(False, f"not within {WAIT_SECONDS} s: {what}")
            return
        time.sleep(0.2)


def script(*command):
    subprocess.run([ROOT / "scripts" / command[0], *command[1:]], check=True, capture_output=True)


async def view(debate_id):
    """A replay of the whole log."""
    url = f"{os.environ['ARAGORA_WS_URL']}?debate_id={debate_id}"
    headers = {"Authorization": f"Bearer {os.environ['ARAGORA_API_TOKEN']}"}
    async with asyncio.timeout(10), websockets.asyncio.client.connect(url, additional_headers=headers, proxy=None) as connection:
        async for message in connection:
            if "debate_end" in str(message):
                return


def malformed(variable):
    address = urllib.parse.urlsplit(os.environ[variable])
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(b"this is not HTTP\r\n\r\n")
        connection.recv(1000)


def debates_of_every_kind():
    """One that ends well, one of each provider that fails; returns the first."""
    first = debate(["demo", "demo", "demo"])
    others = [debate(["anthropic", "anthropic"], 1), debate(["openai", "openai"], 1)]
    for debate_id in [first, *others]:
        until(lambda id=debate_id: ended(id), f"{debate_id} ends")
    return first


def api_when_settled():
    """What the API says once it has looked at Postgres again, which it does every 5 s."""
    until(lambda: Scrape("api").value("aragora_control_plane_queue_depth") == 0, "the API has seen every end")
    until(lambda: Scrape("api").value("aragora_workers_live", kind="embedded") == 1, "the API has seen its own runner")
    time.sleep(6)
    return Scrape("api")


def main():
    document = Document()
    # Once the API knows of a worker it leaves debates to it.
    until(lambda: Scrape("api").value("aragora_workers_live", kind="worker") == 1, "the API knows of the worker")
    time.sleep(1)
    first = debates_of_every_kind()
    asyncio.run(view(first))
    worker = Scrape("debate-worker")
    # Without a worker the API runs them.
    script("service.sh", "stop", "debate-worker-1")
    until(lambda: Scrape("api").value("aragora_workers_live", kind="worker") == 0, "the API knows that none lives")
    debates_of_every_kind()
    cancelled = debate(["demo", "demo"], 1)
    api("POST", f"/api/v1/debates/{cancelled}/cancel")
    statuses = [api("GET", "/api/v1/debates", client="203.0.113.251")[0] for _ in range(70)]
    refused = statuses.count(429)
    check(refused > 0, "of 70 requests at once none was refused")
    malformed("ARAGORA_BASE_URL")
    malformed("ARAGORA_WS_URL")
    until(lambda: Scrape("backup").value("aragora_backup_runs_total", outcome="success"), "a backup is finished")
    scrapes = {"debate-worker": worker, "api": api_when_settled(), "ws-gateway": Scrape("ws-gateway"), "backup": Scrape("backup")}
    for scrape in scrapes.values():
        lint(scrape)
        against(document, scrape)
    second_names(scrapes["api"])
    second_names(scrapes["ws-gateway"])
    numbers(scrapes, refused)
    for service, scrape in scrapes.items():
        print(f"{service}: {len(scrape.types)} metrics, {len(scrape.samples)} series")
    print(f"{len(problems)} problems")
    sys.exit(1 if problems else 0)


def numbers(scrapes, refused):
    """What was done is what is shown."""
    one, two, gateway, backup = (scrapes[name] for name in ("api", "debate-worker", "ws-gateway", "backup"))

    def expect(scrape, wanted, name, **labels):
        value = scrape.value(name, **labels)
        good = value is not None and (wanted(value) if callable(wanted) else value == wanted)
        check(good, f"{scrape.service}: {name} {labels or ''} is {value}")

    def positive(value):
        return value > 0

    expect(one, refused, "aragora_requests_total", handler="/api/debates", status="429")
    expect(one, refused, "aragora_rate_limit_hits_total", scope="http")
    for server in (one, gateway):
        expect(server, 1, "aragora_limit_hits_total", limit="malformed_request")
    expect(one, positive, "aragora_http_requests_per_second")
    expect(one, 7, "aragora_debates_started_total")
    for runner in (one, two):
        expect(runner, positive, "aragora_debates_completed_total")
        expect(runner, 2, "aragora_debates_total", outcome="error")
        expect(runner, positive, "aragora_debate_rounds_total")
        expect(runner, 1, "aragora_convergence_score_count")
        expect(runner, positive, "aragora_agent_calls_total", agent="demo", status="success")
        expect(runner, positive, "aragora_agent_errors_total", agent="anthropic", error_type="server")
        expect(runner, positive, "aragora_agent_errors_total", agent="openai", error_type="rate_limited")
        expect(runner, 0, "aragora_invariant_alarms_total")
        expect(runner, positive, "aragora_worker_capacity")
    # The one that was cancelled may have been at its end by then. Every debate has one end, counted by one process.
    ends = [runner.value("aragora_debates_total") for runner in (one, two)]
    check(ends == [4, 3], f"the ends that the api and the worker count are {ends}")
    expect(one, 0, "aragora_control_plane_queue_depth")
    expect(one, 0, "aragora_workers_live", kind="worker")
    expect(one, 1, "aragora_workers_live", kind="embedded")
    expect(one, 0, "aragora_dead_letter_queue_size")
    expect(one, lambda v: v >= 2, "aragora_receipts_stored")
    expect(one, lambda v: 0 < time.time() - v < 300, "aragora_receipt_oldest_timestamp")
    expect(one, 2555, "aragora_receipt_retention_days")
    expect(one, 1, "aragora_slo_compliance", slo_name="availability")
    # Four of the debates failed.
    expect(one, 0, "aragora_slo_compliance", slo_name="debate_success")
    expect(one, lambda v: v > 5, "aragora_slo_burn_rate", slo_name="debate_success")
    expect(one, lambda v: 0 <= v <= 1, "aragora_consensus_rate")
    expect(gateway, positive, "aragora_websocket_frames_sent_total")
    expect(gateway, positive, "aragora_gateway_fills_total")
    expect(backup, 1, "aragora_backup_runs_total", outcome="success")
    expect(backup, 1, "aragora_backup_duration_seconds_count")
    for scrape in scrapes.values():
        expect(scrape, 1, "aragora_postgres_up")
        expect(scrape, 1, "aragora_ready")
        expect(scrape, positive, "aragora_postgres_pool_size")
        expect(scrape, 0, "aragora_postgres_pool_waiting")
        expect(scrape, 1, "aragora_build_info", commit="0123456789abcdef")
        expect(scrape, lambda v: 0 < time.time() - v < 300, "aragora_config_last_reload_timestamp")
        expect(scrape, positive, "aragora_event_loop_lag_seconds_count")
        for name in ("process_max_fds", "process_virtual_memory_bytes", "process_threads"):
            expect(scrape, positive, name)


main()
