"""Limits of pools as bounds, and what a replica takes of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from inference_cost.decide.mix.prices import price_of
from inference_cost.decide.place import share_of
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.workload import Node, Pod, Pool, Workload

NODES = "nodes"
HOURLY_COST = "hourlyCost"
ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One limit of one pool. `most`: nodes or cost per hour; `others`: what pods of no policy use of it."""

    pool: str
    limit: str
    most: float
    others: float


@dataclass(frozen=True, slots=True)
class Limits:
    """All bounds, those of each pool with their numbers, and the nodes there are in them, one of each kind."""

    bounds: tuple[Bound, ...]
    pools: Mapping[str, tuple[tuple[int, Bound], ...]]
    snapshot: Snapshot
    kinds: Mapping[str, tuple[Node, ...]]
    _shares: dict[tuple[str, int, int, int], float] = field(default_factory=dict)

    def uses(
        self, pool: str, workload: Workload, siblings: Sequence[Workload], price: float | None
    ) -> tuple[tuple[int, float], ...]:
        """Of one replica, by the number of the bound. A price that is not known takes nothing of a cost."""
        shape = next((pod for one in (workload, *siblings) for pod in one.pods), None)
        of_one = {NODES: self._share(pool, shape), HOURLY_COST: price or 0.0}
        return tuple(
            (i, of_one[bound.limit]) for i, bound in self.pools[pool] if of_one[bound.limit] > 0
        )

    def price(self, pool: str, workload: Workload) -> float | None:
        snapshot = self.snapshot
        known = price_of(
            workload, [workload], snapshot.nodes, snapshot.pools.get(pool), None, snapshot.at
        )
        return None if known is None else known.per_hour

    def _share(self, pool: str, shape: Pod | None) -> float:
        """Of a node: one that takes 0.4 of it leaves room for one more and not for one and a half."""
        if shape is None:
            return 1.0
        key = (pool, shape.gpus, shape.cpu_millicores, shape.memory_bytes)
        if key not in self._shares:
            self._shares[key] = max(
                (_share_on(node, shape) for node in self.kinds.get(pool, ())), default=1.0
            )
        return self._shares[key]


def _share_on(node: Node, shape: Pod) -> float:
    share = float(share_of(node, shape.gpus, shape.cpu_millicores, shape.memory_bytes))
    return 1.0 if share <= 0 else 1.0 / int(1.0 / share + ROUNDING)


def limited_pools(snapshot: Snapshot) -> frozenset[str]:
    return frozenset(pool.name for pool in snapshot.pools.values() if pool.limits is not None)


def may_use(seen: PolicyObservation, snapshot: Snapshot) -> bool:
    """Whether any of its workloads asks for room in a pool with limits."""
    return any(pool_of(seen, number, snapshot) for number in range(len(seen.workloads)))


def pool_of(seen: PolicyObservation, number: int, snapshot: Snapshot) -> str:
    """Of the policy's workloads: the pool with limits that its next replica is asked of; "" where there is none.

    Where the policy or the pod template tells it; of one workload alone also where all its pods are there.
    """
    workload, variant = seen.workloads[number], seen.policy.variants[number]
    if not isinstance(workload, Workload):
        return ""
    told = variant.pool or workload.pool
    if not told and len(seen.policy.variants) == 1:
        nodes = (snapshot.nodes.get(pod.node) for pod in workload.pods if pod.node)
        found = {"" if node is None else node.pool for node in nodes}
        told = found.pop() if len(found) == 1 else ""
    pool = snapshot.pools.get(told)
    return "" if pool is None or pool.limits is None else told


def limits_of(snapshot: Snapshot) -> Limits | None:
    """None where no pool has any."""
    bounds = tuple(bound for pool in snapshot.pools.values() for bound in _bounds(pool))
    if not bounds:
        return None
    numbered = tuple(enumerate(bounds))
    names = {bound.pool for bound in bounds}
    kinds: dict[str, dict[tuple[int, int, int], Node]] = {name: {} for name in names}
    for node in snapshot.nodes.values():
        if node.pool in names:
            kinds[node.pool].setdefault(_size(node), node)
    for name in names:
        if not kinds[name]:  # what nodes there would be like
            kinds[name] = {_size(node): node for node in snapshot.pools[name].examples}
    return Limits(
        bounds=bounds,
        pools={name: tuple(one for one in numbered if one[1].pool == name) for name in names},
        snapshot=snapshot,
        kinds={name: tuple(found.values()) for name, found in kinds.items()},
    )


def _size(node: Node) -> tuple[int, int, int]:
    return node.allocatable_gpus, node.allocatable_cpu_millicores, node.allocatable_memory_bytes


def _bounds(pool: Pool) -> Iterable[Bound]:
    if pool.limits is None:
        return
    if pool.limits.nodes is not None:
        nodes = float(pool.limits.nodes)
        yield Bound(pool=pool.name, limit=NODES, most=nodes, others=pool.others.nodes)
    if pool.limits.per_hour is not None:
        most = float(pool.limits.per_hour)
        yield Bound(pool=pool.name, limit=HOURLY_COST, most=most, others=pool.others.per_hour)
