"""Picks rows out of the results."""

from collections.abc import Iterable, Sequence

from benchmarks.replay.plan import USUAL_LAG_SECONDS, USUAL_START, usual_fidelity
from benchmarks.replay.rows import Row
from benchmarks.traces.catalog import TRACES
from benchmarks.traces.variants import Variant

Rows = Sequence[Row]
_SEEDS = {trace.name: trace.seed for trace in TRACES}


def published_seed(rows: Rows) -> Rows:
    return [row for row in rows if row.seed == _SEEDS.get(row.trace, row.seed)]


def as_recorded(rows: Rows) -> Rows:
    return [row for row in rows if row.variant == Variant.RECORDED]


def disturbed(row: Row) -> bool:
    """Metrics later than usual or missing, a queue delay, or every request by itself."""
    late = row.metric_lag_seconds != USUAL_LAG_SECONDS
    return (
        late
        or row.missing_percent > 0
        or row.queue_delay_milliseconds > 0
        or row.fidelity != usual_fidelity(row.trace)
    )


def undisturbed(rows: Rows) -> Rows:
    return [row for row in rows if not disturbed(row)]


def usual(rows: Rows) -> Rows:
    """The traces as recorded at the published seed, undisturbed, at any start."""
    return undisturbed(as_recorded(published_seed(rows)))


def at(rows: Rows, start: str = USUAL_START) -> Rows:
    return [row for row in rows if row.start == start]


def of(rows: Rows, trace: str) -> Rows:
    return [row for row in rows if row.trace == trace]


def traces_in(rows: Rows) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.trace for row in rows))


def by_case(rows: Rows) -> Iterable[Rows]:
    cases = dict.fromkeys(row.case for row in rows)
    return [[row for row in rows if row.case == case] for case in cases]


def find(rows: Rows, policy: str, *, tuned: bool = False) -> Row | None:
    """The row of one policy; ours and static fleets have no knob and are found either way."""
    for row in rows:
        knobless = row.ours or policy.startswith("static")
        if row.policy == policy and (knobless or row.tuned == tuned):
            return row
    return None
