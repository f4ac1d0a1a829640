"""Account memory as plain JSON values, versioned, for the checkpoint object."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from inference_cost.account.month import AccountMemory, month_start

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
    }


def from_dict(stored: Mapping[str, Any]) -> AccountMemory | None:
    """None for another version or a damaged object: the month is then counted from now on, and says so."""
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
        )
        month_start(memory.month)
    except (KeyError, TypeError, ValueError, InvalidOperation):
        return None
    return memory if _sound(memory) else None


def _sound(memory: AccountMemory) -> bool:
    """Finite, not negative, in order: what advance() can have written."""
    amounts = (memory.amount, memory.per_hour)
    spans = (
        memory.since,
        memory.last_at - memory.since,
        memory.gap_seconds,
        memory.unpriced_seconds,
    )
    return all(a.is_finite() and a >= 0 for a in amounts) and all(
        0 <= s < float("inf") for s in spans
    )
