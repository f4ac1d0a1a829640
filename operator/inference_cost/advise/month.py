"""From an amount of the hours counted to that of a month, where there are enough hours to say so."""

from decimal import Decimal

from inference_cost.model.reading import Missing, MissingReason

HOURS_PER_MONTH = Decimal(730)  # 365 days ÷ 12
LEAST_HOURS = Decimal(24)  # with a night in it: an hour at noon says nothing of a month


def per_month(amount: Decimal, hours: Decimal) -> Decimal | Missing:
    """At the rate of the hours counted. Missing: there are too few of them.

    Raises:
        ValueError: hours are negative or no number.
    """
    if not hours.is_finite() or hours < 0:
        raise ValueError(f"hours must not be negative, not {hours}")
    if hours < LEAST_HOURS:
        return Missing(
            reason=MissingReason.NOT_LEARNED,
            detail=f"too early: {hours:,.1f} h are counted, and {LEAST_HOURS} h are needed",
        )
    return amount / hours * HOURS_PER_MONTH
