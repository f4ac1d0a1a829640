"""The table of a recording: one row per sync of the HPA and per poll of KEDA, in order of time."""

import csv
import gzip
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from e2e.baselines.audit import ScaleWrite, Sync
from e2e.baselines.pods_metrics import PENDING, READY, STARTING, TERMINATING, Served
from e2e.baselines.prometheus_tap import Reading

SYNC, POLL = "sync", "poll"
# KEDA writes right after the poll that made it.
WRITE_WITHIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """See README.md beside the recordings; an empty cell is None."""

    at_s: float
    event: str
    requests_per_second: float | None
    ready: int | None
    starting: int | None
    pending: int | None
    terminating: int | None
    replicas: int
    status_replicas: int | None
    desired: int


def rows_of_hpa(syncs: Sequence[Sync], served: Iterable[Served], *, start: float) -> list[Row]:
    """Join each sync with the answer that it got from the pods metrics API."""
    answers = list(served)
    return [
        _row_of_sync(sync, next((a for a in answers if sync.asked_at(a.at)), None), start)
        for sync in syncs
    ]


def rows_of_keda(
    syncs: Sequence[Sync],
    readings: Iterable[Reading],
    writes: Sequence[ScaleWrite],
    *,
    start: float,
) -> list[Row]:
    """Readings within a sync's request are the HPA's, all others are KEDA's own polls."""
    polls = list(readings)
    rows = []
    for sync in syncs:
        reading = next((r for r in polls if sync.asked_at(r.at)), None)
        if reading is not None:
            polls.remove(reading)
        rows.append(_row_of_external(sync, reading, start))
    rows += [_row_of_poll(reading, syncs, writes, start) for reading in polls]
    return sorted(rows, key=lambda row: row.at_s)


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write the table, gzip'd, the same bytes for the same rows."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [field.name for field in fields(Row)]
    writer.writerow(names)
    for row in rows:
        values = (getattr(row, name) for name in names)
        writer.writerow("" if value is None else value for value in values)
    path.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))


def _row_of_sync(sync: Sync, answer: Served | None, start: float) -> Row:
    pods = answer.pods if answer else None
    milli = answer.per_pod_milli if answer else None
    return Row(
        at_s=round(sync.decided_at - start, 3),
        event=SYNC,
        requests_per_second=milli * pods[READY] / 1000 if milli is not None and pods else None,
        ready=pods[READY] if pods else None,
        starting=pods[STARTING] if pods else None,
        pending=pods[PENDING] if pods else None,
        terminating=pods[TERMINATING] if pods else None,
        replicas=sync.replicas,
        status_replicas=sync.status_replicas,
        desired=sync.desired,
    )


def _row_of_external(sync: Sync, reading: Reading | None, start: float) -> Row:
    return Row(
        at_s=round(sync.decided_at - start, 3),
        event=SYNC,
        requests_per_second=_known(reading.value) if reading else None,
        ready=None,
        starting=None,
        pending=None,
        terminating=None,
        replicas=sync.replicas,
        status_replicas=sync.status_replicas,
        desired=sync.desired,
    )


def _row_of_poll(
    reading: Reading, syncs: Sequence[Sync], writes: Sequence[ScaleWrite], start: float
) -> Row:
    replicas = _replicas_at(reading.at, syncs, writes)
    written = next((w for w in writes if 0 <= w.at - reading.at < WRITE_WITHIN_SECONDS), None)
    return Row(
        at_s=round(reading.at - start, 3),
        event=POLL,
        requests_per_second=_known(reading.value),
        ready=None,
        starting=None,
        pending=None,
        terminating=None,
        replicas=replicas,
        status_replicas=None,
        desired=written.replicas if written else replicas,
    )


def _replicas_at(unix_time: float, syncs: Sequence[Sync], writes: Sequence[ScaleWrite]) -> int:
    """.spec.replicas after everything that was written before."""
    past = [(sync.decided_at, sync.desired) for sync in syncs if sync.decided_at <= unix_time]
    past += [(write.at, write.replicas) for write in writes if write.at <= unix_time]
    return max(past)[1] if past else syncs[0].replicas


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
