#!/usr/bin/env python3
"""Judges the PromQL of deploy/kubernetes with promtool: that it parses, and what the autoscalers' queries say.

Exit codes: 0 all well, 1 something is wrong, 77 no promtool.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import documents  # noqa: E402
import kustomize  # noqa: E402
import prometheus_rule  # noqa: E402
from objects import Objects  # noqa: E402
from rules.scaling import ADAPTER  # noqa: E402

API = '{namespace="aragora",job="aragora-api",pod="%s"}'
# Two replicas of the API, which count the same rows, and one that was asked a moment earlier.
QUEUE = [
    ("aragora_debates_waiting" + API % "a", 2), ("aragora_debates_waiting" + API % "b", 2),
    ("aragora_debates_running" + API % "a", 3), ("aragora_debates_running" + API % "b", 2),
]
EMPTY = [(name, 0) for name, _ in QUEUE]
# Somebody else's, in the same Prometheus.
FOREIGN = [('aragora_debates_waiting{namespace="staging",job="aragora-api",pod="a"}', 70),
           ('aragora_debates_running{namespace="staging",job="aragora-api",pod="a"}', 7)]
PODS = [('aragora_websocket_connections{namespace="aragora",pod="a"}', 5), ('aragora_websocket_connections{namespace="aragora",pod="b"}', 6)]


def expression_test(query, series, expected):
    """A unit test of one expression; `expected` is {labels: value}."""
    return {
        "interval": "15s",
        "input_series": [{"series": name, "values": f"{value}x20"} for name, value in series],
        "promql_expr_test": [
            {"expr": query, "eval_time": "2m", "exp_samples": [{"labels": labels, "value": value} for labels, value in expected.items()]}
        ],
    }


def tests(objects):
    query = objects.find("ScaledObject", "aragora-debate-worker")["spec"]["triggers"][0]["metadata"]["query"]
    yield expression_test(query, QUEUE + FOREIGN, {"{}": 5})
    yield expression_test(query, EMPTY, {"{}": 0})
    # Nobody counts: no answer, and KEDA's fallback decides.
    yield expression_test(query, FOREIGN, {})
    custom = {entry["name"]["as"]: entry["metricsQuery"] for kind in ("custom", "external") for entry in ADAPTER["rules"][kind]}
    adapted = lambda name: custom[name].replace("<<.LabelMatchers>>", 'namespace="aragora"').replace("<<.GroupBy>>", "pod")
    yield expression_test(adapted("aragora_debates_open"), QUEUE + FOREIGN, {"{}": 5})
    yield expression_test(adapted("aragora_websocket_connections"), PODS, {'{pod="a"}': 5, '{pod="b"}': 6})


def analyses(objects):
    """The canary's analysis: silence passes, one failure in twenty does not, and the stable pods do not matter."""
    series = lambda hash, status, rate: (
        'aragora_requests_total{job="aragora-api",rollouts_pod_template_hash="%s",status="%s"}' % (hash, status), f"0+{rate}")
    for metric in objects.find("AnalysisTemplate", "aragora-canary")["spec"]["metrics"]:
        query = metric["provider"]["prometheus"]["query"].replace("{{args.pods}}", "new")
        yield expression_test(query, [], {"{}": 0})
        if metric["name"] == "error-rate":
            yield expression_test(query, [series("new", "200", 95), series("new", "500", 5), series("old", "500", 900)], {"{}": 0.05})
            yield expression_test(query, [series("new", "200", 95), series("old", "500", 900)], {"{}": 0})


def alerts():
    """What others run in the same Prometheus raises no alert of ours."""
    query = 'count(ALERTS{alertname="AragoraTargetDown",alertstate="firing"}) or vector(0)'
    ours, theirs = 'up{namespace="aragora",job="aragora-api"}', 'up{namespace="shop",job="web"}'
    yield {**expression_test(query, [(ours, 1), (theirs, 0)], {"{}": 0}), "interval": "1m"}
    yield {**expression_test(query, [(ours, 0), (theirs, 1)], {"{}": 1}), "interval": "1m"}


def promtool(*arguments):
    run = subprocess.run(["promtool", *arguments], capture_output=True, text=True)
    return [] if run.returncode == 0 else [f"promtool {' '.join(arguments[:2])}: {run.stdout}{run.stderr}"]


def main():
    if not shutil.which("promtool"):
        print("promtool is missing (Debian: prometheus)")
        return 77
    production = Objects(kustomize.render(documents.ROOT / "deploy/kubernetes/overlays/production"))
    full = Objects(kustomize.render(documents.ROOT / "Tests/Deploy/kubernetes/variants/full"))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "rules.yaml").write_text(json.dumps(production.find("PrometheusRule", "aragora")["spec"]))
        cases = [*tests(production), *analyses(full)]
        firing = [*alerts()]
        for case in firing:
            case["promql_expr_test"][0]["eval_time"] = "15m"
        problems = promtool("check", "rules", str(folder / "rules.yaml"))
        for file, rule_files, cases_of in (("queries", [], cases), ("alerts", ["rules.yaml"], firing)):
            (folder / f"{file}.yaml").write_text(
                json.dumps({"rule_files": rule_files, "evaluation_interval": "15s", "tests": cases_of}))
            problems += promtool("test", "rules", str(folder / f"{file}.yaml"))
        # A wrong expectation has to be told.
        wrong = [expression_test("vector(1)", [], {"{}": 2})]
        (folder / "wrong.yaml").write_text(json.dumps({"rule_files": [], "evaluation_interval": "15s", "tests": wrong}))
        if not promtool("test", "rules", str(folder / "wrong.yaml")):
            problems.append("promtool accepts a wrong expectation")
    for problem in problems:
        print(problem)
    rules = sum(len(group["rules"]) for group in production.find("PrometheusRule", "aragora")["spec"]["groups"])
    print(f"{rules} rules, {len(cases)} expectations of queries, {len(firing)} of alerts, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
