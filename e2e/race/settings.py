"""Numbers of the race: what all contestants share, and how fast each one's clock runs.

The world of the demo is faster than a cluster in two ways. Metrics come every 2 s instead of 15 s, so loops and the
windows of rates are 7.5 times as fast (`FASTER_LOOPS`). A replica takes 10 s to start instead of 180 s, so what waits
lest a replica is missed again soon is 18 times as fast (`FASTER_WAITS`).
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

from e2e.demo.settings import DemoSettings
from e2e.race.traces import Trace
from e2e.rig.programs import SHORT_TIMINGS, Timings

OUTPUT = Path("build/race")
FASTER_LOOPS = 7.5
FASTER_WAITS = 18.0
SYNC_SECONDS = 2  # of the HPA, 15 s; this operator decides every 3 s
POLLING_SECONDS = 3  # of KEDA, 30 s: for waking from zero alone, which nobody does here
RATE_SECONDS = 8  # 60 s; the window of this operator's rates as well
DEFAULT_WINDOW_SECONDS = 17  # scaleDown.stabilizationWindowSeconds, 300 s
PERIOD_SECONDS = (
    1  # of the default policies, 15 s: at most one sync, so that a step may come with each
)
# llm-d's guide: a mean of 45 s; up after 30 s, at most doubled or by four in 60 s; down after 180 s, by one in 120 s.
SMOOTHED_SECONDS = 6
UP_SECONDS, UP_PERIOD_SECONDS = 2, 3
DOWN_SECONDS, DOWN_ONE_POD_SECONDS = 10, 7
START_SECONDS = 10.0  # from a write of /scale to a ready replica
TARGET_PERCENT = 99.0
TIMINGS: Timings = replace(SHORT_TIMINGS, autoscaler_sync_seconds=SYNC_SECONDS)
# A law that reads a percentile from the histogram gets finer buckets than Envoy's 100, 250, 500 ms.
BOUNDS_MILLISECONDS = tuple(float(bound) for bound in range(20, 601, 20))


@dataclass(frozen=True, slots=True, kw_only=True)
class RaceSettings:
    """The demo's fleet, nodes, prices and objective."""

    output: Path = OUTPUT
    demo: DemoSettings = field(default_factory=DemoSettings)

    def folder(self, trace: str, contestant: str) -> Path:
        return self.output / trace / contestant

    def of_play(self, trace: Trace, contestant: str) -> DemoSettings:
        """What the stage is set with."""
        return replace(self.demo, output=self.folder(trace.name, contestant))
