#!/usr/bin/env python3
"""Uses the page as people would, in a real browser over a real stack. See scripts/check-web.sh."""
import argparse, base64, hashlib, hmac, json, os, pathlib, struct, subprocess, sys, time, traceback, urllib.request

from playwright.sync_api import expect, sync_playwright

import panel
from stack import BASE, NAMED, OPENER, PANEL, QUESTION, ROOT, SIMULATOR, TOKEN, Browser, api, debate, events, scenario, service, transcript, until_over, watch

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


@check
def weight(browser):
    """the first paint takes less than 100 KB, from files that are kept, without a word on the console"""
    with browser.page(token=None) as page:
        sizes, kinds = [], set()
        page.on("requestfinished", lambda request: sizes.append(sum(request.sizes()[part] for part in ("responseBodySize", "responseHeadersSize"))))
        page.on("response", lambda answer: kinds.add((answer.request.resource_type, answer.headers.get("content-encoding"), answer.headers.get("cache-control"))))
        page.goto(f"{BASE}/signin")
        page.wait_for_selector("form")
        page.wait_for_load_state("networkidle")
        assert 5 < len(sizes) and sum(sizes) < 100_000, f"{sum(sizes)} bytes in {len(sizes)} answers"
        assert ("script", "gzip", "public, max-age=31536000, immutable") in kinds and ("stylesheet", "gzip", "public, max-age=31536000, immutable") in kinds
        return f"{sum(sizes) / 1000:.0f} KB in {len(sizes)} answers"


@check
def policy(browser):
    """a script or a style that got into the page would not run"""
    with browser.page(allow=("Content Security Policy", "Trusted", "Refused")) as page:
        page.goto(f"{BASE}/signin")
        page.wait_for_selector("form")
        violated = page.evaluate("""() => {
            const said = [];
            document.addEventListener('securitypolicyviolation', (event) => said.push(event.effectiveDirective));
            try { document.body.innerHTML += '<b>x</b>'; said.push('html was taken'); } catch (error) { said.push('innerHTML refused'); }
            const script = document.createElement('script');
            try { script.textContent = 'window.__ran = 1'; document.body.append(script); } catch (error) {}
            const image = new Image(); image.src = 'https://evil.example/x.png';
            const style = document.createElement('style'); style.textContent = 'body { display: none }'; document.head.append(style);
            return new Promise((done) => setTimeout(() => done([...said, String(window.__ran), getComputedStyle(document.body).display]), 300));
        }""")
        assert "innerHTML refused" in violated and "undefined" in violated and "none" not in violated, violated


@check
def ask_by_keyboard(browser):
    """a debate is asked for with the keyboard alone, and watched to its end; what is shown is what the log says"""
    scenario(panel.scenario(token_ms=12))
    with browser.page() as page:
        deltas = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: deltas.append(1) if "token_delta" in str(frame) else None))
        page.goto(BASE)
        page.wait_for_selector("form.ask")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to content"
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.classList.contains('question')"):
                break
        page.keyboard.type(QUESTION)
        expect(page.locator(".ask-side .figure")).to_contain_text("$")
        for _ in range(60):
            page.keyboard.press("Tab")
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", "the focus can not be seen on " + page.evaluate("document.activeElement.outerHTML.slice(0, 90)")
            if page.evaluate("document.activeElement.textContent") == "Start the debate":
                break
        page.keyboard.press("Enter")
        page.wait_for_url("**/debates/dbt_*")
        page.wait_for_selector(".is-writing .writing p")
        until_over(page)
        log = events(page.url.rsplit("/", 1)[1])
        kinds = [event["type"] for event in log]
        assert page.locator(".ballot").count() == kinds.count("vote") + kinds.count("sealed_vote")
        assert page.locator(".critique").count() == kinds.count("critique")
        assert page.locator(".round").count() == kinds.count("round_start")
        for event in log:
            if event["type"] == "critique":
                seat = page.locator(f"#round-{event['round']} .seat", has=page.locator("h3", has_text=event["data"]["target"]))
                assert seat.locator(".critique summary", has_text=event["agent"]).count() == 1, "a critique stands elsewhere"
        assert len(deltas) > 20, f"{len(deltas)} pieces of text came"
        assert page.locator(".is-writing").count() == 0
        return f"{len(log)} events, {len(deltas)} pieces of text"


@check
def reload_midway(browser):
    """a reload in mid-debate, and somebody who comes late, see what one saw who was there all along"""
    scenario(panel.scenario(token_ms=15))
    one = debate()
    with browser.page() as stayed, browser.page() as reloaded:
        watch(stayed, one)
        watch(reloaded, one)
        reloaded.wait_for_selector(".saying.revise, .critique")
        reloaded.reload()
        reloaded.wait_for_selector(".critique")
        until_over(stayed)
        until_over(reloaded)
        with browser.page() as late:
            watch(late, one)
            until_over(late)
            assert transcript(stayed) == transcript(reloaded) == transcript(late)
            return f"{len(transcript(late))} characters, three times the same"


@check
def gateway_killed(browser):
    """a gateway killed in mid-debate is seen, and nothing of the page is drawn anew, lost or said twice"""
    scenario(panel.scenario(token_ms=30, latency_ms=400))
    one = debate()
    with browser.page(allow=("WebSocket",)) as page:
        watch(page, one)
        page.wait_for_selector(".link-state.live")
        page.wait_for_selector(".ballot")
        page.evaluate("window.__kept = document.querySelector('.seat'); window.__kept.mark = 1")
        service("crash", "ws-gateway")
        page.wait_for_selector(".link-state.waiting, .link-state.polling")
        seen = page.locator(".link-state").inner_text()
        service("start", "ws-gateway")
        service("wait", "ws-gateway")
        page.wait_for_selector(".link-state.live, .decision", timeout=40_000)
        until_over(page, 90_000)
        assert page.evaluate("document.querySelector('.seat') === window.__kept && window.__kept.mark === 1"), "it was drawn anew"
        with browser.page() as late:
            watch(late, one)
            until_over(late)
            assert transcript(page) == transcript(late)
        return f"“{seen}”"


@check
def take_part(browser):
    """pause, resume, a remark and a constraint reach the debate; a cancel asks first, and ends it"""
    scenario(panel.scenario(token_ms=25, latency_ms=500))
    one = debate(rounds=6)
    with browser.page() as page:
        watch(page, one)
        page.wait_for_selector(".is-writing")
        page.get_by_role("button", name="Pause").click()
        expect(page.locator(".debate-head .badge.paused")).to_be_visible()
        page.get_by_role("button", name="Resume").click()
        expect(page.locator(".debate-head .badge.live")).to_be_visible()
        page.get_by_label("Remark for the panel").fill("Think of <b>backups</b>.")
        page.get_by_label("Must be met").check()
        page.get_by_role("button", name="Add remark").click()
        expect(page.locator(".note.person")).to_contain_text("Think of <b>backups</b>.")
        page.get_by_role("button", name="Cancel").click()
        page.get_by_role("button", name="Keep it").click()
        assert api("GET", f"/debates/{one}")["status"] in ("running", "in_progress")
        page.get_by_role("button", name="Cancel").click()
        page.get_by_role("button", name="Cancel it").click()
        until_over(page)
        expect(page.locator(".decision")).to_contain_text("Ended without a decision")
        assert api("GET", f"/debates/{one}")["status"] == "cancelled"
        assert page.locator(".side-card", has_text="Take part").is_hidden()


@check
def failures_shown(browser):
    """a provider that fails is shown failing, and the debate goes on without it"""
    broken = {"model": "gpt*", "fault": {"kind": "status", "status": 400, "message": "no"}}
    scenario(panel.scenario(token_ms=1, latency_ms=1, rules=[broken]))
    with browser.page() as page:
        watch(page, debate(rounds=1))
        until_over(page)
        log = [event for event in events(page.url.rsplit("/", 1)[1]) if event["type"] in ("agent_error", "agent_fallback_triggered")]
        assert log and page.locator(".trouble").count() == len([event for event in log])
        expect(page.locator(".trouble").first).to_contain_text("openai-1")


@check
def fallback_shown(browser):
    """an agent whose provider's account is empty is seen to be stood in for, by whom and why, and the debate has its answers"""
    # Only the workers call models while there are any: this one has an account at OpenRouter.
    worker = another("debate-worker-1", OPENROUTER_API_KEY="simulated", OPENROUTER_BASE_URL=f"{SIMULATOR}/v1")
    try:
        service("stop", "debate-worker-1")
        scenario(panel.scenario(token_ms=1, latency_ms=1, rules=[{"model": "gpt*", "fault": {"kind": "status", "status": 402, "message": "no credit"}}]))
        for _ in range(100):
            if any(one["kind"] == "worker" and one["status"] == "live" for one in api("GET", "/queue/workers")["workers"]):
                break
            time.sleep(0.1)
        with browser.page() as page:
            watch(page, debate(rounds=1))
            until_over(page)
            log = events(page.url.rsplit("/", 1)[1])
            stood = [event["data"] for event in log if event["type"] == "agent_fallback_triggered"]
            assert stood and page.locator(".trouble", has_text="is stood in for").count() == len(stood)
            for text in (stood[0]["original_agent"], stood[0]["fallback_agent"]):
                expect(page.locator(".trouble").first).to_contain_text(text)
            return f"{len(stood)} times {stood[0]['fallback_agent']}"
    finally:
        worker.terminate()
        worker.wait()
        service("start", "debate-worker-1")
        service("wait", "debate-worker-1")


@check
def minds_changed(browser):
    """who changed their mind is said where they vote, and drawn in the decision, as the API counts it"""
    ballot = lambda choice, confidence: f"CHOICE: {choice}\nCONFIDENCE: {confidence}\nCONTINUE: no\nREASONING: For a reason."
    votes = [{"model": "gpt*", "prompt": "CHOICE:", "nth": 1, "answer": ballot("gpt", 0.6)}, {"model": "gpt*", "prompt": "CHOICE:", "answer": ballot("claude", 0.8)},
             {"model": "gemini*", "prompt": "CHOICE:", "answer": ballot("gemini", 0.7)}, {"model": "claude*", "prompt": "CHOICE:", "answer": ballot("claude", 0.9)}]
    scenario(panel.scenario(token_ms=1, latency_ms=1, rules=votes))
    agents = [{"provider": "anthropic", "name": "claude"}, {"provider": "openai", "name": "gpt"}, {"provider": "gemini", "name": "gemini"}]
    one = debate(agents=agents, rounds=1)
    with browser.page() as page:
        watch(page, one)
        until_over(page)
        changes = api("GET", f"/debates/{one}")["insight"]["mind_changes"]
        assert [change["agent"] for change in changes] == ["gpt"], changes
        ballots = page.locator(".ballot", has=page.locator(".changed"))
        expect(ballots).to_have_count(1)
        expect(ballots).to_contain_text("changed from gpt")
        assert page.locator(".helped .moved").count() == 1
        expect(page.locator(".helped svg")).to_have_attribute("aria-label", "Sealed votes and last votes: 1 of 3 moved.")
        expect(page.locator(".views")).to_contain_text("gemini")


@check
def still(browser):
    """who asked for less motion gets none: nothing moves by itself while a debate runs, and nothing is scrolled softly"""
    scenario(panel.scenario(token_ms=20, latency_ms=300))
    one = debate()
    moving = "() => document.getAnimations().filter((one) => one.playState === 'running' && one.effect.getComputedTiming().endTime > 20).map((one) => one.animationName ?? String(one))"
    with browser.page() as lively, browser.page(reduced=True) as page:
        page.add_init_script("window.__soft = []; const real = Element.prototype.scrollIntoView; Element.prototype.scrollIntoView = function (wish) { if (wish?.behavior === 'smooth') __soft.push(1); return real.call(this, wish); }")
        for view in (lively, page):
            watch(view, one)
            view.wait_for_selector(".is-writing")
        assert lively.evaluate(moving), "nothing moves for anybody: this check says nothing"
        for _ in range(5):
            assert not page.evaluate(moving), page.evaluate(moving)
            page.wait_for_timeout(300)
        until_over(page)
        assert not page.evaluate("window.__soft.length")


@check
def receipt_and_tampering(browser):
    """the browser proves a receipt, and names what was changed in a tampered one"""
    scenario(panel.scenario(token_ms=1, latency_ms=1))
    one = debate()
    with browser.page() as page:
        watch(page, one)
        until_over(page)
        page.get_by_role("link", name="Verify the receipt").click()
        expect(page.locator(".verdict")).to_have_attribute("data-state", "good")
        names = page.locator(".checks li.good").evaluate_all("list => list.map((item) => item.dataset.check)")
        assert names == ["checksum", "signature", "chain", "bound", "log"], names
        receipt = api("GET", f"/debates/{one}/receipt")["receipt_id"]
        bundle = api("GET", f"/receipts/{receipt}/bundle")

        def verdict(change, name):
            copy = json.loads(json.dumps(bundle))
            change(copy)
            text = json.dumps(copy, separators=(",", ":"), ensure_ascii=False)
            page.locator("#receipt-file").set_input_files({"name": f"{name}.json", "mimeType": "application/json", "buffer": text.encode()})
            expect(page.get_by_text(f"Checked: {name}.json")).to_be_visible()
            expect(page.locator(".verdict")).not_to_have_attribute("data-state", "waiting")
            bad = page.locator(".checks li.bad").evaluate_all("list => list.map((item) => item.dataset.check)")
            return page.locator(".verdict").get_attribute("data-state"), bad

        message = next(index for index, event in enumerate(bundle["events"]) if event["type"] == "agent_message")
        def say(file): file["events"][message]["data"]["content"] += "!"
        def drop(file): del file["events"][message]
        def swap(file): file["events"][3], file["events"][4] = file["events"][4], file["events"][3]
        def answer(file): file["receipt"]["final_answer"] = "The other one."
        def resign(file): file["receipt"]["verification"]["ed25519"]["signature"] = file["receipt"]["verification"]["redacted"]["ed25519"]
        def place(file): file["log"]["leaf_index"] = 0 if file["log"]["leaf_index"] else 1
        assert verdict(lambda file: None, "same") == ("good", [])
        for change, expected in ((say, "chain"), (drop, "chain"), (swap, "chain"), (answer, "checksum"), (resign, "signature"), (place, "log")):
            state, bad = verdict(change, change.__name__)
            assert state == "bad" and expected in bad, f"{change.__name__}: {state}, {bad}"
        # What the server sends is trusted no more than a file.
        page.route("**/bundle", lambda route: route.fulfill(body=json.dumps(bundle).replace("Postgres", "Oracle"), content_type="application/json"))
        page.reload()
        expect(page.locator(".verdict")).to_have_attribute("data-state", "bad")
    with browser.page() as page:
        page.add_init_script("const real = crypto.subtle.importKey.bind(crypto.subtle); crypto.subtle.importKey = (form, data, way, ...rest) => way.name === 'Ed25519' ? Promise.reject(new DOMException('no', 'NotSupportedError')) : real(form, data, way, ...rest)")
        page.goto(f"{BASE}/debates/{one}/receipt")
        expect(page.locator(".verdict")).to_have_attribute("data-state", "unknown")
        expect(page.locator(".checks")).to_contain_text("can not check Ed25519")
    return f"{len(bundle['events'])} events; 7 changes found"


FORBIDDEN = "script, style, iframe, img, object, embed, link, form[action], [onclick], [onerror], [onload], a[href^='javascript'], a[href^='data']"


@check
def single_sign_on(browser):
    """somebody signs in at an OpenID provider and comes back to where they wanted to go; a stranger's answer opens nothing"""
    provider = os.environ["ARAGORA_SSO_ISSUER_URL"]
    person = json.dumps({"email": "grace@example.org", "email_verified": True, "name": "Grace Hopper"}).encode()
    OPENER.open(urllib.request.Request(f"{provider}/users/grace", method="PUT", data=person, headers={"Content-Type": "application/json"}), timeout=10)
    # What the browser says of an answer that is refused, of the provider's own page, and of a name without TLS.
    with browser.page(token=None, allow=("400", "404", "ERR_NAME_NOT_RESOLVED", "Cross-Origin-Opener-Policy")) as page:
        page.goto(f"{NAMED}/account")
        page.get_by_role("link", name="Sign in with single sign-on").click()
        page.wait_for_url(f"{provider}/**")
        page.locator("input[name=sub]").fill("grace")
        sent = []
        page.on("request", lambda request: sent.append(request.url) if request.is_navigation_request() else None)
        page.locator("button[value=authorize], button").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Account")
        expect(page.locator(".account a")).to_have_text("Grace Hopper")
        assert page.url == f"{NAMED}/account", page.url
        answer = next(url for url in sent if url.startswith(f"{NAMED}/signin?") and "code=" in url)
        # Signing out forgets her, in another tab too.
        other = page.context.new_page()
        other.goto(f"{NAMED}/account")
        expect(other.locator("main")).to_contain_text("grace@example.org")
        page.get_by_role("button", name="Sign out", exact=True).click()
        page.wait_for_url("**/signin")
        expect(other.get_by_role("heading", level=1)).to_have_text("Sign in")
        assert "grace" not in page.content() + other.content() and page.evaluate("localStorage['aragora.session']") is None
        # The answer of the provider was good once.
        page.goto(answer)
        expect(page.locator(".toast")).to_contain_text("The provider’s answer was not accepted.")
        assert "code=" not in page.url and page.evaluate("localStorage['aragora.session']") is None


@check
def passwords(browser):
    """a password is hidden until its owner wants to see it, may be pasted, and is what password managers know"""
    with browser.page(token=None) as page:
        page.goto(f"{BASE}/signin")
        field = page.get_by_label("Password")
        field.focus()
        prevented = page.evaluate("""() => {
            const event = new ClipboardEvent('paste', { clipboardData: new DataTransfer(), bubbles: true, cancelable: true });
            return !document.activeElement.dispatchEvent(event);
        }""")
        assert not prevented and field.get_attribute("autocomplete") == "current-password" and field.get_attribute("type") == "password"
        field.fill("a good long password")
        page.get_by_role("button", name="Show").first.click()
        assert field.get_attribute("type") == "text"
    with browser.page(token=None) as page:
        for view in ("register", "reset"):
            page.goto(f"{BASE}/signin?do={view}")
            assert page.locator("input[type=password]").get_attribute("autocomplete") == "new-password"


@check
def names_of_objects(browser):
    """names that mean something to JavaScript are names: nothing of the language itself is changed"""
    scenario(panel.scenario(token_ms=1, latency_ms=1))
    agents = [{"provider": "anthropic", "name": "__proto__"}, {"provider": "openai", "name": "constructor"}, {"provider": "gemini", "name": "toString"}]
    with browser.page(allow=("422", "400")) as page:
        watch(page, debate(agents=agents, rounds=1))
        until_over(page)
        expect(page.locator(".transcript")).to_contain_text("__proto__")
        page.goto(BASE)
        refusal = '{"error":"no","code":"validation_error","errors":[{"field":"__proto__","message":"polluted"}],"__proto__":{"polluted":1}}'
        page.route("**/debates", lambda route: route.fulfill(status=422, body=refusal, content_type="application/json") if route.request.method == "POST" else route.continue_())
        page.get_by_label("Question").fill(QUESTION)
        page.get_by_role("button", name="Start the debate").click()
        expect(page.get_by_role("alert").first).to_be_visible()
        assert page.evaluate("Object.keys(Object.prototype).length === 0 && ({}).polluted === undefined && ({}).message === undefined")


@check
def hostile_text(browser):
    """whatever models and people write is text: nothing runs, loads, or reorders what stands around it"""
    scenario(panel.hostile())
    specs = [{"provider": name, "persona": panel.HOSTILE[:200], "name": f"<i>{name}\u202e</i>"} for name in PANEL]
    try:
        one = api("POST", "/debates", {"question": panel.HOSTILE, "context": panel.HOSTILE, "rounds": 1, "agents": specs})["debate_id"]
    except Exception:
        one = api("POST", "/debates", {"question": panel.HOSTILE, "context": panel.HOSTILE, "rounds": 1, "agents": PANEL})["debate_id"]
    asked = []
    with browser.page() as page:
        page.on("request", lambda request: asked.append(request.url))
        for path in (f"/debates/{one}", f"/debates/{one}/receipt", "/", "/debates"):
            page.goto(BASE + path)
            if path.endswith(one):
                until_over(page)
            page.wait_for_selector("h1")
            page.wait_for_timeout(300)
            assert page.evaluate("window.__pwned") is None, f"{path}: a script ran"
            assert page.locator(f"#app :is({FORBIDDEN})").count() == 0, f"{path}: " + page.locator(f"#app :is({FORBIDDEN})").first.evaluate("node => node.outerHTML")
            assert page.evaluate("!/[\u202a-\u202e\u2066-\u2069]/.test(document.body.textContent)"), f"{path}: a text may reorder another"
            if path.endswith(one):
                assert "<script>" in transcript(page) and "‹U+202E›" in transcript(page)
                hrefs = set(page.locator(".transcript a").evaluate_all("list => list.map((link) => link.getAttribute('href') + ' ' + link.rel)"))
                assert all(link.startswith("https://evil.example/login") and "noopener" in link for link in hrefs), hrefs
                expect(page.locator(".transcript .host").first).to_have_text("(evil.example)")
        assert all(url.startswith(BASE) or url.startswith("blob:") for url in asked), [url for url in asked if not url.startswith(BASE)]


@check
def enormous_text(browser):
    """a line of a megabyte, deep nesting and ten thousand items stop nothing"""
    with browser.page() as page:
        page.goto(f"{BASE}/signin")
        page.wait_for_selector("form")
        dom = page.locator("link[rel=modulepreload]").first.get_attribute("href").replace("dom.js", "markdown.js")
        times = page.evaluate("""async (path) => {
            const { markdown } = await import(path);
            const texts = { line: 'x'.repeat(1 << 20), words: 'word '.repeat(200000), quotes: '> '.repeat(10000) + 'deep', items: '- a\\n'.repeat(10000),
                stars: '*'.repeat(50000), brackets: '[('.repeat(25000), ticks: '`'.repeat(50000), nested: Array.from({ length: 500 }, (_, index) => ' '.repeat(index) + '- x').join('\\n') };
            const times = {};
            for (const [name, text] of Object.entries(texts)) {
                const began = performance.now();
                const node = markdown(text);
                document.querySelector('main').append(node);
                node.getBoundingClientRect();
                times[name] = Math.round(performance.now() - began);
                node.remove();
            }
            return times;
        }""", dom)
        assert max(times.values()) < 2000, times
        return ", ".join(f"{name} {milliseconds} ms" for name, milliseconds in times.items())


@check
def phone(browser):
    """every view fits 360 pixels, in both themes, and can be used there"""
    scenario(panel.scenario(token_ms=1, latency_ms=1))
    one = debate()
    with browser.page(width=360, height=740, has_touch=True, is_mobile=True) as page:
        watch(page, one)
        until_over(page)
        for path in (f"/debates/{one}", f"/debates/{one}/receipt", "/", "/signin", "/debates", "/leaderboard"):
            page.goto(BASE + path)
            page.wait_for_selector("h1")
            page.wait_for_timeout(300)
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{path} is {wide} px too wide"
        page.goto(BASE)
        page.get_by_label("Question").fill("Does this work on a phone?")
        page.get_by_role("button", name="Start the debate").tap()
        page.wait_for_url("**/debates/dbt_*")
        until_over(page)


CONTRAST = """() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const rgb = (text) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
    const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (node) => { for (let one = node; one; one = one.parentElement) { const colour = rgb(getComputedStyle(one).backgroundColor); if (colour[3] > 250) return colour; } return rgb('white'); };
    const found = [];
    for (const node of document.querySelectorAll('main *, header *')) {
        const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
        if (!own || !node.checkVisibility() || node.closest('.unseen, [disabled], svg, .has-failed')) continue;
        const [one, other] = [light(rgb(getComputedStyle(node).color)), light(behind(node))].sort((a, b) => b - a);
        const ratio = (one + 0.05) / (other + 0.05);
        if (ratio < 4.5) found.push(node.tagName + '.' + node.className + ' ' + node.textContent.slice(0, 20) + ' ' + ratio.toFixed(2));
    }
    return found;
}"""
NAMES = """() => [...document.querySelectorAll('main input:not([type=hidden]), main select, main textarea, button, a[href]')].filter((node) => node.checkVisibility() &&
    !(node.labels?.length || node.getAttribute('aria-label') || node.getAttribute('aria-labelledby') || node.textContent.trim())).map((node) => node.outerHTML.slice(0, 120))"""


@check
def accessible(browser):
    """landmarks, one heading of the first rank, a name for every control, contrast in both themes, and a live region that does not flood"""
    scenario(panel.scenario(token_ms=4, latency_ms=50))
    one = debate()
    with browser.page() as page:
        page.add_init_script("addEventListener('DOMContentLoaded', () => { window.__said = []; new MutationObserver((list) => { for (const change of list) if (change.target.matches?.('[role=status]')) __said.push(performance.now()); }).observe(document, { subtree: true, childList: true }); })")
        watch(page, one)
        until_over(page)
        said = page.evaluate("window.__said")
        gaps = [after - before for before, after in zip(said, said[1:])]
        assert said and (not gaps or min(gaps) > 900), f"spoken {len(said)} times, at least {min(gaps)} ms apart"
    for dark in (False, True):
        with browser.page(dark=dark) as page:
            for path in (f"/debates/{one}", f"/debates/{one}/receipt", "/", "/signin"):
                page.goto(BASE + path)
                if path.endswith(one):
                    until_over(page)
                page.wait_for_selector("h1")
                page.wait_for_timeout(500)
                for landmark in ("header", "nav", "main"):
                    assert page.locator(landmark).first.count() == 1, f"{path} has no {landmark}"
                assert page.locator("h1").count() == 1, f"{path} has {page.locator('h1').count()} h1"
                weak = page.evaluate(CONTRAST)
                assert not weak, f"{path}, {'dark' if dark else 'light'}: {weak[:4]}"
                unnamed = page.evaluate(NAMES)
                assert not unnamed, f"{path}: {unnamed[:3]}"
    return f"spoken {len(said)} times in a debate"


@check
def decide(browser):
    """the decision, replay at any speed, exports, a link for others, a follow-up and a fork"""
    scenario(panel.scenario(token_ms=1, latency_ms=1))
    one = debate()
    with browser.page(accept_downloads=True) as page:
        watch(page, one)
        until_over(page)
        record = api("GET", f"/debates/{one}")
        expect(page.locator(".helped")).to_contain_text(record["insight"]["sentence"])
        assert page.locator(".helped svg .flow").count() == 3
        before = transcript(page)
        page.get_by_role("button", name="Replay").click()
        page.get_by_label("Speed").select_option("100")
        expect(page.locator(".player output")).to_have_text(f"{len(events(one))} of {len(events(one))}", timeout=60_000)
        assert transcript(page) == before
        page.get_by_label("Event", exact=True).fill("6")
        assert page.locator(".decision").is_hidden() and page.locator(".saying").count() <= 3
        page.evaluate("document.querySelector('.round').scrollIntoView()")
        assert page.locator(".player").bounding_box()["y"] + page.locator(".player").bounding_box()["height"] <= 900, "the player is out of sight"
        assert page.locator(".side-card", has_text="Take part").is_hidden() and page.locator(".link-state").is_hidden(), "a replay can be taken part in"
        page.get_by_role("button", name="Close").click()
        assert transcript(page) == before
        for form in ("Markdown", "Web page", "JSON"):
            page.locator("summary", has_text="Export").click()
            with page.expect_download() as saved:
                page.get_by_role("button", name=form).click()
            assert saved.value.path().stat().st_size > 500
        page.get_by_role("button", name="Share").click()
        page.get_by_role("button", name="Make a link").click()
        link = page.get_by_label("The link").input_value()
        page.keyboard.press("Escape")
        with browser.page(token=None) as guest:
            guest.goto(link)
            until_over(guest)
            assert transcript(guest) == before and guest.get_by_role("button", name="Cancel").count() == 0
        page.get_by_role("button", name="Follow up").click()
        page.get_by_label("Your question").fill("Which managed Postgres, then?")
        page.get_by_role("button", name="Begin").click()
        page.wait_for_url(lambda url: "/debates/dbt_" in url and one not in url)
        until_over(page)
        expect(page.locator(".debate-head")).to_contain_text("an earlier debate")
        page.get_by_role("button", name="Fork").click()
        page.get_by_label("Context").fill("At most 300 dollars a month.")
        followed = page.url
        page.locator("dialog").get_by_role("button", name="Fork").click()
        page.wait_for_url(lambda url: url != followed)
        until_over(page)
        expect(page.locator(".debate-head")).to_contain_text("Context")


@check
def shared_live(browser):
    """who has a link and nothing else watches a debate that runs, word by word; by polling where no socket opens"""
    scenario(panel.scenario(token_ms=15, latency_ms=200))
    one = debate()
    token = api("POST", f"/debates/{one}/share", {})["token"]
    with browser.page(token=None) as guest, browser.page(token=None, allow=("WebSocket",)) as poor:
        asked, deltas = [], []
        guest.on("request", lambda request: asked.append((request.url, request.headers.get("authorization"))))
        guest.on("websocket", lambda socket: socket.on("framereceived", lambda frame: deltas.append(1) if "token_delta" in str(frame) else None))
        guest.goto(f"{BASE}/spectate/{token}")
        guest.wait_for_selector(".link-state.live")
        poor.route_web_socket("**/ws", lambda socket: socket.close())
        poor.goto(f"{BASE}/spectate/{token}")
        guest.wait_for_selector(".is-writing .writing p")
        poor.wait_for_selector(".link-state.polling")
        until_over(guest)
        until_over(poor)
        assert len(deltas) > 20, f"{len(deltas)} pieces of text came"
        assert not any(sent or "/events" in url for url, sent in asked), asked
        with browser.page() as owner:
            watch(owner, one)
            until_over(owner)
            assert transcript(owner) == transcript(guest) == transcript(poor)
        api("POST", f"/debates/{one}/share/revoke", {})
    with browser.page(token=None, allow=("404", "view failed")) as guest:
        guest.goto(f"{BASE}/spectate/{token}")
        expect(guest.locator("h1")).to_have_text("Not found")
    return f"{len(deltas)} pieces of text"


@check
def shared_revoked(browser):
    """a link that is revoked shows nothing more to those who watch by it: not by the socket, and not by polling"""
    scenario(panel.scenario(token_ms=40, latency_ms=500))
    one = debate(rounds=4)
    token = api("POST", f"/debates/{one}/share", {})["token"]
    with browser.page(token=None) as guest, browser.page(token=None, allow=("WebSocket", "404")) as poor, browser.page() as owner:
        poor.route_web_socket("**/ws", lambda socket: socket.close())
        watch(owner, one)
        for page in (guest, poor):
            page.goto(f"{BASE}/spectate/{token}")
        guest.wait_for_selector(".link-state.live")
        poor.wait_for_selector(".link-state.polling")
        began = time.monotonic()
        api("POST", f"/debates/{one}/share/revoke", {})
        guest.wait_for_selector(".link-state.refused")
        took = time.monotonic() - began
        expect(guest.locator(".link-state")).to_have_text("This link has expired, or was revoked.")
        poor.wait_for_selector(".link-state.refused")
        left = [transcript(page) for page in (guest, poor)]
        owner.wait_for_timeout(2500)
        assert owner.locator(".link-state.live").count() == 1 and [transcript(page) for page in (guest, poor)] == left
        assert took < 4, f"{took:.1f} s"
    api("POST", f"/debates/{one}/cancel")
    return f"after {took:.1f} s"


def another(name, **settings):
    """A second process like a member of the stack, on ports of its own; `settings` besides what that one has."""
    pid = subprocess.run([f"{ROOT}/scripts/service.sh", "pid", name], check=True, capture_output=True, text=True, env=os.environ).stdout.strip()
    own = dict(part.split("=", 1) for part in pathlib.Path(f"/proc/{pid}/environ").read_text().split("\0") if "=" in part)
    own |= {"ARAGORA_PORT": "0", "ARAGORA_METRICS_PORT": "0"} | settings
    own.pop("ARAGORA_PID_FILE", None)
    return subprocess.Popen([os.readlink(f"/proc/{pid}/exe")], env=own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@check
def replicas(browser):
    """Health lists each of two api replicas and two workers; one that is killed is lost and stays listed, one that is stopped is gone"""
    api_too, worker_too = another("api"), another("debate-worker-1")
    try:
        with browser.page() as page:
            page.goto(f"{BASE}/admin/health")
            table = page.get_by_role("region", name="Replicas", exact=True).locator("tbody tr")
            card = lambda name: page.locator(f".services [data-service={name}]")
            for name in ("api", "debate-worker"):
                expect(card(name)).to_contain_text("2 ready", timeout=30_000)
            for name in ("ws-gateway", "backup"):
                expect(card(name)).to_contain_text("1 ready")
            row = lambda process: table.filter(has_text=f"process {process.pid},")
            expect(row(api_too)).to_contain_text("Ready")
            listed = api("GET", "/health/replicas")
            # A gateway that an earlier check killed may be among them.
            expect(table).to_have_count(listed["total"])
            assert listed["total"] - sum(one["status"] == "lost" for one in listed["replicas"]) == 6 and listed["register"] == "shared"
            assert [one["service"] for one in listed["replicas"] if one["answers"]] == ["api"]
            worker_too.kill()
            api_too.terminate()
            expect(row(worker_too)).to_contain_text("Lost", timeout=40_000)
            expect(row(worker_too)).to_contain_text("silent for")
            expect(card("debate-worker")).to_contain_text("1 ready")
            expect(card("debate-worker")).to_contain_text(" lost")
            expect(card("api")).to_contain_text("1 ready")
            assert row(api_too).count() == 0 and api_too.wait(20) == 0
    finally:
        for process in (api_too, worker_too):
            process.kill()
            process.wait()


@check
def panel_chosen(browser):
    """provider, model and role of each agent are chosen; a model that nobody listed can be named; the estimate and the debate follow"""
    scenario(panel.scenario(token_ms=1, latency_ms=1))
    with browser.page() as page:
        page.goto(BASE)
        seats = page.locator(".seat-row")
        expect(seats).to_have_count(3)
        page.get_by_label("Question").fill(QUESTION)
        figure = page.locator(".ask-side .figure")
        expect(figure).to_contain_text("$")
        priced = [one for one in api("GET", "/models")["models"] if one["provider"] == "openai"]
        seats.nth(0).get_by_label("Provider").select_option("openai")
        usual = next(one["model"] for one in priced if one["default"])
        expect(seats.nth(0).get_by_label("Model")).to_have_value(usual)
        offered = seats.nth(0).locator("datalist option").evaluate_all("list => list.map((option) => option.value)")
        assert [one["model"] for one in priced] == offered[:len(priced)] and len(offered) > 5, offered
        before = figure.inner_text()
        seats.nth(0).get_by_label("Model").fill("gpt-5.5-pro")
        expect(page.locator(".ask-side table")).to_contain_text("gpt-5.5-pro")
        assert figure.inner_text() != before
        seats.nth(1).get_by_label("Model").fill("gpt-nobody-listed")
        seats.nth(1).get_by_label("Provider").select_option("openai")
        seats.nth(1).get_by_label("Model").fill("gpt-nobody-listed")
        expect(page.locator(".ask-side table")).to_contain_text("price assumed")
        seats.nth(1).get_by_label("Role").select_option("critic")
        seats.nth(2).get_by_label("Model").fill("")
        page.get_by_label("Rounds").fill("1")
        page.get_by_role("button", name="Start the debate").click()
        page.wait_for_url("**/debates/dbt_*")
        start = events(page.url.rsplit("/", 1)[1])[0]["data"]
        chosen = [(one["provider"], one["model"], one["role"]) for one in start["agent_specs"]]
        assert chosen[0][:2] == ("openai", "gpt-5.5-pro") and chosen[1] == ("openai", "gpt-nobody-listed", "critic"), chosen
        assert chosen[2][1], chosen
        until_over(page)
        page.goto(BASE)
        expect(page.locator(".seat-row").nth(0).get_by_label("Model")).to_have_value("gpt-5.5-pro")
    return f"{len(offered)} models offered"


def totp(secret):
    counter = struct.pack(">Q", int(time.time()) // 30)
    digest = hmac.digest(base64.b32decode(secret + "=" * (-len(secret) % 8)), counter, "sha1")
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


@check
def sign_in(browser):
    """without a credential one is asked for it and brought back; by token, by password, and by a second factor"""
    scenario(panel.scenario(token_ms=1, latency_ms=1))
    one = debate(rounds=1)
    with browser.page(token=None, allow=("401",)) as page:
        page.goto(f"{BASE}/debates/{one}?from=mail")
        page.wait_for_url("**/signin?next=*")
        page.get_by_text("Use an API key").click()
        page.get_by_label("Key or token").fill("wrong")
        page.get_by_role("button", name="Use it").click()
        expect(page.get_by_role("alert").last).to_contain_text("does not know this key")
        page.get_by_label("Key or token").fill(TOKEN)
        page.get_by_role("button", name="Use it").click()
        page.wait_for_url(f"**/debates/{one}?from=mail")
    with browser.page(token=None) as page:
        page.goto(f"{BASE}/signin#token={TOKEN}")
        page.wait_for_selector("form.ask")
        assert "token" not in page.url
    email, password = f"web{int(time.time())}@example.org", "a good long password"
    access = api("POST", "/auth/register", {"email": email, "password": password}, token=None)["tokens"]["access_token"]
    with browser.page(token=None, allow=("401",)) as page:
        page.goto(f"{BASE}/signin")
        page.get_by_label("Email").fill(email)
        page.get_by_label("Password").fill("not this one, no")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert").first).to_contain_text("Invalid email or password")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector("form.ask")
        expect(page.locator(".account")).to_contain_text(email.split("@")[0])
        # An access token that has expired is renewed without a word.
        page.evaluate("""() => { const kept = JSON.parse(localStorage['aragora.session']); kept.access = kept.access.slice(0, -4) + 'AAAA'; localStorage['aragora.session'] = JSON.stringify(kept); }""")
        page.reload()
        page.wait_for_selector("form.ask")
    try:
        setup = api("POST", "/auth/mfa/setup", {}, token=access)
    except Exception as error:
        return f"without a second factor: {error}"
    secret = setup["secret"]
    api("POST", "/auth/mfa/enable", {"code": totp(secret)}, token=access)
    with browser.page(token=None, allow=("400", "401")) as page:
        page.goto(f"{BASE}/signin")
        page.get_by_label("Email").fill(email)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        code = page.get_by_label("Code")
        code.fill("000000")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("alert").first).to_be_visible()
        while int(time.time()) // 30 == counter_of(setup):
            page.wait_for_timeout(500)
        code.fill(totp(secret))
        page.get_by_role("button", name="Continue").click()
        page.wait_for_selector("form.ask")


def counter_of(setup, began=int(time.time()) // 30):
    """The step whose code enabling took: each code is good once."""
    return setup.setdefault("step", int(time.time()) // 30)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", default=[])
    given = parser.parse_args()
    failed = 0
    with sync_playwright() as playwright:
        browser = Browser(playwright)
        for function in CHECKS:
            if given.only and function.__name__ not in given.only:
                continue
            began = time.monotonic()
            try:
                note = function(browser)
                print(f"  ok    {function.__doc__} ({f'{note}; ' if note else ''}{time.monotonic() - began:.1f} s)", flush=True)
            except Exception as error:
                failed += 1
                where = traceback.extract_tb(error.__traceback__)
                line = next((frame.lineno for frame in reversed(where) if frame.filename == __file__), 0)
                print(f"  FAIL  {function.__name__}: {function.__doc__}\n        line {line}: {str(error)[:900]}", flush=True)
    print(f"\n{len(given.only or CHECKS) - failed} checks passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
