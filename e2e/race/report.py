"""One HTML page about the race, with nothing to load from elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from e2e.demo.charts import latency_chart, load_chart
from e2e.demo.report import STYLE_FILE
from e2e.demo.settings import DemoSettings
from e2e.race.figures import Played, Race, summary_settings
from e2e.race.notes import notes
from e2e.race.tables import HEADS, rows_of
from inference_cost.cli.page import shell

STYLE = """
main { max-width: 1640px; }
.scroll { overflow-x: auto; }
.pairs { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(560px, 100%), 1fr)); gap: 20px; }
.pairs h3 { font-size: 15px; margin: 20px 0 0; }
.pairs p { margin: 2px 0 0; min-height: 3em; color: var(--soft); font-size: 13px; }
.scroll td { white-space: nowrap; font-variant-numeric: tabular-nums; }
td.missed { color: var(--limit); }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`origin`: one line on date, machine and versions."""

    races: tuple[Race, ...]
    settings: DemoSettings
    origin: str


def write_page(path: Path, page: Page) -> None:
    path.write_text(render(page), encoding="utf-8")


def render(page: Page) -> str:
    body = (
        "<header><h1>The same requests through a real Triton, under four controllers</h1>"
        f"<p>{escape(page.origin)}</p></header>"
        f"{''.join(_race(race, page.settings) for race in page.races)}{_notes(page.settings)}"
    )
    styles = [shell.chart_style(), STYLE_FILE.read_text(encoding="utf-8"), STYLE]
    return shell.page("inference-cost-operator: race", body, styles=styles)


def _race(race: Race, settings: DemoSettings) -> str:
    cards = "".join(_card(one, race, settings) for one in race.played)
    about = f"{race.trace.about}; {race.requests:,} requests, seed {race.trace.seed}."
    return (
        f"<section><h2>{escape(race.trace.name)}</h2><p>{escape(about[0].upper() + about[1:])}</p>"
        f'{_table(race)}<div class="pairs">{cards}</div></section>'
    )


def _table(race: Race) -> str:
    heads = "".join(f"<th>{escape(head)}</th>" for head in HEADS)
    rows = "".join(
        f"<tr>{''.join(_cells(row, kept=one.kept))}</tr>"
        for one, row in zip(race.played, rows_of(race), strict=True)
    )
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'


def _cells(row: Sequence[str], *, kept: bool) -> list[str]:
    missed = "" if kept else ' class="missed"'
    return [
        f"<td{missed if head == 'in time' else ''}>{escape(cell)}</td>"
        for head, cell in zip(HEADS, row, strict=True)
    ]


def _card(one: Played, race: Race, settings: DemoSettings) -> str:
    given = summary_settings(race.trace, settings)
    load = load_chart(one.recording, given, settings.model.capacity_per_second)
    latency = latency_chart(one.recording, given)
    return (
        f"<div><h3>{escape(one.title)}</h3><p>{escape(one.told)}</p>"
        f"{load.render()}{latency.render()}</div>"
    )


def _notes(settings: DemoSettings) -> str:
    items = "".join(f"<li>{escape(note)}</li>" for note in notes(settings))
    return f"<h2>How this was measured</h2><ul>{items}</ul>"
