"""Other writers of the same replicas are found and named."""

from typing import Any

import pytest

from inference_cost.model.policy import Policy
from inference_cost.model.workload import ConflictKind
from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.conflicts import claims, find_conflict
from inference_cost.observe.policies import parse_record
from tests.unit.observe.world import NOW, autoscaler, filled, owner, policy, rfc3339

DEPLOYMENT = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "resnet"}
ELSEWHERE = {**DEPLOYMENT, "name": "bert"}


def policies(cache: ClusterCache) -> list[Policy]:
    parsed = [parse_record(r) for r in cache.policies()]
    assert all(isinstance(p, Policy) for p in parsed)
    return [p for p in parsed if isinstance(p, Policy)]


def conflict_of(*objects: dict[str, Any], name: str = "resnet") -> tuple[str, str] | None:
    cache = filled(*objects)
    everyone = policies(cache)
    [mine] = [p for p in everyone if p.key.name == name]
    found = find_conflict(cache, mine, claims(everyone))
    return (found.kind.value, found.other) if found else None


def test_two_versions_of_one_group_are_one_target() -> None:
    beta = {"scaleTargetRef": {**DEPLOYMENT, "apiVersion": "apps/v1beta1"}}
    older = policy("older", spec=beta, creationTimestamp=rfc3339(NOW - 9000))
    found = conflict_of(older, policy("resnet"))
    assert found == (ConflictKind.POLICY.value, "InferenceCostPolicy/older")


AUTOSCALER = ConflictKind.AUTOSCALER.value
KEDA_MADE: dict[str, Any] = {
    "name": "keda-hpa-resnet",
    "ownerReferences": owner("ScaledObject", "resnet", "keda.sh/v1alpha1"),
}
TABLE: dict[str, tuple[list[dict[str, Any]], tuple[str, str] | None]] = {
    "nobody else": ([], None),
    "an autoscaler of the target": (
        [autoscaler("HorizontalPodAutoscaler", "hpa", target=DEPLOYMENT)],
        (AUTOSCALER, "HorizontalPodAutoscaler/hpa"),
    ),
    "an autoscaler of another target": (
        [autoscaler("HorizontalPodAutoscaler", "hpa", target=ELSEWHERE)],
        None,
    ),
    "an autoscaler in another namespace": (
        [autoscaler("HorizontalPodAutoscaler", "hpa", target=DEPLOYMENT, namespace="shop")],
        None,
    ),
    "an autoscaler of an equal name in another group": (
        [
            autoscaler(
                "HorizontalPodAutoscaler", "hpa", target={**DEPLOYMENT, "apiVersion": "x.io/v1"}
            )
        ],
        None,
    ),
    "a ScaledObject that names the target alone": (
        [autoscaler("ScaledObject", "so", target={"name": "resnet"})],
        (AUTOSCALER, "ScaledObject/so"),
    ),
    "a ScaledObject and the autoscaler it made": (
        [
            autoscaler("HorizontalPodAutoscaler", target=DEPLOYMENT, **KEDA_MADE),
            autoscaler("ScaledObject", "so", target={"name": "resnet"}),
        ],
        (AUTOSCALER, "ScaledObject/so"),
    ),
    "a paused ScaledObject": (
        [
            autoscaler(
                "ScaledObject",
                "so",
                target={"name": "resnet"},
                annotations={"autoscaling.keda.sh/paused": "true"},
            )
        ],
        None,
    ),
    "an older policy on the same target": (
        [
            policy(
                "first", spec={"scaleTargetRef": DEPLOYMENT}, creationTimestamp=rfc3339(NOW - 9e3)
            )
        ],
        (ConflictKind.POLICY.value, "InferenceCostPolicy/first"),
    ),
    "a younger policy on the same target": (
        [policy("later", spec={"scaleTargetRef": DEPLOYMENT}, creationTimestamp=rfc3339(NOW - 9))],
        None,
    ),
    "an equally old policy whose uid comes first": (
        [policy("equal", spec={"scaleTargetRef": DEPLOYMENT}, uid="a")],
        (ConflictKind.POLICY.value, "InferenceCostPolicy/equal"),
    ),
}


@pytest.mark.parametrize(("others", "expected"), TABLE.values(), ids=TABLE)
def test_conflict(others: list[dict[str, Any]], expected: tuple[str, str] | None) -> None:
    assert conflict_of(policy(), *others) == expected


def test_the_message_says_how_to_hand_over() -> None:
    cache = filled(policy(), autoscaler("HorizontalPodAutoscaler", "hpa", target=DEPLOYMENT))
    everyone = policies(cache)
    found = find_conflict(cache, everyone[0], claims(everyone))
    assert found is not None
    assert "kubectl -n vision delete horizontalpodautoscaler hpa" in found.message
