"""The tables of `docs/benchmarks.md`, each a pure function of the rows."""

from collections import Counter
from collections.abc import Callable, Iterable

from benchmarks.replay.cells import NONE, cell, meets, percent, span, table, tuned_cell
from benchmarks.replay.plan import LOAD_TIMES, QUICK_START, STARTS, full, usual_fidelity
from benchmarks.replay.rows import OURS, Row
from benchmarks.replay.selection import (
    Rows,
    as_recorded,
    at,
    by_case,
    disturbed,
    find,
    of,
    published_seed,
    traces_in,
    undisturbed,
    usual,
)
from benchmarks.traces.catalog import TRACES
from benchmarks.traces.variants import Variant

DAY_LONG = 22 / 24  # days
DEFAULTS = (
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
)
TUNED = (
    "hpa",
    "keda",
    "kpa-rps",
    "kpa",
    "wva",
    "wva-chart",
    "wva-saturation",
    "wva-saturation-chart",
    "llmd-slo",
    "static99",
)
RIVALS = (
    "hpa",
    "keda",
    "kpa-rps",
    "wva",
    "llmd-slo",
)  # whose best knob is what ours is compared with
SHOWN = ("hpa", "keda", "kpa-rps", "wva")  # beside ours where every baseline would be too wide


def traces_table(rows: Rows) -> str:
    """What was replayed, and how far it was stretched."""
    lines = []
    for trace in TRACES:
        row = find(at(usual(of(rows, trace.name))), OURS)
        if row is not None:
            figures = [
                f"{row.days:.3g}",
                f"{row.requests:,.0f}",
                f"{row.mean_replicas:.0f}",
                f"{row.stretch:.1f}",
                f"{row.objective_seconds:.2f} s",
                str(row.seed),
                f"${row.bound_dollars:,.2f} ({_gap(row)})",
            ]
            lines.append([f"`{trace.name}`", trace.about, *figures])
    heads = ["trace", "what", "days", "requests counted", "mean replicas", "stretch"]
    return table([*heads, "objective", "seed", "bound at 180 s (duality gap)"], lines)


def _gap(row: Row) -> str:
    share = 100 * row.bound_gap_dollars / row.bound_dollars if row.bound_dollars else 0.0
    return f"{share:.2f} %"


def default_table(rows: Rows, start: str) -> str:
    return _policies_table(at(usual(rows), start), DEFAULTS, tuned=False)


def tuned_table(rows: Rows, start: str) -> str:
    return _policies_table(at(usual(rows), start), TUNED, tuned=True)


def _policies_table(rows: Rows, policies: tuple[str, ...], *, tuned: bool) -> str:
    shown = tuned_cell if tuned else cell
    lines = [
        [
            f"`{trace}`",
            cell(find(of(rows, trace), OURS)),
            *(shown(find(of(rows, trace), policy, tuned=tuned)) for policy in policies),
        ]
        for trace in traces_in(rows)
    ]
    return table(["trace", OURS, *policies], lines)


def best_tuned(rows: Rows) -> Row | None:
    """The cheapest of the rivals that meets the objective at its best knob."""
    found = [find(rows, policy, tuned=True) for policy in RIVALS]
    meeting = [row for row in found if row is not None and meets(row)]
    return min(meeting, key=lambda row: row.cost_dollars, default=None)


def beside_table(rows: Rows) -> str:
    """Ours at equal attainment: against the default HPA, and against the best that hindsight can choose."""
    lines = []
    for start in STARTS:
        here = at(usual(rows), start)
        for trace in traces_in(here):
            mine = find(of(here, trace), OURS)
            if mine is not None:
                lines.append(
                    [f"`{trace}`", f"{start} s", cell(mine), *_against(of(here, trace), mine)]
                )
    heads = ["trace", "start", OURS, "ours ÷ HPA default", "best tuned", "its knob"]
    return table([*heads, "ours ÷ best tuned"], lines)


def _against(rows: Rows, mine: Row) -> list[str]:
    default, best = find(rows, "hpa"), best_tuned(rows)
    named = [NONE, NONE] if best is None else [f"{best.policy} {cell(best)}", best.knob]
    return [_quotient(mine, default), *named, _quotient(mine, best)]


def _quotient(mine: Row, other: Row | None) -> str:
    """Costs compare at equal attainment only, so there is none where one of the two misses the objective."""
    if other is None:
        return NONE
    missing = [row for row in (mine, other) if not meets(row)]
    if missing:
        return " and ".join(row.policy for row in missing) + " misses"
    return f"{mine.cost_dollars / other.cost_dollars:.2f}"


def worst_table(rows: Rows) -> str:
    """Where an average over all requests hides something."""
    lines = []
    for start in STARTS:
        here = at(usual(rows), start)
        for trace in traces_in(here):
            mine = of(here, trace)
            for policy, tuned in ((OURS, False), ("hpa", False), ("hpa", True)):
                row = find(mine, policy, tuned=tuned)
                if row is not None:
                    name = f"{policy} tuned" if tuned else policy
                    lines.append([f"`{trace}`", f"{start} s", name, *_worst(row)])
    heads = ["trace", "start", "policy", "attainment %", "worst day %", "worst hour %"]
    return table([*heads, "dropped %", "starts", "scale events", "replica-hours"], lines)


def _worst(row: Row) -> list[str]:
    dropped = 100 * row.dropped / row.requests if row.requests else 0.0
    shares = (row.attainment_percent, row.worst_day_percent, row.worst_hour_percent)
    counts = (row.starts, row.scale_events)
    return [
        *map(percent, shares),
        f"{dropped:.3f}",
        *(f"{count:,}" for count in counts),
        f"{row.replica_hours:,.0f}",
    ]


def variants_table(rows: Rows) -> str:
    """Traces that were varied; as recorded they stand beside their variants."""
    plain = [row for row in undisturbed(published_seed(rows)) if row.start in STARTS]
    known = {(row.trace, row.start) for row in plain if row.variant != Variant.RECORDED}
    places = list(Variant)
    varied = sorted(
        (row for row in plain if (row.trace, row.start) in known),
        key=lambda row: (row.trace, row.start, places.index(Variant(row.variant))),
    )
    return _cases_table(
        varied, {"variant": lambda row: row.variant, "start": lambda row: f"{row.start} s"}
    )


def conditions_table(rows: Rows) -> str:
    """Late and missing metrics; the first line of a trace is the usual case."""
    here = [
        row
        for row in at(as_recorded(published_seed(rows)))
        if not row.queue_delay_milliseconds and row.fidelity == usual_fidelity(row.trace)
    ]
    swept = [row for row in here if any(disturbed(other) for other in of(here, row.trace))]
    return _cases_table(
        swept,
        {
            "metric lag": lambda row: f"{row.metric_lag_seconds:g} s",
            "scrapes missing": lambda row: f"{row.missing_percent:g} %",
        },
    )


def queue_delay_table(rows: Rows) -> str:
    delayed = [row for row in rows if row.queue_delay_milliseconds]
    return _cases_table(
        _beside_usual(rows, delayed),
        {"queue delay": lambda row: f"{row.queue_delay_milliseconds:g} ms"},
    )


def certified_table(rows: Rows) -> str:
    """Every request by itself, beside the steps."""
    certified = [row for row in rows if row.fidelity != usual_fidelity(row.trace)]
    return _cases_table(
        _beside_usual(rows, certified),
        {
            "objective": lambda row: f"{row.objective_seconds:.2f} s",
            "served": lambda row: row.fidelity,
        },
    )


def _beside_usual(rows: Rows, unusual: Rows) -> Rows:
    """Each trace of these rows, first as usual."""
    beside = [row for row in at(usual(rows)) if any(o.trace == row.trace for o in unusual)]
    return [row for trace in traces_in(beside) for row in [*of(beside, trace), *of(unusual, trace)]]


def quick_start_table(rows: Rows) -> str:
    return _cases_table(at(usual(rows), QUICK_START), {"start": lambda row: f"{row.start} s"})


def load_times_table(rows: Rows) -> str:
    drawn = at(usual(rows), LOAD_TIMES)
    return _cases_table(drawn, {"start": lambda row: row.start})


def seeds_table(rows: Rows) -> str:
    """Smallest and largest over the seeds of each drawn trace."""
    here = undisturbed(as_recorded(at(rows)))
    lines = []
    for trace in traces_in(here):
        mine = of(here, trace)
        seeds = sorted({row.seed for row in mine})
        if len(seeds) > 1:
            spans = [span(_each(mine, policy)) for policy in (OURS, *SHOWN)]
            lines.append([f"`{trace}`", ", ".join(map(str, seeds)), *spans])
    return table(["trace", "seeds", OURS, *SHOWN], lines)


def _each(rows: Rows, policy: str) -> Rows:
    found = (find(group, policy) for group in by_case(rows))
    return [row for row in found if row is not None]


def _cases_table(rows: Rows, columns: dict[str, Callable[[Row], str]]) -> str:
    """One line per case, the policies at their defaults."""
    lines = []
    for group in by_case(rows):
        first = group[0]
        cells = [cell(find(group, policy)) for policy in (OURS, *SHOWN)]
        lines.append([f"`{first.trace}`", *(tell(first) for tell in columns.values()), *cells])
    return table(["trace", *columns, OURS, *SHOWN], lines)


def facts_table(facts: Iterable[tuple[str, str]], rows: Rows) -> str:
    """How the figures were made; more than one state of the code is said, not hidden."""
    states = sorted({row.code for row in rows})
    told = [
        *facts,
        ("planned, but not in these results", _not_run(rows)),
        ("state of the code (hash)", ", ".join(states)),
    ]
    return table(["", ""], [list(fact) for fact in told])


def _not_run(rows: Rows) -> str:
    known = {row.case for row in rows}
    planned = Counter(run.case.trace for run in full())
    missing = Counter(run.case.trace for run in full() if run.case not in known)
    texts = [f"{trace} ({count} of {planned[trace]} cases)" for trace, count in missing.items()]
    return ", ".join(texts) or "nothing"
