#!/usr/bin/env python3
"""Shows that check.py can fail: breaks a copy of the rendered manifests, one way at a time, and expects the named rule to
say so.

Exit codes: 0 every fault was found, 1 one was not.
"""
import copy
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import documents  # noqa: E402
import kustomize  # noqa: E402
import rules  # noqa: E402
import schemas  # noqa: E402
from objects import Objects  # noqa: E402

PLAIN = documents.ROOT / "deploy/kubernetes"
PRODUCTION = documents.ROOT / "deploy/kubernetes/overlays/production"
CUSTOM = documents.ROOT / "Tests/Deploy/kubernetes/variants/custom-metrics"
FULL = documents.ROOT / "Tests/Deploy/kubernetes/variants/full"
MUTATIONS = []


def pod(o, kind="Deployment", name="aragora-backend"):
    return o.find(kind, name)["spec"]["template"]["spec"]


def box(o, kind="Deployment", name="aragora-backend"):
    return pod(o, kind, name)["containers"][0]


def variable(o, name, container=None):
    return next(e for e in (container or box(o))["env"] if e["name"] == name)


def policy(o, name):
    return o.find("NetworkPolicy", name)["spec"]


def config(o):
    return o.find("ConfigMap", "aragora-config")["data"]


def hpa(o, name="aragora-backend-hpa"):
    return o.find("HorizontalPodAutoscaler", name)["spec"]


def trigger(o):
    return o.find("ScaledObject", "aragora-debate-worker")["spec"]["triggers"][0]["metadata"]


def change(variant, rule, what, apply):
    """`apply` breaks the rendered objects; `rule` has to see it."""
    MUTATIONS.append((variant, rule, what, apply))


def drop(o, kind, name):
    o.all.remove(o.find(kind, name))


change(PLAIN, "schema", "a misspelt probe", lambda o: box(o).update(livenesProbe=box(o).pop("livenessProbe")))
change(PLAIN, "schema", "a number where a text belongs", lambda o: config(o).update(ARAGORA_RATE_LIMIT=100))
change(PRODUCTION, "schema", "a field that a ScaledObject does not have", lambda o: o.find("ScaledObject", "aragora-debate-worker")["spec"].update(maxReplicas=3))
change(FULL, "schema", "a misspelt canary step", lambda o: o.find("Rollout", "aragora")["spec"]["strategy"]["canary"]["steps"].insert(0, {"setWeigth": 5}))
change(PLAIN, "schema", "a kind that nobody knows", lambda o: o.all.append({"apiVersion": "example.com/v1", "kind": "Odd", "metadata": {"name": "odd", "namespace": "aragora"}}))
change(PLAIN, "selectors", "a selector that misses its own pods", lambda o: o.find("Deployment", "aragora-backend")["spec"]["selector"]["matchLabels"].update({"app.kubernetes.io/component": "api"}))
change(PLAIN, "selectors", "a selector that takes other pods too", lambda o: o.find("Deployment", "aragora-backend")["spec"]["selector"]["matchLabels"].pop("app.kubernetes.io/component"))
change(PLAIN, "selectors", "an object in another namespace", lambda o: o.find("Service", "aragora")["metadata"].update(namespace="default"))
change(PLAIN, "services", "a service of no pod", lambda o: o.find("Service", "aragora")["spec"]["selector"].update({"app.kubernetes.io/component": "api"}))
change(PLAIN, "services", "a target port that is not there", lambda o: o.find("Service", "aragora")["spec"]["ports"][0].update(targetPort="web"))
change(PLAIN, "ingress", "an ingress to no service", lambda o: o.find("Ingress", "aragora")["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"].update(name="aragora-api"))
change(PLAIN, "ingress", "metrics open to the world", lambda o: o.find("Ingress", "aragora")["spec"]["rules"][0]["http"]["paths"].pop(1))
change(PLAIN, "ingress", "a WebSocket that ends after a minute", lambda o: o.find("Ingress", "aragora-ws")["metadata"]["annotations"].update({"nginx.ingress.kubernetes.io/proxy-read-timeout": "60"}))
change(PLAIN, "ingress", "a host without TLS", lambda o: o.find("Ingress", "aragora-ws")["spec"]["tls"][0].update(hosts=["other.example.com"]))
change(PLAIN, "ingress", "the gateway under a name that is not there", lambda o: config(o).update(ARAGORA_WS_UPSTREAM="gateway:8765"))
change(PRODUCTION, "ingress", "an issuer that is not there", lambda o: o.find("Issuer", "letsencrypt-prod")["metadata"].update(name="letsencrypt"))
change(PRODUCTION, "monitors", "a monitor of a port that is not there", lambda o: o.find("ServiceMonitor", "aragora-backend")["spec"]["endpoints"][0].update(port="prom"))
change(PRODUCTION, "monitors", "a job with another name", lambda o: o.find("PodMonitor", "aragora-debate-worker")["spec"]["podMetricsEndpoints"][0]["relabelings"][0].update(replacement="workers"))
change(PRODUCTION, "monitors", "a service that nobody scrapes", lambda o: drop(o, "PodMonitor", "aragora-backup"))
change(PRODUCTION, "queries", "a metric that nobody exports", lambda o: trigger(o).update(query=trigger(o)["query"].replace("debates_waiting", "queue_length")))
change(FULL, "queries", "an analysis of a metric that nobody exports", lambda o: o.find("AnalysisTemplate", "aragora-canary")["spec"]["metrics"][0]["provider"]["prometheus"].update(query="sum(rate(aragora_errors_total[2m]))"))
change(PLAIN, "names_of_the_documents", "the container has another name", lambda o: box(o).update(name="api"))
change(PLAIN, "names_of_the_documents", "a label of the documents is gone", lambda o: o.find("Service", "aragora")["metadata"]["labels"].pop("app"))
change(PLAIN, "names_of_the_documents", "a Secret that would overwrite the real one", lambda o: o.all.append({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "aragora-secrets", "namespace": "aragora"}}))
change(PLAIN, "pod_security", "a container that may gain privileges", lambda o: box(o)["securityContext"].pop("allowPrivilegeEscalation"))
change(PLAIN, "pod_security", "a pod that may run as root", lambda o: pod(o)["securityContext"].pop("runAsNonRoot"))
change(PLAIN, "pod_security", "no seccomp profile", lambda o: pod(o)["securityContext"].pop("seccompProfile"))
change(PLAIN, "pod_security", "an added capability", lambda o: box(o)["securityContext"]["capabilities"].update(add=["NET_ADMIN"]))
change(PLAIN, "pod_security", "a folder of the node", lambda o: pod(o)["volumes"].append({"name": "node", "hostPath": {"path": "/"}}))
change(PLAIN, "pod_security", "a namespace that enforces nothing", lambda o: o.find("Namespace", "aragora")["metadata"]["labels"].pop("pod-security.kubernetes.io/enforce"))
change(PLAIN, "accounts", "services in the environment: ARAGORA_PORT=tcp://", lambda o: pod(o).pop("enableServiceLinks"))
change(PLAIN, "accounts", "a mounted token", lambda o: pod(o, name="aragora-debate-worker").pop("automountServiceAccountToken"))
change(PLAIN, "resources", "more asked than allowed", lambda o: box(o)["resources"]["requests"].update(memory="3Gi"))
change(PLAIN, "resources", "no limit of the disk", lambda o: box(o)["resources"]["limits"].pop("ephemeral-storage"))
change(PLAIN, "probes", "alive asked on the main port", lambda o: box(o)["livenessProbe"]["httpGet"].update(port="http"))
change(PLAIN, "probes", "ready asked at a path that always says yes", lambda o: box(o)["readinessProbe"]["httpGet"].update(path="/healthz"))
change(PLAIN, "ending", "a drain that is longer than the grace", lambda o: config(o).update(WORKER_DRAIN_SECONDS="120"))
change(PLAIN, "ending", "no pause before the end", lambda o: box(o).pop("lifecycle"))
change(PLAIN, "placement", "spread by another component's pods", lambda o: pod(o)["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"].update({"app.kubernetes.io/component": "ws-gateway"}))
change(PLAIN, "settings", "a setting that its executable does not read", lambda o: box(o, name="aragora-ws-gateway")["env"].append({"name": "WORKER_CONCURRENCI", "value": "3"}))
change(PLAIN, "settings", "a value that is refused at the start", lambda o: config(o).update(ARAGORA_EMBEDDED_RUNNER="never"))
change(PLAIN, "settings", "a number out of bounds", lambda o: variable(o, "ARAGORA_EVENT_LOOPS").update(value="65"))
change(PLAIN, "settings", "debates in the API's pods", lambda o: config(o).pop("ARAGORA_EMBEDDED_RUNNER"))
change(PLAIN, "settings", "no token, which production requires", lambda o: box(o)["env"].remove(variable(o, "ARAGORA_API_TOKEN")))
change(PLAIN, "settings", "a key of the ConfigMap that nobody reads", lambda o: config(o).update(ARAGORA_LOGLEVEL="info"))
change(PLAIN, "references", "a key that the Secret does not have", lambda o: variable(o, "ARAGORA_REDIS_URL")["valueFrom"]["secretKeyRef"].update(key="REDIS"))
change(PLAIN, "references", "a Secret that nobody makes", lambda o: variable(o, "ARAGORA_REDIS_URL")["valueFrom"]["secretKeyRef"].update(name="redis"))
change(PLAIN, "references", "a required key that may be missing", lambda o: variable(o, "ARAGORA_API_TOKEN")["valueFrom"]["secretKeyRef"].update(optional=True))
change(PLAIN, "references", "all secrets at once", lambda o: box(o)["envFrom"].append({"secretRef": {"name": "aragora-secrets"}}))
change(PLAIN, "references", "a ConfigMap that is not there", lambda o: box(o)["envFrom"][0]["configMapRef"].update(name="aragora"))
change(PLAIN, "references", "a mount of no volume", lambda o: box(o)["volumeMounts"].append({"name": "data", "mountPath": "/data"}))
change(PLAIN, "references", "backups outside of their volume", lambda o: config(o).update(ARAGORA_BACKUP_DIR="/var/backups"))
change(CUSTOM, "one_database", "one pod at another database", lambda o: variable(o, "ARAGORA_POSTGRES_DSN")["valueFrom"]["secretKeyRef"].update(name="aragora-secrets", key="ARAGORA_POSTGRES_DSN"))
change(PRODUCTION, "volumes_alone", "two pods for one volume", lambda o: o.find("Deployment", "aragora-backup")["spec"].pop("strategy"))
change(PLAIN, "images", "an image without a version", lambda o: box(o).update(image="ghcr.io/an0mium/aragora"))
change(PLAIN, "images", "two versions at once", lambda o: box(o).update(image="ghcr.io/an0mium/aragora:v2"))
change(PLAIN, "images", "an image without the executable", lambda o: box(o).update(image="ghcr.io/an0mium/aragora-backup:latest"))
change(PLAIN, "images", "another user than the image's", lambda o: pod(o)["securityContext"].update(runAsUser=1000))
change(PLAIN, "jobs", "nobody migrates", lambda o: drop(o, "Job", "aragora-migrate"))
change(PLAIN, "jobs", "a Job that stays", lambda o: o.find("Job", "aragora-migrate")["spec"].pop("ttlSecondsAfterFinished"))
change(PLAIN, "targets", "an autoscaler of nothing", lambda o: hpa(o)["scaleTargetRef"].update(name="aragora"))
change(PRODUCTION, "targets", "two autoscalers of one Deployment", lambda o: o.all.append({**copy.deepcopy(o.find("HorizontalPodAutoscaler", "aragora-ws-gateway-hpa")), "metadata": {"name": "second", "namespace": "aragora"}, "spec": {**hpa(o, "aragora-ws-gateway-hpa"), "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "aragora-debate-worker"}}}))
change(PLAIN, "targets", "a number of replicas beside an autoscaler", lambda o: o.find("Deployment", "aragora-backend")["spec"].update(replicas=2))
change(PLAIN, "targets", "another share than the documents'", lambda o: hpa(o)["metrics"][0]["resource"]["target"].update(averageUtilization=90))
change(PLAIN, "scaling_metrics", "a share of what was not asked for", lambda o: box(o)["resources"]["requests"].pop("cpu"))
change(CUSTOM, "scaling_metrics", "a metric that the adapter does not serve", lambda o: hpa(o, "aragora-ws-gateway-hpa")["metrics"][0]["pods"]["metric"].update(name="websocket_clients"))
change(PRODUCTION, "workers", "running debates not counted", lambda o: trigger(o).update(query='max(aragora_debates_waiting{job="aragora-api"})'))
change(PRODUCTION, "workers", "another number of debates than a worker takes", lambda o: config(o).update(WORKER_CONCURRENCY="5"))
change(PRODUCTION, "workers", "one waiting debate that wakes nobody", lambda o: trigger(o).update(activationThreshold="2"))
change(PRODUCTION, "workers", "silence taken for an empty queue", lambda o: trigger(o).pop("ignoreNullValues"))
change(CUSTOM, "workers", "busy workers sent away at once", lambda o: hpa(o, "aragora-debate-worker-hpa")["behavior"]["scaleDown"].update(stabilizationWindowSeconds=0))
change(PLAIN, "disruption", "a budget of no pod", lambda o: o.find("PodDisruptionBudget", "aragora-backend")["spec"]["selector"]["matchLabels"].update({"app.kubernetes.io/component": "api"}))
change(PLAIN, "disruption", "a budget that never lets go", lambda o: hpa(o).update(minReplicas=1))
change(FULL, "connection_budget", "more connections than Postgres has", lambda o: o.find("Cluster", "aragora-postgres")["spec"]["postgresql"]["parameters"].update(max_connections="100"))
change(FULL, "canary", "an analysis that is not there", lambda o: o.find("AnalysisTemplate", "aragora-canary")["metadata"].update(name="canary"))
change(FULL, "canary", "metrics that can not tell the canary", lambda o: o.find("ServiceMonitor", "aragora-backend")["spec"].pop("podTargetLabels"))
change(PLAIN, "policies", "no default policy", lambda o: drop(o, "NetworkPolicy", "default-deny"))
change(PLAIN, "policies", "a policy of no pod", lambda o: policy(o, "aragora-backend")["podSelector"]["matchLabels"].update({"app.kubernetes.io/component": "api"}))
change(PLAIN, "policies", "a policy of a port that no pod has", lambda o: policy(o, "aragora-backend")["ingress"][0]["ports"][0].update(port="web"))
change(PLAIN, "repeatable", "a port whose protocol the server fills in", lambda o: policy(o, "aragora-backend")["ingress"][0]["ports"][0].pop("protocol"))
change(PLAIN, "reachability", "workers cut off from their providers", lambda o: policy(o, "aragora-debate-worker").pop("egress"))
change(PLAIN, "reachability", "workers at the cloud's metadata service", lambda o: policy(o, "aragora-debate-worker")["egress"][0]["to"][0]["ipBlock"].pop("except"))
change(PLAIN, "reachability", "no names without DNS", lambda o: drop(o, "NetworkPolicy", "allow-dns"))
change(PLAIN, "reachability", "the API open to every namespace", lambda o: policy(o, "aragora-backend")["ingress"][0].update({"from": [{"namespaceSelector": {}}]}))
change(PLAIN, "reachability", "metrics open to the ingress controller", lambda o: policy(o, "aragora-backend")["ingress"][0]["ports"].append({"port": 9090}))
change(FULL, "reachability", "Postgres shut to its exporter", lambda o: policy(o, "aragora-postgres")["ingress"][0]["from"][0]["podSelector"]["matchExpressions"][0]["values"].remove("postgres-exporter"))
change(FULL, "reachability", "Redis shut", lambda o: policy(o, "aragora-redis").pop("ingress"))
change(PRODUCTION, "reachability", "no answer to Let's Encrypt", lambda o: drop(o, "NetworkPolicy", "allow-acme-challenge"))


def main():
    rendered, missed = {}, 0
    for variant, rule, what, apply in MUTATIONS:
        base = rendered.setdefault(variant, kustomize.render(variant))
        objects = copy.deepcopy(base)
        apply(Objects(objects))
        if objects == base:
            found = ["(the mutation changed nothing)"]
        elif rule == "schema":
            found = [name for name, _ in schemas.problems(objects)[0]]
        else:
            found = [name for name, _ in rules.broken(Objects(objects))]
        if rule not in found:
            missed += 1
            print(f"MISSED {what}: expected {rule}, found {sorted(set(found))}")
    unproven = set(rules.RULES) - {rule for _, rule, _, _ in MUTATIONS}
    for rule in sorted(unproven):
        print(f"MISSED: no mutation shows that {rule} can fail")
    print(f"{len(MUTATIONS)} faults, {missed} not found")
    return 1 if missed or unproven else 0


if __name__ == "__main__":
    sys.exit(main())
