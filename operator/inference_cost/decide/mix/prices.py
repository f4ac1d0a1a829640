"""What one replica of a variant costs per hour, also where none of it runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from inference_cost.decide.place import replica_price, share_price
from inference_cost.decide.price_age import too_old
from inference_cost.model.money import HourlyPrice
from inference_cost.model.placement import PlacedDomain
from inference_cost.model.reading import Missing
from inference_cost.model.workload import Node, Pod, Pool, Workload

PRICE_KEPT_SECONDS: Final = 7 * 86_400.0  # without a replica or a node that tells


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaPrice:
    """`at`: epoch seconds, when it was known. `offered`: what the pool asks for one now, where that is told.

    `old_since`: the day of the source's figure, epoch seconds, where that is too old to move for.
    """

    per_hour: float
    at: float
    offered: float | None = None
    old_since: float | None = None


def price_of(  # noqa: PLR0917 - every place where it may be told
    workload: Workload,
    siblings: Sequence[Workload],
    nodes: Mapping[str, Node],
    pool: Pool | None,
    before: PlacedDomain | None,
    at: float,
) -> ReplicaPrice | None:
    """Of its replicas; else as last known while the pool asks the same; else what the pool asks for the cheapest.

    A pool has several offerings, and where a replica landed tells more than where it might.
    """
    here = replica_price([workload], nodes)
    offer = None if pool is None else _on(pool, siblings)
    offered = None if offer is None else offer[0]
    asked_since = None if offer is None else _old_since([offer[1]], at)
    if not isinstance(here, Missing):
        under = [nodes[pod.node] for pod in workload.pods if pod.node in nodes]
        old = _old_since(under, at)
        return ReplicaPrice(per_hour=float(here), at=at, offered=offered, old_since=old)
    known = _remembered(before, at)
    if before is not None and known is not None and before.offered_per_hour == offered:
        old = asked_since if before.price_old_since is None else before.price_old_since
        return ReplicaPrice(per_hour=known, at=before.priced_at, offered=offered, old_since=old)
    if offered is None:
        return None
    return ReplicaPrice(per_hour=offered, at=at, offered=offered, old_since=asked_since)


def _old_since(nodes: Sequence[Node], at: float) -> float | None:
    """The oldest figure that is too old to move for."""
    dates = (
        node.price.as_of
        for node in nodes
        if isinstance(node.price, HourlyPrice) and too_old(node, at)
    )
    return min(dates, default=None)


def _remembered(before: PlacedDomain | None, at: float) -> float | None:
    if before is None or not 0 <= at - before.priced_at <= PRICE_KEPT_SECONDS:
        return None
    return before.price_per_hour


def _on(pool: Pool, siblings: Sequence[Workload]) -> tuple[float, Node] | None:
    """On the cheapest of its nodes. A whole one, where its size or a replica's is not known."""
    shape = next((pod for one in siblings for pod in one.pods), None)
    prices = [
        (price, node) for node in pool.examples if (price := _replica_on(node, shape)) is not None
    ]
    return min(prices, key=lambda one: one[0], default=None)


def _replica_on(node: Node, shape: Pod | None) -> float | None:
    if not isinstance(node.price, HourlyPrice):
        return None
    part = (
        None
        if shape is None
        else share_price(node, shape.gpus, shape.cpu_millicores, shape.memory_bytes)
    )
    return float(node.price.per_hour if part is None else part)
