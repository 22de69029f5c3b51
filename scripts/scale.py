#!/usr/bin/env python3
"""What a number of concurrent debates needs, by the formulae of docs/scale.md and the costs that were measured.

Usage: scripts/scale.py [--debates N...] [--seconds S] [--viewers V] [--tokens T] [--concurrency C] [--keep-days D]
                        [--check FILE]

Prints the table of docs/scale.md; --check says whether FILE has it. Change a number of COSTS after a new measurement, and the
table follows. Exit code 1 when FILE does not have the table.
"""
import argparse
import math
import pathlib
import sys

# Milliseconds of one processor a debate: docs/performance.md, engine 2, one viewer each.
COSTS = {"postgres": 13.0, "workers": 7.1, "redis": 1.3, "gateway": 1.1, "api": 0.6}
CALLS, EVENTS, COMMITS = 39, 60, 14
# scripts/store-cost.py: demonstration agents, whose answers are short.
TABLE_KIB, WAL_KIB, REDIS_KIB = 102, 120, 83
# scripts/publish-cost.sh: one message of live text, of 300 bytes, to one viewer.
PUBLISH_US = 2.7
# The gateway's part of the same, taken as that of an event: 1.1 ms / 60.
DELIVER_US = 18
# docs/performance.md, "Beside the LiteLLM proxy".
CALL_US = 104
VIEWER_KIB = 2.3
# Used at most, of any processor, so that a burst and a lost machine fit in.
FILL = 0.6
PROCESS_MB = 30
# Of agents that answer at the same time in one debate, and of its phases that are spent so.
SPEAKING = 3


def rows(debates: int, options: argparse.Namespace) -> list[tuple[str, str]]:
    rate = debates / options.seconds
    live = debates * options.tokens * SPEAKING
    viewers = debates * options.viewers
    processors = {name: rate * cost / 1000 for name, cost in COSTS.items()}
    processors["redis"] += live * PUBLISH_US / 1e6
    processors["gateway"] += live * options.viewers * DELIVER_US / 1e6
    processors["workers"] += rate * CALLS * CALL_US / 1e6
    workers = max(2, math.ceil(debates / options.concurrency))
    connections = workers * (max(4, options.concurrency // 8) + 1)

    def cores(name: str) -> str:
        return number(processors[name] / FILL)

    return [
        ("debates that begin, a second", number(rate)),
        ("calls at once, to all providers", number(debates * SPEAKING)),
        ("calls, a second", number(rate * CALLS)),
        ("Postgres: processors", cores("postgres")),
        ("Postgres: commits, a second", number(rate * COMMITS)),
        ("Postgres: log written, MB/s", number(rate * WAL_KIB / 1024)),
        ("Postgres: stored a day, GB", number(rate * TABLE_KIB * 86400 / 1024 / 1024)),
        (f"Postgres: stored with {options.keep_days} days kept, GB",
         number(rate * TABLE_KIB * 86400 * options.keep_days / 1024 / 1024)),
        ("Postgres: connections of workers", number(connections)),
        ("Redis: messages of live text, a second", number(live)),
        ("Redis: processors; one server has one", cores("redis")),
        ("Redis: memory for what runs, GB", number(debates * REDIS_KIB / 1024 / 1024)),
        ("Redis: memory to keep six hours, GB", number(rate * 6 * 3600 * REDIS_KIB / 1024 / 1024)),
        (f"workers of {options.concurrency} debates", number(workers)),
        ("workers: processors", cores("workers")),
        ("gateways: viewers' connections", number(viewers)),
        ("gateways: processors, at the most", cores("gateway")),
        ("api: processors for creating", cores("api")),
    ]


def number(value: float) -> str:
    if value >= 100:
        return f"{round(value, -len(str(int(value))) + 2):,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def table(options: argparse.Namespace) -> str:
    columns = [rows(debates, options) for debates in options.debates]
    lines = ["| Debates at once | " + " | ".join(f"{debates:,}" for debates in options.debates) + " |",
             "| --- |" + " ---: |" * len(columns)]
    for index, (name, _) in enumerate(columns[0]):
        lines.append(f"| {name} | " + " | ".join(column[index][1] for column in columns) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--debates", type=int, nargs="+", default=[10, 1000, 100_000])
    parser.add_argument("--seconds", type=float, default=120, help="a debate takes, with models that think")
    parser.add_argument("--viewers", type=float, default=1, help="of a debate")
    parser.add_argument("--tokens", type=float, default=10, help="messages of live text a second, of an agent that speaks")
    parser.add_argument("--concurrency", type=int, default=50, help="WORKER_CONCURRENCY")
    parser.add_argument("--keep-days", type=int, default=90)
    parser.add_argument("--check", type=pathlib.Path)
    options = parser.parse_args()
    text = table(options)
    if options.check and text not in options.check.read_text():
        sys.exit(f"{options.check} does not have this table:\n{text}")
    print(text)


if __name__ == "__main__":
    main()
