"""Time for money: whole milliseconds, so that pieces of a time cost what the whole does."""

from decimal import Decimal

MILLISECONDS_PER_HOUR = 3_600_000


def milliseconds(at: float) -> int:
    """Of epoch seconds."""
    return round(at * 1000)


def hours_between(begin: float, end: float) -> Decimal:
    """Of epoch seconds; negative where `end` is before `begin`."""
    return Decimal(milliseconds(end) - milliseconds(begin)) / MILLISECONDS_PER_HOUR
