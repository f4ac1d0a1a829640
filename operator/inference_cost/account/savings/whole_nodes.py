"""What a policy's replicas cost in whole nodes: a replica that goes and leaves its node there has saved nothing.

Nodes that nobody uses are paid for as well: a policy bears of its pools' nodes the part that it has of what replicas
are charged there.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import islice

from inference_cost.account.shares import NodeSplit
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import Pod

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPart:
    """A policy's part of one pool: whole nodes, and what they cost per hour."""

    pool: str
    nodes: Fraction
    per_hour: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """What one more replica needs: a part of a node of this price."""

    node_per_hour: Decimal
    per_node: int  # replicas that fit on one

    def per_hour(self, replicas: int) -> Decimal:
        """Of so many, on as few nodes as they fit on."""
        return self.node_per_hour * -(-replicas // self.per_node)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSum:
    """All nodes of a pool: their number, how much of them replicas use, and what they cost per hour."""

    nodes: int
    used: Fraction
    per_hour: Decimal | Missing

    @property
    def node_price(self) -> Decimal | Missing:
        """The mean."""
        return self.per_hour if isinstance(self.per_hour, Missing) else self.per_hour / self.nodes


def sums_of(splits: Iterable[NodeSplit]) -> dict[str, PoolSum]:
    """By pool."""
    found: dict[str, PoolSum] = {}
    for split in splits:
        used = sum(split.weights.values(), Fraction(0))
        one = PoolSum(nodes=1, used=used, per_hour=split.per_hour)
        before = found.get(split.node.pool)
        found[split.node.pool] = one if before is None else _added(before, one)
    return found


def _added(one: PoolSum, other: PoolSum) -> PoolSum:
    if isinstance(one.per_hour, Missing):
        per_hour: Decimal | Missing = one.per_hour
    elif isinstance(other.per_hour, Missing):
        per_hour = other.per_hour
    else:
        per_hour = one.per_hour + other.per_hour
    return PoolSum(nodes=one.nodes + other.nodes, used=one.used + other.used, per_hour=per_hour)


def parts_of(
    pods: Sequence[Pod], splits: Mapping[str, NodeSplit], pools: Mapping[str, PoolSum]
) -> tuple[PoolPart, ...] | Missing:
    """By pool. Missing where any price or node is not known."""
    ours: dict[str, Fraction] = defaultdict(Fraction)
    for pod in pods:
        split = splits.get(pod.node)
        if split is None or pod.uid not in split.weights:
            return Missing(
                reason=MissingReason.PRICE_UNKNOWN, detail=f"node {pod.node} is not known"
            )
        ours[split.node.pool] += split.weights[pod.uid]
    parts = []
    for pool, weight in sorted(ours.items()):
        part = _part(pool, weight, pools[pool])
        if isinstance(part, Missing):
            return part
        parts.append(part)
    return tuple(parts)


def _part(pool: str, weight: Fraction, whole: PoolSum) -> PoolPart | Missing:
    if isinstance(whole.per_hour, Missing):
        return whole.per_hour
    if whole.used == 0:
        return Missing(
            reason=MissingReason.PRICE_UNKNOWN, detail=f"replicas in pool {pool} request nothing"
        )
    part = weight / whole.used
    return PoolPart(
        pool=pool,
        nodes=part * whole.nodes,
        per_hour=whole.per_hour * part.numerator / part.denominator,
    )


def total_of(parts: Iterable[PoolPart]) -> Decimal:
    return sum((part.per_hour for part in parts), NOTHING)


def replica_of(pods: Sequence[Pod], splits: Mapping[str, NodeSplit]) -> Replica | Missing:
    """One more like those there, at the mean price of their nodes."""
    prices, weights = [], []
    for split in (splits[pod.node] for pod in pods if pod.node in splits):
        if isinstance(split.per_hour, Missing):
            return split.per_hour
        prices.append(split.per_hour)
    weights = [splits[p.node].weights[p.uid] for p in pods if p.node in splits]
    if not prices or not all(weights):
        return Missing(reason=MissingReason.PRICE_UNKNOWN, detail="no replica runs to be priced")
    return Replica(
        node_per_hour=sum(prices, NOTHING) / len(prices), per_node=max(int(1 / max(weights)), 1)
    )


def room_for(pods: Sequence[Pod], splits: Mapping[str, NodeSplit]) -> int:
    """Replicas like these that the nodes of their pools have room for beside what is there."""
    here = [(splits[pod.node], pod.uid) for pod in pods if pod.node in splits]
    weights = [split.weights[uid] for split, uid in here]
    if not weights or not all(weights):
        return 0
    pools = {split.node.pool for split, _ in here}
    free = (
        1 - sum(split.weights.values(), Fraction(0))
        for split in splits.values()
        if split.node.pool in pools
    )
    return sum(int(part / max(weights)) for part in free)


def emptied(pods: Sequence[Pod], splits: Mapping[str, NodeSplit], fewer: int) -> Decimal | Missing:
    """What goes per hour when so many replicas go: the nodes that then have no other pod either."""
    gone = NOTHING
    for one in islice(emptying(pods, splits), max(fewer, 0)):
        if isinstance(one, Missing):
            return one
        gone += one
    return gone


def emptying(pods: Sequence[Pod], splits: Mapping[str, NodeSplit]) -> Iterator[Decimal | Missing]:
    """What goes per hour with each replica, one after the other: the node that it leaves empty, or nothing.

    First go those that have most others of the policy on their node, as ReplicaSets choose.
    """
    here = Counter(pod.node for pod in pods if pod.node in splits)
    others = {
        name: max(len(splits[name].weights), splits[name].node.pods) - count
        for name, count in here.items()
    }
    for _ in range(sum(here.values())):
        crowded = max(here, key=lambda name: (here[name], name))
        here[crowded] -= 1
        if here[crowded]:
            yield NOTHING
            continue
        del here[crowded]
        price = splits[crowded].per_hour
        yield price if others[crowded] == 0 or isinstance(price, Missing) else NOTHING
