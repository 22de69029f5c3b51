"""What the units of deploy/systemd do, executed line by line. check-host.sh runs it, with stores and a network."""
import grp
import http.client
import json
import os
import pwd
import re
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.realpath(f"{HERE}/../../..")
SYSTEMD = f"{ROOT}/deploy/systemd"
# Below this folder lies what the units find in /etc, /run, /usr/local and /var/lib.
BASE = tempfile.mkdtemp(prefix="aragora-host-")
USER = "nobody"
GROUP = grp.getgrgid(pwd.getpwnam(USER).pw_gid).gr_name
NAME = "aragora.example.com"
DEADLINE = 60
MOVED = ("/usr/local/", "/run/aragora", "/var/lib/aragora", "/etc/aragora")


def moved(text):
    """Paths of the host become paths below BASE."""
    for path in MOVED:
        text = re.sub(rf"(?<![\w/.]){re.escape(path)}", BASE + path, text)
    return text


class Unit:
    """One unit: its lines, and the process that they start. It has the rights that the unit leaves, where no systemd is
    needed to take them: another user, no capability, no new privileges, the limit of open files."""

    def __init__(self, file, instance=""):
        self.lines = []
        self.log = f"{BASE}/log/{file.replace('@', '@' + instance)}"
        with open(f"{BASE}/etc/systemd/system/{file}") as source:
            for line in source:
                match = re.fullmatch(r"([A-Za-z]+)=(.*)\n", line)
                if match:
                    self.lines.append((match.group(1), moved(match.group(2).replace("%i", instance))))
        self.folder = f"{BASE}/run/{self.one('RuntimeDirectory')}"
        self.process = None

    def all(self, name):
        return [value for key, value in self.lines if key == name]

    def one(self, name):
        (value,) = self.all(name)
        return value

    def environment(self):
        found = {"PATH": f"{BASE}/tools:/usr/sbin:/usr/bin:/sbin:/bin", "RUNTIME_DIRECTORY": self.folder, "HOME": f"{BASE}/var/lib/aragora"}
        for line in self.all("Environment"):
            found.update(pair.split("=", 1) for pair in shlex.split(line))
        for path in self.all("EnvironmentFile"):
            assert path.startswith("-")
            if os.path.exists(path[1:]):
                with open(path[1:]) as file:
                    found.update(line.rstrip("\n").split("=", 1) for line in file if re.match("[A-Z]", line))
        if self.process:
            found["MAINPID"] = str(self.process.pid)
        return found

    def command(self, line):
        words = [word.replace("$MAINPID", str(self.process.pid) if self.process else "") for word in shlex.split(line)]
        return ["setpriv", f"--reuid={USER}", f"--regid={GROUP}", "--clear-groups",
                "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", *words]

    def call(self, line, expect=0):
        with open(self.log, "a") as log:
            code = subprocess.run(self.command(line), env=self.environment(), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                  cwd=f"{BASE}/var/lib/aragora", timeout=DEADLINE).returncode
        assert code == expect, f"{line} ended with {code}:\n{self.tail()}"

    def start(self, ready=0):
        self.process = None
        os.makedirs(self.folder, exist_ok=True)
        shutil.chown(self.folder, USER)
        for line in self.all("ExecStartPre"):
            self.call(line)
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(self.command(self.one("ExecStart")), env=self.environment(), stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, cwd=f"{BASE}/var/lib/aragora")
        for line in self.all("ExecStartPost"):
            # A process that has ended must not stay a zombie, which kill -0 would still find; systemd reaps it.
            reaper = threading.Thread(target=self.process.wait)
            reaper.start()
            self.call(line, expect=ready)

    def reload(self):
        for line in self.all("ExecReload"):
            self.call(line)

    def stop(self):
        """The exit code; killed after TimeoutStopSec, like by systemd."""
        if not self.process:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(int(self.one("TimeoutStopSec")))
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def tail(self):
        return "".join(open(self.log).readlines()[-25:])


def answer(port, method, path, token=None, body=None, headers=None, tls=False):
    """Status, headers and body of one request on 127.0.0.1."""
    if tls:
        context = ssl.create_default_context(cafile=f"{BASE}/etc/ssl/certs/aragora.crt")
        context.check_hostname = False
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=DEADLINE, context=context)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    sent = {"Host": NAME, **({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
    if body is not None:
        sent["Content-Type"] = "application/json"
    connection.request(method, path, json.dumps(body) if body is not None else None, sent)
    reply = connection.getresponse()
    data = reply.read()
    connection.close()
    return reply.status, dict(reply.getheaders()), data


def status(*arguments, **more):
    return answer(*arguments, **more)[0]


def eventually(condition, what):
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


class Host:
    def __init__(self):
        for folder in ("tools", "log", "run/aragora", "var/lib/aragora"):
            os.makedirs(f"{BASE}/{folder}")
        os.chmod(BASE, 0o755)
        shutil.chown(f"{BASE}/var/lib/aragora", USER)
        shutil.chown(f"{BASE}/run/aragora", USER)
        subprocess.run([f"{SYSTEMD}/install-host.sh", "--nginx", os.environ["ARAGORA_BIN_DIR"]], check=True, capture_output=True,
                       env={**os.environ, "DESTDIR": BASE})
        # The group `aragora` is not there.
        os.chmod(f"{BASE}/etc/aragora", 0o755)
        os.chmod(f"{BASE}/etc/aragora/aragora.env", 0o644)
        self.settings = open(f"{BASE}/etc/aragora/aragora.env").read()
        self.secrets = {"DATABASE_URL": os.environ["TEST_DATABASE_URL"], "REDIS_URL": os.environ["TEST_REDIS_URL"],
                        "ARAGORA_API_TOKEN": "first-token-" + "1" * 32, "ARAGORA_RECEIPT_SIGNING_KEY": "k" * 64,
                        "NOT_OURS": "ignored"}
        self.manager_answers(self.secrets)
        with open(f"{BASE}/etc/aragora/aragora.env", "a") as file:
            file.write("ARAGORA_DEMO_FALLBACK=true\nARAGORA_RATE_LIMIT=0\n")
        self.api1, self.api2 = Unit("aragora.service"), Unit("aragora-api@.service", "2")
        self.gateway, self.worker = Unit("aragora-ws-gateway.service"), Unit("aragora-debate-worker@.service", "1")
        self.backup = Unit("aragora-backup.service")
        self.nginx = None

    def all(self):
        return [self.api1, self.api2, self.gateway, self.worker, self.backup]

    def manager_answers(self, secrets, away=False):
        with open(f"{BASE}/tools/answer", "w") as file:
            json.dump(secrets, file)
        with open(f"{BASE}/tools/aws", "w") as file:
            file.write("#!/bin/sh\n" + ("echo 'Could not connect to the endpoint URL' >&2; exit 255\n" if away else f"cat '{BASE}/tools/answer'\n"))
        os.chmod(f"{BASE}/tools/aws", 0o755)

    def use_nginx(self, *changes):
        """The shipped site with the changes that an operator makes, in a whole configuration."""
        site = open(f"{BASE}/etc/nginx/sites-available/aragora").read()
        for before, after in (("#server 127.0.0.1:8081", "server 127.0.0.1:8081"), *changes):
            assert before in site, before
            site = site.replace(before, after)
        for path in ("/etc/ssl/", "/etc/nginx/aragora/", "/var/log/nginx/", "/var/www/html"):
            site = site.replace(path, BASE + path)
        # There is no IPv6 in this network.
        site = re.sub(r".*listen \[::\].*\n", "", site)
        for folder in ("var/log/nginx", "var/www/html/.well-known/acme-challenge", "var/lib/nginx"):
            os.makedirs(f"{BASE}/{folder}", exist_ok=True)
        with open(f"{BASE}/site.conf", "w") as file:
            file.write(site)
        with open(f"{BASE}/nginx.conf", "w") as file:
            file.write(f"user {USER} {GROUP};\npid {BASE}/nginx.pid;\nerror_log {BASE}/log/nginx;\nworker_processes 2;\nevents {{}}\n"
                       f"http {{\n  " + "".join(f"{kind}_temp_path {BASE}/var/lib/nginx/{kind};\n  " for kind in
                                                ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
                       + f"include {BASE}/site.conf;\n}}\n")
        test = subprocess.run(["nginx", "-t", "-c", f"{BASE}/nginx.conf"], capture_output=True, text=True)
        assert test.returncode == 0 and "[warn]" not in test.stderr, test.stderr
        if self.nginx:
            before = self.workers()
            os.kill(self.nginx.pid, signal.SIGHUP)
            eventually(lambda: self.workers() and not self.workers() & before, "nginx did not reload")
        else:
            self.nginx = subprocess.Popen(["nginx", "-c", f"{BASE}/nginx.conf", "-g", "daemon off;"])
            eventually(lambda: port_open(443), "nginx does not listen")

    def workers(self):
        found = set()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                stat = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(stat[1]) == self.nginx.pid and stat[0] != "Z" and b"shutting down" not in open(f"/proc/{pid}/cmdline", "rb").read():
                found.add(pid)
        return found

    def access_log(self):
        with open(f"{BASE}/var/log/nginx/aragora.log") as file:
            return [json.loads(line) for line in file]

    def end(self):
        for unit in self.all():
            if unit.process and unit.process.poll() is None:
                unit.process.kill()
        if self.nginx:
            self.nginx.terminate()
            self.nginx.wait()


def port_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


# --- the sentences, in this order ------------------------------------------------------------------------------------

def services_start_on_their_ports_and_are_ready_when_the_start_returns(h):
    for unit in h.all():
        unit.start()
    for port in (9100, 9202, 9101, 9111, 9102):
        assert status(port, "GET", "/readyz") == 200, port
        assert b"process_open_fds" in answer(port, "GET", "/metrics")[2]
    for port in (8080, 8081):
        assert json.loads(answer(port, "GET", "/api/health")[2])["status"] in ("healthy", "ok"), port
    assert port_open(8765)


def secrets_are_in_files_only(h):
    for unit in h.all():
        environment = open(f"/proc/{unit.process.pid}/environ").read() + open(f"/proc/{unit.process.pid}/cmdline").read()
        for name, value in h.secrets.items():
            assert value not in environment, (unit.log, name)
        assert h.secrets["ARAGORA_API_TOKEN"] not in open(unit.log).read()
        assert "NOT_OURS" not in os.listdir(f"{unit.folder}/secrets")
        assert os.stat(f"{unit.folder}/secrets/ARAGORA_API_TOKEN").st_uid == pwd.getpwnam(USER).pw_uid


def the_number_file_names_the_process(h):
    for unit in h.all():
        assert int(open(f"{unit.folder}/pid").read()) == unit.process.pid


def nginx_redirects_to_https_and_serves_the_challenge_of_a_certificate(h):
    h.use_nginx()
    code, headers, _ = answer(80, "GET", "/x?y=1")
    assert code == 301 and headers["Location"] == f"https://{NAME}/x?y=1", headers
    with open(f"{BASE}/var/www/html/.well-known/acme-challenge/token", "w") as file:
        file.write("proof")
    assert answer(80, "GET", "/.well-known/acme-challenge/token")[2] == b"proof"


def both_apis_serve_behind_nginx(h):
    for _ in range(40):
        assert status(443, "GET", "/healthz", tls=True) == 200
    served = {line["upstream"] for line in h.access_log() if line["path"] == "/healthz"}
    assert served == {"127.0.0.1:8080", "127.0.0.1:8081"}, served
    token = h.secrets["ARAGORA_API_TOKEN"]
    code, _, body = answer(443, "POST", "/api/v1/debates", token, {"topic": "One API or two?", "rounds": 1}, tls=True)
    assert code in (200, 201), body
    h.debate = json.loads(body)["debate_id"]
    def done():
        found = json.loads(answer(443, "GET", f"/api/v1/debates/{h.debate}", token, tls=True)[2])
        return found["status"] == "completed"
    eventually(done, "the debate does not end")
    assert status(443, "POST", "/api/v1/debates", None, {"topic": "x"}, tls=True) == 401
    assert status(443, "GET", "/metrics", tls=True) == 403
    assert status(443, "GET", "/metrics/websocket", tls=True) == 403


def websockets_pass_nginx_and_keep_their_token_out_of_the_logs(h):
    context = ssl.create_default_context(cafile=f"{BASE}/etc/ssl/certs/aragora.crt")
    context.check_hostname = False
    with context.wrap_socket(socket.create_connection(("127.0.0.1", 443), DEADLINE)) as viewer:
        viewer.sendall((f"GET /ws?token={h.secrets['ARAGORA_API_TOKEN']} HTTP/1.1\r\nHost: {NAME}\r\nConnection: Upgrade\r\n"
                        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode())
        got = b""
        # The answer's head, and the gateway's first words: an unmasked text frame with an object in it.
        while b"\r\n\r\n" not in got or b"{" not in got.split(b"\r\n\r\n", 1)[1]:
            more = viewer.recv(4096)
            assert more, got
            got += more
        head, frames = got.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 101 ") and b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head, head
        assert frames[0] == 0x81, frames
    eventually(lambda: any(line["path"] == "/ws" and line["status"] == 101 for line in h.access_log()), "no line of the WebSocket")
    for name in ("aragora.log", "aragora-error.log"):
        assert h.secrets["ARAGORA_API_TOKEN"] not in open(f"{BASE}/var/log/nginx/{name}").read(), name


def what_a_client_says_about_its_address_counts_only_from_a_trusted_proxy(h):
    def seen(mark):
        """The client's address, as nginx and the API log it."""
        spoofed = {"X-Forwarded-For": "6.6.6.6", "X-Real-IP": "6.6.6.6", "CF-Connecting-IP": "7.7.7.7", "Forwarded": "for=6.6.6.6"}
        assert status(443, "GET", f"/api/v1/debates/{mark}", h.secrets["ARAGORA_API_TOKEN"], headers=spoofed, tls=True) in (400, 404)
        eventually(lambda: any(line["path"].endswith(mark) for line in h.access_log()), "no line in nginx's log")
        def told():
            lines = [line for unit in (h.api1, h.api2) for line in open(unit.log) if "request finished" in line and mark in line]
            return {json.loads(line)["peer"] for line in lines}
        eventually(told, "no line in an API's log")
        return {line["peer"] for line in h.access_log() if line["path"].endswith(mark)} | told()
    assert seen("dbt_nobody") == {"127.0.0.1"}
    clients = f"{BASE}/etc/nginx/aragora/clients.conf"
    os.unlink(clients)
    os.symlink("cdn-cloudflare.conf", clients)
    h.use_nginx()
    assert seen("dbt_cloudflare") == {"127.0.0.1"}, "a stranger's header was believed"
    # And when we are one of its networks.
    os.unlink(clients)
    with open(clients, "w") as file:
        file.write(open(f"{BASE}/etc/nginx/aragora/cdn-cloudflare.conf").read() + "set_real_ip_from 127.0.0.1;\n")
    h.use_nginx()
    assert seen("dbt_trusted") == {"7.7.7.7"}
    os.unlink(clients)
    os.symlink("cdn-none.conf", clients)
    h.use_nginx()


def a_reload_takes_a_new_token_without_a_restart(h):
    old, new = h.secrets["ARAGORA_API_TOKEN"], "second-token-" + "2" * 32
    pids = [unit.process.pid for unit in h.all()]
    h.secrets["ARAGORA_API_TOKEN"] = new
    h.manager_answers(h.secrets)
    path = "/api/v1/debates"
    h.api1.reload()
    eventually(lambda: status(8080, "GET", path, new) == 200, "the new token is not taken")
    assert status(8080, "GET", path, old) == 401
    # One that was not reloaded goes on with the old one.
    assert status(8081, "GET", path, old) == 200 and status(8081, "GET", path, new) == 401
    for unit in (h.api2, h.gateway, h.worker, h.backup):
        unit.reload()
    eventually(lambda: status(8081, "GET", path, new) == 200, "the new token is not taken by the second API")
    assert [unit.process.pid for unit in h.all()] == pids and all(unit.process.poll() is None for unit in h.all())
    assert "settings reloaded" in open(h.api1.log).read()
    # The old token still in hand: as the previous one, while clients change over.
    h.secrets["ARAGORA_API_TOKEN_PREVIOUS"] = old
    h.manager_answers(h.secrets)


def a_bad_answer_at_a_reload_changes_nothing(h):
    token = h.secrets["ARAGORA_API_TOKEN"]
    h.manager_answers({"ARAGORA_API_TOKEN": "third-token-" + "3" * 32})
    h.api1.reload()
    assert status(8080, "GET", "/api/v1/debates", token) == 200
    assert "going on with the last good set" in open(h.api1.log).read()


def a_restart_while_the_manager_is_away_uses_the_last_good_secrets(h):
    h.manager_answers({}, away=True)
    assert h.api2.stop() == 0
    assert not os.path.exists(f"{h.api2.folder}/pid")
    h.api2.start()
    assert status(8081, "GET", "/api/v1/debates", h.secrets["ARAGORA_API_TOKEN"]) == 200
    assert "Could not connect to the endpoint URL; going on with the last good set" in open(h.api2.log).read()
    # A service that never had any does not start.
    fresh = Unit("aragora-debate-worker@.service", "2")
    try:
        fresh.start()
    except AssertionError as error:
        assert "ended with 75" in str(error), error
    else:
        raise AssertionError("a worker started without secrets")
    h.manager_answers(h.secrets)


def one_api_after_the_other_is_restarted_and_nobody_notices(h):
    answers, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            try:
                answers.append(status(443, "GET", "/api/v1/debates", h.secrets["ARAGORA_API_TOKEN"], tls=True))
            except OSError as error:
                answers.append(str(error))
            time.sleep(0.02)
    asker = threading.Thread(target=ask)
    asker.start()
    try:
        for unit in (h.api1, h.api2):
            assert unit.stop() == 0
            unit.start()
    finally:
        stop.set()
        asker.join()
    assert len(answers) >= 5 and set(answers) == {200}, answers


def a_wrong_setting_ends_with_78_and_the_start_does_not_wait(h):
    with open(f"{BASE}/etc/aragora/api-3.env", "w") as file:
        file.write("ARAGORA_RATE_LIMIT=many\n")
    unit = Unit("aragora-api@.service", "3")
    began = time.monotonic()
    unit.start(ready=1)
    assert unit.process.wait(DEADLINE) == 78 and time.monotonic() - began < 20
    assert "ARAGORA_RATE_LIMIT" in open(unit.log).read() and "the service has ended" in open(unit.log).read()


def a_second_first_api_is_refused(h):
    unit = Unit("aragora-api@.service", "1")
    unit.log += "-second"
    pid = h.api1.process.pid
    unit.start(ready=0)
    assert unit.process.wait(DEADLINE) == 78
    assert int(open(f"{h.api1.folder}/pid").read()) == pid


def everything_stops_when_told(h):
    for unit in h.all():
        assert unit.stop() == 0, (unit.log, unit.tail())
        assert not os.path.exists(f"{unit.folder}/pid")


SENTENCES = [value for value in list(globals().values()) if callable(value) and getattr(value, "__code__", None)
             and value.__code__.co_varnames[:1] == ("h",) and value.__code__.co_argcount == 1]


def main():
    host, code = Host(), 0
    try:
        for sentence in SENTENCES:
            began = time.monotonic()
            sentence(host)
            print(f"ok      {time.monotonic() - began:4.1f} s  {sentence.__name__.replace('_', ' ')}", flush=True)
    except Exception:
        code = 1
        print(f"FAILED  {sentence.__name__.replace('_', ' ')}\n{traceback.format_exc()}", flush=True)
        logs = [unit.log for unit in host.all()] + [f"{BASE}/log/nginx", f"{BASE}/var/log/nginx/aragora-error.log",
                                                    f"{BASE}/var/log/nginx/aragora.log"]
        for log in filter(os.path.exists, logs):
            print(f"--- {log}\n" + "".join(open(log).readlines()[-25:]))
    finally:
        host.end()
        shutil.rmtree(BASE, ignore_errors=True)
    print(f"{len(SENTENCES)} sentences" + (", and one is false" if code else ""))
    return code


if __name__ == "__main__":
    sys.exit(main())
