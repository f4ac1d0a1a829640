"""Proof, through the API and the machine, that nothing in the demo was played by a stand-in."""

import ipaddress
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import requests

from e2e.demo.watch import Fleet
from e2e.rig.addresses import loopback_address
from e2e.rig.kube import KubeClient

NODE_KIND_LABEL = "inferencecost.dev/node-kind"


class ProofError(AssertionError):
    """The demo did not run as it claims."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleWrite:
    """One successful request that changed a scale subresource, from the API server's audit log."""

    time: str
    user: str
    verb: str


def check(condition: object, message: str) -> None:
    if not condition:
        raise ProofError(message)


def operator_runs_in_pods(kube: KubeClient, namespace: str, release: str) -> str:
    """The operator's pods are bound to process nodes and ready."""
    pods = kube.list(
        "v1", "Pod", namespace=namespace, label_selector=f"app.kubernetes.io/instance={release}"
    )
    nodes = {
        n["metadata"]["name"]: n["metadata"].get("labels", {}) for n in kube.list("v1", "Node")
    }
    check(pods, f"no pod of release {release} in namespace {namespace}")
    for pod in pods:
        node = pod["spec"].get("nodeName", "")
        kind = nodes.get(node, {}).get(NODE_KIND_LABEL)
        check(
            kind == "process", f"pod {pod['metadata']['name']} is on node {node!r} of kind {kind!r}"
        )
    return f"{len(pods)} operator pods on process nodes"


def scale_writes(audit_log: Path, fleet: Fleet) -> list[ScaleWrite]:
    """All successful writes to the fleet's /scale, in order."""
    return [
        ScaleWrite(
            time=event["requestReceivedTimestamp"],
            user=event["user"]["username"],
            verb=event["verb"],
        )
        for event in _events(audit_log)
        if _is_scale_write(event, fleet)
    ]


def operator_made_each_write(writes: list[ScaleWrite], namespace: str, service_account: str) -> str:
    return made_each_write(writes, f"system:serviceaccount:{namespace}:{service_account}")


def made_each_write(writes: list[ScaleWrite], user: str) -> str:
    check(writes, "no /scale write in the audit log")
    strangers = {w.user for w in writes} - {user}
    check(not strangers, f"/scale was also written by {sorted(strangers)}")
    return f"{len(writes)} /scale writes, each by {user}"


def metrics_come_from_triton(kube: KubeClient, prometheus_url: str, fleet: Fleet) -> str:
    """Each pod behind `nv_inference_request_success` has a tritonserver process on its metrics port."""
    query = f'nv_inference_request_success{{namespace="{fleet.namespace}"}}'
    answer = requests.get(
        f"{prometheus_url}/api/v1/query", params={"query": query}, timeout=5
    ).json()
    seen = {series["metric"]["pod"] for series in answer["data"]["result"]}
    servers = dict(_listeners(8002))
    # Listed afterwards: who stays listed was there; a pod on its way out may have closed its port already.
    listed = kube.list("v1", "Pod", namespace=fleet.namespace)
    pods = {p["metadata"]["name"]: p for p in listed if "deletionTimestamp" not in p["metadata"]}
    alive = seen & pods.keys()
    check(alive, f"no series of {query} belongs to a running pod")
    for name in alive:
        address = loopback_address(pods[name]["status"]["podIP"])
        program = servers.get(address, "nothing")
        check(program == "tritonserver", f"{program} listens on {address}:8002 of pod {name}")
    return f"{len(alive)} pods report nv_inference_*, each a tritonserver process"


def _listeners(port: int) -> Iterator[tuple[str, str]]:
    for connection in psutil.net_connections(kind="tcp4"):
        if connection.status != psutil.CONN_LISTEN or not connection.laddr or not connection.pid:
            continue
        if connection.laddr.port == port:
            address = ipaddress.ip_address(connection.laddr.ip)
            yield str(address), psutil.Process(connection.pid).name()


def _events(audit_log: Path) -> Iterator[dict[str, Any]]:
    with audit_log.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _is_scale_write(event: dict[str, Any], fleet: Fleet) -> bool:
    target = event.get("objectRef", {})
    return (
        event.get("stage") == "ResponseComplete"
        and event.get("verb") in {"patch", "update"}
        and target.get("subresource") == "scale"
        and target.get("name") == fleet.name
        and target.get("namespace") == fleet.namespace
        and event.get("responseStatus", {}).get("code", 500) < 300
    )
