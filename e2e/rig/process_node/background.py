"""Process nodes for blocking code: they run in a thread of their own.

with ProcessNodes.start(kubeconfig=..., pods=..., state_folder=...) as nodes:
    nodes.add(NodeSpec(name="gpu-1", gpus=1))
"""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self, TypeVar

from e2e.rig.addresses import PodRange
from e2e.rig.process_node.host import ProcessNodeHost, detect_mount_namespaces
from e2e.rig.process_node.images import ImageTable, default_images
from e2e.rig.process_node.kubernetes_api import KubernetesApi, read_kubeconfig
from e2e.rig.process_node.node_object import NodeSpec
from e2e.rig.process_node.settings import NodeSettings

T = TypeVar("T")
CALL_TIMEOUT_SECONDS = 60.0


class ProcessNodes:
    """A `ProcessNodeHost` in a thread; every call returns when it is done."""

    def __init__(self, kubeconfig: Path, settings: NodeSettings) -> None:
        self._kubeconfig = kubeconfig
        self._settings = settings
        self._started: Future[tuple[KubernetesApi, ProcessNodeHost]] = Future()
        self._thread = threading.Thread(target=self._run, name="process-nodes", daemon=True)

    @classmethod
    def start(
        cls,
        *,
        kubeconfig: Path,
        pods: PodRange,
        state_folder: Path,
        images: ImageTable | None = None,
        mount_namespaces: bool | None = None,
        lease_seconds: float = 2.0,
        restart_backoff_seconds: float = 10.0,
        volume_refresh_seconds: float = 30.0,
    ) -> Self:
        """Start without nodes. `mount_namespaces` is found out unless given."""
        folder = state_folder.absolute()
        if mount_namespaces is None:
            mount_namespaces = asyncio.run(detect_mount_namespaces(folder))
        settings = NodeSettings(
            pods=pods,
            images=images or default_images(),
            state_folder=folder,
            mount_namespaces=mount_namespaces,
            lease_seconds=lease_seconds,
            restart_backoff_seconds=restart_backoff_seconds,
            volume_refresh_seconds=volume_refresh_seconds,
        )
        nodes = cls(kubeconfig, settings)
        nodes._thread.start()
        nodes._started.result(CALL_TIMEOUT_SECONDS)
        return nodes

    @property
    def api(self) -> KubernetesApi:
        """For `call` only: it belongs to the thread's event loop."""
        return self._started.result(CALL_TIMEOUT_SECONDS)[0]

    @property
    def host(self) -> ProcessNodeHost:
        """For `call` only: it belongs to the thread's event loop."""
        return self._started.result(CALL_TIMEOUT_SECONDS)[1]

    @property
    def names(self) -> tuple[str, ...]:
        return self.host.names

    def log_of(self, namespace: str, pod: str, container: str) -> Path:
        """Return the file with the container's output."""
        return self._settings.log_of(namespace, pod, container)

    def volumes_of(self, pod_uid: str) -> Path:
        """Return the folder with the volumes of a pod, one sub-folder each."""
        return self._settings.volumes_of(pod_uid)

    def spec_of(self, node: str) -> NodeSpec:
        """Return what a running node was made from."""
        return self.host.spec_of(node)

    def add(self, *specs: NodeSpec) -> None:
        """Register nodes; they are Ready when this returns."""
        for spec in specs:
            self.call(self.host.add(spec))

    def remove(self, name: str) -> None:
        """Delete the Node object and switch the node off."""
        self.call(self.host.remove(name))

    def crash(self, name: str) -> None:
        """Switch a node off without a word to the API server."""
        self.call(self.host.crash(name))

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine beside the nodes and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_TIMEOUT_SECONDS)

    def stop(self) -> None:
        """Kill every process; the Node objects stay."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(CALL_TIMEOUT_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with (
            KubernetesApi(read_kubeconfig(self._kubeconfig)) as api,
            ProcessNodeHost(api, self._settings) as host,
        ):
            self._started.set_result((api, host))
            await self._stop.wait()
