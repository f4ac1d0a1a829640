"""One run: the traffic, the servers behind it, and the conditions under which a controller must act."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from math import inf

import numpy as np
from numpy.typing import NDArray

from inference_cost.model.policy import Policy
from inference_cost.simulate.service import Service
from inference_cost.simulate.traffic import Traffic


class Fidelity(StrEnum):
    STEP = "step"  # fluid, in steps of at most ten seconds
    REQUEST = "request"  # every request through its replica's batcher


class Routing(StrEnum):
    """How requests find a replica."""

    RANDOM = "random"  # as behind a plain Service
    LEAST_REQUEST = (
        "least-request"  # the less loaded of two drawn at random (Envoy's LEAST_REQUEST)
    )
    STICKY = "sticky"  # long-lived connections: a new replica gets load only as clients reconnect


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpotMarket:
    """Spot capacity by zone over time. `available[i, z]`: zone z has nodes from `times[i]` until the next time."""

    zones: tuple[str, ...]
    times_seconds: NDArray[np.float64]
    available: NDArray[np.bool_]
    price_per_hour: tuple[Decimal, ...]  # by zone
    notice_seconds: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What goes wrong. Times in seconds from the start of the run."""

    slower_from: float = inf
    slower_factor: float = 1.0  # on all service times, from then on
    unready_from: float = inf
    unready_until: float = inf  # in between no replica becomes ready
    failing_starts: float = 0.0  # share of the replicas that never become ready
    # Of work, in Triton's queue; what comes beyond is rejected and counted nowhere. (The lost wake-ups of a queue
    # policy are those of `Service.queue_policy`.)
    queue_limit_seconds: float = inf
    prior_error: float = (
        0.0  # share by which the operator is told too long service and start-up times
    )

    @property
    def borders(self) -> tuple[float, ...]:
        """When the conditions change."""
        times = {self.slower_from, self.unready_from, self.unready_until}
        return tuple(sorted(time for time in times if time < inf))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scenario:
    """Everything that two runs must share to be compared. Times in seconds."""

    policy: Policy  # its objective is a LatencyObjective
    traffic: Traffic
    service: Service
    price_per_hour: Decimal  # of one on-demand replica
    price_source: str  # "assumed", or the name of the CapacityPool
    start_seconds: float = 180.0
    start_samples: tuple[float, ...] = ()  # drawn from instead, where given
    metric_lag_seconds: float = 10.0
    scrape_seconds: float = 15.0
    tick_seconds: float = 15.0
    missing_fraction: float = 0.0  # of scrapes
    routing: Routing = Routing.RANDOM
    fidelity: Fidelity = Fidelity.STEP
    drain_seconds: float = 30.0
    minimum_billing_seconds: float = 0.0
    exclude_first_seconds: float = 600.0
    warm_replicas: int = 0  # kept ready at full price, start in `warm_start_seconds`
    warm_start_seconds: float = 20.0
    spot: SpotMarket | None = None
    seed: int = 0
    faults: Faults = Faults()
    stretch: float = 1.0  # by which service times and the objective were multiplied
