"""The cheapest paths of the levels of a fleet for one price of a late request; compiled.

Level j (from 0) stands for the (j+1)th replica that serves: of a step's requests it takes what the levels below leave
over, at most `capacity`. The cheapest path of each level is an exact dynamic program over the steps. Time is
O(steps x levels), memory O(steps): one byte per step remembers where the path came from.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference_cost.simulate.compiled import compiled

# A remainder below this share of a full step is rounding, not demand: nobody serves it, and it is late for nobody.
NEGLIGIBLE: Final = 1e-9

OFF: Final = 0
ON_DEMAND: Final = 1
SPOT: Final = 2
_BITS: Final = 2  # per state, in the byte of a step
_MASK: Final = 3


class OnDemandDollars(NamedTuple):
    """Dollars per step, each of shape (steps,): for being on, and for a start that serves from that step on."""

    running: NDArray[np.float64]
    start: NDArray[np.float64]


class SpotDollars(NamedTuple):
    """Dollars of the moves between two steps, booked in the later one, each of shape (steps,).

    `spot_running` is infinite where there is no spot. The first step is entered for nothing.
    """

    running: NDArray[np.float64]
    start: NDArray[np.float64]
    spot_running: NDArray[np.float64]
    spot_start: NDArray[np.float64]
    spot_stop: NDArray[np.float64]
    to_spot: NDArray[np.float64]
    to_on_demand: NDArray[np.float64]


class Demand(NamedTuple):
    """Requests per step, shape (steps,), and how many of them one replica serves well."""

    counts: NDArray[np.float64]
    capacity: float


@compiled
def cheapest_on_demand(
    demand: Demand,
    levels: tuple[int, int],
    late_price: float,
    dollars: OnDemandDollars,
    on_demand: NDArray[np.int64],
) -> tuple[float, float]:
    """Dollars of the levels `levels[0] <= j < levels[1]`, late requests at their price included; late requests.

    Adds the replicas to `on_demand`, shape (steps,).
    """
    comes_from = np.empty(len(demand.counts), np.uint8)
    value, late = 0.0, 0.0
    for level in range(levels[0], levels[1]):
        wanted = level_demand(demand, level)
        least, last = _forward(wanted, late_price, dollars, comes_from)
        value += least
        late += _backward(wanted, last, comes_from, on_demand, on_demand)
    return value, late


@compiled
def cheapest_with_spot(
    demand: Demand,
    levels: tuple[int, int],
    off_dollars: tuple[float, float],
    dollars: SpotDollars,
    schedules: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> tuple[float, float]:
    """As `cheapest_on_demand` with spot as third state; `schedules` are of on-demand and of spot replicas.

    `off_dollars`: per late request, and per step off (infinite for levels that may not be off).
    """
    comes_from = np.empty(len(demand.counts), np.uint8)
    value, late = 0.0, 0.0
    for level in range(levels[0], levels[1]):
        wanted = level_demand(demand, level)
        least, last = _forward_with_spot(wanted, off_dollars, dollars, comes_from)
        value += least
        late += _backward(wanted, last, comes_from, schedules[0], schedules[1])
    return value, late


@compiled
def level_demand(demand: Demand, level: int) -> NDArray[np.float64]:
    """Requests per step that the level can serve, and that are late while it is off, shape (steps,)."""
    wanted = np.empty(len(demand.counts))
    for t in range(len(wanted)):
        rest = min(demand.counts[t] - level * demand.capacity, demand.capacity)
        wanted[t] = rest if rest > NEGLIGIBLE * demand.capacity else 0.0
    return wanted


@compiled
def _forward(
    wanted: NDArray[np.float64],
    late_price: float,
    dollars: OnDemandDollars,
    comes_from: NDArray[np.uint8],
) -> tuple[float, int]:
    """Dollars of the cheapest path and its last state."""
    off = late_price * wanted[0]
    on = dollars.running[0]
    for t in range(1, len(wanted)):
        started = off + dollars.start[t]
        before_off = ON_DEMAND if on < off else OFF
        before_on = ON_DEMAND if on <= started else OFF
        comes_from[t] = before_off | before_on << _BITS
        off, on = min(off, on), min(on, started)
        off += late_price * wanted[t]
        on += dollars.running[t]
    return min(off, on), (ON_DEMAND if on < off else OFF)


@compiled
def _forward_with_spot(
    wanted: NDArray[np.float64],
    off_dollars: tuple[float, float],
    dollars: SpotDollars,
    comes_from: NDArray[np.uint8],
) -> tuple[float, int]:
    """Dollars of the cheapest path and its last state."""
    late_price, per_step_off = off_dollars
    off = late_price * wanted[0] + per_step_off
    on = dollars.running[0]
    spot = dollars.spot_running[0]
    for t in range(1, len(wanted)):
        to_off, next_off = _least(off, on, spot + dollars.spot_stop[t])
        to_on, next_on = _least(off + dollars.start[t], on, spot + dollars.to_on_demand[t])
        to_spot, next_spot = _least(off + dollars.spot_start[t], on + dollars.to_spot[t], spot)
        comes_from[t] = to_off | to_on << _BITS | to_spot << 2 * _BITS
        off = next_off + late_price * wanted[t] + per_step_off
        on = next_on + dollars.running[t]
        spot = next_spot + dollars.spot_running[t]
    last, value = _least(off, on, spot)
    return value, last


@compiled
def _least(off: float, on_demand: float, spot: float) -> tuple[int, float]:
    """The state of least dollars, and these."""
    if off <= on_demand and off <= spot:
        return OFF, off
    if on_demand <= spot:
        return ON_DEMAND, on_demand
    return SPOT, spot


@compiled
def _backward(
    wanted: NDArray[np.float64],
    last: int,
    comes_from: NDArray[np.uint8],
    on_demand: NDArray[np.int64],
    spot: NDArray[np.int64],
) -> float:
    """Add the path that ends in the state `last` to the schedules; the requests that are late on it."""
    late, state = 0.0, last
    for t in range(len(wanted) - 1, -1, -1):
        if state == ON_DEMAND:
            on_demand[t] += 1
        elif state == SPOT:
            spot[t] += 1
        else:
            late += wanted[t]
        state = (comes_from[t] >> state * _BITS) & _MASK
    return late
