"""Builds the operator's parts from the settings and connects them."""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

from kubernetes.aio.client import ApiClient

from inference_cost.account.costs import account
from inference_cost.account.hand_over import RecordedCosts
from inference_cost.act.actuator import Actuator
from inference_cost.act.checkpoints import Checkpoints
from inference_cost.act.events import EventRecorder
from inference_cost.act.kube_api import KubeApi
from inference_cost.act.placeholders import PlaceholderSettings
from inference_cost.act.pool_reporter import PoolReporter, StoredPool
from inference_cost.act.reporter import Reporter
from inference_cost.act.resources import POLICY_STATUS, POOL_STATUS, Resource
from inference_cost.act.scaler import Scaler
from inference_cost.act.status_changes import RefreshTimes
from inference_cost.act.status_writer import StatusWriter
from inference_cost.act.warm import WarmKeeper
from inference_cost.act.write_queue import WriteQueue
from inference_cost.control.backfill import DAY_SECONDS, PrometheusBackfill
from inference_cost.control.clock import Clock, SystemClock
from inference_cost.control.counted_reads import (
    CountedMetricsReader,
    CountedRangeReader,
    CountedTritonReader,
)
from inference_cost.control.elector import Elector, LeaseTimes
from inference_cost.control.isolation import IsolatedDecisions
from inference_cost.control.kube_client import namespace_of_pod
from inference_cost.control.loop import ControlLoop, LoopTimes
from inference_cost.control.metrics import Metrics
from inference_cost.control.settings import Settings, config_file
from inference_cost.control.still_wanted import StillWanted
from inference_cost.control.switch import EnforceSwitch, SwitchedObserver
from inference_cost.decide.engine import decide
from inference_cost.model.policy import PolicyKey
from inference_cost.model.reading import Missing
from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.kinds import watched_kinds
from inference_cost.observe.kubernetes_reader import AsyncKubernetesReader
from inference_cost.observe.model_catalog import ModelCatalog
from inference_cost.observe.observer import Observer, ObserveSettings
from inference_cost.observe.prometheus_client import PrometheusReader
from inference_cost.observe.recorded_costs import read_recorded
from inference_cost.observe.resync import CacheResync
from inference_cost.observe.triton_client import HttpTritonReader

OBSERVER_MARGIN_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The running parts of one operator process. `api` is fenced by the Lease, `elector` is not.

    The back-fill has a reader of its own, `past`: where the store asks it to wait, no tick does.
    """

    api: KubeApi
    elector: Elector
    cache: ClusterCache
    resync: CacheResync
    observer: Observer
    prometheus: PrometheusReader | None
    past: PrometheusReader | None
    models: ModelCatalog
    actuator: Actuator
    loop: ControlLoop
    backfill: PrometheusBackfill | None
    recorded: Callable[[], Awaitable[RecordedCosts | Missing]] | None
    compiled: asyncio.Event = field(default_factory=asyncio.Event)  # decisions need no compiler now


@dataclass(frozen=True, slots=True, kw_only=True)
class _Base:
    """What most parts are built from."""

    settings: Settings
    api: KubeApi
    cache: ClusterCache
    metrics: Metrics
    switch: EnforceSwitch
    identity: str
    version: str


def wire(settings: Settings, client: ApiClient, metrics: Metrics, *, version: str) -> Parts:
    clock = SystemClock()
    elector = _elector(settings, client, metrics, clock)
    api = KubeApi(
        client,
        fence=elector.remaining,
        on_write=metrics.count_write,
        on_failure=metrics.count_write_failure,
    )
    warm = settings.warm
    kinds = watched_kinds(
        settings.cluster.scale_targets, capacity_buffers=warm.enabled and warm.capacity_buffers
    )
    cache = ClusterCache(kinds)
    prometheus, past = _readers(settings)
    models = ModelCatalog(
        CountedTritonReader(HttpTritonReader(settings.triton), metrics), settings.triton
    )
    observer = _observer(settings, cache, prometheus, models, metrics)
    base = _Base(
        settings=settings,
        api=api,
        cache=cache,
        metrics=metrics,
        switch=EnforceSwitch(enabled=settings.enforce.enabled, file=config_file()),
        identity=elector.identity,
        version=version,
    )
    actuator = _actuator(base, observer)
    backfill = _backfill(settings, past, metrics, clock)
    loop = _loop(base, observer, actuator, backfill, clock)
    _watch_gauges(metrics, elector, cache, actuator, observer)
    metrics.watch(metrics.pass_age, lambda: loop.pass_age)
    metrics.watch(metrics.pass_interval, lambda: loop.interval)
    return Parts(
        api=api,
        elector=elector,
        cache=cache,
        resync=_resync(settings, client, cache),
        observer=observer,
        prometheus=prometheus,
        past=past,
        models=models,
        actuator=actuator,
        loop=loop,
        backfill=backfill,
        recorded=_recorded(settings, prometheus, metrics),
    )


def _recorded(
    settings: Settings, prometheus: PrometheusReader | None, metrics: Metrics
) -> Callable[[], Awaitable[RecordedCosts | Missing]] | None:
    if prometheus is None:
        return None
    reader = CountedMetricsReader(prometheus, metrics)
    return partial(read_recorded, reader, settings.prometheus, currency=settings.currency)


def _readers(settings: Settings) -> tuple[PrometheusReader | None, PrometheusReader | None]:
    """Of the present, and of the past."""
    if not settings.prometheus.url:
        return None, None
    past = PrometheusReader(settings.prometheus) if settings.backfill.days else None
    return PrometheusReader(settings.prometheus), past


def _elector(settings: Settings, client: ApiClient, metrics: Metrics, clock: Clock) -> Elector:
    lease = settings.lease
    return Elector(
        KubeApi(client, on_write=metrics.count_write, on_failure=metrics.count_write_failure),
        namespace=lease.namespace or namespace_of_pod("default"),
        name=lease.name,
        identity=f"{os.environ.get('POD_NAME') or socket.gethostname()}_{uuid4().hex[:8]}",
        times=LeaseTimes(
            duration=lease.duration_seconds,
            renew_deadline=lease.renew_deadline_seconds,
            retry=lease.retry_seconds,
        ),
        clock=clock,
    )


def _resync(settings: Settings, client: ApiClient, cache: ClusterCache) -> CacheResync:
    pauses = (settings.cluster.relist_min_seconds, settings.cluster.relist_max_seconds)
    return CacheResync(AsyncKubernetesReader(client), cache, interval_seconds=pauses)


def _observer(
    settings: Settings,
    cache: ClusterCache,
    prometheus: PrometheusReader | None,
    models: ModelCatalog,
    metrics: Metrics,
) -> Observer:
    return Observer(
        cache=cache,
        metrics=CountedMetricsReader(prometheus, metrics) if prometheus else None,
        models=models,
        settings=ObserveSettings(
            cluster=settings.cluster,
            prometheus=settings.prometheus,
            gateway=settings.gateway,
            prices=settings.prices,
            currency=settings.currency,
            namespace=_own_namespace(settings),
        ),
        decision=settings.decision_numbers(),
        enforce_enabled=settings.enforce.enabled,
    )


def _backfill(
    settings: Settings, past: PrometheusReader | None, metrics: Metrics, clock: Clock
) -> PrometheusBackfill | None:
    if past is None:
        return None
    return PrometheusBackfill(
        CountedRangeReader(past, metrics),
        settings.prometheus,
        seconds=settings.backfill.days * DAY_SECONDS,
        metrics=metrics,
        clock=clock,
    )


def _actuator(base: _Base, observer: Observer) -> Actuator:
    writes = base.settings.writes
    queue = WriteQueue(per_second=writes.status_per_second, burst=writes.status_burst)
    recorder = EventRecorder(
        base.api,
        instance=base.identity,
        per_minute=writes.events_per_minute,
        on_drop=base.metrics.events_dropped.inc,
    )
    checkpoints = Checkpoints(
        base.api,
        queue,
        version=base.version,
        interval_seconds=writes.checkpoint_seconds,
        monotonic=time.monotonic,
        wall_clock=time.time,
    )
    warm = _warm_keeper(base, queue)
    reporter = Reporter(
        statuses=_status_writer(base, queue),
        recorder=recorder,
        checkpoints=checkpoints,
        stored_status=partial(_stored_status, base.cache),
        currency=base.settings.currency,
    )
    return Actuator(
        scaler=_scaler(base),
        reporter=reporter,
        pools=PoolReporter(
            statuses=_status_writer(base, queue, POOL_STATUS),
            stored=partial(_stored_pools, base.cache),
            problems=lambda: observer.pool_problems,
            on_report=base.metrics.pools.show_statuses,
            unwritten=warm.unwritten,
        ),
        recorder=recorder,
        checkpoints=checkpoints,
        queue=queue,
        warm=warm,
    )


def _warm_keeper(base: _Base, queue: WriteQueue) -> WarmKeeper:
    warm = base.settings.warm
    placeholders = PlaceholderSettings(
        namespace=_own_namespace(base.settings),
        priority_class=warm.priority_class,
        image=warm.image,
        buffer_priority_class=warm.buffer_priority_class if warm.capacity_buffers else "",
    )
    return WarmKeeper(
        base.api,
        queue,
        settings=placeholders if warm.enabled else None,
        monotonic=time.monotonic,
    )


def _own_namespace(settings: Settings) -> str:
    """Where the chart's role lets placeholders be, wherever the Lease is."""
    return namespace_of_pod(settings.lease.namespace or "default")


def _stored_pools(cache: ClusterCache) -> list[StoredPool]:
    return [
        StoredPool(name=one.name, uid=one.uid, generation=one.generation, status=one.status)
        for one in cache.capacity_pools()
    ]


def _scaler(base: _Base) -> Scaler:
    return Scaler(
        base.api,
        per_second=base.settings.writes.scale_per_second,
        still_wanted=StillWanted(base.cache, base.switch),
        monotonic=time.monotonic,
    )


def _status_writer(
    base: _Base, queue: WriteQueue, resource: Resource = POLICY_STATUS
) -> StatusWriter:
    writes = base.settings.writes
    times = RefreshTimes(least=writes.status_refresh_seconds, most=writes.status_at_least_seconds)
    return StatusWriter(base.api, queue, times=times, monotonic=time.monotonic, resource=resource)


def _stored_status(cache: ClusterCache, key: PolicyKey) -> Mapping[str, Any]:
    record = cache.policy(key.namespace, key.name)
    return record.status if record is not None and record.uid == key.uid else {}


def _loop(
    base: _Base,
    observer: Observer,
    actuator: Actuator,
    backfill: PrometheusBackfill | None,
    clock: Clock,
) -> ControlLoop:
    settings = base.settings
    return ControlLoop(
        observer=SwitchedObserver(observer, base.switch),
        decide=IsolatedDecisions(decide),
        account=account,
        actuator=actuator,
        metrics=base.metrics,
        clock=clock,
        times=LoopTimes(
            tick=settings.loop.tick_seconds,
            debounce=settings.loop.debounce_seconds,
            # The observer has its own deadline and then says what is missing; ours is for when it cannot.
            observe_deadline=max(
                settings.loop.observe_deadline_seconds,
                settings.prometheus.deadline_seconds + OBSERVER_MARGIN_SECONDS,
            ),
        ),
        currency=settings.currency,
        teacher=backfill,
    )


def _watch_gauges(
    metrics: Metrics,
    elector: Elector,
    cache: ClusterCache,
    actuator: Actuator,
    observer: Observer,
) -> None:
    metrics.watch(metrics.enforce_enabled, lambda: float(observer.enforce_enabled))
    metrics.watch(metrics.leader, lambda: float(elector.leading))
    metrics.watch(metrics.cache_age, lambda: cache.age_seconds(time.time()))
    metrics.watch(metrics.pending_writes, lambda: float(actuator.waiting))
