"""The raw rows of a demo run, as CSV files side by side: everything in the summary can be recomputed from them.

Times are seconds of the load: 0 is when the first request may go out.

- `requests.csv`: t_s, latencyMilliseconds, ok (written by `e2e.rig.load`)
- `replicas.csv`: t_s, replicas, ready, nodes; each row holds until the next
- `nodes.csv`: node, created_s, gone_s (empty while it exists), dollarsPerHour; one row per GPU node
- `scale_events.csv`: t_s, before, after, reason
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import inf
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """`t_s`: scheduled send time. `ok` is False for errors and timeouts."""

    t_s: float
    latency_milliseconds: float
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaRow:
    """`replicas`: asked for by the scale subresource. `nodes`: GPU nodes that exist."""

    t_s: float
    replicas: int
    ready: int
    nodes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLifetime:
    """One GPU node from creation to removal, infinite while it exists."""

    node: str
    created_s: float
    gone_s: float = inf
    dollars_per_hour: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleEvent:
    t_s: float
    before: int
    after: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Rows in order of time."""

    requests: tuple[RequestRow, ...]
    replicas: tuple[ReplicaRow, ...]
    nodes: tuple[NodeLifetime, ...]
    scale_events: tuple[ScaleEvent, ...] = ()


class RecordingError(ValueError):
    """A file of the recording is missing, empty or malformed."""


def read_recording(directory: Path) -> Recording:
    """Read the four files; `scale_events.csv` may be absent.

    Raises:
        RecordingError: a file cannot be read; the message has its name.
    """
    events = directory / "scale_events.csv"
    return Recording(
        requests=tuple(sorted(read_requests(directory / "requests.csv"), key=lambda r: r.t_s)),
        replicas=tuple(read_replicas(directory / "replicas.csv")),
        nodes=tuple(read_nodes(directory / "nodes.csv")),
        scale_events=tuple(read_scale_events(events)) if events.exists() else (),
    )


def read_requests(path: Path) -> list[RequestRow]:
    return [
        RequestRow(
            t_s=float(row["t_s"]),
            latency_milliseconds=float(row["latencyMilliseconds"]),
            ok=row["ok"] == "1",
        )
        for row in _rows(path, ("t_s", "latencyMilliseconds", "ok"))
    ]


def read_replicas(path: Path) -> list[ReplicaRow]:
    return [
        ReplicaRow(
            t_s=float(row["t_s"]),
            replicas=int(row["replicas"]),
            ready=int(row["ready"]),
            nodes=int(row["nodes"]),
        )
        for row in _rows(path, ("t_s", "replicas", "ready", "nodes"))
    ]


_NODE_COLUMNS = ("node", "created_s", "gone_s", "dollarsPerHour")


def read_nodes(path: Path) -> list[NodeLifetime]:
    return [
        NodeLifetime(
            node=row["node"],
            created_s=float(row["created_s"]),
            gone_s=float(row["gone_s"]) if row["gone_s"] else inf,
            dollars_per_hour=Decimal(row["dollarsPerHour"]),
        )
        for row in _rows(path, _NODE_COLUMNS)
    ]


def write_nodes(path: Path, nodes: Iterable[NodeLifetime]) -> None:
    rows = [
        (
            node.node,
            f"{node.created_s:.3f}",
            "" if node.gone_s == inf else f"{node.gone_s:.3f}",
            str(node.dollars_per_hour),
        )
        for node in nodes
    ]
    _write(path, _NODE_COLUMNS, rows)


_EVENT_COLUMNS = ("t_s", "before", "after", "reason")


def read_scale_events(path: Path) -> list[ScaleEvent]:
    return [
        ScaleEvent(
            t_s=float(row["t_s"]),
            before=int(row["before"]),
            after=int(row["after"]),
            reason=row["reason"],
        )
        for row in _rows(path, _EVENT_COLUMNS)
    ]


def write_scale_events(path: Path, events: Iterable[ScaleEvent]) -> None:
    rows = [(f"{event.t_s:.3f}", event.before, event.after, event.reason) for event in events]
    _write(path, _EVENT_COLUMNS, rows)


def _rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except OSError as error:
        raise RecordingError(f"{path.name}: {error.strerror}") from error
    if tuple(reader.fieldnames or ()) != tuple(columns):
        raise RecordingError(f"{path.name}: columns are {reader.fieldnames}, not {list(columns)}")
    return rows


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
