"""Who bears which node as a whole: those who run on it, and after that those who ran on it last.

- A node with replicas is borne by their policies in proportion to what they use of it, its unused rest included.
- A node that they left stays theirs, in these proportions, until it is gone, kept ready for all, or somebody else
  comes: a replica of another policy, or a pod of nobody that was not there before.
- An empty node that nobody is known to have used is borne by those who use its pool, in proportion.
- Of a node that is kept ready nobody bears more than replicas request of it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from inference_cost.account.savings.whole_nodes import PoolPart
from inference_cost.account.shares import NodeSplit
from inference_cost.model.policy import PolicyKey
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import Node, Pod

MOST_KEPT = 1000  # nodes per policy; a checkpoint has an end
NOTHING = Fraction(0)
Replicas = Mapping[PolicyKey, Sequence[Pod]]  # bound ones


@dataclass(frozen=True, slots=True, kw_only=True)
class LastUse:
    """A node that a policy's replicas run on, or were the last to run on.

    `created_at`: of the node, whose name may come back. `part`: of what replicas use of it, the policy's. `strangers`:
    pods that no policy manages, on it since then.
    """

    node: str
    created_at: float
    part: Fraction
    strangers: int


LastUses = Mapping[PolicyKey, Sequence[LastUse]]


def left_nodes(
    before: LastUses, replicas: Replicas, nodes: Mapping[str, Node], held: AbstractSet[str]
) -> dict[PolicyKey, tuple[LastUse, ...]]:
    """Of what was used last, the nodes that nobody uses now and that are still there."""
    used = {pod.node for pods in replicas.values() for pod in pods} | held
    return {
        key: tuple(
            replace(one, strangers=nodes[one.node].pods)
            for one in before.get(key, ())
            if one.node not in used and _same(one, nodes.get(one.node))
        )
        for key in replicas
    }


def _same(one: LastUse, node: Node | None) -> bool:
    """Still there, and nobody came."""
    return node is not None and node.created_at == one.created_at and node.pods <= one.strangers


def last_uses(
    replicas: Replicas, splits: Mapping[str, NodeSplit], left: LastUses
) -> dict[PolicyKey, tuple[LastUse, ...]]:
    """To remember: what is left, and what is used now."""
    on_node = _by_node(replicas)
    used: dict[PolicyKey, list[LastUse]] = defaultdict(list)
    for name in sorted(on_node.keys() & splits.keys()):
        split = splits[name]
        staying = sum(not pod.terminating for pods in on_node[name].values() for pod in pods)
        for key, part in _in_proportion(split, on_node[name]).items():
            used[key].append(
                LastUse(
                    node=name,
                    created_at=split.node.created_at,
                    part=part,
                    strangers=max(split.node.pods - staying, 0),
                )
            )
    return {key: (*left.get(key, ()), *used[key])[:MOST_KEPT] for key in replicas}


def _by_node(replicas: Replicas) -> dict[str, dict[PolicyKey, list[Pod]]]:
    found: dict[str, dict[PolicyKey, list[Pod]]] = defaultdict(lambda: defaultdict(list))
    for key, pods in replicas.items():
        for pod in pods:
            found[pod.node][key].append(pod)
    return found


def _in_proportion(
    split: NodeSplit, pods: Mapping[PolicyKey, Sequence[Pod]]
) -> dict[PolicyKey, Fraction]:
    """Adds up to one; by heads where nobody requests anything."""
    weights = {key: _weight(split, some) for key, some in pods.items()}
    if not any(weights.values()):
        weights = {key: Fraction(len(some)) for key, some in pods.items()}
    total = sum(weights.values(), NOTHING)
    return {key: weight / total for key, weight in weights.items()}


def _weight(split: NodeSplit, pods: Iterable[Pod]) -> Fraction:
    return sum((split.weights[pod.uid] for pod in pods), NOTHING)


def parts_by_policy(
    replicas: Replicas, splits: Mapping[str, NodeSplit], left: LastUses, held: AbstractSet[str]
) -> dict[PolicyKey, tuple[PoolPart, ...] | Missing]:
    """Whole nodes by pool, and what they cost. Missing where a price or a node of the policy is not known."""
    found: dict[PolicyKey, list[tuple[NodeSplit, Fraction]]] = {key: [] for key in replicas}
    for split, key, part in _borne(_by_node(replicas), splits, left, held):
        found[key].append((split, part))
    return {
        key: _lost(replicas[key], splits) or _idle_requests(replicas[key], splits) or _parts(borne)
        for key, borne in found.items()
    }


def _borne(
    on_node: Mapping[str, Mapping[PolicyKey, Sequence[Pod]]],
    splits: Mapping[str, NodeSplit],
    left: LastUses,
    held: AbstractSet[str],
) -> Iterator[tuple[NodeSplit, PolicyKey, Fraction]]:
    leavers = _leavers(left)
    use: dict[str, dict[PolicyKey, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    spare: list[NodeSplit] = []
    for name, split in splits.items():
        if name in on_node:
            weights = {key: _weight(split, pods) for key, pods in on_node[name].items()}
            parts = weights if name in held else _in_proportion(split, on_node[name])
            for key, weight in weights.items():
                use[split.node.pool][key] += weight
        else:
            parts = leavers.get(name, {})
            if not parts and name not in held and split.node.pods == 0:
                spare.append(split)
        yield from ((split, key, part) for key, part in parts.items())
    for split in spare:
        total = sum(use[split.node.pool].values(), NOTHING)
        for key, weight in use[split.node.pool].items():
            yield split, key, weight / total if total else NOTHING


def _leavers(left: LastUses) -> dict[str, dict[PolicyKey, Fraction]]:
    """By node. Memories of different ages may disagree: together they bear no more than the node."""
    found: dict[str, dict[PolicyKey, Fraction]] = defaultdict(dict)
    for key, uses in left.items():
        for one in uses:
            found[one.node][key] = one.part
    return {
        node: {
            key: part / max(sum(parts.values(), NOTHING), Fraction(1))
            for key, part in parts.items()
        }
        for node, parts in found.items()
    }


def _lost(pods: Sequence[Pod], splits: Mapping[str, NodeSplit]) -> Missing | None:
    lost = next((pod.node for pod in pods if pod.node not in splits), None)
    if lost is None:
        return None
    return Missing(reason=MissingReason.PRICE_UNKNOWN, detail=f"node {lost} is not known")


def _idle_requests(pods: Sequence[Pod], splits: Mapping[str, NodeSplit]) -> Missing | None:
    """Where a policy's replicas request nothing there is no proportion."""
    if not pods or any(splits[pod.node].weights[pod.uid] for pod in pods):
        return None
    pool = splits[pods[0].node].node.pool
    return Missing(
        reason=MissingReason.PRICE_UNKNOWN, detail=f"replicas in pool {pool} request nothing"
    )


def _parts(borne: Iterable[tuple[NodeSplit, Fraction]]) -> tuple[PoolPart, ...] | Missing:
    nodes: dict[str, Fraction] = defaultdict(Fraction)
    costs: dict[str, Decimal] = defaultdict(Decimal)
    for split, part in borne:
        if part == 0:
            continue
        if isinstance(split.per_hour, Missing):
            return split.per_hour
        pool = split.node.pool
        nodes[pool] += part
        costs[pool] += split.per_hour * part.numerator / part.denominator
    return tuple(
        PoolPart(pool=pool, nodes=nodes[pool], per_hour=costs[pool]) for pool in sorted(nodes)
    )
