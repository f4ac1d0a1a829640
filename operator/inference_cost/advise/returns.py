"""What a saving is worth against what it takes to get it: return on investment, payback, present value."""

from dataclasses import dataclass
from decimal import Decimal

from inference_cost.model.reading import Missing, MissingReason

MONTHS_PER_YEAR = 12
NEVER = Missing(
    reason=MissingReason.NOT_COMPARABLE, detail="it costs as much per month as it saves, or more"
)
FOR_NOTHING = Missing(reason=MissingReason.NOT_COMPARABLE, detail="nothing was invested")


@dataclass(frozen=True, slots=True, kw_only=True)
class Investment:
    """Amounts in one currency. `running_per_month`: of the tool itself, its upkeep included."""

    implementation: Decimal
    running_per_month: Decimal = Decimal(0)
    months: int = 36  # looked ahead
    discount_per_year: Decimal = Decimal(0)  # a fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Returns:
    """Over `months`. `roi`: a fraction of what was spent. `payback_months` Missing: never."""

    net_per_month: Decimal
    net: Decimal
    roi: Decimal | Missing
    payback_months: Decimal | Missing
    present_value: Decimal


def returns_of(saving_per_month: Decimal, investment: Investment) -> Returns:
    """A saving may be negative; then so are its returns.

    Raises:
        ValueError: an input that is no investment; the message names it.
    """
    _check(investment)
    months, once = investment.months, investment.implementation
    net_per_month = saving_per_month - investment.running_per_month
    spent = once + investment.running_per_month * months
    net = saving_per_month * months - spent
    return Returns(
        net_per_month=net_per_month,
        net=net,
        roi=net / spent if spent else FOR_NOTHING,
        payback_months=_payback(once, net_per_month),
        present_value=_present_value(net_per_month, investment),
    )


def _payback(once: Decimal, net_per_month: Decimal) -> Decimal | Missing:
    if once == 0 and net_per_month >= 0:
        return Decimal(0)
    return once / net_per_month if net_per_month > 0 else NEVER


def _present_value(net_per_month: Decimal, investment: Investment) -> Decimal:
    """Each month's net at its end, discounted to the beginning, less what is paid at once."""
    monthly = (1 + investment.discount_per_year) ** (Decimal(1) / MONTHS_PER_YEAR)
    factors = (monthly**-month for month in range(1, investment.months + 1))
    return net_per_month * sum(factors, Decimal(0)) - investment.implementation


def _check(investment: Investment) -> None:
    for name in ("implementation", "running_per_month", "discount_per_year"):
        if getattr(investment, name) < 0:
            raise ValueError(f"{name} must not be negative, not {getattr(investment, name)}")
    if investment.months < 1:
        raise ValueError(f"months must be at least 1, not {investment.months}")
