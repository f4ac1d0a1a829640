"""Leader election by a Lease: one process writes, others stay warm.

The process leads only while its last *successful* renewal began less than `renew_deadline_seconds` ago on its own
monotonic clock. That is shorter than the lease, so that it stops before another may start, however long it was
frozen in between. `remaining()` is asked before every write.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass

from inference_cost.act.errors import ConflictError, KubeError, NotFoundError, PermissionDeniedError
from inference_cost.act.kube_api import Json, KubeApi
from inference_cost.act.resources import LEASES
from inference_cost.control.clock import Clock
from inference_cost.control.lease import (
    LeaseRecord,
    LeaseView,
    micro_time,
    released_spec,
    renewed_spec,
    view_of,
)

log = logging.getLogger(__name__)


class LeadershipLostError(Exception):
    """Another leads, or the Lease could not be renewed in time. The process ends and starts anew as a standby."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseTimes:
    """Seconds. `retry` is varied by a fifth, so that standbys do not ask in step."""

    duration: float = 15.0
    renew_deadline: float = 10.0
    retry: float = 2.0


class Elector:
    """Takes and keeps one Lease. `api` must not be fenced: the Lease is what the fence is made of."""

    def __init__(
        self,
        api: KubeApi,
        *,
        namespace: str,
        name: str,
        identity: str,
        times: LeaseTimes,
        clock: Clock,
        on_change: Callable[[bool], None] = lambda _leading: None,
    ) -> None:
        self._api = api
        self._namespace = namespace
        self._name = name
        self.identity = identity
        self._times = times
        self._clock = clock
        self._on_change = on_change
        self._view: LeaseView | None = None
        self._renewed_at: float | None = None
        self._acquired = ""
        self._elected = asyncio.Event()
        self.heartbeat = clock.monotonic()

    @property
    def leading(self) -> bool:
        return self.remaining() > 0

    @property
    def epoch(self) -> int:
        """How often the Lease changed hands; names this term in logs."""
        return self._view.record.transitions if self._view else 0

    def remaining(self) -> float:
        """Seconds for which this process may still write; zero while it does not lead."""
        if self._renewed_at is None:
            return 0.0
        deadline = self._renewed_at + self._times.renew_deadline
        return max(0.0, deadline - self._clock.monotonic())

    async def elected(self) -> None:
        """Returns once this process leads."""
        await self._elected.wait()

    async def run(self) -> None:
        """Until cancelled.

        Raises:
            LeadershipLostError: it led, and does no longer.
        """
        while True:
            await self.attempt()
            self.heartbeat = self._clock.monotonic()
            await self._clock.sleep(self._times.retry * random.uniform(0.8, 1.2))  # noqa: S311  # jitter

    async def attempt(self) -> None:
        """One try to take or renew the Lease.

        Raises:
            LeadershipLostError: it led, and does no longer.
        """
        led = self._renewed_at is not None
        try:
            async with asyncio.timeout(self._times.renew_deadline / 2):
                await (self._renew() if led else self._take())
        except PermissionDeniedError as error:
            log.error("lease_denied", extra={"verb": error.verb, "resource": error.resource})  # noqa: TRY400  # expected: named
        except (KubeError, TimeoutError) as error:
            log.warning("lease_attempt_failed", extra={"error": str(error)})
        if led and not self.leading:
            raise self._lost("the Lease could not be renewed in time")

    async def release(self) -> None:
        """Lets another lead at once. Call it after the last write has finished; a failure is only logged."""
        if self._renewed_at is None or self._view is None:
            return
        self._renewed_at = None
        try:
            await self._put(released_spec(self._view.record, at=self._clock.time()))
            log.info("lease_released", extra={"lease": self._name, "epoch": self.epoch})
        except KubeError as error:
            log.warning("lease_release_failed", extra={"error": str(error)})
        self._on_change(False)

    async def _renew(self) -> None:
        if self._view is None:
            raise self._lost("no Lease was read")
        try:
            await self._hold(transitions=self._view.record.transitions)
        except (ConflictError, NotFoundError):
            await self._renew_from_what_is_there()

    async def _renew_from_what_is_there(self) -> None:
        """Someone wrote or deleted the Lease since our last renewal."""
        record = await self._look()
        if record is None:
            await self._create()
        elif record.holder == self.identity:
            await self._hold(transitions=record.transitions)
        else:
            raise self._lost(f"{record.holder or 'nobody'} holds the Lease")

    async def _take(self) -> None:
        record = await self._look()
        if record is None:
            await self._create()
        elif record.holder == self.identity or self._free():
            self._acquired = micro_time(self._clock.time())
            with contextlib.suppress(ConflictError):  # another was faster
                await self._hold(transitions=record.transitions + 1)

    def _free(self) -> bool:
        now = self._clock.monotonic()
        return self._view is not None and self._view.free(
            now, duration_seconds=self._times.duration
        )

    async def _look(self) -> LeaseRecord | None:
        """Reads the Lease; None when there is none."""
        try:
            lease = await self._api.get(LEASES, self._namespace, self._name)
        except NotFoundError:
            return None
        record = LeaseRecord.of(lease)
        self._view = view_of(self._view, record, self._clock.monotonic())
        return record

    async def _create(self) -> None:
        self._acquired = micro_time(self._clock.time())
        started = self._clock.monotonic()
        body = self._body(self._spec(transitions=0))
        with contextlib.suppress(ConflictError):  # another was faster
            lease = await self._api.create(LEASES, self._namespace, body)
            self._won(LeaseRecord.of(lease), started)

    async def _hold(self, *, transitions: int) -> None:
        # The term counts from before the request: the answer may have been long on its way.
        started = self._clock.monotonic()
        self._won(await self._put(self._spec(transitions=transitions)), started)

    async def _put(self, spec: Json) -> LeaseRecord:
        body = self._body(spec)
        if self._view is not None:
            body["metadata"]["resourceVersion"] = self._view.record.resource_version
        return LeaseRecord.of(await self._api.replace(LEASES, self._namespace, self._name, body))

    def _won(self, record: LeaseRecord, started: float) -> None:
        self._view = view_of(self._view, record, started)
        first = self._renewed_at is None
        self._renewed_at = started
        if first:
            log.info("leading", extra={"identity": self.identity, "epoch": record.transitions})
            self._on_change(True)
            self._elected.set()

    def _lost(self, why: str) -> LeadershipLostError:
        self._renewed_at = None
        self._on_change(False)
        return LeadershipLostError(why)

    def _spec(self, *, transitions: int) -> Json:
        return renewed_spec(
            identity=self.identity,
            duration_seconds=self._times.duration,
            at=self._clock.time(),
            acquired=self._acquired,
            transitions=transitions,
        )

    def _body(self, spec: Json) -> Json:
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": spec,
        }
