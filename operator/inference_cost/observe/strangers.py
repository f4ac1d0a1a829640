"""Who else runs on nodes with GPUs: pods of no policy that hold no place for its replicas either."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from inference_cost.model.observation import PolicyObservation
from inference_cost.model.workload import Node, Pod, Stranger, Workload
from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.pods import is_finished, is_system
from inference_cost.observe.warm import is_placeholder


def strangers(
    cache: ClusterCache,
    nodes: Mapping[str, Node],
    observations: Sequence[PolicyObservation],
    namespace: str,
) -> Mapping[str, tuple[Stranger, ...]]:
    """By node. `namespace`: of the placeholders."""
    ours = {pod.uid for seen in observations for pod in _pods(seen)}
    found = {
        name: tuple(_on(cache, name, ours, namespace))
        for name, node in nodes.items()
        if node.allocatable_gpus or node.gpu_product
    }
    return MappingProxyType({name: some for name, some in found.items() if some})


def _pods(seen: PolicyObservation) -> Iterator[Pod]:
    return (pod for work in seen.workloads if isinstance(work, Workload) for pod in work.pods)


def _on(cache: ClusterCache, node: str, ours: set[str], namespace: str) -> Iterator[Stranger]:
    for pod in cache.pods_of_node(node):
        if pod.uid in ours or is_placeholder(pod, namespace) or is_finished(pod):
            continue
        yield Stranger(
            name=pod.name,
            uid=pod.uid,
            gpus=pod.gpus,
            cpu_millicores=pod.cpu_millicores,
            memory_bytes=pod.memory_bytes,
            system=is_system(pod),
        )
