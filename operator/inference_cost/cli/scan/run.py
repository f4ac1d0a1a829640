"""One scan from options to its document. Reads only."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from inference_cost.account.calendar import time_text
from inference_cost.cli.backtest.progress import Report, progress_bar
from inference_cost.cli.cluster import Cluster
from inference_cost.cli.failure import CommandError
from inference_cost.cli.listing import Listing, Unread, Where, list_all
from inference_cost.cli.prometheus_access import PrometheusAccess
from inference_cost.cli.scan import autoscalers, words
from inference_cost.cli.scan.amounts import Amounts
from inference_cost.cli.scan.document import PoolRow, ScanDocument, Totals, Unknown, WorkloadPart
from inference_cost.cli.scan.inspection import Seen, Wanted, inspect
from inference_cost.cli.scan.prices import PricedPool, Prices
from inference_cost.cli.scan.saving import money
from inference_cost.cli.scan.signals import Signals, pods_with_series, signals_of
from inference_cost.cli.scan.source import Source, market_prices, source_of
from inference_cost.cli.scan.words import ALL
from inference_cost.cli.scan.workloads import (
    Found,
    PodName,
    WorkloadKey,
    find,
    targets_of_policy,
)
from inference_cost.model.money import HourlyPrice
from inference_cost.observe.capacity_pools import PriceBook
from inference_cost.observe.extract import capacity_pool_record, node_record
from inference_cost.observe.kinds import (
    CAPACITY_POOL,
    DEPLOYMENT,
    HORIZONTAL_POD_AUTOSCALER,
    NODE,
    NODE_OVERLAY,
    POD,
    POLICY,
    SCALED_OBJECT,
    STATEFUL_SET,
    WatchedKind,
)
from inference_cost.observe.market_prices import MarketPrices
from inference_cost.observe.node_overlays import node_overlay_record
from inference_cost.observe.nodes import instance_types
from inference_cost.observe.pods import is_finished, pod_record
from inference_cost.observe.prices import shipped_table
from inference_cost.observe.records import NodeRecord, PodRecord

KINDS: Final = (
    DEPLOYMENT,
    STATEFUL_SET,
    POD,
    NODE,
    HORIZONTAL_POD_AUTOSCALER,
    SCALED_OBJECT,
    CAPACITY_POOL,
    NODE_OVERLAY,
    POLICY,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanOptions:
    """As asked for. `forward`: kubectl's own --kubeconfig and --context. `seconds`: of history."""

    where: Where
    access: PrometheusAccess
    service: str
    forward: tuple[str, ...]
    seconds: float
    wanted: Wanted
    price_per_node_hour: Decimal | None
    currency: str


def scan(cluster: Cluster, options: ScanOptions) -> ScanDocument:
    """Look at everything.

    Raises:
        CommandError: the API server cannot be asked at all, or an option is wrong.
    """
    listed = {kind.plural: list_all(cluster, kind, options.where) for kind in KINDS}
    reached = source_of(cluster, options.where, options.access, options.service, options.forward)
    with reached as source, progress_bar() as report:
        return _Scan(listed, source, options, report).document()


class _Scan:
    """What was read, put together."""

    def __init__(
        self,
        listed: Mapping[str, Listing],
        source: Source | Unread,
        options: ScanOptions,
        report: Report,
    ) -> None:
        self._listed = listed
        self._source = source
        self._options = options
        self._report = report
        self._now = time.time()
        self._unread = [one.unread for one in listed.values() if one.unread is not None]
        if isinstance(source, Unread):
            self._unread.append(source)

    def document(self) -> ScanDocument:
        found = self._found()
        nodes = self._nodes()
        pods = self._all_pods()
        prices = Prices(nodes, self._book(nodes), self._options.price_per_node_hour, pods)
        pools = tuple(map(_pool_row, prices.pools(pods)))
        workloads = self._workloads(found, prices)
        totals = _totals(workloads)
        source, where = self._source, self._where()
        return ScanDocument(
            at=time_text(self._now),
            currency=self._options.currency,
            namespaces=where,
            prometheus=source.access.url if isinstance(source, Source) else "",
            pools=pools,
            workloads=workloads,
            totals=totals,
            unread=tuple(Unknown(what=u.what, why=u.why, fix=u.fix) for u in self._unread),
            summary=words.summary(workloads, totals, where, Amounts(self._options.currency)),
        )

    def _items(self, kind: WatchedKind) -> Sequence[Mapping[str, Any]]:
        return self._listed[kind.plural].items

    def _found(self) -> list[Found]:
        objects = (*self._items(DEPLOYMENT), *self._items(STATEFUL_SET))
        return find(objects, self._items(POD), self._pods_with_series())

    def _pods_with_series(self) -> frozenset[PodName]:
        if isinstance(self._source, Unread):
            return frozenset()
        try:
            return pods_with_series(self._source.prometheus, self._now)
        except CommandError as error:
            self._unread.append(Unread(what="traffic", why=str(error), fix="see the message"))
            return frozenset()

    def _where(self) -> str:
        """All namespaces, unless others than one were not asked for, or may not be read."""
        seen = self._listed[POD.plural]
        everywhere = self._options.where.everywhere and seen.unread is None
        return ALL if everywhere else self._options.where.namespace

    def _nodes(self) -> list[NodeRecord] | None:
        listed = self._listed[NODE.plural]
        return None if listed.unread is not None else [node_record(one) for one in listed.items]

    def _all_pods(self) -> list[PodRecord] | None:
        """None where those of other namespaces are not seen: nobody can tell then what a node has left."""
        listed = self._listed[POD.plural]
        if listed.unread is not None or not self._options.where.everywhere:
            return None
        return [one for one in map(pod_record, listed.items) if not is_finished(one)]

    def _book(self, nodes: Iterable[NodeRecord] | None) -> PriceBook:
        market = MarketPrices()
        if isinstance(self._source, Source):
            types = instance_types(nodes or ())
            market = market_prices(self._source, types, self._options.currency, self._now)
        return PriceBook(
            [capacity_pool_record(one) for one in self._items(CAPACITY_POOL)],
            table=shipped_table(),
            currency=self._options.currency,
            market=market,
            overlays=[node_overlay_record(one) for one in self._items(NODE_OVERLAY)],
        )

    def _workloads(self, found: Sequence[Found], prices: Prices) -> tuple[WorkloadPart, ...]:
        costs = prices.of_workloads(found)
        scalers = autoscalers.by_target(
            self._items(HORIZONTAL_POD_AUTOSCALER), self._items(SCALED_OBJECT)
        )
        policies = {key: one for one in self._items(POLICY) for key in targets_of_policy(one)}
        parts = []
        for number, one in enumerate(found):
            seen = Seen(
                found=one,
                cost=costs[one.key],
                autoscaler=scalers.get(one.key, autoscalers.Autoscaler()),
                signals=self._signals(one.key),
                policy=policies.get(one.key),
            )
            parts.append(inspect(seen, self._options.wanted, self._part(number, len(found))))
        return tuple(parts)

    def _signals(self, key: WorkloadKey) -> Signals | Unread:
        if isinstance(self._source, Unread):
            return self._source
        prometheus, access = self._source.prometheus, self._source.access
        return signals_of(prometheus, access, key, self._now, self._options.seconds)

    def _part(self, number: int, count: int) -> Report:
        return lambda share, what: self._report((number + share) / count, what)


def _pool_row(one: PricedPool) -> PoolRow:
    pool = one.pool
    sources = {p.origin for node in pool.nodes if isinstance(p := node.price, HourlyPrice)}
    return PoolRow(
        name=pool.name,
        capacity_type=pool.capacity.value if pool.capacity_known else f"{pool.capacity.value}?",
        gpu_product=pool.gpu_product,
        nodes=len(pool.nodes),
        gpus=pool.gpus,
        gpus_requested=one.requested,
        per_hour=None if one.per_hour is None else money(one.per_hour),
        idle_per_hour=None if one.idle_per_hour is None else money(one.idle_per_hour),
        priced=", ".join(sorted(sources)),
    )


def _totals(workloads: Sequence[WorkloadPart]) -> Totals:
    savings = [one.saving for one in workloads if one.saving and one.saving.worthwhile]
    errors = [one.error for one in savings if one.per_month is not None]
    return Totals(
        per_hour=_sum(one.per_hour for one in workloads),
        waste_per_hour=_sum(one.waste_per_hour for one in workloads),
        saving_per_month=_sum(one.per_month for one in savings),
        # Added up, not by squares: the same replay is wrong in the same direction for all.
        saving_error=None if None in errors else _sum(errors),
        unpriced=tuple(f"{w.namespace}/{w.name}" for w in workloads if w.per_hour is None),
        unmeasured=tuple(f"{w.namespace}/{w.name}" for w in workloads if w.busy_percent is None),
    )


def _sum(amounts: Iterable[str | None]) -> str | None:
    """None where none of them is known."""
    known = [Decimal(one) for one in amounts if one is not None]
    return money(sum(known, Decimal(0))) if known else None
