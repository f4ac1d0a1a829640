"""The static fleet: smallest, on the same arrivals, never flattering."""

from dataclasses import replace

import numpy as np
import pytest

from e2e.demo.static_fleet import (
    DEMO_SERVICE,
    Candidate,
    StaticFleetSettings,
    smallest_static_fleet,
)
from e2e.rig.traces import arrival_times, poisson_arrivals
from inference_cost.simulate.batcher import BatchService
from inference_cost.simulate.fleet import constant_fleet, replay

SETTINGS = StaticFleetSettings()


def constant_load(rate: float, seconds: int = 120) -> list[float]:
    return [float(t) for t in poisson_arrivals(np.full(seconds, rate), seconds, seed=5)]


def share_within(arrivals: list[float], replicas: int, from_s: float) -> float:
    latencies = replay(
        arrivals, service=DEMO_SERVICE, replicas=constant_fleet(replicas), seed=SETTINGS.seed
    )
    measured = [x for t, x in zip(arrivals, latencies, strict=True) if t >= from_s]
    return sum(latency <= 0.3 for latency in measured) / len(measured)


@pytest.mark.parametrize("rate", [40, 150, 400])
def test_it_meets_the_target_and_one_fewer_does_not(rate: float) -> None:
    arrivals = constant_load(rate)
    fleet = smallest_static_fleet(arrivals)
    assert share_within(arrivals, fleet.measured_replicas, 60) >= 0.99
    if fleet.measured_replicas > 1:
        assert share_within(arrivals, fleet.measured_replicas - 1, 60) < 0.99


def test_a_peak_in_the_first_minute_counts_only_for_the_whole_load() -> None:
    early_peak = [t / 2 for t in constant_load(200, 60)]  # 400/s for 30 s
    arrivals = early_peak + [t for t in constant_load(80, 180) if t >= 30]
    fleet = smallest_static_fleet(arrivals)
    assert fleet.measured_replicas < fleet.whole_replicas
    assert fleet.replicas == fleet.whole_replicas
    assert (
        share_within(arrivals, fleet.whole_replicas, 0)
        >= 0.99
        > share_within(arrivals, fleet.whole_replicas - 1, 0)
    )


def test_the_demo_day_needs_three_after_its_first_minute_and_more_with_it() -> None:
    arrivals = [float(t) for t in arrival_times(10, 240, 1.2, 20)]
    fleet = smallest_static_fleet(arrivals)
    assert (fleet.measured_replicas, fleet.whole_replicas, fleet.seed) == (3, 4, 20)
    assert [c.replicas for c in fleet.candidates] == [1, 2, 3, 4]
    two, three = fleet.candidates[1:3]
    assert two.measured_fraction < 0.5
    assert three.measured_fraction > 0.999 > three.whole_fraction


def test_candidates_say_how_each_number_did() -> None:
    fleet = smallest_static_fleet(constant_load(40))
    assert fleet.candidates == (Candidate(replicas=1, measured_fraction=1.0, whole_fraction=1.0),)


def test_a_slower_model_needs_more() -> None:
    slow = BatchService(alpha_seconds=0.08, beta_seconds=0.01, max_batch_size=8)
    arrivals = constant_load(150)
    quick_fleet = smallest_static_fleet(arrivals)
    slow_fleet = smallest_static_fleet(arrivals, replace(SETTINGS, service=slow))
    assert slow_fleet.replicas > quick_fleet.replicas


def test_an_objective_below_one_batch_is_refused() -> None:
    with pytest.raises(ValueError, match="no fleet can meet it"):
        smallest_static_fleet(constant_load(10), replace(SETTINGS, objective_seconds=0.044))


@pytest.mark.parametrize("arrivals", [[], [1.0, 59.0]], ids=["none", "none after second 60"])
def test_without_measured_requests_there_is_no_static_fleet(arrivals: list[float]) -> None:
    with pytest.raises(ValueError, match="second 60"):
        smallest_static_fleet(arrivals)
