"""Dollars of the moves of one level between off, on-demand and spot, such that their sum is a lower bound.

The obvious charges (a start in full whenever a level changes to another kind) are NOT a lower bound. Let one on-demand
replica serve in the steps 0-9 and one spot replica in the steps 5-14: one start of spot. As levels, the first is on
all the time and must change to spot when the on-demand replica stops, while the second is on in 5-9 with a start of
its own: two starts. A spot replica started for a peak may take over from an on-demand one that stops after the peak.

So the charges are derived from a schedule (a on-demand, s spot replicas per step) whose levels are labelled anew in
each step, the on-demand ones lowest. Per step it truly pays K (a' - a)+ + k (s' - s)+, with K and k the starts. Let
R levels go from spot to on-demand, Q back, A from off to spot, E from spot to off, and D from off to on-demand. Then

    (a' - a)+ = R + D          the lowest levels are on-demand, so none moves away while one moves in
    s' - s    = A + Q - R - E  counting
    (s' - s)+ >= A - R         A > 0 only if more replicas serve than before, and then E = 0

and for all h, i >= 0 with h + i <= k: k (s' - s)+ >= h (A + Q - R - E) + i (A - R). Therefore

    off to spot h + i | on-demand to spot h | spot to off -h | spot to on-demand K - h - i | off to on-demand K

never add up to more than the schedule pays. h and i are free in each step, and decide how tight the bound is. With
h = 0, i = k a level may turn to spot for nothing and turn back for K - k, which it would do at the two ends of a spell
of spot. So h = k when a spell begins, falling by what each step of spot saves: waiting with the change gains nothing.
And i falls to zero towards the end of the spell by the same amounts: turning back before the end gains nothing.
"""

from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference_cost.simulate.bound_paths import OnDemandDollars, SpotDollars

_SECONDS_PER_HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpotMarket:
    """The cheapest spot replica in each step: `price_per_hour` in dollars, shape (steps,), infinite where none is."""

    price_per_hour: NDArray[np.float64]

    def __post_init__(self) -> None:
        if not bool(np.all(self.price_per_hour >= 0)):
            raise ValueError(
                "spot prices must be numbers, not negative; infinity where there is no spot"
            )

    @property
    def available(self) -> NDArray[np.bool_]:
        return np.isfinite(self.price_per_hour)

    def running_dollars(self, step_seconds: float) -> NDArray[np.float64]:
        """Of one replica in each step, shape (steps,)."""
        return self.price_per_hour * step_seconds / _SECONDS_PER_HOUR

    def start_dollars(self, *, step_seconds: float, start_seconds: float) -> NDArray[np.float64]:
        """Of a start that serves from each step on, at the lowest price of the start-up time, shape (steps,)."""
        before = np.full(ceil(start_seconds / step_seconds), np.inf)
        prices = np.concatenate([before, self.price_per_hour])
        lowest = np.lib.stride_tricks.sliding_window_view(prices, len(before) + 1).min(axis=1)
        return np.where(self.available, lowest, 0.0) * start_seconds / _SECONDS_PER_HOUR


def bounding_charges(
    market: SpotMarket, on_demand: OnDemandDollars, *, step_seconds: float, start_seconds: float
) -> SpotDollars:
    """Charges as derived above: no schedule pays less than its levels are charged."""
    running = market.running_dollars(step_seconds)
    start = market.start_dollars(step_seconds=step_seconds, start_seconds=start_seconds)
    saved = np.where(market.available, np.maximum(on_demand.running - running, 0.0), 0.0)
    since, left = _saved_in_spell(market.available, saved)
    most = np.minimum(
        start, on_demand.start
    )  # no reward for the change from dear spot to on-demand
    h = np.where(market.available, np.maximum(most - since, 0.0), 0.0)
    i = np.minimum(most - h, left)
    return SpotDollars(
        running=on_demand.running,
        start=on_demand.start,
        spot_running=running,
        spot_start=h + i,
        spot_stop=-h,
        to_spot=h,
        to_on_demand=on_demand.start - h - i,
    )


def full_charges(
    market: SpotMarket, on_demand: OnDemandDollars, *, step_seconds: float, start_seconds: float
) -> SpotDollars:
    """A start in full at each change of kind: no bound, but the schedule of these paths costs no more than they do."""
    start = market.start_dollars(step_seconds=step_seconds, start_seconds=start_seconds)
    return SpotDollars(
        running=on_demand.running,
        start=on_demand.start,
        spot_running=market.running_dollars(step_seconds),
        spot_start=start,
        spot_stop=np.zeros_like(start),
        to_spot=start,
        to_on_demand=on_demand.start,
    )


def _saved_in_spell(
    available: NDArray[np.bool_], saved: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Dollars saved by spot from the begin of the spell to before each step, and from the step to the spell's end.

    Infinite for the spell that was there from the first step on (it is entered for nothing), and for the one that
    outlasts the last step (nobody must leave it).
    """
    before = np.concatenate([[0.0], np.cumsum(saved)])
    gaps = np.flatnonzero(~available)
    position = np.searchsorted(gaps, np.arange(len(saved)))  # of the first gap at or after the step
    begins = np.concatenate([[-np.inf], before[gaps + 1]])[position]
    ends = np.concatenate([before[gaps], [np.inf]])[position]
    return before[:-1] - begins, ends - before[:-1]
