"""What the metrics show a baseline: nothing while no scrape is visible, the last minute else."""

from math import isnan

import pytest

from inference_cost.simulate.runs import RUNS
from inference_cost.simulate.tuning import Trial, run_trial
from inference_cost.simulate.world.clock import advance
from inference_cost.simulate.world.look import look, look_directly
from inference_cost.simulate.world.new import new_world
from tests.unit.simulate.worlds import rates, scenario


def test_before_the_first_visible_scrape_there_is_no_rate() -> None:
    world = new_world(scenario(metric_lag_seconds=60.0), replicas=2)
    advance(world, 45.0)
    assert isnan(look(world).rate)
    assert isnan(look_directly(world).rate)
    advance(world, 90.0)
    assert look(world).rate == pytest.approx(150.0)
    assert look_directly(world).rate == pytest.approx(150.0)


def test_a_busy_fleet_of_which_nothing_is_scraped_has_no_rate() -> None:
    world = new_world(scenario(missing_fraction=1.0), replicas=2)
    advance(world, 300.0)
    assert isnan(look(world).rate)


@pytest.mark.parametrize("name", [name for name in RUNS if name not in {"keda", "llmd-slo"}])
def test_without_metrics_rules_hold(name: str) -> None:
    """But KEDA and llm-d's law, for which nothing is 0; Knative has a pipeline of its own."""
    case = scenario(rates(450.0, seconds=1800.0), missing_fraction=1.0)
    found = run_trial(case, Trial(name=name))
    if not name.startswith("kpa"):
        assert found.scale_events == 0


def test_an_idle_fleet_has_no_latency() -> None:
    """llm-d's law takes that for 0 and scales in."""
    case = scenario(rates(450.0, 0.0, seconds=1800.0))
    world = new_world(case, replicas=5)
    advance(world, 1800.0)
    assert look(world).latency_p90_seconds > 0
    advance(world, 2400.0)
    assert isnan(look(world).latency_p90_seconds)
    idle = run_trial(case, Trial(name="llmd-slo"))
    assert idle.course.ready[-1] == 1


def test_the_queue_is_the_most_of_the_last_minute() -> None:
    """A burst that is over at the newest scrape is still seen by WVA's `max_over_time`."""
    world = new_world(scenario(rates(450.0, 20.0, seconds=60.0)), replicas=3)
    advance(world, 60.0)
    advance(world, 105.0)
    assert look(world).waiting > 100.0
