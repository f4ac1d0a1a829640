"""Why so much room is kept, in words."""

from dataclasses import replace

import pytest

from inference_cost.decide.explain.room import room, take_over
from inference_cost.model.plan import (
    HeadroomChoice,
    HeadroomRule,
    ReplacedRule,
)
from inference_cost.model.policy import QueueTimeObjective
from inference_cost.model.reading import Missing, MissingReason
from tests.unit.decide.worlds import (
    NOON,
    OBJECTIVE,
    observation,
    plan_of,
    priced_node,
)

RULE = HeadroomRule(
    load_fraction=0.8, deviations=0.0, hold_seconds=600.0, late_fraction=0.006, cost=1.4
)
CHOICE = HeadroomChoice(
    followed=RULE,
    runner_up=replace(RULE, load_fraction=0.6, late_fraction=0.001, cost=1.9),
    less=replace(RULE, load_fraction=0.9, late_fraction=0.008, cost=1.3),
    rules=96,
    allowed_fraction=0.01,
    accepted_fraction=0.007,
    seen_seconds=2 * 86_400.0,
    filled_replicas=10.0,
    late_price_replica_seconds=0.5,
)
ROOMS = {
    "a record of days": (
        CHOICE,
        (
            "Room: replicas at 80 % of what they carry, kept for 10 min; of 96 rules tried on 2 days of this load the "
            "cheapest that is late in at most 0.7 % of the requests (0.6 %). Second best: replicas at "
            "60 % of what they carry, kept for 10 min, $144.00 per day more, 0.1 % late. With replicas at 90 % of "
            "what they carry, kept for 10 min: $28.80 per day less, but 0.8 % late, too near the objective."
        ),
    ),
    "nothing cheaper": (
        replace(CHOICE, less=None),
        (
            "Room: replicas at 80 % of what they carry, kept for 10 min; of 96 rules tried on 2 days of this load the "
            "cheapest that is late in at most 0.7 % of the requests (0.6 %). Second best: replicas at "
            "60 % of what they carry, kept for 10 min, $144.00 per day more, 0.1 % late."
        ),
    ),
    "less was late before": (
        replace(
            CHOICE,
            followed=replace(RULE, late_fraction=0.013),
            accepted_fraction=0.014,
            seen_seconds=30 * 86_400.0,
            less=None,
        ),
        (
            "Room: replicas at 80 % of what they carry, kept for 10 min; of 96 rules tried on the last 8 days of this "
            "load the cheapest that is late in at most 1.4 % of the requests (1.3 %), more than 1 % because less was "
            "late before. Second best: replicas at 60 % of what they carry, kept for 10 min, $144.00 per day more, "
            "0.1 % late."
        ),
    ),
    "within the objective, and later than the record may show": (
        replace(CHOICE, followed=replace(RULE, late_fraction=0.009), less=None),
        (
            "Room: replicas at 80 % of what they carry, kept for 10 min; of 96 rules tried on 2 days of this load the "
            "cheapest, late requests at the highest price worth paying (0.9 % late). Second best: replicas at 60 % of "
            "what they carry, kept for 10 min, $144.00 per day more, 0.1 % late."
        ),
    ),
    "no rule keeps the objective": (
        replace(CHOICE, followed=replace(RULE, late_fraction=0.03), less=None),
        (
            "Room: replicas at 80 % of what they carry, kept for 10 min. None of 96 rules tried on this load keeps "
            "the objective at a price worth paying; this one is late in 3 % of the requests. Second best: replicas "
            "at 60 % of what they carry, kept for 10 min, $144.00 per day more, 0.1 % late."
        ),
    ),
}


@pytest.mark.parametrize("case", ROOMS)
def test_room(case: str) -> None:
    choice, text = ROOMS[case]
    seen = observation(150.0, 2)
    plan = plan_of(seen, nodes={"node-1": priced_node()})
    assert room(replace(plan, headroom=choice), seen.policy.objective) == text


def test_of_a_mean_it_is_the_time_that_may_be_above_it() -> None:
    plan = replace(plan_of(observation(150.0, 2)), headroom=CHOICE)
    assert "0.7 % of the time" in room(plan, QueueTimeObjective(mean_seconds=0.05))


AVERAGE = ReplacedRule(
    rule=replace(RULE, load_fraction=0.45, hold_seconds=300.0, cost=2.0),
    saved=0.5,
    average=True,
    at=NOON,
)
TAKEN_OVER = {
    "from what suits an average service": (
        replace(CHOICE, replaced=AVERAGE),
        (
            "A target of 80 % of what replicas carry, kept for 10 min, would have cost $144.00 per day less than "
            "replicas at 45 % of what they carry, kept for 5 min (what suits an average service) at the same SLO over "
            "2 days of this load; following it."
        ),
    ),
    "from what was told before": (
        replace(
            CHOICE, replaced=replace(AVERAGE, average=False, rule=replace(RULE, deviations=2.0))
        ),
        (
            "A target of 80 % of what replicas carry, kept for 10 min, would have cost $144.00 per day less than "
            "2 times the forecast's usual miss, kept for 10 min (followed before) at the same SLO over 2 days of this "
            "load; following it."
        ),
    ),
    "told already": (replace(CHOICE, replaced=replace(AVERAGE, at=NOON - 15.0)), ""),
    "nothing": (CHOICE, ""),
    "not chosen": (Missing(reason=MissingReason.NOT_LEARNED), ""),
}


@pytest.mark.parametrize("case", TAKEN_OVER)
def test_take_over(case: str) -> None:
    choice, text = TAKEN_OVER[case]
    plan = plan_of(observation(150.0, 2), nodes={"node-1": priced_node()})
    assert take_over(replace(plan, headroom=choice)) == text


def test_what_a_rule_replaced_is_told_as_long_as_it_is_dearer() -> None:
    plan = plan_of(observation(150.0, 2), nodes={"node-1": priced_node()})
    choice = replace(CHOICE, replaced=replace(AVERAGE, at=NOON - 86_400.0))
    assert (
        "(0.6 %). This would have cost $144.00 per day less than replicas at 45 % of what they carry, kept for 5 min "
        "(what suits an average service) at the same SLO; following it. Second best:"
    ) in room(replace(plan, headroom=choice), OBJECTIVE)


def test_a_take_over_without_a_price_is_told_in_replicas() -> None:
    plan = replace(plan_of(observation(150.0, 2)), headroom=replace(CHOICE, replaced=AVERAGE))
    assert "would have needed 25 % fewer replicas than" in take_over(plan)


def test_the_second_best_that_is_also_the_one_with_less_room_is_told_once() -> None:
    assert CHOICE.less is not None
    plan = plan_of(observation(150.0, 2), nodes={"node-1": priced_node()})
    told_once = room(replace(plan, headroom=replace(CHOICE, runner_up=CHOICE.less)), OBJECTIVE)
    assert told_once.endswith(
        "Second best: replicas at 90 % of what they carry, kept for 10 min, $28.80 per day less, 0.8 % late, too near "
        "the objective."
    )


def test_room_without_a_price_is_told_in_replicas() -> None:
    plan = replace(plan_of(observation(150.0, 2)), headroom=CHOICE)
    assert "35.7 % more replicas" in room(plan, OBJECTIVE)
    assert "7.1 % fewer replicas" in room(plan, OBJECTIVE)
