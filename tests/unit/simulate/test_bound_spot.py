"""Charges of the levels against what the schedule pays, for every move that a schedule can make."""

import itertools

import numpy as np
import pytest

from inference_cost.simulate.bound_paths import OnDemandDollars, SpotDollars
from inference_cost.simulate.bound_spot import SpotMarket, bounding_charges

NO_SPOT = np.inf
START_SECONDS = 50.0
STEP_SECONDS = 10.0
MOST = 4

MARKETS = {
    "one spell of spot, long enough for both ends": [NO_SPOT, *[0.6] * 40, NO_SPOT],
    "spells too short for a start": [NO_SPOT, 0.6, NO_SPOT, 0.6, 0.6, NO_SPOT],
    "spot from the first step to the last": [0.6] * 12,
    "prices that move": [NO_SPOT, 0.3, 0.9, 0.5, 1.2, 0.4, 0.7, NO_SPOT, 0.2, 0.8],
    "dearer than on-demand": [NO_SPOT, 1.4, 1.4, 1.4],
}


def labels(on_demand: int, spot: int) -> str:
    """State of each level, the on-demand ones lowest."""
    return "o" * on_demand + "s" * spot + "-" * (2 * MOST - on_demand - spot)


def charged(charges: SpotDollars, step: int, before: str, after: str) -> float:
    of_move = {
        "-o": charges.start[step],
        "-s": charges.spot_start[step],
        "s-": charges.spot_stop[step],
        "os": charges.to_spot[step],
        "so": charges.to_on_demand[step],
    }
    return float(sum(of_move.get(a + b, 0.0) for a, b in zip(before, after, strict=True)))


@pytest.mark.parametrize("dollars_per_step", MARKETS.values(), ids=MARKETS)
def test_levels_are_charged_no_more_than_the_schedule_pays(dollars_per_step: list[float]) -> None:
    market = SpotMarket(price_per_hour=np.array(dollars_per_step) * 3600 / STEP_SECONDS)
    steps = len(dollars_per_step)
    on_demand = OnDemandDollars(running=np.ones(steps), start=np.full(steps, 5.0))
    times = {"step_seconds": STEP_SECONDS, "start_seconds": START_SECONDS}
    charges = bounding_charges(market, on_demand, **times)
    spot_start = market.start_dollars(**times)
    counts = range(MOST + 1)
    for step, a, s, a2, s2 in itertools.product(range(1, steps), counts, counts, counts, counts):
        if (s and not market.available[step - 1]) or (s2 and not market.available[step]):
            continue
        paid = 5.0 * max(a2 - a, 0) + spot_start[step] * max(s2 - s, 0)
        assert charged(charges, step, labels(a, s), labels(a2, s2)) <= paid + 1e-9


def test_a_start_of_spot_costs_the_lowest_price_of_the_start_up_time() -> None:
    prices = np.array([NO_SPOT, 0.9, 0.3, 0.6, 0.6, 0.6])
    market = SpotMarket(price_per_hour=prices)
    dollars = market.start_dollars(step_seconds=10.0, start_seconds=15.0)
    assert dollars * 3600 / 15.0 == pytest.approx([0.0, 0.9, 0.3, 0.3, 0.3, 0.6])
