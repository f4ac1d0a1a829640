"""The loop: watches pods and nodes, launches, takes away, records."""

import asyncio
import logging
import time
import uuid
from collections.abc import Coroutine
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from e2e.rig.process_node.host import ProcessNodeHost
from e2e.rig.process_node.kubernetes_api import (
    MERGE,
    STRATEGIC_MERGE,
    TRANSIENT,
    ApiError,
    Changed,
    KubernetesApi,
    Listed,
    Manifest,
)
from e2e.rig.process_node.node_object import NodeSpec, node_manifest
from e2e.rig.process_node.tasks import log_failure, wait_at_most
from e2e.rig.provisioner import plan
from e2e.rig.provisioner.lifetimes import Lifetime, LifetimeRecorder
from e2e.rig.provisioner.plan import Claim, ManagedNode
from e2e.rig.provisioner.pools import NodeKind, NodePool, PoolFile, StaticNode

LOG = logging.getLogger(__name__)
STEP_SECONDS = 0.5
DISRUPTED_TAINT = {"key": "karpenter.sh/disrupted", "effect": "NoSchedule"}
# As aws-node-termination-handler sets it.
RECLAIMED_TAINT = {"key": "aws-node-termination-handler/spot-itn", "effect": "NoSchedule"}
BARRING_TAINTS = frozenset({"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionerSettings:
    """`lifetimes_file` receives one line per node; see lifetimes.py."""

    pools: PoolFile
    lifetimes_file: Path
    empty_seconds: float = 10.0


class Provisioner:
    """Use as an asynchronous context manager beside a `ProcessNodeHost`."""

    def __init__(
        self, api: KubernetesApi, host: ProcessNodeHost, settings: ProvisionerSettings
    ) -> None:
        self._api = api
        self._host = host
        self._settings = settings
        self.recorder = LifetimeRecorder(settings.lifetimes_file)
        self._pods: dict[str, Manifest] = {}
        self._nodes: dict[str, Manifest] = {}
        self._managed: dict[str, ManagedNode] = {}
        self._claims: dict[str, Claim] = {}
        self._lapsed: set[tuple[str, str]] = set()
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        for static in self._settings.pools.static_nodes:
            await self._add_static(static)
        for service in (self._follow("pods"), self._follow("nodes"), self._run()):
            self._spawn(service)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def managed(self) -> dict[str, ManagedNode]:
        """The pools' nodes in existence or on their way, by name."""
        return dict(self._managed)

    async def reclaim(self, name: str, *, notice_seconds: float) -> None:
        """Take a spot node away as a provider does: notice, then it is gone with its pods."""
        await self._taint(name, RECLAIMED_TAINT, present=True)
        await asyncio.sleep(notice_seconds)
        listed = await self._api.get("/api/v1/pods", fieldSelector=f"spec.nodeName={name}")
        await self._take_away(name)
        for pod in listed["items"]:
            metadata = pod["metadata"]
            path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
            await self._api.delete(path, uid=metadata["uid"], grace_seconds=0)

    async def _follow(self, plural: str) -> None:
        known = self._pods if plural == "pods" else self._nodes
        async for change in self._api.follow(f"/api/v1/{plural}"):
            match change:
                case Listed(items):
                    present = {_key(item): item for item in items}
                    self._forget(known.keys() - present.keys())
                    known.clear()
                    known.update(present)
                case Changed("DELETED", item):
                    known.pop(_key(item), None)
                    self._forget({_key(item)})
                case Changed(_, item):
                    known[_key(item)] = item
            self._changed.set()

    async def _run(self) -> None:
        while True:
            await wait_at_most(self._changed, STEP_SECONDS)
            self._changed.clear()
            self._step(time.time())

    def _step(self, now: float) -> None:
        self._note_ready(now)
        pods = list(self._pods.values())
        waiting, bound = plan.waiting_pods(pods), plan.bound_pods(pods)
        held, lapsed = plan.current_claims(self._claims, waiting, self._managed, now)
        self._lapsed = {(u, n) for u, n in self._lapsed | lapsed if n in self._managed}
        self._claims = plan.assign(
            waiting, nodes=self._managed, bound=bound, claims=held, avoid=self._lapsed, now=now
        )
        for launch in plan.launches(
            waiting, self._managed, self._claims, self._settings.pools.pools
        ):
            node = self._launch(launch.pool, now)
            self._claims[launch.pod_uid] = Claim(node.name, now)
        self._managed = plan.with_emptiness(self._managed, bound, self._claims, now)
        for node in plan.surplus(self._managed.values(), now, self._settings.empty_seconds):
            self._managed[node.name] = replace(node, leaving=True)
            self._spawn(self._retire(node.name))

    def _note_ready(self, now: float) -> None:
        for name, node in self._managed.items():
            if node.ready is None and _is_ready(self._nodes.get(name)):
                self._managed[name] = replace(node, ready=now)
                self.recorder.ready(name, now)
                LOG.info("node %s is ready after %.1f s", name, now - node.created)
        for static in self._settings.pools.static_nodes:
            if _is_ready(self._nodes.get(static.name)):
                self.recorder.ready(static.name, now)

    def _launch(self, pool: NodePool, now: float) -> ManagedNode:
        node = ManagedNode(name=f"{pool.name}-{uuid.uuid4().hex[:5]}", pool=pool, created=now)
        self._managed[node.name] = node
        self.recorder.created(
            Lifetime(
                node=node.name,
                pool=pool.name,
                kind=pool.kind,
                instance_type=pool.instance_type,
                capacity_type=pool.capacity_type,
                zone=pool.zone,
                price_per_hour=pool.price_per_hour,
                created=now,
            )
        )
        LOG.info("launching %s at %s $/h", node.name, pool.price_per_hour)
        self._spawn(self._boot(node))
        return node

    async def _boot(self, node: ManagedNode) -> None:
        await asyncio.sleep(node.pool.boot_delay_seconds)
        try:
            await self._register(node.pool.node(node.name), node.pool.kind)
        except (ApiError, *TRANSIENT) as error:
            LOG.warning("node %s did not come up: %s", node.name, error)
            self._ended(node.name)

    async def _register(self, spec: NodeSpec, kind: NodeKind) -> None:
        if kind == "process":
            await self._host.add(spec)
            return
        manifest = node_manifest(spec, kind=kind)
        # kwok makes it Ready and keeps its Lease.
        manifest["metadata"]["annotations"]["kwok.x-k8s.io/node"] = "fake"
        manifest["status"] = {"capacity": spec.resources, "allocatable": spec.resources}
        await self._api.create("/api/v1/nodes", manifest)

    async def _add_static(self, static: StaticNode) -> None:
        self.recorder.created(
            Lifetime(
                node=static.name,
                pool="",
                kind=static.kind,
                instance_type=static.instance_type,
                capacity_type="on-demand",
                zone="",
                price_per_hour=static.price_per_hour,
                created=time.time(),
            )
        )
        await self._register(static.node(), static.kind)

    async def _retire(self, name: str) -> None:
        """Bar the node, look again, and take it away only if it is still empty."""
        try:
            await self._taint(name, DISRUPTED_TAINT, present=True)
            listed = await self._api.get("/api/v1/pods", fieldSelector=f"spec.nodeName={name}")
            if not plan.bound_pods(listed["items"]):
                await self._take_away(name)
                return
            await self._taint(name, DISRUPTED_TAINT, present=False)
        except (ApiError, *TRANSIENT) as error:
            LOG.warning("node %s stays: %s", name, error)
        if name in self._managed:
            self._managed[name] = replace(self._managed[name], leaving=False, empty_since=None)

    async def _take_away(self, name: str) -> None:
        if name in self._host.names:
            await self._host.remove(name)
        else:
            await self._api.delete(f"/api/v1/nodes/{name}")
        self._ended(name)

    def _forget(self, gone: AbstractSet[str]) -> None:
        """Note the end of nodes that someone else deleted (uids of pods are no node's name)."""
        for name in gone & self._managed.keys():
            self._ended(name)

    def _ended(self, name: str) -> None:
        if self._managed.pop(name, None) is not None:
            self.recorder.deleted(name, time.time())
            LOG.info("node %s is gone", name)

    async def _taint(self, name: str, taint: dict[str, str], *, present: bool) -> None:
        path = f"/api/v1/nodes/{name}"
        if present:
            added = taint | {"timeAdded": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
            body: Manifest = {"spec": {"taints": [added]}}
            await self._api.patch(path, body, STRATEGIC_MERGE)
            return
        node = await self._api.get(path)
        kept = [t for t in node["spec"].get("taints") or [] if t["key"] != taint["key"]]
        version = node["metadata"]["resourceVersion"]
        body = {"metadata": {"resourceVersion": version}, "spec": {"taints": kept}}
        await self._api.patch(path, body, MERGE)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(log_failure)


def _key(item: Manifest) -> str:
    """Return the uid of a pod or the name of a node."""
    metadata = item["metadata"]
    return str(metadata["uid"] if "namespace" in metadata else metadata["name"])


def _is_ready(node: Manifest | None) -> bool:
    """Whether the scheduler may use the node: Ready, and no longer tainted as not ready."""
    if node is None:
        return False
    conditions = (node.get("status") or {}).get("conditions") or []
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    keys = {taint["key"] for taint in node["spec"].get("taints") or []}
    return ready and not keys & BARRING_TAINTS
