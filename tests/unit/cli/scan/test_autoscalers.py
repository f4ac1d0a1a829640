"""Today's autoscaler and its rule, in words."""

from typing import Any

import pytest

from inference_cost.cli.scan.autoscalers import HPA, KEDA, Autoscaler, by_target
from inference_cost.cli.scan.workloads import WorkloadKey
from tests.unit.cli.scan.clusters import CPU, hpa, scaled_object

RESNET = WorkloadKey(namespace="vision", kind="Deployment", name="resnet")


def of(*objects: dict[str, Any]) -> Autoscaler:
    hpas = [one for one in objects if one["kind"] == HPA]
    return by_target(hpas, [one for one in objects if one["kind"] == KEDA])[RESNET]


def pods_metric(name: str, value: str) -> dict[str, Any]:
    target = {"type": "AverageValue", "averageValue": value}
    return {"type": "Pods", "pods": {"metric": {"name": name}, "target": target}}


def external(name: str, **target: Any) -> dict[str, Any]:
    return {"type": "External", "external": {"metric": {"name": name}, "target": target}}


CONTAINER = {
    "type": "ContainerResource",
    "containerResource": {
        "name": "memory",
        "container": "triton",
        "target": {"type": "AverageValue", "averageValue": "8Gi"},
    },
}
RULES: dict[str, tuple[list[dict[str, Any]], str]] = {
    "CPU": ([CPU], "cpu at 80 % of requests"),
    "memory of one container": ([CONTAINER], "memory of container triton at 8Gi per pod"),
    "queue time of the pods": ([pods_metric("avg_time_queue_us", "50")], "avg_time_queue_us at 50 per pod"),
    "an external value": ([external("queue", type="Value", value="30")], "queue at 30"),
    "two": ([CPU, external("q", averageValue="5")], "cpu at 80 % of requests; q at 5 per replica"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", RULES)
def test_rule_of_an_hpa(sentence: str) -> None:
    metrics, rule = RULES[sentence]
    found = of(hpa("vision", "resnet", *metrics))
    assert (found.kind, found.name, found.rule) == (HPA, "resnet-hpa", rule)


def test_an_hpa_without_a_minimum_has_that_of_the_api() -> None:
    found = of(hpa("vision", "resnet", lowest=None, most=7))
    assert (found.min_replicas, found.max_replicas) == (1, 7)


def test_rule_of_keda() -> None:
    found = of(scaled_object("vision", "resnet"))
    assert found.rule == "prometheus sum(rate(x[1m])) at 20 per replica"
    assert (found.name, found.min_replicas, found.max_replicas) == ("resnet-keda", 2, 12)
    assert not found.paused


def test_keda_defaults_and_a_pause() -> None:
    bare = scaled_object("vision", "resnet")
    bare["metadata"]["annotations"] = {"autoscaling.keda.sh/paused": "true"}
    for field in ("minReplicaCount", "maxReplicaCount"):
        del bare["spec"][field]
    found = of(bare)
    assert (found.min_replicas, found.max_replicas, found.paused) == (0, 100, True)


def test_the_hpa_that_keda_made_is_keda_s() -> None:
    made = hpa("vision", "resnet", external("s0-prometheus", averageValue="20"))
    made["metadata"]["ownerReferences"] = [
        {"kind": KEDA, "name": "resnet-keda", "controller": True}
    ]
    alone = of(made)
    assert (alone.kind, alone.name, alone.traps) == (KEDA, "resnet-keda", ())
    assert "sum(rate" in of(made, scaled_object("vision", "resnet")).rule


def fallback() -> dict[str, Any]:
    found = scaled_object("vision", "resnet", ignoreNullValues="false")
    found["spec"]["fallback"] = {"failureThreshold": 3, "replicas": 6}
    return found


TRAPS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "CPU alone": (hpa("vision", "resnet", CPU), ["CPU and memory say little"]),
    "CPU beside another": (hpa("vision", "resnet", CPU, pods_metric("queue", "1")), []),
    "GPU utilization": (
        hpa("vision", "resnet", pods_metric("DCGM_FI_DEV_GPU_UTIL", "80")),
        ["share of time in which any kernel ran"],
    ),
    "KEDA as it comes": (
        scaled_object("vision", "resnet"),
        ["vanishes is read as no load", "nothing is done while Prometheus does not answer"],
    ),
    "KEDA with a fallback and without null values": (fallback(), []),
}


@pytest.mark.parametrize("sentence", TRAPS)
def test_what_is_easily_overlooked(sentence: str) -> None:
    obj, expected = TRAPS[sentence]
    traps = of(obj).traps
    assert len(traps) == len(expected)
    assert all(part in trap for part, trap in zip(expected, traps, strict=True))
