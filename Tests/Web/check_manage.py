"""Find, leaderboard, Operate and Account in a real browser over a real stack.

    check_manage.py [--only WORD] [--screenshots FOLDER]

Needs ARAGORA_BASE_URL, ARAGORA_API_TOKEN, DATABASE_URL and REDIS_URL of an empty stack (scripts/check-web-manage.sh makes one). Every number
that is looked at is asked of the API too. A console error, a refused resource and a script that a text started fail the test
in which they happen.

Exit codes: 0 all passed, 1 some did not.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import re
import struct
import subprocess
import sys
import time
import traceback
import urllib.error
import urllib.request
from pathlib import Path

import cv2
import numpy
from playwright.sync_api import expect, sync_playwright

BASE = os.environ["ARAGORA_BASE_URL"]
TOKEN = os.environ["ARAGORA_API_TOKEN"]
DATABASE = os.environ["DATABASE_URL"]
REDIS = os.environ["REDIS_URL"]
PASSWORD = "a good long password"
OTHER_PASSWORD = "another good password"
HOSTILE = 'Hostile \u202egnirts <img src=x onerror="window.owned=1"> **b** [x](javascript:window.owned=2) question?'
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 860}
VIEWS = [
    "/debates", "/leaderboard", "/admin/health", "/admin/queue", "/admin/providers", "/admin/budgets", "/admin/users", "/admin/keys",
    "/admin/webhooks", "/admin/audit", "/admin/security", "/admin/backups", "/admin/receipts", "/account", "/account/security", "/account/keys",
    "/signin?do=register", "/signin?do=forgot", "/signin?do=reset",
]


# The API, as a script sees it.

def call(method, path, body=None, token=TOKEN):
    request = urllib.request.Request(BASE + path, method=method, data=None if body is None else json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text.startswith((b"{", b"[")) else text.decode()
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"{}")


def get(path, token=TOKEN):
    status, body = call("GET", path, token=token)
    assert status == 200, (path, status, body)
    return body


def post(path, body=None, token=TOKEN, expected=(200, 201)):
    status, answer = call("POST", path, body if body is not None else {}, token)
    assert status in expected, (path, status, answer)
    return answer


def ask(question, agents=("demo", "demo"), token=TOKEN):
    return post("/api/v1/debates", {"topic": question, "agents": list(agents), "rounds": 1}, token)["debate_id"]


def until(what, seconds=30):
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)
    return found


def ended(debate):
    return until(lambda: get(f"/api/v1/debates/{debate}")["status"] == "completed")


def sql(text):
    subprocess.run(["psql", DATABASE, "-q", "-v", "ON_ERROR_STOP=1", "-c", text], check=True, capture_output=True)


def totp(secret, at=None):
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    counter = int((time.time() if at is None else at) // 30)
    digest = hmac.new(key, struct.pack(">Q", counter), hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset:offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def decoded(image):
    """What a QR decoder reads in a picture (BGR); None when it reads nothing."""
    for scale in (1, 2, 3):
        large = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
        text, *_ = cv2.QRCodeDetector().detectAndDecode(large)
        if text:
            return text
    return None


def without_errors(rows):
    """Whether what says level and mask is right in both of its places: a decoder would correct three wrong bits and say nothing."""
    size = len(rows)
    near = [rows[8][at] for at in (0, 1, 2, 3, 4, 5, 7, 8)] + [rows[at][8] for at in (7, 5, 4, 3, 2, 1, 0)]
    far = [rows[size - 1 - at][8] for at in range(7)] + [rows[8][size - 8 + at] for at in range(8)]
    value = int("".join(map(str, near)), 2) ^ 0b101010000010010
    rest = value
    for bit in range(14, 9, -1):
        if rest >> bit & 1:
            rest ^= 0b10100110111 << (bit - 10)
    return near == far and rest == 0 and value >> 13 == 0 and rows[size - 8][8] == 1


# The browser.

class World:
    def __init__(self, browser):
        self.browser = browser
        self.admin = post("/api/v1/auth/register", {"email": "ada@example.org", "password": PASSWORD, "name": "Ada Lovelace"}, token=None)
        self.contexts = []
        self.complaints = []

    @property
    def token(self):
        return self.admin["tokens"]["access_token"]

    def page(self, path="/", session="admin", viewport=DESKTOP, theme="light", allows=()):
        context = self.browser.new_context(viewport=viewport, color_scheme=theme, reduced_motion="reduce", locale="en-GB")
        self.contexts.append(context)
        state = self.admin if session == "admin" else session
        if state:
            kept = {"access": state["tokens"]["access_token"], "refresh": state["tokens"]["refresh_token"], "user": state["user"]} if "tokens" in state else state
            context.add_init_script(
                "if (!sessionStorage.seeded) { sessionStorage.seeded = 1; localStorage.setItem('aragora.session', %s); }" % json.dumps(json.dumps(kept)))
        page = context.new_page()

        def complain(text):
            if not any(re.search(pattern, text) for pattern in allows):
                self.complaints.append(text)

        page.on("console", lambda message: complain(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complain(str(error)))
        page.on("dialog", lambda dialog: (complain(f"a dialog: {dialog.message}"), dialog.dismiss()))
        self.open(page, path)
        return page

    @staticmethod
    def open(page, path):
        page.goto(BASE + path)
        page.locator("main h1").first.wait_for()

    def end_test(self):
        for context in self.contexts:
            context.close()
        self.contexts = []
        complaints, self.complaints = self.complaints, []
        assert not complaints, complaints

    def person(self, name, role="member"):
        made = post("/api/v1/users", {"email": f"{name}@example.org", "role": role}, self.token)
        post("/api/v1/auth/password/reset", {"token": made["reset_token"], "new_password": OTHER_PASSWORD}, token=None)
        return post("/api/v1/auth/login", {"email": f"{name}@example.org", "password": OTHER_PASSWORD}, token=None)


def titles(page):
    return page.locator(".found-title").all_inner_texts()


# Find

def finds_by_words_status_and_tag_and_keeps_the_choice_in_the_address(world):
    first = ask("Should the zeppelin be painted blue?")
    ask("Is the teapot half full?")
    ended(first)
    assert call("PATCH", f"/api/v1/debates/{first}", {"tags": ["airship"]})[0] == 200
    page = world.page("/debates")
    page.get_by_label("Search").fill("zepp")
    page.get_by_label("Search").press("Enter")
    expect(page.locator(".found")).to_have_count(1)
    assert "q=zepp" in page.url and "zeppelin" in titles(page)[0]
    page.locator(".found-tag", has_text="airship").click()
    expect(page.locator(".found")).to_have_count(1)
    assert page.url.endswith("/debates?tag=airship")
    expect(page.get_by_label("Search")).to_have_value("")
    page.get_by_label("Status").select_option("failed")
    page.wait_for_url("**/debates?*status=failed*")
    expect(page.get_by_role("heading", name="Nothing fits")).to_be_visible()
    assert "tag=airship" in page.url and "status=failed" in page.url
    page.go_back()
    expect(page.locator(".found")).to_have_count(1)
    page.reload()
    expect(page.locator(".found")).to_have_count(1)
    page.locator(".found-title").click()
    page.wait_for_url(f"**/debates/{first}")


def pages_by_cursor_show_every_debate_once_and_no_request_has_an_offset(world):
    for number in range(30):
        ask(f"Which of the numbers is number {number:02d}?")
    expected = []
    offset = 0
    while True:
        answer = get(f"/api/v1/debates?q=numbers&limit=100&offset={offset}")
        expected += [row["id"] for row in answer["debates"]]
        if not answer["has_more"]:
            break
        offset += 100
    asked = []
    page = world.page("/debates?q=numbers")
    page.on("request", lambda request: asked.append(request.url))
    seen = []
    while True:
        seen += [link.get_attribute("href").rsplit("/", 1)[1] for link in page.locator(".found-title").all()]
        older = page.get_by_role("button", name="Older")
        if older.count() == 0:
            break
        before = page.url
        older.click()
        page.wait_for_function("before => location.href !== before && !document.querySelector('.busy:not([hidden])')", arg=before)
        page.wait_for_function("id => !document.querySelector('.found-title') || !document.querySelector(`.found-title[href$='${id}']`)", arg=seen[-1])
    assert seen == expected and len(seen) == 30
    assert asked and not any("offset" in url for url in asked)
    page.get_by_role("button", name="Newest").click()
    expect(page.locator(".found")).to_have_count(25)


def a_hostile_question_is_text(world):
    debate = ask(HOSTILE)
    page = world.page("/debates")
    text = page.locator(f".found-title[href$='{debate}']").inner_text()
    assert "<img src=x" in text and "\u2039U+202E\u203a" in text and "\u202e" not in text
    assert page.evaluate("window.owned") is None and page.locator("main img").count() == 0


def a_lost_connection_is_said_and_tried_again(world):
    page = world.page("/debates", allows=["ERR_INTERNET_DISCONNECTED", "Failed to load resource", "view failed"])
    page.context.set_offline(True)
    page.get_by_label("Status").select_option("failed")
    expect(page.get_by_role("heading", name="Something went wrong")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("can not be reached")
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Debates")).to_be_visible()


# Leaderboard

def ratings_are_those_of_the_api_in_the_plot_and_in_its_table(world):
    ended(ask("Who is rated here?", ("demo", "demo", "demo")))
    board = until(lambda: (found := get("/api/v1/leaderboard"))["total"] > 0 and found)
    page = world.page("/leaderboard")
    rows = page.get_by_role("region", name="Agents by rating").locator("tbody tr")
    expect(rows).to_have_count(len([agent for agent in board["rankings"] if agent["matches"]]))
    for agent, row in zip(board["rankings"], rows.all()):
        text = row.inner_text()
        assert agent["model"] in text and str(round(agent["elo"])) in text, text
    plot = page.get_by_role("img", name=re.compile("Elo after each rated debate"))
    expect(plot).to_be_visible()
    drawn = plot.locator("path.course").count()
    page.get_by_text("As a table").first.click()
    table = page.get_by_role("region", name="Elo after each rated debate")
    expect(table.locator("tbody tr")).to_have_count(drawn)
    assert f"{board['rankings'][0]['elo']:.0f}" in table.inner_text()
    rows.first.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(board["rankings"][0]["model"])
    assert get("/api/v1/matches/recent")["total"] == page.locator("main table").last.locator("tbody tr").count()


def ratings_are_open_and_what_is_behind_them_is_not(world):
    page = world.page("/leaderboard", session=None, allows=["401"])
    expect(page.get_by_role("region", name="Agents by rating").locator("tbody tr").first).to_be_visible()
    expect(page.locator("main")).to_contain_text("for those who may read them")
    assert page.get_by_role("img", name=re.compile("Elo after each")).count() == 0


# Operate

def a_member_is_refused_plainly(world):
    member = world.person("mallory")
    page = world.page("/admin/queue", session=member)
    expect(page.get_by_role("heading", level=1)).to_have_text("Not for your role")
    expect(page.locator("main")).to_contain_text("403")
    expect(page.locator("main")).to_contain_text("mallory@example.org, member")
    assert page.locator(".parts-nav a").count() == 0


def health_and_queue_show_the_numbers_of_the_api(world):
    page = world.page("/admin/health")
    status, stats = get("/api/v1/status"), get("/api/v1/queue/stats")
    rows = page.get_by_role("region", name="What this replica depends on").locator("tbody tr")
    expect(rows).to_have_count(len(status["components"]))
    for row in rows.all():
        assert "Works" in row.inner_text()
    runners = get("/api/v1/queue/workers")["workers"]
    expect(page.get_by_role("region", name="Processes that run debates").locator("tbody tr")).to_have_count(len(runners))
    expect(page.get_by_role("region", name="Gateway")).to_contain_text("greeted this browser")
    expect(page.get_by_role("region", name="Service levels of this replica").locator("tbody tr")).to_have_count(4)
    World.open(page, "/admin/queue")
    expect(page.locator(".stat", has_text="running")).to_contain_text(f"of {stats['capacity']} places")
    for runner in runners:
        expect(page.get_by_role("region", name="Runners and their leases")).to_contain_text(runner["worker_id"])


def a_dead_letter_is_shown_and_asked_for_again(world):
    dead = ask("Who was given up?")
    ended(dead)
    keys = subprocess.run(["redis-cli", "-u", REDIS, "--scan", "--pattern", "*:jobs:debate"], capture_output=True, text=True, check=True).stdout.split()
    # What a worker writes that gives a debate up (Shared/Messaging/DeadJobs.swift).
    subprocess.run(["redis-cli", "-u", REDIS, "XADD", keys[0] + ":dead", "*", "kind", "debate", "id", dead, "reason", "<b>5 attempts</b>"], capture_output=True, check=True)
    page = world.page("/admin/queue")
    letters = page.get_by_role("region", name="Dead letters", exact=True)
    expect(letters).to_contain_text("<b>5 attempts</b>")
    assert get("/api/v1/queue/dlq")["total"] == 1
    before = get("/api/v1/debates?q=given+up")["total"]
    letters.get_by_role("button", name=f"Ask again for {dead}").click()
    expect(letters).to_have_count(0)
    assert get("/api/v1/queue/dlq")["total"] == 0 and get("/api/v1/debates?q=given+up")["total"] == before + 1


def providers_show_the_breakers_of_the_api(world):
    found = get("/api/v1/circuit-breakers")
    page = world.page("/admin/providers")
    rows = page.get_by_role("region", name="Circuit breakers").locator("tbody tr")
    expect(rows).to_have_count(found["registry_size"])
    for name, row in zip(found["circuit_breakers"], rows.all()):
        assert name in row.inner_text() and "Closed" in row.inner_text()
    expect(page.get_by_role("region", name="Keys of providers").locator("tbody tr")).to_have_count(len(get("/api/v1/readiness")["providers"]))


def a_budget_is_set_adjusted_and_deleted_by_keyboard_alone(world):
    page = world.page("/admin/budgets")
    page.get_by_role("button", name="Set a budget").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.keyboard.type("Models")
    page.keyboard.press("Tab")
    page.keyboard.type("12.5")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    budget = get("/api/v1/budgets", world.token)["budgets"][0]
    assert (budget["name"], budget["limit_amount"], budget["period"], budget["alert_threshold"]) == ("Models", 12.5, "monthly", 80)
    article = page.get_by_role("article", name="Models")
    article.get_by_role("button", name="Adjust").press("Enter")
    page.get_by_label("Limit in US dollars").fill("-1")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Limit in US dollars")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Limit in US dollars").fill("20")
    page.keyboard.press("Enter")
    expect(article).to_contain_text("of $20.00")
    assert get("/api/v1/budgets", world.token)["budgets"][0]["limit_amount"] == 20
    article.locator("summary", has_text="More").press("Enter")
    article.get_by_role("button", name="Delete").press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("It limits nothing from now on.")
    page.keyboard.press("Escape")
    assert get("/api/v1/budgets", world.token)["total"] == 1
    article.locator("summary", has_text="More").press("Enter")
    article.get_by_role("button", name="Delete").press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Delete").press("Enter")
    expect(page.get_by_role("heading", name="Nothing limits the organization")).to_be_visible()
    assert get("/api/v1/budgets", world.token)["total"] == 0


def a_key_is_shown_once_works_and_is_revoked(world):
    page = world.page("/account/keys")
    page.get_by_role("button", name="Make a key").click()
    page.get_by_label("Name").fill("reports")
    page.get_by_label("debates.read", exact=True).check()
    page.get_by_role("button", name="Make it").click()
    key = page.locator("pre.secret").inner_text()
    assert key.startswith("ara_") and call("GET", "/api/v1/debates", token=key)[0] == 200
    assert call("POST", "/api/v1/debates", {"topic": "May this key ask?"}, key)[0] == 403
    page.keyboard.press("Escape")
    expect(page.locator("pre.secret")).to_be_visible()
    page.get_by_role("button", name="I have kept it").click()
    expect(page.get_by_role("region", name="1 API key")).to_contain_text("debates.read")
    assert key not in page.content()
    page.get_by_role("button", name="Revoke reports").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.locator("main")).to_contain_text("You have no keys.")
    until(lambda: call("GET", "/api/v1/debates", token=key)[0] == 401)


def a_user_is_added_chooses_a_password_by_the_link_and_is_deactivated(world):
    page = world.page("/admin/users")
    page.get_by_role("button", name="Add a user").click()
    page.get_by_label("Email").fill("grace@example.org")
    page.get_by_label("Name", exact=True).fill("<b>Grace</b>")
    page.get_by_label("Role", exact=True).select_option("viewer")
    page.get_by_role("button", name="Add", exact=True).click()
    link = page.locator("pre.secret").inner_text()
    page.get_by_role("button", name="I have kept it").click()
    expect(page.get_by_role("region", name="Users")).to_contain_text("<b>Grace</b>")
    other = world.page(link.removeprefix(BASE), session=None)
    assert "#" not in other.url
    other.get_by_label("New password").fill("too short")
    other.get_by_role("button", name="Set it").click()
    expect(other.get_by_label("New password")).to_have_attribute("aria-invalid", "true")
    other.get_by_label("New password").fill(OTHER_PASSWORD)
    other.get_by_role("button", name="Set it").click()
    other.get_by_label("Email").fill("grace@example.org")
    other.get_by_label("Password", exact=True).fill(OTHER_PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    expect(other.locator(".account")).to_contain_text("<b>Grace</b>")
    token = other.evaluate("JSON.parse(localStorage['aragora.session']).access")
    assert get("/api/v1/auth/me", token)["user"]["role"] == "viewer"
    page.get_by_role("button", name="Manage grace@example.org").click()
    page.get_by_label("May come in").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name=re.compile("Grace"))).to_contain_text("Deactivated")
    until(lambda: call("GET", "/api/v1/auth/me", token=token)[0] == 401)


def the_audit_log_is_filtered_checked_and_exported(world):
    page = world.page("/admin/audit")
    page.get_by_label("Kind").select_option("user.registered")
    page.wait_for_url("**action=user.registered*")
    expect(page.get_by_role("region", name="Entries, newest first").locator("tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Check the chain").click()
    expect(page.get_by_role("region", name="The chain")).to_contain_text("Intact")
    chain = get("/api/v1/audit/verify", world.token)["chain"]
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert json.loads(lines[0])["entry"]["seq"] == chain["first_seq"] and len(lines) >= chain["last_seq"]
    page.get_by_role("button", name="Keep everything").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep everything").click()
    expect(page.get_by_role("region", name="The chain")).to_contain_text("on: nothing is removed")
    assert get("/api/v1/audit/verify", world.token)["chain"]["legal_hold"] is True


def backups_are_shown_with_the_age_of_the_newest_verified(world):
    # The stack's own backup service has made one by now; it is as good as gone.
    sql("UPDATE backups SET status = 'expired'")
    sql("""INSERT INTO backups (id, status, file, size_bytes, checksum, row_counts, generation, restore_tested, failure, started_at, finished_at, verified_at) VALUES
        ('t1', 'verified', 'aragora-1.sql.gz', 48211034, '9f2c4e0a7b1d', '{"debates": 412, "receipts": 398}', 1, true, NULL, now() - interval '30 hours', now() - interval '30 hours', now()),
        ('t2', 'failed', 'aragora-2.sql.gz', NULL, NULL, '{}', 1, false, '<i>pg_dump</i>: refused', now() - interval '6 hours', now() - interval '6 hours', NULL)""")
    found = get("/api/v1/backups")
    page = world.page("/admin/backups")
    expect(page.get_by_role("status").filter(has_text="older than a day")).to_be_visible()
    assert found["last_verified"]["id"] == "t1" and found["last_verified"]["rows"] == 810
    expect(page.locator(".stat", has_text="rows")).to_contain_text("810")
    expect(page.locator(".stat", has_text="old is the newest")).to_contain_text("30 h")
    rows = page.get_by_role("region", name="Backups, newest first").locator("tbody tr")
    expect(rows.filter(has_text="Failed")).to_contain_text("<i>pg_dump</i>: refused")


def secrets_are_sealed_anew_and_their_keys_shown(world):
    member = world.person("katherine")
    secret = post("/api/v1/auth/mfa/setup", {}, member["tokens"]["access_token"])["secret"]
    assert secret
    page = world.page("/admin/security")
    found = get("/api/v1/admin/security/keys", world.token)
    current = next(key for key in found["keys"] if key["state"] == "current")
    expect(page.locator(".stat", has_text="version of the key in use")).to_contain_text(current["version"])
    expect(page.locator(".stat", has_text="sealed under it")).to_contain_text(str(current["secrets"]))
    expect(page.get_by_role("region", name="Encryption keys by version").locator("tbody tr")).to_have_count(len(found["keys"]))
    with page.expect_response("**/admin/security/rotate-key") as answered:
        page.get_by_role("button", name="Seal everything anew").click()
        page.get_by_role("dialog").get_by_role("button", name="Seal anew").click()
    outcome = answered.value.json()
    assert outcome["status"] in ("skipped", "completed"), outcome
    expect(page.locator(".toast")).to_contain_text(outcome["message"])
    rotations = get("/api/v1/admin/security/rotation-status", world.token)["rotations"]
    expect(page.get_by_role("region", name="The newest rotations").locator("tbody tr")).to_have_count(len(rotations))


def the_receipt_log_is_held_to_what_this_browser_saw(world):
    ended(ask("What is logged first?"))
    until(lambda: get("/api/v1/receipt-log/head")["tree_size"] > 0)
    page = world.page("/admin/receipts")
    course = page.locator("[data-course]")
    expect(course).to_have_attribute("data-course", "first")
    expect(page.locator("main")).to_contain_text("Signed by a published key")
    size = get("/api/v1/receipt-log/head")["tree_size"]
    for number in range(3):
        ended(ask(f"What is logged as number {number}?"))
    until(lambda: get("/api/v1/receipt-log/head")["tree_size"] >= size + 3)
    World.open(page, "/admin/receipts")
    expect(course).to_have_attribute("data-course", "grown")
    World.open(page, "/admin/receipts")
    expect(course).to_have_attribute("data-course", "same")
    for change, told in (
        ({"root_hash": "ab" * 32, "tree_size": -1}, "changed"), ({"tree_size": 1_000_000}, "shrunk"),
        ({"root_hash": "ab" * 32}, "changed"), ({"origin": "aragora/other/g2"}, "other"),
    ):
        kept = page.evaluate("localStorage['aragora.receipt-head']")
        head = json.loads(kept)
        head |= change | {"tree_size": head["tree_size"] + change.get("tree_size", 0)}
        page.evaluate("text => localStorage.setItem('aragora.receipt-head', text)", json.dumps(head))
        World.open(page, "/admin/receipts")
        expect(course).to_have_attribute("data-course", told)
        # The evidence is kept until somebody decides.
        assert json.loads(page.evaluate("localStorage['aragora.receipt-head']")) == head
        page.evaluate("text => localStorage.setItem('aragora.receipt-head', text)", kept)


def consistency_is_checked_as_rfc_6962_says(world):
    while get("/api/v1/receipt-log/head")["tree_size"] < 9:
        ended(ask("One more leaf?"))
    size = get("/api/v1/receipt-log/head")["tree_size"]
    size = min(size, 17)
    leaves = [
        hashlib.sha256(b"\0" + json.dumps(row["leaf"], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).digest()
        for row in get(f"/api/v1/receipt-log/entries?limit={size}")["entries"]
    ]

    def root(part):
        if len(part) == 1:
            return part[0]
        split = 1 << ((len(part) - 1).bit_length() - 1)
        return hashlib.sha256(b"\1" + root(part[:split]) + root(part[split:])).digest()

    heads = {number: {"tree_size": number, "root_hash": root(leaves[:number]).hex()} for number in range(1, size + 1)}
    pairs = []
    for second in range(2, size + 1):
        for first in range(1, second):
            path = get(f"/api/v1/receipt-log/consistency?first={first}&second={second}")["path"]
            pairs.append([heads[first], heads[second], path])
    page = world.page("/admin/receipts")
    good, bad = page.evaluate(
        """async (pairs) => {
          const { consistent } = await import(document.querySelector("link[rel=modulepreload]").href.replace("lib/dom.js", "pages/merkle.js"));
          const turned = (hash) => (hash[0] === "0" ? "1" : "0") + hash.slice(1);
          let [good, bad] = [0, 0];
          for (const [first, second, path] of pairs) {
            good += await consistent(first, second, path) ? 1 : 0;
            bad += await consistent({ ...first, root_hash: turned(first.root_hash) }, second, path) ? 1 : 0;
            bad += await consistent(first, { ...second, root_hash: turned(second.root_hash) }, path) ? 1 : 0;
            for (let at = 0; at < path.length; at += 1) {
              bad += await consistent(first, second, path.with(at, turned(path[at]))) ? 1 : 0;
            }
            bad += await consistent(first, second, [...path, "00".repeat(32)]) ? 1 : 0;
          }
          return [good, bad];
        }""", pairs)
    assert good == len(pairs) and bad == 0, (good, len(pairs), bad)


def a_webhook_is_added_with_its_secret_shown_once_and_deleted(world):
    page = world.page("/admin/webhooks")
    page.get_by_role("button", name="Add a webhook").click()
    page.get_by_label("Address").fill("https://hooks.example.org/<aragora>")
    page.get_by_role("button", name="Add", exact=True).click()
    assert page.locator("pre.secret").inner_text().startswith("whsec_")
    page.get_by_role("button", name="I have kept it").click()
    article = page.get_by_role("article")
    expect(article).to_contain_text("debate_end")
    article.get_by_role("button", name="Switch off").click()
    expect(article).to_contain_text("Off")
    assert get("/api/v1/webhooks", world.token)["webhooks"][0]["active"] is False
    article.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Nobody is told")).to_be_visible()


# Account

def qr_codes_of_every_version_are_read_by_another_program(world):
    page = world.page("/signin?do=forgot", session=None)
    capacities = [14, 26, 42, 62, 84, 106, 122, 152, 180, 213]
    texts = [("x%d " % length + "otpauth://totp/Aragora?secret=" + "ABCDEFGH234567" * 20)[:length] for limit in capacities for length in (limit - 1, limit)]
    texts += ["grüße über UTF-8", HOSTILE.replace("\u202e", "")[:100]]
    drawn = page.evaluate(
        """async (texts) => {
          const { modules } = await import(document.querySelector("link[rel=modulepreload]").href.replace("lib/dom.js", "pages/qr.js"));
          return texts.map((text) => modules(text).map((row) => row.map(Number)));
        }""", texts)
    sizes = set()
    for text, rows in zip(texts, drawn):
        sizes.add(len(rows))
        assert without_errors(rows), text
        matrix = numpy.pad(numpy.where(numpy.array(rows) == 1, 0, 255).astype(numpy.uint8), 4, constant_values=255)
        image = cv2.cvtColor(numpy.kron(matrix, numpy.ones((6, 6), numpy.uint8)), cv2.COLOR_GRAY2BGR)
        assert decoded(image) == text, (len(text), len(rows), decoded(image))
    assert sizes == {17 + 4 * version for version in range(1, 11)}
    assert page.evaluate(
        """async () => {
          const { modules } = await import(document.querySelector("link[rel=modulepreload]").href.replace("lib/dom.js", "pages/qr.js"));
          try { modules("x".repeat(214)); return "taken"; } catch (error) { return error.name; }
        }""") == "RangeError"


def the_second_factor_is_turned_on_by_its_picture_and_asked_for(world):
    person = world.person("hedy")
    page = world.page("/account/security", session=person, theme="dark", allows=["400"])
    page.get_by_role("button", name="Turn on").click()
    secret = page.locator(".secret-line").inner_text().replace(" ", "")
    picture = cv2.imdecode(numpy.frombuffer(page.locator(".enrol-code").screenshot(), numpy.uint8), cv2.IMREAD_COLOR)
    address = decoded(picture)
    assert address and address.startswith("otpauth://totp/") and f"secret={secret}" in address, address
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_role("alert").filter(visible=True)).to_be_visible()
    page.get_by_label("Code", exact=True).fill(totp(secret))
    page.get_by_role("button", name="Turn it on").click()
    codes = page.locator("pre.secret").inner_text().split()
    assert len(codes) == 10
    page.get_by_role("button", name="I have kept it").click()
    page.wait_for_url(re.compile(r"/signin\?next="))
    page.get_by_label("Email").fill("hedy@example.org")
    page.get_by_label("Password", exact=True).fill(OTHER_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Code", exact=True).fill(codes[0])
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/account/security")
    expect(page.get_by_role("region", name="Second factor")).to_contain_text("A sign-in asks for a code")
    page.get_by_role("button", name="Turn off").click()
    page.get_by_role("dialog").get_by_label("Password").fill(OTHER_PASSWORD)
    page.get_by_role("dialog").get_by_role("button", name="Turn it off").click()
    expect(page.get_by_role("button", name="Turn on")).to_be_visible()


def a_session_is_ended_and_a_password_changed(world):
    first = world.person("alan")
    second = post("/api/v1/auth/login", {"email": "alan@example.org", "password": OTHER_PASSWORD}, token=None)
    page = world.page("/account/security", session=first, allows=["400", "401"])
    page.get_by_role("region", name="Sessions").get_by_role("button", name=re.compile("End the session")).first.click()
    until(lambda: call("GET", "/api/v1/auth/me", token=second["tokens"]["access_token"])[0] == 401)
    page.get_by_label("Present password").fill("wrong " + OTHER_PASSWORD)
    page.get_by_label("New password").fill("a third good password")
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_role("region", name="Password").get_by_role("alert").or_(page.locator("[aria-invalid=true]")).first).to_be_visible()
    page.get_by_label("Present password").fill(OTHER_PASSWORD)
    page.get_by_role("button", name="Change it").click()
    page.wait_for_url(re.compile(r"/signin\?next="))
    assert call("POST", "/api/v1/auth/login", {"email": "alan@example.org", "password": "a third good password"}, None)[0] == 200


def who_came_in_with_a_token_is_told_that_it_has_no_account(world):
    page = world.page("/account", session={"bearer": TOKEN})
    expect(page.get_by_role("heading", level=1)).to_have_text("You came in with a token")
    World.open(page, "/admin/keys")
    expect(page.get_by_role("region", name="Your keys")).to_contain_text("Keys belong to people")


# All of them

def nothing_is_wider_than_a_phone(world):
    page = world.page("/debates", viewport=PHONE)
    for view in VIEWS:
        World.open(page, view)
        page.wait_for_timeout(150)
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, (view, over)


def every_control_has_a_name_and_every_view_one_heading(world):
    page = world.page("/debates")
    for view in VIEWS:
        World.open(page, view)
        page.wait_for_timeout(100)
        nameless = page.evaluate("""() => [...document.querySelectorAll("button, a[href], input, select, textarea")].filter((element) => element.checkVisibility()
          && !(element.getAttribute("aria-label") || (element.tagName !== "SELECT" && element.innerText?.trim()) || element.labels?.length || element.getAttribute("aria-labelledby"))).map((element) => element.outerHTML)""")
        assert not nameless, (view, nameless)
        assert page.locator("main h1").count() == 1, view


def texts_reach_the_contrast_that_people_need(world):
    for theme in ("light", "dark"):
        page = world.page("/debates", theme=theme)
        for view in VIEWS:
            World.open(page, view)
            page.wait_for_timeout(100)
            poor = page.evaluate(CONTRAST)
            assert not poor, (theme, view, poor)


CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  canvas.canvas.width = canvas.canvas.height = 1;
  const paint = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => rgb.map((part) => part / 255).map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const behind = (element) => {
    const found = [];
    for (let at = element; at; at = at.parentElement) found.unshift(getComputedStyle(at).backgroundColor);
    return found;
  };
  const poor = [];
  const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest(".unseen, thead, [disabled], option, .code") || element.closest("svg")) continue;
    const style = getComputedStyle(element);
    const back = behind(element);
    const [one, other] = [light(paint([...back, style.color])), light(paint(back))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < 4.5) poor.push(`${walker.currentNode.data.trim().slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return poor;
}"""


def what_is_opened_later_is_loaded_later(world):
    asked = []
    page = world.page("/signin", session=None)
    page.on("request", lambda request: asked.append(request.url))
    World.open(page, "/signin")
    assert asked and not any("/pages/" in url and "signin" not in url for url in asked), asked


# Pictures

QUESTIONS = [
    "Should we move the billing service from MongoDB to Postgres this quarter?", "Is a four-day week good for a support team of nine people?",
    "Which of three vendors should host our model gateway?", "Do we need a second on-call rotation before the launch?",
    "Should the mobile app drop support for Android 9?", "Monorepo or many repositories for twelve engineers?",
    "Is it time to write our own feature flags?", "Should we publish our incident reviews?", "What should we do about the flaky end-to-end tests?",
    "Would a rewrite of the importer in Rust pay off?", "Shall we let customers bring their own keys?", "How should we price the self-hosted edition?",
    "Do we answer security questionnaires by hand?", "Should support see what customers wrote?",
]
PICTURES = [("/debates", "debates"), ("/leaderboard", "leaderboard"), ("/admin/health", "operate-health"), ("/admin/queue", "operate-queue"),
    ("/admin/providers", "operate-providers"), ("/admin/budgets", "operate-budgets"), ("/admin/users", "operate-users"), ("/admin/webhooks", "operate-webhooks"),
    ("/admin/audit", "operate-audit"), ("/admin/security", "operate-security"), ("/admin/backups", "operate-backups"), ("/admin/receipts", "operate-receipts"), ("/account/security", "account-security"), ("/account/keys", "account-keys")]


def take(world, folder):
    """Every view in both themes, wide and narrow, over a stack in which something happened."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, limit, period in (("Models", 20, "monthly"), ("Experiments", 2.5, "weekly")):
        post("/api/v1/budgets", {"name": name, "limit_amount": limit, "period": period, "alert_threshold": 60}, world.token)
    panels = [("anthropic", "openai", "gemini"), ("openai", "gemini"), ("anthropic", "gemini"), ("anthropic", "openai")]
    configured = {agent["provider"] for agent in get("/api/v1/agents")["agents"] if agent["available"]}
    for number, question in enumerate(QUESTIONS * 2):
        panel = [name if name in configured else "demo" for name in panels[number % 4]]
        debate = ask(question, panel, world.token)
        if number % 5 == 0:
            call("PATCH", f"/api/v1/debates/{debate}", {"tags": ["infrastructure", "q4"][: 1 + number % 2]}, world.token)
        if number % 4 == 3:
            ended(debate)
    ended(debate)
    for name, role in (("grace", "member"), ("alan", "viewer"), ("hedy", "admin")):
        world.person(name, role)
    for name, scopes in (("reports", ["debates.read", "receipts.read"]), ("nightly import", None)):
        post("/api/v1/auth/api-keys", {"name": name, **({"scopes": scopes} if scopes else {})}, world.token)
    post("/api/v1/webhooks", {"url": "https://hooks.example.org/aragora", "events": ["debate_end"], "description": "Tells the team's channel"}, world.token)
    ended(ask("Which colour has the shed?", [name if name in configured else "demo" for name in panels[0]], world.token))
    for _ in range(2):
        ask("Is it worth it to keep our own mail server?", [name if name in configured else "demo" for name in panels[0]], world.token)
    member = world.person("bob")
    for theme in ("light", "dark"):
        for width, size in (("wide", DESKTOP), ("narrow", PHONE)):
            for path, name in PICTURES:
                page = world.page(path, viewport=size, theme=theme, allows=[".*"])
                page.wait_for_timeout(300)
                page.screenshot(path=folder / f"{name}-{theme}-{width}.png", full_page=name == "leaderboard" or width == "narrow" and name not in ("debates", "operate-audit", "operate-receipts"))
                page.context.close()
            world.contexts = []
            page = world.page("/account/security", viewport=size, theme=theme)
            page.get_by_role("button", name="Turn on").click()
            page.locator(".qr").wait_for()
            page.locator(".enrol").evaluate("node => node.closest('.card').scrollIntoView()")
            page.screenshot(path=folder / f"account-second-factor-{theme}-{width}.png")
            page.goto(BASE + "/signin?do=register")
            page.locator("form").wait_for()
            page.screenshot(path=folder / f"account-register-{theme}-{width}.png")
            page.context.close()
            page = world.page("/admin", session=member, viewport=size, theme=theme)
            page.screenshot(path=folder / f"operate-refused-{theme}-{width}.png")
            page.context.close()
            world.contexts = []
    print(f"{len(list(folder.iterdir()))} pictures in {folder}")
    return 0


TESTS = [
    finds_by_words_status_and_tag_and_keeps_the_choice_in_the_address, pages_by_cursor_show_every_debate_once_and_no_request_has_an_offset,
    a_hostile_question_is_text, a_lost_connection_is_said_and_tried_again, ratings_are_those_of_the_api_in_the_plot_and_in_its_table,
    ratings_are_open_and_what_is_behind_them_is_not, a_member_is_refused_plainly, health_and_queue_show_the_numbers_of_the_api,
    a_dead_letter_is_shown_and_asked_for_again, providers_show_the_breakers_of_the_api,
    a_budget_is_set_adjusted_and_deleted_by_keyboard_alone, a_key_is_shown_once_works_and_is_revoked,
    a_user_is_added_chooses_a_password_by_the_link_and_is_deactivated, the_audit_log_is_filtered_checked_and_exported,
    backups_are_shown_with_the_age_of_the_newest_verified, secrets_are_sealed_anew_and_their_keys_shown, the_receipt_log_is_held_to_what_this_browser_saw, consistency_is_checked_as_rfc_6962_says,
    a_webhook_is_added_with_its_secret_shown_once_and_deleted, qr_codes_of_every_version_are_read_by_another_program,
    the_second_factor_is_turned_on_by_its_picture_and_asked_for, a_session_is_ended_and_a_password_changed,
    who_came_in_with_a_token_is_told_that_it_has_no_account, nothing_is_wider_than_a_phone, every_control_has_a_name_and_every_view_one_heading,
    texts_reach_the_contrast_that_people_need, what_is_opened_later_is_loaded_later,
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help="only tests whose name has this word")
    parser.add_argument("--screenshots", type=Path, help="takes pictures of every view into this folder, and tests nothing")
    arguments = parser.parse_args()
    failed = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"])
        world = World(browser)
        if arguments.screenshots:
            return take(world, arguments.screenshots)
        for test in TESTS:
            if arguments.only not in test.__name__:
                continue
            begun = time.monotonic()
            try:
                test(world)
                world.end_test()
                print(f"passed  {test.__name__.replace('_', ' ')} ({time.monotonic() - begun:.1f} s)", flush=True)
            except Exception:
                failed += 1
                print(f"FAILED  {test.__name__.replace('_', ' ')}", flush=True)
                traceback.print_exc(limit=4)
                for context in world.contexts:
                    for page in context.pages:
                        print("    at", page.url, "|", page.locator("main").inner_text()[:300].replace("\n", " / ") if page.locator("main").count() else "", flush=True)
                    context.close()
                world.contexts, world.complaints = [], []
        browser.close()
    print(f"{failed} failed" if failed else "all passed")
    return 1 if failed else 0


sys.exit(main())
