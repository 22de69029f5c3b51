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


def of_kubernetes(folder):
    """What the autoscalers and the canary's analysis ask Prometheus."""

    def walk(node):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
            if key in ("query", "metricsQuery", "seriesQuery") and isinstance(value, str):
                yield value
            yield from walk(value)

    for path in sorted(folder.rglob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            for expr in walk(document):
                # Templates of prometheus-adapter; Argo's stand inside of strings.
                if "aragora" in expr and not expr.lstrip().lower().startswith("select"):
                    yield Query(f"kubernetes/{path.name}", "", expr.replace("<<.LabelMatchers>>", "").replace("<<.GroupBy>>", "pod"))


def every(root):
    """All that this repository asks of a Prometheus."""
    monitoring = root / "deploy/compose/monitoring"
    yield from of_rules(monitoring / "recording-rules.yaml")
    yield from of_rules(monitoring / "alerts.yaml")
    yield from of_dashboards(root / "deploy/compose/grafana")
    yield from of_kubernetes(root / "deploy/kubernetes")


def zeros(root):
    """Which queries of the dashboards may be zero, and why."""
    return json.loads(subprocess.run([sys.executable, root / "scripts/dashboards.py", "--zeros"], capture_output=True, check=True).stdout)


def substituted(expr, rate_interval=None):
    for name, value in BUILT_IN.items():
        expr = expr.replace(name, rate_interval if rate_interval and name == "$__rate_interval" else value)
    return re.sub(r"\$\{?\w+(:\w+)?\}?", ".+", expr)


# --- What a query asks for -------------------------------------------------------------------------------------------

TOKEN = re.compile(r"""
    (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)
  | (?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
  | (?P<number>[0-9][0-9a-zA-Z_.]*)
  | (?P<sign>=~|!~|!=|==|<=|>=|[-+*/%^<>=(){}\[\],:@.$])
  | (?P<space>\s+)
""", re.VERBOSE)
GROUPING = {"by", "without", "on", "ignoring", "group_left", "group_right"}
WORDS = GROUPING | {"and", "or", "unless", "bool", "offset", "inf", "nan"}


@dataclasses.dataclass
class Needs:
    """Metrics with the matchers on them, and labels that are grouped or joined by."""

    metrics: list = dataclasses.field(default_factory=list)
    labels: set = dataclasses.field(default_factory=set)


def tokens(expr):
    place = 0
    while place < len(expr):
        match = TOKEN.match(expr, place)
        if not match:
            raise ValueError(f"can not read {expr[place:place + 20]!r} in {expr!r}")
        if match.lastgroup != "space":
            yield match.lastgroup, match.group()
        place = match.end()


def needs(expr):
    """Names and labels, by the tokens alone: a name before `(` or `by` is a function, any other a metric."""
    found, stream, place = Needs(), list(tokens(expr)), 0

    def upto(closing):
        nonlocal place
        inside = []
        while stream[place][1] != closing:
            inside.append(stream[place])
            place += 1
        place += 1
        return inside

    while place < len(stream):
        kind, text = stream[place]
        following = stream[place + 1][1] if place + 1 < len(stream) else ""
        place += 1
        if text == "[":
            upto("]")
        elif text == "{":
            inside = matchers(upto("}"))
            name = "".join(value for label, sign, value in inside if (label, sign) == ("__name__", "="))
            found.metrics.append((name, [matcher for matcher in inside if matcher[0] != "__name__"]))
        elif kind == "name" and text in GROUPING:
            if following == "(":
                place += 1
                found.labels |= {label for label_kind, label in upto(")") if label_kind == "name"}
        elif kind == "name" and text.lower() not in WORDS and following not in ("(", "by", "without"):
            if following == "{":
                place += 1
                found.metrics.append((text, matchers(upto("}"))))
            else:
                found.metrics.append((text, []))
    return found


def matchers(inside):
    """Of `a="b",c=~"d"`: (a, =, b), (c, =~, d)."""
    parts = [part for part in inside if part[1] != ","]
    return [(parts[n][1], parts[n + 1][1], parts[n + 2][1][1:-1]) for n in range(0, len(parts), 3)]


# --- The catalogue ---------------------------------------------------------------------------------------------------


def catalogue(path):
    """docs/metrics.md: the labels of every metric that is emitted, and the names of those that are pending."""
    text = path.read_text()
    emitted, pending = text.split("## Pending")
    row = re.compile(r"^\| `((?:aragora|process)_\w+)` \| (\w+) \| ([^|]*) \|", re.MULTILINE)
    metrics = {}
    for name, kind, labels in row.findall(emitted):
        names = set(re.findall(r"`(\w+)`", labels))
        metrics[name] = names
        if kind == "histogram":
            metrics |= {f"{name}_bucket": names | {"le"}, f"{name}_sum": names, f"{name}_count": names}
    return metrics, {name for name, _, _ in row.findall(pending)}


def values(path):
    """docs/metrics.md: for (metric, label) the values it may have, where they are listed."""
    found = {}
    for label, metrics, listed in re.findall(r"^\| `(\w+)` \| ([^|]*) \| ([^|]*) \|$", path.read_text(), re.MULTILINE):
        names = re.findall(r"`((?:aragora|process)_\w+)`", metrics)
        if names and re.fullmatch(r"(`[^`]+`(, )?)+ ?", listed):
            for name in names:
                found[(name, label)] = set(re.findall(r"`([^`]+)`", listed))
    return found
