"""Fleets that start, serve and stop in a model."""

from math import pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_cost.decide.headroom import regression, shadow
from inference_cost.decide.headroom.learned import DEMAND, LATEST, Learned
from inference_cost.decide.headroom.rules import RULES, Rule
from tests.unit.decide.headroom.cases import (
    MIDNIGHT,
    START_UP,
    TICK,
    look,
    nothing_learned,
    serving,
)

AT_ONE_HALF = RULES.index(Rule(0, 0.5, 2))  # twice the replicas, held for two thirds of a start-up
FULL = RULES.index(Rule(0, 1.0, 2))
FULL_AND_LONG = RULES.index(Rule(0, 1.0, 30))


def play(learned: Learned, rates: list[float], ready: int = 10, **changes: float) -> list[float]:
    """Requests late in the own fleet, by look. `changes`: of what serves."""
    late = []
    for i, rate in enumerate(rates):
        seen = look(rate, at=MIDNIGHT + i * TICK)
        expected = regression.learn(learned, seen)
        bases = shadow.remember_bases(learned, expected, seen)
        late.append(shadow.advance(learned, bases, seen, serving(ready=ready, **changes)))
    return late


def test_rules_differ_by_their_room() -> None:
    learned = nothing_learned()
    play(learned, [100.0] * 40)
    assert learned.live[AT_ONE_HALF] == 20
    assert learned.live[FULL] == 10


def test_a_start_serves_only_after_the_start_up_time() -> None:
    learned = nothing_learned()
    play(learned, [100.0] * 60)
    before = learned.fewest[FULL].min()
    looks = 0
    while learned.fewest[FULL].min() == before:
        play(learned, [200.0])
        looks += 1
    assert learned.live[FULL] >= 20
    assert START_UP <= looks * TICK <= START_UP * 1.3


def test_a_start_that_is_shorter_than_a_look_is_over_at_the_next() -> None:
    learned = nothing_learned()
    for rate in [100.0] * 20 + [200.0] * 2:
        seen = look(rate, start_up=10.0, lead=70.0)
        expected = regression.learn(learned, seen)
        bases = shadow.remember_bases(learned, expected, seen)
        shadow.advance(learned, bases, seen, serving())
    assert learned.fewest[FULL].min() >= 20


def test_replicas_are_kept_for_the_holding_time() -> None:
    learned = nothing_learned()
    play(learned, [200.0] * 80)
    kept = {FULL: 0, FULL_AND_LONG: 0}
    for _ in range(200):
        play(learned, [100.0])
        for rule in kept:
            kept[rule] += TICK if learned.live[rule] >= 20 else 0
    # Two and thirty buckets of a minute; the last bucket may have just begun.
    assert 60 <= kept[FULL] <= 200
    assert 1740 <= kept[FULL_AND_LONG] <= 1900


def test_enough_replicas_are_hardly_late_and_half_of_them_mostly() -> None:
    enough, half = nothing_learned(), nothing_learned()
    late = sum(play(enough, [100.0] * 100, ready=15)), sum(play(half, [100.0] * 100, ready=5))
    came = 100.0 * TICK * 100
    assert late[0] < 0.01 * came
    assert late[1] > 0.9 * came


def test_the_own_fleet_is_late_as_often_as_a_rule_with_as_many_replicas() -> None:
    learned = nothing_learned()
    own = play(learned, [115.0] * 70, ready=12)
    assert learned.live[FULL] == 12
    assert sum(own[40:]) > 0
    before = learned.late[FULL]
    (last,) = play(learned, [115.0], ready=12)
    assert learned.late[FULL] - before == pytest.approx(last, rel=0.01)


def test_a_fleet_is_paid_from_the_order_on() -> None:
    learned = nothing_learned()
    play(learned, [100.0] * 70)
    before = learned.cost[FULL]
    play(learned, [100.0, 100.0])
    assert learned.cost[FULL] - before == pytest.approx(2 * 10 * TICK, rel=0.01)


def test_a_queue_from_before_says_nothing_about_the_rules() -> None:
    learned = nothing_learned()
    play(learned, [100.0] * 80, ready=5)  # overloaded from the start
    assert learned.numbers[DEMAND] == 0
    assert not learned.late.any()
    learned.backlog[-1] = 0.0
    play(learned, [100.0] * 4, ready=20)
    assert learned.numbers[DEMAND] == pytest.approx(4 * TICK * 100.0, rel=0.01)


def test_a_queue_that_is_never_worked_off_counts_in_the_end() -> None:
    learned = nothing_learned()
    play(learned, [100.0] * 400, ready=5)
    assert learned.numbers[DEMAND] > 0


def test_a_backlog_is_worked_off_by_more_replicas() -> None:
    drained = shadow.draining(look(100.0), serving(), 1800.0)
    assert drained == 10  # 110 requests/s at 95 % of 12
    assert shadow.draining(look(100.0), serving(), 0.0) == 0


@given(
    st.floats(0, 1e5),
    st.lists(st.floats(0, 0.2), min_size=1, max_size=16),
)
def test_replicas_are_the_fewest_that_carry_the_demand(demand: float, steps: list[float]) -> None:
    gains = 1.0 + np.cumsum([0.0, *steps[1:]])

    def carried(count: int) -> float:
        return count * 10.0 * float(gains[min(max(count, 1), len(gains)) - 1])

    found = shadow.replicas_for(demand, serving(gains=gains))
    slack = shadow.NEGLIGIBLE * 10.0 * float(gains[-1])
    assert carried(found) >= demand - slack - 1e-6
    assert found == 0 or carried(found - 1) < demand


@pytest.mark.parametrize("over", [-9.0, -2.0, 0.0, 0.7, 3.0, 9.0])
def test_the_excess_of_a_normal_variable(over: float) -> None:
    grid = np.linspace(-12, 12, 240_001)
    density = np.exp(-grid * grid / 2) / sqrt(2 * pi)
    mean = float(np.trapezoid(np.maximum(grid - over, 0.0) * density, grid))
    assert shadow._excess(over) == pytest.approx(mean, abs=1e-6)


@pytest.mark.parametrize(
    ("before", "after", "share"),
    [(0.0, 0.5, 0.0), (0.5, 1.5, 0.5), (1.5, 0.5, 0.5), (2.0, 3.0, 1.0), (0.0, 0.0, 0.0)],
)
def test_share_of_the_time_in_which_the_wait_is_too_long(
    before: float, after: float, share: float
) -> None:
    assert shadow._share_waiting(before, after, 1.0) == pytest.approx(share)


def test_uneven_arrivals_are_late_more_often_than_even_ones() -> None:
    even, uneven = nothing_learned(), nothing_learned()
    rates = [100.0 + (30.0 if i % 2 else -30.0) for i in range(200)]
    late = sum(play(even, [100.0] * 200, ready=12)), sum(play(uneven, rates, ready=12))
    assert late[1] > 3 * late[0]


def test_bursts_within_a_look_are_late_where_no_request_may_wait() -> None:
    """What an objective leaves beyond its batches evens them out, not how long it is."""
    rates = [80.0, 120.0] * 60
    none, half_a_minute = (
        sum(play(nothing_learned(), rates, threshold=60.0, wait_allowed=wait))
        for wait in (0.0, 30.0)
    )
    assert none > 1.5 * half_a_minute


def test_without_any_demand_nothing_is_late() -> None:
    learned = nothing_learned()
    assert sum(play(learned, [0.0] * 40)) == 0
    assert learned.numbers[LATEST] == 0
    assert (learned.live == 1).all()
