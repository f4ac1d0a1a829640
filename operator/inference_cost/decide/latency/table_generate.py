"""Tabulate the latency of Triton's greedy batcher: `python -m inference_cost.decide.latency.table_generate`.

Exact embedded Markov chain at service ends (docs/how-it-decides.md): Poisson arrivals, one instance, batch time
α + β·b, batches of at most B, start as soon as the instance is free. Everything is in units of the time of a
full batch, t(B), so that a cell depends on three numbers only: load ρ, the share r = β·B/t(B), and B.
Needs NumPy; the operator itself only reads the table. `--check` fails when the shipped table is out of date.
"""

import json
import sys
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

LOADS: Final = (0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.94, 0.97)
PER_ITEM_SHARES: Final = (0.0, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 1.0)
BATCH_SIZES: Final = (1, 2, 4, 8, 16, 32, 64)
QUANTILES: Final = (0.5, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
AGES: Final = 16  # midpoints of a service at which an arrival looks at the queue
HEAVY: Final = 0.9  # longer queues must be followed
BIN: Final = 1 / 250
LONGEST: Final = 160.0
TABLE: Final = Path(__file__).with_name("latency_table.json")


def poisson(mean: float, largest: int) -> Vector:
    """Probabilities of 0..largest; the tail is in the last entry."""
    counts = np.arange(largest + 1)
    log_factorial = np.concatenate(([0.0], np.cumsum(np.log(np.maximum(counts[1:], 1)))))
    weights: Vector = np.exp(counts * np.log(max(mean, 1e-300)) - mean - log_factorial)
    weights[-1] += max(0.0, 1.0 - float(weights.sum()))
    return weights


def stationary(arrivals: list[Vector], largest_batch: int, states: int) -> Vector:
    """Distribution of the queue at service ends. `arrivals[b]`: arrivals during a batch of b."""
    transition = np.zeros((states, states))
    for waiting in range(states):
        at_start = max(waiting, 1)
        batch = min(at_start, largest_batch)
        left = at_start - batch
        row = arrivals[batch][: states - left]
        transition[waiting, left : left + len(row)] = row
        transition[waiting, -1] += max(0.0, 1.0 - float(row.sum()))
    system = transition.T - np.eye(states)
    system[-1, :] = 1.0
    right = np.zeros(states)
    right[-1] = 1.0
    solution: Vector = np.maximum(np.linalg.solve(system, right), 0.0)
    solution /= solution.sum()
    return solution


class Cell:
    """Latency and queue time at one (load, per-item share, largest batch)."""

    def __init__(self, load: float, share: float, largest_batch: int) -> None:
        self.largest_batch = largest_batch
        self.times = (1.0 - share) + share * np.arange(largest_batch + 1) / largest_batch
        self.rate = load * largest_batch
        self.states = int((20 if load >= HEAVY else 8) * largest_batch + 60 / (1.02 - load))
        self.histogram = np.zeros(int(LONGEST / BIN) + 2)
        self.queue_seconds = 0.0
        self.weight = 0.0

    def solve(self) -> list[float]:
        arrivals = [poisson(self.rate * time, self.states) for time in self.times]
        waiting = stationary(arrivals, self.largest_batch, self.states)
        self._arrivals_at_an_idle_server(float(waiting[0]))
        at_start = waiting.copy()
        at_start[1] += at_start[0]
        for batch in range(1, self.largest_batch):
            self._arrivals_during(batch, at_start[batch : batch + 1])
        self._arrivals_during(self.largest_batch, at_start[self.largest_batch :])
        return self._figures()

    def _add(self, weight: Vector, queue: Vector | float, service: Vector | float) -> None:
        latency = np.broadcast_to(np.asarray(queue + service), weight.shape)
        bins = np.minimum((latency / BIN).astype(int), len(self.histogram) - 1)
        self.histogram += np.bincount(
            bins.ravel(), weights=weight.ravel(), minlength=len(self.histogram)
        )
        self.queue_seconds += float((weight * queue).sum())
        self.weight += float(weight.sum())

    def _arrivals_at_an_idle_server(self, idle: float) -> None:
        """One arrival ends each idle period and runs alone."""
        self._add(np.array([idle]), 0.0, float(self.times[1]))

    def _arrivals_during(self, batch: int, left_behind: Vector) -> None:
        """Arrivals during a batch of `batch`; `left_behind[i]`: probability that i requests stayed waiting."""
        if left_behind.sum() < 1e-12:  # noqa: PLR2004 - far below the table's precision
            return
        time = float(self.times[batch])
        for age in (np.arange(AGES) + 0.5) / AGES * time:
            came = poisson(self.rate * age, self._enough(self.rate * age))
            ahead = np.convolve(left_behind, came) * self.rate * time / AGES
            for place in np.flatnonzero(ahead > 1e-12):  # noqa: PLR2004 - same
                self._join(int(place), float(ahead[place]), time - age)

    def _join(self, ahead: int, weight: float, remaining: float) -> None:
        """One arrival with `ahead` requests before it: full batches first, then its own, which still grows."""
        full, position = divmod(ahead, self.largest_batch)
        queue = remaining + full * float(self.times[-1])
        room = self.largest_batch - position - 1
        joining = poisson(self.rate * queue, room) if room else np.array([1.0])
        own = position + 1 + np.arange(room + 1)
        self._add(weight * joining, queue, self.times[own])

    @staticmethod
    def _enough(mean: float) -> int:
        return int(mean + 8 * mean**0.5 + 8)

    def _figures(self) -> list[float]:
        share = np.cumsum(self.histogram) / self.histogram.sum()
        before = np.concatenate(([0.0], share[:-1]))
        figures = [self.queue_seconds / self.weight]
        for quantile in QUANTILES:
            i = int(np.searchsorted(share, quantile))
            inside = (quantile - before[i]) / max(share[i] - before[i], 1e-12)
            figures.append((i + float(inside)) * BIN)
        return [round(figure, 3) for figure in figures]


def table() -> dict[str, object]:
    """`cells[batch size][per-item share][load]` = mean queue time, then the quantiles, in units of t(B)."""
    cells = [
        [[Cell(load, share, batch).solve() for load in LOADS] for share in PER_ITEM_SHARES]
        for batch in BATCH_SIZES
    ]
    return {
        "loads": LOADS,
        "perItemShares": PER_ITEM_SHARES,
        "batchSizes": BATCH_SIZES,
        "quantiles": QUANTILES,
        "cells": cells,
    }


def main(arguments: list[str]) -> int:
    """Write the table, or compare it with the shipped one."""
    text = json.dumps(table(), separators=(",", ":")).replace("]],[[", "]],\n[[") + "\n"
    if "--check" in arguments:
        return 0 if TABLE.read_text(encoding="utf-8") == text else 1
    TABLE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
