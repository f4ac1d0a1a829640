"""One look at the world: cluster cache, metrics and models put together into the `Snapshot` of a tick."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from inference_cost.model.observation import (
    DecisionSettings,
    PolicyObservation,
    PolicyRefusal,
    Snapshot,
)
from inference_cost.model.policy import Policy, TargetRef
from inference_cost.model.profile_key import UNKNOWN
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import Signals
from inference_cost.model.workload import Node, NoWorkload, UsedByOthers, Workload
from inference_cost.observe.capacity_pools import DeclaredPool, PriceBook
from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.conflicts import Claims, claims, find_conflict
from inference_cost.observe.declared_pools import NOBODY, declared_pools
from inference_cost.observe.fault_log import FaultLog
from inference_cost.observe.gateway import ClusterNames, GatewayTick, gateway_signals, read_gateway
from inference_cost.observe.model_catalog import DISABLED, Configurations, ModelCatalog
from inference_cost.observe.node_claims import interrupted
from inference_cost.observe.nodes import (
    GPU_PRODUCT_LABELS,
    first_label,
    instance_types,
    observe_nodes,
)
from inference_cost.observe.policies import PolicyParser, field_of
from inference_cost.observe.pool_use import limited, pinned, used_by_others
from inference_cost.observe.price_feed import PriceFeed
from inference_cost.observe.prices import PriceTable, shipped_table
from inference_cost.observe.prometheus_client import MetricsReader
from inference_cost.observe.queries import ask_all, build_queries
from inference_cost.observe.records import PodRecord
from inference_cost.observe.settings import (
    ClusterSettings,
    GatewaySettings,
    PriceSettings,
    PrometheusSettings,
)
from inference_cost.observe.strangers import strangers
from inference_cost.observe.tick_series import TickSeries, sort_series
from inference_cost.observe.triton_signals import Subject, build_signals
from inference_cost.observe.variants import Selectors, refused_variant
from inference_cost.observe.warm import Declared, is_placeholder, warm_pools
from inference_cost.observe.workloads import find_workload, pod_records

_LOG = logging.getLogger(__name__)
_NOT_CONFIGURED = Missing(
    reason=MissingReason.NOT_CONFIGURED,
    detail="prometheus.url is empty; set it to the address of a Prometheus that scrapes the pods",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserveSettings:
    """What the observer needs of the settings."""

    cluster: ClusterSettings = field(default_factory=ClusterSettings)
    prometheus: PrometheusSettings = field(default_factory=PrometheusSettings)
    gateway: GatewaySettings = field(default_factory=GatewaySettings)
    prices: PriceSettings = field(default_factory=PriceSettings)
    currency: str = "USD"
    namespace: str = "default"  # our own, in which the placeholders are


@dataclass(frozen=True, slots=True, kw_only=True)
class _Metrics:
    """One tick's metrics for all policies, or why there are none."""

    series: TickSeries
    gateway: GatewayTick


class Observer:
    """Reads; decides nothing. `metrics` and `models` may be absent: what they would tell is then missing."""

    def __init__(
        self,
        *,
        cache: ClusterCache,
        metrics: MetricsReader | None,
        models: ModelCatalog | None,
        settings: ObserveSettings,
        decision: DecisionSettings,
        enforce_enabled: bool = True,
        upgraded_at: float | None = None,
        table: PriceTable | None = None,
    ) -> None:
        self._cache = cache
        self._metrics = metrics
        self._models = models
        self._settings = settings
        self._decision = decision
        self.enforce_enabled = enforce_enabled
        self.upgraded_at = upgraded_at
        self._table = table or shipped_table()
        self._parser = PolicyParser()
        self._faults = FaultLog(_LOG)
        self._cluster_names = ClusterNames(settings.gateway)
        self._queries = build_queries(
            prometheus=settings.prometheus,
            gateway=settings.gateway,
            window_seconds=decision.rate_window_seconds,
        )
        self._prices = self._price_feed()
        self._answering = False  # at the last look: one that does not is asked no more than once
        self._selectors: Selectors = {}
        self._limited: tuple[DeclaredPool, ...] = ()
        self.pool_problems: dict[str, str] = {}  # by CapacityPool: why it is not used
        self.seconds_asking = 0.0  # for metrics, in the last tick

    def _price_feed(self) -> PriceFeed | None:
        if self._metrics is None or not self._settings.prometheus.url:
            return None
        return PriceFeed(
            self._metrics,
            prometheus=self._settings.prometheus,
            settings=self._settings.prices,
            currency=self._settings.currency,
        )

    async def observe(self, now: float) -> Snapshot:
        """The snapshot at `now` (epoch seconds). A policy that cannot be followed is a refusal in it."""
        policies, refusals = self._parser.parse(self._cache.policies(), self._cache.namespace)
        metrics, _ = await asyncio.gather(
            self._ask(now, self._pods_of_all(policies)), self._refresh_prices(now)
        )
        self._answering = not isinstance(metrics, Missing)
        held, book = claims(policies), self._price_book()
        self._selectors = {pool.name: pool.match_labels for pool in book.declared}
        self._limited = limited(book.declared)
        seen = [self._look_at(policy, metrics, held, now) for policy in policies]
        if self._models is not None:
            self._models.forget_others({p.key.uid for p in policies})
        return self._snapshot(
            now,
            book,
            [s for s in seen if isinstance(s, PolicyObservation)],
            [*refusals, *(s for s in seen if isinstance(s, PolicyRefusal))],
        )

    async def _refresh_prices(self, now: float) -> None:
        if self._prices is None:
            return
        try:
            types = instance_types(self._cache.nodes())
            await self._prices.refresh(now, types, answering=self._answering)
        except Exception as error:  # noqa: BLE001  # prices that are not read must not hold replicas
            self._faults.tell("prices_failed", "prices", error)

    def _snapshot(
        self,
        now: float,
        book: PriceBook,
        observations: Sequence[PolicyObservation],
        refusals: Sequence[PolicyRefusal],
    ) -> Snapshot:
        records = self._cache.nodes()
        taken = interrupted(self._cache.node_claims(), records)
        nodes = observe_nodes(records, book.price_of, self._cache.pods_on, taken)
        others = self._others(nodes, observations) if self._limited else NOBODY
        return Snapshot(
            at=now,
            observations=tuple(observations),
            nodes=nodes,
            pools=declared_pools(book.declared, nodes, others),
            warm=warm_pools(
                Declared(pools=tuple(book.declared), unused=frozenset(book.problems)),
                self._cache,
                nodes,
                observations,
                self._settings.namespace,
            ),
            strangers=strangers(self._cache, nodes, observations, self._settings.namespace),
            enforce_enabled=self.enforce_enabled,
            upgraded_at=self.upgraded_at,
            settings=self._decision,
            refusals=tuple(refusals),
        )

    def _others(
        self, nodes: Mapping[str, Node], observations: Sequence[PolicyObservation]
    ) -> Mapping[str, UsedByOthers]:
        """Of pools with limits."""
        namespace = self._settings.namespace
        pods = (pod for pod in self._cache.all_pods() if not is_placeholder(pod, namespace))
        return used_by_others(self._limited, nodes, pods, observations)

    def _price_book(self) -> PriceBook:
        book = PriceBook(
            self._cache.capacity_pools(),
            table=self._table,
            currency=self._settings.currency,
            market=None if self._prices is None else self._prices.prices,
            overlays=self._cache.node_overlays(),
        )
        self._tell_pools(book.problems)
        return book

    def _tell_pools(self, problems: dict[str, str]) -> None:
        for name in problems.keys() | self.pool_problems.keys():
            problem = problems.get(name, "")
            if problem != self.pool_problems.get(name, ""):
                _LOG.warning("capacity_pool", extra={"pool": name, "problem": problem or "none"})
        self.pool_problems = problems

    async def _ask(self, now: float, wanted: set[tuple[str, str]]) -> _Metrics | Missing:
        if self._metrics is None or not self._settings.prometheus.url:
            return _NOT_CONFIGURED
        prometheus = self._settings.prometheus
        started = time.monotonic()
        answers = await ask_all(
            self._metrics,
            self._queries,
            now=now,
            window_seconds=self._decision.rate_window_seconds,
            deadline_seconds=prometheus.deadline_seconds,
        )
        self.seconds_asking = time.monotonic() - started
        if isinstance(answers, Missing):
            return answers
        # A large fleet's answers take long to sort: not on the event loop, which also serves the probes.
        series = await asyncio.to_thread(
            sort_series,
            answers,
            wanted,
            namespace_label=prometheus.namespace_label,
            pod_label=prometheus.pod_label,
        )
        gateway = read_gateway(answers, self._settings.gateway, self._cluster_names)
        return _Metrics(series=series, gateway=gateway)

    def _pods_of_all(self, policies: Sequence[Policy]) -> set[tuple[str, str]]:
        return {(p.key.namespace, pod.name) for p in policies for pod in self._pods(p)}

    def _pods(self, policy: Policy) -> list[PodRecord]:
        records = (
            self._cache.scale_target(v.target.kind, policy.key.namespace, v.target.name)
            for v in policy.variants
        )
        return [pod for r in records if r is not None for pod in pod_records(self._cache, r)]

    def _look_at(
        self,
        policy: Policy,
        metrics: _Metrics | Missing,
        held: Claims,
        now: float,
    ) -> PolicyObservation | PolicyRefusal:
        """One policy; a fault of ours here stays with this policy."""
        try:
            refused = refused_variant(policy, self._cache, self._selectors)
            return refused or self._observation(policy, metrics, held, now)
        except Exception as error:  # noqa: BLE001  # whatever it is, the other policies must go on
            self._faults.tell("observation_failed", policy.key, error)
            return PolicyRefusal(
                key=policy.key,
                generation=policy.generation,
                field="",
                message="the operator failed while it looked at this policy; its log has the error: please report it",
                internal=True,
            )

    def _observation(
        self, policy: Policy, metrics: _Metrics | Missing, held: Claims, now: float
    ) -> PolicyObservation:
        workloads = tuple(
            self._workload(policy, v.target, field_of(policy, v)) for v in policy.variants
        )
        pods = self._pods(policy)
        return PolicyObservation(
            policy=policy,
            workloads=workloads,
            signals=self._signals(policy, pods, metrics, now),
            configurations=self._configurations(policy, workloads, pods),
            conflict=find_conflict(self._cache, policy, held),
        )

    def _workload(self, policy: Policy, target: TargetRef, field: str) -> Workload | NoWorkload:
        namespace = policy.key.namespace
        found = find_workload(
            self._cache,
            namespace,
            target,
            allowed_owners=self._settings.cluster.allowed_owners,
            field=field,
        )
        record = self._cache.scale_target(target.kind, namespace, target.name)
        if record is None or not self._limited:
            return found
        return pinned(found, record.template_nodes, self._limited)

    def _signals(
        self, policy: Policy, pods: Sequence[PodRecord], metrics: _Metrics | Missing, now: float
    ) -> Signals | Missing:
        if isinstance(metrics, Missing):
            return metrics
        namespace = policy.key.namespace
        targets = [v.target for v in policy.variants]
        gateway = gateway_signals(metrics.gateway, self._cache, namespace, targets)
        subject = Subject(namespace=namespace, pods=pods, models=policy.models, now=now)
        return build_signals(metrics.series, subject, gateway)

    def _configurations(
        self,
        policy: Policy,
        workloads: Sequence[Workload | NoWorkload],
        pods: Sequence[PodRecord],
    ) -> Configurations:
        if self._models is None:
            return DISABLED
        newest = (w.template_hash for w in workloads if isinstance(w, Workload))
        return self._models.configurations(policy, tuple(newest), pods, self._gpu_product)

    def _gpu_product(self, node: str) -> str | Missing:
        record = self._cache.node(node)
        found = "" if record is None else first_label(record.labels, GPU_PRODUCT_LABELS)
        return found or UNKNOWN
