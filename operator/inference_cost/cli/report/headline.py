"""What a report says in its first sentences: the cost of all, and apart from it each kind of saving with both sides."""

from collections.abc import Iterator
from decimal import Decimal

from inference_cost.cli.report.document import SidesPart, Totals
from inference_cost.cli.report.window import DAY, HOUR, Window

NAMED = 2


def headline(totals: Totals, currency: str, window: Window) -> tuple[str, ...]:
    return tuple(_sentences(totals, currency, window))


def _sentences(totals: Totals, currency: str, window: Window) -> Iterator[str]:
    yield f"{Decimal(totals.cost):,f} {currency} in {_length(window)}"
    if totals.measured is not None:
        yield f"Measured: {_sides(totals.measured, currency, 'cost')}."
    if totals.potential is not None:
        yield f"Potential: {_sides(totals.potential, currency, 'would have cost')}, had decisions been followed."
    if totals.measured is None and totals.potential is None:
        yield "What was saved is not known: see what is not in these figures."


def _sides(sides: SidesPart, currency: str, verb: str) -> str:
    saved = Decimal(sides.saved)
    share = "" if sides.percent is None else f" ({abs(sides.percent):g} %)"
    return (
        f"{_whose(sides)} {verb} {_amount(sides.cost)} {currency} where the baseline would have cost "
        f"{_amount(sides.baseline_cost)} at the same objective{_in_time(sides)}, {abs(saved):,f} {currency}{share} "
        f"{'less' if saved >= 0 else 'more'}"
    )


def _whose(sides: SidesPart) -> str:
    count = len(sides.policies)
    return f"{count} policies" if count > NAMED else " and ".join(sides.policies)


def _in_time(sides: SidesPart) -> str:
    if sides.in_time_percent is None or sides.baseline_in_time_percent is None:
        return ""
    ours, theirs = sides.in_time_percent, sides.baseline_in_time_percent
    return f" ({ours:g} % in time against {theirs:g} %)"


def _amount(text: str) -> str:
    return f"{Decimal(text):,f}"


def _length(window: Window) -> str:
    if window.seconds >= 2 * DAY:
        return f"{window.seconds / DAY:.3g} days"
    if window.seconds >= 2 * HOUR:
        return f"{window.seconds / HOUR:.3g} hours"
    return f"{window.seconds / 60:.3g} minutes"
