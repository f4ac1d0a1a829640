"""Replicas on nodes that are about to go are replaced while they still serve."""

from dataclasses import replace

import pytest

from inference_cost.decide.engine import decide
from inference_cost.decide.explain.explanation import explain
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import LimitedBy, Plan
from inference_cost.model.policy import Headroom, HeadroomMode
from inference_cost.model.workload import Pod
from tests.unit.decide.worlds import (
    learned,
    memory_of,
    observation,
    pod,
    policy,
    priced_node,
    signals,
    snapshot,
    workload,
)

PLAIN = policy(headroom=Headroom(mode=HeadroomMode.DISABLED))
NODES = {
    "stays": priced_node("stays"),
    "goes": replace(priced_node("goes"), leaving="spot interruption"),
}


def on(name: str, node: str, **more: object) -> Pod:
    return pod(name, node=node, **more)


def world(*pods: Pod, rate: float = 150.0, of: object = PLAIN) -> PolicyObservation:
    ready = [one for one in pods if one.ready]
    return observation(
        of=of,  # type: ignore[arg-type]
        running=workload(len([one for one in pods if not one.terminating]), pods),
        seen=replace(
            signals(rate, len(ready)),
            pods=tuple(
                replace(told, pod=one.name)
                for told, one in zip(signals(rate, len(ready)).pods, ready, strict=True)
            ),
        ),
    )


def planned(seen: PolicyObservation, needs: int = 2) -> Plan:
    shot = snapshot(seen, nodes=NODES)
    return decide(shot, memory_of(learned(needs=needs))).plans[seen.policy.key]


DECIDED = {
    "two are needed and both stay": (world(on("a", "stays"), on("b", "stays")), 2),
    "two are needed and one is about to go: a third is ordered": (
        world(on("a", "stays"), on("b", "goes")),
        3,
    ),
    "both are about to go: two are ordered": (world(on("a", "goes"), on("b", "goes")), 4),
    "one too many, which is about to go: none is ordered": (
        world(on("a", "stays"), on("b", "stays"), on("c", "goes")),
        3,
    ),
    "once it is evicted, it is no longer counted": (
        world(on("a", "stays"), on("b", "stays"), on("c", "goes", terminating=True)),
        2,
    ),
    "one that starts there is replaced, too": (
        world(on("a", "stays"), on("b", "stays"), on("c", "goes", ready=False, age=5.0)),
        3,
    ),
    "a node that is not known stays": (world(on("a", "stays"), on("b", "elsewhere")), 2),
    "the maximum is kept": (
        world(
            on("a", "stays"),
            on("b", "goes"),
            of=policy(highest=2, headroom=Headroom(mode=HeadroomMode.DISABLED)),
        ),
        2,
    ),
}


@pytest.mark.parametrize(("seen", "desired"), DECIDED.values(), ids=DECIDED)
def test_decides(seen: PolicyObservation, desired: int) -> None:
    assert planned(seen).desired == desired


def test_it_says_which_node_and_why() -> None:
    seen = world(on("a", "goes"), on("b", "goes"))
    told = explain(planned(seen), seen).findings
    assert "2 pods run on nodes that are about to go (node goes: spot interruption)" in told


def test_the_surplus_goes_once_the_node_is_gone() -> None:
    """After the eviction the Deployment has made the pod anew: one more than needed."""
    seen = world(on("a", "stays"), on("b", "stays"), on("c", "stays"))
    plan = planned(seen)
    assert (plan.desired, plan.limited_by) == (2, LimitedBy.NOTHING)
