"""Arrivals of one policy, as counts per bin or one time per request."""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_REQUESTS = 25_000_000  # one by one: about 800 MiB


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Traffic:
    """`counts[i]` requests arrive in [i, i+1) × `width_seconds`, evenly; time 0 is the start of the run.

    `times`: each request's own time in seconds, ascending, where known; `counts` are then made from it.
    """

    width_seconds: float
    counts: Floats
    times: Floats | None = None

    @property
    def seconds(self) -> float:
        return len(self.counts) * self.width_seconds

    @property
    def requests(self) -> float:
        return float(self.counts.sum())

    @property
    def mean_rate(self) -> float:
        """Requests per second over the whole run."""
        return self.requests / self.seconds if self.seconds else 0.0

    def rebinned(self, width_seconds: float) -> Floats:
        """Counts per bin of another width; requests of a bin are spread evenly over it."""
        edges = np.minimum(
            np.arange(ceil(self.seconds / width_seconds - 1e-9) + 1) * width_seconds, self.seconds
        )
        known = np.arange(len(self.counts) + 1) * self.width_seconds
        total = np.concatenate(([0.0], np.cumsum(self.counts)))
        return np.diff(np.interp(edges, known, total))

    def until(self, seconds: float) -> "Traffic":
        """The same arrivals, cut off at `seconds`."""
        bins = round(seconds / self.width_seconds)
        times = None if self.times is None else self.times[self.times < bins * self.width_seconds]
        return Traffic(width_seconds=self.width_seconds, counts=self.counts[:bins], times=times)


def from_times(times: Floats, width_seconds: float) -> Traffic:
    """Traffic of single requests at `times` (seconds, ascending from 0)."""
    bins = int(times[-1] // width_seconds) + 1 if len(times) else 0
    counts = np.bincount((times // width_seconds).astype(np.int64), minlength=bins)
    return Traffic(width_seconds=width_seconds, counts=counts.astype(np.float64), times=times)
