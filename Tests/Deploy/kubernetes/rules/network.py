"""Network policies, read as the standard says: who can reach whom."""
import ipaddress

from objects import matches, name_of

from . import rule

INSIDE, PROVIDER, METADATA, NODE_DNS = "10.1.2.3", "203.0.113.10", "169.254.169.254", "169.254.20.10"
# Pods that others make in our namespace.
OPERATORS_PODS = {"acme": {"acme.cert-manager.io/http01-solver": "true"}}


def peers(objects):
    """{name: labels} of every kind of pod in the namespace."""
    found = {one.labels.get("app.kubernetes.io/component", one.name): one.labels for one in objects.workloads}
    for cluster in objects.of("Cluster"):
        found["postgres"] = {"cnpg.io/cluster": cluster["metadata"]["name"]}
    return found


def allows(objects, direction, labels, peer, port):
    """Whether the policies let `labels` talk with `peer`: ("ip", x), ("namespace", x) or ("pod", labels).

    `port` is (number, name); a pod that no policy names is open.
    """
    isolated = False
    for policy in objects.of("NetworkPolicy"):
        spec = policy["spec"]
        if direction not in [kind.lower() for kind in spec["policyTypes"]] or not matches(spec["podSelector"], labels):
            continue
        isolated = True
        for entry in spec.get(direction, []):
            ports = entry.get("ports")
            sides = entry.get("to" if direction == "egress" else "from")
            if ports and not any(p["port"] in port for p in ports):
                continue
            if sides is None or any(_is_side(side, peer) for side in sides):
                return True
    return not isolated


def _is_side(side, peer):
    kind, value = peer
    if "ipBlock" in side:
        if kind != "ip":
            return False
        address = ipaddress.ip_address(value)
        inside = lambda cidr: address.version == ipaddress.ip_network(cidr).version and address in ipaddress.ip_network(cidr)
        return inside(side["ipBlock"]["cidr"]) and not any(map(inside, side["ipBlock"].get("except", [])))
    if "namespaceSelector" in side:
        return kind == "namespace" and matches(side["namespaceSelector"], {"kubernetes.io/metadata.name": value})
    return kind == "pod" and matches(side["podSelector"], value)


POSTGRES, REDIS, HTTPS, DNS, METRICS = (5432, "5432"), (6379, "redis"), (443, "443"), (53, "53"), (9090, "metrics")
OURS = ("backend", "ws-gateway", "debate-worker", "backup", "migrate")
EXPORTERS = ("postgres-exporter", "redis-exporter")
WITH_POSTGRES = OURS + ("postgres-exporter",)
WITH_REDIS = ("backend", "ws-gateway", "debate-worker", "backup", "redis-exporter")
# (from, to, port): what must pass, and what must not.
OPEN = (
    [(one, ("ip", NODE_DNS), DNS) for one in OURS + EXPORTERS]
    + [(one, ("namespace", "kube-system"), DNS) for one in OURS + EXPORTERS]
    + [(one, ("ip", INSIDE), POSTGRES) for one in WITH_POSTGRES]
    + [(one, ("ip", INSIDE), REDIS) for one in WITH_REDIS]
    + [("debate-worker", ("ip", PROVIDER), HTTPS)]
)
CLOSED = (
    [(one, ("ip", PROVIDER), HTTPS) for one in ("ws-gateway", "backup", "migrate") + EXPORTERS]
    + [(one, ("ip", METADATA), port) for one in OURS + EXPORTERS for port in (HTTPS, (80, "80"))]
    + [(one, ("ip", PROVIDER), POSTGRES) for one in OURS] + [(one, ("ip", INSIDE), HTTPS) for one in OURS]
    + [(one, ("ip", INSIDE), REDIS) for one in ("migrate", "postgres-exporter")]
    + [("redis-exporter", ("ip", INSIDE), POSTGRES)]
    + [(one, ("namespace", "kube-system"), HTTPS) for one in OURS]
)


@rule
def policies(objects):
    everything = objects.find("NetworkPolicy", "default-deny")
    if everything is None or everything["spec"] != {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}:
        yield "no policy that denies everything, both ways"
    known = peers(objects)
    for one in objects.of("NetworkPolicy"):
        selector = one["spec"]["podSelector"]
        candidates = list(known.values()) + list(OPERATORS_PODS.values())
        if not any(matches(selector, labels) for labels in candidates):
            yield f"{name_of(one)}: selects no pod"
        for term in selector.get("matchExpressions", []):
            for value in term["values"]:
                if value not in {labels.get(term["key"]) for labels in known.values()}:
                    yield f"{name_of(one)}: there is no {value}"
        chosen = [w for w in objects.workloads if matches(selector, w.labels)]
        for entry in one["spec"].get("ingress", []):
            for port in entry.get("ports", []):
                if isinstance(port["port"], str) and not any(w.port(port["port"]) for w in chosen):
                    yield f"{name_of(one)}: no pod has a port {port['port']}"


@rule
def reachability(objects):
    known = peers(objects)
    for wanted, routes in ((True, OPEN), (False, CLOSED)):
        for source, peer, port in routes:
            if source in known and allows(objects, "egress", known[source], peer, port) is not wanted:
                yield f"{source} {'can not' if wanted else 'can'} reach {peer[1]} at port {port[0]}"
    # Between our own pods a connection needs both ends' consent.
    routes = [("backend", "ws-gateway", (8765, "ws"))]
    if "redis" in known:
        routes += [(one, "redis", REDIS) for one in WITH_REDIS if one in known]
    if "postgres" in known:
        routes += [(one, "postgres", POSTGRES) for one in WITH_POSTGRES if one in known] + [("postgres", "postgres", POSTGRES)]
    for source, target, port in routes:
        if not allows(objects, "egress", known[source], ("pod", known[target]), port):
            yield f"{source} may not talk to {target}"
        if not allows(objects, "ingress", known[target], ("pod", known[source]), port):
            yield f"{target} may not be talked to by {source}"
    for source, target, port in (("migrate", "redis", REDIS), ("ws-gateway", "backend", (8080, "http")), ("debate-worker", "backend", (8080, "http"))):
        if source in known and target in known and allows(objects, "ingress", known[target], ("pod", known[source]), port):
            yield f"{target} may be talked to by {source}"
    for name in ("backend", "ws-gateway", "debate-worker") + tuple(one for one in EXPORTERS if one in known):
        if not allows(objects, "ingress", known[name], ("namespace", "monitoring"), METRICS):
            yield f"Prometheus can not reach {name}"
        for namespace in ("ingress-nginx", "default"):
            if allows(objects, "ingress", known[name], ("namespace", namespace), METRICS):
                yield f"{namespace} can reach the metrics of {name}"
    for name, port in (("backend", (8080, "http")), ("ws-gateway", (8765, "ws"))):
        if not allows(objects, "ingress", known[name], ("namespace", "ingress-nginx"), port):
            yield f"the ingress controller can not reach {name}"
        if allows(objects, "ingress", known[name], ("namespace", "default"), port):
            yield f"any namespace can reach {name}"
    # Only with the component api-egress: then it must.
    is_asked = any(one["metadata"]["name"] == "aragora-api-egress" for one in objects.of("NetworkPolicy"))
    if allows(objects, "egress", known["backend"], ("ip", PROVIDER), HTTPS) != is_asked:
        yield f"backend {'can not' if is_asked else 'can'} reach {PROVIDER} at port 443"
    if objects.of("Issuer") and not allows(objects, "ingress", OPERATORS_PODS["acme"], ("namespace", "ingress-nginx"), (8089, "8089")):
        yield "Let's Encrypt's question can not reach the pod that answers it"
    if "postgres" in known:
        for namespace, port in (("cnpg-system", (8000, "8000")), ("monitoring", (9187, "9187"))):
            if not allows(objects, "ingress", known["postgres"], ("namespace", namespace), port):
                yield f"{namespace} can not reach Postgres"
        if not allows(objects, "egress", known["postgres"], ("ip", INSIDE), (6443, "6443")):
            yield "Postgres' instance manager can not reach the Kubernetes API"
        if any(t["type"] == "postgresql" for one in objects.of("ScaledObject") for t in one["spec"]["triggers"]):
            if not allows(objects, "ingress", known["postgres"], ("namespace", "keda"), POSTGRES):
                yield "KEDA can not reach Postgres"
