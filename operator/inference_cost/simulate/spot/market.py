"""The spot market as arrays: availability by zone over time, and the cheapest zone per step for the lower bound."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference_cost.simulate import bound_spot
from inference_cost.simulate.scenario import SpotMarket
from inference_cost.simulate.world.state import Floats, Ints


class Market(NamedTuple):
    """`available[i]`, per zone 1 or 0, holds from `times[i]` until the next time; `times[0]` is 0 or earlier."""

    times: Floats
    available: Ints
    price: Floats  # dollars per replica and hour, by zone
    notice_seconds: float


def market_of(given: SpotMarket) -> Market:
    """Before its first time the market has nothing.

    Raises:
        ValueError: shapes do not fit, or the times do not ascend.
    """
    times, rows = given.times_seconds, given.available.astype(np.int64)
    if rows.shape != (len(times), len(given.zones)) or len(given.price_per_hour) != rows.shape[1]:
        raise ValueError("--spot-availability: times, zones and prices do not fit together")
    if rows.size == 0 or not bool(np.all(np.diff(times) > 0)):
        raise ValueError("--spot-availability: there must be a zone, and times must ascend")
    if times[0] > 0:
        times = np.concatenate(([0.0], times))
        rows = np.vstack((np.zeros_like(rows[:1]), rows))
    return Market(
        times=times.astype(np.float64),
        available=np.ascontiguousarray(rows),
        price=np.array([float(price) for price in given.price_per_hour]),
        notice_seconds=given.notice_seconds,
    )


def cheapest_by_step(
    given: SpotMarket, *, steps: int, step_seconds: float
) -> bound_spot.SpotMarket:
    """The least price at which a spot replica can serve at any moment of a step.

    A zone counts until the notice has run out, since its replicas serve until then. That a start is not possible any
    more after the notice is not seen: the bound is still one.
    """
    market = market_of(given)
    prices = np.full(steps, np.inf)
    for zone in range(len(market.price)):
        usable = _usable_steps(market, zone, steps, step_seconds)
        prices[usable] = np.minimum(prices[usable], market.price[zone])
    return bound_spot.SpotMarket(price_per_hour=prices)


def _usable_steps(market: Market, zone: int, steps: int, step_seconds: float) -> NDArray[np.bool_]:
    there = market.available[:, zone] > 0
    begins = market.times[there]
    ends = np.append(market.times[1:], np.inf)[there] + market.notice_seconds
    first = np.clip(np.floor(begins / step_seconds), 0, steps).astype(np.int64)
    last = np.clip(np.ceil(ends / step_seconds), 0, steps).astype(np.int64)
    change = np.zeros(steps + 1, np.int64)
    np.add.at(change, first, 1)
    np.add.at(change, last, -1)
    usable: NDArray[np.bool_] = np.cumsum(change)[:-1] > 0
    return usable
