"""Nodes put together into pools, as the operator sees them: declared by a CapacityPool, or inferred from labels."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from inference_cost.model.money import HourlyPrice
from inference_cost.model.reading import Missing
from inference_cost.model.workload import CapacityType
from inference_cost.observe.capacity_pools import PriceBook, binds
from inference_cost.observe.nodes import (
    GPU_PRODUCT_LABELS,
    INSTANCE_TYPE_LABELS,
    NODE_POOL_LABELS,
    ZONE_LABELS,
    capacity_label,
    capacity_type,
    first_label,
    has_gpus,
    is_capacity_known,
)
from inference_cost.observe.records import Labels, NodeRecord

LONGEST_NAME = 55  # with room for a number
Price = HourlyPrice | Missing
Selector = tuple[tuple[str, str], ...]  # labels that bind the nodes, in the order to be written


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedNode:
    """A node and what an hour of it costs."""

    record: NodeRecord
    price: Price

    @property
    def instance_type(self) -> str:
        return first_label(self.record.labels, INSTANCE_TYPE_LABELS)

    @property
    def zone(self) -> str:
        return first_label(self.record.labels, ZONE_LABELS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Nodes of one accelerator and one capacity type.

    `selector` is empty for a declared pool, which has its own. `overlaps`: inferred pools whose nodes it binds too.
    """

    name: str
    declared: bool
    capacity: CapacityType
    capacity_known: bool
    gpu_product: str
    selector: Selector
    nodes: tuple[PricedNode, ...]
    overlaps: tuple[str, ...] = ()

    @property
    def zones(self) -> tuple[str, ...]:
        return tuple(sorted({node.zone for node in self.nodes} - {""}))

    @property
    def gpus(self) -> int:
        return sum(node.record.allocatable_gpus for node in self.nodes)


@dataclass(frozen=True, slots=True)
class _Group:
    """What nodes of one node pool and capacity type have in common."""

    declared: str
    node_pool: Selector  # or else the instance type
    capacity: Selector


def pools_of(records: Iterable[NodeRecord], book: PriceBook) -> list[Pool]:
    """By name, declared ones first."""
    groups: dict[_Group, list[PricedNode]] = {}
    for record in records:
        declared, price = book.price_of(record)
        node = PricedNode(record=record, price=price)
        groups.setdefault(_group(record.labels, declared), []).append(node)
    drafts = [pool for group, nodes in groups.items() for pool in _by_product(group, nodes)]
    named = _with_names(sorted(drafts, key=lambda pool: (not pool.declared, pool.name)))
    return [replace(pool, overlaps=_overlaps(pool, named)) for pool in named]


def _group(labels: Labels, declared: str) -> _Group:
    told = capacity_label(labels)
    return _Group(
        declared=declared,
        node_pool=_first(labels, NODE_POOL_LABELS) or _first(labels, INSTANCE_TYPE_LABELS),
        capacity=() if told is None else ((told[0], labels[told[0]]),),
    )


def _first(labels: Labels, keys: Sequence[str]) -> Selector:
    return next((((key, labels[key]),) for key in keys if labels.get(key)), ())


def _by_product(group: _Group, nodes: Sequence[PricedNode]) -> Iterator[Pool]:
    """A pool for each accelerator, told by the label that most of the nodes have."""
    carried = Counter(
        key for node in nodes for key in GPU_PRODUCT_LABELS if node.record.labels.get(key)
    )
    key = max(GPU_PRODUCT_LABELS, key=lambda one: carried[one])  # the first of equals
    products: dict[str, list[PricedNode]] = {}
    for node in nodes:
        products.setdefault(node.record.labels.get(key, ""), []).append(node)
    _give_new_nodes_their_product(products)
    several = len(products) > 1
    for product, members in products.items():
        by_label = ((key, product),) if several and product else ()
        yield _pool(group, product, members, by_label)


def _give_new_nodes_their_product(products: dict[str, list[PricedNode]]) -> None:
    """The label comes minutes after a node with GPUs: until then it is of its pool's accelerator, if there is one."""
    known = [product for product in products if product]
    if len(known) != 1 or "" not in products:
        return
    unlabelled = products.pop("")
    products[known[0]] += [node for node in unlabelled if has_gpus(node.record)]
    without = [node for node in unlabelled if not has_gpus(node.record)]
    if without:
        products[""] = without


def _pool(group: _Group, product: str, nodes: Sequence[PricedNode], by_product: Selector) -> Pool:
    labels = nodes[0].record.labels
    capacity = capacity_type(labels)
    return Pool(
        name=group.declared or _name(group.node_pool, capacity, by_product),
        declared=bool(group.declared),
        capacity=capacity,
        capacity_known=is_capacity_known(labels),
        gpu_product=product,
        selector=() if group.declared else (*group.node_pool, *group.capacity, *by_product),
        nodes=tuple(nodes),
    )


def _name(node_pool: Selector, capacity: CapacityType, product: Selector) -> str:
    """A name that an object may have."""
    parts = [value for _, value in node_pool] or ["nodes"]
    if not parts[0].endswith(capacity.value):
        parts.append(capacity.value)
    parts += [value for _, value in product]
    text = re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower())
    return text[:LONGEST_NAME].strip("-") or "nodes"


def _with_names(pools: Iterable[Pool]) -> list[Pool]:
    """A number after a name that another pool has: two objects of one name would be one."""
    taken: set[str] = set()
    named = []
    for pool in pools:
        name, number = pool.name, 2
        while name in taken and not pool.declared:
            name, number = f"{pool.name}-{number}", number + 1
        taken.add(name)
        named.append(replace(pool, name=name))
    return named


def _overlaps(pool: Pool, pools: Sequence[Pool]) -> tuple[str, ...]:
    """A declared pool is older and goes first: it keeps its nodes."""
    if pool.declared:
        return ()
    others = (other for other in pools if other is not pool and not other.declared)
    return tuple(
        other.name
        for other in others
        if any(binds(dict(pool.selector), node.record.labels) for node in other.nodes)
    )


def by_offering(pool: Pool) -> Mapping[tuple[str, str], Price]:
    """Prices by (instance type, zone). Nodes of one offering have one price."""
    prices = {(node.instance_type, node.zone): node.price for node in pool.nodes}
    return dict(sorted(prices.items(), key=lambda one: one[0]))
