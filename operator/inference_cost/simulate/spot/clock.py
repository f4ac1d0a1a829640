"""Time passes: as in the on-demand world, and zones are lost and come back, and the demand changes."""

import numpy as np

from inference_cost.simulate.compiled import compiled
from inference_cost.simulate.spot.market import Market
from inference_cost.simulate.spot.replicas import give_notice, take_away
from inference_cost.simulate.spot.state import DEMAND_ROW, MARKET_ROW, SpotFleet, SpotWorld
from inference_cost.simulate.world.clock import ALMOST, next_change, serve_until
from inference_cost.simulate.world.fidelity import settle
from inference_cost.simulate.world.state import LIVE, NOW, Floats, Ints


@compiled
def advance(spot: SpotWorld, interval: float, woken_by_notice: bool = False) -> bool:
    """Go on to the next multiple of `interval` seconds or change of the demand; False once the run is over.

    Or to the next notice, where that wakes whoever decides.
    """
    world, numbers, seconds = spot.world, spot.world.numbers, spot.world.conditions.seconds
    until = (np.floor((numbers[NOW] + ALMOST) / interval) + 1.0) * interval
    until = min(until, _next_time(spot.demand_at, spot.rows[DEMAND_ROW]))
    over = until > seconds - ALMOST
    until = min(until, seconds)
    woken = False
    while numbers[NOW] < until - ALMOST and not woken:
        market = _next_time(spot.market.times, spot.rows[MARKET_ROW])
        _serve_until(spot, min(next_change(world, until), market, spot.fleet.next_gone[0]))
        woken = woken_by_notice and bool(np.sum(spot.fleet.preempted) > 0)
    while _next_time(spot.demand_at, spot.rows[DEMAND_ROW]) <= numbers[NOW] + ALMOST:
        spot.rows[DEMAND_ROW] += 1
    over = over and not woken
    if over:
        settle(world)
    return not over


@compiled
def _next_time(times: Floats, row: int) -> float:
    return float(times[row + 1]) if row + 1 < len(times) else np.inf


@compiled
def _serve_until(spot: SpotWorld, end: float) -> None:
    world, fleet, now = spot.world, spot.fleet, spot.world.numbers[NOW]
    i = int(now / world.conditions.bin_seconds + ALMOST)
    for zone in range(len(fleet.live)):
        fleet.billed[zone, i] += fleet.live[zone] * (end - now)
    serve_until(world, end)
    if _next_time(spot.market.times, spot.rows[MARKET_ROW]) <= end:
        spot.rows[MARKET_ROW] += 1
        listed = world.replicas.listed[: world.counts[LIVE]]
        _lose_zones(spot.market, spot.rows[MARKET_ROW], fleet, listed)
    if fleet.next_gone[0] <= end:
        take_away(spot)


@compiled
def _lose_zones(market: Market, row: int, fleet: SpotFleet, listed: Ints) -> None:
    """Zones that have nothing from this row of the market on."""
    gone_at = market.times[row] + market.notice_seconds
    for zone in range(len(fleet.live)):
        if market.available[row, zone] == 0 and fleet.live[zone] > 0:
            give_notice(fleet, listed, zone, gone_at)
