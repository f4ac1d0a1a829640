"""Maximize the dual of "cheapest paths with at most so many late requests" over the price of a late request."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

# The search ends when the tangents leave no more than this share of the value to win.
_PRECISION: Final = 1e-12
_MOST_EVALUATIONS: Final = 200


class TooManyLateError(ValueError):
    """No paths have as few late requests as are allowed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Paths:
    """The cheapest paths for one price of a late request: dollars without the late requests, late requests, replicas.

    The schedules have shape (steps,).
    """

    late_price: float
    dollars: float
    late: float
    on_demand: NDArray[np.int64]
    spot: NDArray[np.int64]

    def dual(self, late_price: float, allowed: float) -> float:
        """Dollars of these paths where a late request beyond the allowed ones costs `late_price`."""
        return self.dollars + late_price * (self.late - allowed)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Optimum:
    """The greatest dual value in dollars, its price of a late request, and the cheapest feasible paths met."""

    dollars: float
    late_price: float
    feasible: Paths


def maximize_dual(
    cheapest: Callable[[float], Paths], *, allowed: float, highest_price: float
) -> Optimum:
    """The dual is concave and piecewise linear in the price; the late requests of the paths are its slope.

    Two prices with slopes of opposite sign bracket the optimum. The next price is where their tangents meet. There
    either no paths are cheaper than the two, and the meeting point is the optimum exactly, or the new paths replace
    one of the two (on a smooth dual this halves the slope and quarters the error each time). Every value met on the
    way is a lower bound, so ending early would be safe.

    Raises:
        TooManyLateError: even at the highest price more than `allowed` requests are late.
    """
    below, above = cheapest(0.0), cheapest(highest_price)
    if above.late > allowed:
        raise TooManyLateError(
            f"at least {above.late:g} requests are late, {allowed:g} are allowed"
        )
    if below.late <= allowed:
        return Optimum(dollars=below.dollars, late_price=0.0, feasible=below)
    best, price = max(above.dual(highest_price, allowed), below.dollars), highest_price
    for _ in range(_MOST_EVALUATIONS):
        price = (above.dollars - below.dollars) / (below.late - above.late)
        middle, reachable = cheapest(price), above.dual(price, allowed)
        best = max(best, middle.dual(price, allowed))
        below, above = (middle, above) if middle.late > allowed else (below, middle)
        if reachable - middle.dual(price, allowed) <= _PRECISION * reachable:
            break
    return Optimum(dollars=best, late_price=price, feasible=above)
