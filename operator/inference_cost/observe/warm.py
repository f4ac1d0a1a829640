"""Warm nodes as they are: the placeholders of each CapacityPool, and who else runs on its nodes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from inference_cost.api.placeholders import POOL_LABEL, TEMPLATE_LABEL, placeholder_name
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.warm import Asked, Holder, Toleration, WarmBy, WarmPool, WarmSpec
from inference_cost.model.workload import Node, Workload
from inference_cost.observe.capacity_buffers import asked_of, kept_empty, unserved
from inference_cost.observe.capacity_pools import DeclaredPool
from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.kinds import CAPACITY_BUFFER, CAPACITY_POOL
from inference_cost.observe.pods import is_finished
from inference_cost.observe.records import NodeRecord, PodRecord, ScaleTargetRecord

# Taints that say what becomes of a node rather than who may run there.
_OF_THE_MOMENT: Final = (
    *("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/", "karpenter.sh/"),
    *("aws-node-termination-handler/", "cloud.google.com/impending-node-termination"),
    *("ToBeDeletedByClusterAutoscaler", "DeletionCandidateOfClusterAutoscaler"),
    *("ignore-taint.cluster-autoscaler.kubernetes.io/", "startup-taint.cluster-autoscaler"),
    "remediator.kubernetes.azure.com/",
    # Of agents that take them off once they run.
    *("node.cilium.io/", "ebs.csi.aws.com/", "efs.csi.aws.com/"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """The CapacityPools. `unused`: names of those that are there, and whose spec cannot be followed."""

    pools: tuple[DeclaredPool, ...]
    unused: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Running:
    """Nodes with pods on a GPU, but for placeholders. `others`: of those, with pods of no policy that stay."""

    busy: frozenset[str]
    others: frozenset[str]


def warm_pools(
    declared: Declared,
    cache: ClusterCache,
    nodes: Mapping[str, Node],
    observations: Sequence[PolicyObservation],
    namespace: str,
) -> Mapping[str, WarmPool]:
    """By pool: those that ask for warm nodes, and those that still have placeholders or a buffer in `namespace`.

    Empty as long as the pools cannot be read: placeholders of a pool that is not seen must stay.
    """
    if CAPACITY_POOL.kind in cache.unavailable:
        return MappingProxyType({})
    labels = dict(_labelled(cache, namespace))
    stored = _stored(cache, namespace)
    asking = {pool.name: pool for pool in declared.pools}
    names = {placeholder_name(name): name for name in (*asking, *declared.unused)}
    wanted = {name for name, pool in asking.items() if pool.warm is not None}
    wanted |= {names.get(name, label) for name, label in labels.items()}
    wanted -= declared.unused
    if not wanted:
        return MappingProxyType({})
    running = _running(cache, nodes, observations, namespace)
    made = {
        name: _warm_pool(name, asking.get(name), stored.get(placeholder_name(name), {}), cache)
        for name in sorted(wanted)
    }
    return MappingProxyType(
        {
            name: _with_nodes(pool, cache, namespace, _of_pool(name, nodes), running)
            for name, pool in made.items()
        }
    )


def _labelled(cache: ClusterCache, namespace: str) -> Iterator[tuple[str, str]]:
    """Name and pool, as its label has it, of all that keeps nodes."""
    for record in _placeholders(cache, namespace):
        yield record.name, record.template_labels[POOL_LABEL]
    for buffer in cache.capacity_buffers(namespace):
        if POOL_LABEL in buffer.labels:
            yield buffer.name, buffer.labels[POOL_LABEL]


def _stored(cache: ClusterCache, namespace: str) -> Mapping[str, Mapping[WarmBy, Asked]]:
    found: dict[str, dict[WarmBy, Asked]] = {}
    ours = (one for one in cache.capacity_buffers(namespace) if POOL_LABEL in one.labels)
    placeholders = (_asked(one) for one in _placeholders(cache, namespace))
    for asked in (*placeholders, *map(asked_of, ours)):
        found.setdefault(asked.name, {})[asked.by] = asked
    return found


def _placeholders(cache: ClusterCache, namespace: str) -> Iterator[ScaleTargetRecord]:
    for record in cache.scale_targets(namespace):
        if record.kind == "Deployment" and POOL_LABEL in record.template_labels:
            yield record


def _of_pool(name: str, nodes: Mapping[str, Node]) -> list[Node]:
    return [node for node in nodes.values() if node.pool == name]


def _warm_pool(
    name: str,
    declared: DeclaredPool | None,
    stored: Mapping[WarmBy, Asked],
    cache: ClusterCache,
) -> WarmPool:
    spec = None if declared is None else declared.warm
    by = next(iter(stored), WarmBy.PLACEHOLDER) if spec is None else spec.by
    return WarmPool(
        name=name,
        spec=spec,
        match_labels=MappingProxyType({} if declared is None else dict(declared.match_labels)),
        asked=stored.get(by),
        former=next((asked for other, asked in stored.items() if other is not by), None),
        paused=declared is not None and declared.paused,
        unserved=_unserved(spec, cache),
    )


def _unserved(spec: WarmSpec | None, cache: ClusterCache) -> str:
    if spec is None or spec.by is not WarmBy.CAPACITY_BUFFER:
        return ""
    why = cache.unavailable.get(CAPACITY_BUFFER.kind)
    return "" if why is None else unserved(why)


def _with_nodes(
    pool: WarmPool,
    cache: ClusterCache,
    namespace: str,
    nodes: Sequence[Node],
    running: _Running,
) -> WarmPool:
    records = [found for node in nodes if (found := cache.node(node.name)) is not None]
    holders: Iterator[Holder] = iter(())
    if pool.asked is not None and pool.asked.by is WarmBy.CAPACITY_BUFFER:
        holders = kept_empty(pool.asked, nodes, running.busy)
    elif pool.asked is not None:
        holders = _holders(cache, namespace, pool.asked.name, nodes)
    return replace(
        pool,
        tolerations=_tolerations(records),
        holders=tuple(holders),
        others=running.others & {node.name for node in nodes},
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


def _running(
    cache: ClusterCache,
    nodes: Mapping[str, Node],
    observations: Sequence[PolicyObservation],
    namespace: str,
) -> _Running:
    ours = {
        pod.uid
        for seen in observations
        for workload in seen.workloads
        if isinstance(workload, Workload)
        for pod in workload.pods
    }
    pods = [pod for pod in cache.all_pods() if pod.gpus and pod.node in nodes]
    held = [pod for pod in pods if not (is_placeholder(pod, namespace) or is_finished(pod))]
    return _Running(
        busy=frozenset(pod.node for pod in held),
        others=frozenset(pod.node for pod in held if pod.uid not in ours and not pod.terminating),
    )


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
