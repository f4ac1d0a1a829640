"""Service times belong to a template, a GPU product and a version of the model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from inference_cost.decide.engine import decide
from inference_cost.decide.explain.explanation import explain
from inference_cost.decide.replica.service_time import solve
from inference_cost.model.memory import PolicyMemory, ServiceTimeEstimate
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.plan import LimitedBy, Plan, ProfileSource
from inference_cost.model.policy import Routing
from inference_cost.model.profile_key import SEVERAL, UNKNOWN, ProfileKey
from inference_cost.model.reading import Missing
from inference_cost.model.signals import BatchStatistic
from inference_cost.model.workload import Workload
from tests.unit.decide.worlds import (
    CONFIGURATION,
    ESTIMATE,
    NOON,
    key,
    learned,
    memory_of,
    observation,
    pod,
    pod_signals,
    policy,
    priced_node,
    signals,
    snapshot,
    workload,
)

L4, T4 = "NVIDIA-L4", "Tesla-T4"
ON_L4 = replace(ESTIMATE, gpu_product=L4, model_version="1")
# Twice as slow: 50 requests/s at most.
ON_T4 = replace(
    ON_L4, gpu_product=T4, vector=tuple(2 * one for one in ESTIMATE.vector), updated_at=NOON - 15.0
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """One pod on a node of its own; product "" is a node without the label, None no node."""

    product: str | None = L4
    version: str | Missing = "1"
    template: str = "v1"
    seconds: float = 1.0  # of its batches, relative


def world(rate: float, replicas: Sequence[Replica], **more: Any) -> Snapshot:
    pods, seen, nodes = [], [], {}
    for i, one in enumerate(replicas):
        pods.append(pod(f"p{i}", node=f"n{i}", template_hash=one.template))
        each = pod_signals(f"p{i}", rate, version=one.version)
        slower = replace(
            each.models[0], compute_seconds=one.seconds * each.models[0].compute_seconds
        )
        seen.append(replace(each, models=(slower,)))
        if one.product is not None:
            nodes[f"n{i}"] = replace(priced_node(f"n{i}"), gpu_product=one.product)
    fields = {"of": policy(highest=50), "running": workload(len(pods), tuple(pods))}
    given = observation(
        seen=replace(signals(0.0, 0), pods=tuple(seen)), replicas=len(pods), **(fields | more)
    )
    return snapshot(given, nodes=nodes)


def decided(shot: Snapshot, memory: PolicyMemory) -> tuple[Plan, PolicyMemory]:
    decisions = decide(shot, memory_of(memory))
    return decisions.plans[key()], decisions.memory.policies[key()]


def knowing(*estimates: ServiceTimeEstimate) -> PolicyMemory:
    return learned(needs=1, estimates=estimates)


def told(shot: Snapshot, plan: Plan) -> str:
    seen: PolicyObservation = shot.observations[0]
    return explain(plan, seen).findings


KEYS = {
    "product and version as observed": (Replica(), L4, "1"),
    "a node without the label": (Replica(product=""), UNKNOWN, "1"),
    "a node that is not known": (Replica(product=None), UNKNOWN, "1"),
    "a store without the version": (Replica(version=UNKNOWN), L4, UNKNOWN),
}


@pytest.mark.parametrize(("replica", "product", "version"), KEYS.values(), ids=KEYS)
def test_what_is_learned_is_kept_by(
    replica: Replica, product: str | Missing, version: str | Missing
) -> None:
    plan, memory = decided(world(60.0, [replica] * 2), knowing())
    expected = ProfileKey(template_hash="v1", gpu_product=product, model_version=version)
    assert {one.key for one in memory.estimates} == {expected}
    assert isinstance(plan.profile, Missing) or plan.profile.key == expected


CHANGES = {
    "another GPU product": Replica(product=T4),
    "another version of the model": Replica(version="2"),
    "a product that is not known any more": Replica(product=""),
    "a version that is not known any more": Replica(version=UNKNOWN),
}


@pytest.mark.parametrize("replica", CHANGES.values(), ids=CHANGES)
def test_a_new_kind_starts_from_the_old_and_removes_nothing_before_it_is_known(
    replica: Replica,
) -> None:
    before, _ = decided(world(10.0, [Replica()] * 6), knowing(ON_L4))
    plan, memory = decided(world(10.0, [replica] * 6), knowing(ON_L4))
    assert before.desired < 6
    assert (plan.desired, plan.limited_by) == (6, LimitedBy.LEARNING)
    assert not isinstance(plan.profile, Missing)
    assert plan.profile.alpha_seconds == pytest.approx(0.04, rel=0.5)
    assert memory.estimates[0].key == plan.profile.key
    assert memory.estimates[1] == ON_L4


def test_a_kind_that_comes_back_is_known() -> None:
    plan, memory = decided(
        world(10.0, [Replica(product=T4, seconds=2.0)] * 6), knowing(ON_L4, ON_T4)
    )
    assert plan.desired < 6
    assert not isinstance(plan.profile, Missing)
    assert plan.profile.gpu_product == T4
    assert {one.key for one in memory.estimates} == {ON_L4.key, ON_T4.key}


def test_a_new_kind_starts_from_its_product_rather_than_from_its_template() -> None:
    old = replace(ON_T4, template_hash="v0")
    plan, _ = decided(world(20.0, [Replica(product=T4, seconds=2.0)] * 2), knowing(ON_L4, old))
    assert not isinstance(plan.profile, Missing)
    assert plan.profile.alpha_seconds == pytest.approx(0.08, rel=0.2)


MIXED = [Replica(), Replica(), Replica(product=T4, seconds=2.0)]


def test_a_mixed_fleet_is_sized_as_its_slowest_kind_and_says_so() -> None:
    shot = world(40.0, MIXED)
    fast, _ = decided(world(40.0, [Replica()] * 3), knowing(ON_L4))
    slow, _ = decided(world(40.0, [Replica(product=T4, seconds=2.0)] * 3), knowing(ON_T4))
    plan, _ = decided(shot, knowing(ON_L4, ON_T4))
    profiles = [one.profile for one in (fast, slow, plan)]
    loads = [one.load_per_replica for one in profiles if not isinstance(one, Missing)]
    assert loads[2] == pytest.approx(loads[1], rel=0.03)
    assert loads[2] < 0.6 * loads[0]
    assert fast.desired < plan.desired
    assert "(Tesla-T4; NVIDIA-L4)" in told(shot, plan)
    assert "kinds" not in told(world(40.0, [Replica()] * 3), fast)


def test_each_kind_of_a_mixed_fleet_is_timed_by_its_own_pods() -> None:
    memory = knowing(ON_L4, ON_T4)
    for tick in range(8):
        shot = world(40.0, MIXED)
        at = NOON + 60.0 * tick
        seen = shot.observations[0]
        assert not isinstance(seen.signals, Missing)
        seen = replace(seen, signals=replace(seen.signals, sampled_at=at))
        _, memory = decided(replace(shot, at=at, observations=(seen,)), memory)
    times = {one.gpu_product: solve(one) for one in memory.estimates}
    fast, slow = times[L4], times[T4]
    assert fast is not None
    assert slow is not None
    assert slow.seconds(3) > 1.7 * fast.seconds(3)


def test_a_kind_that_was_never_timed_sizes_nothing_and_lets_nothing_go() -> None:
    starting = replace(world(10.0, MIXED * 2), at=NOON)
    seen = starting.observations[0]
    young = [
        replace(one, ready_at=NOON - 70.0) if i % 3 == 2 else one
        for i, one in enumerate(workload_pods(seen))
    ]
    seen = replace(seen, workloads=(workload(6, tuple(young)),))
    plan, _ = decided(replace(starting, observations=(seen,)), knowing(ON_L4))
    alone, _ = decided(world(10.0, [Replica()] * 6), knowing(ON_L4))
    assert (plan.desired, plan.limited_by) == (6, LimitedBy.LEARNING)
    assert not isinstance(plan.profile, Missing)
    assert not isinstance(alone.profile, Missing)
    assert plan.profile.load_per_replica == pytest.approx(alone.profile.load_per_replica, rel=0.02)


def workload_pods(seen: PolicyObservation) -> Sequence[Any]:
    [running] = seen.workloads
    assert isinstance(running, Workload)
    return running.pods


def test_a_pod_whose_node_is_gone_makes_no_fleet_mixed() -> None:
    shot = world(40.0, [Replica(), Replica(), Replica(product=None)])
    plan, memory = decided(shot, knowing(ON_L4))
    assert "kinds" not in told(shot, plan)
    assert [one.key for one in memory.estimates] == [ON_L4.key]


def test_an_idle_fleet_is_of_the_kind_that_served_last() -> None:
    plan, _ = decided(world(0.0, [Replica(version=SEVERAL)] * 4), knowing(ON_L4))
    assert not isinstance(plan.profile, Missing)
    assert plan.profile.key == ON_L4.key
    assert plan.limited_by is not LimitedBy.LEARNING


def test_a_balancer_is_not_counted_on_between_unlike_replicas() -> None:
    of = policy(highest=50, routing=Routing.LEAST_REQUEST)
    shot = world(40.0, MIXED, of=of)
    plan, _ = decided(shot, knowing(ON_L4, ON_T4))
    assert "the replicas are not alike" in told(shot, plan)


TIMED = replace(
    CONFIGURATION,
    gpu_product=L4,
    version="1",
    batch_statistics=tuple(
        BatchStatistic(batch_size=b, executions=500, mean_seconds=0.04 + 0.005 * b)
        for b in (1, 2, 4, 8)
    ),
)


@pytest.mark.parametrize(
    ("why", "replica", "counts"),
    [
        ("its own", Replica(), True),
        ("another product's", Replica(product=T4), False),
        ("another version's", Replica(version="2"), False),
        ("of a product that is not known", Replica(product=""), True),
    ],
)
def test_timings_of_triton_count_for_the_kind_they_were_read_of(
    why: str, replica: Replica, *, counts: bool
) -> None:
    plan, _ = decided(world(60.0, [replica] * 2, configuration=TIMED), knowing())
    timed = not isinstance(plan.profile, Missing) and (
        plan.profile.source is ProfileSource.BATCH_STATISTICS
    )
    assert timed is counts, why
