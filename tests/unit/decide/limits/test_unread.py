"""A policy on a fleet that runs already: its first look knows nothing of batches."""

from dataclasses import replace

import pytest

from inference_cost.decide.explain.explanation import explain
from inference_cost.model.plan import LimitedBy, Plan
from inference_cost.model.reading import Missing, MissingReason
from tests.unit.decide.worlds import learned, observation, plan_of, policy

READING = Missing(reason=MissingReason.WARMING_UP, detail="the models' configuration is being read")
UNREACHABLE = Missing(reason=MissingReason.SOURCE_UNREACHABLE)


def planned(configurations: Missing, replicas: int = 2, lowest: int = 1) -> Plan:
    """At a load that needs more than two."""
    seen = observation(400.0, replicas, of=policy(lowest=lowest))
    return plan_of(replace(seen, configurations=configurations), learned(needs=5))


def test_nothing_is_added_while_the_configuration_is_being_read() -> None:
    plan = planned(READING)
    assert (plan.desired, plan.limited_by) == (2, LimitedBy.LEARNING)
    told = explain(plan, observation(400.0, 2)).limited
    assert "is being read for the first time, so nothing is added until the next look" in told


@pytest.mark.parametrize("reading", [READING, UNREACHABLE])
def test_the_minimum_is_ordered_at_once(reading: Missing) -> None:
    assert planned(reading, lowest=4).desired >= 4


def test_an_answer_that_does_not_come_is_not_waited_for() -> None:
    assert planned(UNREACHABLE).desired > 2
