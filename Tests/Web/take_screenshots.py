#!/usr/bin/env python3
"""Takes every view, light and dark, wide and narrow: take_screenshots.py FOLDER. See scripts/check-web.sh."""
import pathlib, sys, time

from PIL import Image
from playwright.sync_api import sync_playwright

import panel
from stack import BASE, PANEL, QUESTION, Browser, api, debate, scenario, until_over, watch

FORMS = [("wide-light", dict(width=1280, height=860, dark=False)), ("wide-dark", dict(width=1280, height=860, dark=True)),
         ("narrow-light", dict(width=360, height=760, dark=False, is_mobile=True, has_touch=True, device_scale_factor=1.5)),
         ("narrow-dark", dict(width=360, height=760, dark=True, is_mobile=True, has_touch=True, device_scale_factor=1.5))]


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    # Votes that differ make a better picture than those that the simulator makes up: Claude's position wins, Gemini dissents.
    votes = [{"model": "gemini*", "prompt": "CHOICE:", "answer": "CHOICE: gemini\nCONFIDENCE: 0.72\nCONTINUE: no\nREASONING: Nobody has answered what happens to reporting when documents and tables disagree."},
             {"model": "gpt*", "prompt": "CHOICE:", "nth": 1, "answer": "CHOICE: gpt\nCONFIDENCE: 0.64\nCONTINUE: yes\nREASONING: A schema that follows the code is one thing less to discuss."},
             {"model": "gpt*", "prompt": "CHOICE:", "answer": "CHOICE: claude\nCONFIDENCE: 0.81\nCONTINUE: no\nREASONING: The criticism of migrations counted their price and not their use; this position counts both."},
             {"model": "claude*", "prompt": "CHOICE:", "answer": "CHOICE: claude\nCONFIDENCE: 0.86\nCONTINUE: no\nREASONING: It names the line at which the decision is reviewed, and the way back costs days."}]
    agents = [{"provider": "anthropic", "name": "claude"}, {"provider": "openai", "name": "gpt", "role": "critic"}, {"provider": "gemini", "name": "gemini", "role": "analyst"}]
    context = "Three people, one of whom has run Postgres for years. About 200 writes a second at peak."
    fields = dict(agents=agents, context=context, rounds=1)
    scenario(panel.scenario(token_ms=1, latency_ms=60, rules=votes))
    over = debate(**fields)
    # Its votes first: what others ask meanwhile would take the answers that are given once.
    while api("GET", f"/debates/{over}")["status"] != "completed":
        time.sleep(0.1)
    link = api("POST", f"/debates/{over}/share", {})["token"]
    for question in ("Should we move to a four-day week next quarter?", "Is it time to rewrite our billing service?"):
        api("POST", "/debates", {"question": question, "rounds": 1, "agents": PANEL})
    with sync_playwright() as playwright:
        browser = Browser(playwright)
        for name, form in FORMS:
            with browser.page(reduced=True, **form) as page:
                def take(view, whole=False):
                    page.wait_for_timeout(350)
                    path = folder / f"{view}-{name}.png"
                    page.screenshot(path=path, full_page=whole)
                    # 256 colours are enough for flat surfaces, and a third of the bytes.
                    Image.open(path).convert("RGB").quantize(256, kmeans=2, dither=Image.Dither.NONE).save(path, optimize=True)

                page.goto(BASE)
                page.get_by_label("Question").fill(QUESTION)
                page.wait_for_selector(".figure")
                page.wait_for_timeout(900)
                take("ask", "narrow" in name)
                watch(page, over)
                until_over(page)
                if "wide" in name:
                    page.set_viewport_size({"width": 1280, "height": 1180})
                take("decide")
                page.set_viewport_size({"width": form["width"], "height": form["height"]})
                page.locator(".round").first.scroll_into_view_if_needed()
                page.evaluate("document.querySelector('.round').scrollIntoView()")
                take("transcript")
                page.get_by_role("button", name="Replay").click()
                page.get_by_role("button", name="Pause").click()
                page.get_by_label("Event", exact=True).fill("12")
                take("replay")
                page.goto(f"{BASE}/debates/{over}/receipt")
                page.wait_for_selector(".verdict[data-state=good]")
                take("receipt")
                page.evaluate("localStorage.removeItem('aragora.session')")
                page.goto(f"{BASE}/signin")
                page.wait_for_selector("form")
                take("signin")
                page.goto(f"{BASE}/spectate/{link}")
                until_over(page)
                take("spectate")
            scenario(panel.scenario(token_ms=45, latency_ms=200, rules=votes))
            running = debate(**(fields | {"rounds": 3}))
            with browser.page(reduced=True, **form) as page:
                watch(page, running)
                page.wait_for_selector(".critique.is-writing, .critique .prose", timeout=60_000)
                page.wait_for_timeout(700)
                if "narrow" in name:
                    page.evaluate("document.querySelector('.round').scrollIntoView()")
                else:
                    page.evaluate("scrollTo(0, 0)")
                take("watch")
            api("POST", f"/debates/{running}/cancel")


main(pathlib.Path(sys.argv[1]))
