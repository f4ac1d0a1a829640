"""Runs the operator's parts together: when one ends, all end.

Kopf owns SIGTERM and SIGINT. Its clean-up handler stops our tasks first, since kopf waits for every task that was
started after it; the Lease is released last, after the last write.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

import kopf

from inference_cost.account.hand_over import (
    NOTHING_RECORDED,
    RecordedCosts,
    handed_over,
    pools_handed_over,
)
from inference_cost.act.errors import KubeError
from inference_cost.act.kube_api import REQUEST_TIMEOUT_SECONDS
from inference_cost.control.clock import Clock, SystemClock
from inference_cost.control.elector import LeadershipLostError
from inference_cost.control.handlers import build_registry
from inference_cost.control.http import HttpServer
from inference_cost.control.kube_client import Credentials, build_client
from inference_cost.control.lag import LagMeter
from inference_cost.control.metrics import Metrics
from inference_cost.control.probes import live_checks, ready_checks
from inference_cost.control.settings import Settings
from inference_cost.control.wiring import Parts, wire
from inference_cost.decide.compile_ahead import compile_ahead
from inference_cost.decide.limits.fleet_guard import removed_before
from inference_cost.model.memory import Memory
from inference_cost.model.reading import Missing, MissingReason

log = logging.getLogger(__name__)

DRAIN_SECONDS = (
    REQUEST_TIMEOUT_SECONDS + 1.0
)  # a write under way ends by then, one way or the other
RELEASE_SECONDS = 5.0
SYNC_POLL_SECONDS = 0.1
RESTORE_RETRY_SECONDS = 2.0
WARM_UP_SECONDS = 5.0
RECORDED_SECONDS = 3.0  # for what the last leader exported
TOO_SLOW = Missing(
    reason=MissingReason.SOURCE_UNREACHABLE, detail=f"no answer within {RECORDED_SECONDS:g} s"
)


class ShutdownError(Exception):
    """Kopf returned: a signal asked for the end."""


async def operate(settings: Settings, credentials: Credentials, *, version: str) -> int:
    """Runs until a signal or a failure. Returns the exit code of the process."""
    metrics = Metrics(version=version)
    client = await build_client(credentials)
    try:
        parts = wire(settings, client, metrics, version=version)
        http = _http_server(settings, parts, metrics)
        return await Supervisor(parts, http, metrics, credentials, version=version).run()
    finally:
        await client.close()


def _http_server(settings: Settings, parts: Parts, metrics: Metrics) -> HttpServer:
    return HttpServer(
        host=settings.http.host,
        port=settings.http.port,
        live=live_checks(
            parts.loop,
            parts.elector,
            clock=SystemClock(),
            elector_patience_seconds=settings.lease.renew_deadline_seconds,
        ),
        ready=ready_checks(parts.cache, parts.compiled),
        exposition=metrics.exposition,
    )


class Supervisor:
    def __init__(
        self,
        parts: Parts,
        http: HttpServer,
        metrics: Metrics,
        credentials: Credentials,
        *,
        version: str,
    ) -> None:
        self._parts = parts
        self._http = http
        self._credentials = credentials
        self._version = version
        self._clock: Clock = SystemClock()
        self._lag = LagMeter(self._clock)
        self._tasks: list[asyncio.Task[None]] = []
        metrics.watch(metrics.loop_lag, lambda: self._lag.worst)

    async def run(self) -> int:
        try:
            await self._http.start()
        except OSError as error:
            log.critical("cannot_listen", extra={"setting": "http.port", "error": str(error)})
            return 1
        log.info("listening", extra={"port": self._http.port})
        try:
            return await self._run_together()
        finally:
            await self._stop()
            await self._release()

    async def _run_together(self) -> int:
        code = 1
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._parts.elector.run(), name="elector")
                self._tasks = [
                    group.create_task(self._parts.resync.run(), name="resync"),
                    group.create_task(self._lead(), name="leader"),
                    group.create_task(self._lag.run(), name="lag"),
                ]
                group.create_task(self._watch(), name="kopf")
        except* ShutdownError:
            log.info("stopped")
            code = 0
        except* LeadershipLostError as lost:
            log.critical("leadership_lost", extra={"why": str(lost.exceptions[0])})
        except* Exception as errors:
            log.critical("crashed", exc_info=errors)
            code = 1
        return code

    async def _watch(self) -> None:
        registry = build_registry(
            cache=self._parts.cache,
            credentials=self._credentials,
            wake=self._parts.loop.wake,
            on_target=self._see_target,
            stop=self._stop,
        )
        await kopf.operator(
            registry=registry, clusterwide=True, standalone=True, liveness_endpoint=None
        )
        raise ShutdownError

    def _see_target(self, uid: str, replicas: int) -> None:
        expectations = self._parts.actuator.scaler.expectations
        expectations.see(uid, replicas, at=self._clock.monotonic())

    async def _lead(self) -> None:
        """Waits for leadership and a complete cache, restores what was learned, then runs the loop."""
        await asyncio.to_thread(compile_ahead)
        self._parts.compiled.set()
        await self._parts.elector.elected()
        while not self._parts.cache.synced:
            await self._clock.sleep(SYNC_POLL_SECONDS)
        await self._restore()
        await self._warm_up()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._parts.actuator.run(), name="writers")
            group.create_task(self._parts.loop.run(), name="loop")
            if self._parts.backfill is not None:
                group.create_task(self._parts.backfill.run(), name="backfill")

    async def _restore(self) -> None:
        """What the last leader learned. Without it things would be decided, and paid for, twice: so it waits."""
        while True:
            try:
                restored = await self._parts.actuator.restore()
                break
            except KubeError as error:
                log.warning("restore_failed", extra={"error": str(error)})
                await self._clock.sleep(RESTORE_RETRY_SECONDS)
        learned = restored.learned
        policies = {key: one.memory for key, one in learned.items()}
        accounts = {key: one.account for key, one in learned.items() if one.account is not None}
        recorded = await self._recorded()
        self._parts.loop.restore(
            Memory(policies=policies, fleet=removed_before(policies.values())),
            handed_over(accounts, recorded),
            pools_handed_over(accounts.keys(), recorded),
        )
        log.info("restored", extra={"policies": len(learned), "written_by": restored.last_writer})
        if restored.last_writer not in ("", self._version):
            self._parts.observer.upgraded_at = self._clock.time()

    async def _recorded(self) -> RecordedCosts:
        """What the last leader counted after its checkpoints. Without it the accounts go on from these."""
        if self._parts.recorded is None:
            return NOTHING_RECORDED
        found: RecordedCosts | Missing
        try:
            async with asyncio.timeout(RECORDED_SECONDS):
                found = await self._parts.recorded()
        except TimeoutError:
            found = TOO_SLOW
        if isinstance(found, Missing):
            log.info("recorded_costs_unread", extra={"why": found.detail})
            return NOTHING_RECORDED
        log.info("recorded_costs", extra={"processes": len(found.tellers)})
        return found

    async def _warm_up(self) -> None:
        """A look that decides nothing: it has the models' configurations read before the first decision.

        Without them a batch counts as no larger than was seen, and a change of leaders would add replicas.
        """
        try:
            async with asyncio.timeout(WARM_UP_SECONDS):
                await self._parts.observer.observe(self._clock.time())
                await self._parts.models.settle()
        except TimeoutError:
            log.info("warm_up_timed_out")
        except Exception:
            log.exception("warm_up_failed")

    async def _release(self) -> None:
        """Lets another lead, unless a write of ours could still land after its first ones."""
        if self._parts.api.idle:
            await _within(RELEASE_SECONDS, self._parts.elector.release())
        else:
            log.warning("lease_kept", extra={"why": "a write is under way; the Lease expires"})

    async def _stop(self) -> None:
        """Ends our tasks, lets writes under way finish, closes what is open. May be called twice."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._parts.api.drain(timeout_seconds=DRAIN_SECONDS)
        await self._parts.models.close()
        for reader in (self._parts.prometheus, self._parts.past):
            if reader is not None:
                reader.close()
        await self._http.stop()


async def _within(seconds: float, work: Coroutine[Any, Any, None]) -> None:
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        log.warning("release_timed_out")
