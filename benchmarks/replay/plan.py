"""Which runs the published figures come from, in the order in which they run."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from benchmarks.replay.faults import Fault
from benchmarks.traces.catalog import FAULT_TRACES, QUICK_TRACES, TRACES, Trace
from benchmarks.traces.variants import Variant
from inference_cost.simulate.scenario import Fidelity

BASELINES = (
    "hpa",
    "keda",
    "kpa-rps",
    "kpa",
    "wva",
    "wva-chart",
    "wva-saturation",
    "wva-saturation-chart",
    "llmd-slo",
    "static",
    "static99",
)
QUICK_BASELINES = ("hpa",)
FAULT_BASELINES = ("hpa", "keda")
LOAD_TIMES = "load times"  # start-up drawn from real model loads instead of a constant
STARTS = ("180", "360")  # seconds
USUAL_START = "180"
USUAL_LAG_SECONDS = 10.0
LAGS_SECONDS = (30.0, 60.0)
MISSING_PERCENT = 5.0
MUCH_MISSING_PERCENT = 20.0
QUEUE_DELAY_MILLISECONDS = 2.0
MORE_SEEDS = (1001, 1002)
SWEPT = ("mlarge", "nab-amzn")  # traces of the sweeps: smooth and spiky
QUICK_START, QUICK_STARTED = (
    "20",
    ("gentd26", "nab-amzn", "azure-code"),
)  # seconds; bursts are what a quick start helps with
STARTED_FROM_FILE = ("mlarge", "gentd26")
CERTIFIED = ("deepseek-r1", "gentd26", "nab-amzn")  # few enough requests
EVERY_REQUEST = frozenset({"azure-code"})  # two requests/s: nothing to smooth over in a step
CERTIFIED_BASELINES = ("hpa", "keda", "kpa-rps", "wva")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Case:
    """One scenario. `start`: seconds from order to ready, or LOAD_TIMES. The queue delay is before stretching."""

    trace: str
    variant: Variant = Variant.RECORDED
    seed: int
    start: str = USUAL_START
    metric_lag_seconds: float = USUAL_LAG_SECONDS
    missing_percent: float = 0.0
    queue_delay_milliseconds: float = 0.0
    fidelity: Fidelity = Fidelity.STEP
    fault: Fault = Fault.NONE

    def __str__(self) -> str:
        start = self.start if self.start == LOAD_TIMES else f"{self.start} s"
        more = (
            (self.variant is not Variant.RECORDED, str(self.variant)),
            (self.metric_lag_seconds != USUAL_LAG_SECONDS, f"lag {self.metric_lag_seconds:g} s"),
            (self.missing_percent > 0, f"{self.missing_percent:g} % missing"),
            (
                self.queue_delay_milliseconds > 0,
                f"queue delay {self.queue_delay_milliseconds:g} ms",
            ),
            (self.fidelity is not Fidelity.STEP, "every request"),
            (self.fault is not Fault.NONE, str(self.fault)),
        )
        words = [text for said, text in more if said]
        return ", ".join([f"{self.trace} start {start} seed {self.seed}", *words])


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A case and what is compared in it."""

    case: Case
    against: tuple[str, ...] = BASELINES
    tuned: bool = False


def usual_fidelity(trace: str) -> Fidelity:
    return Fidelity.REQUEST if trace in EVERY_REQUEST else Fidelity.STEP


def usual_case(trace: Trace) -> Case:
    """As recorded, at the published seed."""
    return Case(trace=trace.name, seed=trace.seed, fidelity=usual_fidelity(trace.name))


def full(traces: Iterable[Trace] = TRACES) -> tuple[Run, ...]:
    """The headline figures first, then what shows how far they can be trusted."""
    chosen = tuple(traces)
    parts = (_main, _certified, _variants, _seeds, _conditions)
    return tuple(run for part in parts for run in part(chosen))


def quick(traces: Iterable[Trace] = QUICK_TRACES) -> tuple[Run, ...]:
    """Minutes instead of hours: guards against getting worse, no figures to publish."""
    return tuple(Run(case=usual_case(trace), against=QUICK_BASELINES) for trace in traces)


def faulty(traces: Iterable[Trace] = FAULT_TRACES) -> tuple[Run, ...]:
    """When things go wrong: the usual case first."""
    cases = [case for trace in traces for case in _faulty(usual_case(trace))]
    return tuple(Run(case=case, against=FAULT_BASELINES) for case in cases)


def _faulty(usual: Case) -> Iterator[Case]:
    yield usual
    for lag in LAGS_SECONDS:
        yield replace(usual, metric_lag_seconds=lag)
    for percent in (MISSING_PERCENT, MUCH_MISSING_PERCENT):
        yield replace(usual, missing_percent=percent)
    for fault in Fault:
        if fault is not Fault.NONE:
            yield replace(usual, fault=fault)
    yield replace(usual, start=LOAD_TIMES)


def _main(traces: tuple[Trace, ...]) -> Iterator[Run]:
    for start in STARTS:
        for trace in sorted(traces, key=lambda trace: trace.days):
            yield Run(case=replace(usual_case(trace), start=start), tuned=True)


def _certified(traces: tuple[Trace, ...]) -> Iterator[Run]:
    for trace in traces:
        if trace.name in CERTIFIED:
            yield Run(
                case=replace(usual_case(trace), fidelity=Fidelity.REQUEST),
                against=CERTIFIED_BASELINES,
            )


def _variants(traces: tuple[Trace, ...]) -> Iterator[Run]:
    for start in STARTS:
        for trace in traces:
            for variant in (Variant.SHIFTED, Variant.REVERSED, Variant.TRIPLED):
                yield Run(case=replace(usual_case(trace), start=start, variant=variant))


def _seeds(traces: tuple[Trace, ...]) -> Iterator[Run]:
    for trace in traces:
        for seed in MORE_SEEDS if trace.drawn else ():
            yield Run(case=replace(usual_case(trace), seed=seed))


def _conditions(traces: tuple[Trace, ...]) -> Iterator[Run]:
    for trace in traces:
        usual = usual_case(trace)
        if trace.name in SWEPT:
            for lag in LAGS_SECONDS:
                yield Run(case=replace(usual, metric_lag_seconds=lag))
            yield Run(case=replace(usual, missing_percent=MISSING_PERCENT))
        yield Run(case=replace(usual, queue_delay_milliseconds=QUEUE_DELAY_MILLISECONDS))
        if trace.name in QUICK_STARTED:
            yield Run(case=replace(usual, start=QUICK_START))
        if trace.name in STARTED_FROM_FILE:
            yield Run(case=replace(usual, start=LOAD_TIMES))
