"""What work costs as it grows: more debates stored, more viewers of one, more workers, longer debates.

Started by scripts/growth.sh, which says what it takes. Figures go to growth-<part>.json, plots to growth-<part>.png.
"""

import argparse
import json
import os
import resource
import selectors
import signal
import sys
import time

from client import Api, Stack, Viewer, machine, percentile

# Tables that one debate is in, by the column that names it; children after parents.
TABLES = {
    "debates": "id", "debate_runs": "debate_id", "debate_events": "debate_id", "agent_calls": "debate_id",
    "receipts": "debate_id", "debate_accounts": "debate_id", "knowledge_items": "debate_id",
}
WORDS = "database queue index cache region tenant shard replica ledger schema vector stream bucket cursor quorum lease".split()


# Copies of one debate with other ids, as the product would have stored them.
class Copier:
    def __init__(self, stack):
        self.stack = stack
        self.columns = {}
        for line in stack.sql(
            """
            SELECT c.relname || ' ' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE c.relname = ANY (ARRAY[%s]) AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0
              AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = '' ORDER BY c.relname, a.attnum
            """ % ", ".join(f"'{name}'" for name in TABLES)
        ).splitlines():
            table, column = line.split(" ")
            self.columns.setdefault(table, []).append(column)

    def copy(self, template, count, tag, *, events=None):
        """Stores `count` debates like `template`, spread over the last sixty days; returns nothing.

        `events` repeats the template's messages until the log is so long.
        """
        replaced = {
            ("debates", "slug"): f"'{tag}-' || i.n", ("debates", "created_at"): "i.at",
            ("debates", "topic"): "'Should we take the ' || i.word || ' or the ' || i.other || ' number ' || i.n || '?'",
            ("debates", "completed_at"): "CASE WHEN t.completed_at IS NOT NULL THEN i.at + interval '1 minute' END",
            ("debate_runs", "created_at"): "i.at", ("debate_runs", "queued_at"): "i.at",
            ("debate_runs", "last_progress_at"): "i.at", ("debate_events", "at"): "i.at + t.seq * interval '1 second'",
            ("receipts", "id"): "'rcp_' || substr(i.id, 5)", ("receipts", "created_at"): "i.at",
            ("knowledge_items", "id"): "replace(i.id, 'dbt_', substr(t.id, 1, 4))",
            ("knowledge_items", "created_at"): "i.at",
        }
        statements = [
            "BEGIN", "SET LOCAL synchronous_commit = off", "SET LOCAL work_mem = '256MB'",
            f"""
            CREATE TEMP TABLE ids ON COMMIT DROP AS
            SELECT n, at, debate_id_floor(at) || substr(md5('{tag}' || n), 1, 16) AS id,
                   words[1 + n % {len(WORDS)}] AS word, words[1 + n / 7 % {len(WORDS)}] || n % 1000 AS other
            FROM (SELECT n, now() - (n::float8 / {count}) * interval '60 days' - interval '1 minute' AS at,
                         ARRAY[{", ".join(f"'{word}'" for word in WORDS)}] AS words FROM generate_series(1, {count}) AS n) AS g
            """,
        ]
        for table, key in TABLES.items():
            values = [
                "i.id" if column == key else replaced.get((table, column), f"t.{column}") for column in self.columns[table]
            ]
            source = table
            if table == "debate_events" and events:
                # Every repetition is another number; call keys are the first one's.
                names = ", ".join(
                    {"seq": "row_number() OVER () AS seq", "call_key": "NULL::text AS call_key", "attempt": "NULL::integer AS attempt"}.get(
                        column, column) for column in self.columns[table])
                source = f"(SELECT {names} FROM debate_events, generate_series(1, {events}) WHERE debate_id = '{template}' LIMIT {events})"
                values = ["i.id" if column == key else replaced.get((table, column), f"t.{column}") for column in self.columns[table]]
            where = f"WHERE t.{key} = '{template}'" if source == table else ""
            statements += [
                f"ALTER TABLE {table} DISABLE TRIGGER USER",
                f"INSERT INTO {table} ({', '.join(self.columns[table])}) SELECT {', '.join(values)} FROM ids i CROSS JOIN {source} t {where}",
                f"ALTER TABLE {table} ENABLE TRIGGER USER",
            ]
            if events and table == "debate_runs":
                statements.append(f"UPDATE debate_runs SET last_seq = {events} WHERE debate_id IN (SELECT id FROM ids)".replace(
                    "UPDATE", "ALTER TABLE debate_runs DISABLE TRIGGER USER; UPDATE") + "; ALTER TABLE debate_runs ENABLE TRIGGER USER")
        self.stack.sql(";\n".join(statements + ["COMMIT"]) + ";")


def timed(work, times, seconds=8.0):
    """Milliseconds of each call, after one that is not counted; stops after `seconds`."""
    work()
    values, until = [], time.monotonic() + seconds
    while len(values) < times and (len(values) < 3 or time.monotonic() < until):
        began = time.monotonic()
        work()
        values.append((time.monotonic() - began) * 1000)
    return values


def cpu(pid):
    """CPU seconds of a process and of its children that are waited for."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return sum(int(fields[index]) for index in (11, 12)) / os.sysconf("SC_CLK_TCK")


# A debate that ran through the product, so that what is copied has its shapes.
def template(stack, rounds=3):
    api = stack.api()
    debate = api.create(rounds=rounds)
    while api.ask("GET", f"/api/v1/debates/{debate}")["status"] not in ("completed", "failed"):
        time.sleep(0.05)
    return debate


def cancelled(stack):
    """One with two events, its start and its end: cancelled while the workers stand still."""
    api = stack.api()
    workers = [pid for name, pid in stack.processes().items() if name.startswith("debate-worker")]
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    try:
        debate = api.create()
        api.ask("POST", f"/api/v1/debates/{debate}/cancel", {})
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
    if stack.sql(f"SELECT last_seq FROM debate_runs WHERE debate_id = '{debate}'") != "2":
        raise RuntimeError("the debate began before it was cancelled")
    return debate


# MARK: Debates stored


def part_stored(stack, chosen):
    sizes = [size for size in (1_000, 10_000, 100_000, 1_000_000) if size <= chosen.most]
    copier, full, short = Copier(stack), template(stack), cancelled(stack)
    events = int(stack.sql(f"SELECT last_seq FROM debate_runs WHERE debate_id = '{full}'"))
    rows, stored = [], 0
    for size in sizes:
        began = time.monotonic()
        copier.copy(short, size - stored, f"short-{size}")
        copier.copy(full, max(1, (size - stored) // 60), f"full-{size}")
        stack.sql("VACUUM (ANALYZE) debates; VACUUM (ANALYZE) debate_runs; VACUUM (ANALYZE) debate_events_first; ANALYZE;")
        stored = size
        figures = {"size": size, "load": os.getloadavg()[0], "filling_s": round(time.monotonic() - began, 1)}
        api, page = stack.api(), f"/api/v1/debates/{full}"
        a_full = stack.sql("SELECT debate_id FROM debate_runs WHERE last_seq = %d ORDER BY debate_id LIMIT 1 OFFSET 3" % events)
        shapes = {
            "list": lambda: api.ask("GET", "/api/v1/debates?limit=20"),
            "list by cursor": lambda: api.ask("GET", "/api/v1/debates?limit=20&cursor=start"),
            "list of one status": lambda: api.ask("GET", "/api/v1/debates?limit=20&status=completed&cursor=start"),
            "search, a rare word": lambda: api.ask("GET", f"/api/search?query={size - 7}"),
            "search, a rare word and one of all": lambda: api.ask("GET", f"/api/search?query=number%20{size - 7}"),
            "search, a word of 1/16": lambda: api.ask("GET", "/api/search?query=ledger"),
            "leaderboard": lambda: api.ask("GET", "/api/leaderboard"),
            "get": lambda: api.ask("GET", f"/api/v1/debates/{a_full}"),
            "replay (events page)": lambda: api.ask("GET", f"/api/v1/debates/{a_full}/events?limit=500"),
            "receipt": lambda: api.ask("GET", f"{page}/receipt"),
            "create": lambda: api.create(),
        }
        for name, work in shapes.items():
            try:
                values = timed(work, 60)
                figures[name] = {"p50": round(percentile(values, 0.5), 2), "p95": round(percentile(values, 0.95), 2), "n": len(values)}
            except RuntimeError as error:
                figures[name] = {"p50": None, "p95": None, "n": 0, "error": str(error)[:200]}
                api = stack.api()
        print(json.dumps(figures), flush=True)
        rows.append(figures)
        stack.sql("DELETE FROM idempotency_keys")
    plans(stack, chosen)
    names = [name for name in rows[0] if name not in ("size", "load", "filling_s")]
    table(chosen, "stored", ["p50 / p95, ms"] + [f"{row['size']:,}" for row in rows], [
        [name] + ["failed" if row[name]["p50"] is None else f"{row[name]['p50']:g} / {row[name]['p95']:g}" for row in rows] for name in names])
    lines = {name: [(row["size"], row[name]["p50"]) for row in rows if row[name]["p50"]] for name in names}
    draw(chosen, "stored", lines, "debates stored", "p50, ms")
    return rows


PLANS = {
    "list by cursor": """
        SELECT d.id FROM debates d JOIN debate_runs r ON r.debate_id = d.id WHERE d.deleted_at IS NULL
        ORDER BY d.created_at DESC, d.id DESC LIMIT 21""",
    "count of a list": "SELECT count(*) FROM debates d JOIN debate_runs r ON r.debate_id = d.id WHERE d.deleted_at IS NULL",
    "events of one debate": """
        SELECT seq, data FROM debate_events WHERE debate_id = (SELECT max(debate_id) FROM debate_runs) AND seq >= 1
        ORDER BY seq LIMIT 500""",
}


def plans(stack, chosen):
    with open(f"{chosen.out}/growth-plans.txt", "w") as file:
        for name, statement in PLANS.items():
            file.write(f"{name}\n{stack.sql('EXPLAIN (ANALYZE, BUFFERS, COSTS off) ' + statement)}\n\n")


# MARK: Viewers of one debate


def part_viewers(stack, chosen):
    """Viewers connect to a paused debate, which then goes on: how long after the first has the end has each one?"""
    rows, gateway = [], stack.processes()["ws-gateway"]
    for count in [n for n in (1, 10, 100, 1_000, 10_000) if n <= chosen.most]:
        api = stack.api()
        debate = api.create(rounds=3)
        api.ask("POST", f"/api/v1/debates/{debate}/pause", {})
        crowd, began = [], time.monotonic()
        memory = rss(gateway)
        for _ in range(count):
            viewer = Viewer(stack.ws_port, stack.token, debate)
            viewer.socket.setblocking(False)
            crowd.append(viewer)
        connected = time.monotonic() - began
        time.sleep(1 + count / 5000)
        grown = rss(gateway) - memory
        # What is there already is read before the clock runs.
        chooser, ends, bytes_read = selectors.DefaultSelector(), [], 0
        for viewer in crowd:
            chooser.register(viewer.socket, selectors.EVENT_READ, [viewer.buffer[-64:]])
        before, began = cpu(gateway), time.monotonic()
        api.ask("POST", f"/api/v1/debates/{debate}/resume", {})
        while len(ends) < count and time.monotonic() - began < 120:
            for key, _ in chooser.select(5):
                part = key.fileobj.recv(262144)
                if not part:
                    raise RuntimeError("the gateway closed a viewer")
                bytes_read += len(part)
                tail = key.data[0] + part
                if b'"type":"debate_end"' in tail:
                    ends.append(time.monotonic())
                    chooser.unregister(key.fileobj)
                key.data[0] = tail[-64:]
        used = cpu(gateway) - before
        events = int(stack.sql(f"SELECT last_seq FROM debate_runs WHERE debate_id = '{debate}'"))
        lags = [(at - ends[0]) * 1000 for at in ends]
        figures = {
            "size": count, "load": os.getloadavg()[0], "ended": len(ends), "events": events,
            "connects_per_s": round(count / connected), "kb_per_viewer": round(grown / count, 1),
            "cpu_us_per_delivery": round(used / (events * count) * 1e6, 2),
            "end_p50_ms": round(percentile(lags, 0.5), 1), "end_p99_ms": round(percentile(lags, 0.99), 1),
        }
        for viewer in crowd:
            viewer.close()
        print(json.dumps(figures), flush=True)
        rows.append(figures)
        time.sleep(1)
    table(chosen, "viewers", ["Viewers of one debate"] + [f"{row['size']:,}" for row in rows], [
        [title] + [f"{row[name]:g}" for row in rows] for title, name in [
            ("gateway's CPU a delivery, µs", "cpu_us_per_delivery"),
            ("the end reached the median viewer after the first one, ms", "end_p50_ms"), ("… p99", "end_p99_ms"),
            ("gateway's memory a viewer, KB", "kb_per_viewer")]])
    draw(chosen, "viewers", {
        "CPU a delivery, µs": [(row["size"], row["cpu_us_per_delivery"]) for row in rows],
        "end, p99 after the first, ms": [(row["size"], max(0.1, row["end_p99_ms"])) for row in rows]}, "viewers of one debate", "")
    return rows


def rss(pid):
    with open(f"/proc/{pid}/status") as file:
        return int(next(line for line in file if line.startswith("VmRSS")).split()[1])


# MARK: Events of one debate


def part_events(stack, chosen):
    copier, full, rows = Copier(stack), template(stack), []
    for size in [n for n in (10, 100, 1_000, 10_000) if n <= chosen.most]:
        copier.copy(full, 3, f"long-{size}", events=size)
        debate = stack.sql(f"SELECT id FROM debates WHERE slug = 'long-{size}-2'")
        api = stack.api()

        def replay():
            since = 0
            while since < size:
                page = api.ask("GET", f"/api/v1/debates/{debate}/events?limit=500&since={since}")
                since = page["last_seq"]

        shapes = {
            "get, told again": lambda: api.ask("GET", f"/api/v1/debates/{debate}"),
            # Answers are kept by the id: asked for by its slug, a debate is read each time.
            "get, read": lambda: api.ask("GET", f"/api/v1/debates/long-{size}-2"),
            "first page of events": lambda: api.ask("GET", f"/api/v1/debates/{debate}/events?limit=10"),
            "last page of events": lambda: api.ask("GET", f"/api/v1/debates/{debate}/events?limit=10&since={size - 10}"),
            "whole replay": replay,
        }
        figures = {"size": size, "load": os.getloadavg()[0]}
        for name, work in shapes.items():
            values = timed(work, 40, 5)
            figures[name] = {"p50": round(percentile(values, 0.5), 2), "p95": round(percentile(values, 0.95), 2)}
        figures["replay, µs an event"] = round(figures["whole replay"]["p50"] * 1000 / size, 1)
        print(json.dumps(figures), flush=True)
        rows.append(figures)
    names = ["get, told again", "get, read", "first page of events", "last page of events", "whole replay"]
    table(chosen, "events", ["p50 / p95, ms"] + [f"{row['size']:,}" for row in rows], [
        [name] + [f"{row[name]['p50']:g} / {row[name]['p95']:g}" for row in rows] for name in names] + [
        ["replay, µs an event"] + [f"{row['replay, µs an event']:g}" for row in rows]])
    draw(chosen, "events", {name: [(row["size"], row[name]["p50"]) for row in rows] for name in names}, "events of one debate", "p50, ms")
    return rows


# MARK: Workers


def part_workers(stack, chosen):
    """One size: debates that wait are run by the workers there are. scripts/growth.sh starts a stack for each."""
    api, count = stack.api(), chosen.debates
    template(stack)
    pids = {name: pid for name, pid in stack.processes().items() if name.startswith("debate-worker")}
    workers, before = len(pids), {name: cpu(pid) for name, pid in pids.items()}
    began = time.monotonic()
    for _ in range(count):
        api.create(rounds=3)
    while int(stack.sql("SELECT count(*) FROM debate_runs WHERE status IN ('queued', 'running')")):
        time.sleep(0.1)
    seconds = time.monotonic() - began
    used = [cpu(pid) - before[name] for name, pid in pids.items()]
    shares = stack.sql(
        "SELECT string_agg(n::text, ' ') FROM (SELECT count(*) AS n FROM debate_runs WHERE status = 'completed') AS done")
    figures = {
        "size": workers, "load": os.getloadavg()[0], "debates_per_s": round(count / seconds, 1), "completed": int(shares),
        "worker_cpu_ms_per_debate": round(sum(used) / count * 1000, 2),
    }
    print(json.dumps(figures), flush=True)
    path = f"{chosen.out}/growth-workers.json"
    rows = []
    if os.path.exists(path):
        with open(path) as file:
            rows = [row for row in json.load(file)["rows"] if row["size"] != workers]
    rows = sorted(rows + [figures], key=lambda row: row["size"])
    table(chosen, "workers", ["Workers"] + [str(row["size"]) for row in rows], [
        ["debates a second"] + [f"{row['debates_per_s']:g}" for row in rows],
        ["workers' CPU a debate, ms"] + [f"{row['worker_cpu_ms_per_debate']:g}" for row in rows]])
    draw(chosen, "workers", {
        "debates a second": [(row["size"], row["debates_per_s"]) for row in rows],
        "workers' CPU a debate, ms": [(row["size"], row["worker_cpu_ms_per_debate"]) for row in rows]}, "workers", "", log=False)
    return rows


# MARK: What is written


def table(chosen, part, head, rows):
    with open(f"{chosen.out}/growth-{part}.md", "w") as file:
        file.write(f"| {' | '.join(head)} |\n|{' --- |' * len(head)}\n")
        for row in rows:
            file.write(f"| {' | '.join(row)} |\n")


def draw(chosen, part, lines, across, up, log=True):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plot

    figure, axes = plot.subplots(figsize=(7, 4))
    for name, points in lines.items():
        axes.plot([x for x, _ in points], [y for _, y in points], marker="o", markersize=3, linewidth=1, label=name)
    if log:
        axes.set_xscale("log")
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.set_xlabel(across, fontsize=8)
    axes.set_ylabel(up, fontsize=8)
    axes.tick_params(labelsize=8)
    axes.grid(True, alpha=0.3)
    axes.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(f"{chosen.out}/growth-{part}.png", dpi=80)


PARTS = {"stored": part_stored, "viewers": part_viewers, "events": part_events, "workers": part_workers}


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("part", choices=PARTS)
    arguments.add_argument("--stack", required=True)
    arguments.add_argument("--out", required=True)
    arguments.add_argument("--most", type=int, default=1_000_000)
    arguments.add_argument("--debates", type=int, default=300)
    chosen = arguments.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    where = machine()
    print(f"{chosen.part}: {where}", flush=True)
    rows = PARTS[chosen.part](Stack(chosen.stack), chosen)
    with open(f"{chosen.out}/growth-{chosen.part}.json", "w") as file:
        json.dump({"machine": where, "rows": rows}, file, indent=1)
    return 0


sys.exit(main())
