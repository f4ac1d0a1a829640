"""Whether a new status says something new. Pure.

A status is written when its *meaning* changed: a condition, replicas, the decision. Numbers that move all the time
(demand, predicted latency, cost) are brought up to date rarely; live values are in the metrics.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from inference_cost.api.conditions import ConditionType

Status = Mapping[str, Any]
Leaf = tuple[tuple[str, ...], Any]

MONTH_TO_DATE_MOVE = 0.01
NUMBER_MOVE = 0.10  # demand, latency, utilization: a change that a reader would act on


class Change(IntEnum):
    NONE = 0
    MOVED = 1  # a text or number differs, by too little to matter now
    NUMBERS = 2  # cost per hour changed, or a number moved by much
    MEANING = 3  # a condition, replicas, the decision or the generation changed


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshTimes:
    """Seconds. Numbers are written at most every `least`, and at least every `most` while they move at all."""

    least: float = 300.0
    most: float = 3_600.0


def change_of(stored: Status, new: Status) -> Change:
    """How `new` differs from what is stored. Conditions of types that are not ours do not count."""
    old = _ours(stored, new)
    if meaning(old) != meaning(new):
        return Change.MEANING
    before, after = dict(_leaves(old)), dict(_leaves(new))
    if before == after:
        return Change.NONE
    paths = before.keys() | after.keys()
    moved_far = any(_moved_far(path, before.get(path), after.get(path)) for path in paths)
    return Change.NUMBERS if moved_far else Change.MOVED


def due(change: Change, *, age_seconds: float, times: RefreshTimes) -> bool:
    """Whether to write now. `age_seconds`: since this status was last written."""
    if change is Change.MEANING:
        return True
    if change is Change.NUMBERS:
        return age_seconds >= times.least
    return change is Change.MOVED and age_seconds >= times.most


def meaning(status: Status) -> Any:
    """What a person would call a different situation."""
    decision = status.get("decision") or {}
    return (
        status.get("observedGeneration"),
        tuple(_said(c) for c in status.get("conditions") or ()),
        tuple(sorted((status.get("replicas") or {}).items())),
        (decision.get("action"), decision.get("desiredReplicas"), decision.get("limitedBy")),
        (status.get("slo") or {}).get("state"),
        tuple((p.get("variant"), p.get("pool")) for p in status.get("placement") or ()),
        tuple((status.get("warm") or {}).get(name) for name in ("shown", "usedByOthers")),
        tuple(sorted(key for key, value in status.items() if value)),
    )


def _said(condition: Mapping[str, Any]) -> tuple[Any, ...]:
    """Ready's message says whether replicas are written, and has no moving number; others may have."""
    message = condition.get("message") if condition["type"] == ConditionType.READY else None
    return (condition["type"], condition["status"], condition["reason"], message)


def _ours(stored: Status, new: Status) -> Status:
    types = {c["type"] for c in new.get("conditions") or ()}
    conditions = [c for c in stored.get("conditions") or () if c.get("type") in types]
    return {**stored, "conditions": conditions}


def _leaves(node: Any, path: tuple[str, ...] = ()) -> Iterator[Leaf]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _leaves(value, (*path, str(key)))
    elif isinstance(node, list | tuple):
        for index, value in enumerate(node):
            yield from _leaves(value, (*path, str(index)))
    else:
        yield path, node


def _moved_far(path: tuple[str, ...], old: Any, new: Any) -> bool:
    name = path[-1]
    if old == new or name == "message" or name.endswith(("Time", "time")):
        return False
    before, after = _number(old), _number(new)
    if before is None or after is None:
        return _number(old) != _number(new)
    if name == "perHour":
        return True
    tolerance = MONTH_TO_DATE_MOVE if name == "monthToDate" else NUMBER_MOVE
    return abs(after - before) > tolerance * max(abs(before), abs(after))


def _number(value: Any) -> float | None:
    """A number, or a decimal string. Other texts are not compared by size."""
    try:
        return float(value) if isinstance(value, int | float | str) else None
    except ValueError:
        return None
