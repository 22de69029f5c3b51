#!/usr/bin/env python3
"""Usage: check_sdk.py BASE_URL TOKEN [WS_URL]

Uses the official aragora-sdk, unmodified, as its own documentation says: the sync client, the async one and the streaming
one, for every path of the contract that must be there. What comes back is compared with what was asked for, and one
answer with another; that nothing was raised proves nothing.

Prints a line for each check. Exit codes: 0 all held, 1 one did not.
"""
import asyncio
import csv
import io
import json
import sys
import time
import urllib.request

import aragora_sdk
from aragora_sdk import AragoraAsyncClient, AragoraClient
from aragora_sdk.exceptions import (
    AragoraError,
    AuthenticationError,
    NotFoundError,
    ValidationError,
)
from aragora_sdk.websocket import AragoraWebSocket

BASE, TOKEN = sys.argv[1].rstrip("/"), sys.argv[2]
WS_URL = sys.argv[3] if len(sys.argv) > 3 else None
END_SECONDS = 60
failures = []
checks = 0


class Caller:
    """Calls a client of either kind: what has to be awaited is awaited, what has to be iterated is iterated."""

    def __init__(self, kind, client, loop=None):
        self.kind, self.client, self.loop = kind, client, loop

    def __call__(self, path, *args, **kwargs):
        target = self.client
        for name in path.split("."):
            target = getattr(target, name)
        value = target(*args, **kwargs)
        return self.loop.run_until_complete(value) if asyncio.iscoroutine(value) else value

    def all(self, path, *args, **kwargs):
        iterator = self(path, *args, **kwargs)
        if not hasattr(iterator, "__aiter__"):
            return list(iterator)

        async def collect():
            return [item async for item in iterator]

        return self.loop.run_until_complete(collect())

    def close(self):
        value = self.client.close()
        if asyncio.iscoroutine(value):
            self.loop.run_until_complete(value)


def expect(what, condition, shown=None):
    global checks
    checks += 1
    if condition:
        print(f"ok      {what}")
    else:
        failures.append(what)
        print(f"FAILED  {what}: {json.dumps(shown, default=str)[:600]}")


def expect_error(what, error, status, call):
    try:
        value = call()
    except AragoraError as caught:
        good = type(caught) is error and caught.status_code == status and caught.message and caught.trace_id
        expect(what, good, [type(caught).__name__, caught.status_code, str(caught)])
    else:
        expect(what, False, value)


def raw(path, token=TOKEN, method="GET"):
    """Non-JSON answers are not reachable through the typed methods."""
    request = urllib.request.Request(BASE + path, method=method)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.status, answer.headers, answer.read().decode()


def ended(call, debate):
    """The debate when it is over."""
    deadline = time.monotonic() + END_SECONDS
    while time.monotonic() < deadline:
        found = call("debates.get", debate)
        if found["status"] in ("completed", "failed", "cancelled", "timeout"):
            return found
        time.sleep(0.1)
    raise SystemExit(f"debate {debate} did not end in {END_SECONDS} s: {found['status']}")


def check_create(call):
    topic = f"Should the {call.kind} client be believed?"
    made = call("debates.create", topic, agents=["demo", "demo"], protocol={"rounds": 2, "consensus": "majority"},
                metadata={"from": call.kind})
    expect("create says what it made", made["success"] and made["task"] == topic and made["status"] == "created", made)
    expect("create takes rounds from protocol", made["rounds"] == 2 and made["consensus"] == "majority", made)
    expect("create names each agent once", len(set(made["agents"])) == 2, made)
    debate = ended(call, made["debate_id"])
    expect("get has the question under every name", debate["task"] == debate["question"] == debate["topic"] == topic)
    expect("get has an answer and an end", debate["status"] == "completed" and debate["final_answer"], debate)
    expect("get has the metadata back", debate["metadata"] == {"from": call.kind}, debate["metadata"])
    expect("get measures the debate", debate["duration_seconds"] is not None and 1 <= debate["rounds_used"] <= 2)
    expect("conclusion and winning_proposal are the answer",
           debate["conclusion"] == debate["winning_proposal"] == debate["final_answer"])
    by_slug = call("debates.get_by_slug", debate["slug"])
    expect("get_by_slug is the same debate", by_slug == debate)
    for name, alias in [("quick_debate", call("debates.quick_debate", f"{topic} Quick?", agents=["demo", "demo"], rounds=1)),
                        ("debate_this", call("debates.debate_this", f"{topic} This?", context="none"))]:
        expect(f"{name} makes another debate", alias["debate_id"] not in ("", debate["id"]) and alias["success"], alias)
        expect(f"{name}'s debate ends", ended(call, alias["debate_id"])["status"] == "completed")
    return debate


def check_reads(call, debate):
    id = debate["id"]
    messages = call("debates.get_messages", id)
    expect("messages are those of get", messages["messages"] == debate["messages"][:50], messages["total"])
    expect("messages are counted", messages["total"] == len(debate["messages"]) and messages["debate_id"] == id)
    expect("messages are numbered from 0 and have their agents",
           [m["index"] for m in messages["messages"]] == list(range(len(messages["messages"])))
           and {m["agent"] for m in messages["messages"]} == set(debate["agents"]))
    events = call("debates.get_events", id, since=0, limit=500)
    seqs = [event["seq"] for event in events["events"]]
    expect("events are numbered from 1 without gaps", seqs == list(range(1, len(seqs) + 1)), seqs)
    types = [event["type"] for event in events["events"]]
    expect("events begin with the start and end with the end", types[0] == "debate_start" and types[-1] == "debate_end")
    expect("events have one start, one end, and the receipt before it",
           types.count("debate_start") == types.count("debate_end") == 1 and types[-2] == "receipt_generated", types)
    expect("each event names the hash of the one before",
           all(a["hash"] == b["prev_hash"] for a, b in zip(events["events"], events["events"][1:])))
    later = call("debates.get_events", id, since=seqs[2], limit=2)
    expect("events go on after since", [event["seq"] for event in later["events"]] == [4, 5] and later["has_more"])
    consensus = call("debates.get_consensus", id)
    expect("consensus is what get says", consensus["final_answer"] == debate["final_answer"]
           and consensus["reached"] == debate["consensus_reached"] and consensus["agreement"] == debate["agreement"])
    expect("consensus has the votes of all", sorted(v["agent"] for v in consensus["votes"]) == sorted(debate["agents"]))
    expect("supporters and dissenters are the panel",
           set(consensus["supporting_agents"]) | set(consensus["dissenting_agents"]) <= set(debate["agents"]))
    convergence = call("debates.get_convergence", id)
    expect("convergence", convergence["rounds_used"] == debate["rounds_used"]
           and convergence["convergence_status"] in ("converged", "refining", "diverging", "unknown")
           and 0 <= convergence["convergence_similarity"] <= 1, convergence)
    costs = call("debates.get_costs", id)
    expect("costs are flat and under data", costs["data"]["total_tokens_in"] == costs["total_tokens_in"] > 0, costs)
    expect("costs are told by agent", set(costs["cost_by_agent"]) == set(debate["agents"]), costs)
    votes = call("debates.get_votes", id)["votes"]
    expect("votes are those of the log", len(votes) == types.count("vote"))
    expect("rounds are those of the log", len(call("debates.get_rounds", id)["rounds"]) == types.count("round_start"))
    expect("agents are the panel", [a["name"] for a in call("debates.get_agents", id)["agents"]] == debate["agents"])
    diagnostics = call("debates.get_diagnostics", id)
    expect("diagnostics", diagnostics["receipt_generated"] and all(a["status"] == "ok" for a in diagnostics["agents"]))
    expect("summary has the answer", call("debates.get_summary", id)["final_answer"] == debate["final_answer"])
    expect("explainability", call("debates.get_explainability", id)["provenance"][-1]["kind"] == "decision")
    impasse = call("debates.get_impasse", id)
    expect("impasse", set(impasse["indicators"])
           == {"repeated_critiques", "no_convergence", "high_severity_critiques"}, impasse)


def check_lists(call, debate):
    page = call("debates.list", limit=2)
    expect("list has the page under both names", page["debates"] == page["items"] and page["count"] == 2, page["count"])
    expect("list counts all, newest first", page["total"] >= 3 and page["has_more"]
           and page["debates"][0]["created_at"] >= page["debates"][1]["created_at"])
    ids = [row["id"] for row in call.all("debates.list_all", page_size=2)]
    expect("list_all yields every debate once", debate["id"] in ids and len(ids) == len(set(ids)) == page["total"], len(ids))
    done = call.all("debates.list_all", status="completed")
    expect("list_all filters by status", done and {row["status"] for row in done} == {"completed"})
    word = debate["task"].split()[2]
    expect("list knows no debate of a status nobody has", call("debates.list", status="paused")["total"] == 0)
    found = call("debates.search", f"{word} believed", limit=5)
    expect("search finds the debate by its words", debate["id"] in [row["id"] for row in found["results"]], found)
    expect("search says what it looked for", found["query"] == f"{word} believed" and found["total"] >= 1)
    expect("search finds nothing where there is nothing", call("debates.search", "zyzzyva")["total"] == 0)
    posted = call("search.search_debates", f"{word} believed")
    expect("the search namespace finds it too", debate["id"] in [row["id"] for row in posted["results"]], posted)
    expect("list_active shows none that is over", debate["id"] not in
           [row["id"] for row in call("debates.list_active")["debates"]])
    queue = call("debates.get_queue_status")
    expect("queue status", queue["active"] is True and queue["workers"] >= 1 and queue["pending"] >= 0
           and queue["dlq"] == 0, queue)
    stats = call("debates.get_stats")
    expect("statistics count the debates", stats["total"] >= page["total"] and stats["completed"] >= 1, stats)
    expect("agent statistics", call("debates.get_agent_stats")["agents"][0]["provider"] == "demo")


def check_exports(call, debate):
    id, title = debate["id"], debate["task"]
    whole = call("debates.get_export", id, format="json")
    expect("export json is the debate", whole["task"] == title and whole["messages"] == debate["messages"])
    expect("export_format is the same", call("debates.export_format", id) == whole)
    for form, type in [("csv", "text/csv"), ("html", "text/html"), ("txt", "text/plain"), ("md", "text/markdown")]:
        status, headers, text = raw(f"/api/v1/debates/{id}/export/{form}")
        expect(f"export {form} has the real title", status == 200 and headers["Content-Type"].startswith(type)
               and title in text and "Untitled" not in text, text[:200])
    _, _, table = raw(f"/api/v1/debates/{id}/export/csv?table=messages")
    rows = list(csv.DictReader(io.StringIO(table)))
    expect("export csv of the messages has them all",
           [row["content"].lstrip("'") for row in rows] == [m["content"].lstrip("'") for m in debate["messages"]])
    for name in ("summary", "critiques", "votes"):
        _, _, table = raw(f"/api/v1/debates/{id}/export/csv?table={name}")
        expect(f"export csv of {name} has rows", len(list(csv.reader(io.StringIO(table)))) >= 2)


def check_cancel(call):
    made = call("debates.create", f"Will the {call.kind} client cancel this?", agents=["demo", "demo"], rounds=12)
    paused = call("debates.pause", made["debate_id"])
    expect("pause is taken", paused["success"] and paused["status"] in ("paused", "running"), paused)
    active = call("debates.list_active")["debates"]
    expect("list_active shows what runs", made["debate_id"] in [row["id"] for row in active], active)
    added = call("debates.add_message", made["debate_id"], "Consider the cost.")
    expect("a message is taken while it runs", added["success"], added)
    cancelled = call("debates.cancel", made["debate_id"])
    expect("cancel cancels", cancelled["success"] and cancelled["status"] == "cancelled", cancelled)
    final = ended(call, made["debate_id"])
    # Whether its agents had agreed by then is told by their votes, and they may have.
    expect("what was cancelled stays cancelled", final["status"] == "cancelled", final["status"])
    last = call("debates.get_events", made["debate_id"], limit=500)["events"][-1]
    expect("its last event says so", last["type"] == "debate_end" and last["data"]["status"] == "cancelled", last)
    expect_error("a second cancel is 400", ValidationError, 400, lambda: call("debates.cancel", made["debate_id"]))


def check_batch(call):
    items = [{"question": f"Is {n} enough for {call.kind}?", "agents": ["demo", "demo"], "rounds": 1} for n in range(3)]
    batch = call("debates.submit_batch", items)
    expect("submit_batch queues all", batch["success"] and batch["items_queued"] == 3, batch)
    deadline = time.monotonic() + END_SECONDS
    while (status := call("debates.get_batch_status", batch["batch_id"]))["completed"] < 3:
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    expect("the batch completes", status["status"] == "completed" and status["total"] == 3 and status["failed"] == 0, status)
    expect("the batch's items are the questions, in order", [i["task"] for i in status["items"]]
           == [i["question"] for i in items], status)
    listed = call("debates.list_batches", limit=1)
    expect("list_batches has it first", listed["batches"][0]["batch_id"] == batch["batch_id"], listed)


def check_changes(call):
    made = call("debates.create", f"What will the {call.kind} client call this?", agents=["demo", "demo"], rounds=1)
    id = made["debate_id"]
    ended(call, id)
    changed = call("debates.update", id, title="A title", tags=["one", "two"])
    expect("update changes title and tags", changed["title"] == "A title" and changed["tags"] == ["one", "two"], changed)
    expect("get has them", call("debates.get", id)["title"] == "A title")
    link = call("debates.share", id, expires_in_hours=1)
    shown = call("debates.get_shared", link["token"])
    expect("a shared debate is shown", shown["debate"]["id"] == id and shown["debate"]["title"] == "A title", shown)
    expect("revoke_share says how many", call("debates.revoke_share", id)["revoked"] == 1)
    expect_error("a revoked link is 404", NotFoundError, 404, lambda: call("debates.get_shared", link["token"]))
    expect("delete deletes", call("debates.delete", id)["success"] is True)
    expect_error("what was deleted is 404", NotFoundError, 404, lambda: call("debates.get", id))


def check_receipts(call, debate):
    receipts = call("receipts.list", limit=100)
    own = [r for r in receipts["receipts"] if r["debate_id"] == debate["id"]]
    expect("receipts.list has the debate's receipt", len(own) == 1, receipts.get("pagination"))
    receipt = call("receipts.get", own[0]["receipt_id"])
    expect("receipts.get is that of the debate", receipt["debate_id"] == debate["id"]
           and receipt["final_answer"] == debate["final_answer"] and receipt["confidence"] == debate["confidence"], receipt)
    verified = call("receipts.verify", receipt["receipt_id"])
    expect("receipts.verify holds", verified["integrity_valid"] is True
           and verified["stored_checksum"] == verified["computed_checksum"] == receipt["checksum"], verified)
    signature = call("receipts.verify_signature", receipt["receipt_id"])
    expect("receipts.verify_signature holds", signature["signature_valid"] is True, signature)


def check_agents(call, debate):
    board = call("leaderboard.get_rankings")
    expect("the leaderboard has who debated", any(row["provider"] == "demo" and row["matches"] >= 1
           for row in board["rankings"]) and board["agents"] == board["rankings"] == board["items"], board)
    agents = call("agents.list")
    expect("agents.list tells who can be asked", any(a["name"].startswith("demo") and a["available"] and "elo" in a
           for a in agents["agents"]) and agents["total"] == len(agents["agents"]), agents)
    everyone = call.all("agents.list_all")
    expect("agents.list_all ends and has them once", len(everyone) == agents["total"], len(everyone))
    recent = call("request", "GET", "/api/v1/matches/recent", params={"limit": 5})
    expect("recent matches", recent["matches"] and recent["matches"][0]["participants"], recent)


def check_health(call):
    health = call("health.check")
    expect("health", health["status"] == "healthy" and health["checks"]["database"]["status"] == "ok", health)
    for path, word in [("/healthz", "ok"), ("/readyz", "ready"), ("/ready", "ready"), ("/api/ready", "ready")]:
        expect(path, call("request", "GET", path)["status"] == word)
    status = call("request", "GET", "/api/v1/status")
    expect("/api/v1/status", status["status"] in ("operational", "degraded") and len(status["components"]) > 2, status)
    code, headers, text = raw("/metrics", token=None)
    expect("/metrics", code == 200 and "aragora_requests_total{" in text and "# TYPE aragora_requests_total counter" in text)


def check_errors(call):
    expect_error("an unknown debate is NotFoundError", NotFoundError, 404, lambda: call("debates.get", "dbt_none"))
    expect_error("an unknown sub-path is NotFoundError", NotFoundError, 404, lambda: call("debates.get_graph", "x"))
    try:
        call("debates.create", "x", rounds=99)
        expect("an invalid create is refused", False)
    except ValidationError as error:
        fields = sorted(item["field"] for item in error.errors)
        expect("a ValidationError names every field", fields == ["rounds", "task"] and error.status_code == 400, fields)
    wrong = type(call.client)(base_url=BASE, api_key="wrong", max_retries=1)
    other = Caller(call.kind, wrong, call.loop)
    expect_error("a wrong key is AuthenticationError", AuthenticationError, 401, lambda: other("debates.list"))
    other.close()


def check_auth(call):
    """Accounts, as soon as the installation has them."""
    try:
        email, password = f"sdk-{call.kind}-{time.time_ns()}@example.org", "correct horse battery staple"
        made = call("auth.register", email=email, password=password, name="Sdk")
    except NotFoundError:
        print("absent  auth: this build has no accounts")
        return
    expect("register makes a user with tokens", made["user"]["email"] == email and made["tokens"]["access_token"], made)
    logged = call("auth.login", email=email, password=password)
    tokens = logged["tokens"]
    expect("login gives other tokens", tokens["access_token"] != made["tokens"]["access_token"]
           and tokens["token_type"] == "Bearer" and tokens["expires_in"] > 0, list(tokens))
    own = Caller(call.kind, type(call.client)(base_url=BASE, api_key=tokens["access_token"]), call.loop)
    expect("me is who logged in", own("auth.get_current_user")["user"]["email"] == email)
    key = own("auth.create_api_key", name="for the check")
    expect("a key is shown once", key["api_key"].startswith("ara_") and key["prefix"] in key["api_key"], list(key))
    by_key = Caller(call.kind, type(call.client)(base_url=BASE, api_key=key["api_key"]), call.loop)
    expect("the key authenticates", by_key("debates.list")["total"] >= 0)
    listed = own("auth.list_api_keys")
    expect("the key is listed without its secret", key["api_key"] not in json.dumps(listed) and listed["count"] >= 1, listed)
    fresh = own("auth.refresh_token", tokens["refresh_token"])["tokens"]
    expect("refresh gives new tokens", fresh["access_token"] != tokens["access_token"], list(fresh))
    expect_error("a refresh token works once", AuthenticationError, 401,
                 lambda: own("auth.refresh_token", tokens["refresh_token"]))
    after = Caller(call.kind, type(call.client)(base_url=BASE, api_key=call("auth.login", email=email, password=password)[
        "tokens"]["access_token"]), call.loop)
    expect("logout", "message" in after("auth.logout"))
    expect_error("what logged out is out", AuthenticationError, 401, lambda: after("auth.get_current_user"))
    expect_error("a wrong password is AuthenticationError", AuthenticationError, 401,
                 lambda: call("auth.login", email=email, password=password + "x"))
    for caller in (own, by_key, after):
        caller.close()


def linked(kind, events):
    """What holds for any stream of one debate."""
    numbered = [event for event in events if event.data and event.type not in ("connected", "heartbeat")]
    types = [event.type for event in numbered]
    expect(f"{kind}: one start, then rounds, at last the end", types.count("debate_start") == 1
           and types.count("debate_end") == 1 and types[-1] == "debate_end" and "round_start" in types, types)
    expect(f"{kind}: proposals, critiques, votes and the consensus come by",
           {"agent_message", "critique", "vote", "consensus"} <= set(types), sorted(set(types)))
    expect(f"{kind}: every event of the debate names it",
           len({event.debate_id for event in numbered if event.debate_id}) == 1)
    start = next(event for event in numbered if event.type == "debate_start")
    expect(f"{kind}: events are parsed into the client's own classes",
           start.typed_data is not None and start.typed_data.debate_id == start.debate_id
           and start.typed_data.task == start.data["task"], start.data)
    end = numbered[-1]
    expect(f"{kind}: the end has the result", end.typed_data is not None and end.typed_data.consensus_reached
           == end.data["consensus_reached"] and end.data["status"] == "completed", end.data)


async def check_stream():
    async with AragoraAsyncClient(base_url=BASE, api_key=TOKEN) as client:
        made = await client.debates.create("Does the stream arrive?", agents=["demo", "demo"], rounds=2)

        async def watch():
            return [event async for event in client.debates.stream(made["debate_id"])]

        linked("debates.stream, while it runs", await asyncio.wait_for(watch(), END_SECONDS))
        linked("debates.stream, after its end", await asyncio.wait_for(watch(), END_SECONDS))

        # The client of its own, on the gateway's own address, with handlers and a subscription that comes later.
        made = await client.debates.create("Does the other stream arrive?", agents=["demo", "demo"], rounds=1)
        ws = AragoraWebSocket(BASE, api_key=TOKEN, ws_url=WS_URL)
        events, over = [], asyncio.Event()
        ws.on("message", lambda event: events.append(event) if event.debate_id == made["debate_id"] else None)
        ws.on("debate_end", lambda event: over.set())
        await ws.connect()
        ws.subscribe(made["debate_id"])
        await asyncio.wait_for(over.wait(), END_SECONDS)
        ws.unsubscribe(made["debate_id"])
        await asyncio.sleep(0.2)  # the client sends it in a task of its own
        await ws.close()
        own = [event for event in events if event.type not in ("subscribed", "unsubscribed", "replay_start", "replay_end", "token_start",
                                                               "token_delta", "token_end")]
        linked("AragoraWebSocket, by subscription", own)

        refused = AragoraWebSocket(BASE, api_key="wrong")
        try:
            await refused.connect()
            expect("a wrong key opens no stream", False)
        except Exception as error:  # websockets raises its own
            expect("a wrong key opens no stream", "401" in str(error), str(error))


def main():
    print(f"aragora-sdk {aragora_sdk.__version__} against {BASE}")
    loop = asyncio.new_event_loop()
    for call in [Caller("sync", AragoraClient(base_url=BASE, api_key=TOKEN)),
                 Caller("async", AragoraAsyncClient(base_url=BASE, api_key=TOKEN), loop)]:
        print(f"\n{call.kind} client")
        debate = check_create(call)
        check_reads(call, debate)
        check_lists(call, debate)
        check_exports(call, debate)
        check_cancel(call)
        check_batch(call)
        check_changes(call)
        check_receipts(call, debate)
        check_agents(call, debate)
        check_health(call)
        check_errors(call)
        check_auth(call)
        call.close()
    loop.close()
    print("\nstreaming client")
    asyncio.run(check_stream())
    print(f"\n{checks - len(failures)} of {checks} checks held")
    if failures:
        print("did not hold:\n  " + "\n  ".join(failures))
        sys.exit(1)


if __name__ == "__main__":
    main()
