"""When policies may rely on warm nodes: then a start takes as long as one on a node that is there."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from inference_cost.model.memory import PolicyMemory
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.placement import AtOnce
from inference_cost.model.policy import Variant
from inference_cost.model.warm import Holder, WarmBy, WarmMemory, WarmPool
from inference_cost.model.workload import Node, Workload

STARTS_NEEDED: Final = 3
USUAL: Final = 0.95  # of the starts, so many took no longer
REFILLED_WITHIN_STARTS: Final = 2.0  # cold ones: a node that does not come in that time may never


def with_cover(snapshot: Snapshot, memory: Mapping[str, WarmMemory]) -> Snapshot:
    """The snapshot that says of each pool whether policies may rely on what is free there."""
    if not snapshot.warm:
        return snapshot
    covered = {
        name: replace(pool, covered=_relied_on(pool, memory.get(name), snapshot))
        for name, pool in snapshot.warm.items()
    }
    return replace(snapshot, warm=MappingProxyType(covered))


def is_full(pool: WarmPool, wanted: int) -> bool:
    return 0 < wanted <= len(pool.free)


def free_since(one: Holder, pool: WarmPool, known: WarmMemory | None, at: float) -> float:
    """When what it holds could first be had.

    A node without a placeholder tells how old it is, and not since when it is empty: it counts since the first of the
    looks in a row that found it so.
    """
    if pool.asked is None or pool.asked.by is WarmBy.PLACEHOLDER:
        return one.ready_at or one.created_at
    return at if known is None else known.free.get(one.node, at)


def _relied_on(pool: WarmPool, known: WarmMemory | None, snapshot: Snapshot) -> bool:
    """Once all that is wanted was free for as long as a cold start takes, and until some is missing for twice as long.

    A node that is taken is ordered anew at once. Were policies to provide for cold starts in the meantime, all would
    order replicas on the nodes that are left.
    """
    if pool.spec is None or not pool.free:
        return False
    asked = 0 if pool.asked is None else pool.asked.replicas
    wanted = asked if known is None else known.wanted
    cold = snapshot.settings.start_up_seconds_prior if known is None else known.cold_seconds
    if is_full(pool, wanted):
        since = sorted(free_since(one, pool, known, snapshot.at) for one in pool.free)[wanted - 1]
        return (known is not None and known.relied) or snapshot.at - since >= cold
    if known is None or not known.relied or known.full_at is None:
        return False
    return snapshot.at - known.full_at <= REFILLED_WITHIN_STARTS * cold


def pool_of(variant: Variant, workload: Workload, nodes: Mapping[str, Node]) -> str:
    """The pool on which all its pods run, or that it names where none does; "" for several."""
    bound = (pod.node for pod in workload.pods if not pod.terminating)
    pools = {nodes[name].pool for name in bound if name in nodes}
    if not pools:
        return variant.pool
    return pools.pop() if len(pools) == 1 else ""


def shares(
    observation: PolicyObservation, memory: PolicyMemory, snapshot: Snapshot
) -> Mapping[str, tuple[tuple[Workload, AtOnce], ...]]:
    """By pool the workloads that the policy has there, and what it would ask of each at once, as last found."""
    pairs = zip(observation.policy.variants, observation.workloads, strict=True)
    there = [(variant, one) for variant, one in pairs if isinstance(one, Workload)]
    asked = {one.name: one.at_once for one in memory.placing.domains}
    if len(there) == 1:
        asked = {there[0][0].name: AtOnce(growth=1.0)}
    found: dict[str, tuple[tuple[Workload, AtOnce], ...]] = {}
    for variant, workload in there:
        pool = pool_of(variant, workload, snapshot.nodes)
        one = (workload, asked.get(variant.name, AtOnce()))
        found[pool] = (*found.get(pool, ()), one)
    return found


def warm_start_seconds(memory: PolicyMemory) -> float | None:
    """95th percentile on nodes that were free; None until some were seen."""
    seen = sorted(memory.warm.starts)
    if len(seen) < STARTS_NEEDED:
        return None
    return seen[min(int(USUAL * len(seen)), len(seen) - 1)]


def hot_start_seconds(
    observation: PolicyObservation, memory: PolicyMemory, snapshot: Snapshot, cold_seconds: float
) -> float:
    """From order to ready, for the room that a policy keeps itself: wherever more replicas would go, nodes wait."""
    if not any(pool.covered for pool in snapshot.warm.values()):
        return cold_seconds
    going = [
        name
        for name, there in shares(observation, memory, snapshot).items()
        if any(one.growth > 0 for _, one in there)
    ]
    covered = all(name in snapshot.warm and snapshot.warm[name].covered for name in going)
    seen = warm_start_seconds(memory)
    if not going or not covered or seen is None:
        return cold_seconds
    return min(seen, cold_seconds)
