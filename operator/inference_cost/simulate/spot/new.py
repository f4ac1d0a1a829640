"""A world with a spot market at second 0."""

import numpy as np

from inference_cost.simulate.outcome import ReplicaSchedule
from inference_cost.simulate.scenario import Scenario
from inference_cost.simulate.spot.market import market_of
from inference_cost.simulate.spot.state import MARKET_ROW, ON_DEMAND, ROWS, SpotFleet, SpotWorld
from inference_cost.simulate.world.new import new_world

QUOTA = 4  # spot replicas per replica of the largest demand: the rules ask for 1.5, the rest is under notice
SPARE = 8


def new_spot_world(scenario: Scenario, schedule: ReplicaSchedule) -> SpotWorld:
    """All replicas of the first demand are on demand and serve; the demand is that of `schedule`.

    Raises:
        ValueError: the scenario has no spot market, or one that does not fit together.
    """
    if scenario.spot is None:
        raise ValueError("--spot-availability: a placement on spot needs a market")
    market, largest = market_of(scenario.spot), int(schedule.replicas.max())
    most_spot = QUOTA * largest + SPARE
    world = new_world(
        scenario,
        replicas=int(schedule.replicas[0]),
        most_replicas=most_spot + max(largest, int(schedule.replicas[0])) + SPARE,
    )
    row = int(np.searchsorted(market.times, 0.0, side="right")) - 1
    rows = np.zeros(ROWS, np.int64)
    rows[MARKET_ROW] = row
    return SpotWorld(
        world=world,
        market=market,
        fleet=_fleet(
            len(world.replicas.number), zones=len(market.price), bins=world.course.shape[1]
        ),
        demand_at=schedule.times_seconds,
        demand=schedule.replicas,
        wanted=np.zeros(len(market.price), np.int64),
        seen_available=market.available[row].copy(),
        rows=rows,
        most_spot=most_spot,
    )


def _fleet(slots: int, *, zones: int, bins: int) -> SpotFleet:
    """No spot replica yet."""
    return SpotFleet(
        zone=np.full(slots, ON_DEMAND),
        gone_at=np.full(slots, np.inf),
        next_gone=np.full(1, np.inf),
        live=np.zeros(zones, np.int64),
        preempted=np.zeros(zones, np.int64),
        billed=np.zeros((zones, bins)),
    )
