"""JSON schemas for kubeconform, made from what a real API server says of its kinds (/openapi/v3)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from e2e.rig.kube import KubeClient

GROUP_VERSIONS = (
    "api/v1",
    "apis/apps/v1",
    "apis/policy/v1",
    "apis/rbac.authorization.k8s.io/v1",
    "apis/apiextensions.k8s.io/v1",
    "apis/scheduling.k8s.io/v1",
    "apis/admissionregistration.k8s.io/v1",
)
# As kubeconform fills in a template: kind and, for all but the core group, group and version.
LOCATION = "{{ .ResourceKind }}{{ .KindSuffix }}.json"


def write_schemas(kube: KubeClient, folder: Path) -> None:
    for group_version in GROUP_VERSIONS:
        document = kube.request("GET", f"/openapi/v3/{group_version}")
        schemas = document["components"]["schemas"]
        for schema in schemas.values():
            _close(schema)
        for name, file in _kinds(schemas):
            root = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
            (folder / file).write_text(json.dumps(root))


def _kinds(schemas: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, schema in schemas.items():
        for kind in schema.get("x-kubernetes-group-version-kind", ()):
            group = f"-{kind['group'].split('.')[0]}" if kind["group"] else ""
            yield name, f"{kind['kind'].lower()}{group}-{kind['version']}.json"


def _close(schema: Any) -> None:
    """Refuse unknown fields, as a server with strict field validation does."""
    if "properties" in schema and "additionalProperties" not in schema:
        schema["additionalProperties"] = False
