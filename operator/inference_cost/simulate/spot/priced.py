"""The operator's own placement (decide/mix/) in the simulated market.

It decides at its tick, when the demand changes, and at the moment of a notice, which wakes it.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from inference_cost.decide.headroom.choice import highest_price
from inference_cost.decide.mix.cheapest import Risk
from inference_cost.decide.mix.place import DomainSeen, exposure_seconds, place
from inference_cost.model.placement import PlacedDomain
from inference_cost.simulate.baselines.spot_seen import SpotSeen
from inference_cost.simulate.outcome import Outcome, ReplicaSchedule
from inference_cost.simulate.scenario import Scenario
from inference_cost.simulate.spot.clock import advance
from inference_cost.simulate.spot.look import look
from inference_cost.simulate.spot.new import new_spot_world
from inference_cost.simulate.spot.replicas import place as carry_out
from inference_cost.simulate.spot.trial import outcome_with_spot
from inference_cost.simulate.tuning import Trial
from inference_cost.simulate.world.new import objective_of

REACTION_SECONDS = 2.0  # to a notice, in a cluster: from the watch event to the write
PRICED = "priced"
SURVIVING = "survive-largest-zone"
OWN = (PRICED, SURVIVING)


def run_own_placement(scenario: Scenario, trial: Trial, demand: ReplicaSchedule) -> Outcome:
    """One whole run. The schedule tells the price of a late request, too.

    Raises:
        ValueError: the scenario has no spot market.
    """
    begin = time.perf_counter()
    spot = new_spot_world(scenario, demand)
    prices = _LatePrices(demand, highest_price(1 - objective_of(scenario).target_fraction))
    usual = _risk(scenario)
    placed: tuple[PlacedDomain, ...] = ()
    zones = len(spot.wanted)
    while advance(spot, scenario.tick_seconds, woken_by_notice=True):
        seen = look(spot)
        survivors = seen.demand if trial.name == SURVIVING else 0
        risk = replace(usual, late_price=prices.at(seen.at), survivors=survivors)
        found = place(seen.demand, _domains(scenario, seen, placed), risk, placed, seen.at)
        placed = found.remembered
        spot.wanted[:] = found.asked[:zones]
        carry_out(spot, found.asked[zones])
    seconds = time.perf_counter() - begin
    return outcome_with_spot(spot, scenario, name=trial.name, seconds=seconds)


class _LatePrices:
    """Read in the order of time; the highest until one is known."""

    def __init__(self, demand: ReplicaSchedule, highest: float) -> None:
        self._times, self._prices = demand.late_price_times, demand.late_prices
        self._highest, self._known = highest, 0

    def at(self, seconds: float) -> float:
        while self._known < len(self._times) and self._times[self._known] <= seconds:
            self._known += 1
        return float(self._prices[self._known - 1]) if self._known else self._highest


def _risk(scenario: Scenario) -> Risk:
    """But for the price of a late request, which changes."""
    market = scenario.spot
    notice = 0.0 if market is None else market.notice_seconds
    start = float(np.mean(scenario.start_samples or (scenario.start_seconds,)))
    return Risk(
        late_price=0.0,
        served_price_per_hour=float(scenario.price_per_hour),
        exposure_seconds=exposure_seconds(start, notice, REACTION_SECONDS),
        start_seconds=start,
    )


def _domains(
    scenario: Scenario, seen: SpotSeen, before: Sequence[PlacedDomain]
) -> list[DomainSeen]:
    """The zones, and on demand behind them."""
    zones = [
        _zone(seen, zone, before[zone].asked if before else 0) for zone in range(len(seen.price))
    ]
    on_demand = DomainSeen(
        name="on-demand",
        price_per_hour=float(scenario.price_per_hour),
        can_be_lost=False,
        ready=int(seen.on_demand_ready),
        starting=int(seen.on_demand_starting),
    )
    return [*zones, on_demand]


def _zone(seen: SpotSeen, zone: int, asked_before: int) -> DomainSeen:
    ready, starting = int(seen.ready_spot[zone]), int(seen.starting_spot[zone])
    lost = int(seen.preempted_since_last[zone])
    return DomainSeen(
        name=f"zone-{zone}",
        price_per_hour=float(seen.price[zone]),
        can_be_lost=True,
        ready=ready,
        starting=starting,
        lost=lost,
        refused=not lost and ready + starting < asked_before,
    )
