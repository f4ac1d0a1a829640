"""One simulated Triton from its start to its end: queue, counters, and what it polls every second."""

import hashlib
from bisect import bisect_left
from collections.abc import Sequence
from uuid import UUID

from e2e.rig.fleet_exporter.batch_queue import BatchQueue, Observer, TritonCounters
from e2e.rig.fleet_exporter.exposition import GpuReading, HostReading, ServerState, page
from e2e.rig.fleet_exporter.rates import Arrivals, Piece
from e2e.rig.fleet_exporter.triton_settings import TritonSettings

# Triton polls GPU and host at half of --metrics-interval-ms, default 2000.
POLL_SECONDS = 1.0
GIBIBYTE = 1024**3
# A quiet host as large as a simulated node.
HOST = HostReading(
    cpu_utilization=0.05,
    memory_total_bytes=256 * GIBIBYTE,
    memory_used_bytes=12 * GIBIBYTE,
    pinned_pool_bytes=256 * 1024**2,
)
GPU_MEMORY_BYTES, GPU_MEMORY_USED_BYTES = 24 * GIBIBYTE, 3 * GIBIBYTE
IDLE_WATTS, BUSY_WATTS, LIMIT_WATTS = 33.0, 180.0, 300.0


class SimulatedServer:
    """Counters begin at zero with each new one. Times are seconds of one clock."""

    def __init__(
        self, identity: str, settings: TritonSettings, arrivals: Arrivals, started_at: float
    ) -> None:
        self.settings = settings
        self._queue = BatchQueue(settings.service, settings.limits)
        self._queue.warm_up(settings.warmup_requests)
        self._arrivals = arrivals
        self._gpu_uuid = gpu_uuid(identity)
        self._next_poll = started_at + POLL_SECONDS
        self._busy_at_poll = self._utilization = self._energy_joules = 0.0
        self._polled = False

    @property
    def in_flight(self) -> int:
        return self._queue.in_flight

    def observe_by(self, observer: Observer | None) -> None:
        self._queue.observe_by(observer)

    def arrive_by(self, arrivals: Arrivals) -> None:
        """Requests come by this process from now on."""
        self._arrivals = arrivals

    def advance(self, pieces: Sequence[Piece], share: float, until: float) -> int:
        """Live until then under a share of a load; returns how many requests came."""
        instants = self._arrivals.instants(pieces, share) if pieces else []
        taken = 0
        while self._next_poll <= until:
            first_after = bisect_left(instants, self._next_poll, taken)
            self._queue.advance(instants[taken:first_after], self._next_poll)
            taken = first_after
            self._poll()
        self._queue.advance(instants[taken:], until)
        return len(instants)

    def page(self) -> str:
        """Exposition as of the last `advance`."""
        settings = self.settings
        labelled = settings.gpu_metrics and settings.loaded_after_start
        return page(
            ServerState(
                model=settings.model,
                version=settings.version,
                counters=self._queue.counters if settings.counter_latencies else TritonCounters(),
                pending=self._queue.pending,
                host=HOST if self._polled else HostReading(),
                gpu=self._gpu() if settings.gpu_metrics else None,
                instance_labels={"gpu_uuid": self._gpu_uuid} if labelled else {},
            )
        )

    def _poll(self) -> None:
        busy = self._queue.busy_seconds(self._next_poll)
        self._utilization = round(min(1.0, (busy - self._busy_at_poll) / POLL_SECONDS), 2)
        self._energy_joules += self._watts() * POLL_SECONDS
        self._busy_at_poll = busy
        self._polled = True
        self._next_poll += POLL_SECONDS

    def _watts(self) -> float:
        return IDLE_WATTS + self._utilization * (BUSY_WATTS - IDLE_WATTS)

    def _gpu(self) -> GpuReading:
        return GpuReading(
            uuid=self._gpu_uuid,
            utilization=self._utilization,
            memory_total_bytes=GPU_MEMORY_BYTES if self._polled else 0,
            memory_used_bytes=GPU_MEMORY_USED_BYTES if self._polled else 0,
            power_watts=round(self._watts(), 3) if self._polled else 0,
            power_limit_watts=LIMIT_WATTS if self._polled else 0,
            energy_joules=round(self._energy_joules, 3),
        )


def gpu_uuid(identity: str) -> str:
    """A GPU identity of NVIDIA's form, always the same for the same text."""
    digest = hashlib.blake2b(identity.encode(), digest_size=16).digest()
    return f"GPU-{UUID(bytes=digest)}"
