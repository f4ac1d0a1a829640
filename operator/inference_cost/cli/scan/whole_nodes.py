"""What so many replicas of a workload cost in whole nodes: one that goes and leaves its node there saves nothing."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from math import ceil
from operator import sub

import numpy as np

from inference_cost.account.savings.whole_nodes import Replica, emptying, replica_of
from inference_cost.account.shares import NodeSplit
from inference_cost.cli.scan.signals import Floats
from inference_cost.model.reading import Missing
from inference_cost.model.workload import Pod

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCosts:
    """Per hour. `by_replicas[n]`: of n replicas, up to those of now; `more`: of one beyond these and `room`.

    `packed`: the same where those go that leave a node empty, in place of those that ReplicaSets choose; empty: alike.
    `nodes`: under the replicas of now, of which `kept` have pods of others. `pods_seen`: of all namespaces.
    """

    by_replicas: tuple[Decimal, ...]
    more: Replica
    packed: tuple[Decimal, ...] = ()
    room: int = 0
    nodes: int = 0
    kept: int = 0
    pods_seen: bool = True

    @property
    def replicas(self) -> int:
        return len(self.by_replicas) - 1

    @property
    def at_best(self) -> "NodeCosts":
        return replace(self, by_replicas=self.packed) if self.packed else self

    def of(self, replicas: int) -> Decimal:
        if replicas <= self.replicas:
            return self.by_replicas[replicas]
        beyond = max(replicas - self.replicas - self.room, 0)
        return self.by_replicas[-1] + self.more.per_hour(beyond)

    def over(self, replicas: Floats) -> Floats:
        """Of a mean of replicas: between whole numbers as between their costs."""
        counts = np.arange(ceil(float(replicas.max(initial=0.0))) + 1)
        costs = np.array([float(self.of(int(n))) for n in counts])
        found: Floats = np.interp(replicas, counts, costs)
        return found

    @property
    def words(self) -> str:
        if not self.nodes:
            return "each replica is taken to have a node of its own, which goes with it"
        kept = f", of which {self.kept} have other pods and stay" if self.kept else ""
        unseen = (
            "" if self.pods_seen else "; pods of other namespaces are not seen, and may keep more"
        )
        return (
            f"a node is paid for until it is empty, and those go that ReplicaSets choose: {self.replicas} replicas are "
            f"on {self.nodes} nodes{kept}, and new nodes take {self.more.per_node} each{unseen}"
        )


def a_node_each(per_hour: Decimal) -> NodeCosts:
    """Where nobody sees on which nodes they are."""
    return NodeCosts(by_replicas=(NOTHING,), more=Replica(node_per_hour=per_hour, per_node=1))


def node_costs(
    pods: Sequence[Pod], splits: Mapping[str, NodeSplit], *, pods_seen: bool
) -> NodeCosts | None:
    """Of nodes with pods of others what these leave is paid; nodes of one's own are paid for whole.

    None where no pod is on a node, or a price or a request is not known.
    """
    replica = replica_of(pods, splits)
    going = list(emptying(pods, splits))
    if isinstance(replica, Missing) or len(going) < len(pods):
        return None
    here = Counter(pod.node for pod in pods)
    own = frozenset(name for name, count in here.items() if _pods_on(splits[name]) <= count)
    whole = _paid(pods, splits, own)
    known = [one for one in going if isinstance(one, Decimal)]
    if isinstance(whole, Missing) or len(known) < len(going):
        return None
    return NodeCosts(
        by_replicas=_left(whole, known),
        packed=_left(whole, _packed(here, splits, own)),
        more=replica,
        room=sum(_room(splits[name], pods) for name in own),
        nodes=len(here),
        kept=len(here) - len(own),
        pods_seen=pods_seen,
    )


def _left(whole: Decimal, going: Iterable[Decimal]) -> tuple[Decimal, ...]:
    """Of no replica, of one …, of all: `going` is what goes with each, one after the other."""
    return tuple(reversed(list(accumulate(going, sub, initial=whole))))


def _packed(
    here: Mapping[str, int], splits: Mapping[str, NodeSplit], own: frozenset[str]
) -> Iterator[Decimal]:
    """Node by node, first those that few replicas keep; last those that others keep anyway."""
    for name in sorted(here, key=lambda one: (one not in own, here[one], one)):
        price = splits[name].per_hour
        goes = price if name in own and isinstance(price, Decimal) else NOTHING
        yield from (*(NOTHING,) * (here[name] - 1), goes)


def _pods_on(split: NodeSplit) -> int:
    """That keep it, as far as they are seen."""
    return max(len(split.weights), split.node.pods)


def _paid(
    pods: Sequence[Pod], splits: Mapping[str, NodeSplit], own: frozenset[str]
) -> Decimal | Missing:
    amounts = [splits[name].per_hour for name in own]
    amounts += [splits[pod.node].shares[pod.uid] for pod in pods if pod.node not in own]
    known = [one for one in amounts if isinstance(one, Decimal)]
    missing = [one for one in amounts if isinstance(one, Missing)]
    return missing[0] if missing else sum(known, NOTHING)


def _room(split: NodeSplit, pods: Sequence[Pod]) -> int:
    """Replicas more that fit on it."""
    weights = [split.weights[pod.uid] for pod in pods if pod.uid in split.weights]
    return int((1 - sum(split.weights.values(), Fraction(0))) / max(weights))
