"""The two loads of the race: the demo's day, and eight hours with a burst."""

import csv
import functools
import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from e2e.rig.traces import Floats, TraceSettings, poisson_arrivals, rates

BURST_FILE = Path(__file__).parents[2] / "benchmarks" / "data" / "nab_twitter_amzn_5min.csv.gz"
BURST_BIN_SECONDS = 300
BURST_FIRST_BIN, BURST_BINS = 4 * 288 + 192, 96  # the last eight hours of the file's fifth day
BURST_FACTOR = 510.0  # requests per mention: a peak as high as that of the demo
DEMO = TraceSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Requests per second in equal bins over `seconds`; arrivals are Poisson, the same for every contestant."""

    name: str
    about: str
    seconds: float
    seed: int
    rates_per_second: tuple[float, ...]

    def arrivals(self) -> Floats:
        return poisson_arrivals(np.asarray(self.rates_per_second), self.seconds, self.seed)


@functools.cache
def traces() -> tuple[Trace, ...]:
    return (_demo(), _burst())


def trace_named(name: str) -> Trace:
    return next(trace for trace in traces() if trace.name == name)


def _demo() -> Trace:
    return Trace(
        name="demo",
        about=(
            f"the load of the demo: day {DEMO.day} of ServeGen m-large, rate times {DEMO.factor:g}, "
            f"in {DEMO.seconds:g} s"
        ),
        seconds=DEMO.seconds,
        seed=DEMO.seed,
        rates_per_second=tuple(rates(DEMO.day, DEMO.factor).tolist()),
    )


def _burst() -> Trace:
    return Trace(
        name="burst",
        about=(
            f"eight hours of tweets about one company (NAB, AMZN, the end of the file's fifth day), "
            f"{BURST_FACTOR:g} requests per tweet, in {DEMO.seconds:g} s: four times the load within eight seconds"
        ),
        seconds=DEMO.seconds,
        seed=DEMO.seed,
        rates_per_second=tuple((_mentions() * (BURST_FACTOR / BURST_BIN_SECONDS)).tolist()),
    )


def _mentions() -> Floats:
    with gzip.open(BURST_FILE, "rt", encoding="ascii") as lines:
        counts = [float(row["AMZN"]) for row in csv.DictReader(lines)]
    return np.asarray(counts[BURST_FIRST_BIN : BURST_FIRST_BIN + BURST_BINS])
