"""Warm nodes as they are: the placeholders of each CapacityPool, and who else runs on its nodes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from inference_cost.api.placeholders import POOL_LABEL, TEMPLATE_LABEL, placeholder_name
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.warm import Asked, Holder, Toleration, WarmPool
from inference_cost.model.workload import Node, Workload
from inference_cost.observe.capacity_pools import DeclaredPool
from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.kinds import CAPACITY_POOL
from inference_cost.observe.pods import is_finished
from inference_cost.observe.records import NodeRecord, PodRecord, ScaleTargetRecord

# Taints that say what becomes of a node rather than who may run there.
_OF_THE_MOMENT: Final = (
    *("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/", "karpenter.sh/"),
    *("aws-node-termination-handler/", "cloud.google.com/impending-node-termination"),
    *("ToBeDeletedByClusterAutoscaler", "DeletionCandidateOfClusterAutoscaler"),
    *("ignore-taint.cluster-autoscaler.kubernetes.io/", "startup-taint.cluster-autoscaler"),
    "remediator.kubernetes.azure.com/",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """The CapacityPools. `unused`: names of those that are there, and whose spec cannot be followed."""

    pools: tuple[DeclaredPool, ...]
    unused: frozenset[str] = frozenset()


def warm_pools(
    declared: Declared,
    cache: ClusterCache,
    nodes: Mapping[str, Node],
    observations: Sequence[PolicyObservation],
    namespace: str,
) -> Mapping[str, WarmPool]:
    """By pool: those that ask for warm nodes, and those that still have placeholders in `namespace`.

    Empty as long as the pools cannot be read: placeholders of a pool that is not seen must stay.
    """
    if CAPACITY_POOL.kind in cache.unavailable:
        return MappingProxyType({})
    placeholders = {record.name: record for record in _placeholders(cache, namespace)}
    asking = {pool.name: pool for pool in declared.pools}
    names = {placeholder_name(name): name for name in (*asking, *declared.unused)}
    wanted = {name for name, pool in asking.items() if pool.warm is not None}
    wanted |= {
        names.get(one.name, one.template_labels[POOL_LABEL]) for one in placeholders.values()
    }
    wanted -= declared.unused
    if not wanted:
        return MappingProxyType({})
    others = _nodes_of_others(cache, nodes, observations, namespace)
    made = {
        name: _warm_pool(name, asking.get(name), placeholders.get(placeholder_name(name)))
        for name in sorted(wanted)
    }
    return MappingProxyType(
        {
            name: _with_nodes(pool, cache, namespace, _of_pool(name, nodes), others)
            for name, pool in made.items()
        }
    )


def _placeholders(cache: ClusterCache, namespace: str) -> Iterator[ScaleTargetRecord]:
    for record in cache.scale_targets(namespace):
        if record.kind == "Deployment" and POOL_LABEL in record.template_labels:
            yield record


def _of_pool(name: str, nodes: Mapping[str, Node]) -> list[Node]:
    return [node for node in nodes.values() if node.pool == name]


def _warm_pool(
    name: str, declared: DeclaredPool | None, placeholder: ScaleTargetRecord | None
) -> WarmPool:
    asked = None if placeholder is None else _asked(placeholder)
    if declared is None:
        return WarmPool(name=name, spec=None, asked=asked)
    return WarmPool(
        name=name,
        spec=declared.warm,
        match_labels=MappingProxyType(dict(declared.match_labels)),
        asked=asked,
        paused=declared.paused,
    )


def _with_nodes(
    pool: WarmPool,
    cache: ClusterCache,
    namespace: str,
    nodes: Sequence[Node],
    others: frozenset[str],
) -> WarmPool:
    records = [found for node in nodes if (found := cache.node(node.name)) is not None]
    asked = pool.asked
    return replace(
        pool,
        tolerations=_tolerations(records),
        holders=() if asked is None else tuple(_holders(cache, namespace, asked.name, nodes)),
        others=others & {node.name for node in nodes},
    )


def _asked(record: ScaleTargetRecord) -> Asked:
    return Asked(
        name=record.name,
        uid=record.uid,
        replicas=record.desired_replicas,
        template=record.template_labels.get(TEMPLATE_LABEL, ""),
        refusal=record.replica_failure,
    )


def _holders(
    cache: ClusterCache, namespace: str, deployment: str, nodes: Sequence[Node]
) -> Iterator[Holder]:
    """On a node that is not ready or about to go a placeholder holds nothing."""
    staying = {node.name for node in nodes if node.ready and not node.leaving}
    for pod in cache.pods_of_workload(namespace, deployment):
        if pod.terminating or is_finished(pod) or (pod.node and pod.node not in staying):
            continue
        yield Holder(
            uid=pod.uid,
            node=pod.node,
            created_at=pod.created_at,
            ready_at=pod.ready_at,
            trouble=pod.waiting_reason,
            name=pod.name,
            gpus=pod.gpus,
            cpu_millicores=pod.cpu_millicores,
            memory_bytes=pod.memory_bytes,
        )


def _nodes_of_others(
    cache: ClusterCache,
    nodes: Mapping[str, Node],
    observations: Sequence[PolicyObservation],
    namespace: str,
) -> frozenset[str]:
    """Nodes with a pod on a GPU that is neither a policy's nor a placeholder."""
    ours = {
        pod.uid
        for seen in observations
        for workload in seen.workloads
        if isinstance(workload, Workload)
        for pod in workload.pods
    }
    return frozenset(
        pod.node
        for pod in cache.all_pods()
        if pod.gpus and pod.node in nodes and pod.uid not in ours and _counts(pod, namespace)
    )


def _counts(pod: PodRecord, namespace: str) -> bool:
    return not (is_placeholder(pod, namespace) or pod.terminating or is_finished(pod))


def is_placeholder(pod: PodRecord, namespace: str) -> bool:
    """Of ours: whoever wants its place has it."""
    return pod.namespace == namespace and POOL_LABEL in pod.labels


def _tolerations(records: Sequence[NodeRecord]) -> tuple[Toleration, ...]:
    """Of the taints that all of the nodes have; a node of the moment has others, too."""
    common = set(records[0].taints) if records else set()
    for record in records[1:]:
        common &= set(record.taints)
    return tuple(
        Toleration(key=key, value=value, effect=effect)
        for key, value, effect in sorted(common)
        if not key.startswith(_OF_THE_MOMENT)
    )
