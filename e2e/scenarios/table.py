"""Which scenario ran where: the table of docs/scenarios.md, made from what the scenarios declare."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e.rig.providers import PROVIDER_NAMES, Capability, provider

PAGE = Path(__file__).parents[2] / "docs" / "scenarios.md"
SUITE, END = "e2e/scenarios", "<!-- end of table -->"

# Said plainly; a capability that is missing is said instead.
RAN = {
    "bundled": "every run",
    "kind": "not run: no Docker at hand",
    "current": "by hand, against a bundled cluster",
}
LONG = "`make e2e-long`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One scenario. `place` is its module; `long`: not part of every run."""

    sentence: str
    place: str
    needs: frozenset[Capability]
    long: bool = False

    def cells(self) -> list[str]:
        ran = [self._ran(name) for name in PROVIDER_NAMES]
        return [self.sentence, f"`{self.place}`", *ran]

    def _ran(self, name: str) -> str:
        missing = self.needs - provider(name).capabilities
        if missing:
            return f"needs {', '.join(sorted(missing))}"
        return LONG if self.long else RAN[name]


def needs(item: pytest.Item) -> frozenset[Capability]:
    return frozenset(c for mark in item.iter_markers("needs") for c in mark.args)


def is_long(item: pytest.Item) -> bool:
    return item.get_closest_marker("long") is not None


def rows(items: Iterable[pytest.Item]) -> list[Row]:
    """One row per scenario, however many parameters it has."""
    found = [
        Row(
            sentence=_sentence(item),
            place=item.path.name,
            needs=needs(item),
            long=is_long(item),
        )
        for item in items
    ]
    return list(dict.fromkeys(found))


def render(table: Sequence[Row]) -> str:
    header = ["Scenario", "Where it is", *PROVIDER_NAMES]
    lines = [header, ["---"] * len(header), *(row.cells() for row in table)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def written(suite: str = SUITE) -> str:
    """The table of a folder of scenarios as the page has it now."""
    return PAGE.read_text().partition(_begin(suite))[2].partition(END)[0].strip()


def write(table: Sequence[Row], suite: str = SUITE) -> None:
    before, begin, rest = PAGE.read_text().partition(_begin(suite))
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{begin}\n\n{render(table)}\n\n{END}{after}")


def _begin(suite: str) -> str:
    return f"<!-- table: pytest {suite} --write-table -->"


def _sentence(item: pytest.Item) -> str:
    function = getattr(item, "function", None)
    said = " ".join((getattr(function, "__doc__", "") or "").split())
    assert said, f"{item.nodeid} has no docstring that says what it shows"
    return said
