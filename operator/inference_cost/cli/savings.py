"""`kubectl inference-cost savings`: what policies saved this month against their baselines, as their statuses say."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from inference_cost.cli import rendering
from inference_cost.cli.cluster import connect


class Output(StrEnum):
    TABLE = "table"
    WIDE = "wide"
    JSON = "json"


def savings(
    *,
    namespace: Annotated[
        str | None,
        typer.Option("--namespace", "-n", help="Namespace; default: that of the context."),
    ] = None,
    everywhere: Annotated[
        bool, typer.Option("--all-namespaces", "-A", help="Policies of all namespaces.")
    ] = False,
    context: Annotated[str | None, typer.Option(help="Context of the kubeconfig.")] = None,
    kubeconfig: Annotated[
        str | None,
        typer.Option(help="Kubeconfig file; default: KUBECONFIG, else ~/.kube/config."),
    ] = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="Form of the output.")
    ] = Output.TABLE,
) -> None:
    """List what was saved this month, both sides at the same objective; -o wide tells what is assumed."""
    listed = connect(kubeconfig, context).policies(namespace, everywhere=everywhere)
    if output is Output.JSON:
        typer.echo(rendering.as_json([to_json(policy) for policy in listed]))
        return
    rows = [to_cells(policy) for policy in listed]
    none = "No policies here; -A looks in all namespaces."
    typer.echo(rendering.table(rows) or none)
    if output is Output.WIDE:
        for policy in listed:
            said = _savings(policy).get("message", "it was not looked at yet")
            typer.echo(f"{_name(policy)}: {said}")


def to_cells(policy: Mapping[str, Any]) -> dict[str, str]:
    saved, cost = _savings(policy), (policy.get("status") or {}).get("cost") or {}
    percent = saved.get("percent")
    return {
        "policy": _name(policy),
        "baseline": saved.get("baseline", ""),
        "state": saved.get("state", ""),
        "saved": saved.get("amount", ""),
        "percent": f"{percent}%" if percent is not None else "",
        "cost": saved.get("cost", ""),
        "baseline-cost": saved.get("baselineCost", ""),
        "in-time": _percent(saved.get("inTimePercent")),
        "baseline-in-time": _percent(saved.get("baselineInTimePercent")),
        "since": saved.get("since", ""),
        "currency": cost.get("currency", ""),
    }


def to_json(policy: Mapping[str, Any]) -> dict[str, Any]:
    metadata, status = policy["metadata"], policy.get("status") or {}
    return {
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "currency": (status.get("cost") or {}).get("currency"),
        "savings": status.get("savings"),
    }


def _savings(policy: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (policy.get("status") or {}).get("savings") or {}
    return found


def _name(policy: Mapping[str, Any]) -> str:
    return f"{policy['metadata']['namespace']}/{policy['metadata']['name']}"


def _percent(value: str | None) -> str:
    return "" if value is None else f"{value}%"
