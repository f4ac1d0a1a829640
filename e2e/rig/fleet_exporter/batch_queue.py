"""One simulated Triton: its dynamic batcher, and the counters that it would have by now.

The same greedy batcher as `inference_cost.simulate.batcher` (a test holds them equal), worked off batch by batch
instead of request by request, and with what is counted in between.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

from inference_cost.simulate.batcher import BatchService

MICROSECONDS = 1_000_000
# Parts of a batch's time, and time of a request outside queue and batch; as on the recording machine.
INPUT_MICROSECONDS, OUTPUT_MICROSECONDS, OVERHEAD_MICROSECONDS = 50, 100, 8


@dataclass(slots=True, kw_only=True)
class TritonCounters:
    """Per model, as Triton counts: only what is answered, durations once per request, whole µs."""

    request_success: int = 0
    inference_count: int = 0
    exec_count: int = 0
    request_microseconds: int = 0
    queue_microseconds: int = 0
    compute_input_microseconds: int = 0
    compute_infer_microseconds: int = 0
    compute_output_microseconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLimits:
    """`max_queue_size` of the model (0: none) and the batch size of a client's request."""

    max_queue_size: int = 0
    inferences_per_request: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Who hears of each answered request (latency in seconds) and of each refused one."""

    answered: Callable[[float], None]
    refused: Callable[[int], None]


class BatchQueue:
    """Queue and only instance of one model, in the seconds of some clock."""

    def __init__(
        self,
        service: BatchService,
        limits: QueueLimits = QueueLimits(),
        observer: Observer | None = None,
    ) -> None:
        self.counters = TritonCounters()
        self._service = service
        self._inferences = limits.inferences_per_request
        self._max_requests = max(1, service.max_batch_size // self._inferences)
        self._max_waiting = limits.max_queue_size or inf
        self._observer = observer
        self._waiting: list[float] = []
        self._running: list[float] = []
        self._started_at = self._free_at = 0.0
        self._busy_seconds = 0.0

    @property
    def pending(self) -> int:
        """Requests that wait; those in the running batch are not among them."""
        return len(self._waiting)

    @property
    def in_flight(self) -> int:
        return len(self._waiting) + len(self._running)

    def busy_seconds(self, now: float) -> float:
        """Time with a batch running, up to now."""
        return self._busy_seconds + (now - self._started_at if self._running else 0.0)

    def observe_by(self, observer: Observer | None) -> None:
        self._observer = observer

    def advance(self, arrivals: Sequence[float], until: float) -> None:
        """Take arrivals (ascending, after the last call's `until`) and work until then."""
        taken = 0
        while True:
            if self._running:
                # Whoever comes at the very instant of a start misses that batch.
                before_end = bisect_left(arrivals, self._free_at, taken)
                self._accept(arrivals[taken:before_end])
                taken = before_end
                if self._free_at > until:
                    return
                self._complete()
                if self._waiting:
                    self._start(self._free_at)
            elif taken < len(arrivals):
                self._waiting.append(arrivals[taken])
                self._start(arrivals[taken])
                taken += 1
            else:
                return

    def warm_up(self, requests: int) -> None:
        """Requests of `model_warmup`, one at a time before the server is ready: Triton counts them."""
        for _ in range(requests):
            self._waiting.append(self._free_at)
            self._start(self._free_at)
            self._complete()
        self._busy_seconds = self._free_at = 0.0

    def _accept(self, arrivals: Sequence[float]) -> None:
        room = self._max_waiting - len(self._waiting)
        if len(arrivals) > room:
            if self._observer:
                self._observer.refused(len(arrivals) - int(room))
            arrivals = arrivals[: int(room)]
        # Triton itself counts nothing for a request refused by max_queue_size.
        self._waiting.extend(arrivals)

    def _start(self, at: float) -> None:
        self._running = self._waiting[: self._max_requests]
        del self._waiting[: self._max_requests]
        self._started_at = at
        self._free_at = at + self._service.seconds(len(self._running) * self._inferences)

    def _complete(self) -> None:
        batch, started, ended = self._running, self._started_at, self._free_at
        self._running = []
        self._busy_seconds += ended - started
        self._count(batch, started, round((ended - started) * MICROSECONDS))
        if self._observer:
            for arrived in batch:
                self._observer.answered(ended - arrived)

    def _count(self, batch: Sequence[float], started: float, batch_microseconds: int) -> None:
        requests, counters = len(batch), self.counters
        queued = sum(int((started - arrived) * MICROSECONDS) for arrived in batch)
        taking_in = min(INPUT_MICROSECONDS, batch_microseconds)
        giving_out = min(OUTPUT_MICROSECONDS, batch_microseconds - taking_in)
        infer = batch_microseconds - taking_in - giving_out
        counters.request_success += requests
        counters.inference_count += requests * self._inferences
        counters.exec_count += 1
        counters.queue_microseconds += queued
        # The whole batch's time, once for each of its requests.
        counters.compute_input_microseconds += requests * taking_in
        counters.compute_infer_microseconds += requests * infer
        counters.compute_output_microseconds += requests * giving_out
        counters.request_microseconds += queued + requests * (
            batch_microseconds + OVERHEAD_MICROSECONDS
        )
