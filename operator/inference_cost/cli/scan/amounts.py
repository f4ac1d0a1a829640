"""Amounts of a scan in words: the one place that knows how a currency is written."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

DOLLARS: Final = "USD"
WHOLE_FROM: Final = 100  # cents are noise beyond


@dataclass(frozen=True, slots=True)
class Amounts:
    """In one currency: `$1,539` of USD, `1,539 EUR` of any other."""

    currency: str

    @property
    def unit(self) -> str:
        """For the heads of columns."""
        return "$" if self.currency == DOLLARS else self.currency

    def text(self, amount: str | Decimal) -> str:
        value = Decimal(amount)
        return self._written(f"{value:,.0f}" if abs(value) >= WHOLE_FROM else f"{value:,.2f}")

    def exact(self, amount: str) -> str:
        """With all its digits."""
        return self._written(f"{Decimal(amount):,f}")

    def signed(self, amount: Decimal) -> str:
        """With the sign of what is paid."""
        return f"{'-' if amount < 0 else '+'}{self.text(abs(amount))}"

    def paid(self, saved: str, error: str | None) -> str:
        """The change of what is paid that a saving is, with its error where one is known."""
        return self.signed(-Decimal(saved)) + (f" ± {self.text(error)}" if error else "")

    def _written(self, number: str) -> str:
        return f"${number}" if self.currency == DOLLARS else f"{number} {self.currency}"
