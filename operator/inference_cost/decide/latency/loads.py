"""Latency of one replica at a given load, and the largest load at which the objective still holds.

Read from tables (`tables.py`), one for each way in which Triton forms batches.
Routing is taken as random, the worst a Service does with short connections; see `routing.py` for better.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import log
from typing import Final

import numpy as np

from inference_cost.decide.headroom.lateness import Grid, between_figures, late_curve, time_curve
from inference_cost.decide.headroom.learned import Floats
from inference_cost.decide.latency.tables import (
    LOADS,
    TAILS,
    Batching,
    Replica,
    figures_by_load,
    interpolate,
)
from inference_cost.model.policy import LatencyObjective, ServiceObjective
from inference_cost.model.reading import Missing
from inference_cost.model.signals import ModelConfiguration

LARGEST_LOAD: Final = 0.95  # of capacity, whatever the objective: beyond it queues are too volatile
UNREACHABLE_LOAD: Final = 0.5  # where even an idle replica is too slow, more replicas do not help
OVERLOADED_SECONDS: Final = 3600.0  # stands for "grows without end"
STALLING_SHARE: Final = (
    0.85  # of capacity; a queue policy lets the instance idle after some batches
)
DELAY_WITHOUT_EFFECT_SECONDS: Final = 0.0001
COLUMNS_KEPT: Final = 4096  # a tick asks several times for the same replica
_GRID: Final = Grid(np.array(LOADS), np.array([0.0, *TAILS]))


def batching_of(configuration: ModelConfiguration | Missing) -> Batching:
    if isinstance(configuration, Missing):
        return Batching.UNKNOWN
    if configuration.queue_policy:
        return Batching.STALLING
    if configuration.queue_delay_seconds > DELAY_WITHOUT_EFFECT_SECONDS:
        return Batching.DELAYED
    return Batching.GREEDY


@dataclass(frozen=True, slots=True, kw_only=True)
class LargestLoad:
    """Inferences per second of one replica; `reachable` is False where no number of replicas helps."""

    per_second: float
    reachable: bool


def largest_load(replica: Replica, objective: ServiceObjective) -> LargestLoad:
    threshold = threshold_seconds(objective) / replica.full_batch_seconds
    times = _column(replica, objective)
    if times[0] > threshold:
        return LargestLoad(per_second=UNREACHABLE_LOAD * replica.capacity, reachable=False)
    load = _load_within(times, threshold)
    return LargestLoad(per_second=min(load, LARGEST_LOAD) * replica.capacity, reachable=True)


def full_load(replica: Replica) -> LargestLoad:
    """Of a replica that is never idle, where requests may wait: all its batches are full, none waits for more."""
    share = STALLING_SHARE if replica.batching is Batching.STALLING else 1.0
    return LargestLoad(per_second=share * replica.capacity, reachable=True)


def seconds_at(replica: Replica, objective: ServiceObjective, load: float) -> float:
    """The objective's percentile (or mean queue time) in seconds at `load` inferences/s on one replica."""
    times = _column(replica, objective)
    rho, full = load / replica.capacity, replica.full_batch_seconds
    if rho >= 1.0:
        return OVERLOADED_SECONDS
    if rho > LOADS[-1]:  # waiting grows as 1/(1 - ρ) towards capacity
        return min(times[-1] * full * (1 - LOADS[-1]) / (1 - rho), OVERLOADED_SECONDS)
    return interpolate(LOADS, times, rho) * full


def load_at(replica: Replica, objective: ServiceObjective, seconds: float) -> float:
    """Largest share of capacity at which the percentile is within `seconds`."""
    times = _column(replica, objective)
    threshold = seconds / replica.full_batch_seconds
    return LOADS[0] if times[0] > threshold else _load_within(times, threshold)


def late_share(replica: Replica, threshold_seconds: float, load: float) -> float:
    """Share of requests that take longer than the threshold at `load`, a share of capacity."""
    return float(late_shares(replica, threshold_seconds, np.array([load]))[0])


def late_shares(replica: Replica, threshold_seconds: float, loads: Floats) -> Floats:
    """The same of several loads."""
    threshold = threshold_seconds / replica.full_batch_seconds
    return late_curve(_GRID, figures_by_load(replica), threshold, loads)


def queue_seconds(replica: Replica, loads: Floats) -> Floats:
    """Mean seconds in Triton's queue at each of the loads, shares of capacity below 1."""
    mean_queue = figures_by_load(replica)[:, 0]
    return time_curve(_GRID, mean_queue, loads) * replica.full_batch_seconds


def threshold_seconds(objective: ServiceObjective) -> float:
    """Of a latency, or of a mean queue time."""
    if isinstance(objective, LatencyObjective):
        return objective.threshold_seconds
    return objective.mean_seconds


@lru_cache(maxsize=COLUMNS_KEPT)
def _column(replica: Replica, objective: ServiceObjective) -> tuple[float, ...]:
    """Times by load, in units of t(B)."""
    figures = figures_by_load(replica)
    if not isinstance(objective, LatencyObjective):
        return tuple(figures[:, 0].tolist())
    lower, weight = _between_quantiles(objective.target_fraction)
    return tuple(between_figures(figures, lower + 1, weight).tolist())


def _between_quantiles(target_fraction: float) -> tuple[int, float]:
    """Index of the lower one and the weight of the upper one, which is above 1 beyond the last."""
    tail = -log(max(1 - target_fraction, 1e-9))
    lower = min(max(bisect_right(TAILS, tail) - 1, 0), len(TAILS) - 2)
    return lower, max((tail - TAILS[lower]) / (TAILS[lower + 1] - TAILS[lower]), 0.0)


def _load_within(times: Sequence[float], threshold: float) -> float:
    """Largest load whose time is within the threshold; `times` rise with load."""
    for i, (earlier, later) in enumerate(pairwise(times)):
        if later > threshold:
            weight = (threshold - earlier) / (later - earlier)
            return LOADS[i] + weight * (LOADS[i + 1] - LOADS[i])
    return LARGEST_LOAD
