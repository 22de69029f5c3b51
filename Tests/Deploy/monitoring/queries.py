"""The queries of dashboards and rules, for the checks beside this file."""

import dataclasses
import json
import re
import subprocess
import sys

import yaml

# What Grafana puts in before it asks; a variable becomes what "All" stands for.
BUILT_IN = {"$__rate_interval": "1m", "$__interval": "15s", "$__range": "1h"}


@dataclasses.dataclass(frozen=True)
class Query:
    where: str
    panel: str
    expr: str


def panels(board):
    for panel in board["panels"]:
        yield panel
        yield from panels({"panels": panel.get("panels", [])})


def of_dashboards(folder):
    for path in sorted(folder.glob("*.json")):
        for panel in panels(json.loads(path.read_text())):
            for target in panel.get("targets", []):
                yield Query(path.stem, panel["title"], target["expr"])


def of_rules(path):
    """Of a Prometheus rule file, or of a PrometheusRule, which holds the same groups."""
    document = yaml.safe_load(path.read_text())
    for group in (document.get("spec") or document)["groups"]:
        for rule in group["rules"]:
            yield Query(path.name, rule.get("alert") or rule["record"], rule["expr"])


def zeros(root):
    """Which queries of the dashboards may be zero, and why."""
    return json.loads(subprocess.run([sys.executable, root / "scripts/dashboards.py", "--zeros"], capture_output=True, check=True).stdout)


def substituted(expr, rate_interval=None):
    for name, value in BUILT_IN.items():
        expr = expr.replace(name, rate_interval if rate_interval and name == "$__rate_interval" else value)
    return re.sub(r"\$\{?\w+(:\w+)?\}?", ".+", expr)
