"""The ScaledObjects of KEDA: on the request rate per replica, and with llm-d's law as a formula."""

from typing import Any

from e2e.baselines.workloads import Behavior, rules
from e2e.demo.watch import Fleet
from e2e.race.settings import (
    DOWN_ONE_POD_SECONDS,
    DOWN_SECONDS,
    PERIOD_SECONDS,
    POLLING_SECONDS,
    RATE_SECONDS,
    SMOOTHED_SECONDS,
    UP_PERIOD_SECONDS,
    UP_SECONDS,
)
from e2e.rig.kube import Manifest
from inference_cost.simulate.baselines.llmd_slo import DEFAULT, MAX_SATURATION, SCALE_DOWN_GAP

Trigger = dict[str, Any]

LLMD_BEHAVIOR: Behavior = {
    "scaleUp": rules(
        UP_SECONDS, "Max", ("Percent", 100, UP_PERIOD_SECONDS), ("Pods", 4, UP_PERIOD_SECONDS)
    ),
    "scaleDown": rules(DOWN_SECONDS, "Max", ("Pods", 1, DOWN_ONE_POD_SECONDS)),
}
UP, DOWN = DEFAULT.up, round(DEFAULT.up - SCALE_DOWN_GAP, 2)
_CREDIT = "(ready > 0 && ready < provisioned ? ready / provisioned : 1.0)"
LLMD_FORMULA = (
    f"saturation > {UP} ? provisioned + ceil(provisioned * (saturation * {_CREDIT} / {UP} - 1)) : "
    f"(saturation < {DOWN} ? provisioned - floor(provisioned * (1 - saturation / {DOWN})) : provisioned)"
)


def by_request_rate(
    fleet: Fleet, *, prometheus_url: str, threshold: float, window_seconds: int, most: int
) -> Manifest:
    """Threshold in requests/s per replica; the rest of the behavior is the default."""
    behavior = {
        "scaleUp": rules(0, "Max", ("Pods", 4, PERIOD_SECONDS), ("Percent", 100, PERIOD_SECONDS)),
        "scaleDown": rules(window_seconds, "Max", ("Percent", 100, PERIOD_SECONDS)),
    }
    trigger = _prometheus(prometheus_url, "rate", rate_query(fleet), f"{threshold:g}")
    return _scaled_object(fleet, [trigger], behavior, most)


def by_llmd_law(
    fleet: Fleet, *, prometheus_url: str, objective_milliseconds: float, most: int
) -> Manifest:
    """The HPA's target is one: the formula gives replicas."""
    labels = f'{{namespace="{fleet.namespace}",deployment="{fleet.name}"}}'
    queries = {
        "saturation": saturation_query(fleet, objective_milliseconds),
        "provisioned": f"kube_deployment_spec_replicas{labels}",
        "ready": f"kube_deployment_status_replicas_ready{labels}",
    }
    triggers = [_prometheus(prometheus_url, name, query, "1") for name, query in queries.items()]
    modifiers = {"formula": LLMD_FORMULA, "target": "1", "metricType": "AverageValue"}
    return _scaled_object(fleet, triggers, LLMD_BEHAVIOR, most, scalingModifiers=modifiers)


def rate_query(fleet: Fleet) -> str:
    return f"sum(rate(envoy_cluster_upstream_rq_total{_cluster(fleet)}[{RATE_SECONDS}s]))"


def saturation_query(fleet: Fleet, objective_milliseconds: float) -> str:
    """90th percentile over the objective, capped, nothing without requests; its mean of the last scrapes."""
    buckets = f"rate(envoy_cluster_upstream_rq_time_bucket{_cluster(fleet)}[{RATE_SECONDS}s])"
    percentile = f"histogram_quantile(0.9, sum by (le) ({buckets}))"
    raw = f"clamp_max({percentile} / {objective_milliseconds:g}, {MAX_SATURATION:g})"
    return f"avg_over_time((({raw} >= 0) or vector(0))[{SMOOTHED_SECONDS}s:2s])"


def _cluster(fleet: Fleet) -> str:
    return f'{{envoy_cluster_name="{fleet.namespace}/{fleet.name}"}}'


def _prometheus(url: str, name: str, query: str, threshold: str) -> Trigger:
    metadata = {"serverAddress": url, "query": query, "threshold": threshold}
    return {"type": "prometheus", "name": name, "metadata": metadata}


def _scaled_object(
    fleet: Fleet, triggers: list[Trigger], behavior: Behavior, most: int, **advanced: object
) -> Manifest:
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": fleet.name, "namespace": fleet.namespace},
        "spec": {
            "scaleTargetRef": {"name": fleet.name},
            "minReplicaCount": 1,
            "maxReplicaCount": most,
            "pollingInterval": POLLING_SECONDS,
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": behavior}, **advanced},
            "triggers": triggers,
        },
    }
