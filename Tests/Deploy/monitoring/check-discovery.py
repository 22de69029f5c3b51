#!/usr/bin/env python3
"""Prometheus with the shipped prometheus.yml, unchanged, finds every replica of what scales by DNS, and forgets what is gone.

Runs in a network of its own, with a name server at the address of Docker's: it names two replicas of each service, then
more and fewer, and none of a service that was not started. What is scraped is a stub; what scraping the real services
gives is check-live.sh's business.

Needs prometheus, and root or user namespaces. Exit codes: 0 passed, 1 not, 77 no network of its own is to be had.
"""

import http.server
import json
import os
import pathlib
import socketserver
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[3]
# As Docker writes it.
NAMESERVER, RESOLV = "127.0.0.11", "nameserver 127.0.0.11\noptions ndots:0\n"
REPLICAS = {"aragora": 2, "ws-gateway": 2, "debate-worker": 2}
ALONE = {"postgres-exporter": 9187, "redis-exporter": 9121, "node-exporter": 9100, "nginx-exporter": 9113, "blackbox-exporter": 9115, "alertmanager": 9093}
UP_SECONDS, CHANGE_SECONDS = 45, 20

problems = []


def check(condition, text):
    if not condition:
        problems.append(text)
        print("problem:", text)


class Zone:
    """Names to addresses: replica n of the service number m is 127.m.0.n."""

    def __init__(self):
        self.addresses = {name: [f"127.{2 + number}.0.1"] for number, name in enumerate(ALONE)}
        for number, (name, count) in enumerate(REPLICAS.items()):
            self.addresses[name] = [f"127.{20 + number}.0.{n + 1}" for n in range(count)]


class NameServer(socketserver.BaseRequestHandler):
    """Answers A; knows no other record of a name it has, and no other name."""

    zone = Zone()

    def handle(self):
        question, reply = self.request
        labels, place = [], 12
        while length := question[place]:
            labels.append(question[place + 1:place + 1 + length].decode())
            place += 1 + length
        kind = struct.unpack(">H", question[place + 1:place + 3])[0]
        known = self.zone.addresses.get(".".join(labels))
        found = known if known and kind == 1 else []
        code = 0 if known else 3
        head = question[:2] + struct.pack(">HHHHH", 0x8580 | code, 1, len(found), 0, 0)
        records = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 5, 4) + bytes(map(int, address.split("."))) for address in found)
        reply.sendto(head + question[12:place + 5] + records, self.client_address)


class Stub(http.server.BaseHTTPRequestHandler):
    """A service with one metric; an Alertmanager that takes everything."""

    def do_GET(self):
        body = b"# TYPE stub gauge\nstub 1\n"
        self.send_response(200)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.do_GET()

    def log_message(self, *_):
        pass


class HTTPServer(http.server.ThreadingHTTPServer):
    def server_bind(self):
        # Without asking for the address's name, which takes a while where there is none.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address


def serve(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()


def replicas(job):
    """The addresses of a job that are up, and those that are not."""
    with urllib.request.urlopen("http://127.0.0.1:9090/api/v1/targets", timeout=5) as answer:
        active = [t for t in json.load(answer)["data"]["activeTargets"] if t["labels"]["job"] == job]
    return {t["labels"]["instance"] for t in active if t["health"] == "up"}, {t["labels"]["instance"] for t in active if t["health"] != "up"}


def expect(job, addresses, seconds, what):
    wanted, deadline = ({f"{address}:9090" for address in addresses}, set()), time.monotonic() + seconds
    found = None
    while time.monotonic() < deadline:
        try:
            found = replicas(job)
            if found == wanted:
                return
        except OSError:
            pass
        time.sleep(0.3)
    check(False, f"{what}: {job} has {found}, expected {wanted[0]}")


def inside():
    """In the network of our own."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        resolv = pathlib.Path(folder) / "resolv.conf"
        resolv.write_text(RESOLV)
        subprocess.run(["mount", "--bind", resolv, os.path.realpath("/etc/resolv.conf")], check=True)
        zone = NameServer.zone.addresses
        serve(socketserver.ThreadingUDPServer((NAMESERVER, 53), NameServer))
        for name, port in ALONE.items():
            serve(HTTPServer((zone[name][0], port), Stub))
        for name in REPLICAS:
            for address in [*zone[name], zone[name][0][:-1] + "3"]:
                serve(HTTPServer((address, 9090), Stub))
        serve(HTTPServer(("127.40.0.1", 9090), Stub))
        with open(pathlib.Path(folder) / "prometheus.log", "w") as log:
            prometheus = subprocess.Popen(
                ["prometheus", "--config.file", ROOT / "deploy/compose/monitoring/prometheus.yml", "--storage.tsdb.path", f"{folder}/tsdb",
                 "--web.listen-address", "127.0.0.1:9090"], stdout=log, stderr=log, env={"PATH": os.environ["PATH"]})
        try:
            judge(zone)
        finally:
            prometheus.terminate()
            prometheus.wait()
    print(f"{len(problems)} problems")
    return 1 if problems else 0


def judge(zone):
    jobs = {"aragora-api": "aragora", "aragora-ws-gateway": "ws-gateway", "aragora-debate-worker": "debate-worker"}
    for job, name in jobs.items():
        expect(job, zone[name], UP_SECONDS, "two replicas each")
    expect("aragora-backup", [], 1, "no backup service was started")
    # One worker more, the first gateway replaced, and the backup profile switched on.
    zone["debate-worker"] = zone["debate-worker"] + [zone["debate-worker"][0][:-1] + "3"]
    zone["ws-gateway"] = zone["ws-gateway"][1:] + [zone["ws-gateway"][0][:-1] + "3"]
    zone["backup"] = ["127.40.0.1"]
    for job, name in [*jobs.items(), ("aragora-backup", "backup")]:
        expect(job, zone[name], UP_SECONDS, "after scaling")
    # The workers' profile is switched off: no target is left to be reported as down.
    del zone["debate-worker"]
    expect("aragora-debate-worker", [], CHANGE_SECONDS, "no workers any more")


def main():
    if sys.argv[1:] == ["inside"]:
        sys.exit(inside())
    own = ["unshare", "--net", "--mount"] + ([] if os.geteuid() == 0 else ["--user", "--map-root-user"])
    if subprocess.run([*own, "true"], capture_output=True).returncode != 0:
        print("a network of its own is not to be had here")
        sys.exit(77)
    environment = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    sys.exit(subprocess.run([*own, sys.executable, __file__, "inside"], env=environment).returncode)


main()
