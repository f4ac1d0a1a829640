"""Verdicts, in a sentence each."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from inference_cost.cli.scan.document import SavingPart, Totals, WorkloadPart
from inference_cost.cli.scan.saving import SAME_PERCENT
from inference_cost.cli.scan.suggestion import Bounds

ALL: Final = "all"  # namespaces


def verdict(saving: SavingPart) -> str:
    """Of both sides on the same traffic."""
    if not saving.policy.meets_objective:
        return (
            f"No saving is claimed: the policy would have answered {saving.policy.attained_percent:.2f} % in time, "
            f"short of {saving.objective.target_percent:g} %."
        )
    if saving.per_month is None:
        return _without_money(saving)
    amount, error = Decimal(saving.per_month), saving.error
    within = f" ± {dollars(error)}" if error else ""
    if error is not None and abs(amount) <= Decimal(error):
        return f"Nothing that can be told from chance: {signed(-amount)}{within} per month."
    if abs(saving.replica_hours_percent) < SAME_PERCENT:
        return "Nothing to save: the replicas that run are those that the objective needs."
    if amount < 0:
        return f"{_dearer(saving)} {signed(-amount)}{within} per month."
    return f"The same SLO with this policy: {signed(-amount)}{within} per month."


def _without_money(saving: SavingPart) -> str:
    change = saving.replica_hours_percent
    if abs(change) < SAME_PERCENT:
        return "Nothing to save: the replicas that run are those that the objective needs."
    return f"The same SLO with this policy: {change:+.0f} % replica-hours."


def _dearer(saving: SavingPart) -> str:
    if saving.today.meets_objective:
        return "The policy would have cost more than what ran:"
    return f"Today {saving.today.attained_percent:.2f} % are in time; to meet the objective costs"


def fewest_run(limits: Bounds, replicas: int) -> str:
    return (
        f"Nothing can be saved by scaling: {replicas} replica{'s' if replicas > 1 else ''} ran at most, and "
        f"{limits.fewest} are kept ({limits.why_fewest})."
    )


def dollars(amount: str | Decimal) -> str:
    value = Decimal(amount)
    whole = abs(value) >= 100  # noqa: PLR2004 - from there on cents are noise
    return f"${value:,.0f}" if whole else f"${value:,.2f}"


def signed(amount: Decimal) -> str:
    """With the sign of what is paid."""
    text = dollars(abs(amount))
    return f"-{text}" if amount < 0 else f"+{text}"


def summary(workloads: Sequence[WorkloadPart], totals: Totals, where: str) -> str:
    """The whole in a few sentences. `where`: ALL, or the one namespace."""
    inside = "" if where == ALL else f" in namespace {where}"
    if not workloads:
        return f"No workload that runs Triton was found{inside}."
    count = len(workloads)
    told = f"{count} Triton workload{'s' if count > 1 else ''}{inside}: {_cost(totals)}{_waste(totals)}."
    return f"{told} {_saved(workloads, totals)}"


def _cost(totals: Totals) -> str:
    if totals.per_hour is None:
        return "what they cost is not known"
    without = f" (without {', '.join(totals.unpriced)}: no price)" if totals.unpriced else ""
    return f"{dollars(totals.per_hour)} per hour{without}"


def _waste(totals: Totals) -> str:
    if totals.waste_per_hour is None:
        return ""
    least = "at least " if totals.unmeasured else ""
    return f", of which {least}{dollars(totals.waste_per_hour)} while nothing is computed"


def _saved(workloads: Sequence[WorkloadPart], totals: Totals) -> str:
    if not any(one.saving and one.saving.worthwhile for one in workloads):
        return "No saving at the same SLO can be shown; each workload says why."
    if totals.saving_per_month is None:
        return "The policies below run fewer replicas at the same SLO; their price is not known."
    error = f" ± {dollars(totals.saving_error)}" if totals.saving_error else ""
    return f"The same SLO with the policies below: -{dollars(totals.saving_per_month)}{error} per month."
