"""Rates over time and the arrivals that follow them."""

import itertools
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2e.rig.fleet_exporter.rates import (
    Arrivals,
    PoissonArrivals,
    RateProfile,
    RegularArrivals,
    constant,
    trace,
)
from e2e.rig.traces import rates as trace_rates

STEPS = RateProfile((0.0, 10.0, 30.0), (5.0, 50.0, 0.0))


def test_pieces_of_steps_end_where_the_rate_changes() -> None:
    assert list(STEPS.pieces(8, 35)) == [(8, 10, 5), (10, 30, 50), (30, 35, 0)]


def test_there_is_no_load_before_its_start() -> None:
    assert list(constant(7).pieces(-3, 1)) == [(0, 1, 7)]
    assert constant(7).at(-1) == 0


def test_a_period_repeats() -> None:
    profile = RateProfile((0.0, 1.0), (1.0, 2.0), 3.0)
    assert list(profile.pieces(2.5, 4.5)) == [(2.5, 3, 2), (3, 4, 1), (4, 4.5, 2)]
    assert profile.at(301.5) == 2


@given(start=st.floats(0, 1e6), length=st.floats(0.001, 20))
def test_pieces_cover_the_time_without_gaps(start: float, length: float) -> None:
    profile = RateProfile((0.0, 0.7, 1.9), (1.0, 2.0, 3.0), 2.3)
    pieces = list(profile.pieces(start, start + length))
    assert pieces[0][0] == start
    assert pieces[-1][1] == start + length
    assert all(a[1] == b[0] for a, b in itertools.pairwise(pieces))


def test_the_trace_is_the_demo_s_day_in_the_given_time() -> None:
    profile = trace(day=10, seconds=240, factor=1.2)
    expected = trace_rates(10, 1.2)
    assert profile.at(0) == expected[0]
    assert profile.at(239.999) == expected[-1]
    assert sum((b - a) * rate for a, b, rate in profile.pieces(0, 240)) == pytest.approx(
        float(expected.mean()) * 240
    )


@pytest.mark.parametrize(
    ("starts", "rates", "period"),
    [
        ((), (), inf),
        ((1.0,), (1.0,), inf),
        ((0.0, 0.0), (1.0, 2.0), inf),
        ((0.0,), (-1.0,), inf),
        ((0.0,), (1.0, 2.0), inf),
        ((0.0, 5.0), (1.0, 2.0), 5.0),
    ],
    ids=["nothing", "late start", "no order", "negative", "too many rates", "short period"],
)
def test_impossible_profiles_are_refused(
    starts: tuple[float, ...], rates: tuple[float, ...], period: float
) -> None:
    with pytest.raises(ValueError, match=r"start|rate|period"):
        RateProfile(starts, rates, period)


@pytest.mark.parametrize(
    ("arrivals", "tolerance"), [(PoissonArrivals(3), 150), (RegularArrivals(3), 1)]
)
def test_arrivals_have_the_rate_of_the_share(arrivals: Arrivals, tolerance: int) -> None:
    found: list[float] = []
    for second in range(100):
        found += arrivals.instants(list(STEPS.pieces(second / 2, second / 2 + 0.5)), 0.5)
    assert found == sorted(found)
    assert len(found) == pytest.approx(0.5 * (10 * 5 + 20 * 50), abs=tolerance)
    assert not [t for t in found if t > 30]


def test_regular_arrivals_are_evenly_spaced_whatever_the_portions() -> None:
    arrivals = RegularArrivals(1)
    found = [t for n in range(50) for t in arrivals.instants([(n * 0.13, (n + 1) * 0.13, 10.0)], 1)]
    gaps = [b - a for a, b in itertools.pairwise(found)]
    assert gaps == pytest.approx([0.1] * len(gaps))


def test_two_pods_have_different_arrivals_and_each_the_same_in_every_run() -> None:
    one, again, other = (PoissonArrivals(seed).instants([(0, 9, 9.0)], 1) for seed in (1, 1, 2))
    assert one == again != other
