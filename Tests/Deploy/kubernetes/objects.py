"""Rendered objects, and how they find each other."""
import re

WORKLOADS = ("Deployment", "StatefulSet", "Rollout", "Job", "CronJob")
SCALED = ("Deployment", "StatefulSet", "Rollout")


class Workload:
    """An object that makes pods."""

    def __init__(self, one):
        self.object, self.kind, self.name = one, one["kind"], one["metadata"]["name"]
        spec = one["spec"]["jobTemplate"]["spec"] if self.kind == "CronJob" else one["spec"]
        self.spec, self.template = one["spec"], spec["template"]
        self.pod, self.labels = self.template["spec"], self.template["metadata"].get("labels", {})

    def __str__(self):
        return f"{self.kind} {self.name}"

    @property
    def is_service(self):
        return self.kind in SCALED

    @property
    def containers(self):
        return self.pod.get("initContainers", []) + self.pod["containers"]

    def port(self, name):
        """The number of a named port; nothing when no container has it."""
        for container in self.pod["containers"]:
            for port in container.get("ports", []):
                if name in (port["name"], port["containerPort"]):
                    return port["containerPort"]
        return None


class Objects:
    def __init__(self, objects):
        self.all = objects
        self.workloads = [Workload(one) for one in objects if one["kind"] in WORKLOADS]
        self.services = {one["metadata"]["name"]: one for one in self.of("Service")}
        self.config = {one["metadata"]["name"]: one.get("data", {}) for one in self.of("ConfigMap")}

    def of(self, *kinds):
        return [one for one in self.all if one["kind"] in kinds]

    def find(self, kind, name):
        return next((one for one in self.of(kind) if one["metadata"]["name"] == name), None)

    def workload(self, kind, name):
        return next((one for one in self.workloads if (one.kind, one.name) == (kind, name)), None)

    def selected(self, selector):
        return [one for one in self.workloads if matches(selector, one.labels)]

    def environment(self, container):
        """{name: value, or the reference it comes from}, as the container sees it."""
        found = {}
        for source in container.get("envFrom", []):
            found |= self.config.get(source.get("configMapRef", {}).get("name"), {})
        for entry in container.get("env", []):
            found[entry["name"]] = entry["value"] if "value" in entry else entry["valueFrom"]
        return found


def matches(selector, labels):
    """Whether a label selector takes these labels."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for term in selector.get("matchExpressions") or []:
        value, operator = labels.get(term["key"]), term["operator"]
        if operator == "In" and value not in term["values"] or operator == "NotIn" and value in term["values"]:
            return False
        if operator == "Exists" and value is None or operator == "DoesNotExist" and value is not None:
            return False
    return True


def command(container):
    """What a container runs; of other people's images, what they are made for."""
    return container.get("command", ["(the image's)"])


UNITS = {"": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def quantity(text):
    number, unit = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", str(text)).groups()
    return float(number) * UNITS[unit]


def name_of(one):
    return f"{one['kind']} {one['metadata']['name']}"
