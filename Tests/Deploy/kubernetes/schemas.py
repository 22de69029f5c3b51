"""Strict schemas: of Kubernetes itself, and of the custom resources (schemas/README.md)."""
import json
import pathlib

import jsonschema
import kubernetes_validate

KUBERNETES = "1.31"
FOLDER = pathlib.Path(__file__).parent / "schemas"
# Custom resources of which we have no schema: judged by our rules only. Nothing else may be without one.
WITHOUT_SCHEMA = {
    ("argoproj.io/v1alpha1", "AnalysisTemplate"),
    ("postgresql.cnpg.io/v1", "Cluster"),
    ("external-secrets.io/v1", "ExternalSecret"),
    ("external-secrets.io/v1", "SecretStore"),
}


def problems(objects):
    """[("schema", sentence)]; and the kinds that could not be judged."""
    found, unjudged = [], set()
    for one in objects:
        kind = (one["apiVersion"], one["kind"])
        name = f"{one['kind']} {one['metadata']['name']}"
        own = FOLDER / f"{one['kind'].lower()}_{one['apiVersion'].replace('/', '_')}.json"
        try:
            if own.exists():
                jsonschema.Draft7Validator(json.loads(own.read_text())).validate(one)
            else:
                kubernetes_validate.validate(one, KUBERNETES, strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            if kind in WITHOUT_SCHEMA:
                unjudged.add(kind)
            else:
                found.append(("schema", f"{name}: there is no schema for {kind[0]} {kind[1]}"))
        except (jsonschema.ValidationError, kubernetes_validate.ValidationError) as error:
            path = "/".join(str(part) for part in error.path) if hasattr(error, "path") else ""
            found.append(("schema", f"{name}: {path}: {error.message if hasattr(error, 'message') else error}"))
    return found, unjudged
