"""Keeps the placeholders as decided: one Deployment per pool, in our own namespace."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from inference_cost.act.errors import ConflictError, KubeError, NotFoundError
from inference_cost.act.kube_api import KubeApi
from inference_cost.act.placeholders import (
    Json,
    PlaceholderSettings,
    change,
    deployment,
    pod_template,
    template_digest,
)
from inference_cost.act.resources import DEPLOYMENTS, PRIORITY_CLASSES
from inference_cost.act.tick import Tick
from inference_cost.act.write_queue import Write, WriteQueue
from inference_cost.model.warm import Asked, WarmPlan, WarmPool

log = logging.getLogger(__name__)

RETRY_SECONDS = 30.0
SEEN_WITHIN_SECONDS = 10.0  # our own write, in the cluster cache


@dataclass(frozen=True, slots=True)
class _Order:
    """What a pool's Deployment should be; no replicas and no template: there should be none."""

    replicas: int
    template: str


GONE = _Order(0, "")


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
        self._api = api
        self._queue = queue
        self._settings = settings
        self._monotonic = monotonic
        self._written: dict[str, tuple[_Order, float]] = {}
        self._retry_at: dict[str, float] = {}
        self._problems: dict[str, str] = {}

    def unwritten(self, pool: str) -> str:
        """Why the placeholders of a pool are not as decided; "" where they are, or will be."""
        if self._settings is None:
            return "Nothing is written: the chart value warm.enabled is off."
        return self._problems.get(pool, "")

    def keep(self, tick: Tick) -> None:
        """Never raises: what goes wrong with placeholders keeps no policy from being told of."""
        if self._settings is None:
            return
        for name, plan in tick.warm.items():
            try:
                self._keep(tick.snapshot.warm[name], plan, self._settings)
            except Exception:
                log.exception("warm_failed", extra={"pool": name})
        for name in self._retry_at.keys() - tick.warm.keys():
            self._retry_at.pop(name)
            self._problems.pop(name, None)

    def _keep(self, pool: WarmPool, plan: WarmPlan, settings: PlaceholderSettings) -> None:
        key = ("warm", pool.name)
        self._queue.drop(key)  # an older plan's
        if pool.paused or self._monotonic() < self._retry_at.get(pool.name, 0.0):
            return
        if plan.wanted <= 0:
            if pool.asked is not None and not self._is_written(pool.name, GONE):
                self._put(pool.name, GONE, self._delete(pool.asked, settings))
            return
        if plan.shape is None:
            return
        template = pod_template(pool, plan.shape, plan.images, settings)
        order = _Order(plan.wanted, template_digest(template))
        there = None if pool.asked is None else _Order(pool.asked.replicas, pool.asked.template)
        if order == there or self._is_written(pool.name, order):
            return
        write = (
            self._create(pool, plan.wanted, template, settings)
            if pool.asked is None
            else self._change(pool.asked, plan.wanted, template, settings)
        )
        self._put(pool.name, order, write)

    def _is_written(self, pool: str, order: _Order) -> bool:
        """By ourselves, just now: the cache shows it soon."""
        known = self._written.get(pool)
        if known is None or known[0] != order:
            return False
        return self._monotonic() - known[1] < SEEN_WITHIN_SECONDS

    def _put(self, pool: str, order: _Order, write: Write) -> None:
        self._queue.put(("warm", pool), lambda: self._write(pool, order, write), urgent=True)

    async def _write(self, pool: str, order: _Order, write: Write) -> None:
        try:
            await write()
        except ConflictError:
            return  # made or changed meanwhile: the next look sees what is there
        except KubeError as error:
            self._retry_at[pool] = self._monotonic() + RETRY_SECONDS
            self._problems[pool] = f"Placeholders could not be written: {error.message}."
            log.warning("warm_write_failed", extra={"pool": pool, "error": str(error)})
            return
        self._problems.pop(pool, None)
        self._written[pool] = (order, self._monotonic())
        log.info("warm_written", extra={"pool": pool, "replicas": order.replicas})

    def _create(
        self, pool: WarmPool, replicas: int, template: Json, settings: PlaceholderSettings
    ) -> Write:
        async def write() -> None:
            owner = await self._api.get(PRIORITY_CLASSES, "", settings.priority_class)
            uid = str(owner["metadata"]["uid"])
            body = deployment(pool, replicas, template, settings, uid)
            await self._api.create(DEPLOYMENTS, settings.namespace, body)

        return write

    def _change(
        self, asked: Asked, replicas: int, template: Json, settings: PlaceholderSettings
    ) -> Write:
        async def write() -> None:
            operations = change(asked.uid, replicas, template)
            await self._api.json_patch(DEPLOYMENTS, settings.namespace, asked.name, operations)

        return write

    def _delete(self, asked: Asked, settings: PlaceholderSettings) -> Write:
        async def write() -> None:
            try:
                await self._api.delete(DEPLOYMENTS, settings.namespace, asked.name, uid=asked.uid)
            except NotFoundError:
                return

        return write
