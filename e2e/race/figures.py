"""What came of the plays, from their raw rows alone, as one object to publish.

Counted as in the demo (`e2e/demo/summary.py`): what the client saw from second 60 of the load on, dollars and replicas
over the whole load.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.demo.recording import Recording, read_recording
from e2e.demo.settings import DemoSettings
from e2e.demo.summary import (
    Summary,
    SummarySettings,
    node_dollars,
    replica_seconds,
    scale_events,
    service,
)
from e2e.race.play import ABOUT_FILE
from e2e.race.settings import TARGET_PERCENT
from e2e.race.traces import Trace

PERCENTILES = (50, 95, 99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One contestant on one trace. `forecast` is the simulator's, None where it was not asked.

    `load_average` is that of the machine over the last five minutes, at the end of the play.
    """

    name: str
    title: str
    told: str
    forecast: dict[str, Any] | None
    load_average: float
    figures: Summary
    recording: Recording

    @property
    def kept(self) -> bool:
        return self.figures["attainmentPercent"] >= TARGET_PERCENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """All contestants on one trace, in the order in which they are shown."""

    trace: Trace
    requests: int
    played: tuple[Played, ...]


def summary_settings(trace: Trace, settings: DemoSettings) -> SummarySettings:
    """Of the demo's formulas and charts; there is no static fleet here."""
    return SummarySettings(
        load_seconds=trace.seconds,
        static_replicas=0,
        static_dollars_per_hour=settings.node_per_hour,
        objective_milliseconds=settings.objective_milliseconds,
        timeout_milliseconds=settings.timeout_seconds * 1000,
        measured_from_seconds=settings.measured_from_seconds,
    )


def figures_of(recording: Recording, settings: SummarySettings) -> Summary:
    seconds, rows = settings.load_seconds, recording.replicas
    return {
        "costDollars": float(round(node_dollars(recording.nodes, seconds), 6)),
        **service(recording.requests, settings, PERCENTILES),
        "replicaSeconds": round(replica_seconds(rows, seconds), 1),
        "mostReplicas": max(row.replicas for row in rows if row.t_s < seconds),
        "scaleEvents": scale_events(rows, seconds),
    }


def read_race(folder: Path, trace: Trace, names: Sequence[str], settings: DemoSettings) -> Race:
    """Those of `names` that were played."""
    folders = [folder / name for name in names if (folder / name / ABOUT_FILE).exists()]
    given = summary_settings(trace, settings)
    return Race(
        trace=trace,
        requests=len(trace.arrivals()),
        played=tuple(_read(one, given) for one in folders),
    )


def _read(folder: Path, settings: SummarySettings) -> Played:
    about = json.loads((folder / ABOUT_FILE).read_text(encoding="utf-8"))
    recording = read_recording(folder)
    return Played(**about, figures=figures_of(recording, settings), recording=recording)


def published(races: Sequence[Race], origin: dict[str, Any]) -> dict[str, Any]:
    """Race.json: where the figures come from, and the figures."""
    return {**origin, "traces": [_trace(race) for race in races]}


def _trace(race: Race) -> dict[str, Any]:
    return {
        "name": race.trace.name,
        "about": race.trace.about,
        "seed": race.trace.seed,
        "requests": race.requests,
        "contestants": [
            {
                "name": one.name,
                "title": one.title,
                "told": one.told,
                "forecast": one.forecast,
                "loadAverage": one.load_average,
                **one.figures,
            }
            for one in race.played
        ],
    }
