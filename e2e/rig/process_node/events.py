"""Events on pods and nodes, written beside the work and never waited for."""

import asyncio
import logging
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from e2e.rig.process_node.kubernetes_api import TRANSIENT, ApiError, KubernetesApi, Manifest
from e2e.rig.process_node.pod_status import timestamp

LOG = logging.getLogger(__name__)

Severity = Literal["Normal", "Warning"]
Record = Callable[[Severity, str, str], None]
"""Records an event on a pod that is already known: severity, reason, message."""


class EventRecorder:
    """Records events of one node's component."""

    def __init__(self, api: KubernetesApi, node_name: str) -> None:
        self._api = api
        self._node_name = node_name
        self._pending: set[asyncio.Task[None]] = set()

    def record(self, pod: Manifest, kind: Severity, reason: str, message: str) -> None:
        metadata = pod["metadata"]
        LOG.info("%s/%s: %s: %s", metadata["namespace"], metadata["name"], reason, message)
        task = asyncio.create_task(self._write(_event(pod, kind, reason, message, self._node_name)))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def close(self) -> None:
        for task in self._pending:
            task.cancel()
        await asyncio.gather(*self._pending, return_exceptions=True)

    async def _write(self, event: Manifest) -> None:
        try:
            path = f"/api/v1/namespaces/{event['metadata']['namespace']}/events"
            await self._api.create(path, event)
        except (ApiError, *TRANSIENT) as error:
            LOG.debug("event lost: %s", error)


def _event(pod: Manifest, kind: str, reason: str, message: str, node_name: str) -> Manifest:
    metadata = pod["metadata"]
    now = timestamp(datetime.now(UTC))
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "namespace": metadata["namespace"],
            "name": f"{metadata['name']}.{uuid.uuid4().hex[:16]}",
        },
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "Pod",
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
        },
        "type": kind,
        "reason": reason,
        "message": message[:1024],
        "count": 1,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "source": {"component": "process-node", "host": node_name},
        "reportingComponent": "process-node",
        "reportingInstance": node_name,
    }
