"""A scan as one HTML page with nothing to load from elsewhere. Each number names its place in the JSON."""

from collections.abc import Iterable, Sequence
from html import escape

from inference_cost.cli.page import shell
from inference_cost.cli.page.figures import figure, money, number
from inference_cost.cli.scan.amounts import Amounts
from inference_cost.cli.scan.document import (
    PoolRow,
    SavingPart,
    ScanDocument,
    Side,
    Unknown,
    WorkloadPart,
)
from inference_cost.cli.scan.table import autoscaler_words, no_pools

STYLE_FILE = "page.css"
UNKNOWN_HEADS = ("Not known", "Why", "To know")


def to_page(document: ScanDocument) -> str:
    amounts = Amounts(document.currency)
    workloads = (
        _workload(f"workloads.{i}", one, amounts) for i, one in enumerate(document.workloads)
    )
    body = (
        f"<h1>{escape(document.summary)}</h1><p class='about'>{_about(document)}</p>"
        f"{''.join(workloads)}{_pools(document, amounts)}"
        f"{_unknowns('Not read', document.unread)}"
    )
    styles = [shell.style(__package__, STYLE_FILE)]
    return shell.page("What these GPUs cost", body, styles=styles)


def _about(document: ScanDocument) -> str:
    source = f"Traffic from {document.prometheus}." if document.prometheus else "Without traffic."
    return escape(
        f"{document.at}, namespaces: {document.namespaces}. {source} Amounts in {document.currency}. "
        "Nothing was changed in the cluster."
    )


def _workload(at: str, one: WorkloadPart, amounts: Amounts) -> str:
    name = f"{one.namespace}/{one.kind}/{one.name}"
    policy = (
        f"<p class='soft'>Ready to apply:</p><pre>{escape(one.policy)}</pre>" if one.policy else ""
    )
    models = f" Serves {', '.join(one.models)}." if one.models else ""
    return (
        f"<section><h2>{escape(name)}</h2><p class='verdict'>{escape(one.verdict)}</p>"
        f"<p class='soft'>{_facts(at, one, amounts)}. Scaled by "
        f"{escape(autoscaler_words(one.autoscaler))}.{escape(models)}</p>{_bar(at, one, amounts)}"
        f"{_saving(f'{at}.saving', one.saving, amounts)}"
        f"{_rows(UNKNOWN_HEADS, map(_unknown, one.unknown))}{policy}</section>"
    )


def _facts(at: str, one: WorkloadPart, amounts: Amounts) -> str:
    products = f" ({', '.join(one.gpu_products)})" if one.gpu_products else ""
    price = f", {_amount(one.per_hour, f'{at}.perHour', amounts)} per hour" if one.per_hour else ""
    priced = f" (prices: {escape(one.priced)})" if one.priced else ""
    return (
        f"{number(one.ready, f'{at}.ready')} of {number(one.replicas, f'{at}.replicas')} replicas ready, "
        f"{number(one.gpus, f'{at}.gpus')} GPUs{escape(products)}{price}{priced}"
    )


def _amount(value: str, at: str, amounts: Amounts) -> str:
    return figure(value, at, escape(amounts.exact(value)))


def _bar(at: str, one: WorkloadPart, amounts: Amounts) -> str:
    if one.busy_percent is None:
        return ""
    waste = (
        f"; {_amount(one.waste_per_hour, f'{at}.wastePerHour', amounts)} per hour for nothing"
        if one.waste_per_hour
        else ""
    )
    busy = number(one.busy_percent, f"{at}.busyPercent", ".1f", " %")
    width = min(one.busy_percent, 100.0)
    return (
        f"<p class='soft'>Computing {busy} of the time{waste}</p>"
        f"<div class='bar'><i style='width:{width:.1f}%'></i></div>"
    )


def _saving(at: str, saving: SavingPart | None, amounts: Amounts) -> str:
    if saving is None:
        return ""
    objective = saving.objective
    head = f"{objective.target_percent:g} % within {objective.threshold_milliseconds:g} ms ({objective.source})"
    heads = ("", f"{amounts.unit}/h", "Replicas", "In time")
    sides = [
        _side("Today", f"{at}.today", saving.today),
        _side("With the policy", f"{at}.policy", saving.policy),
    ]
    assumed = "; ".join(saving.assumptions)
    return (
        f"<p class='soft'>Objective: {escape(head)}. Over {number(saving.hours, f'{at}.hours')} hours. "
        f"{_change(at, saving, amounts)}</p>{_rows(heads, sides)}<p class='soft'>{escape(assumed)}.</p>"
    )


def _change(at: str, saving: SavingPart, amounts: Amounts) -> str:
    """Percentages are of what nodes cost."""
    parts = []
    if saving.per_month is not None:
        parts.append(f"Saved per month: {_amount(saving.per_month, f'{at}.perMonth', amounts)}")
        if saving.error is not None:
            parts.append(f" ± {_amount(saving.error, f'{at}.error', amounts)}")
        if saving.at_best_per_month not in (None, saving.per_month):
            best = _amount(saving.at_best_per_month or "", f"{at}.atBestPerMonth", amounts)
            parts.append(f"; at best {best}")
        parts.append(". ")
    parts.append(f"Nodes: {number(saving.node_cost_percent, f'{at}.nodeCostPercent', '+g', ' %')}")
    parts.append(
        " (no error can be told of fewer than two whole days)"
        if saving.error_percent is None
        else f" ± {number(saving.error_percent, f'{at}.errorPercent', 'g', ' %')}"
    )
    replicas = number(saving.replica_hours_percent, f"{at}.replicaHoursPercent", "+g", " %")
    return f"{''.join(parts)}, replica-hours: {replicas}."


def _side(label: str, at: str, side: Side) -> tuple[str, ...]:
    missed = "" if side.meets_objective else " (misses the objective)"
    return (
        label,
        money(side.per_hour, f"{at}.perHour"),
        number(side.mean_replicas, f"{at}.meanReplicas"),
        number(side.attained_percent, f"{at}.attainedPercent", ".2f", " %") + missed,
    )


def _pools(document: ScanDocument, amounts: Amounts) -> str:
    unit = amounts.unit
    heads = (
        "Pool",
        "Capacity",
        "GPU",
        "Nodes",
        "GPUs",
        "Requested",
        f"{unit}/h",
        f"Idle {unit}/h",
        "Priced",
    )
    rows = [_pool(f"pools.{i}", one) for i, one in enumerate(document.pools)]
    empty = "" if rows else f"<p class='soft'>{no_pools(document)}</p>"
    return f"<section><h2>GPU nodes</h2>{empty}{_rows(heads, rows)}</section>"


def _pool(at: str, one: PoolRow) -> tuple[str, ...]:
    return (
        escape(one.name),
        escape(one.capacity_type),
        escape(one.gpu_product),
        number(one.nodes, f"{at}.nodes", ",d"),
        number(one.gpus, f"{at}.gpus", ",d"),
        number(one.gpus_requested, f"{at}.gpusRequested", ",d"),
        money(one.per_hour, f"{at}.perHour"),
        money(one.idle_per_hour, f"{at}.idlePerHour"),
        escape(one.priced),
    )


def _unknown(one: Unknown) -> tuple[str, ...]:
    return escape(one.what), escape(one.why), escape(one.fix)


def _unknowns(title: str, unknowns: Sequence[Unknown]) -> str:
    if not unknowns:
        return ""
    return f"<section><h2>{title}</h2>{_rows(UNKNOWN_HEADS, map(_unknown, unknowns))}</section>"


def _rows(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML. On a narrow screen each row is a block, and each cell tells its head."""
    body = "".join(
        f"<tr>{''.join(f'<td{_label(i, heads[i])}>{cell}</td>' for i, cell in enumerate(row))}</tr>"
        for row in rows
    )
    if not body:
        return ""
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    return f"<div class='wide'><table><tr class='heads'>{head}</tr>{body}</table></div>"


def _label(index: int, head: str) -> str:
    """The first cell of a row is its title."""
    return f' data-head="{escape(head, quote=True)}"' if index else ""
