"""What is offered and expected: overload, gateways, rises, headroom."""

from dataclasses import replace

import pytest

from inference_cost.model.memory import PolicyMemory
from inference_cost.model.policy import (
    Headroom,
    HeadroomMode,
)
from inference_cost.model.reading import Missing, MissingReason, Sample
from tests.unit.decide.worlds import (
    CONFIGURATION,
    NOON,
    gateway,
    learned,
    observation,
    plan_of,
    pod,
    policy,
    signals,
    watched,
    workload,
)

OVERLOADED = signals(
    190.0,
    2,
    pending=Sample(value=20_000.0, at=NOON),
    pending_change=Sample(value=300.0, at=NOON),
)


def test_a_queue_that_is_seen_to_grow_is_demand_and_is_worked_off() -> None:
    plan = plan_of(observation(seen=OVERLOADED))
    assert not isinstance(plan.demand, Missing)
    assert not plan.demand.censored
    assert plan.demand.now == pytest.approx(200.0)
    quiet = plan_of(observation(195.0, 2))
    assert plan.desired >= quiet.desired + 1


def test_overload_grows_the_fleet_by_half_until_a_clean_window() -> None:
    shedding = replace(CONFIGURATION, queue_policy=True)
    plan = plan_of(observation(seen=OVERLOADED, configuration=shedding))
    assert not isinstance(plan.demand, Missing)
    assert plan.demand.censored
    assert plan.demand.forecast == pytest.approx(1.5 * plan.demand.now)


@pytest.mark.parametrize(
    ("pending", "policy_set", "censored"),
    [(True, False, False), (False, False, True), (True, True, True)],
    ids=["the queue is seen not to grow", "no queue gauge", "a queue policy sheds unseen"],
)
def test_high_load_counts_as_overload_where_losses_are_hidden(
    pending: bool, policy_set: bool, censored: bool
) -> None:
    gauge = Sample(value=3.0, at=NOON) if pending else Missing(reason=MissingReason.NOT_EXPORTED)
    plan = plan_of(
        observation(
            seen=signals(195.0, 2, pending=gauge),
            configuration=replace(CONFIGURATION, queue_policy=policy_set),
        )
    )
    assert not isinstance(plan.demand, Missing)
    assert plan.demand.censored is censored


def test_overload_before_anything_is_learned_still_adds_replicas() -> None:
    overloaded = signals(
        190.0,
        2,
        executions=0.0,
        pending=Sample(value=400.0, at=NOON),
        pending_change=Sample(value=300.0, at=NOON),
    )
    assert plan_of(observation(seen=overloaded), PolicyMemory()).desired == 3


def test_requests_answered_5xx_in_front_of_the_fleet_are_demand_too() -> None:
    seen = signals(100.0, 2, gateway=gateway(150.0, errors=50.0))
    plan = plan_of(observation(seen=seen))
    assert not isinstance(plan.demand, Missing)
    assert plan.demand.source == "Gateway"
    assert plan.demand.now == pytest.approx(150.0)
    assert plan.demand.censored


def test_replicas_that_served_a_part_of_the_window_do_not_make_it_look_half_empty() -> None:
    """Four were full; that four more have just become ready does not show in the rates yet."""
    policied = replace(CONFIGURATION, queue_policy=True)
    pods = tuple(pod(f"p{i}", age=3600.0 if i < 4 else 65.0) for i in range(8))
    full = 4 * 98.0
    seen = signals(full, 4)
    shown = observation(
        seen=seen,
        replicas=8,
        running=workload(8, pods),
        of=policy(highest=50),
        configuration=policied,
    )
    plan = plan_of(shown, learned(needs=8))
    assert not isinstance(plan.demand, Missing)
    assert plan.demand.censored
    assert plan.desired >= 8


def test_what_a_gateway_counts_when_answered_is_not_demand_while_a_queue_is_worked_off() -> None:
    seen = signals(
        95.0,
        2,
        gateway=gateway(190.0),
        pending=Sample(value=500.0, at=NOON),
        pending_change=Sample(value=-1500.0, at=NOON),
    )
    plan = plan_of(observation(seen=seen))
    assert not isinstance(plan.demand, Missing)
    assert plan.demand.now == pytest.approx(140.0)


RISING = [87.0 + 3.0 * i for i in range(25)]


def test_a_rising_load_is_followed_ahead_of_time() -> None:
    rising = plan_of(observation(162.0, 2), watched(RISING))
    flat = plan_of(observation(162.0, 2), watched([162.0] * 25))
    assert not isinstance(rising.demand, Missing)
    assert not isinstance(flat.demand, Missing)
    assert rising.demand.forecast > 1.1 * flat.demand.forecast
    assert rising.desired > flat.desired


@pytest.mark.parametrize(
    ("headroom", "desired"),
    [
        (Headroom(mode=HeadroomMode.DISABLED), 2),
        (Headroom(mode=HeadroomMode.FIXED, replicas=1), 3),
        (Headroom(mode=HeadroomMode.FIXED, replicas=3), 5),
    ],
    ids=["none", "one", "three"],
)
def test_headroom_as_the_user_says(headroom: Headroom, desired: int) -> None:
    plan = plan_of(observation(160.0, 2, of=policy(headroom=headroom)), watched([160.0] * 30))
    assert plan.desired == desired
    assert isinstance(plan.headroom, Missing)


def test_a_backlog_is_worked_off_whatever_the_headroom() -> None:
    waiting = signals(150.0, 2, pending=Sample(value=15_000.0, at=NOON))
    of = policy(headroom=Headroom(mode=HeadroomMode.DISABLED))
    plan = plan_of(observation(seen=waiting, of=of), watched([150.0] * 30))
    assert plan.desired >= 3
