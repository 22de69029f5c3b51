#!/usr/bin/env python3
"""Creates debates through the front door and watches each over a WebSocket of its own until it ends, verifying the chain.

    viewers.py --base https://localhost --ca server.crt --debates 200 --rounds 6 [--status FILE] [--deadline 900]

A viewer that loses its connection comes back to whichever gateway answers and asks for the event after the last it has:
what it is sent must be exactly that one, with the hash that follows. The token is read from ARAGORA_API_TOKEN.
--status is rewritten every second with what is known so far. The last line of output is a JSON object.

Exit codes: 0 every debate completed and every chain holds, 1 not, 2 the deadline passed.
"""

import argparse
import asyncio
import collections
import hashlib
import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.request
import uuid

import websockets.asyncio.client
import websockets.exceptions

CREATED_PER_SECOND = 20  # nginx admits 30 requests a second from one address
REQUEST_SECONDS = 15
RECONNECT_SECONDS = 0.5
TIMEOUT_SECONDS = 1800
TERMINAL = "debate_end"


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class Debate:
    """One debate and what its viewer has seen of it."""

    def __init__(self, topic):
        self.topic, self.key, self.id = topic, str(uuid.uuid4()), None
        self.seq, self.hash = 0, b""
        self.status, self.violations, self.connections, self.epochs = None, [], 0, set()
        self.last_event, self.longest_silence = None, 0.0
        self.create_attempts = 0

    def created(self, identifier):
        self.id = identifier
        self.hash = hashlib.sha256(f"aragora:v1:{identifier}".encode()).digest()
        self.last_event = time.monotonic()

    def take(self, event):
        if event["seq"] != self.seq + 1:
            self.violations.append(f"{self.id}: event {event['seq']} came after {self.seq}")
            return
        data_hash = event.get("data_hash") or hashlib.sha256(
            bytes.fromhex(event["salt"]) + canonical(event["data"])).hexdigest()
        header = {"v": 1, "debate_id": self.id, "at": event["timestamp"], "data_hash": data_hash,
                  **{key: event[key] for key in ("agent", "epoch", "round", "seq", "type")}}
        self.hash = hashlib.sha256(self.hash + canonical(header)).digest()
        if event["hash"] != self.hash.hex():
            self.violations.append(f"{self.id}: the hash of event {event['seq']} does not follow")
        now = time.monotonic()
        self.longest_silence = max(self.longest_silence, now - self.last_event)
        self.last_event, self.seq = now, event["seq"]
        self.epochs.add(event["epoch"])
        if event["type"] == TERMINAL:
            self.status = event["data"]["status"]


class Crowd:
    def __init__(self, options):
        self.options = options
        self.token = os.environ["ARAGORA_API_TOKEN"]
        self.tls = ssl.create_default_context(cafile=options.ca)
        self.ws = options.base.replace("https:", "wss:").replace("http:", "ws:") + "/ws"
        self.debates = [Debate(f"{options.topic} ({number + 1})") for number in range(options.debates)]
        self.closings = collections.Counter()
        self.refusals = collections.Counter()
        self.began = time.monotonic()

    def post(self, debate):
        body = {"topic": debate.topic, "rounds": self.options.rounds, "agents": ["demo", "demo", "demo"],
                "timeout_seconds": TIMEOUT_SECONDS}
        request = urllib.request.Request(
            self.options.base + "/api/v1/debates", data=json.dumps(body).encode(), method="POST",
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json",
                     "Idempotency-Key": debate.key})
        with urllib.request.urlopen(request, timeout=REQUEST_SECONDS, context=self.tls) as answer:
            return json.load(answer)["debate_id"]

    async def create(self, debate):
        """Until it is created; the key makes every attempt the same request."""
        while debate.id is None:
            debate.create_attempts += 1
            try:
                debate.created(await asyncio.get_running_loop().run_in_executor(None, self.post, debate))
            except urllib.error.HTTPError as error:
                self.refusals[str(error.code)] += 1
                if error.code not in (429, 502, 503, 504):
                    raise
                await asyncio.sleep(1)
            except OSError as error:
                self.refusals[type(error).__name__] += 1
                await asyncio.sleep(1)

    async def watch(self, debate):
        while debate.status is None and not debate.violations:
            url = f"{self.ws}?debate_id={debate.id}&replay_from_seq={debate.seq + 1}"
            debate.connections += 1
            try:
                async with websockets.asyncio.client.connect(
                        url, ssl=self.tls if url.startswith("wss") else None, proxy=None, open_timeout=REQUEST_SECONDS,
                        additional_headers={"Authorization": f"Bearer {self.token}"}) as socket:
                    async for message in socket:
                        event = json.loads(message)
                        if event.get("type") == "warning" and event["data"].get("code") == "LOG_RESET":
                            debate.violations.append(f"{debate.id}: LOG_RESET after event {debate.seq}")
                        if "seq" in event:
                            debate.take(event)
                        if debate.status is not None or debate.violations:
                            return
                self.closings[str(socket.close_code)] += 1
            except websockets.exceptions.ConnectionClosed as closed:
                self.closings[str(closed.rcvd.code) if closed.rcvd else "cut"] += 1
            except websockets.exceptions.InvalidStatus as refused:
                self.closings[f"refused {refused.response.status_code}"] += 1
            except (OSError, websockets.exceptions.InvalidHandshake, TimeoutError, EOFError) as error:
                self.closings[type(error).__name__] += 1
            await asyncio.sleep(RECONNECT_SECONDS)

    async def live(self, debate, delay):
        await asyncio.sleep(delay)
        await self.create(debate)
        await self.watch(debate)

    def report(self):
        ended = [debate for debate in self.debates if debate.status]
        violations = [violation for debate in self.debates for violation in debate.violations]
        return {
            "seconds": round(time.monotonic() - self.began, 1),
            "debates": len(self.debates), "created": sum(debate.id is not None for debate in self.debates),
            "ended": dict(collections.Counter(debate.status for debate in ended)),
            "running": sum(debate.id is not None and debate.status is None for debate in self.debates),
            "events": sum(debate.seq for debate in self.debates),
            "violations": violations[:10], "violation_count": len(violations),
            "connections": sum(debate.connections for debate in self.debates), "closings": dict(self.closings),
            "create_attempts": sum(debate.create_attempts for debate in self.debates), "refusals": dict(self.refusals),
            "taken_over": sum(len(debate.epochs - {0}) > 1 for debate in self.debates),
            "longest_silence_s": round(max((debate.longest_silence for debate in self.debates), default=0), 1),
        }

    async def tell(self):
        while True:
            await asyncio.sleep(1)
            with open(self.options.status + ".new", "w") as file:
                json.dump(self.report(), file)
            os.replace(self.options.status + ".new", self.options.status)

    async def run(self):
        teller = asyncio.create_task(self.tell()) if self.options.status else None
        lives = [asyncio.create_task(self.live(debate, number / CREATED_PER_SECOND))
                 for number, debate in enumerate(self.debates)]
        _, late = await asyncio.wait(lives, timeout=self.options.deadline)
        for task in list(late) + ([teller] if teller else []):
            task.cancel()
        for task in set(lives) - late:
            task.result()
        return bool(late)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True)
    parser.add_argument("--ca")
    parser.add_argument("--debates", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--topic", default="What should be rewritten first?")
    parser.add_argument("--status")
    parser.add_argument("--deadline", type=float, default=900)
    crowd = Crowd(parser.parse_args())
    is_late = asyncio.run(crowd.run())
    report = crowd.report()
    print(json.dumps(report))
    if is_late:
        sys.exit(2)
    sys.exit(0 if report["ended"] == {"completed": report["debates"]} and not report["violation_count"] else 1)


main()
