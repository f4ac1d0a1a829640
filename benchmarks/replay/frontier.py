"""What each rule of others costs at which attainment, over all its knobs: for comparing at less than the objective."""

import csv
import io
import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, fields
from functools import partial
from itertools import groupby

from benchmarks.replay.plan import Case, full
from benchmarks.replay.rows import OURS, Row
from benchmarks.traces.catalog import TRACES
from inference_cost.simulate.scenario import Scenario
from inference_cost.simulate.tuning import Trial, run_trial, trials
from inference_cost.simulate.world.new import steady_state_of

RIVALS = ("hpa", "keda", "kpa-rps", "wva", "llmd-slo")
OBJECTIVE_PERCENT = 99.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One rule at one of its knobs. No other knob of the rule is both cheaper and late less often."""

    trace: str
    start: str
    queue_delay_milliseconds: float
    policy: str
    knob: str
    cost_dollars: float
    attainment_percent: float

    @property
    def where(self) -> tuple[str, str, float]:
        return self.trace, self.start, self.queue_delay_milliseconds


def cases_of(rows: Iterable[Row]) -> tuple[Case, ...]:
    """Those whose rivals were not tuned to what ours is to be compared at: ours misses, or there is a queue delay."""
    ours = {row.case: row for row in rows if row.policy == OURS}
    usual = [run.case for run in full() if run.tuned and run.case in ours]
    missed = [one for one in usual if ours[one].attainment_percent < OBJECTIVE_PERCENT]
    delayed = [run.case for run in full() if run.case.queue_delay_milliseconds]
    seeds = {trace.name: trace.seed for trace in TRACES}
    return tuple(one for one in (*missed, *delayed) if one.seed == seeds[one.trace])


def points_of(case: Case, scenario: Scenario, jobs: int) -> tuple[Point, ...]:
    """Every rival at every knob, the useless ones left out."""
    steady_state_of(scenario)  # here, so that the processes inherit it
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(jobs, mp_context=context) as executor:
        tried = executor.map(partial(_point, case, scenario), trials(RIVALS, tuned=True))
        return tuple(useful(tried))


def _point(case: Case, scenario: Scenario, trial: Trial) -> Point:
    outcome = run_trial(scenario, trial)
    return Point(
        trace=case.trace,
        start=case.start,
        queue_delay_milliseconds=case.queue_delay_milliseconds,
        policy=outcome.name,
        knob=outcome.knob,
        cost_dollars=round(outcome.cost_dollars, 4),
        attainment_percent=round(100 * outcome.attained_fraction, 3),
    )


def useful(points: Iterable[Point]) -> Iterator[Point]:
    """Of each rule, and its default in any case."""
    for _, group in groupby(points, key=lambda point: point.policy):
        least = float("inf")
        order = sorted(group, key=lambda point: (-point.attainment_percent, point.cost_dollars))
        for point in order:
            if point.cost_dollars < least or point.knob.startswith("default"):
                yield point
            least = min(least, point.cost_dollars)


def cheapest(points: Iterable[Point], attainment_percent: float) -> Point | None:
    """Of those that are late no more often."""
    enough = [point for point in points if point.attainment_percent >= attainment_percent]
    return min(enough, key=lambda point: point.cost_dollars, default=None)


def to_csv(points: Iterable[Point]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, [field.name for field in fields(Point)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(point) for point in points)
    return out.getvalue()


def from_csv(text: str) -> tuple[Point, ...]:
    """What `to_csv` wrote."""
    return tuple(
        Point(
            trace=row["trace"],
            start=row["start"],
            queue_delay_milliseconds=float(row["queue_delay_milliseconds"]),
            policy=row["policy"],
            knob=row["knob"],
            cost_dollars=float(row["cost_dollars"]),
            attainment_percent=float(row["attainment_percent"]),
        )
        for row in csv.DictReader(text.splitlines())
    )


def replaced(old: Sequence[Point], new: Sequence[Point]) -> tuple[Point, ...]:
    """Of the same cases."""
    known = {point.where for point in new}
    return (*(point for point in old if point.where not in known), *new)
