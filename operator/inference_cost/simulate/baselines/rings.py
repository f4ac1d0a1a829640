"""Short memories of controllers: rings of time stamps and integers, compiled.

Windows are open at their old end, as Go's `time.After(now - window)` is: an entry exactly one window old has left.
"""

from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference_cost.simulate.compiled import compiled


class Ring(NamedTuple):
    """The newest entries in any order; `next_slot` (length 1) is where the next one goes."""

    at: NDArray[np.float64]  # seconds; minus infinity: empty
    values: NDArray[np.int64]
    next_slot: NDArray[np.int64]


def new_ring(window_seconds: float, interval_seconds: float) -> Ring:
    """Enough for every entry of a window when at most one is written per interval."""
    length = ceil(window_seconds / interval_seconds) + 2
    return Ring(
        np.full(length, -np.inf), np.zeros(length, dtype=np.int64), np.zeros(1, dtype=np.int64)
    )


@compiled
def push(ring: Ring, at: float, value: int) -> None:
    slot = ring.next_slot[0]
    ring.at[slot] = at
    ring.values[slot] = value
    ring.next_slot[0] = (slot + 1) % len(ring.at)


@compiled
def largest_since(ring: Ring, after: float, start: int) -> int:
    """Largest of `start` and the values written after the given time."""
    largest = start
    for slot in range(len(ring.at)):
        if ring.at[slot] > after:
            largest = max(largest, ring.values[slot])
    return largest


@compiled
def smallest_since(ring: Ring, after: float, start: int) -> int:
    """Smallest of `start` and the values written after the given time."""
    smallest = start
    for slot in range(len(ring.at)):
        if ring.at[slot] > after:
            smallest = min(smallest, ring.values[slot])
    return smallest


@compiled
def total_since(ring: Ring, after: float) -> int:
    """Sum of the values written after the given time."""
    total = 0
    for slot in range(len(ring.at)):
        if ring.at[slot] > after:
            total += ring.values[slot]
    return total
