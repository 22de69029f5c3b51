"""What a real API server and its controllers make of deploy/kubernetes; called by run.sh with the folder of binaries."""
import contextlib
import copy
import http.server
import json
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import yaml

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import documents  # noqa: E402
import kustomize  # noqa: E402
from kubelet import NODES, Kubelets  # noqa: E402

ROOT, BINARIES = documents.ROOT, pathlib.Path(sys.argv[1])
# The server is older than the manifests. These fields are the same under these names, or not known yet.
OLDER = {"autoscaling/v2": "autoscaling/v2beta2", "policy/v1": "policy/v1beta1"}
# Accounts may only make pods that this policy, the ancestor of today's restricted profile, lets pass.
POLICY = """
apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata:
  name: restricted
  annotations:
    seccomp.security.alpha.kubernetes.io/allowedProfileNames: runtime/default
spec:
  privileged: false
  allowPrivilegeEscalation: false
  requiredDropCapabilities: [ALL]
  readOnlyRootFilesystem: true
  volumes: [configMap, emptyDir, projected, secret, downwardAPI, persistentVolumeClaim]
  runAsUser: {rule: MustRunAsNonRoot}
  seLinux: {rule: RunAsAny}
  supplementalGroups: {rule: MustRunAs, ranges: [{min: 1, max: 65535}]}
  fsGroup: {rule: MustRunAs, ranges: [{min: 1, max: 65535}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: restricted}
rules: [{apiGroups: [policy], resources: [podsecuritypolicies], verbs: [use], resourceNames: [restricted]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: restricted}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: restricted}
subjects: [{kind: Group, name: "system:serviceaccounts", apiGroup: rbac.authorization.k8s.io}]
---
# As the chart of prometheus-adapter has it.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: metrics-reader}
rules: [{apiGroups: [custom.metrics.k8s.io, external.metrics.k8s.io], resources: ["*"], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: metrics-reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: metrics-reader}
subjects: [{kind: ServiceAccount, name: horizontal-pod-autoscaler, namespace: kube-system}]
"""


def expect(is_so, otherwise):
    if not is_so:
        raise SystemExit(f"FAILED: {otherwise}")


def until(seconds, what, question):
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        expect(time.monotonic() < deadline, f"not within {seconds} s: {what}")
        time.sleep(0.3)
    return answer


def free_port():
    with contextlib.closing(socket.socket()) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def older(one):
    """An object as this server knows it."""
    one = copy.deepcopy(one)
    one["apiVersion"] = "batch/v1beta1" if one["kind"] == "CronJob" else OLDER.get(one["apiVersion"], one["apiVersion"])
    if one["kind"] == "CronJob":
        one["spec"].pop("timeZone")
    if one["kind"] == "Job":
        one["spec"].pop("ttlSecondsAfterFinished")
    if one["kind"] == "HorizontalPodAutoscaler":
        # It stores the share of CPU apart, and gives it back as the last one.
        one["spec"]["metrics"].sort(key=lambda metric: metric.get("resource", {}).get("name") == "cpu")
    if one["kind"] == "PodDisruptionBudget":
        one["spec"].pop("unhealthyPodEvictionPolicy")
    if one["kind"] in ("Deployment", "StatefulSet"):
        pod = one["spec"]["template"]["spec"]
        for spread in pod.get("topologySpreadConstraints", []):
            spread.pop("matchLabelKeys")
        for container in pod["containers"]:
            if pause := container.get("lifecycle", {}).get("preStop", {}).pop("sleep", None):
                container["lifecycle"]["preStop"]["exec"] = {"command": ["sleep", str(pause["seconds"])]}
    return one


class Cluster:
    def __init__(self, folder, stack):
        self.folder, self.stack = folder, stack
        self.config = folder / "kubeconfig"
        ports = {name: free_port() for name in ("etcd", "peer", "api")}
        self.certificate()
        (folder / "tokens.csv").write_text('token,admin,1,"system:masters"\n')
        self.config.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "x",
            "clusters": [{"name": "c", "cluster": {"server": f"https://127.0.0.1:{ports['api']}", "insecure-skip-tls-verify": True}}],
            "users": [{"name": "u", "user": {"token": "token"}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}]}))
        self.start("etcd", "etcd", "--data-dir", folder / "etcd", "--listen-client-urls", f"http://127.0.0.1:{ports['etcd']}",
                   "--advertise-client-urls", f"http://127.0.0.1:{ports['etcd']}", "--listen-peer-urls", f"http://127.0.0.1:{ports['peer']}")
        self.start("apiserver", BINARIES / "kube-apiserver", "--etcd-servers", f"http://127.0.0.1:{ports['etcd']}",
                   "--secure-port", ports["api"], "--bind-address", "127.0.0.1", "--advertise-address", "192.0.2.2",
                   "--insecure-port", "0", "--cert-dir", folder / "certificates", "--service-cluster-ip-range", "10.0.0.0/24",
                   "--service-account-key-file", folder / "key", "--service-account-signing-key-file", folder / "key",
                   "--service-account-issuer", "https://k", "--token-auth-file", folder / "tokens.csv",
                   "--authorization-mode", "RBAC", "--allow-privileged", "--enable-admission-plugins",
                   "NamespaceLifecycle,LimitRanger,ServiceAccount,ResourceQuota,PodSecurityPolicy")
        until(60, "the API server answers", lambda: self.answers())
        self.start("controllers", BINARIES / "kube-controller-manager", "--kubeconfig", self.config,
                   "--service-account-private-key-file", folder / "key", "--use-service-account-credentials=true",
                   "--leader-elect=false", "--port", "0", "--secure-port", free_port(), "--bind-address", "127.0.0.1",
                   "--cert-dir", folder / "certificates", "--cluster-signing-cert-file=",
                   "--horizontal-pod-autoscaler-sync-period=1s", "--horizontal-pod-autoscaler-initial-readiness-delay=0s",
                   # Our nodes have no kubelet that would renew their leases.
                   "--controllers", "*,-nodelifecycle")

    def certificate(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", self.folder / "key", "-out", self.folder / "crt"],
                       check=True, capture_output=True)

    def start(self, name, *command):
        process = subprocess.Popen([str(part) for part in command], stdout=(self.folder / f"{name}.log").open("wb"), stderr=subprocess.STDOUT)
        self.stack.callback(lambda: (process.terminate(), process.wait(timeout=20)))

    def answers(self):
        return subprocess.run(["kubectl", "get", "--raw", "/readyz"], env=self.environment, capture_output=True).returncode == 0

    @property
    def environment(self):
        return {**os.environ, "KUBECONFIG": str(self.config)}

    def kubectl(self, *arguments, input=None):
        """What kubectl prints; CalledProcessError when it fails."""
        return subprocess.run(["kubectl", *arguments], env=self.environment, input=input, capture_output=True, text=True, check=True).stdout

    def typed(self, line):
        """A line of the run book, as it is written."""
        run = subprocess.run(["bash", "-c", line], env=self.environment, cwd=ROOT, capture_output=True, text=True)
        expect(run.returncode == 0, f"{line}: {run.stderr}{run.stdout}")
        print(f"$ {line}\n  " + (run.stdout.strip().splitlines() or [""])[-1])
        return run.stdout

    def get(self, kind, name):
        return json.loads(self.kubectl("get", kind, name, "-n", "aragora", "-o", "json"))

    def apply(self, objects):
        text = yaml.safe_dump_all([older(one) for one in objects])
        try:
            return self.kubectl("apply", "--validate=false", "-f", "-", input=text)
        except subprocess.CalledProcessError as error:
            raise SystemExit(f"FAILED: apply: {error.stderr}")


def image(cluster):
    return cluster.get("deployment", "aragora-backend")["spec"]["template"]["spec"]["containers"][0]["image"]


def ready(cluster, name):
    return cluster.get("deployment", name)["status"].get("readyReplicas", 0)


def serve_metrics(cluster, values):
    """Stands in for prometheus-adapter: answers custom and external metrics from `values`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            path, _, _ = self.path.partition("?")
            group = "custom" if "custom.metrics" in path else "external"
            name, now = path.rsplit("/", 1)[-1], time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            if path.endswith("/v1beta1"):
                body = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{group}.metrics.k8s.io/v1beta1", "resources": []}
            elif group == "external":
                items = [{"metricName": name, "timestamp": now, "value": str(values[name])}] if name in values else []
                body = {"kind": "ExternalMetricValueList", "apiVersion": "external.metrics.k8s.io/v1beta1", "metadata": {}, "items": items}
            else:
                selector = {"aragora_websocket_connections": "ws-gateway", "aragora_http_requests_per_second": "backend"}[name]
                pods = json.loads(cluster.kubectl("get", "pods", "-n", "aragora", "-l", f"app.kubernetes.io/component={selector}", "-o", "json"))
                items = [{"describedObject": {"kind": "Pod", "namespace": "aragora", "name": p["metadata"]["name"], "apiVersion": "/v1"},
                          "metricName": name, "timestamp": now, "value": str(values[name])} for p in pods["items"]]
                body = {"kind": "MetricValueList", "apiVersion": "custom.metrics.k8s.io/v1beta1", "metadata": {}, "items": items}
            text = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cluster.folder / "crt", cluster.folder / "key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_port
    services = [{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "adapter", "namespace": "default"},
                 "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]}}]
    services += [{"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": f"v1beta1.{group}.metrics.k8s.io"},
                  "spec": {"group": f"{group}.metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
                           "insecureSkipTLSVerify": True, "service": {"name": "adapter", "namespace": "default", "port": port}}}
                 for group in ("custom", "external")]
    cluster.apply(services)


def main():
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        cluster = Cluster(pathlib.Path(name), stack)
        try:
            scenario(cluster, stack)
        except (SystemExit, subprocess.CalledProcessError) as error:
            for log in ("apiserver", "controllers"):
                lines = (cluster.folder / f"{log}.log").read_text(errors="replace").splitlines()
                print(f"--- {log}\n" + "\n".join(line[:200] for line in lines if "resource metrics" not in line)[-3000:])
            print(getattr(error, "stderr", ""))
            raise


def scenario(cluster, stack):
    cluster.kubectl("apply", "-f", "-", input=POLICY)
    for node in NODES:
        cluster.apply([{"apiVersion": "v1", "kind": "Node", "metadata": {"name": node, "labels": {"kubernetes.io/hostname": node}}}])
    kubelets = Kubelets(cluster.kubectl)
    plain = kustomize.render(ROOT / "deploy/kubernetes")

    # Everything is accepted, and applying it again changes nothing.
    first = cluster.apply(plain)
    expect(first.count(" created") == len(plain), f"not everything was created:\n{first}")
    again = cluster.apply(plain)
    expect(again.count(" unchanged") == len(plain), f"applied twice, something changed:\n{again}")
    print(f"{len(plain)} objects accepted; applied again, none changed")
    cluster.typed("OPENAI_API_KEY=sk-x deploy/kubernetes/make-secrets.sh --postgres postgresql://a:b@h/aragora | kubectl apply --server-side --validate=false -f -")
    kubelets.start()
    stack.callback(lambda: (kubelets.stopped.set(), kubelets.join(timeout=20)))

    cluster.typed("kubectl wait --for=condition=complete job/aragora-migrate -n aragora --timeout=60s")
    cluster.typed("kubectl rollout status deployment/aragora-backend -n aragora --timeout=60s")
    for pod in json.loads(cluster.kubectl("get", "pods", "-n", "aragora", "-o", "json"))["items"]:
        mounted = [v["name"] for v in pod["spec"].get("volumes", []) if "token" in v["name"] or "kube-api" in v["name"]]
        expect(not mounted, f"{pod['metadata']['name']} has a token for the Kubernetes API")
        expect(pod["metadata"]["annotations"].get("kubernetes.io/psp") == "restricted", "a pod past the policy")
    # A pod that is not restricted is refused, so the policy was there.
    bad = copy.deepcopy(next(one for one in plain if one["kind"] == "Deployment"))
    bad["metadata"]["name"] = "bad"
    bad["spec"]["selector"]["matchLabels"]["x"] = bad["spec"]["template"]["metadata"]["labels"]["x"] = "bad"
    bad["spec"]["template"]["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    cluster.apply([bad])
    until(20, "a pod that may gain privileges is refused", lambda: "forbidden: PodSecurityPolicy" in cluster.kubectl("get", "events", "-n", "aragora"))
    cluster.kubectl("delete", "deployment", "bad", "-n", "aragora")

    # The run book's commands.
    cluster.typed("kubectl scale deployment aragora-backend -n aragora --replicas=2")
    until(30, "two pods of the API", lambda: ready(cluster, "aragora-backend") == 2)
    cluster.typed("kubectl scale deployment aragora-ws-gateway -n aragora --replicas=2")
    until(30, "two pods of the gateway", lambda: ready(cluster, "aragora-ws-gateway") == 2)
    until(10, "two endpoints", lambda: len(cluster.get("endpoints", "aragora").get("subsets", [{}])[0].get("addresses", [])) == 2)
    kubelets.fewest.clear()
    before = image(cluster)
    cluster.typed("kubectl set image deployment/aragora-backend aragora=ghcr.io/an0mium/aragora:v2.8.1 -n aragora")
    cluster.typed("kubectl rollout status deployment/aragora-backend -n aragora --timeout=60s")
    expect(image(cluster).endswith(":v2.8.1"), "the image was not set")
    cluster.typed("kubectl rollout undo deployment/aragora-backend -n aragora")
    cluster.typed("kubectl rollout status deployment/aragora-backend -n aragora --timeout=60s")
    expect(image(cluster) == before, "the image was not taken back")
    cluster.typed("kubectl rollout undo deployment/aragora-backend -n aragora --to-revision=2")
    expect(image(cluster).endswith(":v2.8.1"), "not revision 2")
    cluster.typed("kubectl rollout restart deployment/aragora-backend -n aragora")
    cluster.typed("kubectl rollout status deployment/aragora-backend -n aragora --timeout=60s")
    cluster.typed("kubectl rollout restart deployment/aragora-backend deployment/aragora-ws-gateway deployment/aragora-debate-worker -n aragora")
    for one in ("aragora-backend", "aragora-ws-gateway", "aragora-debate-worker"):
        cluster.typed(f"kubectl rollout status deployment/{one} -n aragora --timeout=60s")
    expect(kubelets.fewest["aragora"] >= 2, f"during the rollouts only {kubelets.fewest['aragora']} endpoints were ready")
    cluster.typed("""kubectl patch hpa aragora-backend-hpa -n aragora --type='json' -p='[{"op": "replace", "path": "/spec/maxReplicas", "value": 15}]'""")
    cluster.typed("kubectl scale deployment aragora-backend -n aragora --replicas=5")
    until(30, "five pods", lambda: ready(cluster, "aragora-backend") == 5)

    # Draining a node leaves one of each.
    cluster.typed("kubectl scale deployment aragora-backend -n aragora --replicas=2")
    until(30, "two pods of the API", lambda: ready(cluster, "aragora-backend") == 2 and cluster.get("deployment", "aragora-backend")["status"]["replicas"] == 2)
    until(20, "the budget counts them", lambda: cluster.get("pdb", "aragora-backend")["status"].get("disruptionsAllowed") == 1)
    kubelets.fewest.clear()
    for node in NODES:
        cluster.typed(f"kubectl cordon {node}")
        cluster.typed(f"kubectl drain {node} --ignore-daemonsets --delete-emptydir-data --grace-period=60 --timeout=60s")
        cluster.typed(f"kubectl uncordon {node}")
        until(30, "all are back", lambda: ready(cluster, "aragora-backend") == 2 and ready(cluster, "aragora-ws-gateway") == 2)
    for name in ("aragora", "aragora-ws-gateway"):
        expect(kubelets.fewest[name] >= 1, f"{name}: nobody was there during the drain")

    # The autoscalers by our metrics, in the place of the others, by the real controller.
    custom = [one for one in kustomize.render(ROOT / "Tests/Deploy/kubernetes/variants/custom-metrics") if one["kind"] == "HorizontalPodAutoscaler"]
    values = {"aragora_debates_open": 16, "aragora_websocket_connections": 1600, "aragora_http_requests_per_second": 100}
    serve_metrics(cluster, values)
    for one in custom:
        one["spec"]["behavior"]["scaleDown"] = {"stabilizationWindowSeconds": 5, "policies": [{"type": "Pods", "value": 10, "periodSeconds": 1}]}
        one["spec"]["behavior"]["scaleUp"]["policies"][0]["periodSeconds"] = 3
    cluster.apply(custom)
    until(60, "16 open debates ask for 6 workers", lambda: ready(cluster, "aragora-debate-worker") == 6)
    values["aragora_debates_open"] = 100
    until(90, "100 open debates ask for as many as there may be", lambda: ready(cluster, "aragora-debate-worker") == 20)
    until(60, "1600 connections a pod ask for more gateways", lambda: ready(cluster, "aragora-ws-gateway") > 2)
    values.update(aragora_debates_open=0, aragora_websocket_connections=0)
    until(90, "no debate leaves two workers", lambda: cluster.get("deployment", "aragora-debate-worker")["spec"]["replicas"] == 2)
    print("the real autoscaler: 16 open debates 6 workers, 100 debates 20, none 2")
    print("all as expected")


main()
