"""The history of a policy's decisions, from Events and from the operator's JSON log. Pure."""

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from inference_cost.api.group import POLICY
from inference_cost.cli import rendering
from inference_cost.observe.fields import mapping

WIDTH: Final = 100
DECISION: Final = "decision"
EVENTS, LOG = "Event", "log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that was decided or happened. `count` times alike, the last at `last`."""

    at: datetime
    what: str  # reason of an Event, or the action decided
    text: str
    source: str
    warning: bool = False
    count: int = 1
    last: datetime | None = None


def from_events(events: Iterable[Mapping[str, Any]], name: str, since: datetime) -> Iterator[Entry]:
    """Of one policy, that were seen since."""
    for event in events:
        about = mapping(event.get("regarding"))
        if (about.get("kind"), about.get("name")) != (POLICY.kind, name):
            continue
        series = mapping(event.get("series"))
        at = _time(event.get("eventTime") or event.get("deprecatedFirstTimestamp"))
        last = _time(series.get("lastObservedTime"))
        if at is None or max(at, last or at) < since:
            continue
        yield Entry(
            at=at,
            what=str(event.get("reason", "")),
            text=str(event.get("note") or ""),
            source=EVENTS,
            warning=event.get("type") == "Warning",
            count=max(int(series.get("count") or 1), 1),
            last=last,
        )


def from_log(lines: Iterable[str], policy: str, since: datetime) -> Iterator[Entry]:
    """Decisions of one policy, "namespace/name". Lines that are not JSON are of other programs."""
    for line in lines:
        found = _parsed(line)
        at = _time(found.get("time"))
        ours = found.get("event") == DECISION and found.get("policy") == policy
        if not ours or at is None or at < since:
            continue
        limited = found.get("limitedBy")
        desired = found.get("desiredReplicas")
        head = f"{desired} replicas" + (f", limited by {limited}" if limited else "")
        yield Entry(
            at=at,
            what=str(found.get("action", "")),
            text=f"{head}. {found.get('why', '')}".strip(),
            source=LOG,
        )


def _parsed(line: str) -> Mapping[str, Any]:
    if DECISION not in line:
        return {}
    try:
        return mapping(json.loads(line))
    except ValueError:
        return {}


def _time(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text or ""))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """By time, each once: two replicas of a log may both have been read."""
    return sorted(set(entries), key=lambda one: (one.at, one.source, one.what, one.text))


def to_text(title: str, entries: Sequence[Entry], remarks: Sequence[str], *, color: bool) -> str:
    lines = [rendering.bold(title, color=color)]
    lines += [line for one in entries for line in _lines(one)] or ["  Nothing was recorded."]
    return "\n".join(
        [*lines, *(line for remark in remarks for line in textwrap.wrap(remark, WIDTH))]
    )


def _lines(one: Entry) -> Iterator[str]:
    times = ""
    if one.count > 1:
        until = f", the last at {_shown(one.last)}" if one.last else ""
        times = f" ({one.count} times{until})"
    mark = "!" if one.warning else " "
    yield f"{mark} {_shown(one.at)}  {one.what}{times}"
    for line in one.text.splitlines():
        yield from textwrap.wrap(line, WIDTH, initial_indent=" " * 24, subsequent_indent=" " * 24)


def _shown(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_json(entries: Sequence[Entry], remarks: Sequence[str]) -> dict[str, Any]:
    rows = [
        {
            "time": _shown(one.at),
            "what": one.what,
            "text": one.text,
            "source": one.source,
            "warning": one.warning,
            "count": one.count,
            "last": _shown(one.last),
        }
        for one in entries
    ]
    return {"entries": rows, "remarks": list(remarks)}
