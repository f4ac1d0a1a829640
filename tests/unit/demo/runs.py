"""A demo run as the simulated fleet would produce it: the real trace, replicas that come and go."""

from decimal import Decimal
from functools import cache
from math import inf

from e2e.demo.recording import NodeLifetime, Recording, ReplicaRow, RequestRow, ScaleEvent
from e2e.demo.static_fleet import DEMO_SERVICE
from e2e.demo.summary import SummarySettings
from e2e.rig.traces import arrival_times
from inference_cost.simulate.fleet import ReplicaLifetime, replay

PRICE = Decimal("0.8048")
LOAD_SECONDS = 240.0
# Replica by replica: asked for at, ready 10 s later, no longer asked for at.
ASKED = (
    *((-60.0, inf), (-60.0, inf), (4.0, 30.0), (4.0, 22.0), (6.0, 18.0), (105.0, 128.0)),
    *((136.0, 190.0), (205.0, 218.0)),
)
SETTINGS = SummarySettings(
    load_seconds=LOAD_SECONDS, static_replicas=3, static_dollars_per_hour=PRICE
)


@cache
def simulated_run() -> Recording:
    arrivals = [float(t) for t in arrival_times(10, LOAD_SECONDS, 1.2, 20)]
    lifetimes = [
        ReplicaLifetime(ready_at_seconds=start + 10, draining_at_seconds=end)
        for start, end in ASKED
    ]
    latencies = replay(arrivals, service=DEMO_SERVICE, replicas=lifetimes)
    return Recording(
        requests=tuple(map(_request, arrivals, latencies)),
        replicas=tuple(_row(float(t)) for t in range(-1, int(LOAD_SECONDS) + 1)),
        nodes=tuple(_node(i, start, end) for i, (start, end) in enumerate(ASKED)),
        scale_events=tuple(_events()),
    )


def _request(t_s: float, latency_seconds: float) -> RequestRow:
    """As the client rounds it into the file; it gives up after five seconds."""
    milliseconds = min(latency_seconds * 1000, 5000.0)
    return RequestRow(
        t_s=round(t_s, 6), latency_milliseconds=round(milliseconds, 3), ok=milliseconds < 5000
    )


def _row(t_s: float) -> ReplicaRow:
    return ReplicaRow(
        t_s=t_s,
        replicas=sum(start <= t_s < end for start, end in ASKED),
        ready=sum(start + 10 <= t_s < end for start, end in ASKED),
        nodes=sum(start + 1 <= t_s < end + 12 for start, end in ASKED),
    )


def _node(number: int, start: float, end: float) -> NodeLifetime:
    return NodeLifetime(
        node=f"gpu-{number}", created_s=start + 1, gone_s=end + 12, dollars_per_hour=PRICE
    )


def _events() -> list[ScaleEvent]:
    times = sorted({t for pair in ASKED for t in pair if 0 <= t < LOAD_SECONDS})
    return [
        ScaleEvent(
            t_s=t,
            before=_row(t - 0.001).replicas,
            after=_row(t).replicas,
            reason="demand 231 requests/s and rising <fast>: one fewer would miss 300 ms at p99",
        )
        for t in times
    ]
