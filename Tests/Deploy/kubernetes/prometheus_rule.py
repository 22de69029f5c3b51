#!/usr/bin/env python3
"""Makes components/monitoring/prometheus-rule.yaml from the rules of deploy/compose/monitoring.

    Tests/Deploy/kubernetes/prometheus_rule.py --write

The Prometheus of a cluster sees more than ours, so every selector of what is not ours gets namespace="aragora"; and what
looks at the machine is replaced or left out. All else is the same text; check.py holds that.
"""
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
SOURCES = [ROOT / "deploy/compose/monitoring" / name for name in ("recording-rules.yaml", "alerts.yaml")]
TARGET = ROOT / "deploy/kubernetes/components/monitoring/prometheus-rule.yaml"
# Series that other installations have too.
SHARED = re.compile(r"(?<![\w:])(up|probe_\w+|pg_\w+|redis_\w+)\b(?!\s*\()(\{?)")
LEFT_OUT = {
    "AragoraNotificationsFailing": "the cluster's Alertmanager is not ours",
}
REPLACED = {
    # The node's disks are the cluster's; our volumes are what kubelets measure.
    "AragoraDiskAlmostFull": {
        "expr": '1 - kubelet_volume_stats_available_bytes{namespace="aragora"}\n'
        '/ kubelet_volume_stats_capacity_bytes{namespace="aragora"} > 0.85',
        "description": "The volume {{ $labels.persistentvolumeclaim }} is {{ $value | humanizePercentage }} full.",
    },
}


def made():
    """The text of the PrometheusRule."""
    groups, seen = {}, set()
    for source in SOURCES:
        for group in yaml.safe_load(source.read_text())["groups"]:
            rules = [changed(rule) for rule in group["rules"] if rule.get("alert") not in LEFT_OUT]
            seen |= {rule.get("alert") for rule in group["rules"]}
            # Both files may have a group of the same name; here a name is there once.
            name = group["name"] if group["name"] not in groups else f"{group['name']}-alerts"
            groups[name] = {**{key: value for key, value in group.items() if key != "rules"}, "name": name, "rules": rules}
    if missing := (LEFT_OUT.keys() | REPLACED.keys()) - seen:
        raise SystemExit(f"prometheus_rule.py names alerts that are not there: {sorted(missing)}")
    document = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {
            "name": "aragora",
            "labels": {"app.kubernetes.io/name": "aragora", "app.kubernetes.io/part-of": "aragora"},
        },
        "spec": {"groups": [group for group in groups.values() if group["rules"]]},
    }
    head = (
        "# Written by Tests/Deploy/kubernetes/prometheus_rule.py from deploy/compose/monitoring; change it there.\n"
        "# Left out: " + "; ".join(f"{name} ({why})" for name, why in LEFT_OUT.items()) + ".\n"
    )
    return head + yaml.dump(document, Dumper=Dumper, sort_keys=False, width=4000, allow_unicode=True)


class Dumper(yaml.SafeDumper):
    """Expressions of several lines stay so."""


Dumper.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None))


def changed(rule):
    rule = {**rule, "annotations": dict(rule["annotations"])} if "annotations" in rule else dict(rule)
    rule["expr"] = SHARED.sub(lambda found: found[1] + ('{namespace="aragora",' if found[2] else '{namespace="aragora"}'), rule["expr"])
    if other := REPLACED.get(rule.get("alert")):
        rule["expr"] = other["expr"]
        rule["annotations"]["description"] = other["description"]
    return rule


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        raise SystemExit(__doc__)
    TARGET.write_text(made())
