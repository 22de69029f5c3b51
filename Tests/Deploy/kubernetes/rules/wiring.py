"""Selectors, services, ingress and monitors: that they find what they are for."""
import re

import documents
from objects import matches, name_of

from . import rule

JOBS = {
    "backend": "aragora-api", "ws-gateway": "aragora-ws-gateway", "debate-worker": "aragora-debate-worker",
    "backup": "aragora-backup", "postgres-exporter": "postgres", "redis-exporter": "redis",
}
HOST = "aragora.example.com"


@rule
def selectors(objects):
    for one in objects.workloads:
        if "selector" in one.spec and not matches(one.spec["selector"], one.labels):
            yield f"{one}: its selector does not match its own pods"
        for other in objects.workloads:
            if other is not one and "selector" in one.spec and matches(one.spec["selector"], other.labels):
                yield f"{one}: its selector takes the pods of {other} too"
    for one in objects.all:
        if one["kind"] != "Namespace" and one["metadata"].get("namespace") != "aragora":
            yield f"{name_of(one)}: is not in the namespace aragora"


@rule
def services(objects):
    for name, service in objects.services.items():
        selector = service["spec"].get("selector")
        if not selector:
            if name != "aragora-closed":
                yield f"Service {name}: no selector"
            continue
        pods = [one for one in objects.selected({"matchLabels": selector}) if one.is_service]
        if len(pods) != 1:
            yield f"Service {name}: selects {[str(one) for one in pods]}"
        for port in service["spec"]["ports"]:
            for one in pods:
                if one.port(port.get("targetPort", port["port"])) is None:
                    yield f"Service {name}: {one} has no port {port.get('targetPort', port['port'])}"


@rule
def ingress(objects):
    hosts, closed, sockets = set(), False, False
    for one in objects.of("Ingress"):
        name = name_of(one)
        certified = {host for entry in one["spec"].get("tls", []) for host in entry["hosts"]}
        if any(entry.get("secretName") != "aragora-tls" for entry in one["spec"].get("tls", [])):
            yield f"{name}: another certificate than aragora-tls"
        for entry in one["spec"]["rules"]:
            hosts.add(entry["host"])
            if entry["host"] not in certified:
                yield f"{name}: {entry['host']} without TLS"
            for path in entry["http"]["paths"]:
                target = path["backend"]["service"]
                service = objects.services.get(target["name"])
                if service is None:
                    yield f"{name}: no Service {target['name']}"
                    continue
                ports = {port["name"] for port in service["spec"]["ports"]} | {p["port"] for p in service["spec"]["ports"]}
                if target["port"].get("name", target["port"].get("number")) not in ports:
                    yield f"{name}: Service {target['name']} has no port {target['port']}"
                closed |= (path["path"], path["pathType"], target["name"]) == ("/metrics", "Prefix", "aragora-closed")
                if path["path"] == "/ws":
                    sockets = target["name"] == "aragora-ws-gateway"
                    for side in ("read", "send"):
                        seconds = one["metadata"].get("annotations", {}).get(f"nginx.ingress.kubernetes.io/proxy-{side}-timeout", "0")
                        if int(seconds) < 3600:
                            yield f"{name}: a silent WebSocket ends after {seconds} s"
        issuer = one["metadata"].get("annotations", {}).get("cert-manager.io/issuer")
        if issuer and objects.find("Issuer", issuer) is None:
            yield f"{name}: no Issuer {issuer}"
    if objects.of("Issuer") and not any("cert-manager.io/issuer" in one["metadata"].get("annotations", {}) for one in objects.of("Ingress")):
        yield "an Issuer that nobody asks"
    if not closed:
        yield "/metrics can be read from outside"
    if not sockets:
        yield "/ws does not go to the gateway"
    origins = objects.config.get("aragora-config", {}).get("ARAGORA_ALLOWED_ORIGINS", "")
    for host in hosts:
        if f"https://{host}" not in origins.split(","):
            yield f"ARAGORA_ALLOWED_ORIGINS does not name https://{host}"
    upstream = objects.config.get("aragora-config", {}).get("ARAGORA_WS_UPSTREAM", "")
    host, _, port = upstream.partition(":")
    if host not in objects.services or int(port or 0) not in {p["port"] for p in objects.services[host]["spec"]["ports"]}:
        yield f"ARAGORA_WS_UPSTREAM: no Service answers at {upstream}"


@rule
def monitors(objects):
    covered = set()
    for one in objects.of("ServiceMonitor", "PodMonitor"):
        name, spec = name_of(one), one["spec"]
        if one["kind"] == "ServiceMonitor":
            found = [s for s in objects.services.values() if matches(spec["selector"], s["metadata"].get("labels", {}))]
            ports = [{port["name"] for port in s["spec"]["ports"]} for s in found]
            pods = [w for s in found for w in objects.selected({"matchLabels": s["spec"].get("selector", {"": ""})})]
        else:
            pods = [w for w in objects.selected(spec["selector"]) if w.is_service]
            ports = [{port["name"] for c in w.pod["containers"] for port in c.get("ports", [])} for w in pods]
        if len(ports) != 1 and not (one["metadata"]["name"] == "aragora-backup" and not ports):
            yield f"{name}: finds {len(ports)} targets"
        for endpoint in spec.get("endpoints", []) + spec.get("podMetricsEndpoints", []):
            if any(endpoint["port"] not in names for names in ports):
                yield f"{name}: no port {endpoint['port']}"
            job = [r["replacement"] for r in endpoint.get("relabelings", []) if r.get("targetLabel") == "job"]
            for pod in pods:
                component = pod.labels["app.kubernetes.io/component"]
                covered.add(component)
                if job != [JOBS[component]]:
                    yield f"{name}: job {job}, not {JOBS[component]}"
    if objects.of("ServiceMonitor"):
        for one in objects.workloads:
            component = one.labels.get("app.kubernetes.io/component")
            if one.is_service and component in JOBS and component not in covered:
                yield f"{one}: nobody scrapes it"


@rule
def names_of_the_documents(objects):
    """What operators type: deployment/aragora-backend with the container aragora, and so on."""
    api = objects.workload("Deployment", "aragora-backend") or objects.workload("Rollout", "aragora")
    if api is None or [c["name"] for c in api.pod["containers"]] != ["aragora"]:
        yield "no Deployment aragora-backend (or Rollout aragora) with the one container aragora"
    for name in ("aragora-ws-gateway", "aragora-debate-worker"):
        if objects.workload("Deployment", name) is None:
            yield f"no Deployment {name}"
    for name in ("aragora", "aragora-ws-gateway"):
        if name not in objects.services:
            yield f"no Service {name}"
        elif objects.services[name]["metadata"]["labels"].get("app") != "aragora":
            yield f"Service {name}: the documents' ServiceMonitor (app: aragora, port metrics) does not find it"
    if "aragora-config" not in objects.config:
        yield "no ConfigMap aragora-config"
    if objects.of("Secret"):
        yield "a Secret is in the kustomization: applying it would overwrite the real one"
    secret = objects.find("ExternalSecret", "aragora-secrets")
    if objects.of("ExternalSecret") and (secret is None or secret["spec"]["target"]["name"] != "aragora-secrets"):
        yield "the ExternalSecret does not make aragora-secrets"
    for one in objects.of("ExternalSecret"):
        store = one["spec"]["secretStoreRef"]
        if objects.find(store["kind"], store["name"]) is None:
            yield f"ExternalSecret: no {store['kind']} {store['name']}"
    for one in objects.of("SecretStore"):
        account = one["spec"]["provider"]["aws"]["auth"]["jwt"]["serviceAccountRef"]["name"]
        if objects.find("ServiceAccount", account) is None:
            yield f"SecretStore: no service account {account}"


@rule
def queries(objects):
    """Every metric of a query is one we export."""
    known = documents.metrics()
    texts = [(name_of(one), t["metadata"]["query"]) for one in objects.of("ScaledObject") for t in one["spec"]["triggers"] if t["type"] == "prometheus"]
    for one in objects.of("AnalysisTemplate"):
        texts += [(name_of(one), m["provider"]["prometheus"]["query"]) for m in one["spec"]["metrics"]]
    for one, text in texts:
        for metric in set(re.findall(r"\b(?:aragora|process)_\w+", re.sub(r'"[^"]*"', '""', text))):
            if metric not in known:
                yield f"{one}: {metric} is not a metric of ours"
        for job in re.findall(r'job="([^"]*)"', text):
            if job not in JOBS.values():
                yield f"{one}: no job {job}"
        for namespace in re.findall(r'namespace="([^"]*)"', text):
            if namespace != "aragora":
                yield f"{one}: no namespace {namespace}"


@rule
def repeatable(objects):
    """What the server would fill in where kubectl compares it: else every apply says "configured" and patches."""
    for one in objects.of("NetworkPolicy"):
        for entry in one["spec"].get("ingress", []) + one["spec"].get("egress", []):
            if any("protocol" not in port for port in entry.get("ports", [])):
                yield f"{name_of(one)}: a port without its protocol"
    for one in objects.of("Deployment"):
        if "type" not in one["spec"].get("strategy", {}):
            yield f"{name_of(one)}: a strategy without its type"
