"""What a row of the table is, and how rows are written down.

A `Case` shows one constraint of a schema from both sides: changes of a valid object that the API
server accepts, up to the boundary, and one that it refuses.
"""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from tests.integration.api.constraints import Constraint

Changes = Mapping[str, Any]
REMOVED: Final = object()

PHRASES: Final = {
    "enum": "Unsupported value",
    "format": "must be of type date-time",
    "maxItems": "Too many",
    "maxLength": "Too long",
    "maxProperties": "must have at most",
    "maximum": "should be less than or equal to",
    "minItems": "should have at least",
    "minLength": "should be at least",
    "minProperties": "should have at least",
    "minimum": "should be greater than or equal to",
    "pattern": "should match",
    "required": "Required value",
    "unique": "Duplicate value",
}
"""How the API server words a refusal, by keyword."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`says`: what the refusal must say. `on_update`: the change is refused, not the object."""

    constraint: Constraint
    accepted: tuple[Changes, ...]
    rejected: Changes
    says: str
    on_update: bool = False


Cases = dict[str, Case]


def changed(base: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """A copy of `base` with values put at paths such as `spec.slo.latency.target` or `spec.a[0]`."""
    out = copy.deepcopy(dict(base))
    for path, value in changes.items():
        *parents, last = _steps(path)
        place: Any = out
        for step in parents:
            place = place[step]
        if value is REMOVED:
            del place[last]
        else:
            place[last] = copy.deepcopy(value)
    return out


def _steps(path: str) -> list[Any]:
    return [int(s[1:-1]) if s[0] == "[" else s for s in re.findall(r"\[\d+\]|[^.\[]+", path)]


def within(at: str, low: int, high: int, *, also: Changes | None = None) -> Cases:
    """A number from `low` to `high`; `also` keeps `high` consistent with other rules."""
    name, more = _leaf(at), also or {}
    at_low = _simple(at, "minimum", ({at: low},), {at: low - 1})
    at_high = _simple(at, "maximum", ({**more, at: high},), {**more, at: high + 1})
    return {
        f"{name} may be {low}, not {low - 1}": at_low,
        f"{name} may be {high}, not {high + 1}": at_high,
    }


def adjusted(cases: Cases, also: Changes) -> Cases:
    """The same rows, with `also` changed first in each object."""
    return {
        sentence: replace(
            case,
            accepted=tuple({**also, **changes} for changes in case.accepted),
            rejected={**also, **case.rejected},
        )
        for sentence, case in cases.items()
    }


def one_of(at: str, *values: str, but_not: str, also: Mapping[str, Changes] | None = None) -> Cases:
    """An enum; `also` gives what a value needs around it."""
    more = also or {}
    accepted = tuple({at: value, **more.get(value, {})} for value in values)
    sentence = f"{_leaf(at)} may be {', '.join(values)}, not {but_not}"
    return {sentence: _simple(at, "enum", accepted, {at: but_not})}


def text(
    at: str, *good: str, longest: str, malformed: str, grow: str = "x", may_be_empty: bool = False
) -> Cases:
    """A string with a pattern: `longest` is as long as may be; one `grow` more is too long."""
    name, accepted = _leaf(at), tuple({at: value} for value in good)
    cases = {
        f"{name} may be {len(longest)} long, not longer": _simple(
            at, "maxLength", ({at: longest},), {at: longest + grow}
        ),
        f"{name} may be {', '.join(good)}, not {malformed!r}": _simple(
            at, "pattern", accepted, {at: malformed}
        ),
    }
    if may_be_empty:
        return cases
    empty = _simple(at, "minLength", accepted[:1], {at: ""})
    return cases | {f"{name} must not be empty": empty}


def decimal(at: str, *, smallest: str = "0") -> Cases:
    """An amount or a rate."""
    longest = "123456789012.123456"
    return text(at, smallest, "1.5", longest=longest, malformed="1e3", grow="7", may_be_empty=True)


def percent(at: str) -> Cases:
    return text(at, "0", "99.95", longest="100.00", malformed="-1", grow="0", may_be_empty=True)


def prose(at: str, length: int) -> Cases:
    """Free text with a largest length."""
    sentence = f"{_leaf(at)} may be {length} long, not longer"
    return {sentence: _simple(at, "maxLength", ({at: "é" * length},), {at: "é" * (length + 1)})}


def date_time(at: str) -> Cases:
    good = ({at: "2026-01-31T08:00:00Z"}, {at: "2026-01-31T08:00:00.5+01:00"})
    sentence = f"{_leaf(at)} is an RFC 3339 time, not a bare date"
    return {sentence: _simple(at, "format", good, {at: "2026-01-31"})}


def needs(at: str, *names: str) -> Cases:
    """Fields that must be there."""
    return {
        f"{_leaf(at)} needs {name}": Case(
            constraint=Constraint(path=_generic(at), keyword="required", detail=name),
            accepted=({},),
            rejected={f"{at}.{name}" if at else name: REMOVED},
            says=PHRASES["required"],
        )
        for name in names
    }


def rule(
    sentence: str, at: str, cel: str, *accepted: Changes, rejected: Changes, says: str,
    on_update: bool = False,
) -> Cases:  # fmt: skip
    """A CEL rule on the object at `at`."""
    constraint = Constraint(path=_generic(at), keyword="rule", detail=cel)
    case = Case(
        constraint=constraint, accepted=accepted, rejected=rejected, says=says, on_update=on_update
    )
    return {sentence: case}


def at_most(at: str, items: list[Any]) -> Cases:
    """A list that holds all `items` but its last, and not one more."""
    sentence = f"{_leaf(at)} may have {len(items) - 1} entries, not {len(items)}"
    return {sentence: _simple(at, "maxItems", ({at: items[:-1]},), {at: items})}


def unique(at: str, accepted: list[Any], rejected: list[Any]) -> Cases:
    sentence = f"{_leaf(at)} must not have two entries with the same key"
    return {sentence: _simple(at, "unique", ({at: accepted},), {at: rejected})}


def _simple(at: str, keyword: str, accepted: tuple[Changes, ...], rejected: Changes) -> Case:
    return Case(
        constraint=Constraint(path=_generic(at), keyword=keyword),
        accepted=accepted,
        rejected=rejected,
        says=PHRASES[keyword],
    )


def _generic(path: str) -> str:
    """`spec.offerings[0].zone` → `spec.offerings[].zone`; a value of `matchLabels` → `*`."""
    return re.sub(r"(matchLabels)\.[^.\[]+", r"\1.*", re.sub(r"\[\d+\]", "[]", path))


def _leaf(path: str) -> str:
    return path or "the object"
