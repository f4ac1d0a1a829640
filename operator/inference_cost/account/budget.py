"""A budget of a calendar month against what it has cost and what it is expected to. It limits nothing."""

from decimal import Decimal
from enum import StrEnum

from inference_cost.account.projection import Projection
from inference_cost.model.reading import Missing, MissingReason


class BudgetState(StrEnum):
    WITHIN = "Within"
    AT_RISK = "AtRisk"  # expected to be more
    EXCEEDED = "Exceeded"  # is more already


NOT_PRICED = Missing(
    reason=MissingReason.PRICE_UNKNOWN,
    detail="some of what ran this month had no price, or was not seen: it may have cost more than the budget",
)
NOT_COUNTED = Missing(
    reason=MissingReason.NOT_LEARNED,
    detail="part of this month was not counted: it may have cost more than the budget",
)


def budget_state(
    budget: Decimal,
    so_far: Decimal,
    projection: Projection | Missing,
    *,
    unpriced: bool,
    counted: bool,
) -> BudgetState | Missing:
    """What is known to be spent or expected may be too much already; that all is well needs all prices, all the time.

    Args:
        budget: of the month.
        so_far: the known part of what the month has cost.
        projection: of the whole month, from the known parts.
        unpriced: whether a price is not known now, or was not in this month.
        counted: whether all of the month was.
    """
    if so_far > budget:
        return BudgetState.EXCEEDED
    if isinstance(projection, Missing):
        return projection
    if projection.expected > budget:
        return BudgetState.AT_RISK
    if unpriced:
        return NOT_PRICED
    return BudgetState.WITHIN if counted else NOT_COUNTED
