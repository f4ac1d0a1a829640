"""Renders `docs/benchmarks.md` from the results: the text of `page.md`, with its tables put in."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.replay import tables
from benchmarks.replay.faults_table import faults_table
from benchmarks.replay.frontier import Point
from benchmarks.replay.frontier_table import frontier_table, mean_quotient, short_table
from benchmarks.replay.rows import NO_RESULTS, Results, Row

TEMPLATE = Path(__file__).with_name("page.md")
_PLACE = re.compile(r"\{([a-z0-9 ]+)\}")

Rows = tuple[Row, ...]
_TABLES: Mapping[str, Callable[[Rows], str]] = {
    "traces": tables.traces_table,
    "beside": tables.beside_table,
    "default 180": lambda rows: tables.default_table(rows, "180"),
    "default 360": lambda rows: tables.default_table(rows, "360"),
    "tuned 180": lambda rows: tables.tuned_table(rows, "180"),
    "tuned 360": lambda rows: tables.tuned_table(rows, "360"),
    "worst": tables.worst_table,
    "variants": tables.variants_table,
    "seeds": tables.seeds_table,
    "conditions": tables.conditions_table,
    "queue delay": tables.queue_delay_table,
    "load times": tables.load_times_table,
    "quick start": tables.quick_start_table,
    "certified": tables.certified_table,
}


def page(
    results: Results,
    faults: Results = NO_RESULTS,
    points: Sequence[Point] = (),
    template: str | None = None,
) -> str:
    """The whole page; the same results give the same bytes. `faults`: of the runs in which things go wrong.

    Raises:
        KeyError: the template asks for a table that does not exist.
    """
    text = TEMPLATE.read_text() if template is None else template
    made = {
        **{name: make(results.rows) for name, make in _TABLES.items()},
        "faults": faults_table(faults),
        "frontiers": frontier_table(results.rows, points),
        "short": short_table(results.rows, points),
        "mean 180": mean_quotient(results.rows, points, "180"),
        "mean 360": mean_quotient(results.rows, points, "360"),
        "facts": tables.facts_table(results.facts.items(), results.rows),
    }
    return _PLACE.sub(lambda place: made[place.group(1)], text)
