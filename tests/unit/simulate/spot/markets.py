"""Small markets, and placements by hand in them."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from inference_cost.simulate.baselines.spot_seen import SpotSeen
from inference_cost.simulate.outcome import ReplicaSchedule
from inference_cost.simulate.scenario import Scenario, SpotMarket
from inference_cost.simulate.spot.clock import advance
from inference_cost.simulate.spot.look import look
from inference_cost.simulate.spot.new import new_spot_world
from inference_cost.simulate.spot.replicas import place
from inference_cost.simulate.spot.state import SpotWorld
from tests.unit.simulate.worlds import rates, scenario

Spells = Sequence[tuple[float, float]]  # from, until: seconds in which a zone has spot capacity
Placement = Callable[[SpotSeen], tuple[Sequence[int], int]]  # spot by zone, on demand

SECONDS = 1200.0
ALWAYS: Spells = [(0.0, SECONDS)]
INTERVAL_SECONDS = 20.0


def market(*zones: Spells, prices: Sequence[str] = (), notice: float = 120.0) -> SpotMarket:
    """Zones named a, b, c, ... of these spells; 0.40 dollars per hour unless said otherwise."""
    edges = sorted({0.0} | {edge for spells in zones for spell in spells for edge in spell})
    rows = [[any(a <= t < b for a, b in spells) for spells in zones] for t in edges]
    given = prices or ["0.40"] * len(zones)
    return SpotMarket(
        zones=tuple("abcdefgh"[: len(zones)]),
        times_seconds=np.array(edges),
        available=np.array(rows),
        price_per_hour=tuple(Decimal(price) for price in given),
        notice_seconds=notice,
    )


def spot_scenario(spot: SpotMarket | None, **more: Any) -> Scenario:
    """20 minutes at 150 requests/s: two replicas of 100. Starts take 60 s, drains 30 s."""
    fields = {
        "traffic": rates(150.0, seconds=SECONDS),
        "start_seconds": 60.0,
        "drain_seconds": 30.0,
    }
    return scenario(**(fields | more), spot=spot)


def wanted(*steps: tuple[float, int]) -> ReplicaSchedule:
    times, replicas = zip(*steps, strict=True)
    return ReplicaSchedule(
        times_seconds=np.array(times, np.float64), replicas=np.array(replicas, np.int64)
    )


def run(
    given: Scenario, placement: Placement, demand: ReplicaSchedule, interval: float
) -> SpotWorld:
    """To the end; the placement is asked as a rule would be."""
    spot = new_spot_world(given, demand)
    while advance(spot, interval):
        by_zone, on_demand = placement(look(spot))
        spot.wanted[:] = by_zone
        place(spot, on_demand)
    return spot
