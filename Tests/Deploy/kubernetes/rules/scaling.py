"""Autoscalers, disruption budgets, and the connections they make of Postgres."""
import re

import documents
import yaml
from objects import command, name_of

from . import rule
from .settings import secret_key

ADAPTER = yaml.safe_load((documents.ROOT / "deploy/kubernetes/prometheus-adapter.values.yaml").read_text())
# Beside its pool: the API, a worker and the gateway have one more session at most (lease and presence, or listening).
SESSIONS = {"aragora-api": 0, "aragora-ws-gateway": 0, "aragora-debate-worker": 1}
# A migration, a backup with its trial restore, KEDA, the exporter, and an operator with psql.
OTHER_CONNECTIONS = 20


def autoscalers(objects):
    """(object, target, smallest, largest) of each."""
    for one in objects.of("HorizontalPodAutoscaler"):
        yield one, one["spec"]["scaleTargetRef"], one["spec"]["minReplicas"], one["spec"]["maxReplicas"]
    for one in objects.of("ScaledObject"):
        yield one, one["spec"]["scaleTargetRef"], one["spec"]["minReplicaCount"], one["spec"]["maxReplicaCount"]


def replicas(objects, workload):
    """(smallest, largest) number of pods."""
    for _, target, low, high in autoscalers(objects):
        if (target["kind"], target["name"]) == (workload.kind, workload.name):
            return low, high
    fixed = workload.spec.get("replicas", 1)
    return fixed, fixed


@rule
def targets(objects):
    seen = {}
    for one, target, low, high in autoscalers(objects):
        workload = objects.workload(target["kind"], target["name"])
        if workload is None:
            yield f"{name_of(one)}: no {target['kind']} {target['name']}"
            continue
        if workload.object["apiVersion"] != target["apiVersion"]:
            yield f"{name_of(one)}: {target['apiVersion']} is not the target's version"
        if seen.setdefault(str(workload), name_of(one)) != name_of(one):
            yield f"{workload} has two autoscalers: {seen[str(workload)]} and {name_of(one)}"
        if "replicas" in workload.spec:
            yield f"{workload}: has a number of replicas, which every apply would set against {name_of(one)}"
        if not 0 <= low < high:
            yield f"{name_of(one)}: from {low} to {high}"
    hpa = objects.find("HorizontalPodAutoscaler", "aragora-backend-hpa")
    if objects.of("HorizontalPodAutoscaler") and (hpa is None or (hpa["spec"]["minReplicas"], hpa["spec"]["maxReplicas"]) != (2, 10)):
        yield "aragora-backend-hpa is not there, or not from 2 to 10"
    elif hpa:
        shares = {m["resource"]["name"]: m["resource"]["target"].get("averageUtilization") for m in hpa["spec"]["metrics"] if m["type"] == "Resource"}
        if shares != {"cpu": 70, "memory": 80}:
            yield f"aragora-backend-hpa: {shares}, not CPU 70 and memory 80"


@rule
def scaling_metrics(objects):
    known, rules = documents.metrics(), ADAPTER["rules"]
    served = {kind: {entry["name"]["as"]: entry for entry in rules[kind]} for kind in ("custom", "external")}
    for kind in served:
        for name, entry in served[kind].items():
            for metric in set(re.findall(r"\b(?:aragora|process)_\w+", entry["seriesQuery"] + entry["metricsQuery"])):
                if metric not in known:
                    yield f"prometheus-adapter: {name}: {metric} is not a metric of ours"
    for one in objects.of("HorizontalPodAutoscaler"):
        target = one["spec"]["scaleTargetRef"]
        workload = objects.workload(target["kind"], target["name"])
        for metric in one["spec"]["metrics"]:
            if metric["type"] == "Resource":
                missing = [c["name"] for c in workload.pod["containers"] if metric["resource"]["name"] not in c.get("resources", {}).get("requests", {})] if workload else []
                if missing:
                    yield f"{name_of(one)}: {missing} ask for no {metric['resource']['name']}, so there is no share of it"
            else:
                kind = {"Pods": "custom", "External": "external"}[metric["type"]]
                name = metric[metric["type"].lower()]["metric"]["name"]
                if name not in served[kind]:
                    yield f"{name_of(one)}: the adapter does not serve {name}"


@rule
def workers(objects):
    """Waiting debates wake workers, running ones keep theirs, and one worker is asked for as many as it takes."""
    concurrency = objects.config.get("aragora-config", {}).get("WORKER_CONCURRENCY")
    for one in objects.of("ScaledObject"):
        spec = one["spec"]
        for trigger in spec["triggers"]:
            data = trigger["metadata"]
            if trigger["type"] == "prometheus":
                threshold, wakes, query = data["threshold"], data["activationThreshold"], data["query"]
                waiting, running = "max(aragora_debates_waiting{", "max(aragora_debates_running{"
                if data.get("ignoreNullValues") != "false":
                    yield f"{name_of(one)}: no answer of Prometheus would count as an empty queue"
            else:
                threshold, wakes, query = data["targetQueryValue"], data["activationTargetQueryValue"], data["query"]
                waiting, running = "'queued'", "'running'"
                reference = trigger.get("authenticationRef", {}).get("name")
                if objects.find("TriggerAuthentication", reference) is None:
                    yield f"{name_of(one)}: no TriggerAuthentication {reference}"
            if waiting not in query or running not in query:
                yield f"{name_of(one)}: does not count both the waiting and the running debates"
            if threshold != concurrency:
                yield f"{name_of(one)}: {threshold} debates a worker, which takes {concurrency}"
            if float(wakes) != 0:
                yield f"{name_of(one)}: one waiting debate does not wake a worker"
        if not spec.get("fallback", {}).get("replicas"):
            yield f"{name_of(one)}: no fallback while nobody can count"
        behavior = spec.get("advanced", {}).get("horizontalPodAutoscalerConfig", {}).get("behavior", {})
        if spec.get("cooldownPeriod", 0) < 300 or behavior.get("scaleDown", {}).get("stabilizationWindowSeconds", 0) < 300:
            yield f"{name_of(one)}: sends busy workers away"
    for one in objects.of("TriggerAuthentication"):
        for source in one["spec"]["secretTargetRef"]:
            yield from secret_key(name_of(one), source, objects)
    for one in objects.of("HorizontalPodAutoscaler"):
        if one["spec"]["scaleTargetRef"]["name"] == "aragora-debate-worker":
            values = [m["external"]["target"]["averageValue"] for m in one["spec"]["metrics"] if m["type"] == "External"]
            if values != [concurrency]:
                yield f"{name_of(one)}: {values} debates a worker, which takes {concurrency}"
            if one["spec"]["behavior"]["scaleDown"]["stabilizationWindowSeconds"] < 300:
                yield f"{name_of(one)}: sends busy workers away"


@rule
def disruption(objects):
    for one in objects.of("PodDisruptionBudget"):
        pods = [w for w in objects.selected(one["spec"]["selector"]) if w.is_service]
        if len(pods) != 1:
            yield f"{name_of(one)}: protects {[str(w) for w in pods]}"
            continue
        least = one["spec"].get("minAvailable", 0)
        if least and replicas(objects, pods[0])[0] <= least:
            yield f"{name_of(one)}: with {replicas(objects, pods[0])[0]} pods no node could ever be drained"
    if objects.of("PodDisruptionBudget"):
        for name in ("aragora-backend", "aragora-ws-gateway"):
            budget = objects.find("PodDisruptionBudget", name)
            if budget is None or budget["spec"].get("minAvailable") != 1:
                yield f"PodDisruptionBudget {name}: minAvailable is not 1"


def connections(objects):
    """The most that all pods can hold, one more of each while it is rolled out."""
    total = OTHER_CONNECTIONS
    for one in objects.workloads:
        executable = command(one.pod["containers"][0])[0]
        if executable in SESSIONS:
            pool = int(objects.environment(one.pod["containers"][0])["ARAGORA_DB_POOL_SIZE"])
            total += (replicas(objects, one)[1] + 1) * (pool + SESSIONS[executable])
    return total


@rule
def connection_budget(objects):
    for one in objects.of("Cluster"):
        allowed = int(one["spec"]["postgresql"]["parameters"]["max_connections"])
        if connections(objects) > allowed:
            yield f"{name_of(one)}: {connections(objects)} connections are possible, {allowed} allowed"


@rule
def canary(objects):
    for one in objects.of("Rollout"):
        for step in one["spec"]["strategy"]["canary"]["steps"]:
            for template in step.get("analysis", {}).get("templates", []):
                found = objects.find("AnalysisTemplate", template["templateName"])
                if found is None:
                    yield f"{name_of(one)}: no AnalysisTemplate {template['templateName']}"
                    continue
                given = {argument["name"] for argument in step["analysis"].get("args", [])}
                wanted = {a["name"] for a in found["spec"].get("args", [])}
                used = set(re.findall(r"{{args\.(\w+)}}", str(found["spec"]["metrics"])))
                if given != wanted or used != wanted:
                    yield f"{name_of(one)}: arguments given {given}, declared {wanted}, used {used}"
        if objects.find("Deployment", "aragora-backend"):
            yield "the API is both a Deployment and a Rollout"
        monitor = objects.find("ServiceMonitor", "aragora-backend")
        if monitor is None or "rollouts-pod-template-hash" not in monitor["spec"].get("podTargetLabels", []):
            yield "no metric says which pods are the canary's"
