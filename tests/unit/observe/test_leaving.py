"""Nodes that are about to go, keyed by a sentence."""

from typing import Any

import pytest

from inference_cost.control.wake_rules import worth_waking
from inference_cost.observe.kinds import NODE
from tests.unit.observe.world import filled, node


def tainted(key: str, effect: str = "NoSchedule") -> dict[str, Any]:
    return node() | {
        "spec": {
            "taints": [
                {"key": "nvidia.com/gpu", "effect": "NoSchedule"},
                {"key": key, "effect": effect},
            ]
        }
    }


def conditioned(kind: str, status: str = "True") -> dict[str, Any]:
    found = node()
    found["status"]["conditions"].append({"type": kind, "status": status})
    return found


def deleted() -> dict[str, Any]:
    found = node()
    found["metadata"]["deletionTimestamp"] = "2026-11-27T12:00:00Z"
    return found


LEAVING = {
    "an ordinary node stays": (node(), ""),
    "a taint of its own is no news": (tainted("nvidia.com/gpu"), ""),
    "Karpenter disrupts it": (tainted("karpenter.sh/disrupted"), "Karpenter replaces it"),
    "the Cluster Autoscaler deletes it": (
        tainted("ToBeDeletedByClusterAutoscaler"),
        "the Cluster Autoscaler deletes it",
    ),
    "a mere candidate of the Cluster Autoscaler stays": (
        tainted("DeletionCandidateOfClusterAutoscaler", "PreferNoSchedule"),
        "",
    ),
    "a spot interruption on EKS": (
        tainted("aws-node-termination-handler/spot-itn"),
        "spot interruption",
    ),
    "a rebalance recommendation": (
        tainted("aws-node-termination-handler/rebalance-recommendation"),
        "spot rebalance recommendation",
    ),
    "an impending termination on GKE": (
        tainted("cloud.google.com/impending-node-termination"),
        "impending termination",
    ),
    "a preemption that AKS announces": (conditioned("PreemptScheduled"), "preemption scheduled"),
    "one that is over": (conditioned("PreemptScheduled", "False"), ""),
    "an event that may be a freeze of seconds": (conditioned("VMEventScheduled"), ""),
    "a terminating machine of OpenShift": (conditioned("Terminating"), "the machine terminates"),
    "a cordon may last for days": (
        node()
        | {
            "spec": {
                "unschedulable": True,
                "taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}],
            }
        },
        "",
    ),
    "a deletion that waits for a finalizer": (deleted(), "it is being deleted"),
}


@pytest.mark.parametrize(("obj", "why"), LEAVING.values(), ids=LEAVING)
def test_leaving(obj: dict[str, Any], why: str) -> None:
    [record] = filled(obj).nodes()
    assert record.leaving == why


def test_such_news_wakes_the_loop() -> None:
    cache = filled(node())
    assert cache.apply(NODE.kind, "MODIFIED", tainted("karpenter.sh/disrupted"))
    assert worth_waking(NODE.kind, "MODIFIED", before=None, after=None)
