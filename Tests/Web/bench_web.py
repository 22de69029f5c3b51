#!/usr/bin/env python3
"""Holds one page on a debate of ten agents that stream 200 tokens a second, and measures its process: bench_web.py SECONDS.

The page's process is the browser's renderer: its processor time by the browser's own count, its memory as the share of it that
is its own (PSS), which rises and falls as the browser collects its garbage: the middle of all samples counts, the highest is told.
Exit code 0 when both stay below 25 % of a core and 150 MB."""
import pathlib, random, re, statistics, sys, time

from playwright.sync_api import sync_playwright

import panel
from stack import Browser, api, debate, scenario, watch

AGENTS, TOKENS_A_SECOND, CORE, MEGABYTES = 10, 200, 0.25, 150


def renderers(session):
    found = [one for one in session.send("SystemInfo.getProcessInfo")["processInfo"] if one["type"] == "renderer"]
    return {one["id"]: one["cpuTime"] for one in found}


def own_megabytes(process):
    text = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1]) / 1024


def speeches(words):
    """Positions with other words in each round: those that resemble one another would end the debate."""
    chance = random.Random(1)
    for round_number in range(8):
        for model, seats in (("claude", 4), ("gpt", 3), ("gemini", 3)):
            for task in ("PROPOSE", "REVISE"):
                text = " ".join("".join(chance.choices("abcdefghijklmnoprstuvw", k=chance.randint(2, 8))) for _ in range(words))
                calls = [seats * round_number + number for number in range(1, seats + 1)]
                yield {"model": model + "*", "prompt": f"TASK: {task}", "nth": calls, "answer": text}


def main(seconds):
    # Ten answers at once, each with a tenth of the tokens, for a minute each: longer ones would run into the calls' own limit.
    scenario({"seed": 1, "token_interval": panel.fixed(1000 * AGENTS / TOKENS_A_SECOND), "rules": list(speeches(60 * TOKENS_A_SECOND // AGENTS))})
    one = debate(agents=(["anthropic", "openai", "gemini"] * 4)[:AGENTS], rounds=12, timeout_seconds=86_400)
    with sync_playwright() as playwright:
        browser = Browser(playwright)
        control = browser.chromium.new_browser_cdp_session()
        with browser.page() as page:
            pieces = []
            page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: pieces.append(str(frame).count("\"token_delta\""))))
            inside = page.context.new_cdp_session(page)
            inside.send("Performance.enable")
            watch(page, one)
            page.wait_for_selector(".is-writing .writing p", timeout=60_000)
            began, before, samples = time.monotonic(), renderers(control), []
            while time.monotonic() - began < seconds:
                page.wait_for_timeout(min(15_000, 1000 * seconds / 4))
                now = renderers(control)
                passed = time.monotonic() - began
                share = max(now[one] - before.get(one, 0) for one in now) / passed
                memory = max(own_megabytes(one) for one in now)
                samples.append(memory)
                metrics = {item["name"]: item["value"] for item in inside.send("Performance.getMetrics")["metrics"]}
                size = page.evaluate("document.querySelector('.transcript').textContent.length")
                print(f"  {passed:5.0f} s  {100 * share:5.1f} % of a core  {memory:6.1f} MB ({metrics['JSHeapUsedSize'] / 1e6:.0f} MB heap, {metrics['Nodes']:.0f} nodes)  {size} characters shown  {sum(pieces) / passed:.0f} pieces a second", flush=True)
    api("POST", f"/debates/{one}/cancel")
    middle, peak = statistics.median(samples), max(samples)
    holds = share < CORE and middle < MEGABYTES
    print(f"{'holds' if holds else 'DOES NOT HOLD'}: {100 * share:.1f} % of a core (at most {100 * CORE:.0f}), {middle:.0f} MB (at most {MEGABYTES}; "
          f"{peak:.0f} at its highest, {samples[-1]:.0f} at the end), {seconds} s")
    sys.exit(0 if holds else 1)


main(int(sys.argv[1]))
