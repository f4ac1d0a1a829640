"""Asks the API server, or the models, for a verdict: the empty string or the refusal."""

import copy
from typing import Any

from e2e.rig.kube import KubeClient, KubeError
from inference_cost.api.group import Names
from inference_cost.api.parse import (
    InvalidObjectError,
    parse_capacity_pool,
    parse_checkpoint,
    parse_policy,
    update_problems,
)
from tests.integration.api.table import Row

NAMESPACE = "api-table"
DRY_RUN = {"dryRun": "All", "fieldValidation": "Strict"}
PARSERS = {
    "InferenceCostPolicy": parse_policy,
    "CapacityPool": parse_capacity_pool,
    "InferenceCostCheckpoint": parse_checkpoint,
}


def collection(names: Names, api_version: str) -> str:
    scope = f"/namespaces/{NAMESPACE}" if names.namespaced else ""
    return f"/apis/{api_version}{scope}/{names.plural}"


def store(kube: KubeClient, row: Row, api_version: str) -> str:
    """Store the valid object of a row's sheet; gives its resource version."""
    body = _named(row.sheet.base, row.sheet.name, api_version)
    path = collection(row.sheet.names, api_version)
    stored = kube.request("POST", path, body=body)
    return str(stored["metadata"]["resourceVersion"])


def server_verdict(kube: KubeClient, row: Row, api_version: str, resource_version: str) -> str:
    """Dry run: creation, or a change of the stored object where the row is about that."""
    path = collection(row.sheet.names, api_version)
    if row.on_update or row.sheet.is_status:
        part = "/status" if row.sheet.is_status else ""
        body = _named(row.object, row.sheet.name, api_version)
        body["metadata"]["resourceVersion"] = resource_version
        return ask(kube, "PUT", f"{path}/{row.sheet.name}{part}", body)
    return ask(kube, "POST", path, _named(row.object, "row", api_version))


def model_verdict(row: Row) -> str:
    parse = PARSERS[row.sheet.names.kind]
    try:
        new = parse(row.object, strict=True)
    except InvalidObjectError as error:
        return str(error)
    if not row.on_update:
        return ""
    return "; ".join(map(str, update_problems(parse(row.sheet.base), new)))


def ask(kube: KubeClient, method: str, path: str, body: dict[str, Any]) -> str:
    try:
        kube.request(method, path, body=body, query=DRY_RUN)
    except KubeError as error:
        if error.status not in {400, 422}:
            raise
        return error.message
    return ""


def _named(obj: dict[str, Any], name: str, api_version: str) -> dict[str, Any]:
    out = copy.deepcopy(obj)
    return {**out, "apiVersion": api_version, "metadata": {**out["metadata"], "name": name}}
