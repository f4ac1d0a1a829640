"""Replicas on nodes that are about to go are replaced while they still serve."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from inference_cost.decide.engine import decide
from inference_cost.decide.explain.explanation import explain
from inference_cost.decide.leaving import LONGEST_SECONDS
from inference_cost.model.memory import PolicyMemory
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import LimitedBy, Plan
from inference_cost.model.policy import GpuSignal, Headroom, HeadroomMode, Policy
from inference_cost.model.reading import Missing, MissingReason, Sample
from inference_cost.model.signals import Signals
from inference_cost.model.workload import Pod
from tests.unit.decide.worlds import (
    NOON,
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
NO_GPU = Missing(reason=MissingReason.NOT_EXPORTED)
NODES = {
    "stays": priced_node("stays"),
    "goes": replace(priced_node("goes"), leaving="spot interruption"),
    "dead": replace(priced_node("dead"), ready=False),
}


def on(name: str, node: str, **more: object) -> Pod:
    return pod(name, node=node, **more)


def world(*pods: Pod, rate: float = 150.0, of: Policy = PLAIN) -> PolicyObservation:
    ready = [one for one in pods if one.ready]
    return observation(
        of=of,
        running=workload(len([one for one in pods if not one.terminating]), pods),
        seen=replace(
            signals(rate, len(ready)),
            pods=tuple(
                replace(told, pod=one.name)
                for told, one in zip(signals(rate, len(ready)).pods, ready, strict=True)
            ),
        ),
    )


def planned(seen: PolicyObservation, needs: int = 2, **more: Any) -> Plan:
    shot = snapshot(seen, nodes=NODES)
    return decide(shot, memory_of(learned(needs=needs, **more))).plans[seen.policy.key]


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
        world(on("a", "stays"), on("b", "stays"), on("c", "goes", ready=False, age=20.0)),
        3,
    ),
    "one that was made since is not: it would order one more, wherever it lands": (
        world(on("a", "stays"), on("b", "goes"), on("c", "goes", ready=False, age=2.0)),
        3,
    ),
    "a pod whose node does not answer is replaced, however long it has not been ready": (
        world(on("a", "stays"), on("b", "dead", ready=False)),
        3,
    ),
    "and the one in its place is kept until it is evicted": (
        world(on("a", "stays"), on("b", "dead", ready=False), on("c", "stays")),
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


def test_a_mark_that_nothing_follows_is_not_believed_for_ever() -> None:
    seen = world(on("a", "stays"), on("b", "goes"), on("c", "stays"))
    soon, late = (
        planned(seen, leaving_nodes=(("goes", NOON - seconds),))
        for seconds in (LONGEST_SECONDS, LONGEST_SECONDS + 1)
    )
    assert (soon.desired, late.desired) == (3, 2)


def looks(
    seen: Callable[[int], PolicyObservation], count: int, memory: PolicyMemory
) -> Iterator[int]:
    """What is asked for at each look, the Deployment having followed the one before."""
    current, held = 2, memory_of(memory)
    for tick in range(count):
        at = NOON + 15.0 * tick
        decided = decide(replace(snapshot(seen(current), nodes=NODES), at=at), held)
        held, current = decided.memory, decided.plans[PLAIN.key].desired
        yield current


@pytest.mark.parametrize(("gpu", "desired"), [(0.6, 3), (0.62, 3), (None, 2)])
@pytest.mark.parametrize("node", ["goes", "stays"])
def test_what_is_lost_is_ordered_once_where_gpu_utilization_is_followed(
    gpu: float | None, desired: int, node: str
) -> None:
    """And nothing is while it is missing."""
    of = replace(PLAIN, gpu_signal=GpuSignal(target_fraction=0.6))

    def seen(current: int) -> PolicyObservation:
        fresh = [on(f"n{i}", node, ready=False, age=1.0) for i in range(current - 2)]
        told = world(on("a", "stays"), on("b", "goes"), *fresh, of=of)
        assert isinstance(told.signals, Signals)
        pods = tuple(
            replace(one, gpu_utilization=NO_GPU if gpu is None else Sample(value=gpu, at=NOON))
            for one in told.signals.pods
        )
        return replace(told, signals=replace(told.signals, pods=pods))

    assert list(looks(seen, 6, learned(needs=2))) == [desired] * 6


def test_replacements_that_land_on_the_leaving_node_do_not_feed_themselves() -> None:
    def seen(current: int) -> PolicyObservation:
        fresh = [on(f"n{i}", "goes", ready=False, age=1.0) for i in range(current - 2)]
        return world(on("a", "stays"), on("b", "goes"), *fresh)

    assert list(looks(seen, 6, learned(needs=2))) == [3] * 6
