"""A fleet whose load goes up and down each minute: do Karpenter and the operator fight over it?"""

import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass

from e2e.karpenter.fleet import KarpenterFleet
from e2e.karpenter.watch import Look, Summary, Watch, summary, watching
from e2e.rig.karpenter.machines import CAPACITY_TYPES, SPOT

# Neither near a load at which one replica more is needed: chance alone then changes nothing.
LOW_PER_SECOND, HIGH_PER_SECOND = 50.0, 200.0
PHASE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CalmWatch:
    """`began_at`: epoch seconds from which on it is counted, when the fleet runs on spot and the load is low."""

    fleet: KarpenterFleet
    watch: Watch
    began_at: Future[float]
    phases: int

    @property
    def changes(self) -> int:
        """Of the load, in the time that is counted."""
        return self.phases - 1

    def finish(self) -> tuple[list[Look], Summary]:
        """Wait for the end of the time, and count."""
        began_at = self.began_at.result()
        ends_at = began_at + self.phases * PHASE_SECONDS
        time.sleep(max(ends_at - time.time(), 0.0))
        if self.watch.problem is not None:
            raise self.watch.problem
        looks = self.watch.between(began_at, ends_at)
        writes = [
            request
            for kind in CAPACITY_TYPES
            for request in self.fleet.scene.scale_writes(self.fleet.workload(kind), since=began_at)
            if request.at < ends_at
        ]
        return looks, summary(looks, self.watch.reasons, writes=len(writes))


@contextmanager
def watched(fleet: KarpenterFleet, *, phases: int, pool: Executor) -> Iterator[CalmWatch]:
    """Watch a fleet that was deployed; its load begins to change when all of it runs on spot."""

    def begin() -> float:
        fleet.wait_on(SPOT)
        rates = (LOW_PER_SECOND, HIGH_PER_SECOND)
        fleet.set_load({i * PHASE_SECONDS: rates[i % len(rates)] for i in range(phases)})
        return time.time()

    with watching(fleet) as watch:
        yield CalmWatch(fleet=fleet, watch=watch, began_at=pool.submit(begin), phases=phases)
