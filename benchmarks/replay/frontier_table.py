"""Ours beside the rules of others at equal attainment, where that is not the objective's."""

from collections.abc import Sequence
from math import exp, log

from benchmarks.replay.cells import NONE, TARGET_PERCENT, cell, percent, table
from benchmarks.replay.frontier import Point, cases_of, cheapest
from benchmarks.replay.rows import OURS, Row
from benchmarks.replay.tables import DAY_LONG, at, best_tuned, find, meets, of, traces_in, usual

SHORT_DAYS = 2 / 24


def frontier_table(rows: Sequence[Row], points: Sequence[Point]) -> str:
    """Each rule at the knob that is cheapest with ours' attainment, or with the objective's where ours has more."""
    lines = []
    for case in cases_of(rows):
        mine = next((row for row in rows if row.case == case and row.policy == OURS), None)
        where = (case.trace, case.start, case.queue_delay_milliseconds)
        there = [point for point in points if point.where == where]
        if mine is not None and there:
            best = cheapest(there, min(mine.attainment_percent, TARGET_PERCENT))
            delay = f"{case.queue_delay_milliseconds:g} ms" if case.queue_delay_milliseconds else ""
            lines.append(
                [f"`{case.trace}`", f"{case.start} s", delay, cell(mine), *_beside(mine, best)]
            )
    heads = ["trace", "start", "queue delay", OURS, "cheapest", "its knob", "ours ÷ cheapest"]
    return table(heads, lines)


def mean_quotient(rows: Sequence[Row], points: Sequence[Point], start: str) -> str:
    """Geometric mean of ours ÷ the cheapest rival, over the traces of 22 hours and more.

    At the objective where ours meets it, else at our own attainment.
    """
    here = [row for row in at(usual(tuple(rows)), start) if row.days >= DAY_LONG]
    quotients = []
    for trace in traces_in(here):
        mine, best = find(of(here, trace), OURS), best_tuned(of(here, trace))
        cost = None if best is None else best.cost_dollars
        if mine is not None and not meets(mine):
            there = [point for point in points if point.where == (trace, start, 0.0)]
            as_late = cheapest(there, mine.attainment_percent)
            cost = None if as_late is None else as_late.cost_dollars
        if mine is not None and cost is not None:
            quotients.append(mine.cost_dollars / cost)
    if not quotients:
        return NONE
    mean = exp(sum(map(log, quotients)) / len(quotients))
    return f"{mean:.3f} over {len(quotients)} of {len(traces_in(here))} traces"


def _beside(mine: Row, best: Point | None) -> list[str]:
    if best is None:
        return ["never", NONE, NONE]
    return [_told(mine, best), best.knob, f"{mine.cost_dollars / best.cost_dollars:.2f}"]


def _told(mine: Row, point: Point) -> str:
    ratio = NONE
    if mine.bound_dollars:
        ratio = f"{point.cost_dollars / mine.bound_dollars:.2f}"
    return f"{point.policy} {ratio} ({percent(point.attainment_percent)})"


def short_table(rows: Sequence[Row], points: Sequence[Point]) -> str:
    """Traces of an hour: WVA as it comes, and at the knob that is cheapest with that attainment."""
    lines = []
    for case in cases_of(rows):
        mine = next((row for row in rows if row.case == case and row.policy == OURS), None)
        where = (case.trace, case.start, case.queue_delay_milliseconds)
        wva = [point for point in points if point.where == where and point.policy == "wva"]
        default = next((point for point in wva if point.knob.startswith("default")), None)
        if mine is None or mine.days > SHORT_DAYS or default is None:
            continue
        best = cheapest(wva, default.attainment_percent)
        delay = f"{case.queue_delay_milliseconds:g} ms" if case.queue_delay_milliseconds else ""
        lines.append(
            [
                f"`{case.trace}`",
                f"{case.start} s",
                delay,
                cell(mine),
                _told(mine, default),
                *_beside(mine, best),
            ]
        )
    heads = [
        "trace",
        "start",
        "queue delay",
        OURS,
        "WVA as it comes",
        "cheapest with as many in time",
    ]
    return table([*heads, "its knob", "ours ÷ cheapest"], lines)
