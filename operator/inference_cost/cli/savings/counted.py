"""Savings of any time, from the counters of both sides that the operator exported."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import typer

from inference_cost.account.savings.look import ALLOWED_LATE
from inference_cost.cli import rendering
from inference_cost.cli.backtest.options import HistoryOptions
from inference_cost.cli.chargeback.listing import Window, window_of
from inference_cost.cli.failure import CommandError
from inference_cost.cli.prometheus import prometheus_settings
from inference_cost.cli.savings.listing import NONE, Policy, name_of
from inference_cost.cli.savings.output import Output
from inference_cost.model import recorded as names
from inference_cost.model.reading import Missing
from inference_cost.observe.grown import Counters, CounterStore, Values, read_grown
from inference_cost.observe.prometheus_client import PrometheusReader

_WHAT = (*names.POLICY_LABELS, *names.COMPARED_LABELS)
COST = Counters(family=names.COMPARED_COST, labels=(*_WHAT, "side", "currency"))
REQUESTS = Counters(family=names.COMPARED_REQUESTS, labels=_WHAT)
LATE = Counters(family=names.COMPARED_LATE, labels=(*_WHAT, "side"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """One policy against one baseline in one mode. Late: parts of the requests."""

    policy: str
    baseline: str
    mode: str
    cost: float
    baseline_cost: float
    late: float
    baseline_late: float
    allowed: float

    @property
    def why_not(self) -> str:
        """Why there is no amount; empty where there is one."""
        for late, whose in ((self.late, "the policy"), (self.baseline_late, "the baseline")):
            if late > self.allowed:
                return f"{whose} missed the objective"
        return ""

    @property
    def amount(self) -> float:
        return self.baseline_cost - self.cost

    @property
    def percent(self) -> str:
        if self.why_not or self.baseline_cost <= 0:
            return ""
        return f"{100 * self.amount / self.baseline_cost:.1f}%"


def show(
    policies: Sequence[Policy], history: HistoryOptions, currency: str, output: Output
) -> None:
    """Print them.

    Raises:
        CommandError: Prometheus cannot be asked.
    """
    window = window_of(history, time.time())
    found = list(saved_in(policies, read(history, window), currency))
    if output is Output.JSON:
        typer.echo(rendering.as_json([to_json(one) for one in found]))
        return
    none = "Nothing was counted in that time." if policies else NONE
    typer.echo(rendering.table([to_cells(one) for one in found]) or none)
    for one in found:
        if one.why_not:
            typer.echo(f"note: {one.policy}: no amount, {one.why_not}", err=True)
    if output is Output.WIDE:
        typer.echo(
            f"Amounts in {currency}, in whole nodes; docs/costs.md tells what each baseline assumes."
        )


def read(history: HistoryOptions, window: Window) -> tuple[Values, Values, Values]:
    """Cost, requests and late requests of that time."""
    settings = prometheus_settings(history.access)
    reader = PrometheusReader(settings)
    store = CounterStore(reader, settings)

    async def ask() -> list[Values | Missing]:
        asked = (
            read_grown(store, one, begin=window.begin, end=window.end)
            for one in (COST, REQUESTS, LATE)
        )
        return list(await asyncio.gather(*asked))

    try:
        answers = asyncio.run(ask())
    finally:
        reader.close()
    found = []
    for answer in answers:
        if isinstance(answer, Missing):
            raise CommandError(f"{settings.url}: {answer.detail}")
        found.append(answer)
    cost, requests, late = found
    return cost, requests, late


def saved_in(
    policies: Sequence[Policy], grown: tuple[Values, Values, Values], currency: str
) -> Iterator[Saved]:
    """Of these policies, where both sides were counted."""
    cost, requests, late = grown
    allowed = {name_of(policy): allowed_of(policy) for policy in policies}
    for what, asked in sorted(requests.items()):
        namespace, policy, baseline, mode = what
        name = f"{namespace}/{policy}"
        sides = names.POLICY_SIDE, names.BASELINE_SIDE
        amounts = [cost.get((*what, side, currency)) for side in sides]
        if name not in allowed or None in amounts or not any(amounts):
            continue
        ours, theirs = (late.get((*what, side), 0.0) / max(asked, 1e-9) for side in sides)
        yield Saved(
            policy=name,
            baseline=baseline,
            mode=mode,
            cost=amounts[0] or 0.0,
            baseline_cost=amounts[1] or 0.0,
            late=ours,
            baseline_late=theirs,
            allowed=allowed[name],
        )


def allowed_of(policy: Policy) -> float:
    """Part of the requests that the objective lets be late."""
    latency: Mapping[str, Any] = ((policy.get("spec") or {}).get("slo") or {}).get("latency") or {}
    return 1 - float(latency.get("target", "99.0")) / 100 if latency else ALLOWED_LATE


def to_cells(one: Saved) -> dict[str, str]:
    return {
        "policy": one.policy,
        "baseline": one.baseline,
        "state": "Potential" if one.mode == "Recommend" else "Measured",
        "saved": "" if one.why_not else f"{one.amount:.2f}",
        "percent": one.percent,
        "cost": f"{one.cost:.2f}",
        "baseline-cost": f"{one.baseline_cost:.2f}",
        "in-time": f"{100 * (1 - one.late):.2f}%",
        "baseline-in-time": f"{100 * (1 - one.baseline_late):.2f}%",
    }


def to_json(one: Saved) -> dict[str, Any]:
    """Numbers as the table has them, and why there is no amount."""
    return {**to_cells(one), "whyNot": one.why_not}
