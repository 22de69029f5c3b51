#!/usr/bin/env python3
"""Prometheus accepts its configuration and rules, and every alert fires and keeps silent as alert-cases.yaml says.

Needs promtool. Exit codes: 0 passed, 1 not.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
MONITORING = ROOT / "deploy/compose/monitoring"
CASES = ROOT / "Tests/Deploy/monitoring/alert-cases.yaml"
RUNBOOK = "https://github.com/an0mium/aragora/blob/main/docs/operations.md#"

# What the operations documents list: severity and duration.
DOCUMENTED = {
    "AragoraAvailabilitySLOBreach": ("critical", "5m"),
    "AragoraAvailabilitySLOWarning": ("warning", "10m"),
    "AragoraLatencySLOBreach": ("critical", "5m"),
    "AragoraLatencySLOWarning": ("warning", "10m"),
    "AragoraDebateSuccessSLOBreach": ("critical", "30m"),
    "AragoraDatabaseDown": ("critical", "1m"),
    "AragoraAgentCircuitOpen": ("warning", "5m"),
    "AragoraManyCircuitsOpen": ("critical", "2m"),
    "AragoraWebSocketConnectionsDrop": ("warning", "2m"),
    "AragoraHighMemoryUsage": ("warning", "10m"),
    "AragoraHighRateLimitRate": ("warning", "5m"),
    "AragoraAgentLatencyHigh": ("warning", "10m"),
    "AragoraAgentErrorRateHigh": ("warning", "5m"),
    "AragoraNoAgentCalls": ("warning", "15m"),
    "AragoraDebateRunningTooLong": ("warning", "1m"),
}

problems = []


def complain(text):
    problems.append(text)
    print(text)


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        complain(f"{' '.join(map(str, command[:3]))} …: exit {result.returncode}\n{result.stdout}{result.stderr}")
    return result


def alerts():
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text())
    return {rule["alert"]: rule for group in rules["groups"] for rule in group["rules"]}


def check_fields(rules):
    """Every alert says how bad it is, what is wrong, with its value, and where to read on."""
    for name, rule in rules.items():
        notes = rule.get("annotations", {})
        if rule.get("labels", {}).get("severity") not in ("critical", "warning"):
            complain(f"{name}: severity must be critical or warning")
        if notes.get("runbook_url") != RUNBOOK + name.lower():
            complain(f"{name}: runbook_url must be {RUNBOOK}{name.lower()}")
        for note in ("summary", "description"):
            if not notes.get(note):
                complain(f"{name}: no {note}")
        if "{{" not in notes.get("description", "") and name not in ("AragoraApiDown", "AragoraBackupFailed"):
            complain(f"{name}: the description has neither value nor label")
    for name, (severity, duration) in DOCUMENTED.items():
        rule = rules.get(name, {})
        if (rule.get("labels", {}).get("severity"), rule.get("for")) != (severity, duration):
            complain(f"{name}: documented as {severity} for {duration}")


def check_runbook(rules):
    """The run book has a section for each alert; its anchors are headings in lower case without punctuation."""
    runbook = ROOT / "docs/operations.md"
    if not runbook.exists():
        print("docs/operations.md is not there: its sections were not checked")
        return
    headings = re.findall(r"^#+ +(.+?) *$", runbook.read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    for name in sorted(set(map(str.lower, rules)) - anchors):
        complain(f"docs/operations.md has no section for #{name}")


def expected(rule, alert):
    notes = dict(rule["annotations"], description=alert["description"])
    if "{{" in notes["summary"]:
        notes["summary"] = alert.get("summary", "the case names no summary, and the rule's has a template")
    return {"exp_labels": {**rule["labels"], **alert.get("labels", {})}, "exp_annotations": notes}


def needed(expression, recordings):
    """The recording rules an expression rests on, in the order they must be evaluated."""
    names = set(re.findall(r"aragora:[a-z0-9_:]+", expression))
    for rule in reversed(recordings):
        if rule["record"] in names:
            names |= set(re.findall(r"aragora:[a-z0-9_:]+", rule["expr"]))
    return [rule for rule in recordings if rule["record"] in names]


def unit_tests(name, rule, cases):
    """promtool's form of the cases of one alert."""
    for kind in ("fires", "silent"):
        if not cases.get(kind):
            complain(f"{name}: no case in which it {'fires' if kind == 'fires' else 'is silent'}")
        if kind == "fires" and "for" in rule and not any("not_at" in case for case in cases.get(kind) or []):
            complain(f"{name}: no case shows that it waits for {rule['for']}")
        for case in cases.get(kind) or []:
            wanted = [expected(rule, alert) for alert in case["alerts"]] if kind == "fires" else []
            tests = [{"alertname": name, "eval_time": case["at"], "exp_alerts": wanted}]
            if "not_at" in case:
                tests.append({"alertname": name, "eval_time": case["not_at"], "exp_alerts": []})
            yield {
                "name": f"{name} {kind}: {case.get('why', case['at'])}",
                "interval": case.get("step", "1m"),
                "input_series": [{"series": s, "values": v} for s, v in case["series"].items()],
                "alert_rule_test": tests,
            }


def check_alert(folder, name, rule, recordings, tests):
    """Runs the tests of one alert. Its rules form one group, for promtool evaluates several in no certain order."""
    rules = folder / f"{name}-rules.yaml"
    rules.write_text(yaml.safe_dump({"groups": [{"name": name, "rules": needed(rule["expr"], recordings) + [rule]}]}))
    # The evaluation interval is the file's, so each step is a file.
    for step in sorted({test["interval"] for test in tests}):
        path = folder / f"{name}-{step}.yaml"
        path.write_text(yaml.safe_dump({
            "rule_files": [str(rules)], "evaluation_interval": step,
            "tests": [test for test in tests if test["interval"] == step],
        }, allow_unicode=True))
        run("promtool", "test", "rules", path)


def check_cases(rules):
    cases = yaml.safe_load(CASES.read_text())
    recordings = [
        rule for group in yaml.safe_load((MONITORING / "recording-rules.yaml").read_text())["groups"] for rule in group["rules"]
    ]
    for name in sorted(set(cases) - set(rules)):
        complain(f"{name}: has cases and no rule")
    tests = {name: list(unit_tests(name, rule, cases.get(name, {}))) for name, rule in rules.items()}
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda name: check_alert(pathlib.Path(folder), name, rules[name], recordings, tests[name]), rules))
    return sum(map(len, tests.values()))


def main():
    run("promtool", "check", "config", MONITORING / "prometheus.yml")
    run("promtool", "check", "rules", "--lint=all", "--lint-fatal", MONITORING / "recording-rules.yaml", MONITORING / "alerts.yaml")
    rules = alerts()
    check_fields(rules)
    check_runbook(rules)
    count = check_cases(rules)
    print(f"{len(rules)} alerts, {count} unit tests, {len(problems)} problems")
    sys.exit(1 if problems else 0)


main()
