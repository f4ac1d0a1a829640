"""The demo's load: which day, how fast, and that it is a Poisson process at the trace's rates."""

import numpy as np
import pytest

from e2e.rig.traces import (
    BIN_SECONDS,
    DAYS,
    TRACE_FILE,
    TraceSettings,
    arrival_times,
    poisson_arrivals,
    rates,
)

DEMO = TraceSettings()


def demo_arrivals(seed: int = DEMO.seed) -> np.ndarray:
    return arrival_times(DEMO.day, DEMO.seconds, DEMO.factor, seed)


def test_the_demo_load_is_about_64_to_420_requests_per_second() -> None:
    per_second = rates(DEMO.day, DEMO.factor).reshape(240, -1).mean(axis=1)
    assert per_second.min() == pytest.approx(65, abs=2)
    assert per_second.max() == pytest.approx(420, abs=2)


def test_arrivals_follow_the_rates_of_the_day() -> None:
    counted, _ = np.histogram(demo_arrivals(), bins=48, range=(0, 240))
    expected = rates(DEMO.day, DEMO.factor).reshape(48, -1).mean(axis=1) * 5
    deviations = (counted - expected) / np.sqrt(expected)
    assert np.abs(deviations).max() < 4
    assert deviations.std() == pytest.approx(1, abs=0.35)  # Poisson, neither smoothed nor bursty


def test_arrivals_ascend_within_the_load_phase() -> None:
    arrivals = demo_arrivals()
    assert (np.diff(arrivals) >= 0).all()
    assert arrivals[0] >= 0
    assert arrivals[-1] < DEMO.seconds


def test_the_seed_decides_the_instants() -> None:
    assert (demo_arrivals() == demo_arrivals()).all()
    assert demo_arrivals(1)[:50].tolist() != demo_arrivals(2)[:50].tolist()


def test_gaps_of_a_constant_rate_are_exponential() -> None:
    gaps = np.diff(poisson_arrivals(np.full(100, 200.0), 100, seed=3))
    assert gaps.mean() == pytest.approx(1 / 200, rel=0.03)
    assert gaps.std() / gaps.mean() == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("day", range(DAYS))
def test_every_day_can_be_chosen(day: int) -> None:
    assert len(rates(day)) * BIN_SECONDS == 86_400
    assert rates(day).min() > 0


@pytest.mark.parametrize("day", [-1, DAYS])
def test_a_day_outside_the_trace_is_refused(day: int) -> None:
    with pytest.raises(ValueError, match="days 0 to 13"):
        rates(day)


@pytest.mark.parametrize(("seconds", "factor"), [(0, 1), (240, 0), (-1, 1)])
def test_impossible_lengths_and_factors_are_refused(seconds: float, factor: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        arrival_times(DEMO.day, seconds, factor, 1)


def test_the_trace_file_is_small() -> None:
    assert TRACE_FILE.stat().st_size < 500_000
