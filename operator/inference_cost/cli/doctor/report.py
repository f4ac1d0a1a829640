"""Findings for a person, or for a program."""

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from inference_cost.cli import rendering
from inference_cost.cli.doctor import granted, installation, metrics, workloads
from inference_cost.cli.doctor.facts import Facts
from inference_cost.cli.doctor.findings import Area, Finding, Level

WIDTH: Final = 100
INDENT: Final = " " * 11
COLORS: Final = {
    Level.PROBLEM: "\033[31m",
    Level.WARNING: "\033[33m",
    Level.UNKNOWN: "\033[2m",
    Level.OK: "\033[32m",
}
PLAIN: Final = "\033[0m"


def diagnose(facts: Facts) -> list[Finding]:
    """All findings, by area, the worst first."""
    found: Iterable[Finding] = (
        *installation.check(facts),
        *granted.check(facts),
        *metrics.check(facts),
        *workloads.check(facts),
        *_unread(facts),
    )
    areas, levels = list(Area), list(Level)
    return sorted(found, key=lambda one: (areas.index(one.area), levels.index(one.level)))


def _unread(facts: Facts) -> Iterator[Finding]:
    for one in facts.unread:
        yield Finding(
            level=Level.UNKNOWN,
            area=Area.WORKLOADS,
            subject=one.what,
            message=one.why,
            fix=one.fix,
        )


def to_text(findings: Sequence[Finding], *, color: bool) -> str:
    parts = []
    for area in Area:
        own = [one for one in findings if one.area is area]
        if own:
            lines = [line for one in own for line in _lines(one, color=color)]
            parts.append("\n".join([rendering.bold(str(area), color=color), *lines]))
    return "\n\n".join([*parts, summary(findings)])


def _lines(one: Finding, *, color: bool) -> Iterator[str]:
    label = f"{one.level:<8}"
    shown = f"{COLORS[one.level]}{label}{PLAIN}" if color else label
    first, *rest = _wrapped(f"{one.subject}: {one.message}")
    yield f"  {shown} {first.strip()}"
    yield from rest
    if one.fix:
        yield from _wrapped(f"Fix: {one.fix}")


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=INDENT,
        subsequent_indent=INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def summary(findings: Sequence[Finding]) -> str:
    counts = Counter(one.level for one in findings)
    plural = {level: "s" if counts[level] > 1 else "" for level in (Level.PROBLEM, Level.WARNING)}
    told = [f"{counts[level]} {level}{end}" for level, end in plural.items() if counts[level]]
    if counts[Level.UNKNOWN]:
        told.append(f"{counts[Level.UNKNOWN]} unknown")
    return f"{', '.join(told)}." if told else "Nothing to fix."


def to_json(findings: Sequence[Finding]) -> dict[str, Any]:
    rows = [{key: str(value) for key, value in asdict(one).items()} for one in findings]
    return {"summary": summary(findings), "findings": rows}


def has_problems(findings: Sequence[Finding]) -> bool:
    return any(one.level is Level.PROBLEM for one in findings)
