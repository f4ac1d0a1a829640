"""The four charts of the demo's report, from the raw rows."""

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby

from e2e.demo.recording import NodeLifetime, Recording, ReplicaRow, RequestRow
from e2e.demo.summary import SummarySettings, client_latency, node_dollars, percentile
from inference_cost.cli.page.chart import Axes, Chart

Points = list[tuple[float, float]]
LOAD_BIN_SECONDS = 1
# Two seconds hold at least a hundred requests, so that a p99 says something.
LATENCY_BIN_SECONDS = 2
HEADROOM = 1.04


def load_chart(
    recording: Recording, settings: SummarySettings, capacity_per_replica: float
) -> Chart:
    """Requests per second and what the ready replicas can carry, in full batches."""
    load = rate_points(recording.requests, settings.load_seconds)
    capacity = [(row.t_s, row.ready * capacity_per_replica) for row in _shown(recording, settings)]
    highest = max((value for _, value in (*load, *capacity)), default=1.0)
    chart = _chart("Load and capacity, requests per second", settings, highest)
    chart.area(load, "c-load", "sent by the client")
    chart.steps(capacity, "c-capacity", "capacity of ready replicas (full batches)")
    return chart


def latency_chart(recording: Recording, settings: SummarySettings) -> Chart:
    """Percentiles at the client by send time, against the objective."""
    median, high = latency_points(recording.requests, settings)
    # A backlog of seconds would flatten the rest: cut, and said in the title.
    limit = settings.objective_milliseconds * 4
    highest = max([value for _, value in high] + [settings.objective_milliseconds * 1.25])
    cut = f" (cut off at {limit:g})" if highest > limit else ""
    title = f"Latency at the client, milliseconds{cut}"
    chart = _chart(title, settings, min(highest, limit))
    chart.shade(0, settings.measured_from_seconds, "not counted")
    chart.line(high, "c-high", "p99")
    chart.line(median, "c-load", "p50")
    chart.level(settings.objective_milliseconds, "c-limit", "objective")
    return chart


def replicas_chart(recording: Recording, settings: SummarySettings) -> Chart:
    """Replicas asked for and ready, the static fleet, and the numbered scale events."""
    rows = _shown(recording, settings)
    highest = max([row.replicas for row in rows] + [settings.static_replicas]) + 1
    chart = _chart("Replicas", settings, highest)
    chart.steps([(row.t_s, row.replicas) for row in rows], "c-capacity", "asked for")
    chart.steps([(row.t_s, row.ready) for row in rows], "c-load", "ready")
    chart.level(settings.static_replicas, "c-static", "static fleet")
    for number, event in enumerate(recording.scale_events, start=1):
        tip = f"{event.before} → {event.after} at {event.t_s:.0f} s: {event.reason}"
        chart.marker(event.t_s, number, tip)
    return chart


def cost_chart(recording: Recording, settings: SummarySettings) -> Chart:
    """Dollars since the load began, beside the static fleet's."""
    spent = cost_points(recording.nodes, settings.load_seconds)
    hours = Decimal(str(settings.load_seconds)) / 3600
    static = float(settings.static_replicas * hours * settings.static_dollars_per_hour)
    chart = _chart("Cost so far", settings, max(static, spent[-1][1]), prefix="$")
    chart.area(spent, "c-load", "GPU nodes, boot and idle time included")
    chart.line([(0, 0), (settings.load_seconds, static)], "c-static", "static fleet")
    return chart


def rate_points(requests: Sequence[RequestRow], load_seconds: float) -> Points:
    """Requests per second, at the middle of each bin."""
    counts = [0] * int(load_seconds // LOAD_BIN_SECONDS)
    for request in requests:
        if 0 <= (index := int(request.t_s // LOAD_BIN_SECONDS)) < len(counts):
            counts[index] += 1
    return [
        ((i + 0.5) * LOAD_BIN_SECONDS, count / LOAD_BIN_SECONDS) for i, count in enumerate(counts)
    ]


def latency_points(
    requests: Sequence[RequestRow], settings: SummarySettings
) -> tuple[Points, Points]:
    """p50 and p99 by the time of sending, requests in order of time."""
    median: Points = []
    high: Points = []
    for index, group in groupby(requests, key=lambda r: r.t_s // LATENCY_BIN_SECONDS):
        latencies = sorted(client_latency(r, settings.timeout_milliseconds) for r in group)
        middle = (index + 0.5) * LATENCY_BIN_SECONDS
        median.append((middle, percentile(latencies, 50)))
        high.append((middle, percentile(latencies, 99)))
    return median, high


def cost_points(nodes: Sequence[NodeLifetime], load_seconds: float) -> Points:
    """Dollars spent on the nodes from 0 on, each second."""
    seconds = [*range(int(load_seconds)), load_seconds]
    return [(t, float(node_dollars(nodes, t))) for t in seconds]


def _shown(recording: Recording, settings: SummarySettings) -> list[ReplicaRow]:
    """The rows of the load phase; the one in force at its beginning first."""
    rows = recording.replicas
    first = max(0, bisect_left([row.t_s for row in rows], 0.0) - 1)
    return [row for row in rows[first:] if row.t_s <= settings.load_seconds]


def _chart(title: str, settings: SummarySettings, y_max: float, prefix: str = "") -> Chart:
    return Chart(title, Axes(seconds=settings.load_seconds, y_max=y_max * HEADROOM, prefix=prefix))
