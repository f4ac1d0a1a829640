"""The workloads that are recorded, each in a namespace of its own, all under the same load.

Everything is 7.5 times as fast as Kubernetes and KEDA do it by default: a sync every 2 s instead of
15 s, and so on. Stretched by that factor, the defaults are the defaults.
"""

from dataclasses import dataclass
from typing import Any

from e2e.baselines.exporter import QUERY
from e2e.baselines.pods_metrics import METRIC
from e2e.rig.kube import Manifest
from e2e.rig.kwok.nodes import START_DELAY_ANNOTATION, STOP_DELAY_ANNOTATION

COMPRESSION = 7.5
SYNC_SECONDS = 2  # 15 s
STABILIZATION_SECONDS = 40  # 300 s
POLLING_SECONDS = 4  # 30 s
COOLDOWN_SECONDS = 40  # 300 s
# Not a multiple of the sync period: a pod becomes Ready well between two syncs.
START_SECONDS, STOP_SECONDS = 7, 3

REQUESTS_PER_REPLICA = 7  # the target
MIN_REPLICAS, MAX_REPLICAS = 1, 20
NAME = "served"

Behavior = dict[str, Any]

DEFAULT_BEHAVIOR: Behavior = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": [
            {"type": "Pods", "value": 4, "periodSeconds": SYNC_SECONDS},
            {"type": "Percent", "value": 100, "periodSeconds": SYNC_SECONDS},
        ],
    },
    "scaleDown": {
        "stabilizationWindowSeconds": STABILIZATION_SECONDS,
        "selectPolicy": "Max",
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": SYNC_SECONDS}],
    },
}
# Everything that the defaults do not use: a window on the way up, periods of several syncs, Min.
CAREFUL_BEHAVIOR: Behavior = {
    "scaleUp": {
        "stabilizationWindowSeconds": 6,
        "selectPolicy": "Max",
        "policies": [
            {"type": "Pods", "value": 2, "periodSeconds": 6},
            {"type": "Percent", "value": 50, "periodSeconds": 10},
        ],
    },
    "scaleDown": {
        "stabilizationWindowSeconds": 14,
        "selectPolicy": "Min",
        "policies": [
            {"type": "Pods", "value": 3, "periodSeconds": 10},
            {"type": "Percent", "value": 30, "periodSeconds": 14},
        ],
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One Deployment and its autoscaler, in the namespace of that name."""

    name: str
    autoscaler: Manifest

    @property
    def namespace(self) -> Manifest:
        return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.name}}

    @property
    def deployment(self) -> Manifest:
        return _in_namespace(_deployment(), self.name)


def workloads(prometheus_url: str) -> tuple[Workload, ...]:
    """HPA with the default behavior, HPA with a careful one, and KEDA with the default one."""
    made = {
        "hpa": _hpa(DEFAULT_BEHAVIOR),
        "hpa-careful": _hpa(CAREFUL_BEHAVIOR),
        "keda": _scaled_object(prometheus_url),
    }
    return tuple(
        Workload(name=name, autoscaler=_in_namespace(autoscaler, name))
        for name, autoscaler in made.items()
    )


def _in_namespace(manifest: Manifest, namespace: str) -> Manifest:
    return {**manifest, "metadata": {"name": NAME, "namespace": namespace}}


def _deployment() -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "spec": {
            "replicas": MIN_REPLICAS,
            "selector": {"matchLabels": {"app": NAME}},
            "template": {
                "metadata": {
                    "labels": {"app": NAME},
                    "annotations": {
                        START_DELAY_ANNOTATION: f"{START_SECONDS}s",
                        STOP_DELAY_ANNOTATION: f"{STOP_SECONDS}s",
                    },
                },
                "spec": {
                    "nodeSelector": {"inferencecost.dev/node-kind": "kwok"},
                    "containers": [{"name": "server", "image": "server"}],
                },
            },
        },
    }


def _hpa(behavior: Behavior) -> Manifest:
    metric = {
        "type": "Pods",
        "pods": {
            "metric": {"name": METRIC},
            "target": {"type": "AverageValue", "averageValue": str(REQUESTS_PER_REPLICA)},
        },
    }
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": NAME},
            "minReplicas": MIN_REPLICAS,
            "maxReplicas": MAX_REPLICAS,
            "metrics": [metric],
            "behavior": behavior,
        },
    }


def _scaled_object(prometheus_url: str) -> Manifest:
    trigger = {
        "type": "prometheus",
        "metadata": {
            "serverAddress": prometheus_url,
            "query": QUERY,
            "threshold": str(REQUESTS_PER_REPLICA),
        },
    }
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "spec": {
            "scaleTargetRef": {"name": NAME},
            "minReplicaCount": 0,
            "maxReplicaCount": MAX_REPLICAS,
            "pollingInterval": POLLING_SECONDS,
            "cooldownPeriod": COOLDOWN_SECONDS,
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": DEFAULT_BEHAVIOR}},
            "triggers": [trigger],
        },
    }
