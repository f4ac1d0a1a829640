"""Syncs are joined with the metric that they got, and the rest is KEDA's."""

import gzip
import math
from collections import Counter
from pathlib import Path

from e2e.baselines.audit import ScaleWrite, Sync
from e2e.baselines.pods_metrics import READY, STARTING, Served
from e2e.baselines.prometheus_tap import Reading, value_of
from e2e.baselines.recording import POLL, SYNC, rows_of_hpa, rows_of_keda, write


def sync(at: float, *, replicas: int = 2, desired: int = 2) -> Sync:
    """Make one that asks for the metric 0.1 s to 0.2 s after its begin."""
    return Sync(
        at=at,
        replicas=replicas,
        status_replicas=replicas,
        desired=desired,
        metric_from=at + 0.1,
        metric_until=at + 0.2,
    )


def served(at: float, milli: int | None) -> Served:
    pods = Counter({READY: 2, STARTING: 1})
    return Served(at=at, namespace="hpa", per_pod_milli=milli, pods=pods)


def test_a_sync_of_the_hpa_has_the_total_that_was_served_to_it() -> None:
    known, unknown, unasked = rows_of_hpa(
        [sync(10, desired=3), sync(12, replicas=3, desired=3), sync(14)],
        [served(10.15, 7_500), served(12.15, None)],
        start=10,
    )
    assert (known.at_s, known.requests_per_second, known.desired) == (0.2, 15.0, 3)
    assert (known.ready, known.starting, known.pending) == (2, 1, 0)
    assert (unknown.requests_per_second, unknown.ready) == (None, 2)
    assert (unasked.requests_per_second, unasked.ready) == (None, None)


def test_a_reading_outside_of_every_sync_is_a_poll_and_has_its_write() -> None:
    rows = rows_of_keda(
        [sync(10), sync(12)],
        [
            Reading(at=9, value=1.0),
            Reading(at=10.15, value=2.0),
            Reading(at=11, value=math.nan),
            Reading(at=12.15, value=3.0),
        ],
        [ScaleWrite(at=11.01, replicas=0)],
        start=9,
    )
    assert [(r.event, r.at_s, r.requests_per_second, r.replicas, r.desired) for r in rows] == [
        (POLL, 0, 1.0, 2, 2),
        (SYNC, 1.2, 2.0, 2, 2),
        (POLL, 2, None, 2, 0),
        (SYNC, 3.2, 3.0, 2, 2),
    ]


def test_a_table_is_a_header_and_a_line_per_row(tmp_path: Path) -> None:
    write(tmp_path / "hpa.csv.gz", rows_of_hpa([sync(10)], [served(10.15, None)], start=9.5))
    header, line = gzip.decompress((tmp_path / "hpa.csv.gz").read_bytes()).decode().splitlines()
    columns = "requests_per_second,ready,starting,pending,terminating,replicas,status_replicas"
    assert header == f"at_s,event,{columns},desired"
    assert line == "0.7,sync,,2,1,0,0,2,2,2"


def test_an_empty_vector_is_not_zero() -> None:
    assert math.isnan(value_of(b'{"data": {"result": []}}'))
    assert value_of(b'{"data": {"result": [{"value": [1, "2.5"]}, {"value": [1, "0"]}]}}') == 2.5
