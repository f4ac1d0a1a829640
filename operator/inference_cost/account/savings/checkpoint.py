"""What is remembered of savings as plain JSON values. The last look is not kept: the next one comes soon."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from pydantic import TypeAdapter, ValidationError

from inference_cost.account.savings.savings import SavingsMemory

_FORM = TypeAdapter(SavingsMemory)


def to_dict(memory: SavingsMemory) -> dict[str, Any]:
    stored: dict[str, Any] = _FORM.dump_python(memory, mode="json", exclude={"look"})
    return stored


def from_dict(stored: Mapping[str, Any]) -> SavingsMemory | None:
    """None for what cannot be read: savings are then counted from now on, and say so."""
    try:
        memory = _FORM.validate_python(dict(stored))
    except ValidationError:
        return None
    return memory if _sound(memory) else None


def _sound(memory: SavingsMemory) -> bool:
    observed, hpa = memory.shadows.observed, memory.shadows.hpa
    numbers = (
        memory.since,
        memory.last_at - memory.since,
        memory.requests,
        memory.seconds,
        memory.unknown_seconds,
        memory.ours.late,
        memory.theirs.late,
        observed.seconds,
        observed.requests,
        observed.replica_seconds,
        observed.fewest or 0,
        *(one.node_seconds for one in observed.ran),
        *(
            n
            for one in memory.kept
            for n in (one.requests, one.seconds, one.ours.late, one.theirs.late)
        ),
        *(highest for _, highest in memory.shadows.peaks),
        *((hpa.replicas, hpa.synced_at) if hpa is not None else ()),
    )
    amounts = (
        memory.ours.amount,
        memory.theirs.amount,
        *(one.per_hour for one in observed.ran),
        *(side.amount for one in memory.kept for side in (one.ours, one.theirs)),
    )
    return all(isfinite(n) and n >= 0 for n in numbers) and all(
        a.is_finite() and a >= 0 for a in amounts
    )
