"""Latency of one replica at a given load, and the largest load at which the objective still holds.

Greedy batching (no queue delay) is read from `latency_table.json`, made by `latency_table_generate.py` from the
exact Markov chain. The other ways Triton forms batches are that table times a measured, cautious share.
Routing is taken as random, the worst a Service does with short connections; see `routing.py` for better.
"""

import json
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from math import log, log2
from typing import Final

import numpy as np

from inference_cost.decide.headroom.lateness import Cell, Table, late_curve
from inference_cost.decide.headroom.learned import Floats
from inference_cost.model.policy import LatencyObjective, Objective
from inference_cost.model.reading import Missing
from inference_cost.model.signals import ModelConfiguration

_DATA: Final = json.loads(
    resources.files(__package__).joinpath("latency_table.json").read_text(encoding="utf-8")
)
_LOADS: Final[list[float]] = _DATA["loads"]
_SHARES: Final[list[float]] = _DATA["perItemShares"]
_BATCHES: Final[list[float]] = [log2(size) for size in _DATA["batchSizes"]]
_CELLS: Final[list[list[list[list[float]]]]] = _DATA["cells"]
# Quantiles are interpolated in -ln(1 - q), in which tails are nearly straight.
_TAILS: Final[list[float]] = [-log(1 - quantile) for quantile in _DATA["quantiles"]]
_TABLE: Final = Table(np.array(_CELLS), np.array(_LOADS), np.array([0.0, *_TAILS]))

LARGEST_LOAD: Final = 0.95  # of capacity, whatever the objective: beyond it queues are too volatile
UNREACHABLE_LOAD: Final = 0.5  # where even an idle replica is too slow, more replicas do not help
OVERLOADED_SECONDS: Final = 3600.0  # stands for "grows without end"

# Largest load with a queue delay or unknown batching, as a share of greedy's, by threshold ÷ t(B);
# measured on Triton 2.51 for fixed cost dominating (the worst of the profiles) and for cost per item dominating.
_THRESHOLDS: Final = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0)
_DELAYED_FIXED_COST: Final = (0.10, 0.15, 0.30, 0.60, 0.79, 0.87, 0.96)
_DELAYED_COST_PER_ITEM: Final = (0.70, 0.79, 0.86, 0.92, 0.93, 0.95, 0.98)
_FIXED_COST_SHARE: Final = 0.5
_COST_PER_ITEM_SHARE: Final = 0.8
COLUMNS_KEPT: Final = 256  # a tick asks several times in a row for the same replica
TARGETS_KEPT: Final = 64
_STALLS: Final = 0.85  # a queue policy lets the instance idle after some batches


class Batching(StrEnum):
    """How Triton forms batches; the modes are explained in docs/how-it-decides.md."""

    GREEDY = "Greedy"
    DELAYED = "Delayed"  # a queue delay is set
    STALLING = "Stalling"  # a queue policy is set
    UNKNOWN = "Unknown"  # taken as delayed


DELAY_WITHOUT_EFFECT_SECONDS: Final = 0.0001


def batching_of(configuration: ModelConfiguration | Missing) -> Batching:
    if isinstance(configuration, Missing):
        return Batching.UNKNOWN
    if configuration.queue_policy:
        return Batching.STALLING
    if configuration.queue_delay_seconds > DELAY_WITHOUT_EFFECT_SECONDS:
        return Batching.DELAYED
    return Batching.GREEDY


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """What latency depends on: batch time α + β·b seconds, largest batch, and how batches are formed."""

    alpha_seconds: float
    beta_seconds: float
    max_batch_size: int
    batching: Batching

    @property
    def full_batch_seconds(self) -> float:
        return self.alpha_seconds + self.beta_seconds * self.max_batch_size

    @property
    def capacity(self) -> float:
        """Inferences per second with full batches."""
        return self.max_batch_size / self.full_batch_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class LargestLoad:
    """Inferences per second of one replica; `reachable` is False where no number of replicas helps."""

    per_second: float
    reachable: bool


def largest_load(replica: Replica, objective: Objective) -> LargestLoad:
    full = replica.full_batch_seconds
    threshold, capacity = threshold_seconds(objective) / full, replica.max_batch_size / full
    times = _column(replica, objective)
    if times[0] > threshold:
        return LargestLoad(per_second=UNREACHABLE_LOAD * capacity, reachable=False)
    load = _load_within(times, threshold) * _share_of_greedy(replica, threshold)
    return LargestLoad(per_second=min(load, LARGEST_LOAD) * capacity, reachable=True)


def seconds_at(replica: Replica, objective: Objective, load: float) -> float:
    """The objective's percentile (or mean queue time) in seconds at `load` inferences/s on one replica."""
    times = _column(replica, objective)
    full = replica.full_batch_seconds
    rho = load / (replica.max_batch_size / full)
    if replica.batching is not Batching.GREEDY:
        rho /= _share_of_greedy(replica, threshold_seconds(objective) / full)
    if rho >= 1.0:
        return OVERLOADED_SECONDS
    if rho > _LOADS[-1]:  # waiting grows as 1/(1 - ρ) towards capacity
        return min(times[-1] * full * (1 - _LOADS[-1]) / (1 - rho), OVERLOADED_SECONDS)
    return interpolate(_LOADS, times, rho) * full


def load_at(replica: Replica, objective: Objective, seconds: float) -> float:
    """Largest share of capacity at which a greedy replica's percentile is within `seconds`."""
    times = _column(replica, objective)
    threshold = seconds / replica.full_batch_seconds
    return _LOADS[0] if times[0] > threshold else _load_within(times, threshold)


def late_share(replica: Replica, threshold_seconds: float, load: float) -> float:
    """Share of requests that take longer than the threshold at `load`, a share of capacity."""
    return float(late_shares(replica, threshold_seconds, np.array([load]))[0])


def late_shares(replica: Replica, threshold_seconds: float, loads: Floats) -> Floats:
    """The same of several loads."""
    threshold = threshold_seconds / replica.full_batch_seconds
    greedy = loads / _share_of_greedy(replica, threshold)
    return late_curve(_TABLE, _cell(replica), threshold, greedy)


def threshold_seconds(objective: Objective) -> float:
    """Of a latency, or of a mean queue time."""
    if isinstance(objective, LatencyObjective):
        return objective.threshold_seconds
    return objective.mean_seconds


def _share_of_greedy(replica: Replica, threshold: float) -> float:
    if replica.batching is Batching.GREEDY or replica.max_batch_size == 1:
        return 1.0
    if replica.batching is Batching.STALLING:
        return _STALLS
    per_item = replica.beta_seconds * replica.max_batch_size / replica.full_batch_seconds
    weight = (per_item - _FIXED_COST_SHARE) / (_COST_PER_ITEM_SHARE - _FIXED_COST_SHARE)
    weight = min(max(weight, 0.0), 1.0)
    fixed = interpolate(_THRESHOLDS, _DELAYED_FIXED_COST, threshold)
    item = interpolate(_THRESHOLDS, _DELAYED_COST_PER_ITEM, threshold)
    return fixed + weight * (item - fixed)


@lru_cache(maxsize=COLUMNS_KEPT)
def _column(replica: Replica, objective: Objective) -> tuple[float, ...]:
    """Times by load, in units of t(B), between the four nearest cells."""
    target = objective.target_fraction if isinstance(objective, LatencyObjective) else None
    columns, cell = _columns(target), _cell(replica)
    more_batch, more_share = cell.batch_weight, cell.share_weight
    corners = zip(
        *columns[cell.batch][cell.share : cell.share + 2],
        *columns[cell.batch + 1][cell.share : cell.share + 2],
        strict=True,
    )
    first, second = (1 - more_batch) * (1 - more_share), (1 - more_batch) * more_share
    third, fourth = more_batch * (1 - more_share), more_batch * more_share
    return tuple([a * first + b * second + c * third + d * fourth for a, b, c, d in corners])


def _cell(replica: Replica) -> Cell:
    per_item = replica.beta_seconds * replica.max_batch_size / replica.full_batch_seconds
    share, share_weight = bracket(_SHARES, per_item)
    batch, batch_weight = bracket(_BATCHES, log2(replica.max_batch_size))
    return Cell(batch, batch_weight, share, share_weight)


@lru_cache(maxsize=TARGETS_KEPT)
def _columns(target_fraction: float | None) -> list[list[tuple[float, ...]]]:
    """Of all cells: the percentile by load, or the mean queue time."""
    read = _reader(target_fraction)
    return [[tuple(read(figures) for figures in cell) for cell in row] for row in _CELLS]


def _reader(target_fraction: float | None) -> Callable[[list[float]], float]:
    if target_fraction is None:
        return lambda figures: figures[0]
    tail = -log(max(1 - target_fraction, 1e-9))
    lower = min(max(bisect_right(_TAILS, tail) - 1, 0), len(_TAILS) - 2)
    weight = max((tail - _TAILS[lower]) / (_TAILS[lower + 1] - _TAILS[lower]), 0.0)
    return lambda figures: figures[lower + 1] + weight * (figures[lower + 2] - figures[lower + 1])


def _load_within(times: Sequence[float], threshold: float) -> float:
    """Largest load whose time is within the threshold; `times` rise with load."""
    above = bisect_right(times, threshold, 1)
    if above == len(times):
        return LARGEST_LOAD
    weight = (threshold - times[above - 1]) / (times[above] - times[above - 1])
    return _LOADS[above - 1] + weight * (_LOADS[above] - _LOADS[above - 1])


def bracket(grid: Sequence[float], value: float) -> tuple[int, float]:
    """Index of the lower neighbor and the weight of the upper one; values outside use the edge."""
    lower = min(max(bisect_right(grid, value) - 1, 0), len(grid) - 2)
    weight = (value - grid[lower]) / (grid[lower + 1] - grid[lower])
    return lower, min(max(weight, 0.0), 1.0)


def interpolate(grid: Sequence[float], values: Sequence[float], at: float) -> float:
    lower, weight = bracket(grid, at)
    return values[lower] + weight * (values[lower + 1] - values[lower])
