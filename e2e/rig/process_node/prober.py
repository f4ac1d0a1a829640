"""Follows the probes of one running container: started, ready, alive."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from e2e.rig.process_node.events import Record
from e2e.rig.process_node.kubernetes_api import Manifest
from e2e.rig.process_node.listening import tree_listens
from e2e.rig.process_node.probes import Execute, Probe, Threshold, attempt, parse_probe


@dataclass(frozen=True, slots=True, kw_only=True)
class ProberSetup:
    """`changed` is told of each new state, `fail` ends the process (it returns afterwards)."""

    pid: int
    address: str
    execute: Execute
    changed: Callable[[], None]
    record: Record
    fail: Callable[[], Awaitable[None]]


class Prober:
    """Probes until cancelled. Readiness and liveness begin when the startup probe succeeded."""

    def __init__(self, container: Manifest, setup: ProberSetup) -> None:
        self._container = container
        self._setup = setup
        self._own_ports: set[int] = set()
        self.started = self.ready = False

    async def run(self) -> None:
        startup = parse_probe(self._container, "startupProbe")
        if startup is not None and not await self._starts(startup):
            return
        readiness = parse_probe(self._container, "readinessProbe")
        liveness = parse_probe(self._container, "livenessProbe")
        self.started, self.ready = True, readiness is None
        self._setup.changed()
        async with asyncio.TaskGroup() as probes:
            if readiness is not None:
                probes.create_task(self._follow_readiness(readiness))
            if liveness is not None:
                probes.create_task(self._follow_liveness(liveness))

    async def _starts(self, probe: Probe) -> bool:
        async for verdict, failure in self._verdicts(probe):
            if verdict is False:
                await self._fail("Startup", failure)
            if verdict is not None:
                return verdict
        return False

    async def _follow_readiness(self, probe: Probe) -> None:
        async for verdict, failure in self._verdicts(probe):
            ready = bool(verdict)
            if self.ready and not ready:
                self._setup.record("Warning", "Unhealthy", f"Readiness probe failed: {failure}")
            if self.ready != ready:
                self.ready = ready
                self._setup.changed()

    async def _follow_liveness(self, probe: Probe) -> None:
        async for verdict, failure in self._verdicts(probe):
            if verdict is False:
                await self._fail("Liveness", failure)
                return

    async def _verdicts(self, probe: Probe) -> AsyncIterator[tuple[bool | None, str | None]]:
        await asyncio.sleep(probe.initial_delay_seconds)
        threshold = Threshold(probe)
        while True:
            failure = await self._attempt(probe)
            yield threshold.record(success=failure is None), failure
            await asyncio.sleep(probe.period_seconds)

    async def _attempt(self, probe: Probe) -> str | None:
        """Probe once; only what this container itself listens on counts."""
        address, port = self._setup.address, probe.own_port
        if port is not None and port not in self._own_ports:
            pid = self._setup.pid
            if not await asyncio.to_thread(tree_listens, pid, address=address, port=port):
                return f"dial tcp {address}:{port}: connection refused"
            self._own_ports.add(port)
        return await attempt(probe, address=address, execute=self._setup.execute)

    async def _fail(self, probe: str, failure: str | None) -> None:
        self._setup.record("Warning", "Unhealthy", f"{probe} probe failed: {failure}")
        await self._setup.fail()
