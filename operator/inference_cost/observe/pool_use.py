"""CapacityPools with limits: what others use of them, and which workloads run nowhere else."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from inference_cost.decide.place import share_of
from inference_cost.model.money import HourlyPrice
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.workload import Node, NoWorkload, Pod, UsedByOthers, Workload
from inference_cost.observe.capacity_pools import DeclaredPool, binds
from inference_cost.observe.pods import is_finished
from inference_cost.observe.records import Labels, PodRecord

_ON_EVERY_NODE = "DaemonSet"


def limited(pools: Iterable[DeclaredPool]) -> tuple[DeclaredPool, ...]:
    return tuple(pool for pool in pools if pool.limits is not None)


def pinned(
    workload: Workload | NoWorkload, template_nodes: Labels, pools: Sequence[DeclaredPool]
) -> Workload | NoWorkload:
    """With the first of `pools` that its pod template keeps to."""
    if isinstance(workload, NoWorkload):
        return workload
    fits = (pool.name for pool in pools if binds(pool.match_labels, template_nodes))
    return replace(workload, pool=next(fits, ""))


def used_by_others(
    pools: Sequence[DeclaredPool],
    nodes: Mapping[str, Node],
    pods: Iterable[PodRecord],
    observations: Iterable[PolicyObservation],
) -> Mapping[str, UsedByOthers]:
    """By pool: what pods of no policy reserve. Those that run on every node leave room for what is placed there."""
    names = {pool.name for pool in pools}
    ours = {pod.uid for seen in observations for work in seen.workloads for pod in _pods(work)}
    used: dict[str, UsedByOthers] = {}
    for pod in pods:
        node = nodes.get(pod.node)
        if node is None or node.pool not in names or pod.uid in ours:
            continue
        if pod.owner_kind != _ON_EVERY_NODE and not is_finished(pod):
            used[node.pool] = _with(used.get(node.pool, UsedByOthers()), pod, node)
    return used


def _pods(workload: Workload | NoWorkload) -> Iterable[Pod]:
    return workload.pods if isinstance(workload, Workload) else ()


def _with(used: UsedByOthers, pod: PodRecord, node: Node) -> UsedByOthers:
    share = float(share_of(node, pod.gpus, pod.cpu_millicores, pod.memory_bytes))
    price = float(node.price.per_hour) if isinstance(node.price, HourlyPrice) else 0.0
    return UsedByOthers(nodes=used.nodes + share, per_hour=used.per_hour + share * price)
