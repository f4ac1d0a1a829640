"""What runs now and has a price, as accounts count it: replicas for their policy, the rest of nodes for their pool."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from inference_cost.account.accrual import CostLine, Running
from inference_cost.account.ledger.lines import Kind
from inference_cost.account.shares import NodeSplit
from inference_cost.model.reading import Missing
from inference_cost.model.workload import Node, Pod

NOTHING_HELD: Final[frozenset[str]] = frozenset()


def replicas_running(
    replicas: Iterable[tuple[str, Pod]], splits: Mapping[str, NodeSplit], cost_center: str
) -> Iterator[Running]:
    """Of one policy: (variant, bound pod). A pod whose share is not known is left out."""
    for variant, pod in replicas:
        split = splits.get(pod.node)
        share = None if split is None else split.shares[pod.uid]
        if split is None or share is None or isinstance(share, Missing):
            continue
        line = CostLine(
            kind=Kind.SERVING if has_served(pod) else Kind.BOOT,
            pool=split.node.pool,
            capacity_type=split.node.capacity_type,
            variant=variant,
            cost_center=cost_center,
        )
        since = max(pod.created_at, split.node.created_at)
        yield Running(line=line, per_hour=share, since=since, ready_at=pod.ready_at)


def has_served(pod: Pod) -> bool:
    """One on its way out is not ready any more: that it never was is the exception."""
    return pod.ready_at is not None or pod.terminating


def rest_running(
    splits: Iterable[NodeSplit], held: frozenset[str] = NOTHING_HELD
) -> Iterator[Running]:
    """What nobody requested of one pool's nodes; all of a node that is not ready yet and has no replica.

    `held`: nodes that are kept ready for replicas to come.
    """
    for split in splits:
        if isinstance(split.idle, Missing):
            continue
        kind = Kind.WARM if split.node.name in held else Kind.IDLE
        if _boots(split.node) and not split.shares:
            kind = Kind.BOOT
        line = CostLine(kind=kind, pool=split.node.pool, capacity_type=split.node.capacity_type)
        yield Running(line=line, per_hour=split.idle, since=split.node.created_at)


def _boots(node: Node) -> bool:
    return not node.ready and not node.leaving
