"""Node and Lease objects of a process node. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from e2e.rig.process_node.kubernetes_api import Manifest
from e2e.rig.process_node.pod_status import timestamp
from e2e.rig.process_node.settings import NODE_KIND_LABEL

LEASE_NAMESPACE = "kube-node-lease"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSpec:
    """One node. `memory` is a Kubernetes quantity."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    taints: Sequence[Mapping[str, str]] = ()
    gpus: int = 0
    cpus: int = 16
    memory: str = "64Gi"
    max_pods: int = 110

    @property
    def resources(self) -> dict[str, str]:
        resources = {"cpu": str(self.cpus), "memory": self.memory, "pods": str(self.max_pods)}
        return resources | ({"nvidia.com/gpu": str(self.gpus)} if self.gpus else {})


def node_manifest(spec: NodeSpec, *, kind: str) -> Manifest:
    """Return a Node without status; `kind` ("process", "kwok") becomes a label."""
    labels = {
        "kubernetes.io/hostname": spec.name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        NODE_KIND_LABEL: kind,
        **spec.labels,
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": spec.name, "labels": labels, "annotations": dict(spec.annotations)},
        "spec": {"taints": [dict(taint) for taint in spec.taints]},
    }


def ready_status(spec: NodeSpec, *, address: str, now: datetime) -> Manifest:
    """Return the status of a node that is up."""
    return {
        "capacity": spec.resources,
        "allocatable": spec.resources,
        "conditions": _conditions(timestamp(now)),
        "addresses": [
            {"type": "InternalIP", "address": address},
            {"type": "Hostname", "address": spec.name},
        ],
        "nodeInfo": _node_info(spec.name),
    }


def lease_manifest(node: Manifest, *, renew_seconds: float, now: datetime) -> Manifest:
    """Return the Lease that keeps the node Ready; its end is four renewals away."""
    name, uid = node["metadata"]["name"], node["metadata"]["uid"]
    owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": uid}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": LEASE_NAMESPACE, "ownerReferences": [owner]},
        "spec": {
            "holderIdentity": name,
            "leaseDurationSeconds": max(1, round(4 * renew_seconds)),
            "renewTime": renew_time(now),
        },
    }


def renew_time(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _conditions(now: str) -> list[dict[str, Any]]:
    pressures = {
        "MemoryPressure": ("False", "KubeletHasSufficientMemory"),
        "DiskPressure": ("False", "KubeletHasNoDiskPressure"),
        "PIDPressure": ("False", "KubeletHasSufficientPID"),
        "Ready": ("True", "KubeletReady"),
    }
    return [
        {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": "process node",
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
        }
        for kind, (status, reason) in pressures.items()
    ]


def _node_info(name: str) -> dict[str, str]:
    return {
        "architecture": "amd64",
        "operatingSystem": "linux",
        "osImage": "process node",
        "kernelVersion": "",
        "kubeletVersion": "v0.0.0-process-node",
        "kubeProxyVersion": "",
        "containerRuntimeVersion": "process://1",
        "bootID": name,
        "machineID": name,
        "systemUUID": name,
    }
