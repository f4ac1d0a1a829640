"""A report as one HTML page, from its document alone: nothing to load from elsewhere, nothing to run."""

from collections.abc import Iterable
from html import escape

from inference_cost.cli.page import shell
from inference_cost.cli.page.figures import UNKNOWN, money, number, percent
from inference_cost.cli.report.business_case import ownership_card, returns_card
from inference_cost.cli.report.charts import (
    cost_chart,
    in_time_chart,
    objective_chart,
    savings_charts,
)
from inference_cost.cli.report.document import (
    Breakdown,
    PolicyPart,
    ReportDocument,
    SidesPart,
)
from inference_cost.cli.report.savings_card import savings_card
from inference_cost.cli.report.table import Cell, Table, card

WASTE_WORDS = {
    "NotEnforced": "Decisions not followed",
    "GPUNotComputing": "GPUs not computing",
    "MinReplicas": "Kept by minReplicas",
    "Idle": "Idle nodes",
    "NodeBoot": "Nodes starting",
    "ReplicaBoot": "Replicas starting",
    "Late": "Late requests",
    "DearerThanBaseline": "Dearer than the baseline",
    "PriceUnknown": "Unknown price",
}


def to_page(document: ReportDocument) -> str:
    body = "".join(
        (
            _head(document),
            _tiles(document),
            _drawn(cost_chart(document)),
            *map(_drawn, savings_charts(document)),
            _where(document),
            _policies(document),
            _pools(document),
            _drawn(objective_chart(document)),
            _drawn(in_time_chart(document)),
            _waste(document),
            _decisions(document),
            savings_card(document),
            returns_card(document),
            ownership_card(document),
            _assumptions(document),
            _gaps(document),
        )
    )
    styles = [shell.chart_style(), shell.style(__package__, "page.css")]
    return shell.page(f"What inference cost: {document.summary[0]}", body, styles=styles)


def _drawn(chart: object) -> str:
    render = getattr(chart, "render", None)
    return render() if render is not None else ""


def _head(document: ReportDocument) -> str:
    window = document.window
    prices = "; ".join(document.prices) or UNKNOWN
    recorded = (
        ""
        if window.recorded_hours >= window.hours
        else f", of which {window.recorded_hours:,.4g} h are recorded"
    )
    about = (
        f"{_time(window.begin)} to {_time(window.end)} ({window.hours:,.4g} h{recorded}). Namespaces: "
        f"{document.namespaces}. Amounts in {document.currency}, at prices of: {prices}. "
        f"From the operator's series in {document.prometheus}. Made {_time(document.at)}."
    )
    first, *others = document.summary
    told = "".join(f"<p>{escape(one)}</p>" for one in others)
    return f"<header><h1>{escape(first)}</h1>{told}<p class='about'>{escape(about)}</p></header>"


def _tiles(document: ReportDocument) -> str:
    totals, currency = document.totals, document.currency
    tiles = (
        ("Cost", money(totals.cost, "totals.cost"), f"{currency}, all nodes of the pools in use"),
        _saved_tile("Saved, measured", totals.measured, "totals.measured", currency),
        _saved_tile("Potential saving", totals.potential, "totals.potential", currency),
        (
            "Requests in time",
            percent(totals.in_time_percent, "totals.inTimePercent"),
            f"of {number(totals.requests, 'totals.requests', ',d')}",
        ),
        ("Not requested by replicas", money(totals.unused, "totals.unused"), currency),
        (
            "Replicas cost now",
            money(totals.per_hour_now, "totals.perHourNow"),
            f"{currency} per hour",
        ),
    )
    shown = "".join(
        f'<div class="tile"><span>{escape(head)}</span><b>{value}</b><small>{note}</small></div>'
        for head, value, note in tiles
    )
    return f'<section class="tiles">{shown}</section>'


def _saved_tile(head: str, sides: SidesPart | None, at: str, currency: str) -> tuple[str, ...]:
    if sides is None:
        return head, f'<span class="tag">{UNKNOWN}</span>', "See what is not in these figures."
    note = (
        f"{currency}; {percent(sides.percent, f'{at}.percent')} of the baseline's "
        f"{money(sides.baseline_cost, f'{at}.baselineCost')}"
    )
    return head, money(sides.saved, f"{at}.saved"), note


def _where(document: ReportDocument) -> str:
    bars = "".join(_bars(i, one) for i, one in enumerate(document.breakdowns) if one.rows)
    return card(
        "Where the money goes",
        f"{document.currency}. Each list is all of the cost.",
        f'<div class="bars">{bars}</div>',
    )


def _bars(index: int, breakdown: Breakdown) -> str:
    rows = "".join(
        f'<div class="bar"><span>{escape(row.name)}</span><em>'
        f"{money(row.amount, f'breakdowns.{index}.rows.{i}.amount')} · "
        f"{percent(row.percent, f'breakdowns.{index}.rows.{i}.percent')}</em>"
        f'<i style="--w:{row.percent:g}%"></i></div>'
        for i, row in enumerate(breakdown.rows)
    )
    return f"<div><h3>By {escape(breakdown.by)}</h3>{rows}</div>"


def _policies(document: ReportDocument) -> str:
    heads = ("policy", "cost", "objective", "in time", "saved", "per 1,000 requests", "replicas",
             "per hour now", "prices")  # fmt: skip
    rows = [_policy_row(f"policies.{i}", one) for i, one in enumerate(document.policies)]
    return card(
        "Policies: objective and cost",
        f"{document.currency}. Saved: against the baseline, at the same objective.",
        Table(heads=heads, rows=rows).render() or "<p>There are none.</p>",
    )


def _policy_row(at: str, one: PolicyPart) -> tuple[Cell, ...]:
    missed = one.late_of_allowed is not None and one.late_of_allowed > 1
    in_time = percent(one.in_time_percent, f"{at}.inTimePercent")
    in_time = f'<span class="missed">{in_time} missed</span>' if missed else in_time
    saved = "".join(
        f"{money(part.amount, f'{at}.savings.{i}.amount')}<small>{escape(part.state)}, {escape(part.baseline)}</small>"
        for i, part in enumerate(one.savings)
    )
    return (
        f"{escape(one.namespace)}/{escape(one.name)}<small>{escape(one.mode)}</small>",
        money(one.cost, f"{at}.cost"),
        escape(one.objective),
        f"{in_time}<small>{escape(one.in_time_source)}</small>",
        saved or f'<span class="tag">{UNKNOWN}</span>',
        money(one.per_thousand_requests, f"{at}.perThousandRequests"),
        number(one.mean_replicas, f"{at}.meanReplicas"),
        money(one.per_hour, f"{at}.perHour"),
        escape(" ".join(filter(None, (one.price_source, one.price_time[:10])))) or UNKNOWN,
    )


def _pools(document: ReportDocument) -> str:
    heads = ("pool", "cost", "not requested", "nodes now", "per node hour", "prices", "attention")
    rows = [
        (
            escape(one.name),
            money(one.cost, f"pools.{i}.cost"),
            money(one.unused, f"pools.{i}.unused"),
            number(one.nodes, f"pools.{i}.nodes", ",d"),
            money(one.per_node_hour, f"pools.{i}.perNodeHour"),
            escape(" ".join(filter(None, (one.price_source, one.price_time[:10])))) or "by policy",
            "<br>".join(map(_text, one.attention)),
        )
        for i, one in enumerate(document.pools)
    ]
    return card(
        "Pools",
        f"{document.currency}. Nodes and prices of now, of pools that a CapacityPool declares; of others, prices are"
        " those of the policies on them.",
        Table(heads=heads, rows=rows).render() or "<p>There are none.</p>",
    )


def _waste(document: ReportDocument) -> str:
    rows = [
        (
            f"{escape(WASTE_WORDS.get(one.waste, one.waste))}<small>{escape(one.where)}</small>",
            money(one.amount, f"waste.{i}.amount"),
            _text(one.why),
            _text(one.fix),
        )
        for i, one in enumerate(document.waste)
    ]
    return card(
        "Waste, the dearest first",
        f"{document.currency}. Each is counted by itself; they overlap, so they have no sum.",
        Table(heads=("waste", "amount", "why", "what to do"), rows=rows).render()
        or "<p>None was found in what is recorded.</p>",
    )


def _decisions(document: ReportDocument) -> str:
    rows = [
        (
            escape(_time(one.at)),
            escape(one.policy),
            escape(one.what),
            number(one.times, f"decisions.{i}.times", ",d") if one.times is not None else "",
            number(one.hours, f"decisions.{i}.hours") if one.hours is not None else "",
            _text(one.why),
        )
        for i, one in enumerate(document.decisions)
    ]
    left_out = document.decisions_left_out
    more = (
        f"<p>{number(left_out, 'decisionsLeftOut', ',d')} older ones are left out.</p>"
        if left_out
        else ""
    )
    table = Table(heads=("last at", "policy", "what", "times", "hours", "why"), rows=rows)
    return card(
        "Decisions worth knowing",
        "What is decided now, what limited replicas, and events, for as long as the API server keeps them.",
        (table.render() or "<p>None is known.</p>") + more,
    )


def _assumptions(document: ReportDocument) -> str:
    return card("What is assumed", "", _listed(document.assumptions))


def _gaps(document: ReportDocument) -> str:
    rows = [(_text(one.what), _text(one.why), _text(one.fix)) for one in document.gaps]
    return card(
        "What is not in these figures",
        "",
        Table(heads=("not known", "why", "to know"), rows=rows).render(),
    )


def _listed(sentences: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(one)}</li>' for one in sentences)}</ul>"


def _text(words: str) -> str:
    """Words with commands in backticks."""
    parts = escape(words).split("`")
    if len(parts) % 2 == 0:
        return escape(words)
    return "".join(f"<code>{one}</code>" if i % 2 else one for i, one in enumerate(parts))


def _time(at: str) -> str:
    return at.replace("T", " ").replace(":00Z", " UTC").replace("Z", " UTC")
