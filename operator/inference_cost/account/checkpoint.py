"""Account memory as plain JSON values, versioned, for the checkpoint object."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from inference_cost.account.accrual import CostLine, Day, Rate
from inference_cost.account.calendar import month_start
from inference_cost.account.ledger.lines import Kind
from inference_cost.account.month import AccountMemory, Unknown
from inference_cost.account.savings import checkpoint as savings_codec
from inference_cost.account.savings.bearers import LastUse
from inference_cost.model.workload import CapacityType

VERSION = 1


def to_dict(memory: AccountMemory) -> dict[str, Any]:
    return {
        "version": VERSION,
        "month": memory.month,
        "amount": str(memory.amount),
        "since": memory.since,
        "lastAt": memory.last_at,
        "gapSeconds": memory.gap_seconds,
        "unpricedSeconds": memory.unpriced_seconds,
        "perHour": str(memory.per_hour),
        "fullyPriced": memory.fully_priced,
        "rates": [[_line(r.line), str(r.per_hour), r.count] for r in memory.rates],
        "totals": [[_line(line), str(amount)] for line, amount in memory.totals],
        "hours": [[_line(line), str(hours)] for line, hours in memory.hours],
        "unknownSeconds": [memory.unknown.away, memory.unknown.unpriced],
        "savings": None if memory.savings is None else savings_codec.to_dict(memory.savings),
        "lastUses": [
            [one.node, one.created_at, str(one.part), one.strangers] for one in memory.last_uses
        ],
        "days": [[day.date, str(day.amount), day.seconds] for day in memory.days],
    }


def from_dict(stored: Mapping[str, Any]) -> AccountMemory | None:
    """None for another version or a damaged object: the month is then counted from now on, and says so.

    What an earlier version did not keep is empty.
    """
    if stored.get("version") != VERSION:
        return None
    try:
        memory = AccountMemory(
            month=str(stored["month"]),
            amount=Decimal(stored["amount"]),
            since=float(stored["since"]),
            last_at=float(stored["lastAt"]),
            gap_seconds=float(stored["gapSeconds"]),
            unpriced_seconds=float(stored["unpricedSeconds"]),
            per_hour=Decimal(stored["perHour"]),
            fully_priced=bool(stored["fullyPriced"]),
            rates=tuple(
                Rate(line=_to_line(line), per_hour=Decimal(per_hour), count=int(count))
                for line, per_hour, count in stored.get("rates", ())
            ),
            totals=tuple(
                (_to_line(line), Decimal(amount)) for line, amount in stored.get("totals", ())
            ),
            hours=tuple(
                (_to_line(line), Decimal(hours)) for line, hours in stored.get("hours", ())
            ),
            unknown=_unknown(stored.get("unknownSeconds", (0.0, 0.0))),
            days=tuple(
                Day(date=_date(day), amount=Decimal(amount), seconds=float(seconds))
                for day, amount, seconds in stored.get("days", ())
            ),
            last_uses=tuple(_to_last_use(stored) for stored in stored.get("lastUses", ())),
            savings=savings_codec.from_dict(stored.get("savings") or {}),
        )
        month_start(memory.month)
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None
    return memory if _sound(memory) else None


def _line(line: CostLine) -> list[str]:
    return [line.kind, line.pool, line.capacity_type, line.variant, line.cost_center]


def _to_line(stored: Any) -> CostLine:
    kind, pool, capacity_type, variant, cost_center = map(str, stored)
    return CostLine(
        kind=Kind(kind),
        pool=pool,
        capacity_type=CapacityType(capacity_type),
        variant=variant,
        cost_center=cost_center,
    )


def _to_last_use(stored: Any) -> LastUse:
    node, created_at, part, strangers = stored
    return LastUse(
        node=str(node),
        created_at=float(created_at),
        part=Fraction(str(part)),
        strangers=int(strangers),
    )


def _unknown(stored: Any) -> Unknown:
    away, unpriced = map(float, stored)
    return Unknown(away=away, unpriced=unpriced)


def _date(text: Any) -> str:
    return date.fromisoformat(text).isoformat()


def _sound(memory: AccountMemory) -> bool:
    """Finite, not negative, in order: what advance() can have written."""
    amounts = (
        memory.amount,
        memory.per_hour,
        *(rate.per_hour for rate in memory.rates),
        *(amount for _, amount in memory.totals),
        *(hours for _, hours in memory.hours),
        *(day.amount for day in memory.days),
    )
    parts = (one.part for one in memory.last_uses)
    spans = (
        *(day.seconds for day in memory.days),
        *(float(rate.count) for rate in memory.rates),
        *(n for one in memory.last_uses for n in (one.created_at, float(one.strangers))),
        memory.since,
        memory.last_at - memory.since,
        memory.gap_seconds,
        memory.unpriced_seconds,
        memory.unknown.away,
        memory.unknown.unpriced,
    )
    return (
        all(a.is_finite() and a >= 0 for a in amounts)
        and all(0 <= s < float("inf") for s in spans)
        and all(0 <= part <= 1 for part in parts)
    )
