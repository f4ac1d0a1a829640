"""Ready pods that are slower than their siblings: who is told, what is learned, and what they count for."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_cost.decide.case import case_of
from inference_cost.decide.engine import decide
from inference_cost.decide.explain.explanation import explain
from inference_cost.decide.replica.service_time import solve
from inference_cost.decide.replica.slow_pods import FORGOTTEN_SECONDS, lasting, missing
from inference_cost.model.memory import PolicyMemory, SlowPod
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import Plan, Profile
from inference_cost.model.policy import QueueTimeObjective, Routing
from inference_cost.model.signals import Signals
from inference_cost.model.workload import Node
from tests.unit.decide.worlds import (
    NOON,
    learned,
    memory_of,
    observation,
    plan_of,
    pod,
    pod_signals,
    policy,
    priced_node,
    signals,
    snapshot,
    window,
    workload,
)

RATE = 40.0  # of each pod; mean batches of 2.4
LASTING = SlowPod(uid="uid-p2", name="p2", times=2.5, since=NOON - 600.0, seen_at=NOON - 15.0)


def timed(times: float, rate: float = RATE) -> dict[str, float]:
    """Counters of a pod whose batches take so many times as long."""
    usual = window(rate)
    return {"compute_seconds": usual.compute_seconds * times}


def seen_of(times: list[float], rates: list[float] | None = None, at: float = NOON) -> Signals:
    each = rates or [RATE] * len(times)
    pods = tuple(
        pod_signals(f"p{i}", rate, **timed(one, rate))
        for i, (one, rate) in enumerate(zip(times, each, strict=True))
    )
    return replace(signals(sum(each), len(times), sampled_at=at), pods=pods)


def slow(
    seen: Signals,
    memory: PolicyMemory | None = None,
    nodes: dict[str, Node] | None = None,
    at: float = NOON,
    **running: Any,
) -> dict[str, float]:
    pods = len(seen.pods)
    known = learned(needs=1) if memory is None else memory
    watched = observation(seen=seen, replicas=pods, running=workload(pods, **running))
    shot = replace(snapshot(nodes=nodes or {}), at=at)
    return {pod.name: pod.times for pod in case_of(watched, known, shot).memory.slow_pods}


@pytest.mark.parametrize(
    ("times", "rates", "want"),
    [
        pytest.param([1.0, 1.0, 1.0], None, {}, id="alike"),
        pytest.param([1.0, 1.0, 2.3], None, {"p2": 2.3}, id="one of three"),
        pytest.param([1.0, 1.0, 1.3], None, {}, id="a little slower"),
        pytest.param([1.0, 2.3], None, {}, id="of two nobody knows which"),
        pytest.param([1.0, 1.0, 2.3, 2.3], None, {}, id="of two and two neither"),
        pytest.param([1.0] * 4 + [2.0, 5.0], None, {"p4": 2.0, "p5": 5.0}, id="two of six"),
        pytest.param([1.0, 1.0, 40.0], None, {"p2": 40.0}, id="it hardly serves"),
        pytest.param([1.0, 1.0, 1.0], [20.0, 20.0, 120.0], {}, id="fuller batches take longer"),
        pytest.param([1.0, 1.0, 1.0], [120.0, 120.0, 4.0], {}, id="or emptier ones less"),
        pytest.param([1.0, 1.0, 2.3], [RATE, RATE, 0.05], {}, id="three batches say nothing"),
    ],
)
def test_which_pods_are_slow(
    times: list[float], rates: list[float] | None, want: dict[str, float]
) -> None:
    assert slow(seen_of(times, rates)) == pytest.approx(want, rel=0.01)


def test_without_a_line_fuller_batches_are_excused_by_a_guessed_one() -> None:
    nothing = PolicyMemory()
    assert slow(seen_of([1.0, 1.0, 1.0], [20.0, 20.0, 120.0]), nothing) == {}
    assert slow(seen_of([1.0, 1.0, 3.0]), nothing) == pytest.approx({"p2": 3.0})


OTHER_GPU = replace(priced_node("node-2"), gpu_product="T4")


@pytest.mark.parametrize(
    ("more", "found"),
    [
        pytest.param({"node": "node-1"}, True, id="of the same kind"),
        pytest.param({"node": "node-2"}, False, id="another GPU product"),
        pytest.param({"template_hash": "v0"}, False, id="another template"),
        pytest.param({"age": 80.0}, False, id="a pod that has just started"),
    ],
)
def test_only_siblings_are_compared(more: dict[str, Any], found: bool) -> None:
    pods = (pod("p0"), pod("p1"), pod("p2"), pod("p3", **more))
    nodes = {"node-1": priced_node(), "node-2": OTHER_GPU}
    assert bool(slow(seen_of([1.0, 1.0, 1.0, 2.5]), nodes=nodes, pods=pods)) is found


@pytest.mark.parametrize(
    ("times", "since", "want"),
    [
        pytest.param([1.0, 1.0, 2.6], 15.0, {"p2": 2.5}, id="a little more is the same"),
        pytest.param([1.0, 1.0, 4.0], 15.0, {"p2": 4.0}, id="much more is not"),
        pytest.param([1.0, 1.0, 1.4], 15.0, {"p2": 1.4}, id="somewhat slow still"),
        pytest.param([1.0, 1.0, 1.1], 15.0, {}, id="as fast as the others"),
        pytest.param([1.0, 2.5], 15.0, {"p2": 2.5}, id="no siblings to compare with"),
        pytest.param([1.0, 2.5], FORGOTTEN_SECONDS + 1, {}, id="for half an hour"),
    ],
)
def test_what_was_known_is_kept_until_it_is_seen_otherwise(
    times: list[float], since: float, want: dict[str, float]
) -> None:
    known = learned(needs=1, slow_pods=(replace(LASTING, seen_at=NOON - since),))
    seen = seen_of(times)
    if len(times) == 2:
        renamed = (seen.pods[0], replace(seen.pods[1], pod="p2"))
        seen = replace(seen, pods=renamed)
        pods = (pod("p0"), pod("p2"))
        assert slow(seen, known, pods=pods) == pytest.approx(want)
        return
    assert slow(seen, known) == pytest.approx(want, rel=0.01)


def test_a_pod_that_is_gone_is_forgotten() -> None:
    assert slow(seen_of([1.0, 1.0]), learned(needs=1, slow_pods=(LASTING,))) == {}


def test_it_counts_from_two_windows_on() -> None:
    begun = replace(LASTING, since=NOON)
    assert lasting((begun,), NOON + 119.0, 60.0) == ()
    assert lasting((begun,), NOON + 120.0, 60.0) == (begun,)


@given(st.lists(st.floats(1.3, 1e6), max_size=9))
def test_what_is_missing_is_at_most_the_slow_pods_themselves(times: list[float]) -> None:
    pods = tuple(replace(LASTING, times=one) for one in times)
    assert 0 <= missing(pods) <= len(pods)
    assert sum(1 - 1 / one for one in times) <= missing(pods) + 0.02 <= len(pods) + 0.02


def after(times: list[float], looks: int) -> PolicyMemory:
    memory = learned(needs=1)
    for i in range(looks):
        at = NOON + 15.0 * i
        seen = observation(seen=seen_of(times, at=at), replicas=len(times))
        memory = decide(replace(snapshot(seen), at=at), memory_of(memory)).memory.policies[
            seen.policy.key
        ]
    return memory


def test_nothing_is_learned_from_a_slow_pod() -> None:
    known, spoiled = (
        solve(after(times, 40).estimates[0]) for times in ([1.0] * 4, [1.0] * 3 + [3.0])
    )
    assert known is not None
    assert spoiled is not None
    assert spoiled.seconds(8) == pytest.approx(known.seconds(8), rel=0.02)


def decided(
    of: Any = None, known: tuple[SlowPod, ...] = (LASTING,)
) -> tuple[Plan, PolicyObservation]:
    times = [1.0, 1.0, 2.5 if known else 1.0]
    seen = observation(seen=seen_of(times), replicas=3, of=of or policy())
    return plan_of(seen, learned(needs=1, slow_pods=known)), seen


def test_it_is_named_with_what_follows() -> None:
    plan, seen = decided()
    assert (
        "Pod p2 takes 2.5 times as long per batch as its siblings. Nothing is learned from it, and it counts for the "
        "share that it serves, and each replica is given 33 % less so that it keeps up; if it stays so, delete it."
    ) in explain(plan, seen).findings
    two = (LASTING, replace(LASTING, uid="uid-p1", name="p1", times=1.6))
    assert "2.5 times as long per batch as its siblings; 1 other clearly longer, too." in (
        explain(plan_of(named(5), learned(needs=1, slow_pods=two)), named(5)).findings
    )


def named(pods: int) -> PolicyObservation:
    return observation(seen=seen_of([1.0, 1.6, 2.5] + [1.0] * (pods - 3)), replicas=pods)


@pytest.mark.parametrize(
    ("of", "less"),
    [
        pytest.param(policy(), 1.5, id="where it gets as many requests as any other"),
        pytest.param(policy(routing=Routing.LEAST_REQUEST), 1.0, id="a balancer gives it less"),
        pytest.param(
            policy(objective=QueueTimeObjective(mean_seconds=0.05)), 1.0, id="a mean of all"
        ),
    ],
)
def test_how_much_less_the_others_are_given(of: Any, less: float) -> None:
    (with_it, _), (without, _) = decided(of), decided(of, known=())
    assert isinstance(with_it.profile, Profile)
    assert isinstance(without.profile, Profile)
    ratio = without.profile.load_per_replica / with_it.profile.load_per_replica
    assert ratio == pytest.approx(less, rel=0.03)
    assert sum(v.needed for v in with_it.variants) >= sum(v.needed for v in without.variants)


def test_a_replica_more_is_kept_in_its_place() -> None:
    of = policy(routing=Routing.LEAST_REQUEST)
    (with_it, _), (without, _) = decided(of), decided(of, known=())
    assert (without.desired, with_it.desired) == (2, 3)
