"""One node: registered, kept alive by its Lease, running the pods bound to it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from e2e.rig.process_node.addresses_in_use import PodAddresses
from e2e.rig.process_node.events import EventRecorder
from e2e.rig.process_node.kubernetes_api import (
    MERGE,
    TRANSIENT,
    ApiError,
    Changed,
    KubernetesApi,
    Listed,
    Manifest,
)
from e2e.rig.process_node.node_object import (
    LEASE_NAMESPACE,
    NodeSpec,
    lease_manifest,
    node_manifest,
    ready_status,
    renew_time,
)
from e2e.rig.process_node.pod import Pod, PodSetup
from e2e.rig.process_node.settings import NodeSettings
from e2e.rig.process_node.tasks import log_failure

LOG = logging.getLogger(__name__)
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{LEASE_NAMESPACE}/leases"


class ProcessNode:
    """A node whose pods are processes of this machine."""

    def __init__(
        self,
        spec: NodeSpec,
        *,
        api: KubernetesApi,
        settings: NodeSettings,
        addresses: PodAddresses,
    ) -> None:
        self.spec = spec
        self.manifest: Manifest = {}
        self._api = api
        self._settings = settings
        self._addresses = addresses
        self._events = EventRecorder(api, spec.name)
        self._pods: dict[str, Pod] = {}
        self._services: list[asyncio.Task[None]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def uid(self) -> str:
        """The uid of the Node object, "" before it is registered."""
        return str(self.manifest.get("metadata", {}).get("uid", ""))

    async def start(self) -> None:
        """Register the node as Ready, then keep its Lease and run its pods."""
        now = datetime.now(UTC)
        self.manifest = await self._register(now)
        await self._create_lease(now)
        for service in (self._renew_lease(), self._follow_pods()):
            self._services.append(asyncio.create_task(service))
            self._services[-1].add_done_callback(log_failure)

    async def power_off(self) -> None:
        """Kill every process and stop the Lease, as when a machine loses its power."""
        for task in self._services:
            task.cancel()
        await asyncio.gather(*(pod.kill() for pod in self._pods.values()))
        running = [*self._services, *self._tasks]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for uid in list(self._pods):
            self._release(uid)
        await self._events.close()

    async def _register(self, now: datetime) -> Manifest:
        """Create the Node with its status, or take over the one that an earlier program left."""
        manifest = node_manifest(self.spec, kind="process")
        address = self._settings.pods.node_address
        status = ready_status(self.spec, address=address, now=now)
        path = f"/api/v1/nodes/{self.spec.name}"

        async def take_over() -> Manifest:
            await self._api.patch(path, {"metadata": manifest["metadata"]})
            return await self._api.patch(f"{path}/status", {"status": status})

        return await self._create_or("/api/v1/nodes", manifest | {"status": status}, take_over)

    async def _create_lease(self, now: datetime) -> None:
        lease = lease_manifest(self.manifest, renew_seconds=self._settings.lease_seconds, now=now)

        async def take_over() -> Manifest:
            return await self._api.patch(f"{LEASES}/{self.spec.name}", lease, MERGE)

        await self._create_or(LEASES, lease, take_over)

    async def _create_or(
        self, collection: str, body: Manifest, take_over: Callable[[], Awaitable[Manifest]]
    ) -> Manifest:
        """Create an object, or take over the one there is, which may be just going away.

        The Lease of a deleted node is removed some time later by the garbage collector.
        """
        while True:
            try:
                return await self._api.create(collection, body)
            except ApiError as error:
                if error.status != HTTPStatus.CONFLICT:
                    raise
            try:
                return await take_over()
            except ApiError as error:
                if error.status != HTTPStatus.NOT_FOUND:
                    raise

    async def _renew_lease(self) -> None:
        while True:
            await asyncio.sleep(self._settings.lease_seconds)
            now = datetime.now(UTC)
            body = {"spec": {"renewTime": renew_time(now)}}
            try:
                await self._api.patch(f"{LEASES}/{self.spec.name}", body, MERGE)
            except ApiError as error:
                LOG.warning("lease of %s: %s", self.spec.name, error)
                if error.status == HTTPStatus.NOT_FOUND:
                    with suppress(ApiError, *TRANSIENT):
                        await self._create_lease(now)
            except TRANSIENT as error:
                LOG.warning("lease of %s: %s", self.spec.name, error)

    async def _follow_pods(self) -> None:
        selector = f"spec.nodeName={self.spec.name}"
        async for change in self._api.follow("/api/v1/pods", fieldSelector=selector):
            match change:
                case Listed(items):
                    present = {pod["metadata"]["uid"] for pod in items}
                    for uid in self._pods.keys() - present:
                        self._spawn(self._forget(uid))
                    for pod in items:
                        self._observe(pod)
                case Changed("DELETED", pod):
                    self._spawn(self._forget(pod["metadata"]["uid"]))
                case Changed(_, pod):
                    self._observe(pod)

    def _observe(self, manifest: Manifest) -> None:
        """Bring a pod that exists on the API server into the state it should have."""
        metadata = manifest["metadata"]
        known = self._pods.get(metadata["uid"])
        if metadata.get("deletionTimestamp"):
            grace = float(metadata.get("deletionGracePeriodSeconds") or 0)
            self._spawn(known.terminate(grace) if known else self._remove_unknown(manifest))
        elif known is None and (manifest.get("status") or {}).get("phase") not in {
            "Succeeded",
            "Failed",
        }:
            self._run(manifest)

    def _run(self, manifest: Manifest) -> None:
        earlier = (manifest.get("status") or {}).get("podIP")
        setup = PodSetup(
            api=self._api,
            settings=self._settings,
            events=self._events,
            pod_ip=self._addresses.take(earlier),
        )
        pod = Pod(manifest, setup)
        self._pods[manifest["metadata"]["uid"]] = pod
        self._spawn(pod.run())

    async def _remove_unknown(self, manifest: Manifest) -> None:
        """Let go of a pod that was being deleted while an earlier program ended."""
        metadata = manifest["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        with suppress(ApiError, *TRANSIENT):
            await self._api.delete(path, uid=metadata["uid"], grace_seconds=0)

    async def _forget(self, uid: str) -> None:
        """End what is left of a pod that is gone from the API server (forced deletion)."""
        pod = self._pods.get(uid)
        if pod is not None:
            await pod.kill()
            self._release(uid)

    def _release(self, uid: str) -> None:
        pod = self._pods.pop(uid, None)
        if pod is not None:
            pod.clean_up()
            self._addresses.give_back(pod.pod_ip)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(log_failure)
