"""One spot rule at one knob, given how many replicas are wanted over time."""

import time
from dataclasses import replace

from inference_cost.simulate.baselines.registry import SPOT
from inference_cost.simulate.outcome import Outcome, ReplicaSchedule
from inference_cost.simulate.result import HOUR_SECONDS, SpotBill, outcome_of
from inference_cost.simulate.scenario import Scenario
from inference_cost.simulate.spot.new import new_spot_world
from inference_cost.simulate.spot.runs import RUNS
from inference_cost.simulate.spot.state import SpotWorld
from inference_cost.simulate.tuning import Trial


def run_placement(scenario: Scenario, trial: Trial, demand: ReplicaSchedule) -> Outcome:
    """One whole run.

    Raises:
        ValueError: the scenario has no spot market.
    """
    begin = time.perf_counter()
    baseline = SPOT[trial.name]
    knobs = baseline.default if trial.knob < 0 else baseline.grid[trial.knob]
    spot = new_spot_world(scenario, demand)
    RUNS[trial.name](spot, knobs, baseline.new_state(knobs, len(spot.wanted)))
    how = "default" if trial.knob < 0 else "tuned"
    return outcome_with_spot(
        spot,
        scenario,
        name=trial.name,
        knob=f"{how}: {baseline.label(knobs)}",
        seconds=time.perf_counter() - begin,
    )


def outcome_with_spot(
    spot: SpotWorld, scenario: Scenario, *, name: str, knob: str = "", seconds: float = 0.0
) -> Outcome:
    """Of a finished run; each spot replica at its zone's price."""
    bill = SpotBill(
        seconds=spot.fleet.billed.sum(axis=0),
        dollars=spot.market.price @ spot.fleet.billed / HOUR_SECONDS,
    )
    found = outcome_of(
        spot.world,
        scenario,
        name=name,
        kind="baseline",
        knob=knob,
        seconds=seconds,
        spot=bill,
    )
    return replace(found, on_spot_market=True)
