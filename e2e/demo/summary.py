"""What the demo achieved and what it cost, from the raw rows alone.

- `requests`, `late`, `attainmentPercent`, `p50Milliseconds`, `p99Milliseconds`: the client's, requests sent from
  second 60 of the load on. Errors and timeouts are late; in the percentiles they stand with the client's timeout.
  A percentile is the smallest latency that at least that share of requests did not exceed.
- `replicaSeconds`: integral of the replicas asked for over the load phase; `scaleEvents`: how often they changed.
- `costDollars`: GPU nodes' lifetimes within the load phase × their price.
- `staticReplicas`, `staticReplicaSeconds`, `staticCostDollars`: the static fleet (`static_fleet.py`) over the load
  phase, one node each.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from itertools import pairwise
from math import ceil
from pathlib import Path

from e2e.demo.recording import NodeLifetime, Recording, ReplicaRow, RequestRow

Summary = dict[str, int | float]
_SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class SummarySettings:
    """`static_dollars_per_hour`: price of a node of the static fleet, one replica each."""

    load_seconds: float
    static_replicas: int
    static_dollars_per_hour: Decimal
    objective_milliseconds: float = 300.0
    timeout_milliseconds: float = 5000.0
    measured_from_seconds: float = 60.0


def summarize(recording: Recording, settings: SummarySettings) -> Summary:
    """The summary, keys in the order in which it is printed.

    Raises:
        ValueError: no request was sent in the measured part, or there is no row of replicas.
    """
    cost = node_dollars(recording.nodes, settings.load_seconds)
    static_seconds = settings.static_replicas * settings.load_seconds
    static_cost = _hours(static_seconds) * settings.static_dollars_per_hour
    return {
        **service(recording.requests, settings),
        "replicaSeconds": round(replica_seconds(recording.replicas, settings.load_seconds), 1),
        "staticReplicas": settings.static_replicas,
        "staticReplicaSeconds": round(static_seconds, 1),
        "costDollars": float(round(cost, 6)),
        "staticCostDollars": float(round(static_cost, 6)),
        "savingPercent": float(round((1 - cost / static_cost) * 100, 2)),
        "scaleEvents": scale_events(recording.replicas, settings.load_seconds),
    }


def write_summary(path: Path, summary: Summary) -> None:
    path.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


def percentile(ascending: Sequence[float], percent: int) -> float:
    """Smallest value that at least `percent` % of the values do not exceed."""
    return ascending[max(0, ceil(len(ascending) * percent / 100) - 1)]


def is_late(request: RequestRow, objective_milliseconds: float) -> bool:
    return not request.ok or request.latency_milliseconds > objective_milliseconds


def client_latency(request: RequestRow, timeout_milliseconds: float) -> float:
    """Milliseconds as they enter a percentile: a failure is no better than a timeout."""
    if request.ok:
        return request.latency_milliseconds
    return max(request.latency_milliseconds, timeout_milliseconds)


def replica_seconds(rows: Sequence[ReplicaRow], load_seconds: float) -> float:
    """Integral of the replicas asked for over [0, load_seconds]; the first row also holds before it."""
    if not rows:
        raise ValueError("no row of replicas")
    starts = [0.0, *(row.t_s for row in rows[1:])]
    ends = [*starts[1:], load_seconds]
    return sum(
        row.replicas * _overlap(start, end, load_seconds)
        for row, start, end in zip(rows, starts, ends, strict=True)
    )


def node_dollars(nodes: Sequence[NodeLifetime], until_s: float) -> Decimal:
    """Cost of the nodes from 0 to `until_s`."""
    return sum(
        (
            _hours(_overlap(node.created_s, node.gone_s, until_s)) * node.dollars_per_hour
            for node in nodes
        ),
        Decimal(0),
    )


def scale_events(rows: Sequence[ReplicaRow], load_seconds: float) -> int:
    """Number of changes of the replicas asked for within the load phase."""
    return sum(
        before.replicas != after.replicas
        for before, after in pairwise(rows)
        if 0 <= after.t_s < load_seconds
    )


def service(
    requests: Sequence[RequestRow], settings: SummarySettings, percentiles: Sequence[int] = (50, 99)
) -> Summary:
    """What the client saw, from `measured_from_seconds` on.

    Raises:
        ValueError: no request was sent then.
    """
    measured = [request for request in requests if request.t_s >= settings.measured_from_seconds]
    if not measured:
        raise ValueError(f"no request from second {settings.measured_from_seconds:g} on")
    late = sum(is_late(request, settings.objective_milliseconds) for request in measured)
    latencies = sorted(client_latency(r, settings.timeout_milliseconds) for r in measured)
    return {
        "requests": len(measured),
        "late": late,
        "attainmentPercent": _percent_rounded_down(len(measured) - late, len(measured)),
        **{f"p{p}Milliseconds": round(percentile(latencies, p), 1) for p in percentiles},
    }


def _percent_rounded_down(part: int, whole: int) -> float:
    """An objective missed by little must not read as met."""
    return float((Decimal(100 * part) / whole).quantize(Decimal("0.001"), ROUND_FLOOR))


def _overlap(start: float, end: float, until: float) -> float:
    return max(0.0, min(end, until) - max(start, 0.0))


def _hours(seconds: float) -> Decimal:
    return Decimal(str(seconds)) / _SECONDS_PER_HOUR
