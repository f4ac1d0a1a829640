"""Which threshold is the best in hindsight, and how a simulated course is read."""

from dataclasses import replace

import numpy as np
import pytest

from e2e.demo.settings import DemoSettings
from e2e.race.traces import trace_named
from e2e.race.tuning import (
    LEAD_SECONDS,
    Forecast,
    Knob,
    best_in_hindsight,
    default_knob,
    forecast_of,
    grid,
    scenario_of,
    worst_of,
)
from inference_cost.simulate.outcome import Course


def forecast(threshold: float, dollars: float, percent: float) -> Forecast:
    return Forecast(knob=Knob(threshold, 17), cost_dollars=dollars, attainment_percent=percent)


CHOICES = {
    "the cheapest of those that meet the objective": (
        [forecast(30, 3.0, 100.0), forecast(60, 2.0, 99.0), forecast(90, 1.0, 98.9)],
        60,
    ),
    "of equal cost the one with fewer late requests": (
        [forecast(30, 2.0, 99.5), forecast(40, 2.0, 99.9)],
        40,
    ),
    "the fewest late requests where none meets it": (
        [forecast(30, 3.0, 97.0), forecast(60, 2.0, 95.0)],
        30,
    ),
    "the cheaper of equally late ones where none meets it": (
        [forecast(30, 3.0, 97.0), forecast(60, 2.0, 97.0)],
        60,
    ),
}


@pytest.mark.parametrize(("tried", "threshold"), CHOICES.values(), ids=CHOICES)
def test_the_best_in_hindsight(tried: list[Forecast], threshold: float) -> None:
    assert best_in_hindsight(tried).knob.threshold == threshold


def test_a_knob_is_as_good_as_with_its_worst_start_up() -> None:
    tried = [forecast(60, 1.0, 100.0), forecast(60, 2.0, 98.0), forecast(60, 3.0, 99.0)]
    assert worst_of(tried) == forecast(60, 2.0, 98.0)


def test_the_grid_goes_from_30_percent_to_all_a_replica_carries() -> None:
    knobs = grid(80.0)
    assert {knob.window_seconds for knob in knobs} == {7, 17, 50}
    thresholds = sorted({knob.threshold for knob in knobs})
    assert (thresholds[0], thresholds[-1], len(thresholds)) == (24.0, 80.0, 15)
    assert default_knob(80.0) == Knob(56.0, 17)


def test_the_scenario_is_the_race_seven_and_a_half_times_as_slow() -> None:
    trace, settings = trace_named("demo"), DemoSettings()
    scenario = scenario_of(trace, settings)
    assert scenario.traffic.times is not None
    arrivals = trace.arrivals()
    warm_up = len(scenario.traffic.times) - len(arrivals)
    assert warm_up == pytest.approx(30 * 200, rel=0.05)
    assert np.allclose(scenario.traffic.times[warm_up:] / 7.5 - LEAD_SECONDS, arrivals)
    assert (scenario.start_seconds, scenario.scrape_seconds) == (75.0, 15.0)
    assert scenario.service.capacity * 7.5 == pytest.approx(98.6, abs=0.1)


def test_late_counts_from_second_60_and_dollars_from_second_0() -> None:
    """Bins of 10 s are 4/3 s of the race: 24 before second 0, 69 before second 60."""
    bins = np.arange(80)
    course = Course(
        width_seconds=10.0,
        requests=np.full(80, 100.0),
        late=np.where(bins == 70, 11.0, np.where(bins == 68, 100.0, 0.0)),
        ready=np.ones(80),
        billed=np.ones(80),
        dollars=np.where(bins < 24, 9.0, 0.75),
    )
    found = forecast_of(Knob(60, 17), course, measured_from_seconds=60.0)
    assert found.cost_dollars == pytest.approx((80 - 24) * 0.75 / 7.5)
    assert found.attainment_percent == pytest.approx(99.0)
    assert (
        forecast_of(
            Knob(60, 17), replace(course, late=np.zeros(80)), measured_from_seconds=60.0
        ).attainment_percent
        == 100.0
    )
