"""Time and memory of the replay, and of the one decision inside it.

    python -m benchmarks.replay_speed [--only decide,request] [--days 14]

Machines differ, so each time also stands as a ratio to a fixed piece of arithmetic timed in the same run. Each part
runs in a process of its own, so that its peak memory is its own; compilation is done, and the curves of a replica are
measured, before the clock starts.
"""

import argparse
import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection

import numpy as np

from benchmarks.decide_pass import baseline, seconds
from benchmarks.replay.plan import BASELINES, Case
from benchmarks.replay.scenarios import largest_load_of, scenario_of
from benchmarks.traces.catalog import TRACES
from benchmarks.traces.variants import DAY_SECONDS, part
from inference_cost.simulate.backtest import compare
from inference_cost.simulate.scenario import Fidelity, Scenario
from inference_cost.simulate.traffic import Traffic, from_times

WARM_UP_SECONDS = 3600.0
REQUEST_RATE = 100.0  # requests/s of the day at request level
KIBIBYTES_PER_MEBIBYTE = 1024
_MLARGE = next(trace for trace in TRACES if trace.name == "mlarge")
CASE = Case(trace="mlarge", seed=_MLARGE.seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Of one part. `figure` is in `unit`; memory is the peak of its process and of its children's largest."""

    what: str
    figure: float
    unit: str
    seconds: float
    mebibytes: float


def scenario_of_days(days: float) -> Scenario:
    traffic = part(_MLARGE.load(None), 0.0, days * DAY_SECONDS)
    return scenario_of(CASE, traffic, largest_load_of(CASE))


def scenario_of_requests() -> Scenario:
    """One day at 100 requests/s, every request by itself."""
    count = round(REQUEST_RATE * DAY_SECONDS)
    times = np.sort(np.random.default_rng(0).uniform(0.0, DAY_SECONDS, count))
    scenario = scenario_of(CASE, from_times(times, 10.0), largest_load_of(CASE))
    return replace(scenario, fidelity=Fidelity.REQUEST)


def shortened(scenario: Scenario) -> Scenario:
    """Long enough to compile everything."""
    traffic: Traffic = scenario.traffic.until(WARM_UP_SECONDS)
    return replace(scenario, traffic=traffic)


def timed(scenario: Scenario, **options: object) -> float:
    """Seconds of a comparison after the same was done on one hour."""
    compare(shortened(scenario), **options)  # type: ignore[arg-type]
    return seconds(lambda: compare(scenario, **options))  # type: ignore[arg-type]


def decide_milliseconds(days: float) -> float:
    """Median time of one decision of ours."""
    ours = compare(scenario_of_days(days)).outcomes[0]
    if ours.decide_milliseconds_median is None:
        raise RuntimeError("the run of ours has no time per decision")
    return ours.decide_milliseconds_median


PARTS: dict[str, tuple[str, str, Callable[[float], float]]] = {
    "decide": ("one decision, median", "ms", decide_milliseconds),
    "ours": ("ours", "s", lambda days: timed(scenario_of_days(days))),
    "baselines": (
        "ours and each baseline at its default, one core",
        "s",
        lambda days: timed(scenario_of_days(days), against=BASELINES),
    ),
    "bound": (
        "ours, each baseline at its default and the bound, one core",
        "s",
        lambda days: timed(scenario_of_days(days), against=BASELINES, bound=True),
    ),
    "tuned": (
        "the same with the search for the best knobs, all cores",
        "s",
        lambda days: timed(
            scenario_of_days(days),
            against=BASELINES,
            tuned=True,
            bound=True,
            jobs=os.cpu_count() or 1,
        ),
    ),
    "request": (
        f"ours for one day at {REQUEST_RATE:.0f} requests/s, request level",
        "s",
        lambda _: timed(scenario_of_requests()),
    ),
}


def measure(name: str, days: float) -> Measured:
    what, unit, work = PARTS[name]
    begin = time.perf_counter()
    figure = work(days)
    took = time.perf_counter() - begin
    kibibytes = sum(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return Measured(
        what=what,
        figure=figure,
        unit=unit,
        seconds=took,
        mebibytes=kibibytes / KIBIBYTES_PER_MEBIBYTE,
    )


def apart(name: str, days: float) -> Measured:
    """`measure` in a new process, which may start processes of its own."""
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(sending, name, days))
    process.start()
    sending.close()
    try:
        measured: Measured = receiving.recv()
    except EOFError:
        raise SystemExit(f"{name} ended without a figure") from None
    process.join()
    return measured


def _send(sending: Connection, name: str, days: float) -> None:
    sending.send(measure(name, days))


def show(names: Iterable[str], days: float) -> None:
    unit_seconds = statistics.median(seconds(baseline) for _ in range(50))
    print(f"{days:g} days of m-large, a tick every 15 s; {os.cpu_count()} cores")
    print(f"{'':62} {'figure':>12} {'÷ baseline':>11} {'peak MiB':>9}")
    for name in names:
        found = apart(name, days)
        in_seconds = found.figure / 1e3 if found.unit == "ms" else found.figure
        figure = f"{found.figure:.3f} {found.unit}"
        ratio = in_seconds / unit_seconds
        print(f"{found.what:62} {figure:>12} {ratio:>11.2f} {found.mebibytes:>9.0f}", flush=True)
    print(f"baseline {unit_seconds * 1e3:.3f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--days", type=float, default=14.0)
    options = parser.parse_args()
    names = options.only.split(",")
    if unknown := set(names) - PARTS.keys():
        parser.error(f"--only: there is no {', '.join(sorted(unknown))}")
    show(names, options.days)


if __name__ == "__main__":
    main()
