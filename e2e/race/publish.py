"""Copies the results into the repository, and their tables into docs/race.md."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from e2e.race.figures import Race
from e2e.race.tables import markdown
from e2e.rig.supervisor import REPOSITORY

RESULTS = REPOSITORY / "benchmarks" / "results" / "race"
DOCUMENT = REPOSITORY / "docs" / "race.md"
BEGIN, END = "<!-- race:begin -->", "<!-- race:end -->"


def publish(output: Path, races: Sequence[Race]) -> None:
    RESULTS.mkdir(parents=True, exist_ok=True)
    for name in ("race.json", "race.html"):
        shutil.copyfile(output / name, RESULTS / name)
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(with_tables(text, races), encoding="utf-8")
    print(f"published in {RESULTS} and {DOCUMENT}")


def with_tables(document: str, races: Sequence[Race]) -> str:
    """The document with new tables between its two markers.

    Raises:
        ValueError: it lacks a marker.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} … {END} in the document")
    tables = "\n\n".join(f"{_title(race)}\n\n{markdown(race)}\n\n{_told(race)}" for race in races)
    return f"{before}{BEGIN}\n{tables}\n{END}{after}"


def _title(race: Race) -> str:
    return f"**{race.trace.name}**: {race.trace.about}; {race.requests:,} requests."


def _told(race: Race) -> str:
    return "\n".join(f"- {one.title}: {one.told}" for one in race.played)
