"""Amounts in cents that add up to their total in cents."""

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def in_cents(amounts: Sequence[Decimal]) -> list[Decimal]:
    """Each rounded down or up, those with the largest rest up, so that the sum is that of all, rounded."""
    total = sum(amounts, Decimal(0)).quantize(CENT, ROUND_HALF_UP)
    floors = [amount.quantize(CENT, ROUND_DOWN) for amount in amounts]
    short = int((total - sum(floors, Decimal(0))) / CENT)
    by_rest = sorted(range(len(amounts)), key=lambda i: floors[i] - amounts[i])
    for i in by_rest[:short]:
        floors[i] += CENT
    return floors
