"""What runs now and has a price, as accounts count it: replicas for their policy, the rest of nodes for their pool."""

from collections.abc import Iterable, Iterator, Mapping

from inference_cost.account.accrual import CostLine, Running
from inference_cost.account.ledger.history import Use
from inference_cost.account.occupants import kind_of, nobodys
from inference_cost.account.shares import NodeSplit
from inference_cost.model.reading import Missing
from inference_cost.model.workload import Pod


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
            kind=kind_of(Use.REPLICA, served=has_served(pod)),
            pool=split.node.pool,
            capacity_type=split.node.capacity_type,
            variant=variant,
            cost_center=cost_center,
        )
        since = max(_bound_at(pod), split.node.created_at)
        yield Running(line=line, per_hour=share, since=since, ready_at=pod.ready_at)


def _bound_at(pod: Pod) -> float:
    """While it was pending it cost nothing. Who does not say when that ended is taken to have been bound at once."""
    return pod.created_at if pod.scheduled_at is None else max(pod.scheduled_at, pod.created_at)


def has_served(pod: Pod) -> bool:
    """One on its way out is not ready any more: that it never was is the exception."""
    return pod.ready_at is not None or pod.terminating


def rest_running(splits: Iterable[NodeSplit]) -> Iterator[Running]:
    """What is no policy's of one pool's nodes: all of one that is not ready yet and has no replica."""
    for split in splits:
        node = split.node
        for kind, per_hour in nobodys(split, boots=boots(split)).items():
            line = CostLine(kind=kind, pool=node.pool, capacity_type=node.capacity_type)
            yield Running(line=line, per_hour=per_hour, since=node.created_at)


def boots(split: NodeSplit) -> bool:
    return not split.node.ready and not split.node.leaving and split.replicas == 0
