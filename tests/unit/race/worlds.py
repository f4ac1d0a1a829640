"""Plays whose figures are plain, and the race of them."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from e2e.demo.recording import NodeLifetime, Recording, ReplicaRow, RequestRow
from e2e.race.figures import Played, Race, figures_of, summary_settings
from e2e.race.settings import RaceSettings
from e2e.race.traces import Trace

DEMO = RaceSettings().demo
TRACE = Trace(name="flat", about="an even load", seconds=100.0, seed=1, rates_per_second=(4.0, 4.0))
GIVEN = replace(summary_settings(TRACE, DEMO), measured_from_seconds=50.0)


def recording(*, late: int, replicas: int = 2) -> Recording:
    """A hundred requests from second 50 on, so many of them at 301 ms; constant replicas, a node each."""
    return Recording(
        requests=tuple(
            RequestRow(t_s=50 + i / 2, latency_milliseconds=301.0 if i < late else 100.0, ok=True)
            for i in range(100)
        ),
        replicas=(ReplicaRow(t_s=-1, replicas=replicas, ready=replicas, nodes=replicas),),
        nodes=tuple(
            NodeLifetime(node=f"n{i}", created_s=-9.0, dollars_per_hour=Decimal(36))
            for i in range(replicas)
        ),
    )


def played(name: str, *, late: int = 0, replicas: int = 2, expected: Any = None) -> Played:
    run = recording(late=late, replicas=replicas)
    return Played(
        name=name,
        title=f"The <{name}>",
        told=f"told to {name}",
        forecast=expected,
        load_average=1.0,
        figures=figures_of(run, GIVEN),
        recording=run,
    )


def race(*contestants: Played) -> Race:
    return Race(trace=TRACE, requests=800, played=contestants)
