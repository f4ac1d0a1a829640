"""Many process nodes in one program, added and removed while it runs."""

import asyncio
import logging
from pathlib import Path
from typing import Self

from e2e.rig.process_node.addresses_in_use import PodAddresses
from e2e.rig.process_node.kubernetes_api import Changed, KubernetesApi, Listed
from e2e.rig.process_node.launch import mount_namespaces_available
from e2e.rig.process_node.node import ProcessNode
from e2e.rig.process_node.node_object import NodeSpec
from e2e.rig.process_node.settings import NODE_KIND_LABEL, NodeSettings
from e2e.rig.process_node.tasks import log_failure

LOG = logging.getLogger(__name__)


class ProcessNodeHost:
    """Hosts process nodes; use as an asynchronous context manager.

    A Node object that anyone deletes takes its machine with it: the processes on it are killed.
    On exit every process is killed and the Node objects stay, as after a power cut.
    """

    def __init__(self, api: KubernetesApi, settings: NodeSettings) -> None:
        self._api = api
        self._settings = settings
        self._addresses = PodAddresses(settings.pods)
        self._nodes: dict[str, ProcessNode] = {}

    async def __aenter__(self) -> Self:
        self._following = asyncio.create_task(self._follow_nodes())
        self._following.add_done_callback(log_failure)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._following.cancel()
        await asyncio.gather(self._following, return_exceptions=True)
        await asyncio.gather(*(self.crash(name) for name in list(self._nodes)))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._nodes)

    def spec_of(self, name: str) -> NodeSpec:
        return self._nodes[name].spec

    async def add(self, spec: NodeSpec) -> None:
        """Register a node; it is Ready when this returns."""
        node = ProcessNode(spec, api=self._api, settings=self._settings, addresses=self._addresses)
        self._nodes[spec.name] = node
        await node.start()
        LOG.info("node %s is up", spec.name)

    async def remove(self, name: str) -> None:
        """Delete the Node object and switch the node off."""
        await self._api.delete(f"/api/v1/nodes/{name}")
        await self.crash(name)

    async def crash(self, name: str) -> None:
        """Switch a node off without a word to the API server, as when it loses its power."""
        node = self._nodes.pop(name, None)
        if node is not None:
            await node.power_off()
            LOG.info("node %s is off", name)

    async def _follow_nodes(self) -> None:
        """Switch off nodes whose object disappears after it was seen.

        A node missing in a list may have been registered after that list was made.
        """
        selector = f"{NODE_KIND_LABEL}=process"
        seen: set[str] = set()
        async for change in self._api.follow("/api/v1/nodes", labelSelector=selector):
            match change:
                case Listed(items):
                    present = {item["metadata"]["uid"] for item in items}
                    gone, seen = seen - present, present
                case Changed("DELETED", item):
                    gone = {item["metadata"]["uid"]}
                case Changed(_, item):
                    gone = set()
                    seen.add(item["metadata"]["uid"])
            for name in [name for name, node in self._nodes.items() if node.uid in gone]:
                await self.crash(name)


async def detect_mount_namespaces(state_folder: Path) -> bool:
    """Whether pods can have their own mount namespace here; the log says so when not."""
    folder = await asyncio.to_thread(_empty_folder, state_folder)
    available = await mount_namespaces_available(folder)
    if not available:
        LOG.warning(
            "no right to make mount namespaces: volumes are not at their paths, "
            "pods get KUBECONFIG and rewritten paths instead"
        )
    return available


def _empty_folder(state_folder: Path) -> Path:
    folder = state_folder / "root-test"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
