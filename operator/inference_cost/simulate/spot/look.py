"""What a placement rule sees of its replicas and of the market."""

import numpy as np

from inference_cost.simulate.baselines.spot_seen import SpotSeen
from inference_cost.simulate.compiled import compiled
from inference_cost.simulate.spot.state import DEMAND_ROW, ON_DEMAND, SpotWorld
from inference_cost.simulate.world.state import LIVE, NOW


@compiled
def look(spot: SpotWorld) -> SpotSeen:
    """Replicas under notice are lost already; the market is as at the decision before."""
    world, zones = spot.world, len(spot.wanted)
    ready, starting = np.zeros(zones, np.int64), np.zeros(zones, np.int64)
    on_demand = np.zeros(2, np.int64)
    for i in range(world.counts[LIVE]):
        slot = world.replicas.listed[i]
        zone, serves = spot.fleet.zone[slot], world.replicas.serves[slot]
        if zone == ON_DEMAND:
            on_demand[serves] += 1
        elif spot.fleet.gone_at[slot] == np.inf:
            ready[zone] += serves
            starting[zone] += 1 - serves
    return SpotSeen(
        world.numbers[NOW],
        spot.demand[spot.rows[DEMAND_ROW]],
        spot.seen_available,
        spot.market.price,
        ready,
        starting,
        spot.fleet.preempted,
        on_demand[1],
        on_demand[0],
    )
