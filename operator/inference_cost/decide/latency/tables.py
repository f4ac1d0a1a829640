"""Latency of one replica by load, tabulated for each way in which Triton forms batches.

`latency_table.json` (greedy; exact) is made by `table_generate.py`, `batching_table.json` (a queue delay, a
queue policy; replayed request by request) by `simulate/batching_table_generate.py`. Everything is in units of t(B), the
time of a full batch.
"""

import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from math import log, log2
from typing import Any, Final

import numpy as np

from inference_cost.decide.headroom.lateness import Table, blended
from inference_cost.decide.headroom.learned import Floats


class Batching(StrEnum):
    """How Triton forms batches; the modes are explained in docs/how-it-decides.md."""

    GREEDY = "Greedy"
    DELAYED = "Delayed"  # a queue delay is set
    STALLING = "Stalling"  # a queue policy is set
    UNKNOWN = "Unknown"  # taken as a short queue delay, the slowest


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """What latency depends on: batch time α + β·b seconds, largest batch, and how batches are formed."""

    alpha_seconds: float
    beta_seconds: float
    max_batch_size: int
    batching: Batching
    queue_delay_seconds: float = 0.0  # of a delayed one

    @property
    def full_batch_seconds(self) -> float:
        return self.alpha_seconds + self.beta_seconds * self.max_batch_size

    @property
    def capacity(self) -> float:
        """Inferences per second with full batches."""
        return self.max_batch_size / self.full_batch_seconds


def _read(name: str) -> dict[str, Any]:
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


_EXACT: Final = _read("latency_table.json")
_REPLAYED: Final = _read("batching_table.json")
LOADS: Final[list[float]] = _EXACT["loads"]
# Quantiles are interpolated in -ln(1 - q), in which tails are nearly straight.
TAILS: Final[list[float]] = [-log(1 - quantile) for quantile in _EXACT["quantiles"]]
_DELAYS: Final[list[float]] = [log2(delay) for delay in _REPLAYED["delays"]]


def _table(of: dict[str, Any], cells: list[Any]) -> Table:
    batches = [log2(size) for size in of["batchSizes"]]
    return Table(np.array(batches), np.array(of["perItemShares"]), np.array(cells))


GREEDY: Final = _table(_EXACT, _EXACT["cells"])
DELAYED: Final = [_table(_REPLAYED, cells) for cells in _REPLAYED["delayed"]]
STALLING: Final = _table(_REPLAYED, _REPLAYED["stalling"])


def figures_by_load(replica: Replica) -> Floats:
    """(loads, figures) at each of `LOADS`, in units of t(B): the mean queue time, then the quantiles."""
    greedy = _blended(GREEDY, replica)
    if replica.batching is Batching.GREEDY or replica.max_batch_size == 1:
        return greedy
    if replica.batching is not Batching.STALLING:
        return np.maximum(greedy, _delayed(replica))
    # With a queue policy batches are not closed ahead, and an idle server still waits a queue delay out.
    waited = replica.queue_delay_seconds / replica.full_batch_seconds
    return np.maximum(greedy, _blended(STALLING, replica)) + waited


def _delayed(replica: Replica) -> Floats:
    """Between two delays. One that is longer than tabulated is waited out by an idle server."""
    delay = replica.queue_delay_seconds / replica.full_batch_seconds
    lower, weight = bracket(_DELAYS, log2(max(delay, 1e-9)))
    beyond = max(delay - 2 ** _DELAYS[-1], 0.0)
    shorter, longer = (_blended(DELAYED[i], replica) for i in (lower, lower + 1))
    return (1 - weight) * shorter + weight * longer + beyond


def _blended(table: Table, replica: Replica) -> Floats:
    per_item = replica.beta_seconds * replica.max_batch_size / replica.full_batch_seconds
    return blended(table, log2(replica.max_batch_size), per_item)


def bracket(grid: Sequence[float], value: float) -> tuple[int, float]:
    """Index of the lower neighbor and the weight of the upper one; values outside use the edge."""
    lower = min(max(bisect_right(grid, value) - 1, 0), len(grid) - 2)
    weight = (value - grid[lower]) / (grid[lower + 1] - grid[lower])
    return lower, min(max(weight, 0.0), 1.0)


def interpolate(grid: Sequence[float], values: Sequence[float], at: float) -> float:
    lower, weight = bracket(grid, at)
    return values[lower] + weight * (values[lower + 1] - values[lower])
