"""Savings of this month as the statuses say them."""

from collections.abc import Mapping, Sequence
from typing import Any

import typer

from inference_cost.cli import rendering
from inference_cost.cli.csv_text import as_csv
from inference_cost.cli.savings.output import Output

Policy = Mapping[str, Any]
NONE = "No policies here; -A looks in all namespaces."


def show(policies: Sequence[Policy], output: Output) -> None:
    told = [to_json(policy) for policy in policies]
    if output is Output.JSON:
        typer.echo(rendering.as_json(told))
        return
    if output is Output.YAML:
        typer.echo(rendering.as_yaml(told))
        return
    if output is Output.CSV:
        typer.echo(as_csv([to_csv(policy) for policy in policies], CSV_HEADS), nl=False)
        return
    typer.echo(rendering.table([to_cells(policy) for policy in policies]) or NONE)
    if output is Output.WIDE:
        for policy in policies:
            said = _savings(policy).get("message", "it was not looked at yet")
            typer.echo(f"{name_of(policy)}: {said}")


def to_cells(policy: Policy) -> dict[str, str]:
    saved, cost = _savings(policy), (policy.get("status") or {}).get("cost") or {}
    return {
        "policy": name_of(policy),
        "baseline": saved.get("baseline", ""),
        "state": saved.get("state", ""),
        "saved": saved.get("amount", ""),
        "percent": _percent(saved.get("percent")),
        "cost": saved.get("cost", ""),
        "baseline-cost": saved.get("baselineCost", ""),
        "in-time": _percent(saved.get("inTimePercent")),
        "baseline-in-time": _percent(saved.get("baselineInTimePercent")),
        "since": saved.get("since", ""),
        "currency": cost.get("currency", ""),
    }


CSV_HEADS = (
    "policy",
    "baseline",
    "state",
    "saved",
    "percent",
    "cost",
    "baseline-cost",
    "in-time",
    "baseline-in-time",
    "since",
    "currency",
    "incomplete",
)


def to_csv(policy: Policy) -> dict[str, str]:
    """With what the operator says of the time that it counted."""
    return {**to_cells(policy), "incomplete": str(_savings(policy).get("message", ""))}


def to_json(policy: Policy) -> dict[str, Any]:
    metadata, status = policy["metadata"], policy.get("status") or {}
    return {
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "currency": (status.get("cost") or {}).get("currency"),
        "savings": status.get("savings"),
    }


def name_of(policy: Policy) -> str:
    return f"{policy['metadata']['namespace']}/{policy['metadata']['name']}"


def _savings(policy: Policy) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (policy.get("status") or {}).get("savings") or {}
    return found


def _percent(value: str | None) -> str:
    return "" if value is None else f"{value}%"
