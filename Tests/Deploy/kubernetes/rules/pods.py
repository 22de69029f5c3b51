"""Security, resources, probes and the end of a pod."""
import documents
from objects import command, quantity

from . import rule

# After the drain a service closes its connections to Postgres (5 s at most) and its health server (1 s); a worker that
# cancelled calls commits first what it has (10 s at most). The rest is reserve for a slow machine.
AFTER_DRAIN = {"aragora-api": 10, "aragora-ws-gateway": 10, "aragora-debate-worker": 20, "aragora-backup": 10}
DRAIN_SETTING = {
    "aragora-api": "ARAGORA_DRAIN_SECONDS",
    "aragora-ws-gateway": "ARAGORA_WS_DRAIN_SECONDS",
    "aragora-debate-worker": "WORKER_DRAIN_SECONDS",
}
# `kubectl drain --grace-period=60`, as the run book has it, must be enough for every pod.
LONGEST_GRACE = 60
SETTINGS = documents.settings()
# Behind the ingress controller, whose endpoints lag.
BEHIND_INGRESS = ("aragora-api", "aragora-ws-gateway")
ENDPOINT_LAG = 15
SAFE_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
}


@rule
def pod_security(objects):
    """The restricted profile of the Pod Security Standards."""
    namespace = objects.find("Namespace", "aragora")
    if namespace is not None or objects.workloads:
        labels = (namespace or {"metadata": {}})["metadata"].get("labels", {})
        if labels.get("pod-security.kubernetes.io/enforce") != "restricted":
            yield "the namespace does not enforce the restricted profile"
    for one in objects.workloads:
        pod, context = one.pod, one.pod.get("securityContext", {})
        for key in ("hostNetwork", "hostPID", "hostIPC"):
            if pod.get(key):
                yield f"{one}: {key}"
        if context.get("sysctls") or context.get("seLinuxOptions") or context.get("windowsOptions"):
            yield f"{one}: sysctls, SELinux or Windows options"
        for volume in pod.get("volumes", []):
            if not (set(volume) - {"name"}) <= SAFE_VOLUMES:
                yield f"{one}: volume {volume['name']} is a {sorted(set(volume) - {'name'})}"
        for container in one.containers:
            yield from _container_security(f"{one}/{container['name']}", container, context)


def _container_security(name, container, pod):
    own = container.get("securityContext", {})
    effective = {**pod, **own}
    if own.get("privileged"):
        yield f"{name}: privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield f"{name}: allowPrivilegeEscalation is not false"
    if effective.get("runAsNonRoot") is not True or effective.get("runAsUser") == 0:
        yield f"{name}: may run as root"
    if effective.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield f"{name}: no seccomp profile"
    capabilities = own.get("capabilities", {})
    if "ALL" not in capabilities.get("drop", []) or set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
        yield f"{name}: capabilities not dropped"
    if own.get("procMount", "Default") != "Default" or own.get("seLinuxOptions") or own.get("windowsOptions"):
        yield f"{name}: procMount, SELinux or Windows options"
    if any(port.get("hostPort") for port in container.get("ports", [])):
        yield f"{name}: host port"
    # Ours, beyond the profile.
    if own.get("readOnlyRootFilesystem") is not True:
        yield f"{name}: the root file system can be written"


@rule
def accounts(objects):
    """No pod may talk to the Kubernetes API, or is told its services by the environment."""
    for one in objects.workloads:
        account = objects.find("ServiceAccount", one.pod.get("serviceAccountName", "default"))
        if account is None:
            yield f"{one}: its service account is not there"
        elif account.get("automountServiceAccountToken") is not False:
            yield f"{one}: its account's token is mounted"
        if one.pod.get("automountServiceAccountToken") is not False:
            yield f"{one}: the account's token is mounted"
        if one.pod.get("enableServiceLinks") is not False:
            yield f"{one}: enableServiceLinks is on; the Service \"aragora\" would set ARAGORA_PORT"


@rule
def resources(objects):
    for one in objects.workloads:
        for container in one.containers:
            asked = container.get("resources", {}).get("requests", {})
            limit = container.get("resources", {}).get("limits", {})
            for what in ("cpu", "memory", "ephemeral-storage"):
                if what not in asked or what not in limit:
                    yield f"{one}/{container['name']}: no request or no limit of {what}"
                elif quantity(asked[what]) > quantity(limit[what]):
                    yield f"{one}/{container['name']}: {what}: {asked[what]} asked, {limit[what]} allowed"
        disk = sum(quantity(c.get("resources", {}).get("limits", {}).get("ephemeral-storage", 0)) for c in one.containers)
        for volume in one.pod.get("volumes", []):
            if "emptyDir" in volume and quantity(volume["emptyDir"].get("sizeLimit", "1Ti")) > disk:
                yield f"{one}: volume {volume['name']} may be larger than the pod's ephemeral storage"


@rule
def probes(objects):
    for one in objects.workloads:
        for container in one.pod["containers"] if one.is_service else []:
            name, ours = f"{one}/{container['name']}", command(container)[0].startswith("aragora")
            ports = {port["name"] for port in container.get("ports", [])}
            for kind, path in (("startup", "/healthz"), ("liveness", "/healthz"), ("readiness", "/readyz")):
                probe = container.get(f"{kind}Probe")
                if probe is None:
                    yield f"{name}: no {kind} probe"
                    continue
                if probe.get("timeoutSeconds", 1) > probe.get("periodSeconds", 10):
                    yield f"{name}: the {kind} probe's timeout is longer than its period"
                asked = probe.get("httpGet") or probe.get("tcpSocket")
                if asked and asked["port"] not in ports:
                    yield f"{name}: the {kind} probe asks port {asked['port']}, which is not there"
                if ours and probe.get("httpGet", {}).get("path") != path:
                    yield f"{name}: the {kind} probe does not ask {path}"
                if ours and kind != "readiness" and probe.get("httpGet", {}).get("port") != "metrics":
                    yield f"{name}: the {kind} probe is not on the metrics port"


def end_of(objects, one):
    """(preStop, drain, all that the end may take, what the pod gets), in seconds."""
    container = one.pod["containers"][0]
    executable = command(container)[0]
    pause = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    drain = 0
    if setting := DRAIN_SETTING.get(executable):
        drain = int(objects.environment(container).get(setting, SETTINGS[executable][setting].default))
    return pause, drain, pause + drain + AFTER_DRAIN[executable], one.pod.get("terminationGracePeriodSeconds", 30)


@rule
def ending(objects):
    """A pod gets the time that its executable takes to stop, and is out of the endpoints before."""
    for one in objects.workloads:
        executable = command(one.pod["containers"][0])[0]
        if not one.is_service or executable not in AFTER_DRAIN:
            continue
        pause, drain, needed, grace = end_of(objects, one)
        if grace < needed:
            yield f"{one}: may need {needed} s to end ({pause} + {drain} + {AFTER_DRAIN[executable]}), gets {grace}"
        if grace > LONGEST_GRACE:
            yield f"{one}: {grace} s to end are more than a drained node gives ({LONGEST_GRACE})"
        if executable in BEHIND_INGRESS and pause < ENDPOINT_LAG:
            yield f"{one}: stops listening {pause} s after it is told to go; endpoints may need {ENDPOINT_LAG}"


@rule
def placement(objects):
    for one in objects.workloads:
        for spread in one.pod.get("topologySpreadConstraints", []):
            wanted = spread["labelSelector"]["matchLabels"]
            if any(one.labels.get(key) != value for key, value in wanted.items()):
                yield f"{one}: spreads other pods than its own"
        keys = {spread["topologyKey"] for spread in one.pod.get("topologySpreadConstraints", [])}
        if one.kind in ("Deployment", "Rollout") and one.labels.get("app.kubernetes.io/component") in (
            "backend", "ws-gateway", "debate-worker",
        ):
            if keys != {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}:
                yield f"{one}: not spread over zones and nodes"
