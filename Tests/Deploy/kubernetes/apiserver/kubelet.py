"""Says for every pod what a kubelet would: two nodes, and each pod on them runs and is ready a moment later."""
import json
import subprocess
import threading
import time

NODES = ("node-a", "node-b")


class Kubelets(threading.Thread):
    """Until `stopped`. A pod of a Job succeeds; one that is to end is gone at once."""

    def __init__(self, kubectl):
        super().__init__(daemon=True)
        self.kubectl, self.stopped, self.addresses = kubectl, threading.Event(), 0
        # What was seen ready in the endpoints of a Service, each time round.
        self.fewest = {}

    def run(self):
        while not self.stopped.is_set():
            try:
                self.round()
            except subprocess.CalledProcessError:
                pass  # the pod went in between, or changed; the next round sees it
            time.sleep(0.2)

    def round(self):
        nodes = json.loads(self.kubectl("get", "nodes", "-o", "json"))["items"]
        usable = [one["metadata"]["name"] for one in nodes if not one["spec"].get("unschedulable")]
        for pod in json.loads(self.kubectl("get", "pods", "-n", "aragora", "-o", "json"))["items"]:
            name = pod["metadata"]["name"]
            if "deletionTimestamp" in pod["metadata"]:
                self.kubectl("delete", "pod", name, "-n", "aragora", "--grace-period=0", "--force", "--wait=false")
            elif not pod["spec"].get("nodeName"):
                if usable:
                    self.bind(name, usable[hash(name) % len(usable)])
            elif pod.get("status", {}).get("phase") == "Pending":
                self.report(pod)
        self.watch_endpoints()

    def bind(self, name, node):
        body = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": {"kind": "Node", "name": node}}
        self.kubectl("create", "--raw", f"/api/v1/namespaces/aragora/pods/{name}/binding", "-f", "-", input=json.dumps(body))

    def report(self, pod):
        name, ends = pod["metadata"]["name"], pod["spec"]["restartPolicy"] == "Never"
        self.addresses += 1
        status = {
            "phase": "Succeeded" if ends else "Running",
            "podIP": f"10.9.{self.addresses // 250}.{self.addresses % 250 + 1}",
            "conditions": [{"type": kind, "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
                           for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")],
        }
        path = f"/api/v1/namespaces/aragora/pods/{name}/status"
        current = json.loads(self.kubectl("get", "--raw", path))
        current["status"] = current["status"] | status
        self.kubectl("replace", "--raw", path, "-f", "-", input=json.dumps(current))

    def watch_endpoints(self):
        for one in json.loads(self.kubectl("get", "endpoints", "-n", "aragora", "-o", "json"))["items"]:
            ready = sum(len(subset.get("addresses", [])) for subset in one.get("subsets", []))
            name = one["metadata"]["name"]
            self.fewest[name] = min(ready, self.fewest.get(name, ready))
