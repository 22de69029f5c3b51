"""Settings, secrets, volumes and images: that what is named exists, and is read."""
import re

import documents
import yaml
from objects import command

from . import rule

ROOT = documents.ROOT
TEMPLATE = yaml.safe_load((ROOT / "deploy/kubernetes/secrets.template.yaml").read_text())
# What CloudNativePG puts into the Secret of a cluster's owner.
CLUSTER_KEYS = {"username", "password", "uri", "jdbc-uri", "pgpass", "host", "port", "dbname", "user"}
# Each is a stage of the Dockerfile.
OUR_IMAGES = {"ghcr.io/an0mium/aragora": "aragora", "ghcr.io/an0mium/aragora-backup": "backup"}
OTHER_IMAGES = {"redis", "prometheuscommunity/postgres-exporter", "oliver006/redis_exporter"}
# Files that Redis and our executables write, by executable: the setting that says where.
WRITTEN = {"ARAGORA_BACKUP_DIR"}
SETTINGS = documents.settings()
STAGES = documents.image_stages()
OPTIONAL_SECRETS = re.compile(
    r"_PREVIOUS$|_DIRECT_DSN$|^(ANTHROPIC|OPENAI|OPENROUTER|MISTRAL|GEMINI|XAI)_API_KEY$|^ARAGORA_RECEIPT_SIGNING_SEED$"
    r"|^ARAGORA_SSO_CLIENT_SECRET$|^SLACK_|^TEAMS_|^SENTRY_DSN$|^OTEL_")


@rule
def settings(objects):
    """A container's variables are settings its executable reads, and all that it needs is among them."""
    readers = {}
    for one in objects.workloads:
        for container in one.containers:
            executable = command(container)[0]
            if executable not in SETTINGS:
                continue
            name, own = f"{one}/{container['name']}", SETTINGS[executable]
            # The CLI is in every image, and is run in the pods.
            known = own | SETTINGS["aragora"]
            for source in container.get("envFrom", []):
                for key in objects.config.get(source.get("configMapRef", {}).get("name"), {}):
                    readers.setdefault(key, set()).add(key in own)
            names = [entry["name"] for entry in container.get("env", [])]
            for variable in sorted({v for v in names if names.count(v) > 1}):
                yield f"{name}: {variable} is there twice"
            for variable in names:
                if variable not in known:
                    yield f"{name}: {variable} is no setting of {executable} (docs/configuration.md)"
            environment = objects.environment(container)
            for variable, value in environment.items():
                if variable in own and isinstance(value, str) and (problem := own[variable].refuses(value)):
                    yield f"{name}: {variable}: {problem}"
            # What a command of the CLI needs is the command's; only backups keep files.
            needless = {"ARAGORA_BACKUP_DIR", "ARAGORA_API_TOKEN"} if command(container)[:2] == ["aragora", "db"] else {"ARAGORA_API_TOKEN"} if executable == "aragora" else set()
            for variable, setting in own.items():
                if setting.is_required and variable not in environment | dict.fromkeys(needless):
                    yield f"{name}: {variable} is required and not there"
            if executable in documents.SERVICES and environment.get("ARAGORA_MULTI_INSTANCE") == "true" and "ARAGORA_REDIS_URL" in own:
                if "ARAGORA_REDIS_URL" not in environment:
                    yield f"{name}: ARAGORA_REDIS_URL is required with ARAGORA_MULTI_INSTANCE"
            if executable == "aragora-api":
                for variable, value in (("ARAGORA_EMBEDDED_RUNNER", "off"), ("ARAGORA_MIGRATE_ON_START", "false")):
                    if environment.get(variable) != value:
                        yield f"{name}: {variable} is not {value}"
            if executable in ("aragora-api", "aragora-debate-worker") and "ARAGORA_RECEIPT_SIGNING_KEY" not in environment:
                yield f"{name}: signs no receipts"
            if environment.get("ARAGORA_ENV", "production" if executable == "aragora" else None) != "production":
                yield f"{name}: ARAGORA_ENV is not production"
    for key, read in readers.items():
        if True not in read:
            yield f"ConfigMap aragora-config: {key} is read by no service"


@rule
def references(objects):
    """Every ConfigMap, Secret, key, volume and claim that is named is there."""
    for one in objects.workloads:
        claims = {c["metadata"]["name"] for c in one.spec.get("volumeClaimTemplates", [])}
        volumes = {volume["name"]: volume for volume in one.pod.get("volumes", [])}
        for volume in volumes.values():
            if "configMap" in volume and volume["configMap"]["name"] not in objects.config:
                yield f"{one}: no ConfigMap {volume['configMap']['name']}"
            if "persistentVolumeClaim" in volume:
                claim = volume["persistentVolumeClaim"]["claimName"]
                if objects.find("PersistentVolumeClaim", claim) is None:
                    yield f"{one}: no claim {claim}"
        for container in one.containers:
            name = f"{one}/{container['name']}"
            mounts = {mount["name"]: mount["mountPath"] for mount in container.get("volumeMounts", [])}
            for mount in mounts:
                if mount not in volumes and mount not in claims:
                    yield f"{name}: mounts {mount}, which is no volume of the pod"
            for variable in WRITTEN & set(objects.environment(container)):
                if one.labels.get("app.kubernetes.io/component") == "backup":
                    if objects.environment(container)[variable] not in mounts.values():
                        yield f"{name}: {variable} is not on a volume"
            for source in container.get("envFrom", []):
                if set(source) != {"configMapRef"}:
                    yield f"{name}: takes all of {sorted(source)}; a container gets the secrets it reads, by name"
                elif source["configMapRef"]["name"] not in objects.config:
                    yield f"{name}: no ConfigMap {source['configMapRef']['name']}"
            for entry in container.get("env", []):
                yield from _reference(f"{name}: {entry['name']}", entry, objects)


def _reference(name, entry, objects):
    source = entry.get("valueFrom", {})
    if "configMapKeyRef" in source:
        wanted = source["configMapKeyRef"]
        if wanted["key"] not in objects.config.get(wanted["name"], {}):
            yield f"{name}: no key {wanted['key']} in ConfigMap {wanted['name']}"
    if "secretKeyRef" in source:
        yield from secret_key(name, source["secretKeyRef"], objects)
        wanted = source["secretKeyRef"]
        if wanted["name"] == "aragora-secrets" and bool(OPTIONAL_SECRETS.search(wanted["key"])) != wanted.get("optional", False):
            yield f"{name}: {wanted['key']} {'must' if not wanted.get('optional') else 'must not'} be optional"


def secret_key(name, wanted, objects):
    """Whether a Secret that somebody makes has this key."""
    cluster = wanted["name"].removesuffix("-app")
    if wanted["name"] == "aragora-secrets":
        keys = set(TEMPLATE["stringData"])
    elif wanted["name"].endswith("-app") and objects.find("Cluster", cluster):
        keys = CLUSTER_KEYS
    else:
        return (yield f"{name}: nobody makes the Secret {wanted['name']}")
    if wanted["key"] not in keys:
        yield f"{name}: no key {wanted['key']} in the Secret {wanted['name']}"


@rule
def one_database(objects):
    """All processes of an installation have the same DSN."""
    sources = {}
    for one in objects.workloads:
        for container in one.containers:
            for variable in ("ARAGORA_POSTGRES_DSN", "DATA_SOURCE_NAME"):
                if value := objects.environment(container).get(variable):
                    sources.setdefault(str(value), []).append(str(one))
    if len(sources) > 1:
        yield f"several databases: {sources}"
    if objects.of("Cluster") and any("aragora-secrets" in source for source in sources):
        yield "a Postgres cluster that nobody uses"


@rule
def volumes_alone(objects):
    """A volume that one node can mount has one pod at a time."""
    users = {}
    for one in objects.workloads:
        for volume in one.pod.get("volumes", []):
            if "persistentVolumeClaim" in volume:
                users.setdefault(volume["persistentVolumeClaim"]["claimName"], []).append(one)
    for claim in objects.of("PersistentVolumeClaim"):
        used_by = users.get(claim["metadata"]["name"], [])
        if len(used_by) != 1:
            yield f"claim {claim['metadata']['name']}: used by {[str(one) for one in used_by]}"
        for one in used_by:
            if one.kind == "Deployment" and (one.spec.get("strategy", {}).get("type") != "Recreate" or one.spec.get("replicas") != 1):
                yield f"{one}: two pods could want the claim {claim['metadata']['name']}"
            if one.kind == "CronJob" and one.spec.get("concurrencyPolicy") != "Forbid":
                yield f"{one}: two runs could want the claim {claim['metadata']['name']}"


@rule
def images(objects):
    tags = set()
    for one in objects.workloads:
        for container in one.containers:
            name, _, tag = container["image"].partition(":")
            if name not in OUR_IMAGES.keys() | OTHER_IMAGES or not tag:
                yield f"{one}/{container['name']}: image {container['image']}"
            elif name in OUR_IMAGES:
                tags.add(tag)
                # pg_dump is in one image only.
                if (command(container)[0] == "aragora-backup" or "backup" in command(container)) != name.endswith("-backup"):
                    yield f"{one}/{container['name']}: runs {container['command']} in {name}"
                executables, user = STAGES.get(OUR_IMAGES[name], (set(), None))
                if command(container)[0] not in executables:
                    yield f"{one}/{container['name']}: {name} has no {container['command'][0]}"
                if user != one.pod["securityContext"].get("runAsUser"):
                    yield f"{one}/{container['name']}: runs as {one.pod['securityContext'].get('runAsUser')}, made for {user}"
    if len(tags) > 1:
        yield f"several versions at once: {sorted(tags)}"


@rule
def jobs(objects):
    for one in objects.workloads:
        spec = one.spec["jobTemplate"]["spec"] if one.kind == "CronJob" else one.spec
        if one.kind in ("Job", "CronJob") and not (spec.get("backoffLimit") and spec.get("activeDeadlineSeconds")):
            yield f"{one}: may try or run for ever"
        if one.kind == "Job" and "ttlSecondsAfterFinished" not in spec:
            yield f"{one}: never goes, so the next version's can not be applied"
    run = [command(c) for one in objects.workloads for c in one.containers]
    if ["aragora", "db", "migrate"] not in run:
        yield "nobody brings the schema forward"
    if sum(line in (["aragora", "backup", "create"], ["aragora-backup"]) for line in run) != 1:
        yield "backups are made by nobody, or twice"
