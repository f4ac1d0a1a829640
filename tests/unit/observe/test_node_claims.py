"""What becomes of Karpenter's machines, keyed by a sentence."""

from collections.abc import Mapping
from typing import Any

import pytest

from inference_cost.control.handlers import apply_event
from inference_cost.observe.kinds import NODE_CLAIM
from inference_cost.observe.node_claims import KINDS_KEPT, interrupted
from tests.unit.observe.world import NOW, filled, metadata, node, rfc3339

SPOT = {"karpenter.sh/capacity-type": "spot", "karpenter.sh/nodepool": "spot"}
ON_DEMAND = {"karpenter.sh/capacity-type": "on-demand", "karpenter.sh/nodepool": "on-demand"}
CREATED = NOW - 3600  # world.metadata


def claim(
    *,
    name: str = "spot-x7",
    deleted_at: float | None = NOW,
    labels: Mapping[str, str] = SPOT,
    disruption: str = "",
    expire_after: str = "720h",
    launched: bool = True,
    on: str = "gpu-1",
    **meta: Any,
) -> dict[str, Any]:
    gone = {} if deleted_at is None else {"deletionTimestamp": rfc3339(deleted_at)}
    reason = [{"type": "DisruptionReason", "status": "True", "reason": disruption}]
    return {
        "kind": "NodeClaim",
        "metadata": metadata(name, namespace="", labels=dict(labels), **gone, **meta),
        "spec": {"expireAfter": expire_after},
        "status": {
            "nodeName": on if launched else "",
            "providerID": f"aws:///{on}" if launched else "",
            "conditions": [
                {"type": "Launched", "status": "True" if launched else "Unknown"},
                *(reason if disruption else []),
            ],
        },
    }


def cordoned() -> dict[str, Any]:
    return node() | {"spec": {"unschedulable": True}}


# Sentence: (the NodeClaim, its Node) → taken back.
DEPARTURES: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "one that stays": (claim(deleted_at=None), node(), False),
    "on spot, deleted without a reason": (claim(), node(), True),
    "consolidated because it was empty": (claim(disruption="Empty"), node(), False),
    "consolidated for a cheaper one": (claim(disruption="Underutilized"), node(), False),
    "drifted": (claim(disruption="Drifted"), node(), False),
    "marked to be consolidated, not deleted yet": (
        claim(disruption="Empty", deleted_at=None),
        node(),
        False,
    ),
    "expired": (claim(deleted_at=CREATED + 3600, expire_after="1h0m0s"), node(), False),
    "long before it expires": (claim(deleted_at=CREATED + 3500, expire_after="1h"), node(), True),
    "never expires": (claim(expire_after="Never"), node(), True),
    "drained by a person, and then deleted": (claim(), cordoned(), False),
    "on demand: the cloud does not take it back": (claim(labels=ON_DEMAND), node(), False),
    "it never got a machine": (claim(launched=False), node(), False),
}


@pytest.mark.parametrize(("obj", "under", "taken"), DEPARTURES.values(), ids=DEPARTURES)
def test_departures(obj: dict[str, Any], under: dict[str, Any], *, taken: bool) -> None:
    cache = filled(under, obj)
    assert bool(interrupted(cache.node_claims(), cache.nodes())) == taken


NEWS = {
    "an interruption": (claim(deleted_at=None), "MODIFIED", claim(), True),
    "the same told again": (claim(), "MODIFIED", claim(on="gpu-2"), False),
    "that it is gone at last": (claim(), "DELETED", claim(), False),
    "that it is gone when nothing was heard of it before": (
        claim(deleted_at=None),
        "DELETED",
        claim(),
        True,
    ),
    "a launch": (claim(deleted_at=None, launched=False), "MODIFIED", claim(deleted_at=None), False),
}


@pytest.mark.parametrize(("before", "event", "after", "wakes"), NEWS.values(), ids=NEWS)
def test_news_that_wake_the_loop(
    before: dict[str, Any], event: str, after: dict[str, Any], *, wakes: bool
) -> None:
    cache = filled(before)
    woken = apply_event(cache, NODE_CLAIM, event, after, on_target=lambda _uid, _count: None)
    assert woken == wakes


def refused(labels: Mapping[str, str] = SPOT, **more: Any) -> dict[str, Any]:
    return claim(labels=labels, launched=False, **more)


def asking(*values: str) -> dict[str, Any]:
    """As before a launch: what is asked for is in the requirements."""
    found = refused(labels={"karpenter.sh/nodepool": "any"})
    found["spec"]["requirements"] = [
        {"key": "karpenter.sh/capacity-type", "operator": "In", "values": list(values)}
    ]
    return found


WANTED = {"karpenter.sh/nodepool": "spot"}
# Sentence: (labels that the pods need, NodeClaims in the order in which they are seen) → when refused.
REFUSALS: dict[str, tuple[dict[str, str], list[dict[str, Any]], float | None]] = {
    "nothing was asked for": (WANTED, [], None),
    "a machine of the same pool": (WANTED, [refused()], NOW),
    "of another one": (WANTED, [refused(labels=ON_DEMAND)], None),
    "no pool in particular is needed": ({}, [refused()], None),
    "one that came first does not count": (
        WANTED,
        [claim(name="a", deleted_at=None), refused()],
        NOW,
    ),
    "one that came since does": (
        WANTED,
        [refused(), claim(name="a", deleted_at=None, creationTimestamp=rfc3339(NOW + 5))],
        None,
    ),
    "by the capacity type that it asked for": (
        {"karpenter.sh/capacity-type": "spot"},
        [asking("spot")],
        NOW,
    ),
    "it would have taken either": (
        {"karpenter.sh/capacity-type": "spot"},
        [asking("spot", "on-demand")],
        None,
    ),
}


@pytest.mark.parametrize(("wanted", "claims", "at"), REFUSALS.values(), ids=REFUSALS)
def test_refusals(wanted: dict[str, str], claims: list[dict[str, Any]], at: float | None) -> None:
    cache = filled(*claims)
    for obj in claims:
        if not obj["status"]["providerID"]:
            cache.apply("NodeClaim", "DELETED", obj)
    assert cache.machines.refused_at(wanted) == at


def test_one_that_is_known_only_by_its_end_counts_too() -> None:
    cache = filled()
    cache.apply("NodeClaim", "DELETED", refused())
    assert cache.machines.refused_at(WANTED) == NOW


def test_what_a_list_shows_counts_as_well() -> None:
    cache = filled()
    cache.replace("NodeClaim", [refused()], listed_at=NOW)
    assert cache.machines.refused_at(WANTED) == NOW


def test_only_the_newest_kinds_of_machine_are_kept() -> None:
    cache = filled()
    for i in range(KINDS_KEPT + 1):
        cache.apply("NodeClaim", "DELETED", refused(labels={"karpenter.sh/nodepool": f"pool-{i}"}))
    assert cache.machines.refused_at({"karpenter.sh/nodepool": "pool-0"}) is None
    assert cache.machines.refused_at({"karpenter.sh/nodepool": f"pool-{KINDS_KEPT}"}) == NOW
