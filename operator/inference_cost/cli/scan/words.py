"""Verdicts, in a sentence each."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from inference_cost.cli.scan.amounts import Amounts
from inference_cost.cli.scan.document import SavingPart, Totals, WorkloadPart
from inference_cost.cli.scan.saving import SAME_PERCENT
from inference_cost.cli.scan.suggestion import Bounds

ALL: Final = "all"  # namespaces
SAME_SLO: Final = "The same SLO with this policy:"
NOTHING_TO_SAVE: Final = (
    "Nothing to save: the replicas that run are those that the objective needs."
)
NO_CHANGE: Final = 0.1  # percent of what nodes cost
LEAST_AMOUNT: Final = 1  # per month


def verdict(saving: SavingPart, amounts: Amounts) -> str:
    """Of both sides on the same traffic."""
    return _verdict(saving, amounts) + _at_best(saving, amounts)


def _at_best(saving: SavingPart, amounts: Amounts) -> str:
    """Where it makes a difference which replicas go."""
    best, claimed = saving.at_best_per_month, saving.per_month
    if best is None or claimed is None or Decimal(best) - Decimal(claimed) < LEAST_AMOUNT:
        return ""
    told = amounts.paid(best, None)
    return (
        f" At best {told}, where those replicas go that leave a node empty (scaleInOrder.enabled)."
    )


def _verdict(saving: SavingPart, amounts: Amounts) -> str:
    change, nodes = saving.replica_hours_percent, saving.node_cost_percent
    if not saving.policy.meets_objective:
        return (
            f"No saving is claimed: the policy would have answered {saving.policy.attained_percent:.2f} % in time, "
            f"short of {saving.objective.target_percent:g} %."
        )
    if abs(change) < SAME_PERCENT:
        return NOTHING_TO_SAVE
    if change < 0 and abs(nodes) < NO_CHANGE:
        return (
            f"Nothing to save: {change:+.0f} % replica-hours would empty no node, and a node is paid for until it is "
            "empty."
        )
    told = _change(saving, amounts)
    if saving.error_percent is None:
        head = _dearer(saving) if nodes > 0 else "Too early to claim:"
        return (
            f"{head} {told} in {saving.hours:.3g} hours of traffic; two whole days are needed to tell its "
            "error."
        )
    certain = saving.worthwhile if nodes < 0 else nodes > saving.error_percent
    if not certain:
        return f"Nothing that can be told from chance: {told}."
    return f"{_dearer(saving) if nodes > 0 else SAME_SLO} {told}."


def _change(saving: SavingPart, amounts: Amounts) -> str:
    if saving.per_month is not None:
        return f"{amounts.paid(saving.per_month, saving.error)} per month"
    error = "" if saving.error_percent is None else f" ± {saving.error_percent:.0f} %"
    return f"{saving.node_cost_percent:+.0f} %{error} node-hours"


def _dearer(saving: SavingPart) -> str:
    if saving.today.meets_objective:
        return "The policy would have cost more than what ran:"
    return f"Today {saving.today.attained_percent:.2f} % are in time; to meet the objective costs"


def fewest_run(limits: Bounds, replicas: int) -> str:
    return (
        f"Nothing can be saved by scaling: {replicas} replica{'s' if replicas > 1 else ''} ran at most, and "
        f"{limits.fewest} are kept ({limits.why_fewest})."
    )


def summary(workloads: Sequence[WorkloadPart], totals: Totals, where: str, amounts: Amounts) -> str:
    """The whole in a few sentences. `where`: ALL, or the one namespace."""
    inside = "" if where == ALL else f" in namespace {where}"
    if not workloads:
        return f"No workload that runs Triton was found{inside}."
    count = len(workloads)
    told = f"{count} Triton workload{'s' if count > 1 else ''}{inside}: {_cost(totals, amounts)}"
    return f"{told}{_waste(totals, amounts)}. {_saved(workloads, totals, amounts)}"


def _cost(totals: Totals, amounts: Amounts) -> str:
    if totals.per_hour is None:
        return "what they cost is not known"
    without = f" (without {', '.join(totals.unpriced)}: no price)" if totals.unpriced else ""
    return f"{amounts.text(totals.per_hour)} per hour{without}"


def _waste(totals: Totals, amounts: Amounts) -> str:
    if totals.waste_per_hour is None:
        return ""
    least = "at least " if totals.unmeasured else ""
    return f", of which {least}{amounts.text(totals.waste_per_hour)} while nothing is computed"


def _saved(workloads: Sequence[WorkloadPart], totals: Totals, amounts: Amounts) -> str:
    if not any(one.saving and one.saving.worthwhile for one in workloads):
        return "No saving at the same SLO can be shown; each workload says why."
    if totals.saving_per_month is None:
        return "The policies below run fewer nodes at the same SLO; their price is not known."
    told = amounts.paid(totals.saving_per_month, totals.saving_error)
    return f"The same SLO with the policies below: {told} per month."
