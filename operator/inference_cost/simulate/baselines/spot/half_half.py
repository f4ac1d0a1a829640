"""A fixed share on demand, the rest spot over the zones where it is to be had, on demand for spot that is not ready.

Source: Amazon EC2 Auto Scaling, mixed instances group with OnDemandPercentageAboveBaseCapacity 50 (a fraction is
rounded in favor of on demand), spot spread evenly over the available zones. Such a group alone waits for spot to come
back; here SkyServe's dynamic fallback (skypilot-org/skypilot, sky/serve) stands in for it meanwhile, as it does in
`one_zone.py`: half of the replicas would meet no objective.
"""

from typing import NamedTuple

import numpy as np

from inference_cost.simulate.baselines.rounding import whole_up
from inference_cost.simulate.baselines.spot_seen import SpotSeen, Zones, preferred
from inference_cost.simulate.compiled import compiled

INTERVAL_SECONDS = 20.0


class Knobs(NamedTuple):
    on_demand_share: float = 0.5


class State(NamedTuple):
    """Nothing to remember; Numba wants a field."""

    zones: int


DEFAULT = Knobs()
GRID = tuple(Knobs(percent / 100) for percent in (25, 50, 75, 90))


def label(knobs: Knobs) -> str:
    return f"on demand {knobs.on_demand_share:.2f}"


def new_state(_knobs: Knobs, zones: int) -> State:
    return State(zones)


@compiled
def desired(seen: SpotSeen, wanted_spot: Zones, knobs: Knobs, state: State) -> int:
    on_demand = min(whole_up(seen.demand * knobs.on_demand_share), seen.demand)
    wanted_spot[: state.zones] = 0
    spot = seen.demand - on_demand
    for _ in range(spot):
        zone = preferred(seen.available, wanted_spot.astype(np.float64), seen.price)
        if zone < 0:
            break
        wanted_spot[zone] += 1
    missing: int = max(0, spot - seen.ready_spot.sum())
    return on_demand + missing
