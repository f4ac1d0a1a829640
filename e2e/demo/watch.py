"""Looks at the cluster once a second through the API, as anybody with kubectl could."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from e2e.rig.kube import KubeClient, Manifest

GPU = "nvidia.com/gpu"
REPLICAS_HEADER = ("t_s", "replicas", "ready", "nodes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """The fleet at one moment. `per_hour` as the policy's status shows it, in dollars."""

    replicas: int
    ready: int
    nodes: int
    per_hour: float
    message: str
    limited_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What to look at: the Deployment and the policy of the same name."""

    name: str
    namespace: str


def look(kube: KubeClient, fleet: Fleet) -> Sight:
    deployment = kube.get("apps/v1", "Deployment", fleet.name, namespace=fleet.namespace)
    status = policy_status(kube, fleet)
    decision = status.get("decision", {})
    return Sight(
        replicas=deployment["spec"]["replicas"],
        ready=deployment.get("status", {}).get("readyReplicas", 0),
        nodes=len(gpu_nodes(kube)),
        per_hour=float(status.get("cost", {}).get("perHour") or 0.0),
        message=decision.get("message", ""),
        limited_by=decision.get("limitedBy", ""),
    )


def policy_status(kube: KubeClient, fleet: Fleet) -> dict[str, Any]:
    """Status of the fleet's policy; empty as long as there is none."""
    policy = kube.find(
        "inferencecost.dev/v1alpha1", "InferenceCostPolicy", fleet.name, namespace=fleet.namespace
    )
    return dict((policy or {}).get("status", {}))


def gpu_nodes(kube: KubeClient) -> list[Manifest]:
    return [
        node
        for node in kube.list("v1", "Node")
        if int(node.get("status", {}).get("allocatable", {}).get(GPU, 0)) > 0
    ]


def prometheus_scalar(url: str, query: str) -> float | None:
    """First value of an instant query; None where there is no series."""
    answer = requests.get(f"{url}/api/v1/query", params={"query": query}, timeout=2).json()
    result = answer.get("data", {}).get("result", [])
    return float(result[0]["value"][1]) if result else None


class ReplicasLog:
    """Writes replicas.csv: seconds of the load, replicas wanted, ready, GPU nodes."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="ascii", newline="")
        self._rows = csv.writer(self._file, lineterminator="\n")
        self._rows.writerow(REPLICAS_HEADER)

    def add(self, t_s: float, sight: Sight) -> None:
        self._rows.writerow((f"{t_s:.3f}", sight.replicas, sight.ready, sight.nodes))
        self._file.flush()

    def close(self) -> None:
        self._file.close()
