"""A budget of a calendar month against what it has cost and what it is expected to. It limits nothing."""

from decimal import Decimal
from enum import StrEnum

from inference_cost.account.projection import Projection
from inference_cost.model.reading import Missing


class BudgetState(StrEnum):
    WITHIN = "Within"
    AT_RISK = "AtRisk"  # expected to be more
    EXCEEDED = "Exceeded"  # is more already


def budget_state(
    budget: Decimal, so_far: Decimal, projection: Projection | Missing
) -> BudgetState | Missing:
    """What is spent is known; Missing where it is less, and the rest of the month cannot be foretold."""
    if so_far > budget:
        return BudgetState.EXCEEDED
    if isinstance(projection, Missing):
        return projection
    return BudgetState.AT_RISK if projection.expected > budget else BudgetState.WITHIN
