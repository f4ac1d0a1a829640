"""Month to date: what a policy cost since it was first seen this month (UTC), and how much of that time is known.

The rate of the last tick holds until this one. Where the operator was away longer than `gap_after_seconds`, or
a price was unknown, nothing is invented: the time is named and lowers the coverage.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from inference_cost.model.reading import Missing

MILLISECONDS_PER_HOUR = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMemory:
    """Running amount of one policy. Times are epoch seconds; `per_hour` is the known part of the rate."""

    month: str  # "2026-11"
    amount: Decimal
    since: float
    last_at: float
    gap_seconds: float = 0.0  # operator away
    unpriced_seconds: float = 0.0  # a price was unknown, at least in part
    per_hour: Decimal = Decimal(0)
    fully_priced: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthToDate:
    """Amount of this month so far; `coverage` is the share of its time (since the policy exists) that is known."""

    month: str
    amount: Decimal
    since: float
    coverage: float
    gap_seconds: float
    unpriced_seconds: float


def month_of(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m")


def month_start(month: str) -> float:
    """Epoch seconds of the first moment of `month`, UTC."""
    return datetime.strptime(f"{month}-01+0000", "%Y-%m-%d%z").timestamp()


def advance(
    memory: AccountMemory | None,
    *,
    at: float,
    per_hour: Decimal | Missing,
    priced_per_hour: Decimal,
    gap_after_seconds: float,
) -> AccountMemory:
    """Charge the time since the last tick at the last tick's rate, then remember the new rate."""
    charged = _charge(memory, at, gap_after_seconds) if memory is not None else _first(at)
    return replace(
        charged, per_hour=priced_per_hour, fully_priced=not isinstance(per_hour, Missing)
    )


def month_to_date(
    memory: AccountMemory, *, created_at: float, gap_after_seconds: float = 0.0
) -> MonthToDate:
    """The month as shown. A first sight within `gap_after_seconds` of the creation leaves no gap."""
    begin = max(month_start(memory.month), min(created_at, memory.since))
    if memory.since - begin <= gap_after_seconds:
        begin = memory.since
    elapsed = memory.last_at - begin
    known = memory.last_at - memory.since - memory.gap_seconds - memory.unpriced_seconds
    return MonthToDate(
        month=memory.month,
        amount=memory.amount,
        since=memory.since,
        coverage=min(1.0, max(0.0, known / elapsed)) if elapsed > 0 else 1.0,
        gap_seconds=memory.gap_seconds,
        unpriced_seconds=memory.unpriced_seconds,
    )


def _first(at: float) -> AccountMemory:
    return AccountMemory(month=month_of(at), amount=Decimal(0), since=at, last_at=at)


def _charge(memory: AccountMemory, at: float, gap_after_seconds: float) -> AccountMemory:
    if at <= memory.last_at:  # a clock that went back charges nothing twice
        return memory
    away = at - memory.last_at > gap_after_seconds
    if month_of(at) != memory.month:
        memory = _next_month(memory, at, away)
    seconds = at - memory.last_at
    if away:
        return replace(memory, last_at=at, gap_seconds=memory.gap_seconds + seconds)
    hours = Decimal(_milliseconds(at) - _milliseconds(memory.last_at)) / MILLISECONDS_PER_HOUR
    return replace(
        memory,
        last_at=at,
        amount=memory.amount + memory.per_hour * hours,
        unpriced_seconds=memory.unpriced_seconds + (0.0 if memory.fully_priced else seconds),
    )


def _next_month(memory: AccountMemory, at: float, away: bool) -> AccountMemory:
    """A fresh month; it begins at its first moment unless the operator was away then."""
    begin = at if away else month_start(month_of(at))
    fresh = _first(at)
    return replace(
        fresh,
        since=begin,
        last_at=begin,
        per_hour=memory.per_hour,
        fully_priced=memory.fully_priced,
    )


def _milliseconds(at: float) -> int:
    return round(at * 1000)
