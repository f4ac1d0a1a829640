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
    policy,
    signals,
)


def test_overload_grows_the_fleet_by_half_until_a_clean_window() -> None:
    overloaded = signals(
        190.0,
        2,
        pending=Sample(value=400.0, at=NOON),
        pending_change=Sample(value=300.0, at=NOON),
    )
    plan = plan_of(observation(seen=overloaded))
    assert not isinstance(plan.demand, Missing)
    assert plan.demand.censored
    assert plan.demand.now == pytest.approx(200.0)
    assert plan.demand.forecast == pytest.approx(300.0)


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


def test_a_rising_load_is_followed_ahead_of_time() -> None:
    rising = tuple((NOON - 15.0 * i, 150.0 - 2.0 * i) for i in range(24, 0, -1))
    flat = tuple((NOON - 15.0 * i, 150.0) for i in range(24, 0, -1))
    assert plan_of(observation(150.0, 2), learned(needs=1, demand=rising)).desired == 3
    assert plan_of(observation(150.0, 2), learned(needs=1, demand=flat)).desired == 2


def test_a_rise_that_has_stopped_is_not_carried_on() -> None:
    stopped = tuple((NOON - 15.0 * i, min(150.0, 190.0 - 2.5 * i)) for i in range(24, 0, -1))
    plan = plan_of(observation(150.0, 2), learned(needs=1, demand=stopped))
    assert not isinstance(plan.demand, Missing)
    assert plan.demand.forecast < 160.0


def test_no_headroom_when_disabled() -> None:
    rising = tuple((NOON - 15.0 * i, 150.0 - 2.0 * i) for i in range(24, 0, -1))
    of = policy(headroom=Headroom(mode=HeadroomMode.DISABLED))
    assert plan_of(observation(150.0, 2, of=of), learned(needs=1, demand=rising)).desired == 2
