"""Numbers as people write them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

# Up to how many seconds which unit is read best.
_UNITS: Final = ((90.0, 1.0, "s"), (5_400.0, 60.0, "min"), (172_800.0, 3_600.0, "h"))


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def rate(per_second: float) -> str:
    digits = 0 if per_second >= 10 or per_second == int(per_second) else 1  # noqa: PLR2004
    return f"{per_second:.{digits}f} requests/s"


def percent(fraction: float) -> str:
    """99.5 %, but 99 %; finer near all and nearly none, and never 100 % for less than all."""
    value = round(100 * fraction, 6)
    if value > 100:  # noqa: PLR2004 - of a capacity: tenths say nothing
        return f"{value:.0f} %"
    fine = value < 0.1 or 99.9 < value < 100  # noqa: PLR2004 - an objective may be 99.99 %
    text = f"{value:.{2 if fine else 1}f}".rstrip("0").removesuffix(".")
    return f"{'99.99' if text == '100' and fraction < 1 else text} %"


def seconds(value: float) -> str:
    if value < 0.0095:  # noqa: PLR2004 - tenths below 10 ms
        return f"{1000 * value:.1f} ms"
    if value < 1:
        return f"{1000 * value:.0f} ms"
    return f"{value:.1f} s" if value < 60 else f"{value / 60:.0f} min"  # noqa: PLR2004


def wait(value: float) -> str:
    """Of seconds that are compared with a deadline: 9.7 min, and 10 min."""
    for below, unit, name in _UNITS:
        if value < below:
            return f"{value / unit:.{0 if unit == 1 else 1}f}".removesuffix(".0") + f" {name}"
    return f"{value / 86_400.0:.1f}".removesuffix(".0") + " days"


def duration(value: float) -> str:
    """Of seconds, to two digits or so."""
    for below, unit, name in _UNITS:
        if value < below:
            return f"{value / unit:.0f} {name}"
    return f"{value / 86_400.0:.0f} days"


def clock(at: float) -> str:
    """Of epoch seconds, to the minute."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M} UTC"


def day(at: float) -> str:
    """Of epoch seconds."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"


def many(number: float) -> str:
    """Of a large number that is known roughly."""
    return f"{float(f'{number:.3g}'):,.0f}"


def small_money(amount: Decimal) -> str:
    """Of a price: to the cent, or to two digits where that is finer."""
    finer = Decimal(f"{amount:.2g}")
    return money(amount) if amount >= 1 or finer == round(finer, 2) else f"${finer:f}"


def money(amount: Decimal) -> str:
    return f"${amount:.2f}"


def money_per_day(per_hour: Decimal) -> str:
    return f"{money(24 * per_hour)} per day"
