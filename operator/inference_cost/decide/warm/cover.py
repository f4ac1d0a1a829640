"""When policies may rely on warm nodes: then a start takes as long as one on a node that is there."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from inference_cost.model.memory import PolicyMemory
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.warm import WarmMemory, WarmPool
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
        since = sorted(one.ready_at or one.created_at for one in pool.free)[wanted - 1]
        return (known is not None and known.relied) or snapshot.at - since >= cold
    if known is None or not known.relied or known.full_at is None:
        return False
    return snapshot.at - known.full_at <= REFILLED_WITHIN_STARTS * cold


def warm_pool_of(observation: PolicyObservation, snapshot: Snapshot) -> WarmPool | None:
    """The pool with warm nodes on which all pods of the policy run.

    One with several variants has none: where its next replica lands is decided anew at each look.
    """
    if not snapshot.warm or len(observation.workloads) != 1:
        return None
    workload = observation.workloads[0]
    if not isinstance(workload, Workload):
        return None
    pools = _pools(workload, snapshot.nodes)
    name = pools.pop() if len(pools) == 1 else ""
    if not pools and not name:
        name = observation.policy.variants[0].pool
    return snapshot.warm.get(name)


def _pools(workload: Workload, nodes: Mapping[str, Node]) -> set[str]:
    bound = (pod.node for pod in workload.pods if not pod.terminating)
    return {nodes[name].pool for name in bound if name in nodes}


def warm_start_seconds(memory: PolicyMemory) -> float | None:
    """95th percentile on nodes that were free; None until some were seen."""
    seen = sorted(memory.warm.starts)
    if len(seen) < STARTS_NEEDED:
        return None
    return seen[min(int(USUAL * len(seen)), len(seen) - 1)]


def hot_start_seconds(
    observation: PolicyObservation, memory: PolicyMemory, snapshot: Snapshot, cold_seconds: float
) -> float:
    """From order to ready, for the room that a policy keeps itself."""
    pool = warm_pool_of(observation, snapshot)
    seen = warm_start_seconds(memory)
    if pool is None or not pool.covered or seen is None:
        return cold_seconds
    return min(seen, cold_seconds)
