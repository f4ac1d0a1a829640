"""CapacityPools as places to run on, also where they have no node: what a node there is like and costs."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from inference_cost.model.money import HourlyPrice
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import CapacityType, Node, Pool, UsedByOthers
from inference_cost.observe.capacity_pools import DeclaredPool
from inference_cost.observe.nodes import capacity_label

NOBODY: Final[Mapping[str, UsedByOthers]] = MappingProxyType({})
_UNKNOWN: Final = Node(
    name="",
    pool="",
    capacity_type=CapacityType.ON_DEMAND,
    instance_type="",
    zone="",
    gpu_product="",
    allocatable_gpus=0,
    created_at=0.0,
    ready=False,
    price=Missing(reason=MissingReason.PRICE_UNKNOWN),
)


def declared_pools(
    pools: Iterable[DeclaredPool],
    nodes: Mapping[str, Node],
    others: Mapping[str, UsedByOthers] = NOBODY,
) -> Mapping[str, Pool]:
    """By name. Of each instance type one node is kept, of the pool where it has one."""
    by_pool: dict[str, dict[str, Node]] = {}
    by_type: dict[str, Node] = {}
    zones: dict[str, set[str]] = {}
    counts: Counter[str] = Counter(node.pool for node in nodes.values())
    cordoned: Counter[str] = Counter(node.pool for node in nodes.values() if node.cordoned)
    for node in nodes.values():
        by_type.setdefault(node.instance_type, node)
        zones.setdefault(node.pool, set()).add(node.zone)
        if isinstance(node.price, HourlyPrice):
            by_pool.setdefault(node.pool, {}).setdefault(node.instance_type, node)
    return MappingProxyType(
        {
            one.name: replace(
                _pool(one, by_pool.get(one.name, {}), by_type),
                others=others.get(one.name, UsedByOthers()),
                zones=(one.zones | zones.get(one.name, set())) - {""},
                nodes=counts[one.name],
                cordoned=cordoned[one.name],
            )
            for one in pools
        }
    )


def _pool(
    pool: DeclaredPool,
    own: Mapping[str, Node],
    by_type: Mapping[str, Node],
) -> Pool:
    label = capacity_label(pool.match_labels)
    first = next(iter(own.values()), None)
    found = None if first is None or not first.capacity_known else first.capacity_type
    capacity_type = found if label is None else label[1]
    offered = tuple(_offered(pool, own, by_type, capacity_type))
    return Pool(
        name=pool.name,
        capacity_type=capacity_type,
        examples=(*own.values(), *offered),
        limits=pool.limits,
    )


def _offered(
    pool: DeclaredPool,
    own: Mapping[str, Node],
    by_type: Mapping[str, Node],
    capacity_type: CapacityType | None,
) -> Iterator[Node]:
    """Of instance types without a node in the pool: as large as one elsewhere, where there is one."""
    for instance_type, price in pool.prices:
        if instance_type in own:
            continue
        alike = by_type.get(instance_type, _UNKNOWN)
        yield replace(
            alike,
            name="",
            pool=pool.name,
            capacity_type=capacity_type or CapacityType.SPOT,
            instance_type=instance_type,
            price=price,
        )
