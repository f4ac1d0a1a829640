"""What the lower bound is asked for: demand, prices and limits, and what a given schedule is billed."""

from dataclasses import dataclass
from math import ceil, isfinite
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference_cost.simulate.bound_paths import NEGLIGIBLE, Demand, OnDemandDollars
from inference_cost.simulate.bound_spot import SpotMarket

_SECONDS_PER_HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoundTask:
    """A demand and what its replicas cost: the parameters of `lower_bound`, checked."""

    counts: NDArray[np.float64]
    step_seconds: float
    goodput_per_second: float
    price_per_hour: float
    start_seconds: float
    minimum_billing_seconds: float
    late_fraction: float
    min_replicas: int
    max_replicas: int | None
    spot: SpotMarket | None

    def __post_init__(self) -> None:
        if self.counts.ndim != 1 or len(self.counts) == 0:
            raise ValueError("counts must have one dimension and at least one step")
        if not bool(np.all(np.isfinite(self.counts) & (self.counts >= 0))):
            raise ValueError("counts must be finite and not negative")
        positive = (self.step_seconds, self.goodput_per_second, self.price_per_hour)
        if not all(isfinite(value) and value > 0 for value in positive):
            raise ValueError("step, goodput and price must be positive")
        if not all(0 <= s < np.inf for s in (self.start_seconds, self.minimum_billing_seconds)):
            raise ValueError("start and minimum billing time must not be negative")
        if not 0 <= self.late_fraction <= 1:
            raise ValueError("late_fraction must be between 0 and 1")
        most = np.inf if self.max_replicas is None else self.max_replicas
        if not 0 <= self.min_replicas <= most:
            raise ValueError("replicas must be limited by 0 <= min_replicas <= max_replicas")
        if self.spot is not None and self.spot.price_per_hour.shape != self.counts.shape:
            raise ValueError("spot prices and counts must have the same steps")

    @property
    def capacity(self) -> float:
        """Good requests of one replica in one step."""
        return self.goodput_per_second * self.step_seconds

    @property
    def demand(self) -> Demand:
        return Demand(self.counts, self.capacity)

    @property
    def levels(self) -> int:
        """Replicas beyond which none is of use."""
        useful = ceil(float(self.counts.max()) / self.capacity - NEGLIGIBLE)
        allowed = useful if self.max_replicas is None else min(useful, self.max_replicas)
        return max(allowed, self.min_replicas)

    def late(self, replicas: NDArray[np.int64] | int) -> float:
        """Requests that so many replicas leave late, at the least."""
        excess = self.counts - replicas * self.capacity
        return float(excess[excess > NEGLIGIBLE * self.capacity].sum())

    def attainment(self, replicas: NDArray[np.int64]) -> float:
        """Share of good requests, at the most."""
        return 1.0 - self.late(replicas) / self.requests if self.requests > 0 else 1.0

    @property
    def requests(self) -> float:
        return float(self.counts.sum())

    @property
    def late_allowed(self) -> float:
        """Rounding forgiven: a policy's own late share may be what `max_replicas` make unavoidable."""
        allowed, unavoidable = self.late_fraction * self.requests, self.late(self.levels)
        forgiven = unavoidable <= allowed + NEGLIGIBLE * self.requests
        return max(allowed, unavoidable) if forgiven else allowed

    def on_demand_dollars(self, running_share: float) -> OnDemandDollars:
        """Charges per step and per start with the weight w = `running_share`, see `bound`."""
        step_dollars = self.price_per_hour * self.step_seconds / _SECONDS_PER_HOUR
        least_billed = (1 - running_share) * self._least_billed_seconds()
        start_seconds = running_share * self.start_seconds + least_billed
        return OnDemandDollars(
            running=np.full(len(self.counts), running_share * step_dollars),
            start=start_seconds * self.price_per_hour / _SECONDS_PER_HOUR,
        )

    def _least_billed_seconds(self) -> NDArray[np.float64]:
        """Of a replica that serves from each step on, shape (steps,); no bill goes beyond the last step."""
        left = np.arange(len(self.counts), 0, -1) * self.step_seconds
        return np.asarray(
            np.minimum(self.minimum_billing_seconds, self.start_seconds + left), np.float64
        )

    def bill(self, on_demand: NDArray[np.int64], spot: NDArray[np.int64]) -> float:
        """Dollars of a schedule; whichever replica was started first is stopped first."""
        change = np.diff(on_demand, prepend=0)
        steps = np.arange(len(on_demand))
        begins = np.repeat(steps, np.maximum(change, 0))
        ends = np.repeat(steps, np.maximum(-change, 0))
        ends = np.concatenate([ends, np.full(len(begins) - len(ends), len(steps))])
        seconds = (ends - begins) * self.step_seconds
        least = self._least_billed_seconds()[begins]
        billed = np.where(begins > 0, np.maximum(self.start_seconds + seconds, least), seconds)
        return float(billed.sum()) * self.price_per_hour / _SECONDS_PER_HOUR + self._bill_spot(spot)

    def _bill_spot(self, spot: NDArray[np.int64]) -> float:
        if self.spot is None:
            return 0.0
        start = self.spot.start_dollars(
            step_seconds=self.step_seconds, start_seconds=self.start_seconds
        )
        running = np.where(self.spot.available, self.spot.running_dollars(self.step_seconds), 0.0)
        return float(running @ spot + start[1:] @ np.maximum(np.diff(spot), 0))
