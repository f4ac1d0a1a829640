"""Requests per second over time, and arrivals that follow them."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import floor, inf

import numpy as np

from e2e.rig.traces import rates as trace_rates

Piece = tuple[float, float, float]  # start and end in seconds, requests per second


@dataclass(frozen=True, slots=True)
class RateProfile:
    """Constant between `starts` (ascending, the first 0 s), over and over when a period is given."""

    starts: tuple[float, ...]
    rates: tuple[float, ...]
    period_seconds: float = inf

    def __post_init__(self) -> None:
        ascending = all(a < b for a, b in zip(self.starts, self.starts[1:], strict=False))
        if not self.starts or self.starts[0] != 0 or not ascending:
            raise ValueError(f"starts must ascend from 0, got {self.starts}")
        if len(self.rates) != len(self.starts) or min(self.rates) < 0:
            raise ValueError("each start needs a rate that is not negative")
        if self.period_seconds <= self.starts[-1]:
            raise ValueError("the period must be longer than the last start")

    def pieces(self, start: float, end: float) -> Iterator[Piece]:
        """Stretches of constant rate that make up the time from start to end."""
        at = max(0.0, start)
        while at < end:
            index, next_change = self._stretch(at)
            stop = min(end, next_change)
            yield at, stop, self.rates[index]
            at = stop

    def at(self, seconds: float) -> float:
        """Requests per second at an instant; 0 before the start."""
        return self.rates[self._stretch(seconds)[0]] if seconds >= 0 else 0.0

    def _stretch(self, at: float) -> tuple[int, float]:
        """Index of the rate at an instant, and when it ends."""
        cycle = floor(at / self.period_seconds) * self.period_seconds if at else 0.0
        origin = 0.0 if self.period_seconds == inf else cycle
        index = bisect_right(self.starts, at - origin) - 1
        last = index + 1 == len(self.starts)
        end = origin + (self.period_seconds if last else self.starts[index + 1])
        # Rounding may put an end at or before the instant itself.
        return index, end if end > at else float(np.nextafter(at, inf))


def constant(requests_per_second: float) -> RateProfile:
    return RateProfile((0.0,), (requests_per_second,))


def trace(*, day: int, seconds: float, factor: float) -> RateProfile:
    """A day of the demo's trace in so many seconds, repeated; `ValueError` where it has no such day."""
    bins = trace_rates(day, factor)
    width = seconds / len(bins)
    starts = tuple(index * width for index in range(len(bins)))
    return RateProfile(starts, tuple(float(rate) for rate in bins), seconds)


class PoissonArrivals:
    """Independent users: a share of a Poisson process is one itself."""

    def __init__(self, seed: int) -> None:
        self._draw = np.random.default_rng(seed)

    def instants(self, pieces: Sequence[Piece], share: float) -> list[float]:
        """Ascending arrival instants of a pod that gets this share of the load."""
        if not pieces:
            return []
        starts, ends, rates = (np.asarray(column) for column in zip(*pieces, strict=True))
        counts = self._draw.poisson(rates * (ends - starts) * share)
        total = int(counts.sum())
        widths = np.repeat(ends - starts, counts)
        instants = np.repeat(starts, counts) + self._draw.random(total) * widths
        instants.sort()
        found: list[float] = instants.tolist()
        return found


class RegularArrivals:
    """Evenly spaced: a world that does not change from one scrape to the next."""

    def __init__(self, seed: int) -> None:
        # Where between two arrivals it begins, so that pods are not in step.
        self._due = float(np.random.default_rng(seed).random())

    def instants(self, pieces: Sequence[Piece], share: float) -> list[float]:
        """Ascending arrival instants of a pod that gets this share of the load."""
        found: list[float] = []
        for start, end, rate in pieces:
            expected = rate * share * (end - start)
            count = floor(self._due + expected)
            found += [start + (n - self._due) / (rate * share) for n in range(1, count + 1)]
            self._due += expected - count
        return found


Arrivals = PoissonArrivals | RegularArrivals
