"""The operator's own placement (decide/mix/) in the simulated market, at its tick and when the demand changes.

A notice is seen at the next tick; in a cluster it wakes the operator at once.
"""

import time

import numpy as np

from inference_cost.decide.mix.cheapest import Risk
from inference_cost.decide.mix.place import DomainSeen, Placing, exposure_seconds, place
from inference_cost.simulate.baselines.spot_seen import SpotSeen
from inference_cost.simulate.outcome import Outcome, ReplicaSchedule
from inference_cost.simulate.scenario import Scenario
from inference_cost.simulate.spot.clock import advance
from inference_cost.simulate.spot.look import look
from inference_cost.simulate.spot.new import new_spot_world
from inference_cost.simulate.spot.replicas import place as carry_out
from inference_cost.simulate.spot.trial import outcome_with_spot
from inference_cost.simulate.tuning import Trial

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
    prices = _LatePrices(demand)
    placing, zones = Placing(), len(spot.wanted)
    while advance(spot, scenario.tick_seconds):
        seen = look(spot)
        survivors = seen.demand if trial.name == SURVIVING else 0
        risk = _risk(scenario, prices.at(seen.at), survivors)
        placing = place(seen.demand, _domains(scenario, seen), risk, placing, seen.at)
        spot.wanted[:] = placing.asked[:zones]
        carry_out(spot, placing.asked[zones])
    seconds = time.perf_counter() - begin
    return outcome_with_spot(spot, scenario, name=trial.name, seconds=seconds)


class _LatePrices:
    """Read in the order of time."""

    def __init__(self, demand: ReplicaSchedule) -> None:
        self._times, self._prices = demand.times_seconds, demand.late_prices
        self._row = 0

    def at(self, seconds: float) -> float:
        while self._row + 1 < len(self._times) and self._times[self._row + 1] <= seconds:
            self._row += 1
        return float(self._prices[self._row]) if len(self._prices) else 0.0


def _risk(scenario: Scenario, late_price: float, survivors: int) -> Risk:
    market = scenario.spot
    notice = 0.0 if market is None else market.notice_seconds
    start = float(np.mean(scenario.start_samples or (scenario.start_seconds,)))
    return Risk(
        late_price=late_price,
        served_price_per_hour=float(scenario.price_per_hour),
        exposure_seconds=exposure_seconds(start, notice, scenario.tick_seconds / 2),
        start_seconds=start,
        survivors=survivors,
    )


def _domains(scenario: Scenario, seen: SpotSeen) -> list[DomainSeen]:
    """The zones, and on demand behind them."""
    zones = [
        DomainSeen(
            price_per_hour=float(seen.price[zone]),
            can_be_lost=True,
            ready=int(seen.ready_spot[zone]),
            starting=int(seen.starting_spot[zone]),
            lost=int(seen.preempted_since_last[zone]),
        )
        for zone in range(len(seen.price))
    ]
    on_demand = DomainSeen(
        price_per_hour=float(scenario.price_per_hour),
        can_be_lost=False,
        ready=int(seen.on_demand_ready),
        starting=int(seen.on_demand_starting),
    )
    return [*zones, on_demand]
