"""From what the last leader left to an account that goes on: its checkpoint, and what it exported after that."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

from inference_cost.account.accrual import Charge, Day, Totals, by_day, sum_of, with_days
from inference_cost.account.calendar import month_of
from inference_cost.account.milliseconds import hours_between
from inference_cost.account.month import NOTHING_UNKNOWN, AccountMemory, Unknown, next_month
from inference_cost.account.savings import hand_over as savings
from inference_cost.account.savings.savings import Kept
from inference_cost.model.policy import PolicyKey

K = TypeVar("K")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What was exported last. `counted_at`: epoch seconds up to which the totals count."""

    counted_at: float
    totals: Totals
    month_to_date: Decimal | None = None
    hours: Totals = ()
    unknown: Unknown = NOTHING_UNKNOWN
    compared: tuple[Kept, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """What one process exported."""

    policies: Mapping[PolicyKey, Recorded]
    pools: Mapping[str, Recorded]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCosts:
    """Of all processes that were scraped, those of other clusters too, where a store has several."""

    tellers: tuple[Teller, ...]


NOTHING_RECORDED = RecordedCosts(tellers=())


def handed_over(
    memory: Mapping[PolicyKey, AccountMemory], recorded: RecordedCosts
) -> dict[PolicyKey, AccountMemory]:
    """Of policies that have a checkpoint. One made anew under an old name inherits nothing: it has another uid."""
    told = _newest(teller.policies for teller in recorded.tellers)
    return {key: _brought_up(stored, told.get(key)) for key, stored in memory.items()}


def pools_handed_over(
    known: Collection[PolicyKey], recorded: RecordedCosts
) -> dict[str, AccountMemory]:
    """They have no checkpoint: what was exported is all that is known.

    Pools of other clusters may have the same names: only who tells of a policy that is known tells of our pools.
    """
    ours = (t.pools for t in recorded.tellers if any(key in t.policies for key in known))
    return {
        pool: AccountMemory(
            month=month_of(one.counted_at),
            amount=Decimal(0),
            since=one.counted_at,
            last_at=one.counted_at,
            totals=one.totals,
            hours=one.hours,
            unknown=one.unknown,
            handed_over=True,
        )
        for pool, one in _newest(ours).items()
    }


def _newest(told: Iterable[Mapping[K, Recorded]]) -> dict[K, Recorded]:
    found: dict[K, Recorded] = {}
    for one in told:
        for key, recorded in one.items():
            if key not in found or recorded.counted_at > found[key].counted_at:
                found[key] = recorded
    return found


def _brought_up(memory: AccountMemory, recorded: Recorded | None) -> AccountMemory:
    """No total falls: what was exported and is not in the checkpoint was charged all the same."""
    stored = replace(memory, handed_over=True)
    if recorded is None or recorded.counted_at <= memory.last_at:
        return stored
    totals = _higher(memory.totals, recorded.totals)
    gained = sum_of(totals) - sum_of(memory.totals)
    begun = next_month(stored, recorded.counted_at)
    same = begun.month == memory.month
    unknown = _more_unknown(memory.unknown, recorded.unknown)
    away, unpriced = _in_month(memory.unknown, unknown, recorded.counted_at - begun.last_at)
    return replace(
        begun,
        last_at=recorded.counted_at,
        amount=memory.amount + gained if same else recorded.month_to_date or Decimal(0),
        gap_seconds=begun.gap_seconds + away,
        unpriced_seconds=begun.unpriced_seconds + unpriced,
        totals=totals,
        hours=_higher(memory.hours, recorded.hours),
        unknown=unknown,
        days=_days(memory, recorded.counted_at, gained, _sum(unknown) - _sum(memory.unknown)),
        savings=None
        if memory.savings is None
        else savings.brought_up(memory.savings, recorded.compared, recorded.counted_at),
    )


def _more_unknown(stored: Unknown, recorded: Unknown) -> Unknown:
    return Unknown(
        away=max(stored.away, recorded.away), unpriced=max(stored.unpriced, recorded.unpriced)
    )


def _in_month(stored: Unknown, grown: Unknown, seconds: float) -> tuple[float, float]:
    """What came to be unknown, of the `seconds` of this month alone: it is not told when, so as much as may be."""
    away = min(grown.away - stored.away, seconds)
    return away, min(grown.unpriced - stored.unpriced, seconds - away)


def _sum(unknown: Unknown) -> float:
    return unknown.away + unknown.unpriced


def _days(
    memory: AccountMemory, until: float, gained: Decimal, unknown_seconds: float
) -> tuple[Day, ...]:
    """Spread evenly: when in that time it was charged is not told, nor when it was unknown: on any of the days."""
    hours = hours_between(memory.last_at, until)
    if hours <= 0 or not memory.totals:
        return memory.days
    line = memory.totals[0][0]
    even = Charge(line=line, per_hour=gained / hours, begin=memory.last_at, end=until)
    days = with_days(memory.days, [even], (until, until))
    for begin, end in by_day(memory.last_at, until):
        days = with_days(days, [], (begin, end - unknown_seconds))
    return days


def _higher(stored: Totals, recorded: Totals) -> Totals:
    found = dict(stored)
    for line, amount in recorded:
        found[line] = max(found.get(line, Decimal(0)), amount)
    return tuple(found.items())
