"""How the needed replicas are spread over the policy's variants, and what one replica costs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

from inference_cost.model.money import HourlyPrice
from inference_cost.model.policy import Variant
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import Node, Workload


def bounds(variants: Sequence[Variant]) -> tuple[int, int]:
    """Smallest and largest number of replicas over all variants."""
    lowest = sum(variant.min_replicas for variant in variants)
    return lowest, max(sum(variant.max_replicas for variant in variants), lowest)


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
    alike = Counter(
        (pod.node, pod.gpus, pod.cpu_millicores, pod.memory_bytes)
        for workload in workloads
        for pod in workload.pods
    )
    priced = [
        (price, count)
        for (node, *asked), count in alike.items()
        if (price := _share_price(nodes.get(node), *asked)) is not None
    ]
    if not priced:
        return Missing(reason=MissingReason.PRICE_UNKNOWN)
    total = sum((price * count for price, count in priced), Decimal(0))
    return total / sum(count for _, count in priced)


def _share_price(node: Node | None, gpus: int, millicores: int, memory: int) -> Decimal | None:
    if node is None or not isinstance(node.price, HourlyPrice):
        return None
    share = max(
        _share(gpus, node.allocatable_gpus),
        _share(millicores, node.allocatable_cpu_millicores),
        _share(memory, node.allocatable_memory_bytes),
    )
    return node.price.per_hour * min(share, Decimal(1)) if share > 0 else None


def _share(asked: int, allocatable: int) -> Decimal:
    return Decimal(asked) / Decimal(allocatable) if allocatable > 0 else Decimal(0)
