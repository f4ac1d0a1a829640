"""Amounts in cents that add up to their total in cents."""

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def in_cents(amounts: Sequence[Decimal]) -> list[Decimal]:
    """Each rounded down or up, those with the largest rest up, so that the sum is that of all, rounded."""
    return rounded_to(amounts, sum(amounts, Decimal(0)).quantize(CENT, ROUND_HALF_UP))


def rounded_to(amounts: Sequence[Decimal], total: Decimal, unit: Decimal = CENT) -> list[Decimal]:
    """As `in_cents`, in whole units that add up to `total`, which is about what the amounts add up to."""
    floors = [amount.quantize(unit, ROUND_DOWN) for amount in amounts]
    short = int((total - sum(floors, Decimal(0))) / unit)
    by_rest = sorted(range(len(amounts)), key=lambda i: floors[i] - amounts[i])
    for n in range(abs(short)) if amounts else ():
        floors[by_rest[n % len(amounts)]] += unit if short > 0 else -unit
    return floors
