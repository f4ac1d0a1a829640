"""Keeps a fleet in step with the pods of kwok nodes, as the API server shows them."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from e2e.rig.fleet_exporter.fleet import Fleet
from e2e.rig.fleet_exporter.pods import SimulatedPod, pod_key, read_pod
from e2e.rig.kube import Manifest
from e2e.rig.process_node.kubernetes_api import Changed, KubernetesApi, Listed, read_kubeconfig
from e2e.rig.prometheus import KWOK_NODE, NODE_KIND_LABEL

_log = logging.getLogger(__name__)


class SimulatedPods:
    """Pods on simulated nodes, put into the fleet; those of other nodes are left alone."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._nodes: set[str] = set()
        self._pods: dict[tuple[str, str], SimulatedPod] = {}

    def set_nodes(self, nodes: set[str]) -> None:
        """Names of the simulated nodes."""
        self._nodes = nodes
        for pod in list(self._pods.values()):
            self._tell(pod)

    def put(self, manifest: Manifest) -> None:
        """A pod is there, or has changed."""
        pod = read_pod(manifest)
        before = self._pods.get(pod.key)
        if pod.problem and (before is None or before.problem != pod.problem):
            _log.warning("pod %s/%s: %s", *pod.key, pod.problem)
        self._pods[pod.key] = pod
        self._tell(pod)

    def remove(self, key: tuple[str, str]) -> None:
        self._pods.pop(key, None)
        self._fleet.remove_pod(key)

    def replace(self, manifests: list[Manifest]) -> None:
        """These are all pods."""
        for key in self._pods.keys() - {pod_key(manifest) for manifest in manifests}:
            self.remove(key)
        for manifest in manifests:
            self.put(manifest)

    def _tell(self, pod: SimulatedPod) -> None:
        if pod.node in self._nodes:
            self._fleet.put_pod(pod)
        else:
            self._fleet.remove_pod(pod.key)


async def follow(kubeconfig: Path, fleet: Fleet, on_listed: Callable[[], None]) -> None:
    """Follow nodes and pods for ever; `on_listed` is called when all pods are known."""
    pods = SimulatedPods(fleet)
    async with KubernetesApi(read_kubeconfig(kubeconfig)) as api, asyncio.TaskGroup() as tasks:
        tasks.create_task(_follow_nodes(api, pods))
        tasks.create_task(_follow_pods(api, pods, on_listed))


async def _follow_nodes(api: KubernetesApi, pods: SimulatedPods) -> None:
    names: set[str] = set()
    selector = f"{NODE_KIND_LABEL}={KWOK_NODE}"
    async for news in api.follow("/api/v1/nodes", labelSelector=selector):
        match news:
            case Listed(items=items):
                names = {item["metadata"]["name"] for item in items}
            case Changed(kind="DELETED", object=node):
                names = names - {node["metadata"]["name"]}
            case Changed(object=node):
                if node["metadata"]["name"] in names:
                    continue
                names = names | {node["metadata"]["name"]}
        pods.set_nodes(names)


async def _follow_pods(
    api: KubernetesApi, pods: SimulatedPods, on_listed: Callable[[], None]
) -> None:
    async for news in api.follow("/api/v1/pods"):
        match news:
            case Listed(items=items):
                pods.replace(items)
                on_listed()
            case Changed(kind="DELETED", object=pod):
                pods.remove(pod_key(pod))
            case Changed(object=pod):
                pods.put(pod)
