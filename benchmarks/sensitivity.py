"""What constants are worth: each half and one and a half times as large, closed loop.

    python -m benchmarks.sensitivity [--only NAME ...]

Replays runs in which a constant matters with that constant changed, each in a process of its own because machine code
keeps the constants it was compiled with: the short benchmark for those of the headroom rules, and two days with one
thing wrong for what is there for such days. Writes `benchmarks/results/sensitivity.csv` and `docs/sensitivity.md`.
An hour on two cores.
"""

import argparse
import csv
import math
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from numba.core.caching import NullCache
from numba.core.dispatcher import Dispatcher

from benchmarks.replay.faults import Fault
from benchmarks.replay.plan import Case, Run, faulty, quick
from benchmarks.replay.run import Replays
from benchmarks.traces.catalog import FAULT_TRACES, QUICK_TRACES

FACTORS: Final = (0.5, 1.5)
UNCHANGED: Final = "none"
SHORT: Final = "the short benchmark"
# By what is replayed: modules of `decide/`, and their constants.
CONSTANTS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    SHORT: {
        "headroom.choice": (
            "PRIOR_SECONDS",
            "ALLOWED_YOUNG",
            "ALLOWED_RIPE",
            "ALLOWED_AVERAGE",
            "RIPE_SECONDS",
            "AHEAD",
            "BEHIND",
            "WORTH_AT_MOST",
            "CHOICE_STARTS",
            "BUDGET_SECONDS",
            "UNLOADED",
        ),
        "headroom.regression": (
            "FORGETTING_SECONDS",
            "RECENT_SECONDS",
            "LARGEST_FEATURE",
            "BY_CHANCE",
            "LARGEST_CHANCE",
            "LARGEST_SURPRISE",
            "CERTAIN",
            "LEAST_DEMAND",
            "LEAST_VARIANCE",
            "LARGEST_VARIANCE",
            "LARGEST_MISS",
        ),
        "headroom.shadow": (
            "SETTLING_STARTS",
            "LONGEST_SETTLING_STARTS",
            "FADING_SECONDS",
            "DISPERSION_STARTS",
            "OBJECTIVES_EVENED",
            "LONGEST_EVENED",
            "BURST_SECONDS",
            "LARGEST_BASE",
            "LARGEST_GROWTH",
            "DRAIN_LOAD",
        ),
        "headroom.learned": ("_FIRST_COVARIANCE",),
        "serving": ("RESIDUAL", "LONGEST_WAIT_SECONDS", "LONGEST_WAIT_OBJECTIVES"),
    },
    Fault.OUTAGE.value: {
        "outage": (
            "NEARLY_NOTHING",
            "SUDDENLY",
            "EXPECTED",
            "BACK",
            "FILLED",
            "BY_CHANCE",
            "LEADS_HELD",
            "LONGEST_SECONDS",
        ),
    },
    Fault.REJECTING.value: {"demand": ("SATURATED", "GROWTH_WHILE_CENSORED")},
    Fault.SLOWER.value: {
        "replica.service_time": (
            "HALF_LIFE_SECONDS",
            "PRIOR_PER_ITEM",
            "PRIOR_WEIGHT",
            "LARGEST_WINDOW_WEIGHT",
            "FIRST_SPREAD",
            "OUTLIER",
            "OUTLIERS_UNTIL_RESET",
            "SPREAD_SMOOTHING",
            "TRUST_IN_POISSON",
            "HARDLY_IDLE",
        ),
        "replica.profile": (
            "STATISTICS_AGREE",
            "MODEL_ERROR",
            "LEARNED_EXECUTIONS",
            "EXTRAPOLATION_ERROR",
        ),
        "learning": ("STEADY",),
    },
    Fault.SHORT_PRIOR.value: {
        "calibration": ("BUSY", "QUEUE_LIMIT", "WRONG_SECONDS"),
        "stretch": ("ENOUGH_WINDOWS",),
    },
    Fault.FAILING.value: {"limits.guard": ("SINGLE_FAILURES",), "pods": ("STUCK_AFTER_START_UPS",)},
}
RESULTS: Final = Path(__file__).parent / "results" / "sensitivity.csv"
PAGE: Final = Path(__file__).parent.parent / "docs" / "sensitivity.md"
# A late share counts as what it costs to avoid it: cost goes about with its -0.22nd power (the prior of the rules).
ELASTICITY: Final = 0.22
LEAST_LATE_PERCENT: Final = 0.3
NOISE_PERCENT: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One replay. `factor`: on the constant, 1 where none was changed; `value`: of the constant as it is."""

    replayed: str  # a key of CONSTANTS
    constant: str
    factor: float
    value: float
    trace: str
    ratio_to_bound: float
    attainment_percent: float

    @property
    def score(self) -> float:
        """Cost at equal lateness: 1 % late as it is, less late counts as cheaper."""
        late = max(100.0 - self.attainment_percent, LEAST_LATE_PERCENT)
        return float(self.ratio_to_bound * late**ELASTICITY)


def measure(replayed: str, constant: str, factor: float) -> Iterator[Outcome]:
    """In this process, which must not have compiled anything yet."""
    value = 0.0
    if constant != UNCHANGED:
        value = change(constant, factor)
        if constant.startswith("headroom"):
            _forget_machine_code()
    traces = QUICK_TRACES if replayed == SHORT else FAULT_TRACES
    replays = Replays(traces, extra=None, jobs=1, code="")
    for case in cases_of(replayed):
        [ours] = replays.rows(Run(case=case, against=()))
        yield Outcome(
            replayed=replayed,
            constant=constant,
            factor=factor,
            value=value,
            trace=case.trace,
            ratio_to_bound=ours.ratio_to_bound or 0.0,
            attainment_percent=ours.attainment_percent,
        )


def cases_of(replayed: str) -> list[Case]:
    if replayed == SHORT:
        return [run.case for run in quick()]
    return [run.case for run in faulty() if run.case.fault == Fault(replayed)]


def change(constant: str, factor: float) -> float:
    """Set it wherever it was imported; its value before."""
    module_name, name = constant.rsplit(".", 1)
    import_module("inference_cost.decide.engine")  # and with it whoever imports the constant
    before = getattr(import_module(f"inference_cost.decide.{module_name}"), name)
    value = type(before)(factor * before)
    for module in list(sys.modules.values()):
        if module.__name__.startswith("inference_cost.") and getattr(module, name, None) == before:
            setattr(module, name, value)
    return float(before)


def _forget_machine_code() -> None:
    """Of the headroom rules: what is kept on disk has the constants as they are."""
    for module in list(sys.modules.values()):
        if module.__name__.startswith("inference_cost.decide.headroom."):
            for value in vars(module).values():
                if isinstance(value, Dispatcher):  # there is no other way to switch it off
                    setattr(value, "_cache", NullCache())  # noqa: B010 - mypy does not know it


def _elsewhere(replayed: str, constant: str, factor: float) -> list[Outcome]:
    """In a process of its own."""
    arguments = ["--one", replayed, constant, str(factor)]
    command = [sys.executable, "-m", "benchmarks.sensitivity", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{constant} × {factor:g}: {done.stderr}")
    print(f"{constant} × {factor:g}", flush=True)
    return list(_read(done.stdout.splitlines()))


def _read(lines: Iterable[str]) -> Iterator[Outcome]:
    for row in csv.DictReader(lines):
        yield Outcome(
            replayed=row["replayed"],
            constant=row["constant"],
            trace=row["trace"],
            factor=float(row["factor"]),
            value=float(row["value"]),
            ratio_to_bound=float(row["ratio_to_bound"]),
            attainment_percent=float(row["attainment_percent"]),
        )


def _write(outcomes: Iterable[Outcome], file: Any) -> None:
    writer = csv.DictWriter(file, [field.name for field in fields(Outcome)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(outcome) for outcome in outcomes)


def page(outcomes: Sequence[Outcome]) -> str:
    """Markdown: one table for each of what is replayed, most sensitive constants first."""
    parts = [_HEAD]
    for replayed in dict.fromkeys(outcome.replayed for outcome in outcomes):
        here = [outcome for outcome in outcomes if outcome.replayed == replayed]
        parts.append(f"## {replayed[0].upper()}{replayed[1:]}\n\n{_table(here)}\n")
    return "\n".join(parts)


def _table(outcomes: Sequence[Outcome]) -> str:
    base = mean_score([o for o in outcomes if o.constant == UNCHANGED])
    constants = dict.fromkeys(o.constant for o in outcomes if o.constant != UNCHANGED)
    rows = sorted((_row(outcomes, constant, base) for constant in constants), reverse=True)
    heads = "| constant | value | half | one and a half times | worse by |\n|---|---|---|---|---|"
    return "\n".join([heads, *(text for _, text in rows)])


def _row(outcomes: Sequence[Outcome], constant: str, base: float) -> tuple[float, str]:
    mine = [outcome for outcome in outcomes if outcome.constant == constant]
    by_factor = [[o for o in mine if o.factor == factor] for factor in FACTORS]
    changes = [100 * (mean_score(some) / base - 1) for some in by_factor]
    worst = max(changes)
    cells = " | ".join(f"{change:+.1f} %" for change in changes)
    return worst, f"| `{constant}` | {mine[0].value:g} | {cells} | {bar(worst)} |"


def bar(percent: float) -> str:
    """One block for each two percent; differences that are noise have none."""
    return "█" * min(math.floor(percent / NOISE_PERCENT), 20)


def mean_score(outcomes: Sequence[Outcome]) -> float:
    return math.exp(sum(math.log(outcome.score) for outcome in outcomes) / len(outcomes))


_HEAD: Final = """# How much constants matter

Written by `python -m benchmarks.sensitivity` from `benchmarks/results/sensitivity.csv`; do not edit. Each constant of
`decide/` was changed by half, one at a time, and what is named was replayed. The figure is the change of the cost at
equal lateness, geometric mean over its traces (lateness counts as what avoiding it costs: cost × late^0.22, from the
prior of the rules). One replay of each: differences within ±2 % are noise. Negative: the constant would have been
better there on these traces, which is no reason to change it for all others. What goes wrong there:
[benchmarks.md](benchmarks.md#when-things-go-wrong). Constants that no replay shows (uneven traffic, slow pods,
deadlines, scale to zero, what a gateway's histogram corrects) are explained where they stand, and in
[how-it-decides.md](how-it-decides.md).
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="names of constants")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.one:
        replayed, constant, factor = arguments.one
        _write(measure(replayed, constant, float(factor)), sys.stdout)
        return
    tasks = list(_tasks(arguments.only))
    with ThreadPoolExecutor(arguments.jobs) as pool:
        found = [one for some in pool.map(_elsewhere, *zip(*tasks, strict=True)) for one in some]
    if RESULTS.exists() and arguments.only:
        replaced = {(one.replayed, one.constant) for one in found}
        before = _read(RESULTS.read_text().splitlines())
        found = [*(o for o in before if (o.replayed, o.constant) not in replaced), *found]
    places = list(CONSTANTS)
    found.sort(key=lambda one: places.index(one.replayed))
    with RESULTS.open("w") as file:
        _write(found, file)
    PAGE.write_text(page(found))


def _tasks(only: Sequence[str]) -> Iterator[tuple[str, str, float]]:
    for replayed, modules in CONSTANTS.items():
        every = [f"{module}.{name}" for module, names in modules.items() for name in names]
        chosen = [one for one in every if not only or one.rsplit(".", 1)[1] in only]
        if chosen:
            yield replayed, UNCHANGED, 1.0
        for constant in chosen:
            for factor in FACTORS:
                yield replayed, constant, factor


if __name__ == "__main__":
    main()
