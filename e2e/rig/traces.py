"""Arrival instants that follow a day of a real trace, squeezed in time.

The rates are those of the trace times a factor; only the clock runs faster. Source, license and
transformation: `e2e/demo/data/README.md`.
"""

import csv
import functools
import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

TRACE_FILE = Path(__file__).parent.parent / "demo" / "data" / "servegen_mlarge_1min.csv.gz"
DAYS = 14
BIN_SECONDS = 60
_BINS_PER_DAY = 86_400 // BIN_SECONDS

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceSettings:
    """The demo's load. Day 10 (from 0), in 240 s and times 1.2, is about 64 to 420 requests/s."""

    day: int = 10
    seconds: float = 240.0
    factor: float = 1.2
    seed: int = 20


def rates(day: int, factor: float = 1.0) -> Floats:
    """Requests per second of one day (counted from 0), one value per minute of the trace.

    Raises:
        ValueError: the trace has no such day.
    """
    if not 0 <= day < DAYS:
        raise ValueError(f"day is {day}, the trace has the days 0 to {DAYS - 1}")
    counts = _counts()[day * _BINS_PER_DAY : (day + 1) * _BINS_PER_DAY]
    return counts * (factor / BIN_SECONDS)


def arrival_times(day: int, seconds: float, factor: float, seed: int) -> Floats:
    """Ascending arrival instants in [0, seconds): a Poisson process at the day's rates.

    Raises:
        ValueError: the trace has no such day, or a length or factor is not positive.
    """
    if seconds <= 0 or factor <= 0:
        raise ValueError("seconds and factor must be positive")
    return poisson_arrivals(rates(day, factor), seconds, seed)


def poisson_arrivals(rates_per_second: Floats, seconds: float, seed: int) -> Floats:
    """Ascending arrival instants in [0, seconds) at rates that are constant within equal bins."""
    draw = np.random.default_rng(seed)
    width = seconds / len(rates_per_second)
    numbers = draw.poisson(rates_per_second * width)
    bins = np.repeat(np.arange(len(numbers)), numbers)
    instants = (bins + draw.random(len(bins))) * width
    instants.sort()
    return instants


@functools.cache
def _counts() -> Floats:
    with gzip.open(TRACE_FILE, "rt", encoding="ascii") as lines:
        counts = [int(row["count"]) for row in csv.DictReader(lines)]
    return np.asarray(counts, dtype=np.float64)
