#!/usr/bin/env python3
"""Usage: check_telemetry.py ROOT

Runs a stack against receivers of its own, and asks what telemetry promises:

  one trace from the request through queue, worker, model call and event to the WebSocket, also when another worker takes over;
  no prompt, no answer and no secret in it; nothing sent on of a trace that its caller does not want;
  a collector that refuses, stalls, or is gone costs its spans and nothing else;
  errors arrive as Sentry envelopes, each once, without what looks like a secret, and a receiver's "later" is obeyed.

Spans are decoded by opentelemetry-proto, envelopes by sentry-sdk. Prints a line for each check. Exit codes: 0 all held, 1 one
did not, else those of scripts/up.sh.
"""
import asyncio
import gzip
import http.server
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

import websockets
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from sentry_sdk.envelope import Envelope

ROOT = pathlib.Path(sys.argv[1])
SECRET_TOPIC = "a topic that nobody but its readers should see"
SECRET_ANSWER = "an answer that nobody but its readers should see"
failures = 0


def check(holds, what, detail=""):
    global failures
    failures += 0 if holds else 1
    print(f"{'ok  ' if holds else 'FAIL'} {what}{'' if holds or not detail else f': {detail}'}", flush=True)


class Receiver:
    """A collector and a Sentry project on one port, whose manners can be changed; and a model server that keeps its heads."""

    def __init__(self):
        self.manner, self.spans, self.envelopes, self.calls, self.bodies = "ok", [], [], [], 0
        self.headers, self.sentry_headers, self.released = [], {}, threading.Event()
        self.slow_models = False
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                if self.path == "/v1/traces":
                    outer.traces(self, body)
                elif self.path == "/api/42/envelope/":
                    outer.envelope(self, body)
                else:
                    outer.model(self, body)

            def answer(self, status, body=b"", headers=()):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads, allow_reuse_address, block_on_close = True, True, False

            def handle_error(self, *_):
                pass

        self.make = lambda port: Server(("127.0.0.1", port), Handler)
        self.server = self.make(0)
        self.port = self.server.server_address[1]
        self.model_server = self.make(0)
        self.model_port = self.model_server.server_address[1]
        for server in (self.server, self.model_server):
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def traces(self, handler, body):
        self.bodies += 1
        if self.manner == "500":
            return handler.answer(500, b"no")
        if self.manner == "503":
            return handler.answer(503, b"later")
        if self.manner == "gone":
            # A connection from before.
            handler.close_connection = True
            return handler.connection.close()
        if self.manner == "slow":
            self.released.wait(60)
            return handler.answer(503)
        if handler.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        assert request.SerializeToString(deterministic=True), "an empty request"
        self.headers.append({name.lower(): value for name, value in handler.headers.items()})
        for group in request.resource_spans:
            resource = {item.key: item.value.string_value for item in group.resource.attributes}
            for scope in group.scope_spans:
                self.spans += [(resource, span) for span in scope.spans]
        handler.answer(200, ExportTraceServiceResponse().SerializeToString(), [("content-type", "application/x-protobuf")])

    def envelope(self, handler, body):
        self.envelopes.append((handler.headers.get("x-sentry-auth"), Envelope.deserialize(body), body))
        status, headers = self.sentry_headers.get("answer", (200, []))
        handler.answer(status, b"{}", headers)

    def model(self, handler, body):
        self.calls.append(handler.headers.get("traceparent"))
        if self.slow_models:
            time.sleep(0.7)
        text = "CHOICE: local-1\nCONFIDENCE: 0.8\nCONTINUE: yes\nREASONING: because" if b"CHOICE" in body else SECRET_ANSWER
        events = [
            {"id": "1", "object": "chat.completion.chunk", "model": "m", "choices": [{"index": 0, "delta": {"content": text}}]},
            {"id": "1", "object": "chat.completion.chunk", "model": "m",
             "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 5, "completion_tokens": 7}},
        ]
        stream = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
        handler.answer(200, stream.encode(), [("content-type", "text/event-stream")])

    def go_away(self):
        self.server.shutdown()
        self.server.server_close()

    def come_back(self):
        self.server = self.make(self.port)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def of(self, trace):
        return [(resource, span) for resource, span in self.spans if span.trace_id.hex() == trace]


class Stack:
    def __init__(self, receiver):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="aragora-telemetry."))
        self.environment = dict(
            os.environ, RUN_DIR=str(self.folder / "run"), PORTS="auto", CONFIG=os.environ.get("CONFIG", "debug"),
            ARAGORA_RATE_LIMIT="0", ARAGORA_EMBEDDED_RUNNER="off", WORKER_CONCURRENCY="4", ARAGORA_DEMO_LATENCY_MS="0",
            ARAGORA_LOCAL_LLM_URL=f"http://127.0.0.1:{receiver.model_port}/v1", ARAGORA_LOCAL_LLM_MODEL="m",
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{receiver.port}", OTEL_BSP_SCHEDULE_DELAY="100",
            OTEL_BSP_MAX_QUEUE_SIZE="400", OTEL_EXPORTER_OTLP_HEADERS="x-team=a%20b,authorization=Bearer%20t0ken",
            OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=check", OTEL_EXPORTER_OTLP_TIMEOUT="2000",
            SENTRY_DSN=f"http://publickey@127.0.0.1:{receiver.port}/42", SENTRY_ENVIRONMENT="check")

    def run(self, *command):
        return subprocess.run([str(ROOT / command[0]), *command[1:]], env=self.environment, stdout=sys.stderr)

    def up(self):
        code = self.run("scripts/up.sh", "--workers", "2").returncode
        if code:
            sys.exit(code)
        text = subprocess.run(
            ["bash", "-c", f'set -a; source "{self.folder}/run/env"; env -0'], capture_output=True, check=True).stdout
        self.values = dict(item.split("=", 1) for item in text.decode().split("\0") if "=" in item)
        self.base, self.token = self.values["ARAGORA_BASE_URL"].rstrip("/"), self.values["ARAGORA_API_TOKEN"]

    def down(self):
        self.run("scripts/down.sh", "--erase")
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, method, path, body=None, headers=()):
        request = urllib.request.Request(
            self.base + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **dict(headers)})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.load(answer), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}"), error.headers

    def create(self, agents=("demo", "demo", "demo"), sampled=True, rounds=1):
        trace, parent = secrets.token_hex(16), secrets.token_hex(8)
        status, body, headers = self.ask(
            "POST", "/api/v1/debates", {"topic": SECRET_TOPIC, "agents": list(agents), "rounds": rounds},
            {"traceparent": f"00-{trace}-{parent}-{'01' if sampled else '00'}"})
        assert status in (200, 201), body
        check(headers["X-Trace-ID"] == trace, "the answer names the caller's trace") if sampled else None
        return body["debate_id"], trace, parent

    def finish(self, debate, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            status = self.ask("GET", f"/api/v1/debates/{debate}")[1].get("status")
            if status in ("completed", "failed", "cancelled", "timeout"):
                return status
            time.sleep(0.05)
        return "unfinished"

    async def watch(self, debate):
        events = []
        async with websockets.connect(
            self.values["ARAGORA_WS_URL"], additional_headers={"Authorization": f"Bearer {self.token}"}) as socket:
            await socket.send(json.dumps({"type": "subscribe", "debate_id": debate}))
            while not events or events[-1].get("type") != "debate_end":
                events.append(json.loads(await asyncio.wait_for(socket.recv(), 30)))
        return events

    def counter(self, name, label):
        total = 0.0
        for key, url in self.values.items():
            if key.endswith("METRICS_URL"):
                with urllib.request.urlopen(url if url.endswith("/metrics") else url.rstrip("/") + "/metrics", timeout=5) as answer:
                    for line in answer.read().decode().splitlines():
                        if line.startswith(name + "{") and f'"{label}"' in line:
                            total += float(line.rsplit(" ", 1)[1])
        return total

    def logs(self):
        return "".join(path.read_text(errors="replace") for path in (self.folder / "run/logs").glob("*.log"))


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def attribute(span, key):
    for item in span.attributes:
        if item.key == key:
            value = item.value
            return getattr(value, value.WhichOneof("value"))
    return None


def one_trace(stack, receiver):
    debate, trace, parent = stack.create(agents=("local", "local"))
    events = asyncio.run(stack.watch(debate))
    check(stack.finish(debate) == "completed", "a debate with a model server is completed")
    numbered = [event for event in events if event.get("seq") and event.get("hash")]

    def is_whole():
        names = [span.name for _, span in receiver.of(trace)]
        return "debate run" in names and "event debate_end" in names and names.count("event delivered") > 0

    check(until(is_whole), "the spans of the debate arrive", sorted({span.name for _, span in receiver.of(trace)}))
    time.sleep(0.4)
    spans = receiver.of(trace)
    services = {resource["service.name"] for resource, _ in spans}
    check({"aragora-api", "aragora-debate-worker", "aragora-ws-gateway"} <= services, "api, worker and gateway are in one trace", services)
    ids = {span.span_id.hex() for _, span in spans}
    check(len(ids) == len(spans), "no span id occurs twice")
    orphans = [span.name for _, span in spans if span.parent_span_id.hex() not in ids | {parent}]
    check(not orphans, "every span's parent is in the trace, or the caller's", orphans)

    def named(pattern):
        return [span for _, span in spans if re.fullmatch(pattern, span.name)]

    (server,) = named(r"POST /api/debates")
    check(server.parent_span_id.hex() == parent and server.kind == 2, "the request is a server span after the caller's")
    (run,) = named("debate run")
    check(run.parent_span_id == server.span_id and run.kind == 5, "the run follows the request")
    phases = named(r"debate phase .*")
    check({attribute(span, "aragora.debate.phase") for span in phases} >= {"propose", "critique", "revise", "vote"}
          and all(span.parent_span_id == run.span_id for span in phases), "the phases are parts of the run")
    calls = named("chat m")
    check(bool(calls) and {call.parent_span_id for call in calls} <= {span.span_id for span in phases}, "calls are parts of phases")
    sent = {f"00-{trace}-{call.span_id.hex()}-01" for call in calls}
    check(set(receiver.calls) == sent, "each call's span went to the model server", (len(receiver.calls), len(sent)))
    check(all(attribute(call, "gen_ai.usage.input_tokens") == 5 and attribute(call, "gen_ai.usage.output_tokens") == 7
              and attribute(call, "gen_ai.operation.name") == "chat" for call in calls), "calls say what they used")
    written = {span.span_id.hex() for span in named("event .*") if span.kind == 4}
    check({event["hash"][:16] for event in numbered} == written, "each event is a span, named by its hash",
          (len(numbered), len(written)))
    links = {link.span_id.hex() for span in named("event delivered") for link in span.links}
    check(bool(links) and links <= written, "what the gateway showed is linked to who wrote it")
    statements = [span for _, span in spans if attribute(span, "db.system.name") == "postgresql"]
    after = {span.parent_span_id for span in statements}
    check({server.span_id, run.span_id} <= after and all(span.kind == 3 for span in statements),
          "what the request and the run ask of Postgres are parts of them", sorted({span.name for span in statements}))
    check(all(re.fullmatch(r"[A-Z]+( [a-z_.0-9]+)?", span.name) and len(span.attributes) <= 5 for span in statements)
          and max(sum(span.parent_span_id == one for span in statements) for one in after) <= 128,
          "statements are named by what they do and to which table, and are not too many", len(statements))
    times = all(0 < span.start_time_unix_nano <= span.end_time_unix_nano < time.time_ns() + 10**9 for _, span in spans)
    check(times, "spans begin before they end")
    texts = b"".join(span.SerializeToString() for _, span in spans)
    check(SECRET_TOPIC.encode() not in texts and SECRET_ANSWER.encode() not in texts and stack.token.encode() not in texts,
          "no prompt, answer or token is in them")
    head = receiver.headers[-1]
    check(head.get("x-team") == "a b" and head.get("authorization") == "Bearer t0ken", "the collector gets the header fields it asks for")
    check(any(resource.get("deployment.environment.name") == "check" for resource, _ in spans), "resource attributes are sent")
    named_by = {json.loads(line)["service"] for line in stack.logs().splitlines() if f'"trace_id":"{trace}"' in line}
    check(named_by == {"api", "debate-worker"}, "the trace is in the logs of the request and of the run", named_by)
    row_error = stack.ask("GET", "/api/v1/nothing", headers={"traceparent": f"00-{trace}-{parent}-01"})[1]
    check(row_error["trace_id"] == trace, "and in the body of an error")


def unsampled(stack, receiver):
    receiver.calls.clear()
    debate, trace, _ = stack.create(agents=("local", "local"), sampled=False)
    check(stack.finish(debate) == "completed" and bool(receiver.calls) and set(receiver.calls) == {None},
          "a trace that its caller does not record goes nowhere", receiver.calls[:2])
    time.sleep(0.4)
    check(not receiver.of(trace), "and has no span")


def takeover(stack, receiver):
    receiver.slow_models = True
    debate, trace, _ = stack.create(agents=("local", "local"), rounds=2)
    check(until(lambda: stack.ask("GET", f"/api/v1/debates/{debate}")[1].get("status") == "running"), "a debate is running")
    holder = None
    for number in (1, 2):
        log = (stack.folder / f"run/logs/debate-worker-{number}.log").read_text()
        if any('"debate claimed"' in line and debate in line for line in log.splitlines()):
            holder = number
    stack.run("scripts/service.sh", "crash", f"debate-worker-{holder}")
    check(stack.finish(debate) == "completed", "it is completed although its worker was killed")
    receiver.slow_models = False
    runs = lambda: [span for _, span in receiver.of(trace) if span.name == "debate run"]
    until(runs)
    check([attribute(span, "aragora.claim") for span in runs()] == ["adopted"], "who took it over goes on in the same trace",
          [attribute(span, "aragora.claim") for span in runs()])
    stack.run("scripts/service.sh", "start", f"debate-worker-{holder}")
    stack.run("scripts/service.sh", "wait", f"debate-worker-{holder}")


def load(stack, count=60):
    """Seconds of each of many small requests, and how a debate among them ends."""
    times = []
    debate, _, _ = stack.create(rounds=1)
    for _ in range(count):
        began = time.perf_counter()
        stack.ask("GET", "/api/v1/debates?limit=1", headers={"traceparent": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"})
        times.append(time.perf_counter() - began)
    return times, stack.finish(debate)


def lost_collector(stack, receiver):
    load(stack)
    before, _ = load(stack)
    for manner, label in (("500", "rejected"), ("503", "failed"), ("slow", "failed"), ("gone", "failed")):
        lost = stack.counter("aragora_trace_spans_total", label) + stack.counter("aragora_trace_spans_total", "queue_full")
        receiver.manner = manner
        if manner == "gone":
            receiver.go_away()
        times, status = load(stack, 250)
        check(status == "completed", f"collector {manner}: debates are completed")
        slower = statistics.median(times) - statistics.median(before)
        check(slower < 0.005, f"collector {manner}: no request waits for it", f"{slower * 1000:.1f} ms more")
        now = lambda: stack.counter("aragora_trace_spans_total", label) + stack.counter("aragora_trace_spans_total", "queue_full")
        check(until(lambda: now() > lost, 40), f"collector {manner}: what is lost is counted", now() - lost)
        check(stack.ask("GET", "/readyz")[0] == 200, f"collector {manner}: the api is ready")
        receiver.released.set()
    receiver.manner = "ok"
    receiver.come_back()
    debate, trace, _ = stack.create()
    check(stack.finish(debate) == "completed" and until(lambda: any(span.name == "debate run" for _, span in receiver.of(trace)), 40),
          "a collector that is back gets spans again")


def errors(stack, receiver):
    psql = ["psql", stack.values.get("ARAGORA_POSTGRES_DSN") or stack.values["DATABASE_URL"], "-qc"]
    subprocess.run([*psql, "ALTER TABLE knowledge_items RENAME TO knowledge_items_away"], check=True)
    receiver.envelopes.clear()
    trace = secrets.token_hex(16)
    for _ in range(5):
        status, _, _ = stack.ask("GET", "/api/v1/knowledge/facts", headers={"traceparent": f"00-{trace}-{'ab' * 8}-01"})
        check(status == 500, "a broken table is a 500") if status != 500 else None
    check(until(lambda: len(receiver.envelopes) > 0), "an error arrives as an envelope")
    time.sleep(0.5)
    mine = [(auth, envelope, body) for auth, envelope, body in receiver.envelopes
            if envelope.get_event() and envelope.get_event()["logentry"]["formatted"] == "request failed"]
    check(len(mine) == 1, "the same error is reported once", len(mine))
    auth, envelope, body = mine[0]
    event = envelope.get_event()
    check("sentry_key=publickey" in auth and "sentry_version=7" in auth, "it says whose project it is for")
    check(re.fullmatch("[0-9a-f]{32}", event["event_id"]) is not None and envelope.headers["event_id"] == event["event_id"]
          and event["level"] == "error" and event["environment"] == "check" and event["release"].startswith("aragora@"),
          "it is an event as Sentry describes it", event)
    check(event["tags"]["service"] == "api" and event["tags"]["route"] == "/api/knowledge/facts"
          and event["contexts"]["trace"]["trace_id"] == trace, "with service, route and trace", event.get("tags"))
    check(stack.token.encode() not in body, "and no token")
    check(stack.counter("aragora_error_reports_total", "throttled") >= 4, "what was left out is counted")
    subprocess.run([*psql, "ALTER TABLE knowledge_items_away RENAME TO knowledge_items"], check=True)
    check(stack.ask("GET", "/api/v1/knowledge/facts")[0] == 200, "and the api goes on")


def main():
    receiver = Receiver()
    stack = Stack(receiver)
    try:
        stack.up()
        one_trace(stack, receiver)
        unsampled(stack, receiver)
        takeover(stack, receiver)
        errors(stack, receiver)
        lost_collector(stack, receiver)
    finally:
        stack.down()
    print(f"{'every check held' if not failures else f'{failures} checks failed'}")
    return 1 if failures else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
