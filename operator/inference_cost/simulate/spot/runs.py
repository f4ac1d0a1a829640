"""One compiled loop per placement rule: to the next decision, look, place.

One each for the reason given in `simulate/runs.py`: a loop that takes the rule as an argument is not kept on disk.
A rule decides at its own interval, and at once when the demand changes. The demand is given, and its delay
is that of the policy which made it: no rule is to pay for a second one.
"""

from collections.abc import Callable
from typing import Any

from inference_cost.simulate.baselines.spot import half_half, on_demand_only, one_zone, spothedge
from inference_cost.simulate.compiled import compiled
from inference_cost.simulate.spot.clock import advance
from inference_cost.simulate.spot.look import look
from inference_cost.simulate.spot.replicas import place
from inference_cost.simulate.spot.state import SpotWorld


@compiled
def run_spothedge(spot: SpotWorld, knobs: spothedge.Knobs, state: spothedge.State) -> None:
    while advance(spot, spothedge.INTERVAL_SECONDS):
        place(spot, spothedge.desired(look(spot), spot.wanted, knobs, state))


@compiled
def run_on_demand_only(
    spot: SpotWorld, knobs: on_demand_only.Knobs, state: on_demand_only.State
) -> None:
    while advance(spot, on_demand_only.INTERVAL_SECONDS):
        place(spot, on_demand_only.desired(look(spot), spot.wanted, knobs, state))


@compiled
def run_one_zone(spot: SpotWorld, knobs: one_zone.Knobs, state: one_zone.State) -> None:
    while advance(spot, one_zone.INTERVAL_SECONDS):
        place(spot, one_zone.desired(look(spot), spot.wanted, knobs, state))


@compiled
def run_half_half(spot: SpotWorld, knobs: half_half.Knobs, state: half_half.State) -> None:
    while advance(spot, half_half.INTERVAL_SECONDS):
        place(spot, half_half.desired(look(spot), spot.wanted, knobs, state))


RUNS: dict[str, Callable[[SpotWorld, Any, Any], None]] = {
    "spothedge": run_spothedge,
    "on-demand-only": run_on_demand_only,
    "one-zone": run_one_zone,
    "half-half": run_half_half,
}
"""By the names of `baselines/registry.py`."""
