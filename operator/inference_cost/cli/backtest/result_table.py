"""The document as a table for the terminal, and as CSV: one row per controller, the bound last."""

import csv
import io
from collections.abc import Sequence

from inference_cost.cli.backtest.conditions import conditions
from inference_cost.cli.backtest.result_model import (
    Bound,
    Document,
    FleetDocument,
    PolicyResult,
    Run,
    Totals,
)
from inference_cost.cli.backtest.words import dollars, percent, ratio_note

HEADS = (
    "NAME", "KNOB", "COST", "÷ BOUND", "ATTAINED  ", "WORST DAY", "WORST HOUR", "LATE", "DROPPED",
    "REPLICA-HOURS", "STARTS",
)  # fmt: skip
CSV_HEADS = (
    "policy", "name", "kind", "knob", "cost_dollars", "ratio_to_bound", "attained_percent",
    "worst_day_percent", "worst_hour_percent", "requests", "late", "dropped", "on_demand_hours",
    "spot_hours", "warm_hours", "starts", "scale_events", "meets_objective", "ratio_bound",
)  # fmt: skip
LEFT_ALIGNED = ("NAME", "KNOB", "POLICY")
BOUND, SPOT_BOUND = "bound", "bound with spot"
ALL = "(all)"


def to_table(document: Document | FleetDocument) -> str:
    """A sentence, under what it holds, then the rows."""
    head = f"{document.summary}\n{conditions(document)}"
    if isinstance(document, Document):
        rows = _rows(document.policies, document)
        return f"{head}\n\n{_table(HEADS, rows)}\n{_notes(document, document.policies)}"
    rows = _rows(document.totals.policies, document.totals)
    ours = [(result.policy, *_cells(result.policies[0])[2:]) for result in document.results]
    return (
        f"{head}\n\nAll policies:\n{_table(HEADS, rows)}\n\nOurs by policy:\n"
        f"{_table(('POLICY', *HEADS[2:]), ours)}\n{_notes(document, document.totals.policies)}"
    )


def _rows(runs: Sequence[Run], bounded: Document | Totals) -> list[tuple[str, ...]]:
    empty = ("",) * (len(HEADS) - 5)
    bounds = [
        (
            name,
            "knows the future",
            dollars(bound.cost_dollars),
            "1.000",
            percent(bound.attainment_percent) + "  ",
            *empty,
        )
        for name, bound in _bounds(bounded)
    ]
    return [*map(_cells, runs), *bounds]


def _bounds(bounded: Document | PolicyResult | Totals) -> list[tuple[str, Bound]]:
    found = ((BOUND, bounded.bound), (SPOT_BOUND, bounded.spot_bound))
    return [(name, bound) for name, bound in found if bound is not None]


def _cells(run: Run) -> tuple[str, ...]:
    hours = run.replica_hours
    return (
        run.name,
        run.knob,
        dollars(run.cost_dollars),
        "" if run.ratio_to_bound is None else f"{run.ratio_to_bound:.3f}",
        percent(run.attainment_percent) + ("  " if run.meets_objective else " !"),
        percent(run.worst_day_percent),
        percent(run.worst_hour_percent),
        f"{run.late:,.0f}",
        f"{run.dropped:,.0f}",
        f"{hours.on_demand + hours.spot + hours.warm:,.1f}",
        f"{run.starts:,}",
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if head in LEFT_ALIGNED else cell.rjust(width)
            for head, cell, width in zip(heads, line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def _notes(document: Document | FleetDocument, runs: Sequence[Run]) -> str:
    lines = [] if all(run.meets_objective for run in runs) else ["! misses the objective"]
    lines += filter(None, [ratio_note(runs)])
    lines += (f"Note: {note}" for note in document.notes)
    lines += (f"{run.name}: {note}" for run in runs for note in run.notes)
    return "".join(f"\n{line}" for line in lines) + ("\n" if lines else "")


def to_csv(document: Document | FleetDocument) -> str:
    """The same rows with plain numbers; a fleet's rows for each policy, and for all under `(all)`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_HEADS)
    groups: list[tuple[str, Document | PolicyResult | Totals]]
    if isinstance(document, Document):
        groups = [(document.policy, document)]
    else:
        groups = [*((one.policy, one) for one in document.results), (ALL, document.totals)]
    for policy, rows in groups:
        writer.writerows(_csv_row(policy, run) for run in rows.policies)
        writer.writerows(_csv_bound(policy, name, bound) for name, bound in _bounds(rows))
    return text.getvalue()


def _csv_row(policy: str, run: Run) -> tuple[object, ...]:
    hours = run.replica_hours
    return (
        policy, run.name, run.kind, run.knob, run.cost_dollars,
        "" if run.ratio_to_bound is None else run.ratio_to_bound, run.attainment_percent,
        run.worst_day_percent, run.worst_hour_percent, run.requests, run.late, run.dropped,
        hours.on_demand, hours.spot, hours.warm, run.starts, run.scale_events,
        str(run.meets_objective).lower(), run.ratio_bound or "",
    )  # fmt: skip


def _csv_bound(policy: str, name: str, bound: Bound) -> tuple[object, ...]:
    values = {
        "policy": policy,
        "name": name,
        "kind": BOUND,
        "cost_dollars": bound.cost_dollars,
        "ratio_to_bound": 1.0,
        "attained_percent": bound.attainment_percent,
    }
    return tuple(values.get(head, "") for head in CSV_HEADS)
