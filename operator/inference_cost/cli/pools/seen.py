"""Nodes put together into pools, as the operator sees them: declared by a CapacityPool, or inferred from labels."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from inference_cost.model.money import HourlyPrice
from inference_cost.model.reading import Missing
from inference_cost.model.workload import CapacityType
from inference_cost.observe.capacity_pools import PriceBook
from inference_cost.observe.nodes import (
    GPU_PRODUCT_LABELS,
    INSTANCE_TYPE_LABELS,
    NODE_POOL_LABELS,
    ZONE_LABELS,
    capacity_label,
    capacity_type,
    first_label,
    is_capacity_known,
)
from inference_cost.observe.records import Labels, NodeRecord

LONGEST_NAME = 63
Price = HourlyPrice | Missing
Selector = tuple[tuple[str, str], ...]  # labels that bind the nodes, in the order to be written


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedNode:
    """A node and what an hour of it costs."""

    instance_type: str
    zone: str
    gpus: int
    price: Price


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Nodes of one accelerator and one capacity type. `selector` is empty for a declared pool, which has its own."""

    name: str
    declared: bool
    capacity: CapacityType
    capacity_known: bool
    gpu_product: str
    selector: Selector
    nodes: tuple[PricedNode, ...]

    @property
    def zones(self) -> tuple[str, ...]:
        return tuple(sorted({node.zone for node in self.nodes} - {""}))


@dataclass(frozen=True, slots=True)
class _Kind:
    """What nodes of one pool have in common."""

    declared: str
    group: Selector  # the node pool, or else the instance type
    capacity: Selector
    gpu_product: str


def pools_of(records: Iterable[NodeRecord], book: PriceBook) -> list[Pool]:
    """By name, declared ones first."""
    seen = [(record, *book.price_of(record)) for record in records]
    products = _products(_kind(record.labels, declared) for record, declared, _ in seen)
    groups: dict[_Kind, list[tuple[NodeRecord, Price]]] = {}
    for record, declared, price in seen:
        kind = _labelled(_kind(record.labels, declared), products)
        groups.setdefault(kind, []).append((record, price))
    pools = [
        _pool(kind, members, by_product=len(products[replace(kind, gpu_product="")]) > 1)
        for kind, members in groups.items()
    ]
    return sorted(pools, key=lambda pool: (not pool.declared, pool.name, pool.gpu_product))


def _kind(labels: Labels, declared: str) -> _Kind:
    told = capacity_label(labels)
    return _Kind(
        declared=declared,
        group=_first(labels, NODE_POOL_LABELS) or _first(labels, INSTANCE_TYPE_LABELS),
        capacity=() if told is None else ((told[0], labels[told[0]]),),
        gpu_product=first_label(labels, GPU_PRODUCT_LABELS),
    )


def _first(labels: Labels, keys: Sequence[str]) -> Selector:
    return next((((key, labels[key]),) for key in keys if labels.get(key)), ())


def _products(kinds: Iterable[_Kind]) -> dict[_Kind, set[str]]:
    """Accelerators of each node pool. Where there are several, its label alone would bind all of them."""
    found: dict[_Kind, set[str]] = {}
    for kind in kinds:
        found.setdefault(replace(kind, gpu_product=""), set()).add(kind.gpu_product)
    return {kind: products - {""} for kind, products in found.items()}


def _labelled(kind: _Kind, products: Mapping[_Kind, set[str]]) -> _Kind:
    """The label of the accelerator comes minutes after a new node: it has that of its pool, where there is one."""
    known = products[replace(kind, gpu_product="")]
    if kind.gpu_product or len(known) != 1:
        return kind
    return replace(kind, gpu_product=next(iter(known)))


def _pool(kind: _Kind, members: Sequence[tuple[NodeRecord, Price]], *, by_product: bool) -> Pool:
    labels = members[0][0].labels
    product = _first(labels, GPU_PRODUCT_LABELS) if by_product else ()
    capacity = capacity_type(labels)
    return Pool(
        name=kind.declared or _name(kind.group, capacity, product),
        declared=bool(kind.declared),
        capacity=capacity,
        capacity_known=is_capacity_known(labels),
        gpu_product=kind.gpu_product,
        selector=() if kind.declared else (*kind.group, *kind.capacity, *product),
        nodes=tuple(_node(record, price) for record, price in members),
    )


def _name(group: Selector, capacity: CapacityType, product: Selector) -> str:
    """A name that an object may have."""
    parts = [value for _, value in group] or ["nodes"]
    if not parts[0].endswith(capacity.value):
        parts.append(capacity.value)
    parts += [value for _, value in product]
    text = re.sub(r"[^a-z0-9.]+", "-", "-".join(parts).lower())
    return text[:LONGEST_NAME].strip("-.") or "nodes"


def _node(record: NodeRecord, price: Price) -> PricedNode:
    return PricedNode(
        instance_type=first_label(record.labels, INSTANCE_TYPE_LABELS),
        zone=first_label(record.labels, ZONE_LABELS),
        gpus=record.allocatable_gpus,
        price=price,
    )


def by_offering(pool: Pool) -> Mapping[tuple[str, str], Price]:
    """Prices by (instance type, zone). Nodes of one offering have one price."""
    prices = {(node.instance_type, node.zone): node.price for node in pool.nodes}
    return dict(sorted(prices.items()))
