"""The workloads that are recorded, each in a namespace of its own, all under the same load.

Everything is 7.5 times as fast as Kubernetes and KEDA do it by default: a sync every 2 s instead of
15 s, and so on. Syncs come every 2 s give or take milliseconds, hence what a sync remembers of an
earlier one depends on chance where a window is a multiple of 2 s. Windows and periods lie between
two multiples, except in the behavior that shows what happens where they do not.
"""

from dataclasses import dataclass
from typing import Any

from e2e.baselines.exporter import QUERY
from e2e.baselines.pods_metrics import METRIC
from e2e.rig.kube import Manifest
from e2e.rig.kwok.nodes import START_DELAY_ANNOTATION, STOP_DELAY_ANNOTATION

SYNC_SECONDS = 2  # 15 s
# 300 s are 20 syncs of 15 s; so are 40 s of 2 s, and half of one more.
WINDOW_SECONDS = 41
POLLING_SECONDS = 4  # 30 s
COOLDOWN_SECONDS = 38  # 300 s: after ten polls
# Of a pod, from bound to Ready and from deleted to gone; also between multiples of a sync.
START_SECONDS, STOP_SECONDS = 7, 3

REQUESTS_PER_REPLICA = 7  # the target
MIN_REPLICAS, MAX_REPLICAS = 1, 20
NAME = "served"

Behavior = dict[str, Any]
Rules = dict[str, Any]


def rules(window_seconds: int, select: str, *policies: tuple[str, int, int]) -> Rules:
    """`scaleUp` or `scaleDown`; a policy is type, value and period in seconds."""
    return {
        "stabilizationWindowSeconds": window_seconds,
        "selectPolicy": select,
        "policies": [
            {"type": kind, "value": value, "periodSeconds": period}
            for kind, value, period in policies
        ],
    }


# The defaults of `spec.behavior` (periods of 15 s), a period ending before the next sync.
DEFAULT_BEHAVIOR: Behavior = {
    "scaleUp": rules(0, "Max", ("Pods", 4, 1), ("Percent", 100, 1)),
    "scaleDown": rules(WINDOW_SECONDS, "Max", ("Percent", 100, 1)),
}
# The same to the second: a period ends with the next sync.
EDGE_BEHAVIOR: Behavior = {
    "scaleUp": rules(0, "Max", ("Pods", 4, SYNC_SECONDS), ("Percent", 100, SYNC_SECONDS)),
    "scaleDown": rules(40, "Max", ("Percent", 100, SYNC_SECONDS)),
}
# What the defaults do not use: a window on the way up, periods of several syncs, Min.
CAREFUL_BEHAVIOR: Behavior = {
    "scaleUp": rules(7, "Max", ("Pods", 2, 7), ("Percent", 50, 11)),
    "scaleDown": rules(15, "Min", ("Pods", 3, 11), ("Percent", 30, 15)),
}
# Nothing holds the proposal back, so that each sync shows it.
EAGER_BEHAVIOR: Behavior = {
    "scaleUp": rules(0, "Max", ("Pods", MAX_REPLICAS, 1)),
    "scaleDown": rules(0, "Max", ("Percent", 100, 1)),
}
HPA_BEHAVIORS = {
    "hpa": DEFAULT_BEHAVIOR,
    "hpa-eager": EAGER_BEHAVIOR,
    "hpa-edge": EDGE_BEHAVIOR,
    "hpa-careful": CAREFUL_BEHAVIOR,
}
KEDA = "keda"


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
    """Each of `HPA_BEHAVIORS`, and KEDA with the default one."""
    made = {name: _hpa(behavior) for name, behavior in HPA_BEHAVIORS.items()}
    made[KEDA] = _scaled_object(prometheus_url)
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
