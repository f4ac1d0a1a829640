"""Keeps the placeholders, or the CapacityBuffer, of each pool as decided, in our own namespace."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from inference_cost.act.errors import ConflictError, KubeError
from inference_cost.act.kube_api import KubeApi
from inference_cost.act.placeholders import PlaceholderSettings, pod_template, template_digest
from inference_cost.act.tick import Tick
from inference_cost.act.warm_writes import BufferWrites, PlaceholderWrites, WarmWrites
from inference_cost.act.write_queue import Write, WriteQueue
from inference_cost.model.warm import WarmBy, WarmPlan, WarmPool

log = logging.getLogger(__name__)

RETRY_SECONDS = 30.0
SEEN_WITHIN_SECONDS = 10.0  # our own write, in the cluster cache
OFF = "Nothing is written: the chart value warm.enabled is off."
BUFFERS_OFF = "Nothing is written: the chart value warm.capacityBuffers is off. Set it, or `strategy: Placeholder`."


@dataclass(frozen=True, slots=True)
class _Order:
    """What should be stored for a pool; no replicas and no template: nothing."""

    by: WarmBy
    replicas: int
    template: str


def _gone(by: WarmBy) -> _Order:
    return _Order(by, 0, "")


class WarmKeeper:
    """Queues what differs from the plan. `settings`: None where no placeholder may be written."""

    def __init__(
        self,
        api: KubeApi,
        queue: WriteQueue,
        *,
        settings: PlaceholderSettings | None,
        monotonic: Callable[[], float],
    ) -> None:
        self._queue = queue
        self._settings = settings
        self._writes: dict[WarmBy, WarmWrites] = {}
        if settings is not None:
            self._writes = {
                WarmBy.PLACEHOLDER: PlaceholderWrites(api, settings),
                WarmBy.CAPACITY_BUFFER: BufferWrites(api, settings),
            }
        self._monotonic = monotonic
        self._written: dict[tuple[str, WarmBy], tuple[_Order, float]] = {}
        self._retry_at: dict[str, float] = {}
        self._problems: dict[str, str] = {}
        self._barred: dict[
            str, str
        ] = {}  # by pool: what must be mended before anything can be written

    def unwritten(self, pool: str) -> str:
        """Why the placeholders of a pool are not as decided; "" where they are, or will be."""
        if self._settings is None:
            return OFF
        return self._barred.get(pool) or self._problems.get(pool, "")

    def keep(self, tick: Tick) -> None:
        """Never raises: what goes wrong with placeholders keeps no policy from being told of."""
        if self._settings is None:
            return
        self._barred = {}
        for name, plan in tick.warm.items():
            try:
                self._keep(tick.snapshot.warm[name], plan, self._settings)
            except Exception:
                log.exception("warm_failed", extra={"pool": name})
        for name in self._retry_at.keys() - tick.warm.keys():
            self._retry_at.pop(name)
            self._problems.pop(name, None)

    def _keep(self, pool: WarmPool, plan: WarmPlan, settings: PlaceholderSettings) -> None:
        for by in WarmBy:
            self._queue.drop(("warm", pool.name, by))  # an older plan's
        barred = _barred(pool, settings)
        if barred:
            self._barred[pool.name] = barred
        if barred or pool.paused or self._monotonic() < self._retry_at.get(pool.name, 0.0):
            return
        former = pool.former
        if former is not None:  # of another strategy: it would hold as many nodes again
            writes = self._writes[former.by]
            self._put(pool.name, _gone(former.by), lambda: writes.delete(former))
        order, write = self._wanted(pool, plan, settings)
        if write is not None:
            self._put(pool.name, order, write)

    def _wanted(
        self, pool: WarmPool, plan: WarmPlan, settings: PlaceholderSettings
    ) -> tuple[_Order, Write | None]:
        """And the write that brings it about; None where there is nothing to write."""
        asked, by = pool.asked, _by(pool)
        writes = self._writes[by]
        if plan.wanted <= 0:
            return _gone(by), None if asked is None else lambda: writes.delete(asked)
        if asked is not None and asked.template and plan.template_stays:
            order = _Order(by, plan.wanted, asked.template)
            same = plan.wanted == asked.replicas
            return order, None if same else lambda: writes.change(asked, plan.wanted, None)
        if plan.shape is None:
            return _gone(by), None
        template = pod_template(pool, plan, plan.shape, settings)
        order = _Order(by, plan.wanted, template_digest(template))
        if asked is None:
            return order, lambda: writes.create(pool, plan.wanted, template)
        if order == _Order(by, asked.replicas, asked.template):
            return order, None
        return order, lambda: writes.change(asked, plan.wanted, template)

    def _is_written(self, pool: str, order: _Order) -> bool:
        """By ourselves, just now: the cache shows it soon."""
        known = self._written.get((pool, order.by))
        if known is None or known[0] != order:
            return False
        return self._monotonic() - known[1] < SEEN_WITHIN_SECONDS

    def _put(self, pool: str, order: _Order, write: Write) -> None:
        if self._is_written(pool, order):
            return
        key = ("warm", pool, order.by)
        self._queue.put(key, lambda: self._write(pool, order, write), urgent=True)

    async def _write(self, pool: str, order: _Order, write: Write) -> None:
        try:
            await write()
        except ConflictError:
            return  # made or changed meanwhile: the next look sees what is there
        except KubeError as error:
            self._retry_at[pool] = self._monotonic() + RETRY_SECONDS
            self._problems[pool] = f"{_NAMES[order.by]} could not be written: {error.message}."
            log.warning("warm_write_failed", extra={"pool": pool, "error": str(error)})
            return
        self._problems.pop(pool, None)
        self._written[pool, order.by] = (order, self._monotonic())
        log.info("warm_written", extra={"pool": pool, "replicas": order.replicas})


_NAMES = {WarmBy.PLACEHOLDER: "Placeholders", WarmBy.CAPACITY_BUFFER: "The CapacityBuffer"}


def _by(pool: WarmPool) -> WarmBy:
    """What keeps its nodes; where it asks for none, what is there to be deleted."""
    if pool.spec is not None:
        return pool.spec.by
    return WarmBy.PLACEHOLDER if pool.asked is None else pool.asked.by


def _barred(pool: WarmPool, settings: PlaceholderSettings) -> str:
    if _by(pool) is not WarmBy.CAPACITY_BUFFER:
        return ""
    return pool.unserved if settings.buffer_priority_class else BUFFERS_OFF
