#!/usr/bin/env python3
"""deploy/compose/nginx, run by a real nginx in front of real services: two APIs, two gateways, a worker.

The configuration is the one that is shipped, prepared by its own start.sh; only paths and listening addresses are
replaced. A small name server stands for the container engine's. Clients come from different loopback addresses.
"""
import asyncio
import base64
import concurrent.futures
import contextlib
import http.client
import importlib.util
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import warnings

# Not websockets.sync: it reads and writes one TLS connection from two threads, and sometimes loses what it wrote.
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

ROOT = pathlib.Path(__file__).resolve().parents[3]
SOURCE = ROOT / "deploy/compose/nginx"
REPLICAS = ("127.0.1.1", "127.0.1.2")
BROKEN = "127.0.1.3"
SECRET = "sekret-in-a-query"


def expect(condition, *what):
    if not condition:
        raise AssertionError(" ".join(str(w) for w in what))


def wait_for(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


def free_ports(count):
    """Ports free on every loopback address, below those that the kernel gives to clients."""
    found, candidate = [], 20000 + os.getpid() * 7 % 11000
    while len(found) < count:
        candidate = 20000 + (candidate - 20000 + 13) % 12000
        with contextlib.ExitStack() as sockets:
            try:
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    probe = sockets.enter_context(socket.socket(socket.AF_INET, kind))
                    probe.bind(("0.0.0.0", candidate))
            except OSError:
                continue
        found.append(candidate)
    return found


class Stack:
    """Stores, worker, one API and one gateway by scripts/up.sh; two replicas of each behind nginx besides."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {**os.environ, "RUN_DIR": str(folder / "stack"), "PORTS": "auto", "ARAGORA_RATE_LIMIT": "0",
                            "ARAGORA_LOG_LEVEL": "info"}
        self.processes = {}
        self.api_port, self.ws_port, self.api_metrics, self.ws_metrics = free_ports(4)

    def start(self):
        subprocess.run([ROOT / "scripts/up.sh", "--workers", "1"], env=self.environment, check=True)
        text = subprocess.run(["bash", "-c", f"source {self.folder}/stack/env && printf %s \"$ARAGORA_API_TOKEN\""],
                              check=True, capture_output=True, text=True).stdout
        self.token = text
        for address in REPLICAS:
            self.start_replica("api", "aragora-api", address, ARAGORA_PORT=self.api_port,
                               ARAGORA_METRICS_PORT=self.api_metrics)
            self.start_replica("ws-gateway", "aragora-ws-gateway", address, ARAGORA_WS_PORT=self.ws_port,
                               ARAGORA_METRICS_PORT=self.ws_metrics)
        for address in REPLICAS:
            for port in (self.api_metrics, self.ws_metrics):
                wait_for(lambda: self.is_ready(address, port), 30, f"{address}:{port} ready")

    def start_replica(self, service, product, address, **settings):
        log = open(self.folder / f"{service}-{address}.log", "ab")
        settings = {"ARAGORA_BIND_ADDRESS": address, **settings}
        assignments = " ".join(f"{name}={value}" for name, value in settings.items())
        self.processes[service, address] = subprocess.Popen(
            ["bash", "-c", f"source {self.folder}/stack/stack/{service}.env && export {assignments} && "
             f"unset DATABASE_URL REDIS_URL && exec {os.environ['ARAGORA_BIN_DIR']}/{product}"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment)

    @staticmethod
    def is_ready(address, port):
        try:
            connection = http.client.HTTPConnection(address, port, timeout=2)
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False

    def kill(self, service, address):
        process = self.processes.pop((service, address))
        process.kill()
        process.wait()

    def log_of(self, service, address):
        return (self.folder / f"{service}-{address}.log").read_text()

    def stop(self):
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
        subprocess.run([ROOT / "scripts/down.sh"], env=self.environment, check=False)


class Names:
    """What the container engine's name server would answer."""

    def __init__(self, folder):
        self.file = folder / "names.json"
        self.port, = free_ports(1)
        self.say({})
        self.process = subprocess.Popen(
            [sys.executable, pathlib.Path(__file__).with_name("names.py"), str(self.port), self.file])

    def say(self, records):
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(records))
        new.rename(self.file)

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Nginx:
    def __init__(self, folder, stack, names):
        self.folder = folder
        self.http, self.https, self.plain, self.inside = free_ports(4)
        self.conf, self.certs = folder / "nginx", folder / "certs"
        self.access, self.errors = folder / "access.log", folder / "error.log"
        (folder / "acme/.well-known/acme-challenge").mkdir(parents=True)
        (folder / "acme/.well-known/acme-challenge/token").write_text("proof")
        (folder / "tmp").mkdir()
        shutil.copytree(SOURCE, self.conf)
        self.certs.mkdir()
        self.environment = {
            **os.environ, "ARAGORA_HTTPS_PORT": str(self.https), "ARAGORA_PORT": str(stack.api_port),
            "ARAGORA_WS_PORT": str(stack.ws_port), "NGINX_RESOLVERS": f"127.0.0.1:{names.port}",
            "NGINX_RUN": str(folder / "run"), "NGINX_CERTS": str(self.certs),
            "NGINX_LISTEN_HTTPS": f"127.0.0.1:{self.https}"}
        self.relocate()

    def relocate(self):
        """The container's paths and addresses become this test's; each of them must occur."""
        user = "root" if os.getuid() == 0 else "nobody"
        places = {
            "user nginx;": f"user {user};", "/run/nginx.pid": f"{self.folder}/nginx.pid",
            "/run/aragora/": f"{self.folder}/run/", "/etc/aragora/certs": str(self.certs),
            "/var/www/acme": f"{self.folder}/acme", "/tmp/": f"{self.folder}/tmp/",
            "/dev/stdout": str(self.access), "/dev/stderr": str(self.errors),
            "listen 80 ": f"listen 127.0.0.1:{self.http} ", "listen 8080 ": f"listen 127.0.0.1:{self.plain} ",
            "listen 8081 ": f"listen 127.0.0.1:{self.inside} ",
        }
        seen = set()
        for file in self.conf.glob("*.conf"):
            # In one pass: what was put in is not looked at again.
            pattern = "|".join(re.escape(place) for place in places)
            seen.update(re.findall(pattern, file.read_text()))
            file.write_text(re.sub(pattern, lambda found: places[found[0]], file.read_text()))
        expect(seen == set(places), "not in the configuration:", set(places) - seen)

    def make_certificate(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout",
             self.certs / "server.key", "-out", self.certs / "server.crt", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)

    def run(self, *arguments, **settings):
        """start.sh with arguments for nginx: it prepares the configuration again each time."""
        return subprocess.run(["sh", self.conf / "start.sh", *arguments], env={**self.environment, **settings},
                              capture_output=True, text=True, timeout=20, check=False)

    def start(self):
        self.process = subprocess.Popen(["sh", self.conf / "start.sh"], env=self.environment)
        wait_for(lambda: self.is_listening(), 10, "nginx listens")

    def is_listening(self):
        expect(self.process.poll() is None, "nginx ended:", self.errors.read_text() if self.errors.exists() else "")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.https), timeout=1):
            return True
        return False

    def reload(self, **settings):
        done = self.run("-s", "reload", **settings)
        expect(done.returncode == 0, "reload:", done.stderr)

    def lines(self):
        return [json.loads(line) for line in self.access.read_text().splitlines()]

    def line(self, path):
        """The line of the one request for a path; it is written after the answer was sent."""
        def found():
            return [line for line in self.lines() if line["path"].endswith(path)]
        wait_for(found, 5, f"a log line of {path}")
        line, = found()
        return line

    def stop(self):
        if getattr(self, "process", None) and self.process.poll() is None:
            # Its workers too: QUIT would wait for the WebSockets.
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)


class Checks:
    def __init__(self, stack, names, nginx):
        self.stack, self.names, self.nginx = stack, names, nginx
        self.clients = (f"127.{a}.{b}.{c}" for a in range(2, 100) for b in range(250) for c in range(1, 250))
        self.next_client = threading.Lock()
        self.everybody = {"aragora": REPLICAS, "ws-gateway": REPLICAS}

    def tls(self):
        return ssl.create_default_context(cafile=self.nginx.certs / "server.crt")

    def ask(self, path, method="GET", body=None, headers=None, client=None, tls=True, port=None):
        """One request of a client with an address of its own. Returns status, headers, body."""
        with self.next_client:
            source = (client or next(self.clients), 0)
        if tls:
            connection = http.client.HTTPSConnection("localhost", port or self.nginx.https, timeout=20,
                                                     context=self.tls(), source_address=source)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", port or self.nginx.plain, timeout=20,
                                                    source_address=source)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def bearer(self):
        return {"Authorization": f"Bearer {self.stack.token}", "Content-Type": "application/json"}

    def websockets(self, path, count=1, use=None, **options):
        """Opens so many at once, lets `use` have the last one, and closes them."""
        async def run():
            url = f"wss://localhost:{self.nginx.https}{path}"
            async with contextlib.AsyncExitStack() as stack:
                for _ in range(count):
                    last = await stack.enter_async_context(connect(url, ssl=self.tls(), **options))
                if use:
                    await use(last)
        asyncio.run(run())

    def problem(self, answer, status, code):
        """The answer is an error like the API's."""
        body = json.loads(answer[2])
        expect(answer[0] == status and body["code"] == code, "expected", status, code, "got", answer[0], answer[2])
        expect(answer[1]["Content-Type"] == "application/json", answer[1])
        expect(re.fullmatch("[0-9a-f]{32}", body["trace_id"]), body)
        return body

    # --- each `check_…` is one claim ---

    def check_refuses_what_it_can_not_serve(self):
        missing = self.nginx.run("-t")
        expect(missing.returncode == 78 and "server.crt is missing" in missing.stderr, missing)
        self.nginx.make_certificate()
        for name, value in (("TLS_MODE", "none"), ("ARAGORA_CDN", "../x"), ("ARAGORA_CDN", "elsewhere"),
                            ("ARAGORA_PORT", "80a")):
            refused = self.nginx.run("-t", **{name: value})
            expect(refused.returncode == 78 and name in refused.stderr, name, refused)

    def check_is_valid_in_every_mode(self):
        for settings in ({}, {"TLS_MODE": "letsencrypt"}, {"TLS_MODE": "cloudflare", "ARAGORA_CDN": "cloudflare"}):
            tested = self.nginx.run("-t", **settings)
            expect(tested.returncode == 0, settings, tested.stderr)
            expect("[warn]" not in tested.stderr, settings, tested.stderr)

    def check_writes_what_version_and_network_want(self):
        folder = self.nginx.folder / "bin"
        folder.mkdir()
        fake = folder / "nginx"
        # The vendor's image has busybox for a shell and tools.
        for tool in ("sh", "awk", "sed", "cat", "mkdir", "dirname"):
            (folder / tool).symlink_to("/bin/busybox")
        path = os.environ["PATH"]
        for version, new in (("1.22.1", False), ("1.25.0", False), ("1.25.1", True), ("1.25.5", True), ("2.0.0", True)):
            fake.write_text(f'#!/bin/sh\n[ "$1" != -v ] || echo "nginx version: nginx/{version} (Debian)" >&2\n')
            fake.chmod(0o755)
            expect(self.nginx.run("-t", PATH=f"{folder}:{path}").returncode == 0, version)
            text = (self.nginx.folder / "run/https.conf").read_text()
            expect(("http2 on;" in text) == new and (" http2 " in text) != new, version, text)

        # It asks the network's own name server, which is the first.
        servers = folder / "resolv.conf"
        for text, wanted in (("search x\nnameserver 10.89.0.1\nnameserver 192.0.2.1\n", "10.89.0.1"),
                             ("nameserver fd00::1%eth0\n", "[fd00::1]"), ("# none\n", None)):
            servers.write_text(text)
            done = self.nginx.run("-t", PATH=f"{folder}:{path}", NGINX_RESOLVERS="", NGINX_RESOLV_CONF=str(servers))
            written = (self.nginx.folder / "run/http.conf").read_text()
            if wanted:
                expect(done.returncode == 0 and f"\nresolver {wanted} valid=5s ipv6=off;\n" in written, text, written)
            else:
                expect(done.returncode == 78 and "no name server" in done.stderr, done)

    def check_starts_while_no_service_is_there(self):
        self.nginx.start()
        self.problem(self.ask("/healthz"), 502, "upstream_unavailable")
        self.problem(self.ask("/api/v1/debates", "POST", b"{}"), 502, "upstream_unavailable")
        expect(self.ask("/nginx-health")[0] == 200)
        self.names.say(self.everybody)
        wait_for(lambda: self.ask("/healthz")[0] == 200, 10, "the API once it has a name")

    def check_without_grafana(self):
        self.problem(self.ask("/grafana/"), 502, "upstream_unavailable")
        status, headers, _ = self.ask("/grafana")
        expect(status == 302 and headers["Location"] == "/grafana/", status, headers)

    def check_sends_plain_http_to_https(self):
        status, headers, _ = self.ask("/api/v1/debates?limit=3", tls=False, port=self.nginx.http)
        expect(status == 301, status)
        expect(headers["Location"] == f"https://127.0.0.1:{self.nginx.https}/api/v1/debates?limit=3", headers)
        proof = self.ask("/.well-known/acme-challenge/token", tls=False, port=self.nginx.http)
        expect(proof[0] == 200 and proof[2] == b"proof", proof)
        wrong_port = self.ask("/x", tls=False, port=self.nginx.https)
        expect(wrong_port[0] == 301, wrong_port)
        # The documented port needs no number.
        self.nginx.run("-t", ARAGORA_HTTPS_PORT="443")
        expect('$https_suffix { default ""; }' in (self.nginx.folder / "run/http.conf").read_text())
        self.nginx.run("-t")

    def check_http2(self):
        out = subprocess.run(
            ["curl", "-s", "--http2", "--cacert", self.nginx.certs / "server.crt", "-o", "/dev/null", "-w",
             "%{http_version} %{http_code}", f"https://localhost:{self.nginx.https}/healthz"],
            capture_output=True, text=True, check=True).stdout
        expect(out == "2 200", out)

    def check_tls_versions(self):
        warnings.simplefilter("ignore", DeprecationWarning)  # that they are old is the point

        def handshake(version):
            context = self.tls()
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = version
            with socket.create_connection(("127.0.0.1", self.nginx.https)) as raw:
                with context.wrap_socket(raw, server_hostname="localhost") as wrapped:
                    return wrapped.version()
        expect(handshake(ssl.TLSVersion.TLSv1_2) == "TLSv1.2")
        expect(handshake(ssl.TLSVersion.TLSv1_3) == "TLSv1.3")
        for old in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            try:
                spoken = handshake(old)
            except ssl.SSLError as error:
                expect("ALERT_PROTOCOL_VERSION" in str(error), error)
            else:
                raise AssertionError(f"spoke {spoken}")

    def check_headers(self):
        for path in ("/healthz", "/nginx-health", "/api/v1/status", "/metrics", "/api/v1/nowhere"):
            headers = self.ask(path)[1]
            expect(headers["X-Content-Type-Options"] == "nosniff", path, headers)
            expect(headers["X-Frame-Options"] == "DENY", path, headers)
            # What the api says of its own answers is stricter than what nginx says of the rest, and is kept.
            is_own = path in ("/nginx-health", "/metrics")
            expect(headers["Referrer-Policy"] == ("same-origin" if is_own else "no-referrer"), path, headers)
            policy = headers["Content-Security-Policy"]
            expect("frame-ancestors 'none'" in policy, path, headers)
            expect((f"wss://localhost:{self.nginx.https}" if is_own else "default-src 'none'") in policy, path, headers)
            expect("camera=()" in headers["Permissions-Policy"], path, headers)
            # With a self-signed certificate it would lock people out.
            expect(headers["Strict-Transport-Security"] is None, path, headers)
            expect(not re.search("[0-9]", headers["Server"] or ""), path, headers)
            for name in set(headers.keys()):
                expect(len(headers.get_all(name)) == 1, path, "twice:", name)
        self.nginx.reload(TLS_MODE="letsencrypt")
        wait_for(lambda: self.ask("/healthz")[1]["Strict-Transport-Security"] == "max-age=31536000", 5, "HSTS")
        expect(self.ask("/healthz", tls=False)[1]["Strict-Transport-Security"] is None, "HSTS without TLS")
        self.nginx.reload()

    def check_metrics_are_closed(self):
        for path in ("/metrics", "/metrics/", "/metrics/websocket", "/%6detrics", "//metrics", "/x/../metrics", "/./metrics?a=b"):
            for tls in (True, False):
                self.problem(self.ask(path, tls=tls), 403, "permission_denied")

    def check_limits_requests(self):
        def burst(path, count, client):
            with concurrent.futures.ThreadPoolExecutor(20) as pool:
                return list(pool.map(lambda _: self.ask(path, client=client), range(count)))
        limits = (("/api/v1/status", 400, 30, 51), ("/api/v1/auth/login", 100, 5, 11), ("/readyz", 400, 10, 101))
        for path, count, rate, burst_size in limits:
            client = next(self.clients)
            began = time.monotonic()
            answers = burst(path, count, client)
            took = time.monotonic() - began
            refused = [a for a in answers if a[0] == 429]
            admitted = count - len(refused)
            expect(burst_size <= admitted <= burst_size + rate * took + 1, path, admitted, "of", count, "in", took)
            expect(refused, path, "no 429 in", took, "s")
            self.problem(refused[0], 429, "rate_limited")
            expect(refused[0][1]["Retry-After"] == "1", refused[0][1])
            expect(self.ask(path)[0] != 429, "another client is counted with this one")
            if path != "/readyz":
                expect(self.ask("/healthz", client=client)[0] == 200, "probes are counted with", path)

    def check_a_debate_over_wss(self):
        golden = importlib.util.spec_from_file_location("golden", ROOT / "scripts/check-golden.py")
        chain = importlib.util.module_from_spec(golden)
        golden.loader.exec_module(chain)
        question = json.dumps({"task": "Is this chain whole?", "rounds": 2})
        status, _, body = self.ask("/api/v1/debates", "POST", question.encode(), self.bearer())
        expect(status in (200, 201, 202), status, body)
        debate = json.loads(body)["debate_id"]
        events = []

        async def watch(stream):
            async with asyncio.timeout(60):
                while not events or events[-1]["type"] != "debate_end":
                    frame = json.loads(await stream.recv())
                    if "hash" in frame:
                        events.append(frame)
        self.websockets(f"/ws?debate_id={debate}&token={self.stack.token}", use=watch)
        chain.golden = lambda name: events
        expect(len(chain.check_log("")) == events[-1]["seq"] > 5, events[-1])

    def check_websockets_need_the_token(self):
        for path in ("/ws", "/api/ws"):
            key = base64.b64encode(os.urandom(16)).decode()
            upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                       "Sec-WebSocket-Key": key}
            expect(self.ask(path, headers=upgrade)[0] == 401, path)
        # A page of ours may, which the gateway sees by the Host that it is told.
        path = f"/ws?token={self.stack.token}"
        self.websockets(path, use=lambda stream: stream.ping(), origin=f"https://localhost:{self.nginx.https}")
        try:
            self.websockets(path, use=lambda stream: stream.recv(), origin="https://elsewhere.example")
        except ConnectionClosed as closed:
            expect(closed.rcvd.code == 4003, closed)
        else:
            raise AssertionError("a page of another site may connect")
        timeouts = (SOURCE / "websocket.conf").read_text()
        expect("proxy_read_timeout 86400s;" in timeouts and "proxy_send_timeout 86400s;" in timeouts)

    def upstreams(self, path):
        return [line["upstream"] for line in self.nginx.lines() if line["path"] == path]

    def check_reloads_without_losing_a_request(self):
        """A new certificate is taken while requests come; WebSockets are closed soon after, to resume elsewhere."""
        stop, failures, count = threading.Event(), [], [0]

        def reader():
            while not stop.is_set():
                status = self.ask("/api/v1/status")[0]
                count[0] += 1
                if status != 200:
                    failures.append(status)
        threads = [threading.Thread(target=reader) for _ in range(3)]
        for thread in threads:
            thread.start()

        async def watch(stream):
            self.nginx.reload()
            async with asyncio.timeout(15):
                with contextlib.suppress(ConnectionClosed):
                    while True:
                        await stream.recv()
        began = time.monotonic()
        self.websockets(f"/ws?token={self.stack.token}", use=watch)
        took = time.monotonic() - began
        stop.set()
        for thread in threads:
            thread.join()
        expect(not failures and count[0] > 20, failures[:3], "of", count[0])
        expect(4 < took < 9, "the WebSocket of the old worker was closed after", took, "s")

    def check_spreads_the_load(self):
        for _ in range(60):
            expect(self.ask("/readyz")[0] == 200)
        counts = {a: sum(u == f"{a}:{self.stack.api_port}" for u in self.upstreams("/readyz")) for a in REPLICAS}
        expect(min(counts.values()) >= 15, "APIs", counts)
        self.websockets(f"/api/ws?token={self.stack.token}", count=40)
        wait_for(lambda: len(self.upstreams("/api/ws")) >= 40, 5, "40 log lines")
        counts = {a: sum(u == f"{a}:{self.stack.ws_port}" for u in self.upstreams("/api/ws")) for a in REPLICAS}
        expect(min(counts.values()) >= 8, "gateways", counts)

    def check_names_the_client(self):
        client = next(self.clients)
        forged = {"X-Forwarded-For": "198.51.100.7", "X-Real-IP": "198.51.100.7", "Forwarded": "for=198.51.100.7",
                  "traceparent": "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"}
        _, headers, _ = self.ask("/api/v1/debates/forged", headers={**forged, **self.bearer()}, client=client)
        expect(headers["X-Trace-ID"] == "ab" * 16, headers)
        found = [json.loads(line) for a in REPLICAS for line in self.stack.log_of("api", a).splitlines() if "/forged" in line]
        expect(len(found) == 1 and found[0]["peer"] == client, client, found)
        line = self.nginx.line("/forged")
        expect(line["peer"] == client and line["trace_id"] == "ab" * 16, line)
        # Without one, nginx begins a trace that the service goes on with.
        answer = self.ask("/api/v1/debates/traced", headers=self.bearer())
        line = self.nginx.line("/traced")
        expect(line["trace_id"] == answer[1]["X-Trace-ID"] and len(line["trace_id"]) == 32, line, answer)

    def check_behind_a_cdn(self):
        edge, stranger = next(self.clients), next(self.clients)
        conf = self.nginx.conf / "cdn-test.conf"
        conf.write_text((self.nginx.conf / "cdn-cloudflare.conf").read_text() + f"set_real_ip_from {edge};\n")
        self.nginx.reload(ARAGORA_CDN="test")
        named = {"CF-Connecting-IP": "203.0.113.9"}
        time.sleep(0.5)  # until the new workers serve
        self.ask("/api/cdn/edge", headers=named, client=edge)
        expect(self.nginx.line("/cdn/edge")["peer"] == "203.0.113.9", self.nginx.line("/cdn/edge"))
        self.ask("/api/cdn/stranger", headers=named, client=stranger)
        expect(self.nginx.line("/cdn/stranger")["peer"] == stranger, self.nginx.line("/cdn/stranger"))
        # One network of IPv6 is one client, another is another.
        def named_requests(form):
            with concurrent.futures.ThreadPoolExecutor(20) as pool:
                return list(pool.map(lambda number: self.ask(
                    "/api/v1/status", headers={"CF-Connecting-IP": form.format(number)}, client=edge)[0], range(400)))
        expect(429 in named_requests("2001:db8:1:2::{:x}"), "addresses of one network are counted apart")
        expect(429 not in named_requests("2001:db8:1:1{:x}::1"), "networks are counted together")
        self.nginx.reload()

    def check_bodies(self):
        two, seventeen = b"x" * (2 << 20), b"x" * (17 << 20)
        self.problem(self.ask("/api/v1/debates?large", "POST", two, self.bearer()), 413, "body_too_large")
        batches = ("/api/v1/debates/batch", "/api/debates/batch")
        for path in batches:
            self.ask(path, "POST", two, self.bearer())
            expect(self.nginx.line(path)["upstream"] != "", "not passed on:", path)
        path = "/api/v2/debates/batch"
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused while we still sent
            self.problem(self.ask(path, "POST", seventeen, self.bearer()), 413, "body_too_large")
        for line in (self.nginx.line(path), [n for n in self.nginx.lines() if n["status"] == 413][0]):
            expect(line["status"] == 413 and line["upstream"] == "", "too large, and passed on:", line)
        self.problem(self.ask("/" + "a" * 9000), 414, "uri_too_long")
        self.problem(self.ask("/", headers={"X-Long": "a" * 9000}), 431, "headers_too_large")
        expect(self.ask("/_problem/uri_too_long")[0] == 404, "an error of ours can be asked for")

    def check_inside_only(self):
        status = self.ask("/stub_status", tls=False, port=self.nginx.inside)
        expect(status[0] == 200 and b"Active connections" in status[2], status)
        expect(self.ask("/nginx-health", tls=False, port=self.nginx.inside)[0] == 200)
        for tls in (True, False):
            expect(b"Active connections" not in self.ask("/stub_status", tls=tls)[2])
        plain = self.ask("/api/v1/status", tls=False)
        expect(plain[0] == 200, plain)

    def check_a_replica_is_killed(self):
        stop, failures, count = threading.Event(), [], [0]

        def reader():
            while not stop.is_set():
                answer = self.ask("/readyz")
                count[0] += 1
                if answer[0] != 200:
                    failures.append(answer)
        readers = [threading.Thread(target=reader) for _ in range(4)]
        for thread in readers:
            thread.start()
        time.sleep(0.5)
        before = count[0]
        self.stack.kill("api", REPLICAS[0])
        wait_for(lambda: count[0] > before + 100, 20, "100 requests after the kill")
        stop.set()
        for thread in readers:
            thread.join()
        expect(not failures, len(failures), "of", count[0], "failed, first:", failures[:1])
        expect(any(", " in upstream for upstream in self.upstreams("/readyz")), "no request was tried twice")
        # Refused before anything was sent: trying elsewhere is safe for any method.
        question = json.dumps({"task": "Does it arrive?", "rounds": 1}).encode()
        for _ in range(8):
            status = self.ask("/api/v1/debates", "POST", question, self.bearer())[0]
            expect(status in (200, 201, 202), status)
        self.stack.kill("ws-gateway", REPLICAS[0])
        for _ in range(8):
            self.websockets(f"/ws?token={self.stack.token}")

    def check_what_was_sent_is_not_sent_again(self):
        arrived = []
        listener = socket.create_server((BROKEN, self.stack.api_port))

        def swallow():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                arrived.append(connection.recv(65536))
                connection.close()
        threading.Thread(target=swallow, daemon=True).start()
        self.names.say({**self.everybody, "aragora": (BROKEN, REPLICAS[1])})
        time.sleep(6)  # the old addresses are good for 5 s
        client, debates, mark = next(self.clients), 0, len(self.nginx.lines())
        for number in range(16):
            question = json.dumps({"task": f"Once or twice, {number}?", "rounds": 1}).encode()
            status = self.ask("/api/v1/debates", "POST", question, self.bearer(), client=client)[0]
            debates += status in (200, 201, 202)
            expect(self.ask("/readyz", client=client)[0] == 200, "a GET was not tried elsewhere")
        wait_for(lambda: len(self.nginx.lines()) >= mark + 32, 5, "32 log lines")
        posts = [line for line in self.nginx.lines()[mark:] if line["method"] == "POST"]
        broken = [line for line in posts if line["upstream"].startswith(BROKEN)]
        expect(len(posts) == 16 and 0 < len(broken) < 16, [line["upstream"] for line in posts])
        expect(all(line["status"] == 502 and "," not in line["upstream"] for line in broken), broken)
        methods = [request.split(b" ")[0] for request in arrived]
        expect(methods.count(b"POST") == len(broken) == 16 - debates and b"GET" in methods, methods, debates)
        for path in ("/ws", "/api/v1/status"):
            for _ in range(6):
                upgrade = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQ"}
                self.ask(path, headers={**upgrade, **self.bearer()})
        expect(any(b"/status" in request for request in arrived), "nothing arrived to look at")
        expect(not any(b"h2c" in request for request in arrived), "another protocol than WebSocket is passed on")
        listener.close()
        self.names.say({**self.everybody, "aragora": REPLICAS[1:]})
        time.sleep(6)
        mark = len(self.nginx.lines())
        for _ in range(10):
            self.ask("/readyz")
        wait_for(lambda: len(self.nginx.lines()) >= mark + 10, 5, "10 log lines")
        expect({line["upstream"] for line in self.nginx.lines()[mark:]} == {f"{REPLICAS[1]}:{self.stack.api_port}"},
               "who lost its name is still asked")

    def check_logs_hold_no_token(self):
        for path in ("/api/v1/debates", "/ws", "/metrics", "/healthz"):
            self.ask(f"{path}?token={SECRET}")
        client = next(self.clients)
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = pool.map(lambda _: self.ask(f"/api/v1/status?token={SECRET}", client=client), range(120))
            expect(any(answer[0] == 429 for answer in answers), "no 429")
        self.names.say({})
        time.sleep(6)
        client = next(self.clients)
        for _ in range(20):
            self.ask(f"/ws?token={SECRET}", client=client)
        lines = self.nginx.lines()  # every line is JSON
        expect({line["status"] for line in lines if line["path"] == "/ws"} >= {502}, "the gateway still had a name")
        for file in (self.nginx.access, self.nginx.errors):
            text = file.read_text()
            expect(self.stack.token not in text, f"{file} holds the token of a WebSocket")
        expect(SECRET not in self.nginx.access.read_text(), "the access log holds a query")
        expect(SECRET not in self.nginx.errors.read_text(), "the error log holds a query")


def main():
    if not shutil.which("nginx"):
        print("nginx is not installed")
        return 77
    if "ARAGORA_BIN_DIR" not in os.environ:
        print("ARAGORA_BIN_DIR is not set: run scripts/check-deploy.sh nginx")
        return 64
    with tempfile.TemporaryDirectory(prefix="aragora-nginx.") as text, contextlib.ExitStack() as cleanup:
        folder = pathlib.Path(text)
        folder.chmod(0o755)
        stack = Stack(folder)
        cleanup.callback(stack.stop)
        stack.start()
        names = Names(folder)
        cleanup.callback(names.stop)
        nginx = Nginx(folder, stack, names)
        cleanup.callback(nginx.stop)
        checks = Checks(stack, names, nginx)
        # In the order in which they are written: some change what the next ones meet.
        for name in [name for name in vars(Checks) if name.startswith("check_")]:
            began = time.monotonic()
            try:
                getattr(checks, name)()
            except Exception:
                print(f"FAILED {name}", flush=True)
                if nginx.errors.exists():
                    print(nginx.errors.read_text()[-3000:])
                raise
            print(f"ok {name[6:].replace('_', ' ')} ({time.monotonic() - began:.1f} s)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
