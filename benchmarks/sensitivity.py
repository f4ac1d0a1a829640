"""What the constants of the headroom rules are worth: each half and one and a half times as large, closed loop.

    python -m benchmarks.sensitivity [--only NAME ...]

Replays the traces of the short benchmark with one constant changed at a time, each in a process of its own because
machine code keeps the constants it was compiled with. Writes `benchmarks/results/sensitivity.csv` and
`docs/sensitivity.md`. Three quarters of an hour on two cores.
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

FACTORS: Final = (0.5, 1.5)
AS_IS: Final = ("choice.PRIOR_SECONDS", 1.0)  # any constant, unchanged
CONSTANTS: Final[Mapping[str, tuple[str, ...]]] = {
    "choice": (
        "PRIOR_SECONDS",
        "ALLOWED_YOUNG",
        "ALLOWED_RIPE",
        "ALLOWED_AVERAGE",
        "RIPE_SECONDS",
        "AHEAD",
        "BEHIND",
        "CHOICE_STARTS",
        "BUDGET_SECONDS",
        "UNLOADED",
    ),
    "regression": (
        "FORGETTING_SECONDS",
        "RECENT_SECONDS",
        "LARGEST_FEATURE",
        "LARGEST_SURPRISE",
        "CERTAIN",
        "LEAST_DEMAND",
        "LEAST_VARIANCE",
        "LARGEST_VARIANCE",
        "LARGEST_MISS",
    ),
    "shadow": (
        "SETTLING_STARTS",
        "LONGEST_SETTLING_STARTS",
        "FADING_SECONDS",
        "DISPERSION_STARTS",
        "OBJECTIVES_EVENED",
        "LONGEST_EVENED",
        "BURST_SECONDS",
        "LARGEST_BASE",
        "LARGEST_GROWTH",
    ),
    "learned": ("_FIRST_COVARIANCE",),
}
RESULTS: Final = Path(__file__).parent / "results" / "sensitivity.csv"
PAGE: Final = Path(__file__).parent.parent / "docs" / "sensitivity.md"
# A late share counts as what it costs to avoid it: cost goes about with its -0.22nd power (the prior of the rules).
ELASTICITY: Final = 0.22
LEAST_LATE_PERCENT: Final = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One replay. `factor`: on the constant."""

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


def measure(constant: str, factor: float) -> Iterator[Outcome]:
    """In this process, which must not have compiled anything yet."""
    import numba  # noqa: PLC0415 - before anything that compiles

    from inference_cost import machine_code  # noqa: PLC0415 - same

    kept = machine_code.compiler

    def compiler(package: Path, **options: Any) -> Any:
        if package.name == "headroom":
            return numba.njit(error_model="numpy")
        return kept(package, **options)

    machine_code.compiler = compiler
    module_name, name = constant.split(".")
    import_module("inference_cost.decide.headroom.sizing")
    module = import_module(f"inference_cost.decide.headroom.{module_name}")
    value = factor * getattr(module, name)
    setattr(module, name, value)
    yield from _replayed(constant, factor, value)


def _replayed(constant: str, factor: float, value: float) -> Iterator[Outcome]:
    from benchmarks.replay.plan import quick  # noqa: PLC0415 - compiles
    from benchmarks.replay.scenarios import largest_load_of, scenario_of  # noqa: PLC0415 - same
    from benchmarks.traces.catalog import QUICK_TRACES  # noqa: PLC0415 - same
    from inference_cost.simulate.backtest import compare  # noqa: PLC0415 - same

    traces = {trace.name: trace for trace in QUICK_TRACES}
    for run in quick():
        whole = traces[run.case.trace].load(None, seed=run.case.seed)
        scenario = scenario_of(run.case, whole, largest_load_of(run.case))
        compared = compare(scenario, bound=True)
        ours = compared.outcomes[0]
        yield Outcome(
            constant=constant,
            factor=factor,
            value=value,
            trace=run.case.trace,
            ratio_to_bound=round(compared.ratio_to_bound(ours) or 0.0, 4),
            attainment_percent=round(100 * ours.attained_fraction, 3),
        )


def _elsewhere(constant: str, factor: float) -> list[Outcome]:
    """In a process of its own."""
    command = [sys.executable, "-m", "benchmarks.sensitivity", "--one", constant, str(factor)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    print(f"{constant} × {factor:g}", flush=True)
    return list(_read(done.stdout.splitlines()))


def _read(lines: Iterable[str]) -> Iterator[Outcome]:
    for row in csv.DictReader(lines):
        yield Outcome(
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
    """Markdown: one row per constant, most sensitive first."""
    constants = dict.fromkeys(o.constant for o in outcomes if o.factor in FACTORS)
    base = _mean([o for o in outcomes if o.factor == AS_IS[1]])
    rows = sorted((_row(outcomes, constant, base) for constant in constants), reverse=True)
    return _HEAD + "\n".join(text for _, text in rows) + "\n"


def _row(outcomes: Sequence[Outcome], constant: str, base: float) -> tuple[float, str]:
    mine = [outcome for outcome in outcomes if outcome.constant == constant]
    value = mine[0].value / mine[0].factor
    changes = [_mean([o for o in mine if o.factor == factor]) / base - 1 for factor in FACTORS]
    cells = [f"{100 * change:+.1f} %" for change in changes]
    return max(changes), f"| `{constant}` | {value:g} | {cells[0]} | {cells[1]} |"


def _mean(outcomes: Sequence[Outcome]) -> float:
    return math.exp(sum(math.log(outcome.score) for outcome in outcomes) / len(outcomes))


_HEAD: Final = """# How much each constant of the headroom rules matters

Written by `python -m benchmarks.sensitivity` from `benchmarks/results/sensitivity.csv`; do not edit. Each constant was
changed by half, one at a time, and the traces of the short benchmark were replayed. The figure is the change of the
cost at equal lateness, geometric mean over these traces (lateness counts as what avoiding it costs: cost × late^0.22,
from the prior of the rules). One replay of each: differences within ±2 % are noise. Negative: the constant
would have been better there on these traces, which is no reason to change it for all others.

| constant (`decide/headroom/`) | value | half | one and a half times |
|---|---|---|---|
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="names of constants")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.one:
        _write(measure(arguments.one[0], float(arguments.one[1])), sys.stdout)
        return
    every = [f"{module}.{name}" for module, names in CONSTANTS.items() for name in names]
    chosen = [one for one in every if not arguments.only or one.split(".")[1] in arguments.only]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        tasks = [
            pool.submit(_elsewhere, *AS_IS),
            *(pool.submit(_elsewhere, one, factor) for one in chosen for factor in FACTORS),
        ]
        found = [outcome for task in tasks for outcome in task.result()]
    if RESULTS.exists() and arguments.only:
        before = _read(RESULTS.read_text().splitlines())
        kept = [o for o in before if o.constant not in chosen and o.factor != AS_IS[1]]
        found = kept + found
    with RESULTS.open("w") as file:
        _write(found, file)
    PAGE.write_text(page(found))


if __name__ == "__main__":
    main()
