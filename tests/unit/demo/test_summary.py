"""The summary against a second computation from the raw files, and against runs whose result is plain."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from e2e.demo.recording import (
    NodeLifetime,
    Recording,
    RecordingError,
    ReplicaRow,
    RequestRow,
    ScaleEvent,
    read_recording,
    read_scale_events,
    write_nodes,
    write_scale_events,
)
from e2e.demo.summary import SummarySettings, summarize, write_summary
from tests.unit.demo.runs import SETTINGS, simulated_run

KEYS = (
    *("requests", "late", "attainmentPercent", "p50Milliseconds", "p99Milliseconds"),
    *("replicaSeconds", "staticReplicas", "staticReplicaSeconds"),
    *("costDollars", "staticCostDollars", "savingPercent", "scaleEvents"),
)


def write_raw_files(recording: Recording, directory: Path) -> None:
    with (directory / "requests.csv").open("w") as file:
        file.write("t_s,latencyMilliseconds,ok\n")
        for r in recording.requests[::-1]:  # the client writes in order of completion
            file.write(f"{r.t_s:.6f},{r.latency_milliseconds:.3f},{int(r.ok)}\n")
    with (directory / "replicas.csv").open("w") as file:
        file.write("t_s,replicas,ready,nodes\n")
        for row in recording.replicas:
            file.write(f"{row.t_s:.3f},{row.replicas},{row.ready},{row.nodes}\n")
    write_nodes(directory / "nodes.csv", recording.nodes)
    write_scale_events(directory / "scale_events.csv", recording.scale_events)


def by_value(row: RequestRow) -> tuple[float, float]:
    return row.t_s, row.latency_milliseconds


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def second_computation(directory: Path) -> dict[str, Any]:
    """From the files alone, by sampling and counting instead of integrals and sorting."""
    sent = [row for row in rows(directory / "requests.csv") if float(row["t_s"]) >= 60]
    milliseconds = np.array(
        [float(r["latencyMilliseconds"]) if r["ok"] == "1" else 5000.0 for r in sent]
    )
    late = int((milliseconds > 300).sum())
    by_second = {float(r["t_s"]): int(r["replicas"]) for r in rows(directory / "replicas.csv")}
    replicas = [by_second[float(second)] for second in range(240)]
    grid = np.arange(0.005, 240, 0.01)
    dollars = Fraction(0)
    for node in rows(directory / "nodes.csv"):
        alive = (grid > float(node["created_s"])) & (grid < float(node["gone_s"] or "inf"))
        dollars += Fraction(int(alive.sum()), 100 * 3600) * Fraction(node["dollarsPerHour"])
    static = Fraction(3 * 240, 3600) * Fraction("0.8048")
    return {
        "requests": len(sent),
        "late": late,
        "attainmentPercent": pytest.approx(100 * (1 - late / len(sent)), abs=0.001),
        "p50Milliseconds": pytest.approx(
            np.percentile(milliseconds, 50, method="inverted_cdf"), abs=0.05
        ),
        "p99Milliseconds": pytest.approx(
            np.percentile(milliseconds, 99, method="inverted_cdf"), abs=0.05
        ),
        "replicaSeconds": sum(replicas),
        "staticReplicas": 3,
        "staticReplicaSeconds": 720,
        "costDollars": pytest.approx(float(dollars), rel=1e-5),
        "staticCostDollars": pytest.approx(float(static), abs=1e-6),
        "savingPercent": pytest.approx(float(100 * (1 - dollars / static)), abs=0.01),
        "scaleEvents": int((np.diff([by_second[-1.0], *replicas]) != 0).sum()),
    }


def test_a_second_computation_from_the_raw_files_agrees(tmp_path: Path) -> None:
    write_raw_files(simulated_run(), tmp_path)
    summary = summarize(read_recording(tmp_path), SETTINGS)
    assert summary == second_computation(tmp_path)


def test_the_files_hold_the_recording(tmp_path: Path) -> None:
    write_raw_files(simulated_run(), tmp_path)
    found, given = read_recording(tmp_path), simulated_run()
    assert sorted(found.requests, key=by_value) == sorted(given.requests, key=by_value)
    assert [r.t_s for r in found.requests] == [r.t_s for r in given.requests]
    assert replace(found, requests=()) == replace(given, requests=())


def test_the_written_summary_has_exactly_these_keys(tmp_path: Path) -> None:
    write_summary(tmp_path / "summary.json", summarize(simulated_run(), SETTINGS))
    assert tuple(json.loads((tmp_path / "summary.json").read_text())) == KEYS


PRICE = Decimal(1)
PLAIN = SummarySettings(
    load_seconds=100, static_replicas=2, static_dollars_per_hour=PRICE, measured_from_seconds=60
)


def request(t_s: float = 70, milliseconds: float = 100, *, ok: bool = True) -> RequestRow:
    return RequestRow(t_s=t_s, latency_milliseconds=milliseconds, ok=ok)


def replicas(t_s: float, count: int) -> ReplicaRow:
    return ReplicaRow(t_s=t_s, replicas=count, ready=count, nodes=count)


def node(created_s: float, gone_s: float = inf, price: Decimal = PRICE) -> NodeLifetime:
    return NodeLifetime(node="n", created_s=created_s, gone_s=gone_s, dollars_per_hour=price)


PLAIN_RUN = Recording(
    requests=(request(),), replicas=(replicas(0, 2),), nodes=(node(-10), node(-10))
)

REQUESTS = {
    "an answer at the objective is in time": (request(milliseconds=300), 0),
    "an answer beyond the objective is late": (request(milliseconds=300.001), 1),
    "a quick error is late": (request(milliseconds=2, ok=False), 1),
    "a timeout is late": (request(milliseconds=5000, ok=False), 1),
}


@pytest.mark.parametrize(("row", "late"), REQUESTS.values(), ids=REQUESTS)
def test_lateness(row: RequestRow, late: int) -> None:
    summary = summarize(replace(PLAIN_RUN, requests=(row,)), PLAIN)
    assert (summary["requests"], summary["late"]) == (1, late)
    assert summary["attainmentPercent"] == 100 * (1 - late)


def test_the_first_minute_is_not_measured_and_second_60_is() -> None:
    sent = (request(t_s=59.999, milliseconds=900), request(t_s=60.0, milliseconds=100))
    summary = summarize(replace(PLAIN_RUN, requests=sent), PLAIN)
    assert (summary["requests"], summary["late"], summary["p99Milliseconds"]) == (1, 0, 100)


def test_a_quick_error_stands_in_the_percentiles_as_a_timeout() -> None:
    sent = (*(request(milliseconds=100) for _ in range(49)), request(milliseconds=2, ok=False))
    summary = summarize(replace(PLAIN_RUN, requests=sent), PLAIN)
    assert (summary["p50Milliseconds"], summary["p99Milliseconds"]) == (100, 5000)


def test_an_objective_missed_by_little_does_not_read_as_met() -> None:
    sent = ((request(),) * 299_999) + (request(milliseconds=400),)
    summary = summarize(replace(PLAIN_RUN, requests=sent), PLAIN)
    assert summary["attainmentPercent"] == 99.999


REPLICAS = {
    "constant": ((replicas(0, 2),), 200, 0),
    "a row holds until the next": ((replicas(0, 2), replicas(40, 3)), 260, 1),
    "the first row also holds before it": ((replicas(5, 2), replicas(40, 3)), 260, 1),
    "rows before the load count as of its beginning": ((replicas(-9, 5), replicas(-1, 2)), 200, 0),
    "a change at the very beginning counts": ((replicas(-1, 1), replicas(0, 2)), 200, 1),
    "rows after the load do not count": ((replicas(0, 2), replicas(100, 9)), 200, 0),
    "a row without a change is no event": ((replicas(0, 2), replicas(50, 2)), 200, 0),
}


@pytest.mark.parametrize(("given", "seconds", "events"), REPLICAS.values(), ids=REPLICAS)
def test_replica_seconds_and_events(
    given: tuple[ReplicaRow, ...], seconds: float, events: int
) -> None:
    summary = summarize(replace(PLAIN_RUN, replicas=given), PLAIN)
    assert (summary["replicaSeconds"], summary["scaleEvents"]) == (seconds, events)


NODES = {
    "through the whole load, before and after it": ((node(-50),), 100),
    "created late": ((node(40),), 60),
    "gone early": ((node(-5, 30),), 30),
    "gone before the load": ((node(-50, -1),), 0),
    "created after the load": ((node(101),), 0),
    "twice the price": ((node(0, 50, price=Decimal(2)),), 100),
    "several": ((node(0), node(50, 70)), 120),
}


@pytest.mark.parametrize(("given", "priced_seconds"), NODES.values(), ids=NODES)
def test_cost(given: tuple[NodeLifetime, ...], priced_seconds: float) -> None:
    summary = summarize(replace(PLAIN_RUN, nodes=given), PLAIN)
    assert summary["costDollars"] == pytest.approx(priced_seconds / 3600, abs=1e-6)
    assert summary["staticCostDollars"] == pytest.approx(200 / 3600, abs=1e-6)
    assert summary["savingPercent"] == pytest.approx(100 - priced_seconds / 2, abs=0.01)


def test_a_load_that_ends_before_second_60_has_no_attainment() -> None:
    with pytest.raises(ValueError, match="second 60"):
        summarize(replace(PLAIN_RUN, requests=(request(t_s=59),)), PLAIN)


def test_without_rows_of_replicas_there_is_no_summary() -> None:
    with pytest.raises(ValueError, match="row of replicas"):
        summarize(replace(PLAIN_RUN, replicas=()), PLAIN)


def remove(path: Path) -> None:
    path.unlink()


def rename_column(path: Path) -> None:
    path.write_text(path.read_text().replace("t_s", "seconds", 1))


@pytest.mark.parametrize("damage", [remove, rename_column])
@pytest.mark.parametrize("name", ["requests.csv", "replicas.csv"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str, damage: Callable[[Path], None]) -> None:
    write_raw_files(PLAIN_RUN, tmp_path)
    damage(tmp_path / name)
    with pytest.raises(RecordingError, match=name):
        read_recording(tmp_path)


def test_a_reason_with_commas_and_lines_survives_its_file(tmp_path: Path) -> None:
    event = ScaleEvent(t_s=1.5, before=1, after=2, reason='a, "b"\nc → 99 %')
    write_scale_events(tmp_path / "scale_events.csv", [event])
    assert read_scale_events(tmp_path / "scale_events.csv") == [event]
