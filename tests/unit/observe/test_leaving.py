"""Nodes that are about to go, keyed by a sentence."""

from typing import Any

import pytest

from inference_cost.control.handlers import apply_event
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.observe.kinds import NODE
from inference_cost.observe.nodes import observe_nodes
from tests.unit.observe.world import filled, node

UNPRICED = Missing(reason=MissingReason.PRICE_UNKNOWN)


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
    "Karpenter evicts at once, or has a node for the victims first": (
        tainted("karpenter.sh/disrupted"),
        "",
    ),
    "so does the Cluster Autoscaler": (tainted("ToBeDeletedByClusterAutoscaler"), ""),
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
    "a deletion that waits for a finalizer evicts, too": (deleted(), ""),
    "out of service": (tainted("node.kubernetes.io/out-of-service", "NoExecute"), "out of service"),
}


@pytest.mark.parametrize(("obj", "why"), LEAVING.values(), ids=LEAVING)
def test_leaving(obj: dict[str, Any], why: str) -> None:
    [record] = filled(obj).nodes()
    assert record.leaving == why


SPOT, SAFE = {"karpenter.sh/capacity-type": "spot"}, {"karpenter.sh/capacity-type": "on-demand"}
INTERRUPTED = "aws-node-termination-handler/spot-itn"

# Sentence: (labels, taint) → whether the cloud takes it back, which counts as a loss.
RECLAIMED: dict[str, tuple[dict[str, str], str, bool]] = {
    "spot that is interrupted": (SPOT, INTERRUPTED, True),
    "what no label tells is spot for its risk": ({}, INTERRUPTED, True),
    "on demand cannot be taken back": (SAFE, INTERRUPTED, False),
    "maintenance takes nothing back": (
        {},
        "aws-node-termination-handler/scheduled-maintenance",
        False,
    ),
}


@pytest.mark.parametrize("sentence", RECLAIMED)
def test_reclaimed(sentence: str) -> None:
    labels, taint, expected = RECLAIMED[sentence]
    cache = filled(tainted(taint) | {"metadata": node(labels=labels)["metadata"]})
    [found] = observe_nodes(cache.nodes(), lambda _: ("", UNPRICED), lambda _: 1, {}).values()
    assert found.reclaimed == expected


def test_such_news_wakes_the_loop_and_a_heartbeat_does_not() -> None:
    cache, told = filled(node()), tainted("aws-node-termination-handler/spot-itn")
    assert apply_event(cache, NODE, "MODIFIED", told, on_target=lambda _uid, _count: None)
    told["metadata"]["annotations"] = {"beat": "2"}
    assert not apply_event(cache, NODE, "MODIFIED", told, on_target=lambda _uid, _count: None)
