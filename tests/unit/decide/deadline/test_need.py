"""A deadline as the objective, from signals to plan, and what is said of it."""

from dataclasses import replace
from typing import Any

import pytest

from inference_cost.decide.engine import decide
from inference_cost.decide.explain.explanation import Explanation, explain
from inference_cost.decide.replica.profile import capability
from inference_cost.model.memory import PolicyMemory
from inference_cost.model.observation import DecisionSettings, PolicyObservation
from inference_cost.model.plan import LimitedBy, Plan
from inference_cost.model.policy import DrainObjective, Headroom, HeadroomMode, Policy, Routing
from inference_cost.model.reading import Missing, MissingReason, Sample
from inference_cost.model.workload import Pod
from tests.unit.decide.worlds import (
    CONFIGURATION,
    ESTIMATE,
    NOON,
    gateway,
    key,
    learned,
    memory_of,
    observation,
    plan_of,
    pod,
    policy,
    signals,
    snapshot,
    workload,
)

SETTINGS = DecisionSettings(start_up_seconds_prior=180.0)


def within(seconds: float, **more: Any) -> Policy:
    return policy(objective=DrainObjective(within_seconds=seconds), highest=50, **more)


def waiting(
    held: float = 0.0,
    free: float | None = None,
    *,
    rate: float = 50.0,
    replicas: int = 1,
    queue_seconds: float = 0.05,
    of: Policy | None = None,
) -> PolicyObservation:
    """`held`: in Triton's queues; `free`: at the gateway, None without one."""
    seen = signals(
        rate,
        replicas,
        pending=Sample(value=held / replicas, at=NOON),
        queue_seconds=queue_seconds * 60.0 * rate / replicas,
    )
    if free is not None:
        front = replace(gateway(rate), waiting=Sample(value=free, at=NOON))
        seen = replace(seen, gateway=front)
    return observation(seen=seen, replicas=replicas, of=of or within(600.0))


def came(rate: float, since: float = 900.0) -> PolicyMemory:
    """Memory of a load as even as this, seen each 15 s; nothing waited."""
    times = [NOON - 15.0 * i for i in range(int(since / 15.0), 0, -1)]
    return learned(needs=1, arrivals=tuple((at, 15.0 * rate, 0.0) for at in times))


def planned(seen: PolicyObservation, memory: PolicyMemory | None = None) -> Plan:
    return plan_of(seen, memory or came(50.0), settings=SETTINGS)


def told(seen: PolicyObservation, memory: PolicyMemory | None = None) -> Explanation:
    return explain(planned(seen, memory), seen)


NEEDS = {
    "a load that one carries with full batches": (waiting(rate=95.0), came(95.0), 1),
    "which a latency objective would not allow": (waiting(rate=95.0, replicas=2), came(95.0), 1),
    "a load that may wait at first": (waiting(rate=105.0), came(105.0), 1),
    "what the gateway holds back in a minute's work": (waiting(free=6_000.0), came(0.0), 1),
    "what it holds back is worth more replicas": (waiting(free=140_000.0), came(0.0), 4),
    "more of it more": (waiting(free=280_000.0), came(0.0), 8),
    "what the pod holds is not helped by others": (waiting(held=140_000.0, rate=0.0), came(0.0), 1),
    "a long deadline": (waiting(free=140_000.0, of=within(7200.0)), came(0.0), 1),
    "a deadline shorter than a start": (waiting(rate=95.0, of=within(60.0)), came(350.0), 4),
}


@pytest.mark.parametrize(("seen", "memory", "replicas"), NEEDS.values(), ids=NEEDS.keys())
def test_how_many_are_needed(seen: PolicyObservation, memory: PolicyMemory, replicas: int) -> None:
    plan = planned(seen, memory)
    assert max(plan.variants[0].needed, 1) == replicas


def test_what_came_once_is_not_expected_again() -> None:
    at_once = (*came(0.0).arrivals[:-1], (NOON - 15.0, 90_000.0, 0.0))
    plan = planned(waiting(rate=0.0), learned(needs=1, arrivals=at_once))
    assert not isinstance(plan.demand, Missing)
    assert plan.demand.forecast == 0.0


def test_a_fixed_headroom_comes_on_top() -> None:
    fixed = Headroom(mode=HeadroomMode.FIXED, replicas=2)
    assert (
        planned(waiting(free=140_000.0, of=within(600.0, headroom=fixed)), came(0.0)).desired == 6
    )


def test_a_replica_outside_the_model_that_was_never_seen_full_is_not_multiplied_at_once() -> None:
    seen = waiting(free=140_000.0, replicas=2)
    decoupled = replace(seen, configurations=(replace(CONFIGURATION, decoupled=True),))
    light = replace(came(0.0), estimates=(replace(ESTIMATE, largest_load_seen=1.0),))
    assert planned(decoupled, light).desired == 3


YOUNG = tuple(pod(f"s{i}", ready=False, age=60.0) for i in range(3))
STARTING = {
    "on their way, and sooner than an order of now": (YOUNG, 4),
    "ordered and not there yet": ((), 5),
    "crashing": (tuple(replace(one, waiting_reason="CrashLoopBackOff") for one in YOUNG), 5),
    "starting for too long": (tuple(replace(one, created_at=NOON - 400.0) for one in YOUNG), 5),
    "terminating": (tuple(replace(one, terminating=True) for one in YOUNG), 5),
}


@pytest.mark.parametrize(("others", "replicas"), STARTING.values(), ids=STARTING.keys())
def test_replicas_that_start_are_not_ordered_again(others: tuple[Pod, ...], replicas: int) -> None:
    """One is ready. With three that serve in 135 s four would do, with three that serve in 195 s they would not."""
    running = replace(waiting(free=155_000.0), workloads=(workload(4, (pod("p0"), *others)),))
    assert planned(running, came(0.0)).variants[0].needed == replicas


def test_nothing_is_removed_while_something_waits_or_was_needed_lately() -> None:
    idle = waiting(rate=10.0, replicas=3)
    assert planned(idle, came(10.0)).desired == 1
    lately = replace(came(10.0), wanted=((NOON - 100.0, 3),))
    kept = planned(idle, lately)
    assert (kept.desired, kept.limited_by) == (3, LimitedBy.STABILIZATION)
    assert (
        planned(idle, replace(came(10.0), wanted=((NOON - 400.0, 3), (NOON - 190.0, 1)))).desired
        == 1
    )
    queued = waiting(held=6000.0, rate=10.0, replicas=3)  # 20 s of each
    assert planned(queued, came(10.0)).desired == 3
    soon = waiting(held=3000.0, rate=10.0, replicas=3)
    assert planned(soon, came(10.0)).desired == 1


def test_the_memory_keeps_what_came_and_forgets_what_is_older_than_the_deadline() -> None:
    seen = waiting(free=500.0)
    after = decide(snapshot(seen, settings=SETTINGS), memory_of(came(50.0, since=9000.0))).memory
    kept = after.policies[key()].arrivals
    assert kept[-1] == (NOON, pytest.approx(15.0 * 50.0 + 500.0), 500.0)
    assert kept[0][0] > NOON - 700.0
    assert len(kept) <= 121


def test_a_replica_is_worth_its_full_batches_and_no_load_balancer_adds_to_that() -> None:
    can = capability(
        ESTIMATE,
        CONFIGURATION,
        DrainObjective(within_seconds=600.0),
        outside="",
        concurrency=1.0,
        inferences_per_request=1.0,
        routing=Routing.LEAST_REQUEST,
    )
    assert not isinstance(can.profile, Missing)
    assert can.profile.load_per_replica == pytest.approx(100.0, rel=0.05)
    assert (can.unbalanced, can.gains) == ("", (1.0,))


def test_only_a_load_balancer_that_is_named_is_taken_to_even_out_the_queues() -> None:
    def needed(routing: Routing) -> int:
        seen = waiting(held=60_000.0, rate=220.0, replicas=2, of=within(600.0, routing=routing))
        pods = signals(220.0, 2, pending=Sample(value=6000.0, at=NOON)).pods
        longer = signals(220.0, 2, pending=Sample(value=53_000.0, at=NOON)).pods
        uneven = replace(signals(220.0, 2), pods=(longer[0], pods[1]))
        return planned(replace(seen, signals=uneven), came(220.0)).variants[0].needed

    assert (needed(Routing.EQUAL), needed(Routing.LEAST_REQUEST)) == (3, 2)


@pytest.mark.parametrize(
    ("queue_seconds", "free", "share"),
    [(500.0, None, 1.0), (700.0, None, 0.0), (400.0, 5000.0, 1.0), (400.0, 15_000.0, 0.0)],
)
def test_the_objective_is_measured_by_how_long_requests_waited(
    queue_seconds: float, free: float | None, share: float
) -> None:
    """At 50 requests/s, 15,000 at the gateway are another 300 s."""
    plan = planned(waiting(free=free, queue_seconds=queue_seconds))
    assert not isinstance(plan.attainment, Missing)
    assert plan.attainment.fraction == pytest.approx(share)
    assert plan.attainment.measured_at == "Server"


def test_requests_that_waited_too_long_keep_the_replicas() -> None:
    late = waiting(rate=10.0, replicas=3, queue_seconds=700.0)
    plan = planned(late, came(10.0))
    assert (plan.desired, plan.limited_by) == (3, LimitedBy.STABILIZATION)
    assert "100 % of the newest requests were too late" in explain(plan, late).limited


def test_the_arithmetic_is_shown() -> None:
    explanation = told(waiting(free=140_000.0), came(0.0))
    assert (
        explanation.limited
        == "140,000 waiting, 4 replicas finish in 8.3 min, within the 10 min asked."
    )
    assert explanation.why_not_fewer == (
        "With 3 replicas the longest wait would be 10.4 min, above the 10 min of the objective."
    )
    assert "with full batches" in explanation.expected
    assert "waited at most 10 min, the objective is all of them" in explanation.seen


def test_a_deadline_shorter_than_a_start_is_said_to_need_replicas_that_run() -> None:
    explanation = told(waiting(rate=95.0, of=within(60.0)), came(350.0))
    assert "shorter than the 3 min until a replica ordered now serves" in explanation.findings
    assert "within" not in explanation.limited


def test_what_is_late_whatever_is_ordered_is_said() -> None:
    explanation = told(waiting(held=70_000.0))
    assert "longer than the 10 min asked, whatever is ordered now" in explanation.limited
    assert "later than the 10 min asked" in explanation.limited


def test_without_a_profile_a_queue_that_grows_still_adds() -> None:
    seen = waiting(held=500.0, replicas=2)
    growing = replace(
        seen,
        configurations=Missing(reason=MissingReason.SOURCE_UNREACHABLE),
        signals=signals(
            50.0,
            2,
            pending=Sample(value=250.0, at=NOON),
            pending_change=Sample(value=200.0, at=NOON),
            executions=0.0,
            compute_seconds=0.0,
        ),
    )
    assert planned(growing, PolicyMemory()).desired == 3
