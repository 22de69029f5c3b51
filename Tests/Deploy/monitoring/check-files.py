#!/usr/bin/env python3
"""What can be said of dashboards, logging and Terraform without Grafana, Loki, Promtail, Jaeger and AWS.

Dashboards are what scripts/dashboards.py writes, well formed, and every query parses. Loki's and Promtail's settings
parse and promise what they should. The alarms of the production run book are in the Terraform file. None of these
programs runs here: rendering, provisioning, ingestion and AWS are not checked.

Needs promtool and the packages of Tests/Deploy/requirements.txt. Exit codes: 0 passed, 1 not.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

import hcl2
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "Tests/Deploy/monitoring"))
import queries  # noqa: E402

GRAFANA = ROOT / "deploy/compose/grafana"
MONITORING = ROOT / "deploy/compose/monitoring"
NAMES = {"aragora-overview", "api-performance", "debate-analytics", "slo-dashboard", "receipt-retention"}

problems = []


def check(condition, text):
    if not condition:
        problems.append(text)
        print("problem:", text)


def check_dashboards():
    result = subprocess.run([sys.executable, ROOT / "scripts/dashboards.py", "--check"], capture_output=True, text=True)
    check(result.returncode == 0, f"run scripts/dashboards.py: {result.stderr}")
    check({path.stem for path in GRAFANA.glob("*.json")} == NAMES, "the dashboards are not the five documented ones")
    sources = yaml.safe_load((GRAFANA / "provisioning/datasources/aragora.yaml").read_text())["datasources"]
    uids = {source["uid"] for source in sources}
    check(uids == {f"aragora-{name}" for name in ("prometheus", "alertmanager", "loki", "jaeger")}, f"datasources are {uids}")
    provider = yaml.safe_load((GRAFANA / "provisioning/dashboards/aragora.yaml").read_text())["providers"][0]
    check(provider["options"]["path"] == "/etc/grafana/aragora", "dashboards are mounted at /etc/grafana/aragora")
    for path in sorted(GRAFANA.glob("*.json")):
        check_dashboard(path.stem, json.loads(path.read_text()), uids)


def check_dashboard(name, board, uids):
    check(board["uid"] == name and board["title"] and board["schemaVersion"] == 39, f"{name}: uid, title or schema version")
    variables = {variable["name"] for variable in board["templating"]["list"]}
    numbers, taken = set(), {}
    for panel in board["panels"]:
        label = f"{name}: {panel['title']}"
        check(panel["id"] not in numbers, f"{label}: a panel's id is used twice")
        numbers.add(panel["id"])
        place = panel["gridPos"]
        check(0 <= place["x"] and place["x"] + place["w"] <= 24, f"{label}: outside of the grid")
        for cell in ((x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])):
            check(cell not in taken, f"{label}: lies on {taken.get(cell)}")
            taken[cell] = panel["title"]
        if panel["type"] == "row":
            continue
        check(panel["targets"], f"{label}: no query")
        for target in panel["targets"]:
            check(target["datasource"]["uid"] in uids, f"{label}: unknown datasource")
            used = set(re.findall(r"\$(\w+)", target["expr"])) - {"__rate_interval", "__range", "__interval"}
            check(used <= variables, f"{label}: uses ${used - variables}")


def parses(exprs):
    """promtool's complaint about a rule file of these queries, or nothing."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        rules = [{"record": f"x:{number}", "expr": queries.substituted(expr)} for number, expr in enumerate(exprs)]
        json.dump({"groups": [{"name": "q", "rules": rules}]}, file)
        file.flush()
        result = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True)
    return "" if result.returncode == 0 else result.stderr.strip()


def check_queries():
    found = list(queries.of_dashboards(GRAFANA))
    check(len(found) > 100, "hardly any query was found")
    exprs = sorted({query.expr for query in found})
    # promtool stops at the first error of a file: only then each gets its own.
    if parses(exprs):
        for expr in exprs:
            problem = parses([expr])
            check(not problem, f"{expr}: {problem}")
    for zero in queries.zeros(ROOT):
        check(zero["expr"] in exprs and zero["why"], f"an excuse for no query: {zero}")
    return len(found)


def check_catalogue():
    """What is asked of our own services is in docs/metrics.md, with these labels and values, and is not pending."""
    metrics, pending = queries.catalogue(ROOT / "docs/metrics.md")
    values = queries.values(ROOT / "docs/metrics.md")
    # Prometheus adds these when it scrapes, Kubernetes the last three.
    added = {"job", "instance", "namespace", "pod", "rollouts_pod_template_hash"}
    asked = 0
    for query in queries.every(ROOT):
        label = f"{query.where}: {query.panel}"
        for name, conditions in queries.needs(queries.substituted(query.expr)).metrics:
            if not name.startswith(("aragora_", "process_")):
                continue
            asked += 1
            check(name not in pending, f"{label}: {name} is pending")
            check(name in metrics, f"{label}: no metric {name} in docs/metrics.md")
            for key, sign, value in conditions:
                check(key in metrics.get(name, {key}) | added, f"{label}: {name} has no label {key}")
                wanted = values.get((re.sub("_(bucket|sum|count)$", "", name), key))
                if wanted and sign in ("=", "=~", "!="):
                    check(set(value.split("|")) <= wanted, f"{label}: {name}{{{key}}} is never {value}")
    check(asked > 150, f"only {asked} metrics are asked for")


def check_logging():
    loki = yaml.safe_load((MONITORING / "loki.yaml").read_text())
    check(loki["compactor"]["retention_enabled"] and loki["limits_config"]["retention_period"] == "336h", "Loki keeps logs for ever")
    check(loki["analytics"]["reporting_enabled"] is False, "Loki reports to its vendor")
    promtail = yaml.safe_load((MONITORING / "promtail.yaml").read_text())
    check(promtail["clients"][0]["url"].startswith(f"http://loki:{loki['server']['http_listen_port']}/"), "Promtail sends elsewhere")
    stages = promtail["scrape_configs"][0]["pipeline_stages"]
    labels = {label for stage in stages if "labels" in stage for label in stage["labels"]}
    check(labels == {"service", "level"}, f"labels are {labels}: anything else may come from users")
    fields = {value for stage in stages if "json" in stage for value in stage["json"]["expressions"].values()}
    check("level" in fields, "the level of our JSON lines is not read")
    compose = yaml.safe_load((ROOT / "deploy/docker-compose.production.yml").read_text())
    written = compose["services"]["aragora"]["logging"]["options"]["labels"].split(",")
    check("com.docker.compose.service" in written, "the compose file does not write the label that Promtail reads")


def check_terraform():
    with open(ROOT / "deploy/terraform/cloudwatch.tf") as file:
        parsed = hcl2.load(file)

    def plain(value):
        return value.strip('"') if isinstance(value, str) else value

    alarms = {
        plain(name): {key: plain(value) for key, value in body.items()}
        for resource in parsed["resource"] for kind, members in resource.items() if plain(kind) == "aws_cloudwatch_metric_alarm"
        for name, body in members.items()
    }
    check(set(alarms) == {"cpu_high", "status_check"}, f"the alarms are {set(alarms)}")
    cpu, status = alarms["cpu_high"], alarms["status_check"]
    check(cpu["alarm_name"] == "${each.key}-cpu-high" and status["alarm_name"] == "${each.key}-status-check", "the alarms' names are not the documented ones")
    check((cpu["metric_name"], cpu["period"], cpu["evaluation_periods"]) == ("CPUUtilization", 300, 1), "processor: documented as 5 minutes")
    check((status["metric_name"], status["threshold"]) == ("StatusCheckFailed", 1), "status: documented as 1")
    defaults = {plain(name): body.get("default") for variable in parsed["variable"] for name, body in variable.items()}
    check(defaults["cpu_threshold_percent"] == 80, "processor: documented as 80 %")
    kinds = {plain(kind) for resource in parsed["resource"] for kind in resource}
    check("aws_sns_topic_subscription" in kinds, "nobody is told by e-mail")


def main():
    check_dashboards()
    count = check_queries()
    check_catalogue()
    check_logging()
    check_terraform()
    print(f"{count} queries parsed, {len(problems)} problems")
    sys.exit(1 if problems else 0)


main()
