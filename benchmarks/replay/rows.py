"""One row per policy of a run, and the file they are kept in.

Wall-clock figures are left out: the same code and seeds give the same rows.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

from benchmarks.replay.faults import Fault
from benchmarks.replay.plan import Case
from benchmarks.replay.scenarios import mean_replicas
from benchmarks.traces.variants import DAY_SECONDS, Variant
from inference_cost.model.policy import LatencyObjective
from inference_cost.simulate.outcome import Comparison, Outcome
from inference_cost.simulate.scenario import Fidelity, Scenario

OURS = "ours"  # the kind, and the name in every case
TUNED = "tuned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A policy in a case. Percent are of requests; `ratio_to_bound` is None where the bound is nothing."""

    trace: str
    variant: str
    seed: int
    start: str
    metric_lag_seconds: float
    missing_percent: float
    queue_delay_milliseconds: float
    fidelity: str
    days: float
    mean_replicas: float
    stretch: float
    objective_seconds: float
    policy: str
    kind: str
    knob: str
    cost_dollars: float
    bound_dollars: float
    bound_gap_dollars: float
    ratio_to_bound: float | None
    attainment_percent: float
    worst_day_percent: float
    worst_hour_percent: float
    requests: float
    late: float
    dropped: float
    starts: int
    scale_events: int
    replica_hours: float
    notes: str
    code: str  # of which the row is
    fault: str = ""

    @property
    def case(self) -> Case:
        return Case(
            trace=self.trace,
            variant=Variant(self.variant),
            seed=self.seed,
            start=self.start,
            metric_lag_seconds=self.metric_lag_seconds,
            missing_percent=self.missing_percent,
            queue_delay_milliseconds=self.queue_delay_milliseconds,
            fidelity=Fidelity(self.fidelity),
            fault=Fault(self.fault),
        )

    @property
    def ours(self) -> bool:
        return self.kind == OURS

    @property
    def tuned(self) -> bool:
        """At the knob that is cheapest in hindsight."""
        return self.knob.startswith(TUNED)


def rows_of(case: Case, scenario: Scenario, comparison: Comparison, code: str) -> tuple[Row, ...]:
    """Raises ValueError without a bound: a cost alone says nothing."""
    if comparison.bound is None:
        raise ValueError("the comparison has no bound")
    shared: dict[str, Any] = {
        **asdict(case),
        "variant": str(case.variant),
        "fidelity": str(case.fidelity),
        "fault": str(case.fault),
        "days": round(scenario.traffic.seconds / DAY_SECONDS, 4),
        "mean_replicas": mean_replicas(scenario.traffic) * case.variant.factor,
        "stretch": round(scenario.stretch, 4),
        "objective_seconds": round(_threshold(scenario), 4),
        "bound_dollars": round(comparison.bound.cost_dollars, 4),
        "bound_gap_dollars": round(comparison.bound.duality_gap_dollars, 4),
        "code": code,
    }
    return tuple(
        Row(**shared, **_figures(outcome, comparison.ratio_to_bound(outcome)))
        for outcome in comparison.outcomes
    )


def _threshold(scenario: Scenario) -> float:
    objective = scenario.policy.objective
    if not isinstance(objective, LatencyObjective):
        raise TypeError("the benchmark replays latency objectives")
    return objective.threshold_seconds


def _figures(outcome: Outcome, ratio: float | None) -> dict[str, Any]:
    hours = outcome.replica_hours
    return {
        "policy": OURS if outcome.kind == OURS else outcome.name,
        "kind": outcome.kind,
        "knob": outcome.knob,
        "cost_dollars": round(outcome.cost_dollars, 4),
        "ratio_to_bound": None if ratio is None else round(ratio, 4),
        "attainment_percent": round(100 * outcome.attained_fraction, 3),
        "worst_day_percent": round(100 * outcome.worst_day_fraction, 3),
        "worst_hour_percent": round(100 * outcome.worst_hour_fraction, 3),
        "requests": round(outcome.requests, 1),
        "late": round(outcome.late, 1),
        "dropped": round(outcome.dropped, 1),
        "starts": outcome.starts,
        "scale_events": outcome.scale_events,
        "replica_hours": round(hours.on_demand + hours.spot + hours.warm, 3),
        "notes": "; ".join(outcome.notes),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What a page is rendered from. `facts`: how the newest rows were made, by heading."""

    facts: Mapping[str, str]
    rows: tuple[Row, ...]


NO_RESULTS = Results(facts={}, rows=())


def merged(
    old: Sequence[Row], new: Sequence[Row], order: Sequence[Case], *, ours_only: bool = False
) -> tuple[Row, ...]:
    """New rows take the place of old rows of the same case; cases stand in the order of the plan.

    With `ours_only` the rows of other policies stay: they do not depend on ours.
    """
    replaced = {row.case for row in new}
    kept = [row for row in old if row.case not in replaced or (ours_only and not row.ours)]
    places = {case: place for place, case in enumerate(order)}
    everything = sorted(
        [*kept, *new], key=lambda row: (places.get(row.case, len(places)), not row.ours)
    )
    return tuple(everything)


def to_csv(results: Results) -> str:
    """Facts as `# heading: text` lines, then a header and one line per row."""
    out = io.StringIO()
    for heading, text in results.facts.items():
        out.write(f"# {heading}: {text}\n")
    writer = csv.DictWriter(out, [field.name for field in fields(Row)], lineterminator="\n")
    writer.writeheader()
    for row in results.rows:
        writer.writerow(asdict(row))
    return out.getvalue()


def from_csv(text: str) -> Results:
    """What `to_csv` wrote.

    Raises:
        ValueError: a column is missing, or a value is not of the column's type.
    """
    lines = text.splitlines()
    heads = [line[2:].split(": ", 1) for line in lines if line.startswith("# ")]
    table = csv.DictReader(line for line in lines if not line.startswith("# "))
    return Results(facts={head[0]: head[1] for head in heads}, rows=_parsed(table))


def _parsed(table: Iterable[dict[str, str]]) -> tuple[Row, ...]:
    names = {field.name: field.type for field in fields(Row)}
    needed = {field.name for field in fields(Row) if field.default is MISSING}
    rows = []
    for record in table:
        missing = needed - record.keys()
        if missing:
            raise ValueError(f"columns are missing: {', '.join(sorted(missing))}")
        values: dict[str, Any] = {
            name: _value(record[name], kind) for name, kind in names.items() if name in record
        }
        rows.append(Row(**values))
    return tuple(rows)


def _value(text: str, kind: object) -> str | float | int | None:
    if kind == float | None:
        return float(text) if text else None
    if kind in (int, float):
        return int(text) if kind is int else float(text)
    return text
