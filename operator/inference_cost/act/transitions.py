"""Which Events a change of status is worth. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inference_cost.api.conditions import ConditionType
from inference_cost.api.events import EventReason
from inference_cost.model.plan import LimitedBy

Status = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDraft:
    """An Event before it is recorded. `action`: what the operator did about it, CamelCase."""

    reason: EventReason
    action: str
    note: str
    warning: bool = False


# The last True or False of each condition.
Known = Mapping[str, str]


def transitions(old: Status, new: Status, known: Known) -> list[EventDraft]:
    """One draft for each condition that turned, and for each limit that began or ended."""
    before, after = _by_type(old), _by_type(new)
    return [*_turned(known, after), *_limits(before, after)]


def settled(known: Known, status: Status) -> Known:
    """`known` brought up to a status. A time in which a condition is Unknown ends nothing."""
    said = {kind: str(c.get("status")) for kind, c in _by_type(status).items()}
    return {**known, **{kind: now for kind, now in said.items() if now in _OPPOSITE}}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    condition: ConditionType
    bad: str
    worse: EventReason
    action: str
    better: EventReason | None = None


_TURNS = (
    _Turn(
        condition=ConditionType.METRICS_AVAILABLE,
        bad="False",
        worse=EventReason.METRICS_UNAVAILABLE,
        better=EventReason.METRICS_RECOVERED,
        action="Observe",
    ),
    _Turn(
        condition=ConditionType.SLO_MET,
        bad="False",
        worse=EventReason.SLO_VIOLATED,
        better=EventReason.SLO_RECOVERED,
        action="Observe",
    ),
    _Turn(
        condition=ConditionType.CAPACITY_AVAILABLE,
        bad="False",
        worse=EventReason.CAPACITY_UNAVAILABLE,
        better=EventReason.CAPACITY_RECOVERED,
        action="Observe",
    ),
    _Turn(
        condition=ConditionType.CONFLICTED,
        bad="True",
        worse=EventReason.CONFLICTED,
        action="StopWriting",
    ),
    _Turn(
        condition=ConditionType.ACCEPTED,
        bad="False",
        worse=EventReason.NOT_ACCEPTED,
        action="Validate",
    ),
)


_OPPOSITE = {"True": "False", "False": "True"}


def _turned(known: Known, after: Mapping[str, Any]) -> Iterator[EventDraft]:
    for turn in _TURNS:
        now = after.get(turn.condition, {})
        was_bad = known.get(turn.condition) == turn.bad
        is_bad = now.get("status") == turn.bad
        note = str(now.get("message", ""))
        if is_bad and not was_bad:
            yield EventDraft(reason=turn.worse, action=turn.action, note=note, warning=True)
        elif was_bad and turn.better and now.get("status") == _OPPOSITE[turn.bad]:
            yield EventDraft(reason=turn.better, action=turn.action, note=note)


def _limits(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[EventDraft]:
    was, now = _limit(before), _limit(after)
    message, before_it = _message(after), _message(before)
    if was == now and (now != LimitedBy.PAUSED or message == before_it):
        return
    if now == LimitedBy.FALLBACK:
        yield EventDraft(
            reason=EventReason.FALLBACK_STARTED, action="Hold", note=message, warning=True
        )
    if now == LimitedBy.FLEET_GUARD:
        yield EventDraft(
            reason=EventReason.FLEET_GUARD_ENGAGED, action="Hold", note=message, warning=True
        )
    if LimitedBy.PAUSED in (was, now):
        note = message if now == LimitedBy.PAUSED else f"No longer paused. {message}"
        yield EventDraft(reason=EventReason.PAUSE_CHANGED, action="Pause", note=note)


def _message(conditions: Mapping[str, Any]) -> str:
    return str(conditions.get(ConditionType.SCALING_LIMITED, {}).get("message", ""))


def _limit(conditions: Mapping[str, Any]) -> str:
    condition = conditions.get(ConditionType.SCALING_LIMITED, {})
    return str(condition.get("reason", "")) if condition.get("status") == "True" else ""


def _by_type(status: Status) -> dict[str, Any]:
    return {str(c.get("type")): c for c in status.get("conditions") or ()}
