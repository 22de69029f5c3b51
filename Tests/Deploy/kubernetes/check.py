#!/usr/bin/env python3
"""Checks deploy/kubernetes without a cluster.

Renders every kustomization (with kubectl where it is present, and always with kustomize.py; both must agree), judges each
object by strict schemas and all of them by the rules in rules/. With kubectl it also runs the operators' commands that
work without a server.

Exit codes: 0 all well, 1 something is wrong.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import documents  # noqa: E402
import kustomize  # noqa: E402
import prometheus_rule  # noqa: E402
import rules  # noqa: E402
import schemas  # noqa: E402
from objects import Objects, command  # noqa: E402
from rules.pods import AFTER_DRAIN, end_of  # noqa: E402
from rules.scaling import connections  # noqa: E402

ROOT = documents.ROOT
VARIANTS = [
    "deploy/kubernetes",
    "deploy/kubernetes/overlays/small",
    "deploy/kubernetes/overlays/production",
    "Tests/Deploy/kubernetes/variants/custom-metrics",
    "Tests/Deploy/kubernetes/variants/full",
]


def main():
    problems, unjudged = [], set()
    kubectl = shutil.which("kubectl")
    used = set()
    for variant in VARIANTS:
        objects = kustomize.render(ROOT / variant)
        if kubectl:
            problems += [(variant, *one) for one in differences(kubectl, variant, objects)]
        wrong, without = schemas.problems(objects)
        unjudged |= without
        problems += [(variant, *one) for one in wrong + rules.broken(Objects(objects))]
        used |= parts(ROOT / variant)
        print(f"{variant}: {len(objects)} objects, {connections(Objects(objects))} connections at most")
    problems += [("deploy/kubernetes/README.md", "numbers", one) for one in numbers()]
    for folder in sorted((ROOT / "deploy/kubernetes").rglob("kustomization.yaml")):
        if folder.parent.resolve() not in used:
            problems.append((str(folder.parent.relative_to(ROOT)), "variants", "no variant renders it"))
    if prometheus_rule.TARGET.read_text() != prometheus_rule.made():
        problems.append(("components/monitoring", "prometheus-rule.yaml", "not that of deploy/compose/monitoring: run prometheus_rule.py --write"))
    if kubectl:
        problems += [("kubectl", "commands", one) for one in commands(kubectl)]
    else:
        print("no kubectl: rendered by kustomize.py only, and the operators' commands were not tried")
    for variant, rule, sentence in problems:
        print(f"{variant}: {rule}: {sentence}")
    for group, kind in sorted(unjudged):
        print(f"no schema here for {kind} ({group}): judged by our rules only")
    print(f"{len(VARIANTS)} variants, {len(rules.RULES)} rules, {len(problems)} problems")
    return 1 if problems else 0


def numbers():
    """The numbers that README.md tells."""
    text = " ".join((ROOT / "deploy/kubernetes/README.md").read_text().split())
    plain, small, production = [Objects(kustomize.render(ROOT / variant)) for variant in VARIANTS[:3]]
    told = [f"{connections(small)} in small, {connections(plain)} plain, {connections(production)} in production"]
    for one in production.workloads:
        if one.is_service and command(one.pod["containers"][0])[0] in AFTER_DRAIN:
            told.append("| {} s | {} s |".format(*end_of(production, one)[2:]))
    return [f"does not say: {one}" for one in told if one not in text]


def parts(folder):
    """Every kustomization that `folder` is made of."""
    spec = yaml.safe_load((folder / "kustomization.yaml").read_text())
    found = {folder.resolve()}
    for entry in spec.get("resources", []) + spec.get("components", []):
        if (folder / entry).is_dir():
            found |= parts(folder / entry)
    return found


def differences(kubectl, variant, objects):
    """Where our renderer and kubectl's disagree."""
    run = subprocess.run([kubectl, "kustomize", str(ROOT / variant)], capture_output=True, text=True)
    if run.returncode:
        return [("kustomize", run.stderr.strip())]
    key = lambda one: (one["apiVersion"], one["kind"], one["metadata"]["name"])
    theirs = {key(one): one for one in yaml.safe_load_all(run.stdout)}
    ours = {key(one): one for one in objects}
    return [
        ("kustomize", f"{name[1]} {name[2]}: kubectl renders it otherwise than kustomize.py")
        for name in sorted(theirs.keys() | ours.keys())
        if plain(theirs.get(name)) != plain(ours.get(name))
    ]


def plain(one):
    return json.dumps(one, sort_keys=True)


# What the documents tell operators to type, as far as it works without a server.
COMMANDS = [
    ("Deployment", "aragora-backend", ["set", "image", "--local", "deployment/aragora-backend", "aragora=ghcr.io/an0mium/aragora:v2.8.1"],
     lambda one: one["spec"]["template"]["spec"]["containers"][0]["image"] == "ghcr.io/an0mium/aragora:v2.8.1"),
    ("HorizontalPodAutoscaler", "aragora-backend-hpa",
     ["patch", "--local", "--type=json", '-p=[{"op": "replace", "path": "/spec/maxReplicas", "value": 15}]'],
     lambda one: one["spec"]["maxReplicas"] == 15),
    ("Deployment", "aragora-backend", ["set", "env", "--local", "deployment/aragora-backend", "ARAGORA_LOG_LEVEL=debug"],
     lambda one: {"name": "ARAGORA_LOG_LEVEL", "value": "debug"} in one["spec"]["template"]["spec"]["containers"][0]["env"]),
]


def commands(kubectl):
    rendered = Objects(kustomize.render(ROOT / VARIANTS[0]))
    for kind, name, arguments, is_done in COMMANDS:
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(rendered.find(kind, name), file)
            file.flush()
            # `set --local` wants no resource beside the file; the name is the documents'.
            typed = [a for a in arguments if a != f"deployment/{name}"]
            run = subprocess.run([kubectl, *typed, "-f", file.name, "-o", "yaml"], capture_output=True, text=True)
            if run.returncode or not is_done(yaml.safe_load(run.stdout)):
                yield f"kubectl {' '.join(arguments)}: {run.stderr.strip() or 'changed nothing'}"


if __name__ == "__main__":
    sys.exit(main())
