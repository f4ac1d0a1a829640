"""Triton's dynamic batcher, request by request: one replica with one model instance and no queue delay.

Without `max_queue_delay_microseconds` Triton is greedy: whenever the instance becomes free it takes every
waiting request, up to the maximum batch size. Requests have batch size 1.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchService:
    """Time of one batch of b requests, α + β·b seconds, and the largest b."""

    alpha_seconds: float
    beta_seconds: float
    max_batch_size: int

    def __post_init__(self) -> None:
        if self.alpha_seconds < 0 or self.beta_seconds < 0:
            raise ValueError("alpha_seconds and beta_seconds must not be negative")
        if self.max_batch_size < 1:
            raise ValueError(f"max_batch_size is {self.max_batch_size}, must be at least 1")

    def seconds(self, batch_size: int) -> float:
        return self.alpha_seconds + self.beta_seconds * batch_size

    @property
    def capacity_per_second(self) -> float:
        """Requests per second of an instance that always runs full batches."""
        return self.max_batch_size / self.seconds(self.max_batch_size)


class GreedyBatcher:
    """One replica in virtual time. Calls must come in order of time.

    The latency of request number i, in seconds, is written to `latencies_seconds[i]` when its batch starts,
    because its end is known from then on.
    """

    __slots__ = ("_free_at", "_latencies", "_running", "_service", "_waiting")

    def __init__(self, service: BatchService, latencies_seconds: list[float]) -> None:
        self._service = service
        self._latencies = latencies_seconds
        self._waiting: deque[tuple[int, float]] = deque()
        self._running = 0
        self._free_at = 0.0

    @property
    def in_flight(self) -> int:
        """Requests waiting or in the running batch, as of the last call."""
        return len(self._waiting) + self._running

    def offer(self, request: int, at_seconds: float) -> None:
        """Accept a request at the given time."""
        self.advance(at_seconds)
        self._waiting.append((request, at_seconds))
        if not self._running:
            self._start_batch(at_seconds)

    def advance(self, now_seconds: float) -> None:
        """Complete and start batches up to the given time."""
        while self._running and self._free_at <= now_seconds:
            self._running = 0
            if self._waiting:
                self._start_batch(self._free_at)

    def drain(self) -> None:
        """Work off everything that was accepted."""
        self.advance(inf)

    def _start_batch(self, at_seconds: float) -> None:
        size = min(len(self._waiting), self._service.max_batch_size)
        self._running = size
        self._free_at = at_seconds + self._service.seconds(size)
        for _ in range(size):
            request, arrived = self._waiting.popleft()
            self._latencies[request] = self._free_at - arrived


def greedy_latencies(arrivals_seconds: Sequence[float], service: BatchService) -> list[float]:
    """Latency in seconds of each request, arrivals ascending, on one replica that is never stopped."""
    latencies = [inf] * len(arrivals_seconds)
    replica = GreedyBatcher(service, latencies)
    for request, at_seconds in enumerate(arrivals_seconds):
        replica.offer(request, at_seconds)
    replica.drain()
    return latencies
