"""Which rule is followed, by what is known of all of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_cost.decide.headroom import choice
from inference_cost.decide.headroom.learned import (
    AGE,
    BUDGET,
    DEMAND,
    LATEST,
    LESS,
    LESS_COST,
    LESS_LATE,
    MAY,
    MEAN,
    PRICE,
    RULE,
    RULE_COST,
    RULE_LATE,
    SECOND,
    SECOND_COST,
    SINCE,
    Learned,
)
from inference_cost.decide.headroom.rules import PRIOR_COST, PRIOR_LATE, RULES, Rule
from tests.unit.decide.headroom.cases import look, nothing_learned, serving

ALLOWED = 0.01
RECORD = 20 * 86_400 * 100.0  # requests: the average of many services hardly counts beside it
MAY_BE = choice.ALLOWED_RIPE * ALLOWED
TIGHT = RULES.index(Rule(0, 0.95, 2))
ROOMY = RULES.index(Rule(0, 0.5, 10))


def with_record(late: float, cheaper: int = TIGHT, safe: int = ROOMY) -> Learned:
    """Days in which one rule was half as dear as all others, and one dearer but never late."""
    learned = nothing_learned()
    learned.numbers[MEAN] = learned.numbers[LATEST] = 100.0
    learned.numbers[DEMAND] = RECORD
    learned.numbers[AGE] = choice.RIPE_SECONDS
    learned.cost[:] = 2 * RECORD / 10
    learned.late[:] = 0.05 * RECORD
    learned.cost[cheaper], learned.late[cheaper] = RECORD / 10, late * RECORD
    learned.cost[safe], learned.late[safe] = 1.2 * RECORD / 10, 0.0
    return learned


def chosen(learned: Learned, late: float = 0.0) -> int:
    return choice.choose(learned, look(100.0), serving(), ALLOWED, late)


def test_nothing_learned_the_average_of_many_services_decides() -> None:
    learned = nothing_learned()
    rule = chosen(learned)
    assert PRIOR_LATE[rule] <= choice.ALLOWED_AVERAGE * ALLOWED
    assert PRIOR_COST[rule] <= 1.2 * PRIOR_COST[PRIOR_LATE <= ALLOWED].min()


def test_the_cheapest_rule_that_keeps_the_objective() -> None:
    assert chosen(with_record(late=0.001)) == TIGHT


def test_not_the_cheapest_rule_where_it_was_late_too_often() -> None:
    assert chosen(with_record(late=0.03)) == ROOMY


def test_where_no_rule_keeps_it_the_price_is_capped() -> None:
    learned = with_record(late=0.03)
    learned.late[:] = 0.05 * RECORD
    learned.cost[:] *= 5
    learned.cost[TIGHT] = RECORD / 10
    rule = chosen(learned)
    assert rule == TIGHT  # nothing is to be had for more
    assert learned.numbers[PRICE] * ALLOWED <= choice.WORTH_AT_MOST


def test_a_late_request_is_worth_more_where_fewer_may_be_late() -> None:
    cost, late = np.array([1.0, 1.9]), np.array([0.01, 0.0])
    rule, price = choice.cheapest(cost, late, 0.0005, 0.001)
    assert (rule, price) == (1, pytest.approx(90, rel=0.06))
    assert choice.cheapest(cost, late, 0.005, 0.01)[0] == 0


@pytest.mark.parametrize(
    ("budget", "late", "rule"),
    [
        (0.0, 0.012, ROOMY),
        (MAY_BE, 0.012, TIGHT),
        (0.0, 0.006, TIGHT),
        (-0.05, 0.006, ROOMY),
        (-0.05, 0.002, TIGHT),
    ],
    ids=[
        "what is allowed",
        "more where less was late",
        "what is allowed, kept",
        "less where more was late",
        "but not much less, however much was",
    ],
)
def test_what_was_late_before_changes_what_may_be_now(
    budget: float, late: float, rule: int
) -> None:
    learned = with_record(late=late)
    learned.numbers[BUDGET], learned.numbers[MAY] = budget * RECORD, MAY_BE * RECORD
    assert chosen(learned) == rule


def test_a_young_record_may_show_less_lateness_than_a_ripe_one() -> None:
    ripe, young = with_record(late=0.006), with_record(late=0.006)
    young.numbers[AGE] = 86_400.0
    assert (chosen(ripe), chosen(young)) == (TIGHT, ROOMY)


def test_what_is_second_and_what_less_room_would_do_is_told() -> None:
    learned = with_record(late=0.03)
    assert chosen(learned) == ROOMY
    numbers = learned.numbers
    assert int(numbers[LESS]) == TIGHT
    assert int(numbers[SECOND]) == TIGHT
    assert numbers[LESS_COST] == numbers[SECOND_COST] < numbers[RULE_COST]
    assert numbers[RULE_LATE] < MAY_BE < numbers[LESS_LATE]


def test_a_choice_stands_for_a_start_up() -> None:
    learned = with_record(late=0.001)
    assert chosen(learned) == TIGHT
    learned.late[TIGHT] = 0.05 * RECORD
    looks = 0
    while chosen(learned) == TIGHT:
        looks += 1
    assert looks == pytest.approx(choice.CHOICE_STARTS * 180 / 15, abs=1)
    assert learned.numbers[SINCE] == 0


def test_the_budget_counts_what_may_be_late_and_what_was() -> None:
    learned = with_record(late=0.001)
    chosen(learned, late=3.0)
    assert learned.numbers[MAY] == pytest.approx(MAY_BE * 100 * 15)
    assert learned.numbers[BUDGET] == pytest.approx(MAY_BE * 100 * 15 - 3.0)


@given(st.integers(0, 2**32 - 1))
def test_the_price_is_the_lowest_that_keeps_the_objective(seed: int) -> None:
    draw = np.random.default_rng(seed)
    learned = with_record(late=0.01)
    learned.late[:] = draw.exponential(0.02, len(RULES)) * RECORD
    learned.cost[:] = (1 + draw.random(len(RULES))) * RECORD / 10
    rule, price = chosen(learned), learned.numbers[PRICE]
    prior = choice.PRIOR_SECONDS * 100.0
    late = learned.late + prior * PRIOR_LATE
    cost = learned.cost * 10 + prior * PRIOR_COST
    share = late / (RECORD + prior)
    assert learned.numbers[RULE] == rule == (cost + price * late).argmin()
    if price > choice.LOWEST_PRICE:
        assert share[(cost + price / choice.PRICE_STEP * late).argmin()] > MAY_BE
