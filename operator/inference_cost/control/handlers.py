"""Kopf as an informer: every watch event goes into the cluster cache, nothing is ever written to an object.

Only `on.event` (beside start, stop and login): timers, daemons, indices and change handlers would cost an annotation,
a finalizer or a task per object.
"""

import random
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import kopf

from inference_cost.api.group import GROUP
from inference_cost.control.kube_client import Credentials, connection_for_kopf
from inference_cost.control.wake_rules import worth_waking
from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.kinds import CAPACITY_POOL, NODE_CLAIM, POLICY, WatchedKind
from inference_cost.observe.records import Record, ScaleTargetRecord

CHUNK = 500


class JitteredBackoffs:
    """Endless pauses, doubling from `first` to `cap` seconds with full jitter.

    Kopf ends the process when a finite list is used up: an API server that is away for a minute must not end us.
    """

    def __init__(self, *, first: float, cap: float) -> None:
        self._first = first
        self._cap = cap

    def __iter__(self) -> Iterator[float]:
        pause = self._first
        while True:
            yield random.uniform(0.5, 1.0) * pause  # noqa: S311  # jitter
            pause = min(self._cap, 2 * pause)


def tune(settings: kopf.OperatorSettings) -> None:
    """Kopf's settings for an informer that must outlive any outage of the API server."""
    settings.scanning.disabled = True  # our kinds are known
    settings.peering.standalone = True  # the Lease decides who leads
    settings.posting.enabled = False  # Events come from our own recorder
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    settings.networking.error_backoffs = JitteredBackoffs(first=0.2, cap=30.0)
    settings.watching.chunk_size = CHUNK
    settings.watching.connect_timeout = 10
    settings.watching.server_timeout = 300
    settings.watching.reconnect_backoff = 1.0
    settings.queueing.worker_limit = None
    settings.persistence.finalizer = f"{GROUP}/unused"  # never set: no handler asks for one
    settings.process.ultimate_exiting_timeout = 25


def build_registry(
    *,
    cache: ClusterCache,
    credentials: Credentials,
    wake: Callable[[], None],
    on_target: Callable[[str, int], None],
    stop: Callable[[], Awaitable[None]],
) -> kopf.OperatorRegistry:
    """Handlers for every kind that the cache watches.

    Args:
        cache: filled by the handlers.
        credentials: for the watches.
        wake: called when a change is worth a tick ahead of time.
        on_target: told uid and replicas of a scale target at each event.
        stop: ends our own tasks. Kopf waits for, and then cancels, every task that it did not start.
    """
    registry = kopf.OperatorRegistry()

    @kopf.on.startup(registry=registry)
    async def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
        tune(settings)

    @kopf.on.login(registry=registry, errors=kopf.ErrorsMode.TEMPORARY, backoff=5.0)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return await connection_for_kopf(credentials)

    @kopf.on.cleanup(registry=registry)
    async def clean_up(**_: Any) -> None:
        await stop()

    for kind in cache.kinds:
        _watch(registry, kind, cache, wake, on_target)
    return registry


def _watch(
    registry: kopf.OperatorRegistry,
    kind: WatchedKind,
    cache: ClusterCache,
    wake: Callable[[], None],
    on_target: Callable[[str, int], None],
) -> None:
    @kopf.on.event(kind.group, kind.version, kind.plural, registry=registry, id=kind.plural)
    async def on_event(event: kopf.RawEvent, **_: Any) -> None:
        if apply_event(cache, kind, event["type"], event["object"], on_target=on_target):
            wake()


def apply_event(
    cache: ClusterCache,
    kind: WatchedKind,
    event_type: str | None,
    obj: Any,
    *,
    on_target: Callable[[str, int], None],
) -> bool:
    """Puts one watch event into the cache. True when it is worth a tick ahead of time."""
    before = _record(cache, kind, obj)
    if not cache.apply(kind.kind, event_type, obj):
        return False
    after = _record(cache, kind, obj)
    if isinstance(after, ScaleTargetRecord):
        on_target(after.uid, after.desired_replicas)
    return worth_waking(kind.kind, event_type, before=before, after=after)


def _record(cache: ClusterCache, kind: WatchedKind, obj: Any) -> Record | None:
    metadata = obj.get("metadata", {})
    namespace, name = str(metadata.get("namespace", "")), str(metadata.get("name", ""))
    if kind is POLICY:
        return cache.policy(namespace, name)
    if kind is CAPACITY_POOL:
        return cache.capacity_pool(name)
    if kind is NODE_CLAIM:
        return cache.node_claim(name)
    return cache.scale_target(kind.kind, namespace, name) if kind.scale_target else None
