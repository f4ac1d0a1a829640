"""Savings of any time, from the counters of both sides that the operator exported."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import typer

from inference_cost.account.savings.look import ALLOWED_LATE
from inference_cost.cli import rendering
from inference_cost.cli.ago import Times, times_of
from inference_cost.cli.backtest.options import HistoryOptions
from inference_cost.cli.csv_text import as_csv
from inference_cost.cli.failure import CommandError
from inference_cost.cli.prometheus import prometheus_settings
from inference_cost.cli.savings.listing import NONE, Policy, name_of
from inference_cost.cli.savings.output import Output
from inference_cost.model import recorded as names
from inference_cost.model.reading import Missing
from inference_cost.observe.grown import CounterStore, Key
from inference_cost.observe.prometheus_client import PrometheusReader
from inference_cost.observe.recorded_lives import LATE_SECONDS
from inference_cost.observe.recorded_savings import ComparedTotals, read_compared

HOUR = 3600
GONE = (
    "it is not in the cluster now, and its objective not known: "
    f"{100 * ALLOWED_LATE:g} % of its requests may have been late"
)
HEADS = (
    "policy",
    "baseline",
    "state",
    "saved",
    "percent",
    "cost",
    "baseline-cost",
    "in-time",
    "baseline-in-time",
    "hours",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`namespace`: that one alone; "" for all."""

    history: HistoryOptions
    currency: str
    namespace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """One policy against one baseline in one mode. Late: parts of the requests. `seconds` None: not recorded."""

    policy: str
    baseline: str
    mode: str
    cost: float
    baseline_cost: float
    late: float
    baseline_late: float
    allowed: float
    seconds: float | None

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


def show(policies: Sequence[Policy], asked: Asked, output: Output) -> None:
    """Print them; what is not in the amounts goes to stderr.

    Raises:
        CommandError: Prometheus cannot be asked, or has amounts in another currency alone.
    """
    times = times_of(asked.history.since, asked.history.until, time.time())
    totals = within(read(asked.history, times), asked.namespace)
    found = list(saved_in(policies, totals, asked.currency))
    if not found:
        _check_currency(totals, asked.currency)
    notes = notes_of(policies, found, totals, times)
    told = [to_json(one, notes) for one in found]
    if output is Output.JSON:
        typer.echo(rendering.as_json(told))
    elif output is Output.YAML:
        typer.echo(rendering.as_yaml(told))
    elif output is Output.CSV:
        typer.echo(
            as_csv([to_csv(one, notes, asked.currency) for one in found], CSV_HEADS), nl=False
        )
    else:
        none = "Nothing was counted in that time." if policies else NONE
        typer.echo(rendering.table([to_cells(one) for one in found]) or none)
    for policy, what in sorted(notes.items()):
        for one in what:
            typer.echo(f"note: {policy}: {one}", err=True)
    if output is Output.WIDE:
        typer.echo(
            f"Amounts in {asked.currency}, in whole nodes; docs/costs.md tells what each baseline assumes."
        )


def read(history: HistoryOptions, times: Times) -> ComparedTotals:
    """Raises CommandError: Prometheus cannot be asked."""
    settings = prometheus_settings(history.access)
    reader = PrometheusReader(settings)
    try:
        store = CounterStore(reader, settings)
        found = asyncio.run(read_compared(store, begin=times.begin, end=times.end))
    finally:
        reader.close()
    if isinstance(found, Missing):
        raise CommandError(f"{settings.url}: {found.detail}")
    return found


def within(totals: ComparedTotals, namespace: str) -> ComparedTotals:
    """Of one namespace; all of it where none is named."""
    if not namespace:
        return totals

    def of(counts: Mapping[Key, float]) -> dict[Key, float]:
        return {key: value for key, value in counts.items() if key[0] == namespace}

    return ComparedTotals(
        cost=of(totals.cost),
        requests=of(totals.requests),
        late=of(totals.late),
        seconds=of(totals.seconds),
        missed=tuple(one for one in totals.missed if one.namespace == namespace),
    )


def _check_currency(totals: ComparedTotals, currency: str) -> None:
    others = {key[-1] for key, amount in totals.cost.items() if amount} - {currency}
    if others:
        raise CommandError(
            f"nothing was counted in {currency} in that time, but in {', '.join(sorted(others))}; is --currency right?"
        )


def saved_in(policies: Sequence[Policy], totals: ComparedTotals, currency: str) -> Iterator[Saved]:
    """Where both sides were counted. Of policies that are gone, too, with what is allowed where no share is named."""
    allowed = {name_of(policy): allowed_of(policy) for policy in policies}
    for what, asked in sorted(totals.requests.items()):
        namespace, policy, baseline, mode = what
        name = f"{namespace}/{policy}"
        sides = names.POLICY_SIDE, names.BASELINE_SIDE
        amounts = [totals.cost.get((*what, side, currency)) for side in sides]
        if None in amounts or not any(amounts):
            continue
        ours, theirs = (totals.late.get((*what, side), 0.0) / max(asked, 1e-9) for side in sides)
        yield Saved(
            policy=name,
            baseline=baseline,
            mode=mode,
            cost=amounts[0] or 0.0,
            baseline_cost=amounts[1] or 0.0,
            late=ours,
            baseline_late=theirs,
            allowed=allowed.get(name, ALLOWED_LATE),
            seconds=totals.seconds.get(what),
        )


def notes_of(
    policies: Sequence[Policy], found: Sequence[Saved], totals: ComparedTotals, times: Times
) -> dict[str, list[str]]:
    """By policy: what its amounts lack."""
    there = {name_of(policy) for policy in policies}
    shown = there | {one.policy for one in found}
    notes: dict[str, list[str]] = defaultdict(list)
    for name in shown - there:
        notes[name].append(GONE)
    for one in found:
        if one.why_not:
            notes[one.policy].append(f"no amount against {one.baseline}, {one.why_not}")
    for policy, seconds in _compared_seconds(found).items():
        whole = times.end - times.begin
        if whole - seconds > LATE_SECONDS:
            notes[policy].append(
                f"both sides were known for {seconds / HOUR:.2f} of {whole / HOUR:.2f} h; the rest counts on neither"
            )
    for missed in totals.missed:
        if (name := f"{missed.namespace}/{missed.policy}") in shown:
            notes[name].append(missed.what)
    return dict(notes)


def _compared_seconds(found: Sequence[Saved]) -> dict[str, float]:
    """Of all baselines and modes; nothing of a policy whose time is not recorded."""
    sums: dict[str, float] = defaultdict(float)
    for one in found:
        if one.seconds is not None:
            sums[one.policy] += one.seconds
    return sums


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
        "hours": "" if one.seconds is None else f"{one.seconds / HOUR:.2f}",
    }


CSV_HEADS = (*HEADS, "currency", "incomplete")


def to_csv(one: Saved, notes: Mapping[str, Sequence[str]], currency: str) -> dict[str, str]:
    lacks = "; ".join(notes.get(one.policy, ()))
    return {**to_cells(one), "currency": currency, "incomplete": lacks}


def to_json(one: Saved, notes: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Numbers as the table has them, why there is no amount, and what the amounts lack."""
    return {**to_cells(one), "whyNot": one.why_not, "notes": list(notes.get(one.policy, ()))}
