"""What a policy's replicas cost in whole nodes: a replica that goes and leaves its node there has saved nothing.

Who bears a node, also one that nobody uses, is told by `bearers.py`.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from inference_cost.account.shares import NodeSplit
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import Pod

NOTHING, NO_PART = Decimal(0), Fraction(0)
Free = Mapping[str, Mapping[Fraction, int]]  # by pool: what is left of a node, and of how many


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPart:
    """What a policy bears of one pool: whole nodes, and what they cost per hour."""

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


def node_prices(splits: Iterable[NodeSplit]) -> dict[str, Decimal]:
    """The mean of a pool's nodes, where all are known."""
    found: dict[str, list[Decimal | Missing]] = defaultdict(list)
    for split in splits:
        found[split.node.pool].append(split.per_hour)
    known = {
        pool: [one for one in prices if isinstance(one, Decimal)] for pool, prices in found.items()
    }
    return {
        pool: sum(prices, NOTHING) / len(prices)
        for pool, prices in known.items()
        if len(prices) == len(found[pool])
    }


def free_of(splits: Iterable[NodeSplit]) -> Free:
    """Once for all policies: each would go through all nodes of its pools, most of which are alike."""
    found: dict[str, Counter[Fraction]] = defaultdict(Counter)
    for split in splits:
        found[split.node.pool][max(1 - split.used, NO_PART)] += 1
    return found


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


def room_for(
    pods: Sequence[Pod],
    splits: Mapping[str, NodeSplit],
    free: Free,
    left: Collection[str] = (),
    known: Replica | None = None,
) -> int:
    """Replicas like these that the nodes of their pools have room for beside what is there.

    `left`: nodes that they left, whose pools have room for them, too; `known`: what one needs where none runs.
    """
    here = [(splits[pod.node], pod.uid) for pod in pods if pod.node in splits]
    weights = [split.weights[uid] for split, uid in here]
    if not weights and known is not None:
        weights = [Fraction(1, known.per_node)]
    if not weights or not all(weights):
        return 0
    pools = {split.node.pool for split, _ in here} | {
        splits[name].node.pool for name in left if name in splits
    }
    largest = max(weights)
    return sum(int(part / largest) * count for pool in pools for part, count in free[pool].items())


Removal = tuple[Sequence[Pod], int]  # replicas alike, and how many of them go


def emptied(removals: Sequence[Removal], splits: Mapping[str, NodeSplit]) -> Decimal | Missing:
    """What goes per hour with replicas: the nodes that then have no other pod either."""
    gone = NOTHING
    for one in _one_by_one(removals, splits):
        if isinstance(one, Missing):
            return one
        gone += one
    return gone


def emptying(pods: Sequence[Pod], splits: Mapping[str, NodeSplit]) -> Iterator[Decimal | Missing]:
    """What goes per hour with each replica, one after the other: the node that it leaves empty, or nothing."""
    return _one_by_one([(pods, len(pods))], splits)


def _one_by_one(
    removals: Sequence[Removal], splits: Mapping[str, NodeSplit]
) -> Iterator[Decimal | Missing]:
    ours = Counter(pod.node for pods, _ in removals for pod in pods if pod.node in splits)
    left = {
        name: max(splits[name].replicas, splits[name].node.pods, count)
        for name, count in ours.items()
    }
    for name in _losing(removals, splits):
        left[name] -= 1
        yield splits[name].per_hour if left[name] == 0 else NOTHING


def _losing(removals: Iterable[Removal], splits: Mapping[str, NodeSplit]) -> Iterator[str]:
    """The nodes that lose a replica each: first those with most others of its kind, as ReplicaSets choose."""
    for pods, fewer in removals:
        here = Counter(pod.node for pod in pods if pod.node in splits)
        for _ in range(min(fewer, sum(here.values()))):
            crowded = max(here, key=lambda name: (here[name], name))
            yield crowded
            here[crowded] -= 1
            if here[crowded] == 0:
                del here[crowded]


def bought(
    pods: Sequence[Pod],
    more: int,
    splits: Mapping[str, NodeSplit],
    left: Collection[str] = (),
    known: Replica | None = None,
    *,
    free: Free,
) -> Decimal | Missing:
    """Per hour, the new nodes of so many more replicas: they go where there is room first.

    `left`, `known`: as in `room_for`.
    """
    on_new = max(more - room_for(pods, splits, free, left, known), 0) if more else 0
    if on_new == 0:
        return NOTHING
    replica = replica_of(pods, splits)
    if isinstance(replica, Missing):
        return replica if known is None else known.per_hour(on_new)
    return replica.per_hour(on_new)
