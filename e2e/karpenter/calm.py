"""A fleet whose load goes up and down each minute: do Karpenter and the operator fight over it?"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from e2e.karpenter.fleet import KarpenterFleet
from e2e.karpenter.watch import Look, Summary, Watch, summary, watching
from e2e.rig.fleet_exporter.client import ExporterClient
from e2e.rig.karpenter.machines import CAPACITY_TYPES, G6, SPOT
from e2e.rig.kube import wait_for
from e2e.scenarios.scene import Scene

PREFIX = "calm-"
LOW_PER_SECOND, HIGH_PER_SECOND = 100.0, 220.0
PHASE_SECONDS = 60.0
SETTLED_WITHIN_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CalmWatch:
    """`began_at`: epoch seconds from which on it is counted, when the fleet runs on spot and the load is low."""

    scene: Scene
    fleet: KarpenterFleet
    watch: Watch
    began_at: float
    phases: int

    @property
    def changes(self) -> int:
        """Of the load, in the time that is counted."""
        return self.phases - 1

    def finish(self) -> tuple[list[Look], Summary]:
        """Wait for the end of the time, and count."""
        time.sleep(max(self.began_at + self.phases * PHASE_SECONDS - time.time(), 0.0))
        if self.watch.problem is not None:
            raise self.watch.problem
        looks = self.watch.since(self.began_at)
        writes = [
            request
            for kind in CAPACITY_TYPES
            for request in self.scene.scale_writes(self.fleet.workload(kind), since=self.began_at)
        ]
        return looks, summary(looks, self.watch.reasons, writes=len(writes))


@contextmanager
def calm_watch(scene: Scene, exporter: ExporterClient, *, phases: int) -> Iterator[CalmWatch]:
    """Deploy the fleet, wait until it runs on spot as its load needs, and watch it from then on."""
    fleet = KarpenterFleet(scene=scene, exporter=exporter, prefix=PREFIX)
    fleet.deploy(LOW_PER_SECOND, spot_price=G6.prices[SPOT])
    with watching(fleet) as watch:
        wait_for(
            lambda: set(fleet.ready()) == {SPOT} and set(fleet.claims()) == {SPOT},
            timeout_seconds=SETTLED_WITHIN_SECONDS,
            what="the fleet to run on spot",
        )
        rates = (LOW_PER_SECOND, HIGH_PER_SECOND)
        fleet.set_load({i * PHASE_SECONDS: rates[i % len(rates)] for i in range(phases)})
        yield CalmWatch(scene=scene, fleet=fleet, watch=watch, began_at=time.time(), phases=phases)
