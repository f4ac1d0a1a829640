"""One pod on a process node, from its binding to its removal."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from e2e.rig.addresses import loopback_address
from e2e.rig.process_node.container import Container, ContainerSetup
from e2e.rig.process_node.events import EventRecorder, Severity
from e2e.rig.process_node.kubernetes_api import TRANSIENT, ApiError, KubernetesApi, Manifest
from e2e.rig.process_node.pod_files import PodFiles
from e2e.rig.process_node.pod_status import ConditionTimes, PodReport, pod_status
from e2e.rig.process_node.references import MissingReferenceError
from e2e.rig.process_node.settings import (
    START_DELAY_ANNOTATION,
    NodeSettings,
    parse_duration,
)

LOG = logging.getLogger(__name__)
MOUNT_RETRY_SECONDS = 1.0
API_RETRY_SECONDS = 0.5
DEFAULT_GRACE_SECONDS = 30
NO_MOUNT_NAMESPACE = (
    "this machine does not let processes have their own mount namespace: the pod gets KUBECONFIG "
    "instead of a token at the usual path, and volume paths in arguments and variables are replaced"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSetup:
    """What a pod gets from its node. `pod_ip` is the address in its status."""

    api: KubernetesApi
    settings: NodeSettings
    events: EventRecorder
    pod_ip: str


class Pod:
    """Runs a pod's containers and reports on them; `run` lasts until the pod is gone."""

    def __init__(self, manifest: Manifest, setup: PodSetup) -> None:
        self.manifest = manifest
        self.pod_ip = setup.pod_ip
        self._setup = setup
        self._address = loopback_address(setup.pod_ip)
        self._changed = asyncio.Event()
        self._stop_requested = self._silent = False
        self._reporting = asyncio.Lock()
        self._condition_times: ConditionTimes = {}
        self._sent: Manifest | None = None
        self._start_time = _start_time(manifest)
        self._files = PodFiles(
            manifest, api=setup.api, settings=setup.settings, address=self._address
        )
        self._containers = [
            Container(spec, self._container_setup(spec)) for spec in manifest["spec"]["containers"]
        ]

    @property
    def path(self) -> str:
        metadata = self.manifest["metadata"]
        return f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"

    async def run(self) -> None:
        """Run until all containers are at rest or `terminate` or `kill` has ended them."""
        self._changed.set()
        if self.manifest["spec"].get("initContainers"):
            await self._refuse("InitContainersNotSupported", "process nodes run no init containers")
            return
        settings = self._setup.settings
        helpers = [asyncio.create_task(self._report_changes())]
        try:
            await self._prepare_volumes()
            if not settings.mount_namespaces:
                self._record("Warning", "NoMountNamespace", NO_MOUNT_NAMESPACE)
            helpers.append(asyncio.create_task(self._files.keep_fresh()))
            async with asyncio.TaskGroup() as running:
                for container in self._containers:
                    running.create_task(container.run())
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
        await self._report()

    async def terminate(self, grace_seconds: float) -> None:
        """Stop as a kubelet does, then remove the pod from the API server."""
        if self._stop_requested:
            for container in self._containers:
                container.shorten_grace(grace_seconds)
            return
        self._stop_requested = True
        stops = (container.stop(grace_seconds=grace_seconds) for container in self._containers)
        await asyncio.gather(*stops)
        await self._report()
        await self._remove()

    async def kill(self) -> None:
        """End every process at once; the API server is not told."""
        self._stop_requested = self._silent = True
        await asyncio.gather(*(container.kill() for container in self._containers))

    def clean_up(self) -> None:
        """Remove the pod's volumes; its logs stay."""
        self._files.remove()

    async def _refuse(self, reason: str, message: str) -> None:
        """Fail the pod for good, as a kubelet does with pods it cannot run."""
        self._record("Warning", reason, message)
        status = {"phase": "Failed", "reason": reason, "message": message}
        body = {"metadata": {"uid": self.manifest["metadata"]["uid"]}, "status": status}
        await self._setup.api.patch(f"{self.path}/status", body)

    async def _prepare_volumes(self) -> None:
        failure = ""
        while not self._stop_requested:
            try:
                await self._files.write()
            except (MissingReferenceError, ApiError, *TRANSIENT) as error:
                if str(error) != failure:
                    self._record("Warning", "FailedMount", str(error))
                failure = str(error)
                await asyncio.sleep(MOUNT_RETRY_SECONDS)
            else:
                return

    def _container_setup(self, spec: Manifest) -> ContainerSetup:
        settings = self._setup.settings
        metadata, pod_spec = self.manifest["metadata"], self.manifest["spec"]
        grace = pod_spec.get("terminationGracePeriodSeconds")
        return ContainerSetup(
            prepare=lambda: self._files.launch(spec),
            changed=self._changed.set,
            record=self._record,
            address=self._address,
            log=settings.log_of(metadata["namespace"], metadata["name"], spec["name"]),
            pod_uid=metadata["uid"],
            restart_policy=pod_spec.get("restartPolicy") or "Always",
            grace_seconds=DEFAULT_GRACE_SECONDS if grace is None else grace,
            start_delay_seconds=self._start_delay(),
            first_backoff_seconds=settings.restart_backoff_seconds,
            earlier_restarts=_earlier_restarts(self.manifest, spec["name"]),
        )

    def _start_delay(self) -> float:
        text = (self.manifest["metadata"].get("annotations") or {}).get(START_DELAY_ANNOTATION)
        try:
            return parse_duration(text) if text else 0.0
        except ValueError as error:
            self._record("Warning", "InvalidStartDelay", f"{START_DELAY_ANNOTATION}: {error}")
            return 0.0

    def _record(self, kind: Severity, reason: str, message: str) -> None:
        self._setup.events.record(self.manifest, kind, reason, message)

    async def _report_changes(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._report()

    async def _report(self) -> None:
        """Write the status unless it is what was written last."""
        async with self._reporting:
            await self._write_status()

    async def _write_status(self) -> None:
        report = PodReport(
            containers=[container.report for container in self._containers],
            restart_policy=self.manifest["spec"].get("restartPolicy") or "Always",
            host_ip=self._setup.settings.pods.node_address,
            pod_ip=self.pod_ip,
            start_time=self._start_time,
        )
        status, times = pod_status(report, self._condition_times, datetime.now(UTC))
        if status == self._sent:
            return
        # With the uid a pod created anew under the same name is never hit.
        body = {"metadata": {"uid": self.manifest["metadata"]["uid"]}, "status": status}
        while not self._silent:
            try:
                await self._setup.api.patch(f"{self.path}/status", body)
            except TRANSIENT:
                await asyncio.sleep(API_RETRY_SECONDS)
                continue
            except ApiError as error:
                LOG.debug("status of %s: %s", self.path, error)
            self._sent, self._condition_times = status, times
            return

    async def _remove(self) -> None:
        uid = self.manifest["metadata"]["uid"]
        while True:
            with suppress(ApiError, *TRANSIENT):
                await self._setup.api.delete(self.path, uid=uid, grace_seconds=0)
                return
            await asyncio.sleep(API_RETRY_SECONDS)


def _start_time(manifest: Manifest) -> datetime:
    known = (manifest.get("status") or {}).get("startTime")
    return datetime.fromisoformat(known) if known else datetime.now(UTC)


def _earlier_restarts(manifest: Manifest, container: str) -> int | None:
    """Return the restarts counted by an earlier program, None for a container that is new."""
    statuses = (manifest.get("status") or {}).get("containerStatuses") or []
    return next((int(s["restartCount"]) for s in statuses if s["name"] == container), None)
