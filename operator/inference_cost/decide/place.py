"""How the needed replicas are spread over the policy's variants, and what one replica costs."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Final

from inference_cost.model.money import HourlyPrice
from inference_cost.model.policy import Policy, Variant
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import Node, Workload

NONE: Final = Decimal(0)
ONE: Final = Decimal(1)
SHARES_KEPT: Final = 1024  # pods and nodes come in few sizes


def bounds(policy: Policy) -> tuple[int, int]:
    """Smallest and largest number of replicas over all variants."""
    least = most = 0
    for variant in policy.variants:
        least += variant.min_replicas
        most += variant.max_replicas
    lowest = max(least, policy.fewest)
    return lowest, max(min(most, policy.most), lowest)


def spread(replicas: int, variants: Sequence[Variant]) -> tuple[int, ...]:
    """Minimum of each first, the rest in the order the user wrote; the last takes what is out of bounds."""
    counts = [variant.min_replicas for variant in variants]
    left = replicas - sum(counts)
    for i, variant in enumerate(variants):
        more = min(max(left, 0), max(variant.max_replicas - counts[i], 0))
        counts[i] += more
        left -= more
    counts[-1] = max(counts[-1] + left, 0)
    return tuple(counts)


def replica_price(workloads: Sequence[Workload], nodes: Mapping[str, Node]) -> Decimal | Missing:
    """Mean price per hour of the node share that a bound pod reserves."""
    alike: dict[tuple[str, int, int, int], int] = {}
    for workload in workloads:
        for pod in workload.pods:
            asked = (pod.node, pod.gpus, pod.cpu_millicores, pod.memory_bytes)
            alike[asked] = alike.get(asked, 0) + 1
    total, priced = Decimal(0), 0
    for (node, gpus, millicores, memory), count in alike.items():
        price = share_price(nodes.get(node), gpus, millicores, memory)
        if price is not None:
            total += price * count
            priced += count
    return total / priced if priced else Missing(reason=MissingReason.PRICE_UNKNOWN)


def share_price(node: Node | None, gpus: int, millicores: int, memory: int) -> Decimal | None:
    """Of the node's part that a pod reserves, by what it has most of; None where nothing tells."""
    if node is None or not isinstance(node.price, HourlyPrice):
        return None
    share = share_of(node, gpus, millicores, memory)
    return node.price.per_hour * share if share > 0 else None


def share_of(node: Node, gpus: int, millicores: int, memory: int) -> Decimal:
    """The part of a node that a pod reserves, by what it has most of; 0 where nothing tells."""
    share = max(
        _share(gpus, node.allocatable_gpus),
        _share(millicores, node.allocatable_cpu_millicores),
        _share(memory, node.allocatable_memory_bytes),
    )
    return min(share, ONE)


@lru_cache(maxsize=SHARES_KEPT)
def _share(asked: int, allocatable: int) -> Decimal:
    return Decimal(asked) / allocatable if asked and allocatable > 0 else NONE
