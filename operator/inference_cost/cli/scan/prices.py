"""What workloads and pools of nodes cost per hour now, as the operator accounts for it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from inference_cost.account.shares import NodeSplit, split_node
from inference_cost.cli.pools.seen import Pool, pools_of
from inference_cost.cli.scan.whole_nodes import NodeCosts, node_costs
from inference_cost.cli.scan.workloads import Found, WorkloadKey
from inference_cost.model.money import HourlyPrice, PriceSource
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import CapacityType
from inference_cost.observe.capacity_pools import PriceBook
from inference_cost.observe.nodes import has_gpus, observe_nodes
from inference_cost.observe.pods import keeps_its_node, model_pod
from inference_cost.observe.records import NodeRecord, PodRecord

ASSUMED = "--price-per-node-hour"
KARPENTER_LABEL = "karpenter.sh/nodepool"
NODES_UNREAD = Missing(
    reason=MissingReason.PRICE_UNKNOWN, detail="you may not list nodes, which tell the price"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadCost:
    """`per_hour`: of all its pods that are on a node; zero without any.

    `nodes`: of nodes that all cost 1 where `per_hour` is not known.
    """

    per_hour: Decimal | Missing
    gpu_products: tuple[str, ...] = ()
    nodes: NodeCosts | None = None  # None: each replica is taken to have one of its own
    origins: tuple[str, ...] = ()  # of the prices
    spot: bool = False
    node_autoscaler: bool = False  # Karpenter made its nodes


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedPool:
    """`requested`: GPUs that pods on its nodes ask for; None where not all pods may be listed."""

    pool: Pool
    requested: int | None
    per_hour: Decimal | None
    idle_per_hour: Decimal | None


class Prices:
    """Of the nodes of a cluster; `nodes` is None where they may not be listed, `assumed` where no price is known.

    `pods`: all of the cluster, which keep nodes; None where others than those of workloads are not seen.
    """

    def __init__(
        self,
        nodes: Sequence[NodeRecord] | None,
        book: PriceBook,
        assumed: Decimal | None,
        pods: Iterable[PodRecord] | None = None,
    ) -> None:
        self._pods_seen = pods is not None
        keeping = Counter(one.node for one in pods or () if keeps_its_node(one))
        self._records = nodes
        self._book = book
        self._assumed = assumed
        self._by_karpenter = {one.name for one in nodes or () if KARPENTER_LABEL in one.labels}
        self._nodes = (
            {}
            if nodes is None
            else observe_nodes(list(nodes), self._price, lambda name: keeping[name], {})
        )

    def _price(self, record: NodeRecord) -> tuple[str, HourlyPrice | Missing]:
        pool, price = self._book.price_of(record)
        if isinstance(price, Missing) and self._assumed is not None:
            return pool, self._assumed_price(self._assumed)
        return pool, price

    def _assumed_price(self, per_hour: Decimal) -> HourlyPrice:
        return HourlyPrice(
            per_hour=per_hour,
            currency=self._book.currency,
            source=PriceSource.CAPACITY_POOL,
            as_of=0.0,
            origin=ASSUMED,
        )

    def of_workloads(self, found: Sequence[Found]) -> Mapping[WorkloadKey, WorkloadCost]:
        """All of them at once: they share nodes."""
        if self._records is None:
            return {one.key: self._without_nodes(one) for one in found}
        by_node: dict[str, list[PodRecord]] = defaultdict(list)
        for pod in (pod for one in found for pod in one.bound):
            by_node[pod.node].append(pod)
        return {one.key: self._cost(one, by_node) for one in found}

    def _splits(
        self, names: Iterable[str], by_node: Mapping[str, Sequence[PodRecord]], *, priced: bool
    ) -> dict[str, NodeSplit]:
        """Of those nodes that are there. Not `priced`: all of them cost 1."""
        nodes = [self._nodes[name] for name in dict.fromkeys(names) if name in self._nodes]
        return {
            node.name: split_node(
                node if priced else replace(node, price=self._assumed_price(Decimal(1))),
                [model_pod(pod) for pod in by_node[node.name]],
                self._book.currency,
            )
            for node in nodes
        }

    def _without_nodes(self, one: Found) -> WorkloadCost:
        """With an assumed price each node is taken to carry one replica."""
        if self._assumed is None:
            return WorkloadCost(per_hour=NODES_UNREAD)
        return WorkloadCost(per_hour=self._assumed * len(one.bound), origins=(ASSUMED,))

    def _cost(self, one: Found, by_node: Mapping[str, Sequence[PodRecord]]) -> WorkloadCost:
        names = [pod.node for pod in one.bound]
        splits = self._splits(names, by_node, priced=True)
        own = [
            splits[pod.node].shares[pod.uid] if pod.node in splits else _gone(pod.node)
            for pod in one.bound
        ]
        nodes = [self._nodes[name] for name in names if name in self._nodes]
        missing = [share for share in own if isinstance(share, Missing)]
        known = sum((share for share in own if isinstance(share, Decimal)), Decimal(0))
        alike = self._splits(names, by_node, priced=False) if missing else splits
        staying = [model_pod(pod) for pod in one.bound if not pod.terminating]
        return WorkloadCost(
            per_hour=missing[0] if missing else known,
            gpu_products=tuple(sorted({node.gpu_product for node in nodes} - {""})),
            origins=tuple(
                sorted({p.origin for node in nodes if isinstance(p := node.price, HourlyPrice)})
            ),
            nodes=node_costs(staying, alike, pods_seen=self._pods_seen),
            spot=any(node.capacity_type is CapacityType.SPOT for node in nodes),
            node_autoscaler=bool(nodes) and all(node.name in self._by_karpenter for node in nodes),
        )

    def pools(self, pods: Iterable[PodRecord] | None) -> list[PricedPool]:
        """Of nodes with GPUs. `pods`: all of the cluster."""
        gpu_nodes = [one for one in self._records or () if has_gpus(one)]
        asked: dict[str, int] = defaultdict(int)
        for pod in pods or ():
            asked[pod.node] += pod.gpus
        return [
            self._pool(pool, None if pods is None else asked)
            for pool in pools_of(gpu_nodes, self._book)
        ]

    def _pool(self, pool: Pool, asked: Mapping[str, int] | None) -> PricedPool:
        priced = [replace(one, price=self._nodes[one.record.name].price) for one in pool.nodes]
        known = [
            (one.record, p.per_hour) for one in priced if isinstance(p := one.price, HourlyPrice)
        ]
        complete = len(known) == len(priced)
        idle = (
            sum((price * _unasked(record, asked) for record, price in known), Decimal(0))
            if complete and asked is not None
            else None
        )
        return PricedPool(
            pool=replace(pool, nodes=tuple(priced)),
            requested=None
            if asked is None
            else sum(asked.get(n.record.name, 0) for n in pool.nodes),
            per_hour=sum((price for _, price in known), Decimal(0)) if complete else None,
            idle_per_hour=idle,
        )


def _unasked(record: NodeRecord, asked: Mapping[str, int]) -> Decimal:
    """Share of the node's GPUs that no pod asks for."""
    if record.allocatable_gpus <= 0:
        return Decimal(0)
    free = max(record.allocatable_gpus - asked.get(record.name, 0), 0)
    return Decimal(free) / Decimal(record.allocatable_gpus)


def _gone(name: str) -> Missing:
    return Missing(reason=MissingReason.PRICE_UNKNOWN, detail=f"node {name} is not there any more")
