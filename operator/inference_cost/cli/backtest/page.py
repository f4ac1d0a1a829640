"""One HTML page about a backtest, with nothing to load from elsewhere."""

from collections.abc import Sequence
from html import escape

from inference_cost.cli.backtest.conditions import conditions
from inference_cost.cli.backtest.course_charts import cost_chart, late_chart, replicas_chart
from inference_cost.cli.backtest.courses import Drawn, drawn
from inference_cost.cli.backtest.frontier_chart import frontier_chart
from inference_cost.cli.backtest.result_model import (
    Bound,
    Document,
    FleetDocument,
    PolicyResult,
    Run,
)
from inference_cost.cli.backtest.words import (
    Bounds,
    dollars,
    percent,
    ratio_note,
    span,
    title,
)
from inference_cost.cli.page import shell
from inference_cost.simulate.outcome import Comparison

STYLE_FILE = "replay.css"
MISSED = "!"
HEADS = (
    "", "Setting", "Cost", "÷ bound", "In time", "Worst day", "Worst hour", "Late", "Dropped",
    "Replica-hours", "Starts",
)  # fmt: skip
FLEET_HEADS = ("", "Ours", "÷ bound", "In time", "Objective", "Worst day", "Requests")


def to_page(document: Document | FleetDocument, comparisons: Sequence[Comparison]) -> str:
    """The whole page. Without timings in the document the same run gives the same bytes."""
    name = document.policy if isinstance(document, Document) else "a fleet"
    body = (
        f"{_head(document)}{_charts(document, drawn(document, comparisons))}{_table(document)}"
        f"{_fleet(document)}{_inputs(document)}"
    )
    return shell.page(f"Backtest of {name}", body, styles=[shell.style(__package__, STYLE_FILE)])


def _head(document: Document | FleetDocument) -> str:
    first, _, rest = document.summary.partition("; ")
    more = f"<p>{escape(_capitalized(rest))}</p>" if rest else ""
    notes = "".join(f"<p class='note'>Note: {escape(note)}.</p>" for note in document.notes)
    heading = first.rstrip(".")
    return f"<header><h1>{escape(heading)}</h1>{more}<p class='about'>{_about(document)}</p>{notes}</header>"


def _capitalized(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _about(document: Document | FleetDocument) -> str:
    if isinstance(document, FleetDocument):
        requests = sum(result.traffic.requests for result in document.results)
        return escape(
            f"A replay of {requests:,.0f} requests to {len(document.results)} policies. "
            f"{conditions(document)}"
        )
    traffic = document.traffic
    return escape(
        f"A replay of {traffic.requests:,.0f} requests in {span(traffic.seconds)}, "
        f"{traffic.mean_rate:,.4g} per second on average, to {document.policy}. "
        f"{conditions(document)}"
    )


def _target(document: Document | FleetDocument) -> float | None:
    if isinstance(document, Document):
        return document.inputs.objective.target_percent
    targets = {result.inputs.objective.target_percent for result in document.results}
    return targets.pop() if len(targets) == 1 else None


def _rows(document: Document | FleetDocument) -> tuple[tuple[Run, ...], Bounds]:
    rows = document if isinstance(document, Document) else document.totals
    return rows.policies, Bounds(on_demand=rows.bound, spot=rows.spot_bound)


def _charts(document: Document | FleetDocument, rows: Sequence[Drawn]) -> str:
    runs, bounds = _rows(document)
    target = _target(document)
    charts = [frontier_chart(runs, bounds, target)]
    if rows:
        charts += [
            replicas_chart(rows),
            late_chart(rows, target if target is not None else _strictest(document)),
            cost_chart(rows, bounds),
        ]
    return "".join(charts)


def _strictest(document: Document | FleetDocument) -> float:
    results = document.results if isinstance(document, FleetDocument) else ()
    return max(result.inputs.objective.target_percent for result in results)


def _table(document: Document | FleetDocument) -> str:
    runs, bounds = _rows(document)
    body = "".join(_row(run) for run in runs)
    body += "".join(_bound_row(_capitalized(name), bound) for name, bound in bounds.named())
    return f'<section class="card"><h2>All figures</h2>{_wide(HEADS, body)}{_notes(runs)}</section>'


def _bound_row(name: str, bound: Bound) -> str:
    cells = (dollars(bound.cost_dollars), "1.000", percent(bound.attainment_percent))
    values = "".join(f"<td>{cell}</td>" for cell in cells)
    empty = "<td></td>" * (len(HEADS) - 2 - len(cells))
    return f'<tr class="c-bound"><td>{name}</td><td class="words">knows the future</td>{values}{empty}</tr>'


def _row(run: Run) -> str:
    hours = run.replica_hours
    missed = "" if run.meets_objective else ' class="missed"'
    cells = (
        dollars(run.cost_dollars),
        "" if run.ratio_to_bound is None else f"{run.ratio_to_bound:.3f}",
        _attained(run),
        percent(run.worst_day_percent),
        percent(run.worst_hour_percent),
        f"{run.late:,.0f}",
        f"{run.dropped:,.0f}",
        f"{hours.on_demand + hours.spot + hours.warm:,.0f}",
        f"{run.starts:,}",
    )
    values = "".join(
        f"<td{missed if number == 2 else ''}>{cell}</td>"  # noqa: PLR2004 - the attainment
        for number, cell in enumerate(cells)
    )
    style = ' class="c-ours"' if run.kind == "ours" else ""
    return (
        f"<tr{style}><td>{escape(title(run))}</td>"
        f'<td class="words">{escape(run.knob)}</td>{values}</tr>'
    )


def _attained(run: Run) -> str:
    """A miss is told by a sign too, for those who do not see its color."""
    return percent(run.attainment_percent) + ("" if run.meets_objective else f" {MISSED}")


def _wide(heads: Sequence[str], body: str) -> str:
    names = "".join(
        f'<th scope="col"{" class=words" if head == "Setting" else ""}>{escape(head)}</th>'
        for head in heads
    )
    return f'<div class="scroll"><table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table></div>'


def _notes(runs: Sequence[Run]) -> str:
    notes = [] if all(run.meets_objective for run in runs) else [f"{MISSED}: misses the objective"]
    notes += filter(None, [ratio_note(runs)])
    notes += (f"{title(run)}: {note}" for run in runs for note in run.notes)
    return f"<ul>{''.join(f'<li>{escape(note)}</li>' for note in notes)}</ul>" if notes else ""


def _fleet(document: Document | FleetDocument) -> str:
    if isinstance(document, Document):
        return ""
    body = "".join(_fleet_row(result) for result in document.results)
    return f'<section class="card"><h2>Policy by policy</h2>{_wide(FLEET_HEADS, body)}</section>'


def _fleet_row(result: PolicyResult) -> str:
    ours = result.policies[0]
    missed = "" if ours.meets_objective else ' class="missed"'
    ratio = "" if ours.ratio_to_bound is None else f"{ours.ratio_to_bound:.3f}"
    return (
        f"<tr><td>{escape(result.policy)}</td><td>{dollars(ours.cost_dollars)}</td><td>{ratio}</td>"
        f"<td{missed}>{_attained(ours)}</td>"
        f"<td>{result.inputs.objective.target_percent:g} %</td>"
        f"<td>{percent(ours.worst_day_percent)}</td><td>{result.traffic.requests:,.0f}</td></tr>"
    )


def _inputs(document: Document | FleetDocument) -> str:
    shared = document.inputs
    values = shared.parameters.model_dump(by_alias=True, mode="json")
    pairs = [(key, _shown(value)) for key, value in values.items() if value is not None]
    pairs.append(("seed", str(document.seed)))
    if isinstance(document, Document):
        pairs += _policy_pairs(document)
    pairs += [(f"{file.role} ({file.name})", f"SHA-256 {file.sha256}") for file in shared.files]
    pairs.append(("versions", ", ".join(f"{name} {v}" for name, v in shared.versions.items())))
    listed = "".join(f"<dt>{escape(key)}</dt><dd>{escape(text)}</dd>" for key, text in pairs)
    assumed = "".join(f"<li>{escape(one)}</li>" for one in shared.assumptions)
    return (
        '<section class="card"><h2>What went in</h2><p>With the same files and values the same command '
        f"gives the same figures.</p><ul>{assumed}</ul><dl>{listed}</dl></section>"
    )


def _policy_pairs(document: Document) -> list[tuple[str, str]]:
    inputs = document.inputs
    profile = inputs.profile
    served = (
        f"{profile.fixed_milliseconds:g} ms + {profile.per_item_milliseconds:g} ms per request, in batches "
        f"of up to {profile.max_batch} ({profile.source})"
    )
    return [
        ("replicas", f"{inputs.min_replicas} to {inputs.max_replicas}"),
        ("routing", inputs.routing),
        ("profile", served),
        ("stretch", f"{inputs.stretch:g}"),
        (
            "price",
            f"${inputs.price.per_replica_hour} ({inputs.price.source}: {inputs.price.origin})",
        ),
    ]


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
