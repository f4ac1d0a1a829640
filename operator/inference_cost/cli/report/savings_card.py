"""Savings in the page: both sides of each, and each state's sum apart."""

from html import escape

from inference_cost.cli.page.figures import UNKNOWN, money, number, percent
from inference_cost.cli.report.comparing import MEASURED, POTENTIAL
from inference_cost.cli.report.document import (
    PolicyPart,
    ReportDocument,
    SavingsPart,
    SidesPart,
)
from inference_cost.cli.report.table import Cell, Table, card


def savings_card(document: ReportDocument) -> str:
    heads = (
        "policy",
        "saved",
        "cost",
        "baseline",
        "in time",
        "baseline in time",
        "hours",
        "against",
    )
    totals = document.totals
    rows = [
        *_savings_rows(document, MEASURED),
        *_sum_rows(MEASURED, "totals.measured", totals.measured),
        *_savings_rows(document, POTENTIAL),
        *_sum_rows(POTENTIAL, "totals.potential", totals.potential),
    ]
    prices = "; ".join(document.prices) or UNKNOWN
    return card(
        "Savings, both sides",
        f"{document.currency}, whole nodes, at prices of: {prices}. Hours: those in which both sides were known, which "
        "alone count, on both sides. What has no amount is in no sum.",
        Table(heads=heads, rows=rows).render() or "<p>No two sides were known.</p>",
    )


def _savings_rows(document: ReportDocument, state: str) -> list[tuple[Cell, ...]]:
    return [
        _savings_row(one, f"policies.{p}.savings.{i}", part)
        for p, one in enumerate(document.policies)
        for i, part in enumerate(one.savings)
        if part.state == state
    ]


def _savings_row(policy: PolicyPart, at: str, part: SavingsPart) -> tuple[Cell, ...]:
    objective = f", {policy.objective}" if policy.objective else ""
    why_not = f"<small>{escape(part.why_not)}</small>" if part.why_not else ""
    return (
        f"{escape(policy.namespace)}/{escape(policy.name)}<small>{escape(part.state + objective)}</small>",
        money(part.amount, f"{at}.amount"),
        money(part.cost, f"{at}.cost"),
        money(part.baseline_cost, f"{at}.baselineCost"),
        percent(part.in_time_percent, f"{at}.inTimePercent"),
        percent(part.baseline_in_time_percent, f"{at}.baselineInTimePercent"),
        number(part.hours, f"{at}.hours"),
        f"{escape(part.baseline)}{why_not}",
    )


def _sum_rows(state: str, at: str, sides: SidesPart | None) -> list[tuple[Cell, ...]]:
    if sides is None:
        return []
    sums = (
        f"<b>{escape(state)}, in all</b><small>{escape(', '.join(sides.policies))}</small>",
        money(sides.saved, f"{at}.saved"),
        money(sides.cost, f"{at}.cost"),
        money(sides.baseline_cost, f"{at}.baselineCost"),
        percent(sides.in_time_percent, f"{at}.inTimePercent"),
        percent(sides.baseline_in_time_percent, f"{at}.baselineInTimePercent"),
        number(sides.policy_hours, f"{at}.policyHours"),
        "",
    )
    return [sums]
