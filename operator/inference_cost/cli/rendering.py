"""Explanations and lists as text or JSON. JSON carries everything that text does."""

import json
import os
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from inference_cost.cli.explanation import Explanation

WIDTH = 100
LABEL_WIDTH = 16
BOLD, PLAIN = "\033[1m", "\033[0m"
NOTHING = "-"


def as_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def as_yaml(value: Any) -> str:
    import yaml  # noqa: PLC0415 - only for this form

    text: str = yaml.safe_dump(value, sort_keys=False, default_flow_style=False, allow_unicode=True)
    return text.rstrip("\n")


def explanation_data(told: Explanation) -> dict[str, Any]:
    """For JSON and YAML, all that the text has."""
    found = {_camel(key): value for key, value in asdict(told).items()}
    return found | {"attention": list(found["attention"])}


def explanation_text(told: Explanation, *, color: bool) -> str:
    head = f"{told.namespace}/{told.name}: {told.mode} for {told.target}"
    head += f", decided {told.time}" if told.time else ""
    lines = [bold(head, color=color)]
    rows = (
        ("Note", told.note),
        ("Objective", told.slo),
        ("Seen", told.seen),
        ("Expected", told.expected),
        ("Chosen", told.chosen),
        ("Why not fewer", told.why_not_fewer),
        ("Limited by", told.limited),
        ("Room", told.room),
        ("Found", told.found),
        ("Starts", told.starts),
        ("Cost", told.cost),
        *((f"{a.condition}={a.status}", f"{a.reason}: {a.message}") for a in told.attention),
    )
    lines += [_row(label, text, color=color) for label, text in rows if text]
    return "\n".join(lines)


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """Columns as wide as their content; the first row's keys are the heads."""
    if not rows:
        return ""
    heads = list(rows[0])
    cells = [
        [head.upper() for head in heads],
        *([row[h] or NOTHING for h in heads] for row in rows),
    ]
    widths = [max(len(line[i]) for line in cells) for i in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def wants_color() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _row(label: str, text: str, *, color: bool) -> str:
    indent = " " * (LABEL_WIDTH + 2)
    body = textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent)
    if len(label) >= LABEL_WIDTH:
        return f"  {bold(label, color=color)}\n{body}"
    return f"  {bold(label, color=color)}{body[2 + len(label) :]}"


def bold(text: str, *, color: bool) -> str:
    return f"{BOLD}{text}{PLAIN}" if color else text


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
