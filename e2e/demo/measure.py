"""From what was seen to the files of `build/demo/`: raw rows, summary, page."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from pathlib import Path

from e2e.demo.recording import (
    NodeLifetime,
    ScaleEvent,
    read_recording,
    write_nodes,
    write_scale_events,
)
from e2e.demo.report import ReportInput, write_report
from e2e.demo.settings import DemoSettings
from e2e.demo.static_fleet import StaticFleet, StaticFleetSettings, smallest_static_fleet
from e2e.demo.summary import Summary, SummarySettings, summarize, write_summary
from e2e.demo.watch import Sight
from e2e.rig.provisioner.lifetimes import read_lifetimes
from e2e.rig.traces import arrival_times
from inference_cost.simulate.batcher import BatchService


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """`changes`: what was seen whenever the replicas asked for changed. Times are seconds of the load."""

    changes: tuple[tuple[float, Sight], ...]
    nodes: tuple[NodeLifetime, ...]


def measured_nodes(lifetimes_file: Path, started_at: float) -> list[NodeLifetime]:
    """GPU nodes with their price; static nodes have none and are not part of the comparison."""
    return [
        NodeLifetime(
            node=life.node,
            created_s=life.created - started_at,
            gone_s=inf if life.deleted is None else life.deleted - started_at,
            dollars_per_hour=life.price_per_hour,
        )
        for life in read_lifetimes(lifetimes_file)
        if life.pool
    ]


def scale_events(changes: Sequence[tuple[float, Sight]]) -> list[ScaleEvent]:
    return [
        ScaleEvent(t_s=t_s, before=before.replicas, after=after.replicas, reason=after.message)
        for (_, before), (t_s, after) in pairwise(changes)
    ]


def finish(settings: DemoSettings, measurement: Measurement) -> Summary:
    """Write nodes.csv, scale_events.csv, summary.json and index.html beside the rows that are there."""
    folder, trace = settings.output, settings.trace
    write_nodes(folder / "nodes.csv", measurement.nodes)
    write_scale_events(folder / "scale_events.csv", scale_events(measurement.changes))
    static = static_fleet(settings)
    given = SummarySettings(
        load_seconds=trace.seconds,
        static_replicas=static.replicas,
        static_dollars_per_hour=settings.node_per_hour,
        objective_milliseconds=settings.objective_milliseconds,
        timeout_milliseconds=settings.timeout_seconds * 1000,
        measured_from_seconds=settings.measured_from_seconds,
    )
    recording = read_recording(folder)
    summary = summarize(recording, given)
    write_summary(folder / "summary.json", summary)
    page = ReportInput(
        recording=recording,
        settings=given,
        summary=summary,
        static_fleet=static,
        capacity_per_replica=settings.model.capacity_per_second,
        load_description=(
            f"Day {trace.day} of ServeGen m-large squeezed into {trace.seconds:g} s, "
            f"rate times {trace.factor:g}, seed {trace.seed}"
        ),
    )
    write_report(folder / "index.html", page)
    return summary


def static_fleet(settings: DemoSettings) -> StaticFleet:
    trace = settings.trace
    arrivals = arrival_times(trace.day, trace.seconds, trace.factor, trace.seed)
    return smallest_static_fleet(
        [float(t) for t in arrivals],
        StaticFleetSettings(
            service=BatchService(
                alpha_seconds=settings.model.alpha_milliseconds / 1000,
                beta_seconds=settings.model.beta_milliseconds / 1000,
                max_batch_size=settings.model.max_batch_size,
            ),
            objective_seconds=settings.objective_milliseconds / 1000,
            measured_from_seconds=settings.measured_from_seconds,
            seed=trace.seed,
        ),
    )
