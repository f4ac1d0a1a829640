"""Decisions worth knowing: what is decided now, what limited replicas for how long, and what happened."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from inference_cost.account.calendar import time_text
from inference_cost.cli.report.document import DecisionPart
from inference_cost.cli.report.recorded import Policy, Recorded
from inference_cost.cli.report.seen import Scope, Seen
from inference_cost.cli.report.window import Window

MOST = 60
SECONDS_IN_TEXT = len("2026-11-27T20:00:00")
LEAST_HOURS = 0.01
HOLD = "Hold"
BESIDES = ("Found:", "Starts:", "Room:")


def decisions_of(
    recorded: Recorded, seen: Seen, scope: Scope, window: Window
) -> tuple[tuple[DecisionPart, ...], int]:
    """The newest first, of equal ones the longest; and how many older ones are left out."""
    found = [*_now(seen), *_limits(recorded, scope, window), *_events(seen.events)]
    ordered = sorted(found, key=lambda one: (one.at, one.hours or 0.0), reverse=True)
    return tuple(ordered[:MOST]), max(0, len(ordered) - MOST)


def _now(seen: Seen) -> Iterator[DecisionPart]:
    for (namespace, name), policy in seen.policies.items():
        decision = (policy.get("status") or {}).get("decision")
        limit = (decision or {}).get("limitedBy")
        if not decision or (decision["action"] == HOLD and not limit):
            continue
        not_fewer = decision.get("whyNotFewer")
        yield DecisionPart(
            at=decision["time"],
            policy=f"{namespace}/{name}",
            what=f"{decision['action']}, {decision['desiredReplicas']} replicas"
            + (f", limited by {limit}" if limit else ""),
            why=" ".join((*_told(decision.get("message") or ""), not_fewer or "")).strip(),
            times=None,
            hours=None,
        )


def _told(message: str) -> list[str]:
    """The decision itself; what else is found `explain` tells."""
    return [line for line in message.splitlines() if not line.startswith(BESIDES)]


def _limits(recorded: Recorded, scope: Scope, window: Window) -> Iterator[DecisionPart]:
    for (policy, limit), shares in recorded.limited.items():
        hours = recorded.limited_hours[policy, limit]
        if not scope.has(policy) or hours < LEAST_HOURS:
            continue
        last = max(piece for piece, share in enumerate(shares) if share)
        yield DecisionPart(
            at=time_text(window.begin + (last + 1) * window.piece_seconds),
            policy="/".join(policy),
            what=f"Limited by {limit}",
            why=f"Replicas did not follow the need in {100 * hours * 3600 / window.seconds:.1f} % of the time.",
            times=None,
            hours=round(hours, 2),
        )


def _events(events: Sequence[Mapping[str, Any]]) -> Iterator[DecisionPart]:
    """Those of one policy and reason together, with the newest one's words."""
    newest: dict[tuple[Policy, str], tuple[str, str]] = {}
    times: dict[tuple[Policy, str], int] = {}
    for event in events:
        of = event.get("involvedObject") or {}
        key = ((of.get("namespace", ""), of.get("name", "")), event.get("reason", ""))
        at = _last_seen(event)
        times[key] = times.get(key, 0) + _count(event)
        if at >= newest.get(key, ("", ""))[0]:
            newest[key] = (at, event.get("message") or "")
    for (policy, reason), (at, message) in newest.items():
        yield DecisionPart(
            at=at,
            policy="/".join(policy),
            what=reason,
            why=message,
            times=times[policy, reason],
            hours=None,
        )


def _last_seen(event: Mapping[str, Any]) -> str:
    at = (
        (event.get("series") or {}).get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or event["metadata"].get("creationTimestamp")
        or ""
    )
    return f"{at[:SECONDS_IN_TEXT]}Z" if at else ""


def _count(event: Mapping[str, Any]) -> int:
    return int((event.get("series") or {}).get("count") or event.get("count") or 1)
