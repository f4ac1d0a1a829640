"""Amounts as a report has them: in cents, or finer where all of it is only a few."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from inference_cost.account.rounding import CENT, rounded_to

FINE = Decimal("0.0001")
FINE_BELOW = Decimal(10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounding:
    """One unit for a whole report, so that what it shows adds up."""

    unit: Decimal

    def of(self, amount: Decimal | float) -> Decimal:
        exact = amount if isinstance(amount, Decimal) else Decimal(str(amount))
        return exact.quantize(self.unit, ROUND_HALF_UP) + 0  # no negative zero

    def text(self, amount: Decimal | float) -> str:
        return f"{self.of(amount):f}"

    def shared(self, amounts: Sequence[Decimal], total: Decimal) -> list[Decimal]:
        """Parts that add up to `total`, which is of whole units."""
        return rounded_to(amounts, total, self.unit)


def rounding_for(total: Decimal) -> Rounding:
    return Rounding(unit=FINE if total < FINE_BELOW else CENT)


def rate_text(per_hour: Decimal) -> str:
    return rounding_for(100 * per_hour).text(per_hour)


def percent_of(part: Decimal | float, whole: Decimal | float) -> float | None:
    """To a tenth; None of nothing."""
    return round(100 * float(part) / float(whole), 1) if whole else None
