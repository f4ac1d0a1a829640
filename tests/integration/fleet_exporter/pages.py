"""A metrics page taken apart: its shape without the numbers, and the numbers."""

import re
from dataclasses import dataclass

_SERIES = re.compile(r"(?P<name>\w+)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)")
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_NUMBER = re.compile(r"0|[1-9]\d*|\d+\.\d*[1-9]")


@dataclass(frozen=True, slots=True)
class FamilyShape:
    """What a consumer can rely on: texts, and the label names of each series with the reasons."""

    name: str
    kind: str
    help: str
    # Label names in their order; of `reason` the value too, because all four must be there.
    series: frozenset[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Page:
    text: str
    families: tuple[FamilyShape, ...]
    # Sum over the series of each family.
    values: dict[str, float]

    def __getitem__(self, family: str) -> float:
        return self.values[family]


def parse(text: str) -> Page:
    """Take a page apart, strictly: HELP, TYPE, series, nothing else, no odd numbers."""
    families: list[FamilyShape] = []
    values: dict[str, float] = {}
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        name, text_of_help = lines[at].removeprefix("# HELP ").split(" ", 1)
        assert lines[at].startswith("# HELP "), lines[at]
        type_line, kind = lines[at + 1].rsplit(" ", 1)
        assert type_line == f"# TYPE {name}", lines[at + 1]
        at += 2
        series = set()
        values[name] = 0.0
        while at < len(lines) and not lines[at].startswith("#"):
            labels, value = _series(name, lines[at])
            series.add(labels)
            values[name] += value
            at += 1
        families.append(FamilyShape(name, kind, text_of_help, frozenset(series)))
    return Page(text, tuple(families), values)


def _series(family: str, line: str) -> tuple[tuple[str, ...], float]:
    match = _SERIES.fullmatch(line)
    assert match, line
    assert match["name"] == family, line
    assert _NUMBER.fullmatch(match["value"]), line
    labels = _LABEL.findall(match["labels"] or "")
    names = tuple(f"reason={value}" if name == "reason" else name for name, value in labels)
    return names, float(match["value"])


def difference(after: Page, before: Page) -> dict[str, float]:
    return {name: value - before.values[name] for name, value in after.values.items()}
