"""What a spot placement rule sees at a tick. Arrays have one element per zone, in the order of the run's zones."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference_cost.simulate.compiled import compiled

Zones = NDArray[np.int64]


class SpotSeen(NamedTuple):
    """Replicas that drain are counted nowhere."""

    at: float  # seconds since the start of the run
    demand: int  # replicas wanted, whatever they run on
    available: Zones  # 1 where spot capacity was to be had at the last look, else 0
    price: NDArray[np.float64]  # dollars per replica and hour
    ready_spot: Zones
    starting_spot: Zones
    preempted_since_last: Zones  # replicas lost, or given notice, since the last tick
    on_demand_ready: int
    on_demand_starting: int


@compiled
def alive(seen: SpotSeen, zone: int) -> int:
    """Spot replicas of a zone, ready or starting."""
    count: int = seen.ready_spot[zone] + seen.starting_spot[zone]
    return count


@compiled
def preferred(candidates: Zones, first: NDArray[np.float64], then: NDArray[np.float64]) -> int:
    """Zone among the candidates (1 or 0) that is least in `first`, ties by `then` and by order; -1: none."""
    best = -1
    for zone in range(len(candidates)):
        if candidates[zone] == 0:
            continue
        if best < 0 or (first[zone], then[zone]) < (first[best], then[best]):
            best = zone
    return best
