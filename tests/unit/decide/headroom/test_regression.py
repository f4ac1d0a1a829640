"""What is expected of demands whose future is known."""

from math import exp, isfinite, log, sin

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_cost.decide.headroom import regression
from inference_cost.decide.headroom.learned import NOTHING, Learned
from inference_cost.decide.headroom.regression import Expected, Look
from tests.unit.decide.headroom.cases import MIDNIGHT, TICK, look, nothing_learned

LEAD_TICKS = 16  # 235 s
DAY_TICKS = 5760


def watch(rates: list[float], learned: Learned | None = None) -> tuple[Learned, Expected, Look]:
    learned = nothing_learned() if learned is None else learned
    for i, rate in enumerate(rates):
        seen = look(rate, at=MIDNIGHT + i * TICK)
        expected = regression.learn(learned, seen)
    return learned, expected, seen


def at_the_end(learned: Learned, expected: Expected) -> float:
    return exp(expected.log[-1]) - float(learned.numbers[NOTHING])


def test_a_constant_demand_is_expected_to_stay() -> None:
    learned, expected, _ = watch([100.0] * 400)
    assert at_the_end(learned, expected) == pytest.approx(100.0, rel=0.001)
    assert expected.deviation.max() < 0.03


def test_a_demand_that_grows_by_a_share_a_minute_is_expected_to_have_grown() -> None:
    rates = [100 * 1.01 ** (i / 4) for i in range(800)]
    learned, expected, _ = watch(rates)
    assert at_the_end(learned, expected) == pytest.approx(rates[-1] * 1.01**4, rel=0.01)
    assert at_the_end(learned, expected) > 1.02 * rates[-1]


def test_an_even_load_does_not_teach_that_no_rise_goes_on() -> None:
    """A window has 6,000 requests; by chance as many more or fewer as Poisson arrivals have."""
    draw = np.random.default_rng(1)
    learned, _, _ = watch([float(draw.poisson(6000)) / 60.0 for _ in range(480)])
    assert learned.weights[:, 1] == pytest.approx([0.3, 0.3, 0.3], abs=0.05)


@pytest.mark.parametrize(
    ("latest", "rise"),
    [(300.0, 1.3), (103.0, 1.0)],
    ids=["a jump counts before the window is full of it", "what chance explains does not"],
)
def test_the_newest_gap_tells_a_jump(latest: float, rise: float) -> None:
    """1,500 requests arrive in a gap: by chance 5 % more or fewer."""
    draw = np.random.default_rng(1)
    even = [float(draw.poisson(1500)) / 15.0 for _ in range(480)]
    told, _, _ = watch(even)
    untold, _, _ = watch(even)
    with_jump = regression.learn(told, look(100.0, latest=latest))
    without = regression.learn(untold, look(100.0, latest=100.0))
    assert exp(with_jump.log[-1] - without.log[-1]) == pytest.approx(rise, abs=0.08)
    assert (told.levels[0] > 100.0) == (rise > 1.0)


def test_the_deviation_is_that_of_the_noise() -> None:
    draw = np.random.default_rng(1)
    _, expected, _ = watch([100 * exp(0.2 * draw.standard_normal()) for _ in range(4000)])
    assert expected.deviation == pytest.approx([0.2, 0.2, 0.2], rel=0.25)


def test_a_step_at_the_same_time_each_day_is_expected() -> None:
    day = [100.0] * 1920 + [300.0] * (DAY_TICKS - 1920)
    learned, expected, _ = watch([*day * 4, *day[:1910]])
    assert at_the_end(learned, expected) > 150


def test_after_missed_looks_the_day_is_read_no_further_ahead() -> None:
    """The step is 40 looks away, the lead time 16."""
    day = [100.0] * 1920 + [300.0] * (DAY_TICKS - 1920)
    learned, _, _ = watch([*day * 4, *day[:1876]])
    late = look(100.0, at=MIDNIGHT + (4 * DAY_TICKS + 1880) * TICK, seconds=4 * TICK)
    assert at_the_end(learned, regression.learn(learned, late)) < 120


def test_a_step_never_seen_is_not_expected() -> None:
    learned, expected, _ = watch([100.0] * 1910)
    assert at_the_end(learned, expected) == pytest.approx(100.0, rel=0.01)


def test_many_deviations_above_is_more() -> None:
    learned, expected, _ = watch([100 + 20 * sin(i) for i in range(400)])
    high = [regression.above(learned, expected, k) for k in (0.0, 1.0, 3.0)]
    assert high == sorted(high)
    assert high[0] >= at_the_end(learned, expected)


def test_misses_are_learned_from_only_where_something_had_been_expected() -> None:
    learned, _, _ = watch([100.0] * 5)  # no horizon is over
    assert learned.weights[:, 0] == pytest.approx(0.8)
    assert np.isfinite(learned.expected).sum() == 15


@pytest.mark.parametrize(
    ("lead", "ahead"), [(235.0, [5, 10, 16]), (1.0, [1, 1, 1]), (9000.0, [47, 47, 47])]
)
def test_horizons_are_thirds_of_the_lead_time_in_looks(lead: float, ahead: list[int]) -> None:
    assert [regression.looks_ahead(look(1.0, lead=lead), i) for i in range(3)] == ahead


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=80))
def test_no_demand_makes_a_number_that_is_none(rates: list[float]) -> None:
    learned, expected, _ = watch(rates)
    assert np.isfinite(expected.log).all()
    least = 0.007 if any(rates) else 0.0  # before the first request nothing is known to miss
    assert ((expected.deviation >= least) & (expected.deviation <= 0.8)).all()
    assert isfinite(regression.above(learned, expected, 6.0))


def test_the_variance_has_a_part_that_falls_with_the_level() -> None:
    """Squared misses of 0.01 + 1 ÷ requests, and the same without the constant part."""
    for constant in (0.01, 0.0):
        normal, moment = np.zeros(3), np.zeros(2)
        for requests in (10.0, 100.0, 1000.0, 10_000.0):
            few, square = 1 / requests, constant + 1 / requests
            normal += (few * few, few, 1.0)
            moment += (few * square, square)
        found = regression._variance(normal, moment, 50.0)
        assert found == pytest.approx(constant + 1 / 50, rel=1e-3)


def test_neither_part_of_the_variance_is_negative() -> None:
    falls = regression._variance(np.array([1.0, 0.5, 1.0]), np.array([1.0, 0.1]), 100.0)
    assert falls == pytest.approx(0.01)
    rises = regression._variance(np.array([1.0, 0.5, 1.0]), np.array([0.1, 1.0]), 100.0)
    assert rises == pytest.approx(1.0)
    assert log(rises) == pytest.approx(0.0)
