"""The table of the runs in which things go wrong."""

from benchmarks.replay.cells import NONE, cell, percent, table
from benchmarks.replay.plan import FAULT_BASELINES, LOAD_TIMES, USUAL_LAG_SECONDS
from benchmarks.replay.rows import OURS, Results, Row
from benchmarks.replay.selection import by_case, find


def faults_table(results: Results) -> str:
    """One line per case, and how they were made."""
    policies = (OURS, *FAULT_BASELINES)
    lines = [
        [_what(group[0]), *(_with_worst_hour(find(group, policy)) for policy in policies)]
        for group in by_case(results.rows)
    ]
    made = table(["what is wrong", *policies], lines)
    facts = results.facts
    if not lines or "command" not in facts:
        return made
    states = ", ".join(sorted({row.code for row in results.rows}))
    return f"{made}\n\nMade by {facts['command']} on {facts['date']}, state of the code {states}."


def _what(row: Row) -> str:
    if row.fault:
        return row.fault
    if row.metric_lag_seconds != USUAL_LAG_SECONDS:
        return f"metrics {row.metric_lag_seconds:g} s late"
    if row.missing_percent:
        return f"{row.missing_percent:g} % of the scrapes missing"
    return "start-up drawn from real model loads" if row.start == LOAD_TIMES else "nothing"


def _with_worst_hour(row: Row | None) -> str:
    return NONE if row is None else f"{cell(row)}, {percent(row.worst_hour_percent)}"
