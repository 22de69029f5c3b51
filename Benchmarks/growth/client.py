"""What the growth and soak measurements need of a stack that scripts/up.sh has started: HTTP, WebSocket, SQL, processes."""

import base64
import http.client
import json
import os
import socket
import struct
import subprocess
import threading
import time

TOPIC = "Should a team of three take a managed database for its first product?"


def percentile(values, share):
    """The value below which `share` (0 to 1) of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def slope(points):
    """Least squares: change of y for each unit of x."""
    count = len(points)
    mean_x = sum(x for x, _ in points) / count
    mean_y = sum(y for _, y in points) / count
    below = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / below if below else 0.0


class Api:
    """One connection that is kept open, for one thread."""

    def __init__(self, port, token):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(self, method, path, body=None):
        """The answer's JSON; anything but 2xx ends the measurement."""
        text = json.dumps(body) if body is not None else None
        self.connection.request(method, path, text, self.headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status // 100 != 2:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]!r}")
        return json.loads(content)

    def create(self, agents=3, rounds=1):
        names = [f"demo-{number}" for number in range(1, agents + 1)]
        body = {"topic": TOPIC, "agents": ["demo"] * len(names), "rounds": rounds}
        return self.ask("POST", "/api/v1/debates", body)["debate_id"]


class Viewer:
    """A WebSocket that reads one debate."""

    def __init__(self, port, token, debate):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            (
                f"GET /ws?debate_id={debate} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
                f"Authorization: Bearer {token}\r\n\r\n"
            ).encode()
        )
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(f"no WebSocket: {head[:200]!r}")

    def _more(self):
        part = self.socket.recv(65536)
        if not part:
            raise RuntimeError("the gateway closed the connection")
        self.buffer += part

    def message(self):
        """The next text message; pings are answered."""
        while True:
            while len(self.buffer) < 2:
                self._more()
            opcode, length, start = self.buffer[0] & 15, self.buffer[1] & 127, 2
            if length >= 126:
                size = 2 if length == 126 else 8
                while len(self.buffer) < 2 + size:
                    self._more()
                length = int.from_bytes(self.buffer[2 : 2 + size], "big")
                start += size
            while len(self.buffer) < start + length:
                self._more()
            payload, self.buffer = self.buffer[start : start + length], self.buffer[start + length :]
            if opcode == 1:
                return payload
            if opcode == 9:
                self.socket.sendall(struct.pack("!BBI", 0x8A, 0x80 | len(payload), 0) + payload)
            if opcode == 8:
                raise RuntimeError(f"closed: {payload!r}")

    def watch(self):
        """Reads to the debate's end."""
        while True:
            payload = self.message()
            if b'"type":"debate_end"' in payload:
                return

    def close(self):
        self.socket.close()


class Paced(threading.Thread):
    """Calls `work(number)` from several threads at a rate, until it is stopped; errors are kept."""

    def __init__(self, rate, make, threads=8):
        super().__init__(daemon=True)
        self.rate, self.make, self.count = rate, make, threads
        self.done, self.errors, self.stopped = 0, [], threading.Event()
        self.lock, self.began = threading.Lock(), time.monotonic()
        self.taken = 0

    def run(self):
        crew = [threading.Thread(target=self._work, daemon=True) for _ in range(self.count)]
        for member in crew:
            member.start()
        for member in crew:
            member.join()

    def _work(self):
        work = self.make()
        while not self.stopped.is_set():
            with self.lock:
                due = self.began + self.taken / self.rate
                self.taken += 1
            wait = due - time.monotonic()
            if wait > 0 and self.stopped.wait(wait):
                return
            try:
                work()
                with self.lock:
                    self.done += 1
            except Exception as error:  # kept and reported, whatever it is
                self.errors.append(repr(error))
                work = self.make()

    def stop(self):
        self.stopped.set()
        self.join(timeout=120)


class Stack:
    """Where the stack is, from its folder."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {}
        shown = subprocess.run(
            ["bash", "-c", f"set -a; . '{folder}/env'; env -0"], capture_output=True, check=True, env={"PATH": os.environ["PATH"]}
        ).stdout
        for pair in shown.split(b"\0"):
            name, _, value = pair.decode().partition("=")
            self.environment[name] = value
        self.dsn = self.environment["DATABASE_URL"]
        self.token = self.environment["ARAGORA_API_TOKEN"]
        self.api_port = int(self.environment["ARAGORA_BASE_URL"].rsplit(":", 1)[1].split("/")[0])
        self.ws_port = int(self.environment["ARAGORA_WS_URL"].split("//")[1].split(":")[1].split("/")[0])

    def api(self):
        return Api(self.api_port, self.token)

    def viewer(self, debate):
        return Viewer(self.ws_port, self.token, debate)

    def processes(self):
        """Ids of the executables, by the service's name."""
        pids = {}
        for name in sorted(os.listdir(f"{self.folder}/pids")):
            if name.startswith(("postgres", "redis")):
                continue
            with open(f"{self.folder}/pids/{name}") as file:
                pids[name.removesuffix(".pid")] = int(file.read().split()[0])
        return pids

    def sql(self, text, *, quiet=True):
        """What psql prints, without headers."""
        command = ["psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", self.dsn] + (["-q"] if quiet else [])
        answer = subprocess.run(command, input=text, capture_output=True, text=True)
        if answer.returncode:
            raise RuntimeError(f"psql: {answer.stderr[-800:]}\n{text[:400]}")
        return answer.stdout.strip()


def machine():
    """One line about where and when this was measured."""
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown")
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{time.strftime('%Y-%m-%d %H:%M')} UTC, {model}, {os.cpu_count()} processors, load {load}"
