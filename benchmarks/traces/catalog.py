"""The development traces and how each is prepared. Sources and licenses: `benchmarks/data/README.md`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from benchmarks.traces.columns import Columns, Floats, find, read_columns
from benchmarks.traces.redraw import draw, finer, smoothed, without_gaps
from benchmarks.traces.variants import DAY_SECONDS, part
from inference_cost.simulate.traffic import Traffic, from_times

WIDTH_SECONDS = 10.0
IDC = 2.0  # of redrawn traces, whose own is unknown
NASA_DAYS, NASA_FACTOR, NASA_SMOOTHING_SECONDS = 14, 50.0, 180.0
NAB_DAYS, NAB_FACTOR, NAB_WIDTH_SECONDS = 21, 50.0, 300.0
GENTD_FACTOR, GENTD_WIDTH_SECONDS = 50.0, 60.0
SERVEGEN_WIDTH_SECONDS = 600.0
QUICK_DAY = 3  # of m-large, counted from 0
QUICK_WEEK = 1  # of the Twitter trace, counted from 0
WEEK_SECONDS = 7 * DAY_SECONDS

Read = Callable[[str], Columns]


class Prepare(Protocol):
    def __call__(self, read: Read, *, seed: int, factor: float) -> Traffic: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A development trace. `seed` is that of the published figures; `drawn` traces differ from seed to seed."""

    name: str
    about: str
    days: float
    files: tuple[str, ...]
    prepare: Prepare
    seed: int
    drawn: bool = True

    def missing(self, extra: Path | None) -> tuple[str, ...]:
        """Files that are neither shipped nor in the folder."""
        return tuple(name for name in self.files if find(name, extra) is None)

    def load(self, extra: Path | None, *, seed: int | None = None, factor: float = 1.0) -> Traffic:
        """Raises FileNotFoundError when one of the files is neither shipped nor in the folder `extra`."""

        def read(name: str) -> Columns:
            path = find(name, extra)
            if path is None:
                raise FileNotFoundError(f"{name} is neither shipped nor in the folder of --data")
            return read_columns(path)

        return self.prepare(read, seed=self.seed if seed is None else seed, factor=factor)


@dataclass(frozen=True, slots=True)
class ServeGen:
    """The published counts per 10 s; for any other seed or factor drawn anew from the ten-minute rates."""

    stem: str
    recorded_seed: int

    def __call__(self, read: Read, *, seed: int, factor: float) -> Traffic:
        if seed == self.recorded_seed and factor == 1.0:
            counts = read(f"{self.stem}_10s.csv.gz")["count"]
        else:
            counts = servegen_redrawn(read(f"{self.stem}_10min.csv.gz"), seed, factor)
        return Traffic(width_seconds=WIDTH_SECONDS, counts=counts)


def servegen_redrawn(windows: Columns, seed: int, factor: float = 1.0) -> Floats:
    """Counts per 10 s: rate between window centers × factor, variance as the window's own idc says."""
    rates = finer(windows["rate_rps"], SERVEGEN_WIDTH_SECONDS, WIDTH_SECONDS) * factor
    idc = np.repeat(windows["idc"], round(SERVEGEN_WIDTH_SECONDS / WIDTH_SECONDS))
    return draw(rates * WIDTH_SECONDS, idc, seed)


def azure(read: Read, *, seed: int, factor: float) -> Traffic:  # noqa: ARG001 - nothing is drawn
    """One time per request; a factor repeats each request."""
    times = np.repeat(read("azure_llm_2023_code.csv.gz")["t_s"], round(factor))
    return from_times(times, WIDTH_SECONDS)


def nasa(read: Read, *, seed: int, factor: float) -> Traffic:
    """First 14 days, smoothed over 3 minutes, × 50, redrawn."""
    bins = round(NASA_DAYS * DAY_SECONDS / WIDTH_SECONDS)
    counts = read("nasa_http_1995_07_10s.csv.gz")["count"][:bins]
    means = smoothed(counts, round(NASA_SMOOTHING_SECONDS / WIDTH_SECONDS)) * NASA_FACTOR * factor
    return Traffic(width_seconds=WIDTH_SECONDS, counts=draw(means, IDC, seed))


def nab(read: Read, *, seed: int, factor: float) -> Traffic:
    """First 21 days of AMZN, × 50, redrawn."""
    windows = round(NAB_DAYS * DAY_SECONDS / NAB_WIDTH_SECONDS)
    counts = read("nab_twitter_amzn_5min.csv.gz")["AMZN"][:windows]
    rates = finer(counts / NAB_WIDTH_SECONDS, NAB_WIDTH_SECONDS, WIDTH_SECONDS)
    return _redrawn(rates * NAB_FACTOR * factor, seed)


def gentd26(read: Read, *, seed: int, factor: float) -> Traffic:
    """22 hours, gaps filled, × 50, redrawn."""
    minutes = read("alibaba_gentd26_qps_1min.csv.gz")
    rates = without_gaps(minutes["rate_scaled"], minutes["gap"] > 0)
    fine = finer(rates, GENTD_WIDTH_SECONDS, WIDTH_SECONDS)
    return _redrawn(fine * GENTD_FACTOR * factor, seed)


def mlarge_day(read: Read, *, seed: int, factor: float) -> Traffic:
    whole = ServeGen("servegen_mlarge", 101)(read, seed=seed, factor=factor)
    return part(whole, QUICK_DAY * DAY_SECONDS, (QUICK_DAY + 1) * DAY_SECONDS)


def mlarge_two_days(read: Read, *, seed: int, factor: float) -> Traffic:
    whole = ServeGen("servegen_mlarge", 101)(read, seed=seed, factor=factor)
    return part(whole, QUICK_DAY * DAY_SECONDS, (QUICK_DAY + 2) * DAY_SECONDS)


def nab_week(read: Read, *, seed: int, factor: float) -> Traffic:
    whole = nab(read, seed=seed, factor=factor)
    return part(whole, QUICK_WEEK * WEEK_SECONDS, (QUICK_WEEK + 1) * WEEK_SECONDS)


def _redrawn(rates: Floats, seed: int) -> Traffic:
    return Traffic(width_seconds=WIDTH_SECONDS, counts=draw(rates * WIDTH_SECONDS, IDC, seed))


_MLARGE = ("servegen_mlarge_10s.csv.gz", "servegen_mlarge_10min.csv.gz")
_DEEPSEEK = ("servegen_deepseekr1_10s.csv.gz", "servegen_deepseekr1_10min.csv.gz")

TRACES = (
    Trace(
        name="mlarge",
        about="ServeGen m-large, 14 days: a language model service with daily and weekly pattern",
        days=14.0,
        files=_MLARGE,
        prepare=ServeGen("servegen_mlarge", 101),
        seed=101,
    ),
    Trace(
        name="deepseek-r1",
        about="ServeGen deepseek-r1, one day of a reasoning model",
        days=1.0,
        files=_DEEPSEEK,
        prepare=ServeGen("servegen_deepseekr1", 102),
        seed=102,
    ),
    Trace(
        name="azure-code",
        about="Azure LLM 2023, code: 57 minutes, every request; bursts from idle",
        days=0.04,
        files=("azure_llm_2023_code.csv.gz",),
        prepare=azure,
        seed=0,
        drawn=False,
    ),
    Trace(
        name="nasa",
        about="NASA web server, July 1995, first 14 days × 50, smoothed over 3 minutes and redrawn (idc 2)",
        days=14.0,
        files=("nasa_http_1995_07_10s.csv.gz",),
        prepare=nasa,
        seed=103,
    ),
    Trace(
        name="nab-amzn",
        about="NAB Twitter AMZN, first 21 days × 50, redrawn from 5 minutes (idc 2); rare, high spikes",
        days=21.0,
        files=("nab_twitter_amzn_5min.csv.gz",),
        prepare=nab,
        seed=104,
    ),
    Trace(
        name="gentd26",
        about="Alibaba GenTD26, 22 hours of an image service × 50, gaps filled, redrawn from minutes (idc 2)",
        days=0.92,
        files=("alibaba_gentd26_qps_1min.csv.gz",),
        prepare=gentd26,
        seed=105,
    ),
)

QUICK_TRACES = (
    Trace(
        name="mlarge-day",
        about="day 3 of m-large",
        days=1.0,
        files=_MLARGE,
        prepare=mlarge_day,
        seed=101,
    ),
    Trace(
        name="deepseek-r1",
        about="ServeGen deepseek-r1, one day",
        days=1.0,
        files=_DEEPSEEK,
        prepare=ServeGen("servegen_deepseekr1", 102),
        seed=102,
    ),
    Trace(
        name="nab-amzn-week",
        about="the second week of NAB Twitter AMZN",
        days=7.0,
        files=("nab_twitter_amzn_5min.csv.gz",),
        prepare=nab_week,
        seed=104,
    ),
)

FAULT_TRACES = (
    Trace(
        name="mlarge-2-days",
        about="days 3 and 4 of m-large: even, but for a rise in the last evening",
        days=2.0,
        files=_MLARGE,
        prepare=mlarge_two_days,
        seed=101,
    ),
)

LOAD_TIMES = "alibaba_gentd26_base_model_load_ms.csv.gz"


def load_seconds(extra: Path | None) -> tuple[float, ...] | None:
    """Real model load times; None where their file is not at hand."""
    path = find(LOAD_TIMES, extra)
    return None if path is None else tuple((read_columns(path)["load_ms"] / 1000.0).tolist())
