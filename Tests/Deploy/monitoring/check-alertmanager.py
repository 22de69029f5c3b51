#!/usr/bin/env python3
"""Alertmanager as we configure it: who is told what, what inhibits what, and what each message says.

Runs the start script under busybox' shell, as in the vendor's image, and a real Alertmanager that sends to a web server
and a mail server of our own; Slack's and PagerDuty's addresses are replaced by them.

Needs amtool, prometheus-alertmanager and busybox. Exit codes: 0 passed, 1 not.
"""

import datetime
import email
import email.policy
import http.server
import json
import os
import pathlib
import socket
import socketserver
import stat
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[3]
SOURCE = ROOT / "deploy/compose/monitoring"
# A message is sent at once here; how long it is held back in production is not what this is about.
SPEEDUP = [("group_wait: 30s", "group_wait: 0s"), ("group_wait: 10s", "group_wait: 0s"), ("group_interval: 5m", "group_interval: 1s")]
DEADLINE_SECONDS = 20

problems = []


def check(condition, text):
    if not condition:
        problems.append(text)
        print("problem:", text)


class WebSink(http.server.BaseHTTPRequestHandler):
    """Keeps what is posted, by path."""

    received = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        WebSink.received.append((self.path, json.loads(body)))
        self.send_response(202 if self.path == "/pagerduty" else 200)
        self.end_headers()
        self.wfile.write(b'{"status":"success"}' if self.path == "/pagerduty" else b"ok")

    def log_message(self, *_):
        pass


class MailSink(socketserver.StreamRequestHandler):
    """As much of a mail server as Alertmanager asks for."""

    received = []

    def handle(self):
        self.say("220 sink")
        while line := self.rfile.readline().decode().strip():
            verb = line.split(":")[0].split()[0].upper()
            if verb in ("EHLO", "HELO"):
                self.say("250-sink\r\n250 AUTH PLAIN")
            elif verb == "AUTH":
                self.say("235 fine")
            elif verb == "DATA":
                self.say("354 go on")
                lines = iter(lambda: self.rfile.readline().rstrip(b"\r\n"), b".")
                MailSink.received.append(email.message_from_bytes(b"\n".join(lines), policy=email.policy.default))
                self.say("250 kept")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 fine")

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")


def serve(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def amtool(*arguments):
    return subprocess.run(["amtool", *arguments], capture_output=True, text=True)


def render(folder, secrets, config=SOURCE, **environment):
    """Runs the start script with these secret files; returns its result and the path of what it wrote."""
    place = pathlib.Path(tempfile.mkdtemp(dir=folder))
    (place / "secrets").mkdir()
    for name, value in secrets.items():
        (place / "secrets" / name).write_text(value + "\n")
    result = subprocess.run(
        ["busybox", "sh", config / "alertmanager-start.sh"], capture_output=True, text=True,
        env={"PATH": os.environ["PATH"], "ALERTMANAGER": "true", "ALERT_CONFIG": str(config),
             "ALERT_SECRETS": str(place / "secrets"), "ALERT_RENDERED": str(place / "out.yml"), **environment})
    return result, place / "out.yml"


def check_rendering(folder):
    mail = {"ALERT_EMAIL_TO": "ops@example.org, boss@example.org", "ALERT_EMAIL_FROM": "aragora@example.org",
            "SMTP_SMARTHOST": "mail.example.org:587", "SMTP_USERNAME": "aragora"}
    every = {"slack_url": "https://hooks.example.org/a", "webhook_url": "https://example.org/hook?a=1&b=2",
             "smtp_password": "Tr0ub4dor", "pagerduty_key": "key"}
    for secrets, kinds in [({}, 0), ({"slack_url": ""}, 0), ({"slack_url": every["slack_url"]}, 2), (every, 7)]:
        result, path = render(folder, secrets, **mail)
        check(result.returncode == 0, f"the start script fails with {list(secrets)}: {result.stderr}")
        text = path.read_text()
        written = sum(text.count(f"    {kind}_configs:") for kind in ("slack", "webhook", "email", "pagerduty"))
        check(written == (kinds if secrets != {"slack_url": ""} else 2), f"{list(secrets)}: {written} integrations, expected {kinds}")
        check(amtool("check-config", str(path)).returncode == 0, f"amtool refuses what was written for {list(secrets)}")
        check(stat.S_IMODE(path.stat().st_mode) == 0o600, "what was written can be read by others")
        check("Tr0ub4dor" not in text, "a password was written into the configuration")
    check("a=1&b=2'" in text, "the webhook's address was not kept as it is")
    for name, value in [("webhook_url", "https://example.org/'}, x: {"), ("webhook_url", "two\\lines")]:
        check(render(folder, {name: value})[0].returncode == 78, f"{value} was taken for a {name}")
    check(render(folder, {"smtp_password": "Tr0ub4dor"})[0].returncode == 78, "e-mail without an address was accepted")


def check_routes():
    path = str(SOURCE / "alertmanager.yml")
    result = amtool("check-config", path)
    check(result.returncode == 0, f"amtool check-config: {result.stdout}{result.stderr}")
    for labels, receiver in [(["severity=critical"], "critical"), (["severity=warning"], "warning"), ([], "warning"),
                             (["severity=critical", "alertname=AragoraDatabaseDown"], "critical")]:
        routed = amtool("config", "routes", "test", f"--config.file={path}", *labels).stdout.strip()
        check(routed == receiver, f"{labels or 'an alert without a severity'} goes to {routed}, not {receiver}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def alert(name, severity, **labels):
    now = datetime.datetime.now(datetime.timezone.utc)
    return {
        "labels": {"alertname": name, "severity": severity, **labels},
        "annotations": {"summary": f"{name} & <summary>", "description": f"about {name}", "runbook_url": f"https://example.org/#{name.lower()}"},
        "startsAt": now.isoformat(), "endsAt": (now + datetime.timedelta(minutes=10)).isoformat(),
    }


def until(condition, what):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            check(False, f"{what}: not within {DEADLINE_SECONDS} s")
            return
        time.sleep(0.05)


def check_messages(folder):
    web = serve(http.server.ThreadingHTTPServer(("127.0.0.1", 0), WebSink))
    mail = serve(socketserver.ThreadingTCPServer(("127.0.0.1", 0), MailSink))
    config = pathlib.Path(folder) / "config"
    subprocess.run(["cp", "-R", SOURCE, config], check=True)
    text = (config / "alertmanager.yml").read_text()
    for old, new in SPEEDUP:
        check(old in text, f"alertmanager.yml has no {old} to speed up")
        text = text.replace(old, new)
    text = text.replace("global:", f"global:\n  smtp_require_tls: false\n  pagerduty_url: http://127.0.0.1:{web}/pagerduty")
    (config / "alertmanager.yml").write_text(text)
    result, path = render(
        folder, {"slack_url": f"http://127.0.0.1:{web}/slack", "webhook_url": f"http://127.0.0.1:{web}/hook",
                 "smtp_password": "Tr0ub4dor", "pagerduty_key": "a" * 32}, config,
        ALERT_EMAIL_TO="ops@example.org", ALERT_EMAIL_FROM="aragora@example.org", SMTP_SMARTHOST=f"127.0.0.1:{mail}", SMTP_USERNAME="aragora")
    check(result.returncode == 0, result.stderr)
    port = free_port()
    with open(pathlib.Path(folder) / "alertmanager.log", "w") as log:
        manager = subprocess.Popen(
            ["prometheus-alertmanager", f"--config.file={path}", f"--storage.path={folder}/data",
             f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="], stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}/api/v2/alerts"
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}/-/ready"), "Alertmanager is ready")
        post(url, [
            alert("AragoraTargetDown", "warning", job="aragora-api", instance="a"),
            alert("AragoraLatencySLOBreach", "critical", slo_name="latency_p99"),
            alert("AragoraDatabaseDown", "critical", job="aragora-api", slo_name="database"),
        ])
        # What the first three inhibit comes second, so that it could not have been sent before they were known.
        until(lambda: len(get(url)) == 3, "three alerts are known")
        post(url, [
            alert("AragoraHighMemoryUsage", "warning", job="aragora-api", instance="a"),
            alert("AragoraHighMemoryUsage", "warning", job="aragora-api", instance="b"),
            alert("AragoraLatencySLOWarning", "warning", slo_name="latency_p99"),
            alert("AragoraAvailabilitySLOWarning", "warning", slo_name="availability"),
            alert("AragoraQueueLag", "warning"),
        ])

        def inhibited():
            return {(a["labels"]["alertname"], a["labels"].get("instance")) for a in get(url) if a["status"]["inhibitedBy"]}

        wanted = {("AragoraHighMemoryUsage", "a"), ("AragoraLatencySLOWarning", None), ("AragoraQueueLag", None)}
        until(lambda: inhibited() == wanted, f"inhibited are {wanted}")
        sent = {"AragoraTargetDown", "AragoraLatencySLOBreach", "AragoraDatabaseDown", "AragoraHighMemoryUsage", "AragoraAvailabilitySLOWarning"}
        until(lambda: hooked() == sent, f"the webhook hears of {sorted(sent)}")
        until(lambda: sum(path == "/slack" for path, _ in WebSink.received) >= 5, "Slack hears five times")
        until(lambda: sum(path == "/pagerduty" for path, _ in WebSink.received) >= 2, "PagerDuty hears twice")
        until(lambda: len(MailSink.received) >= 5, "five mails come")
        # A moment for what should not come.
        time.sleep(1.5)
    finally:
        manager.terminate()
        manager.wait()
    check(hooked() == sent, f"the webhook heard of {sorted(hooked())}")
    check_texts()
    failures = [line for line in open(pathlib.Path(folder) / "alertmanager.log") if "level=error" in line or "Notify attempt failed" in line]
    check(not failures, f"Alertmanager complained: {failures[:3]}")


def check_texts():
    slack = {body["attachments"][0]["title"]: body["attachments"][0] for path, body in WebSink.received if path == "/slack"}
    title = "[FIRING: 1] CRITICAL AragoraDatabaseDown (aragora-api)"
    check(title in slack, f"Slack's titles are {list(slack)}")
    if title in slack:
        text = slack[title]["text"]
        check("about AragoraDatabaseDown" in text and "https://example.org/#aragoradatabasedown|what to do" in text, f"Slack's text is {text}")
        check(slack[title]["color"] == "danger", "a critical alert is not red in Slack")
    pages = [body for path, body in WebSink.received if path == "/pagerduty"]
    named = {page["payload"]["summary"] for page in pages}
    check(named == {"AragoraDatabaseDown (aragora-api): AragoraDatabaseDown & <summary>", "AragoraLatencySLOBreach: AragoraLatencySLOBreach & <summary>"},
          f"PagerDuty heard {named}")
    check(all(page["payload"]["severity"] == "critical" for page in pages), "PagerDuty heard of a warning")
    mails = {mail["Subject"]: mail for mail in MailSink.received}
    check(title in mails, f"the mails are about {list(mails)}")
    if title in mails:
        plain = mails[title].get_body(("plain",)).get_content()
        html = mails[title].get_body(("html",)).get_content()
        check("What to do: https://example.org/#aragoradatabasedown" in plain, f"the mail says {plain}")
        check("AragoraDatabaseDown &amp; &lt;summary&gt;" in html, "the mail's HTML does not escape")


def hooked():
    return {a["labels"]["alertname"] for path, body in WebSink.received if path == "/hook" for a in body["alerts"]}


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def answers(url):
    try:
        return OPENER.open(url, timeout=2).status == 200
    except OSError:
        return False


def get(url):
    return json.load(OPENER.open(url, timeout=5))


def post(url, body):
    OPENER.open(urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"}), timeout=5)


def main():
    check_routes()
    with tempfile.TemporaryDirectory() as folder:
        check_rendering(folder)
        check_messages(folder)
    print(f"{len(WebSink.received)} posts and {len(MailSink.received)} mails, {len(problems)} problems")
    sys.exit(1 if problems else 0)


main()
