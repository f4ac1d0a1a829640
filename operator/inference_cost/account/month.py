"""Month to date: what a policy cost since it was first seen this month (UTC), and how much of that time is known.

The rate of the last tick holds until this one. Where the operator was away longer than `gap_after_seconds`, or another
led, what the lifetimes of pods and nodes tell is charged (`accrual.py`). Where that is not all, or a price was unknown,
nothing is invented: the time is named and lowers the coverage.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from inference_cost.account.accrual import (
    WHOLE,
    Charge,
    Day,
    Rate,
    Running,
    Totals,
    added,
    from_zero,
    rates_of,
    steady,
    survived,
    with_days,
    with_hours,
)
from inference_cost.account.calendar import month_of, month_start
from inference_cost.account.milliseconds import hours_between
from inference_cost.account.savings.bearers import LastUse
from inference_cost.account.savings.savings import SavingsMemory
from inference_cost.model.reading import Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Seconds of which not all is in the totals: the operator was away, or a price was unknown. They never fall."""

    away: float = 0.0
    unpriced: float = 0.0


NOTHING_UNKNOWN: Final = Unknown()
MISSED_SECONDS: Final = 60.0  # in a month: a change of leaders is no reason to doubt it


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMemory:
    """Running amount of one policy, or of one pool's own lines. Times are epoch seconds.

    `per_hour` is the known part of the rate, `rates` says what it is made of. `totals` never fall: they count since
    the policy was first seen, and so do `unknown` and the `hours` of the replicas, or nodes, that are charged.
    `handed_over`: by another leader; who knows what it saw after that.
    """

    month: str  # "2026-11"
    amount: Decimal
    since: float
    last_at: float
    gap_seconds: float = 0.0  # operator away
    unpriced_seconds: float = 0.0  # a price was unknown, at least in part
    per_hour: Decimal = Decimal(0)
    fully_priced: bool = True
    rates: tuple[Rate, ...] = ()
    totals: Totals = ()
    hours: Totals = ()
    unknown: Unknown = NOTHING_UNKNOWN
    days: tuple[Day, ...] = ()
    savings: SavingsMemory | None = None
    last_uses: tuple[LastUse, ...] = ()  # nodes that the policy bears in its savings
    handed_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthToDate:
    """Amount of this month so far; `coverage` is the share of its time (since the policy exists) that is known.

    `counted`: all of that time, but for a minute or a thousandth; prices may have been unknown.
    """

    month: str
    amount: Decimal
    since: float
    coverage: float
    gap_seconds: float
    unpriced_seconds: float
    counted: bool = True


def advance(
    memory: AccountMemory | None,
    *,
    at: float,
    per_hour: Decimal | Missing,
    running: Sequence[Running],
    gap_after_seconds: float,
) -> AccountMemory:
    """Charge the time since the last tick, then remember what runs now.

    Args:
        memory: of the last tick; None at the first one.
        at: epoch seconds of this tick.
        per_hour: Missing where a price is unknown.
        running: what is priced.
        gap_after_seconds: from one tick to the next; longer is an absence.
    """
    charged = _charge(memory, at, gap_after_seconds, running) if memory is not None else _first(at)
    return replace(
        charged,
        per_hour=sum((one.per_hour for one in running), Decimal(0)),
        fully_priced=not isinstance(per_hour, Missing),
        rates=rates_of(running),
        totals=from_zero(charged.totals, running),
        hours=from_zero(charged.hours, running),
        handed_over=False,
    )


def month_to_date(
    memory: AccountMemory, *, created_at: float, gap_after_seconds: float = 0.0
) -> MonthToDate:
    """The month as shown. A first sight within `gap_after_seconds` of the creation leaves no gap."""
    begin = max(month_start(memory.month), min(created_at, memory.since))
    if memory.since - begin <= gap_after_seconds:
        begin = memory.since
    elapsed = memory.last_at - begin
    missed = memory.since - begin + memory.gap_seconds
    known = memory.last_at - memory.since - memory.gap_seconds - memory.unpriced_seconds
    return MonthToDate(
        month=memory.month,
        amount=memory.amount,
        since=memory.since,
        coverage=min(1.0, max(0.0, known / elapsed)) if elapsed > 0 else 1.0,
        gap_seconds=memory.gap_seconds,
        unpriced_seconds=memory.unpriced_seconds,
        counted=missed <= max(MISSED_SECONDS, (1 - WHOLE) * elapsed),
    )


def _first(at: float) -> AccountMemory:
    return AccountMemory(month=month_of(at), amount=Decimal(0), since=at, last_at=at)


def _charge(
    memory: AccountMemory, at: float, gap_after_seconds: float, running: Sequence[Running]
) -> AccountMemory:
    begin = memory.last_at
    if at <= begin:  # a clock that went back charges nothing twice
        return memory
    away = memory.handed_over or at - begin > gap_after_seconds
    charges, whole = (
        survived(memory.rates, running, begin, at)
        if away
        else (steady(memory.rates, begin, at), True)
    )
    fresh = next_month(memory, at)
    away, unpriced = not whole, whole and not memory.fully_priced
    seconds = at - fresh.last_at
    return replace(
        fresh,
        last_at=at,
        amount=fresh.amount + sum((_within(c, fresh.last_at) for c in charges), Decimal(0)),
        gap_seconds=fresh.gap_seconds + (seconds if away else 0.0),
        unpriced_seconds=fresh.unpriced_seconds + (seconds if unpriced else 0.0),
        unknown=Unknown(
            away=memory.unknown.away + (at - begin if away else 0.0),
            unpriced=memory.unknown.unpriced + (at - begin if unpriced else 0.0),
        ),
        totals=added(memory.totals, charges),
        hours=with_hours(memory.hours, charges),
        days=with_days(
            memory.days, charges, (begin, at) if whole and memory.fully_priced else (at, at)
        ),
    )


def _within(charge: Charge, begin: float) -> Decimal:
    """Of a charge what is after the beginning of the month."""
    return charge.per_hour * max(hours_between(max(charge.begin, begin), charge.end), Decimal(0))


def next_month(memory: AccountMemory, at: float) -> AccountMemory:
    """A fresh month from its first moment on; the same one where none has begun."""
    month = month_of(at)
    if month == memory.month:
        return memory
    begin = month_start(month)
    return replace(
        memory,
        month=month,
        amount=Decimal(0),
        since=begin,
        last_at=begin,
        gap_seconds=0.0,
        unpriced_seconds=0.0,
    )
