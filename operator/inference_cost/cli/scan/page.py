"""A scan as one HTML page with nothing to load from elsewhere."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from html import escape

from inference_cost.cli.page import shell
from inference_cost.cli.scan.document import SavingPart, ScanDocument, Side, Unknown, WorkloadPart
from inference_cost.cli.scan.table import UNKNOWN, autoscaler_words, no_pools
from inference_cost.cli.scan.words import dollars, signed

STYLE_FILE = "page.css"
POOL_HEADS = ("Pool", "Capacity", "GPU", "Nodes", "GPUs", "Requested", "$/h", "Idle $/h", "Priced")
SIDE_HEADS = ("", "$/h", "Replicas", "In time")
UNKNOWN_HEADS = ("Not known", "Why", "To know")


def to_page(document: ScanDocument) -> str:
    body = (
        f"<h1>{escape(document.summary)}</h1><p class='about'>{_about(document)}</p>"
        f"{''.join(map(_workload, document.workloads))}{_pools(document)}"
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


def _workload(one: WorkloadPart) -> str:
    name = f"{one.namespace}/{one.kind}/{one.name}"
    facts = f"{one.ready} of {one.replicas} replicas ready, {one.gpus} GPUs"
    products = f" ({', '.join(one.gpu_products)})" if one.gpu_products else ""
    price = f", {dollars(one.per_hour)} per hour" if one.per_hour else ""
    models = f" Serves {', '.join(one.models)}." if one.models else ""
    policy = (
        f"<p class='soft'>Ready to apply:</p><pre>{escape(one.policy)}</pre>" if one.policy else ""
    )
    return (
        f"<section><h2>{escape(name)}</h2><p class='verdict'>{escape(one.verdict)}</p>"
        f"<p class='soft'>{escape(facts + products + price)}. Scaled by "
        f"{escape(autoscaler_words(one.autoscaler))}.{escape(models)}</p>{_bar(one)}{_saving(one.saving)}"
        f"{_rows(UNKNOWN_HEADS, [(u.what, u.why, u.fix) for u in one.unknown])}{policy}</section>"
    )


def _bar(one: WorkloadPart) -> str:
    if one.busy_percent is None:
        return ""
    waste = f"; {dollars(one.waste_per_hour)} per hour for nothing" if one.waste_per_hour else ""
    width = min(one.busy_percent, 100.0)
    return (
        f"<p class='soft'>Computing {one.busy_percent:.0f} % of the time{escape(waste)}</p>"
        f"<div class='bar'><i style='width:{width:.1f}%'></i></div>"
    )


def _saving(saving: SavingPart | None) -> str:
    if saving is None:
        return ""
    objective = saving.objective
    head = f"{objective.target_percent:g} % within {objective.threshold_milliseconds:g} ms ({objective.source})"
    sides = [_side("Today", saving.today), _side("With the policy", saving.policy)]
    change = (
        f"{signed(-Decimal(saving.per_month))}{' ± ' + dollars(saving.error) if saving.error else ''} per month"
        if saving.per_month
        else f"{saving.replica_hours_percent:+.0f} % replica-hours"
    )
    assumed = "; ".join(saving.assumptions)
    return (
        f"<p class='soft'>Objective: {escape(head)}. Change: {escape(change)}.</p>{_rows(SIDE_HEADS, sides)}"
        f"<p class='soft'>{escape(assumed)}.</p>"
    )


def _side(label: str, side: Side) -> tuple[str, ...]:
    missed = "" if side.meets_objective else " (misses the objective)"
    return (
        label,
        side.per_hour or UNKNOWN,
        f"{side.mean_replicas:g}",
        f"{side.attained_percent:.2f} %{missed}",
    )


def _pools(document: ScanDocument) -> str:
    rows = [
        (
            one.name,
            one.capacity_type,
            one.gpu_product,
            str(one.nodes),
            str(one.gpus),
            UNKNOWN if one.gpus_requested is None else str(one.gpus_requested),
            one.per_hour or UNKNOWN,
            one.idle_per_hour or UNKNOWN,
            one.priced,
        )
        for one in document.pools
    ]
    empty = "" if rows else f"<p class='soft'>{no_pools(document)}</p>"
    return f"<section><h2>GPU nodes</h2>{empty}{_rows(POOL_HEADS, rows)}</section>"


def _unknowns(title: str, unknowns: Sequence[Unknown]) -> str:
    if not unknowns:
        return ""
    rows = [(one.what, one.why, one.fix) for one in unknowns]
    return f"<section><h2>{title}</h2>{_rows(UNKNOWN_HEADS, rows)}</section>"


def _rows(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    if not body:
        return ""
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    return f"<div class='wide'><table><tr>{head}</tr>{body}</table></div>"
