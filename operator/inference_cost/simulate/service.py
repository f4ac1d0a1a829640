"""How long a replica takes for a batch, and how its Triton forms batches."""

from dataclasses import dataclass, replace
from math import isfinite


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One replica: a batch of b requests takes `fixed_seconds + per_item_seconds * b` on one instance.

    Batching as in `batching.py`: no queue delay is greedy; with a delay batches are closed ahead; a queue policy
    is greedy with lost wake-ups.
    """

    fixed_seconds: float
    per_item_seconds: float
    max_batch: int
    instances: int = 1
    queue_delay_seconds: float = 0.0
    queue_policy: bool = False
    thread_slowness: float = (
        1.0  # factor on the times of Triton's own threads (batching/scheduler.py)
    )

    def __post_init__(self) -> None:
        times = (self.fixed_seconds, self.per_item_seconds, self.queue_delay_seconds)
        if not all(isfinite(time) and time >= 0 for time in (*times, self.thread_slowness)):
            raise ValueError("times must be finite and not negative")
        if self.fixed_seconds + self.per_item_seconds <= 0:
            raise ValueError("a batch must take some time")
        if self.max_batch < 1 or self.instances < 1:
            raise ValueError("max_batch and instances must be at least 1")

    def seconds(self, batch: float) -> float:
        return self.fixed_seconds + self.per_item_seconds * batch

    @property
    def capacity(self) -> float:
        """Requests per second with full batches on every instance."""
        return self.instances * self.max_batch / self.seconds(self.max_batch)

    def stretched(self, factor: float) -> "Service":
        """The same server, slower by one factor in all it does: else its timers would hide the queue delay."""
        return replace(
            self,
            fixed_seconds=self.fixed_seconds * factor,
            per_item_seconds=self.per_item_seconds * factor,
            queue_delay_seconds=self.queue_delay_seconds * factor,
            thread_slowness=self.thread_slowness * factor,
        )
