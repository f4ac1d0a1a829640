"""Warm nodes shared by 162 services, and what a start on one is worth: the tables of docs/warm-capacity.md.

    python -m benchmarks.warm [--data FOLDER]

The services are the clients of ServeGen's m-large, 14 days by ten minutes: each a policy of its own, its replicas one
per node, a cold start as long as a window. FOLDER holds traces that may not be passed on (`benchmarks/data/README.md`).
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.replay.cells import percent
from benchmarks.replay.plan import usual_case
from benchmarks.replay.scenarios import largest_load_of, scenario_of
from benchmarks.traces.catalog import TRACES
from benchmarks.traces.columns import Floats, find, read_columns
from inference_cost.decide.warm import steps
from inference_cost.decide.warm.shortfall import NEGLIGIBLE, Surge, alone, shortfalls
from inference_cost.decide.warm.sizing import Bounds, enough
from inference_cost.model.warm import WarmRecord
from inference_cost.simulate.backtest import compare

FILE: Final = "servegen_mlarge_clients_10min.csv.gz"
WINDOW_SECONDS: Final = 600.0
REPLICAS: Final = 231  # of all services together, in the mean
MOST: Final = Bounds(0, 5_000)
SIZED_EVERY: Final = 6  # windows
LEARNED: Final = 144  # windows, a day, before anything counts
POOLED: Final = (1, 5, 20, 80, 162)
# Of a late request in costs of serving one; what is left of it when a start on a free node still takes 20 of 600 s.
# The highest is that of an objective of 99 %; at the last one node more is kept down to odds of one in a hundred.
SAVED: Final = 1.0 - 20.0 / WINDOW_SECONDS
PRICES: Final = (20.0, 60.0, 100.0 / SAVED)
BURSTY: Final = ("nab-amzn", "gentd26", "azure-code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Nodes by window: kept for all together, kept by each alone, and how often these were too few."""

    pooled: float
    separate: float
    short_pooled: float
    short_separate: float


def filled_replicas(folder: Path | None) -> Floats:
    """(services, windows) that the demand fills; scaled so that whole replicas are as many as wanted in the mean."""
    path = find(FILE, folder)
    if path is None:
        raise FileNotFoundError(f"{FILE} is neither shipped nor in the folder of --data")
    columns = read_columns(path)
    names, service = np.unique(columns["client"], return_inverse=True)
    windows = columns["w"].astype(int)
    rates = np.zeros((len(names), windows.max() + 1))
    rates[service, windows] = columns["rate_rps"]
    low, high = 1e-6, 10.0
    for _ in range(60):
        scale = (low + high) / 2
        whole = np.ceil(rates * scale - NEGLIGIBLE).clip(min=0).sum(axis=0).mean()
        low, high = (scale, high) if whole < REPLICAS else (low, scale)
    return rates * low


def learned(filled: Floats) -> Iterator[tuple[int, list[WarmRecord]]]:
    """What is known of each service, after each window."""
    records = [WarmRecord() for _ in filled]
    for window in range(filled.shape[1]):
        at, now = (window + 1) * WINDOW_SECONDS, [float(one) for one in filled[:, window]]
        found = [
            steps.step(record, at, one, WINDOW_SECONDS)
            for record, one in zip(records, now, strict=True)
        ]
        records = [
            steps.see(record, at, one, WINDOW_SECONDS)
            for record, one in zip(records, now, strict=True)
        ]
        records = steps.compare(records, found, WINDOW_SECONDS)
        yield window, records


def surge(record: WarmRecord, filled: float) -> Surge:
    size = max(ceil(filled - NEGLIGIBLE), 0)
    return Surge(filled=filled, size=size, most=10_000, steps=record.steps, nodes_each=1.0)


def courses(filled: Floats) -> dict[tuple[int, float], Course]:
    """By how many services share, and by the price of a late request.

    Sized by what came before, judged by what came.
    """
    rows: dict[tuple[int, float], list[tuple[float, ...]]] = {}
    kept: dict[tuple[int, float], tuple[int, Floats]] = {}
    for window, records in learned(filled):
        for (count, price), (together, each) in kept.items():
            row = judged(filled[:count, window - 1 : window + 1], together, each[:count])
            rows.setdefault((count, price), []).append(row)
        if window >= LEARNED and window % SIZED_EVERY == 0:
            kept = sizes(records, filled[:, window])
    return {key: _mean(each) for key, each in rows.items()}


def sizes(
    records: Sequence[WarmRecord], filled: Floats
) -> dict[tuple[int, float], tuple[int, Floats]]:
    """Nodes for all together, and for each by itself."""
    surges = [surge(one, float(now)) for one, now in zip(records, filled, strict=True)]
    short = {
        count: shortfalls(surges[:count], steps.correlation(records[:count])).sum(axis=1)
        for count in POOLED
    }
    found = {}
    for price in PRICES:
        each = np.array([enough(alone(one), 1.0, price * SAVED, MOST) for one in surges])
        for count in POOLED:
            found[count, price] = (enough(short[count], 1.0, price * SAVED, MOST), each)
    return found


def judged(filled: Floats, together: int, each: Floats) -> tuple[float, float, float, float]:
    """`filled`: in two windows. Kept together, kept by each, and whether these were too few."""
    before, after = np.ceil(filled - NEGLIGIBLE).clip(min=0).T
    short = (after - before).clip(min=0)
    few = float(short.sum() > together), float((short > each).mean())
    return float(together), float(each.sum()), *few


def _mean(rows: list[tuple[float, ...]]) -> Course:
    pooled, separate, short_pooled, short_separate = (float(x) for x in np.mean(rows, axis=0))
    return Course(
        pooled=pooled,
        separate=separate,
        short_pooled=short_pooled,
        short_separate=short_separate,
    )


def show_sharing(folder: Path | None) -> None:
    filled = filled_replicas(folder)
    for (count, price), found in sorted(courses(filled).items()):
        ratio = found.pooled / found.separate if found.separate else float("nan")
        print(
            f"{count:4} services, late price {price:3.0f}: {found.pooled:6.1f} nodes together, "
            f"{found.separate:6.1f} each by itself, {ratio:.2f}; too few in "
            f"{percent(100 * found.short_pooled)} % and {percent(100 * found.short_separate)} % of the windows"
        )


def show_quick_starts(folder: Path | None) -> None:
    for trace in TRACES:
        if trace.name not in BURSTY or trace.missing(folder):
            continue
        traffic = trace.load(folder)
        for start in ("180", "20"):
            case = replace(usual_case(trace), start=start)
            found = compare(
                scenario_of(case, traffic, largest_load_of(case)), against=(), bound=True
            )
            (ours,) = found.outcomes
            shown = f"{found.ratio_to_bound(ours):.2f} ({percent(100 * ours.attained_fraction)} %)"
            print(f"{trace.name:11} start {start:>3} s: {shown}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="FOLDER")
    folder: Path | None = parser.parse_args().data
    show_sharing(folder)
    show_quick_starts(folder)


if __name__ == "__main__":
    main()
