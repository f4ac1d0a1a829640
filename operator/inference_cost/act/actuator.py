"""All writers together, as the loop uses them."""

import asyncio
from collections.abc import Mapping

from inference_cost.act.checkpoints import Checkpoints, Restored
from inference_cost.act.events import EventRecorder
from inference_cost.act.kube_api import Json
from inference_cost.act.pool_reporter import PoolReporter
from inference_cost.act.reporter import Reporter
from inference_cost.act.scaler import Scaled, Scaler
from inference_cost.act.tick import Tick
from inference_cost.act.warm import WarmKeeper
from inference_cost.act.write_queue import WriteQueue
from inference_cost.model.observation import Snapshot
from inference_cost.model.policy import PolicyKey


class Actuator:
    """Scale writes happen in `act`; what else is written is queued there, and written in `run`."""

    def __init__(
        self,
        *,
        scaler: Scaler,
        reporter: Reporter,
        pools: PoolReporter,
        recorder: EventRecorder,
        checkpoints: Checkpoints,
        queue: WriteQueue,
        warm: WarmKeeper,
    ) -> None:
        self.scaler = scaler
        self._reporter = reporter
        self._pools = pools
        self._recorder = recorder
        self._checkpoints = checkpoints
        self._queue = queue
        self._warm = warm

    async def restore(self) -> Restored:
        """What an earlier leader learned.

        Raises:
            KubeError: it cannot be read now.
        """
        return await self._checkpoints.restore()

    async def overlay(self, snapshot: Snapshot) -> Snapshot:
        return await self.scaler.overlay(snapshot)

    async def act(self, tick: Tick) -> tuple[tuple[Scaled, ...], Mapping[PolicyKey, Json]]:
        """Scales, then queues what is new to say. Returns what was scaled and every policy's status."""
        scaled = await self.scaler.scale(tick)
        self._warm.keep(tick)
        self._pools.report(tick)
        return scaled, self._reporter.report(tick, self.scaler, scaled)

    async def run(self) -> None:
        """Writes what is queued, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._queue.run(), name="status writes")
            group.create_task(self._recorder.run(), name="events")

    @property
    def waiting(self) -> int:
        return len(self._queue)
