"""The conventions of a scenario: stretch, objective, limits and start-up."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.replay import scenarios
from benchmarks.replay.plan import LOAD_TIMES, Case
from benchmarks.replay.scenarios import SERVICE, largest_load_of, scenario_of
from benchmarks.traces.variants import Variant
from inference_cost.model.policy import LatencyObjective
from inference_cost.simulate.scenario import Routing, Scenario
from inference_cost.simulate.service import Service
from inference_cost.simulate.traffic import Traffic
from tests.unit.benchmarks.runs import CASE, LARGEST_LOAD, TRAFFIC

SHORT = Traffic(width_seconds=10.0, counts=np.full(8640, 2000.0))


def load_per_replica(scenario: Scenario) -> float:
    return LARGEST_LOAD / scenario.stretch


def threshold(scenario: Scenario) -> float:
    objective = scenario.policy.objective
    assert isinstance(objective, LatencyObjective)
    return objective.threshold_seconds


@pytest.mark.parametrize(
    ("traffic", "replicas"), [(TRAFFIC, 16.0), (SHORT, 8.0)], ids=["14 days", "one day"]
)
def test_the_mean_rate_needs_the_mean_replicas(traffic: Traffic, replicas: float) -> None:
    scenario = scenario_of(CASE, traffic, LARGEST_LOAD)
    assert traffic.mean_rate / load_per_replica(scenario) == pytest.approx(replicas)


def test_service_and_objective_are_stretched_by_one_factor() -> None:
    scenario = scenario_of(replace(CASE, queue_delay_milliseconds=2.0), TRAFFIC, LARGEST_LOAD)
    stretch = LARGEST_LOAD * 16 / 200
    assert scenario.stretch == pytest.approx(stretch)
    assert scenario.service.seconds(16) == pytest.approx(0.0624 * stretch)
    assert scenario.service.queue_delay_seconds == pytest.approx(0.002 * stretch)
    assert threshold(scenario) == pytest.approx(0.1 * stretch)


def test_three_times_the_traffic_goes_to_the_same_servers() -> None:
    case = replace(CASE, variant=Variant.TRIPLED)
    tripled = Traffic(width_seconds=10.0, counts=TRAFFIC.counts * 3)
    plain, more = (
        scenario_of(CASE, TRAFFIC, LARGEST_LOAD),
        scenario_of(case, tripled, LARGEST_LOAD),
    )
    assert more.service == plain.service
    assert threshold(more) == threshold(plain)
    assert more.policy.variants[0].max_replicas == 3 * plain.policy.variants[0].max_replicas


def test_conditions_are_those_of_the_case() -> None:
    case = Case(trace="t", seed=9, start="360", metric_lag_seconds=30.0, missing_percent=5.0)
    scenario = scenario_of(case, TRAFFIC, LARGEST_LOAD)
    assert (scenario.start_seconds, scenario.metric_lag_seconds) == (360.0, 30.0)
    assert (scenario.missing_fraction, scenario.seed) == (0.05, 9)
    assert (scenario.drain_seconds, scenario.exclude_first_seconds) == (30.0, 600.0)
    assert scenario.routing is Routing.RANDOM
    assert scenario.policy.variants[0].max_replicas == 640


def test_start_up_is_drawn_from_the_load_times() -> None:
    case = replace(CASE, start=LOAD_TIMES)
    assert scenario_of(case, TRAFFIC, LARGEST_LOAD, (24.0, 45.0)).start_samples == (24.0, 45.0)
    with pytest.raises(ValueError, match="load times"):
        scenario_of(case, TRAFFIC, LARGEST_LOAD)


def test_a_case_that_starts_in_constant_time_ignores_load_times() -> None:
    assert scenario_of(CASE, TRAFFIC, LARGEST_LOAD, (24.0,)).start_samples == ()


def test_the_largest_load_is_that_of_the_replica_before_stretching(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[Service, float, float]] = []

    def largest_load(service: Service, seconds: float, fraction: float, seed: int) -> float:
        asked.append((service, seconds, fraction))
        return 200.0 + seed

    monkeypatch.setattr(scenarios, "largest_load", largest_load)
    assert largest_load_of(replace(CASE, queue_delay_milliseconds=2.0)) == 200.0
    [(service, seconds, fraction)] = asked
    assert (seconds, fraction) == (0.1, 0.99)
    assert service == replace(SERVICE, queue_delay_seconds=0.002)
