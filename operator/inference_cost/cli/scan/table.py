"""A scan for a terminal."""

import textwrap
from collections.abc import Iterator, Sequence

from inference_cost.cli import rendering
from inference_cost.cli.scan.amounts import Amounts
from inference_cost.cli.scan.document import (
    AutoscalerPart,
    PoolRow,
    SavingPart,
    ScanDocument,
    Unknown,
    WorkloadPart,
)
from inference_cost.observe.kinds import NODE

WIDTH = 100
INDENT = "  "
LABEL_WIDTH = 14
UNKNOWN = "?"


def to_table(document: ScanDocument, *, color: bool) -> str:
    amounts = Amounts(document.currency)
    parts = [
        rendering.bold(textwrap.fill(document.summary, WIDTH), color=color),
        rendering.table([_pool(one, amounts) for one in document.pools]) or no_pools(document),
    ]
    if document.workloads:
        parts.append(rendering.table([_row(one, amounts) for one in document.workloads]))
    parts += ["\n".join(_details(one, amounts, color=color)) for one in document.workloads]
    if document.unread:
        parts.append("\n".join(line for one in document.unread for line in _unread(one)))
    return "\n\n".join(parts) + "\n"


def no_pools(document: ScanDocument) -> str:
    unread = any(one.what == NODE.plural for one in document.unread)
    return "Nodes may not be listed." if unread else "No node with GPUs was seen."


def _pool(one: PoolRow, amounts: Amounts) -> dict[str, str]:
    return {
        "pool": one.name,
        "capacity": one.capacity_type,
        "gpu": one.gpu_product,
        "nodes": str(one.nodes),
        "gpus": str(one.gpus),
        "requested": UNKNOWN if one.gpus_requested is None else str(one.gpus_requested),
        f"{amounts.unit}/h": one.per_hour or UNKNOWN,
        f"idle {amounts.unit}/h": one.idle_per_hour or UNKNOWN,
        "priced": one.priced,
    }


def _row(one: WorkloadPart, amounts: Amounts) -> dict[str, str]:
    return {
        "namespace": one.namespace,
        "workload": f"{one.kind}/{one.name}",
        "replicas": f"{one.ready}/{one.replicas}",
        "gpus": str(one.gpus),
        f"{amounts.unit}/h": one.per_hour or UNKNOWN,
        "busy": UNKNOWN if one.busy_percent is None else f"{one.busy_percent:.0f} %",
        f"waste {amounts.unit}/h": one.waste_per_hour or UNKNOWN,
        "autoscaler": one.autoscaler.kind,
        "saves/month": _short_saving(one.saving, amounts),
    }


def _short_saving(saving: SavingPart | None, amounts: Amounts) -> str:
    if saving is None or not saving.policy.meets_objective:
        return rendering.NOTHING
    early = "" if saving.error_percent is not None else ", too early"
    if saving.per_month is None:
        return f"{saving.node_cost_percent:+.0f} % nodes{early}"
    return f"{amounts.paid(saving.per_month, saving.error)}{early}"


def _details(one: WorkloadPart, amounts: Amounts, *, color: bool) -> Iterator[str]:
    yield rendering.bold(f"{one.namespace}/{one.kind}/{one.name}", color=color)
    yield from _labelled("Verdict", one.verdict)
    yield from _labelled("Scaled by", autoscaler_words(one.autoscaler))
    if one.priced:
        yield from _labelled("Prices", one.priced)
    if one.models:
        yield from _labelled("Serves", ", ".join(one.models))
    if one.saving is not None:
        yield from _sides(one.saving, amounts)
    for unknown in one.unknown:
        yield from _unknown(unknown, one.verdict)
    if one.policy:
        yield f"{INDENT}Policy"
        yield textwrap.indent(one.policy.rstrip("\n"), INDENT * 2)


def _sides(saving: SavingPart, amounts: Amounts) -> Iterator[str]:
    objective = saving.objective
    yield from _labelled(
        "Objective",
        f"{objective.target_percent:g} % within {objective.threshold_milliseconds:g} ms ({objective.source})",
    )
    for label, side in (("Today", saving.today), ("With policy", saving.policy)):
        rate = f"{amounts.text(side.per_hour)} per hour, " if side.per_hour else ""
        missed = "" if side.meets_objective else ", which misses the objective"
        yield from _labelled(
            label,
            f"{rate}{side.mean_replicas:g} replicas on average, {side.attained_percent:.2f} % in time{missed}",
        )
    yield from _labelled("Assumes", "; ".join(saving.assumptions) + ".")


def autoscaler_words(one: AutoscalerPart) -> str:
    if not one.name:
        return "nothing: the replicas are what somebody wrote"
    bounds = f"{one.min_replicas} to {one.max_replicas} replicas"
    paused = ", paused" if one.paused else ""
    traps = "".join(f". Note: {trap}" for trap in one.traps)
    return f"{one.kind}/{one.name}{paused}: {one.rule}, {bounds}{traps}"


def _labelled(label: str, text: str) -> Iterator[str]:
    head = f"{INDENT}{label:<{LABEL_WIDTH}}"
    yield from textwrap.wrap(
        text,
        WIDTH,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _unknown(one: Unknown, verdict: str) -> Iterator[str]:
    """Without what the verdict says already."""
    if one.why in verdict:
        yield from _labelled("To know", f"{one.fix}.")
    else:
        yield from _labelled("Not known", f"{one.what}: {one.why}. To know: {one.fix}.")


def _unread(one: Unknown) -> Iterator[str]:
    text = f"Not read: {one.what}: {one.why}. To know: {one.fix}."
    yield from textwrap.wrap(text, WIDTH, subsequent_indent=INDENT, break_on_hyphens=False)


def to_yaml(documents: Sequence[WorkloadPart]) -> str:
    """The policies alone, ready to apply; what cannot be suggested is a comment."""
    parts = []
    for one in documents:
        head = f"# {one.namespace}/{one.kind}/{one.name}: {one.verdict}"
        wrapped = "\n".join(textwrap.wrap(head, WIDTH, subsequent_indent="# "))
        parts.append(f"{wrapped}\n{one.policy}")
    return "---\n".join(parts)
