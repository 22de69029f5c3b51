"""The stack and the browser that the checks use."""
import json, os, subprocess, urllib.error, urllib.request
from contextlib import contextmanager

BASE = os.environ["ARAGORA_BASE_URL"]
TOKEN = os.environ["ARAGORA_API_TOKEN"]
SIMULATOR = os.environ["SIMULATOR_URL"]
RUN_DIR = os.environ["RUN_DIR"]
ROOT = os.environ["ROOT"]
QUESTION = "Should a three-person startup use Postgres or MongoDB?"
PANEL = ["anthropic", "openai", "gemini"]
# The name by which an OpenID provider sends browsers back: it is fixed before the stack has a port.
NAMED = "http://aragora.test"
CHROMIUM = ["--no-sandbox", "--disable-dev-shm-usage", "--no-proxy-server", f"--host-resolver-rules=MAP aragora.test {BASE.split('//')[1]}"]
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def api(method, path, body=None, token=TOKEN):
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"{BASE}/api/v1{path}", method=method, data=data, headers=headers)
    with OPENER.open(request, timeout=30) as answer:
        text = answer.read()
        return json.loads(text) if text else None


def scenario(value):
    OPENER.open(urllib.request.Request(f"{SIMULATOR}/scenario", method="PUT", data=json.dumps(value).encode()), timeout=10)


def debate(**fields):
    return api("POST", "/debates", {"question": QUESTION, "rounds": 2, "agents": PANEL} | fields)["debate_id"]


def service(action, name):
    subprocess.run([f"{ROOT}/scripts/service.sh", action, name], check=True, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def events(debate_id):
    return api("GET", f"/debates/{debate_id}/events?limit=500")["events"]


class Browser:
    """Chromium, and everything that any of its pages complained about."""

    def __init__(self, playwright):
        self.chromium = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=CHROMIUM)

    @contextmanager
    def page(self, token=TOKEN, width=1280, height=900, dark=False, allow=(), reduced=False, **options):
        """A page of a browser of its own. What the console says fails the check, unless `allow` has a part of it."""
        context = self.chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if reduced else "no-preference", **options)
        complaints = []
        if token:
            session = json.dumps(json.dumps({"bearer": token}))
            context.add_init_script(f"if (location.protocol !== 'about:' && !sessionStorage.seeded) {{ localStorage['aragora.session'] = {session}; sessionStorage.seeded = 1 }}")
        # Said by the browser itself, also for what a policy refuses; nothing of ours logs.
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        context.on("console", lambda message: complaints.append(f"{message.type}: {message.text}") if message.type in ("error", "warning") else None)
        context.on("dialog", lambda dialog: (complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page = context.new_page()
        page.set_default_timeout(20_000)
        try:
            yield page
            left = [text for text in complaints if not any(part in text for part in allow)]
            assert not left, f"the console says {left[:3]}"
        finally:
            context.close()


def watch(page, debate_id):
    page.goto(f"{BASE}/debates/{debate_id}")
    page.wait_for_selector(".debate")


def until_over(page, timeout=60_000):
    page.wait_for_selector(".decision", timeout=timeout)


def transcript(page):
    """What the transcript says, without what only a live viewer knows."""
    return page.locator(".transcript").evaluate("node => node.textContent")
