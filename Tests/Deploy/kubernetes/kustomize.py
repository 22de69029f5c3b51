"""Renders a kustomization, for machines without kubectl.

Knows what our kustomizations use and nothing more: resources, components, namespace, images with newTag, and inline
patches (strategic merge or JSON patch) with a target. Anything else is an error, never ignored. Where kubectl is present,
check.py holds that both give the same objects.
"""
import copy
import pathlib
import re

import yaml

ROOT_KEYS = {"apiVersion", "kind", "namespace", "resources", "components", "images", "patches"}
CLUSTER_KINDS = {"Namespace", "ClusterIssuer"}
# Lists of a pod template whose items are merged by this key; every other list is replaced.
MERGE_KEYS = {"containers": "name", "initContainers": "name", "env": "name", "volumes": "name", "volumeMounts": "mountPath"}
# Kinds of others have no merge keys: their lists are replaced.
MERGED_GROUPS = re.compile(r"^(v1|apps/v1|batch/v1|networking\.k8s\.io/v1|policy/v1|autoscaling/v2)$")


class Unsupported(Exception):
    """The kustomization uses something this renderer does not know."""


def render(folder):
    """The objects of the kustomization in `folder`."""
    return _apply(pathlib.Path(folder).resolve(), [], "Kustomization")


def _apply(folder, objects, kind):
    spec = yaml.safe_load((folder / "kustomization.yaml").read_text())
    if unknown := set(spec) - ROOT_KEYS:
        raise Unsupported(f"{folder}: {sorted(unknown)}")
    if spec["kind"] != kind:
        raise Unsupported(f"{folder}: is a {spec['kind']}, not a {kind}")
    for entry in spec.get("resources", []):
        path = folder / entry
        objects = objects + (_apply(path.resolve(), [], "Kustomization") if path.is_dir() else _load(path, folder))
    for entry in spec.get("components", []):
        objects = _apply((folder / entry).resolve(), objects, "Component")
    for patch in spec.get("patches", []):
        objects = _patched(objects, patch, folder)
    for one in objects:
        if spec.get("namespace") and one["kind"] not in CLUSTER_KINDS:
            one["metadata"]["namespace"] = spec["namespace"]
    for image in spec.get("images", []):
        if set(image) != {"name", "newTag"}:
            raise Unsupported(f"{folder}: images: {sorted(image)}")
        for one in objects:
            _retag(one, image["name"], image["newTag"])
    names = [(one["apiVersion"], one["kind"], one["metadata"]["name"]) for one in objects]
    if len(set(names)) != len(names):
        raise Unsupported(f"{folder}: an object is there twice")
    return objects


def _load(path, folder):
    if not path.resolve().is_relative_to(folder):
        raise Unsupported(f"{path} is outside of {folder}: kustomize refuses that")
    return [one for one in yaml.safe_load_all(path.read_text()) if one]


def _retag(node, name, tag):
    if isinstance(node, list):
        for item in node:
            _retag(item, name, tag)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in ("containers", "initContainers") and isinstance(value, list):
                for container in value:
                    if isinstance(container.get("image"), str) and container["image"].split(":")[0] == name:
                        container["image"] = f"{name}:{tag}"
            _retag(value, name, tag)


def _patched(objects, patch, folder):
    if not set(patch) <= {"target", "patch", "options"} or not set(patch["target"]) <= {"kind", "name", "labelSelector"}:
        raise Unsupported(f"{folder}: patch with {sorted(patch)} of {sorted(patch['target'])}")
    body = yaml.safe_load(patch["patch"])
    result = []
    for one in objects:
        if not _is_target(one, patch["target"]):
            result.append(one)
        elif isinstance(body, list):
            result.append(_json_patched(copy.deepcopy(one), body))
        elif body.get("$patch") != "delete":
            merged = _merged(one, body, None, MERGED_GROUPS.match(one["apiVersion"]))
            result.append(merged)
    return result


def _is_target(one, target):
    labels = one["metadata"].get("labels", {})
    wanted = dict(part.split("=") for part in target.get("labelSelector", "").split(",") if part)
    return (
        target.get("kind") in (None, one["kind"])
        and target.get("name") in (None, one["metadata"]["name"])
        and all(labels.get(key) == value for key, value in wanted.items())
    )


def _json_patched(one, operations):
    for operation in operations:
        *parents, last = [p.replace("~1", "/").replace("~0", "~") for p in operation["path"].split("/")[1:]]
        node = one
        for key in parents:
            node = node[int(key)] if isinstance(node, list) else node[key]
        if isinstance(node, list):
            raise Unsupported(f"JSON patch of a list item: {operation['path']}")
        if operation["op"] not in ("add", "replace", "remove"):
            raise Unsupported(f"JSON patch {operation['op']}")
        if operation["op"] != "add" and last not in node:
            raise Unsupported(f"JSON patch of what is not there: {operation['path']}")
        if operation["op"] == "remove":
            del node[last]
        else:
            node[last] = copy.deepcopy(operation["value"])
    return one


def _merged(base, patch, key, by_key):
    if isinstance(base, dict) and isinstance(patch, dict):
        if any(str(name).startswith("$") for name in patch):
            raise Unsupported(f"directive in a patch: {sorted(patch)}")
        result = dict(base)
        for name, value in patch.items():
            if value is None:
                result.pop(name, None)
            elif name in base:
                result[name] = _merged(base[name], value, name, by_key)
            else:
                result[name] = copy.deepcopy(value)
        return result
    if isinstance(base, list) and isinstance(patch, list) and by_key and key in MERGE_KEYS:
        name = MERGE_KEYS[key]
        items = {item[name]: item for item in base}
        # As kustomize does it: what the patch names comes first.
        first = [_merged(items.pop(item[name], {}), item, None, by_key) for item in patch]
        return first + list(items.values())
    return copy.deepcopy(patch)
