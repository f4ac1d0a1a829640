"""Which nodes to launch and which to take away. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from e2e.rig.process_node.kubernetes_api import Manifest
from e2e.rig.provisioner.fitting import GPU, fits, requests
from e2e.rig.provisioner.pools import NodePool

# How long the scheduler gets to put a pod on a ready node before another one is launched for it.
SETTLE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedNode:
    """A node of a pool between its launch and its end. Times are in seconds of one clock."""

    name: str
    pool: NodePool
    created: float
    ready: float | None = None
    empty_since: float | None = None
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A node expected to take a waiting pod, and since when."""

    node: str
    since: float


@dataclass(frozen=True, slots=True)
class Launch:
    """A node to launch for a pod."""

    pool: NodePool
    pod_uid: str


Claims = Mapping[str, Claim]  # by uid of the waiting pod


def waiting_pods(pods: Iterable[Manifest]) -> list[Manifest]:
    """Return the GPU pods that the scheduler found no node for, the oldest first."""
    return sorted(
        (pod for pod in pods if _waits(pod)),
        key=lambda pod: (pod["metadata"].get("creationTimestamp") or "", pod["metadata"]["name"]),
    )


def bound_pods(pods: Iterable[Manifest]) -> dict[str, list[Manifest]]:
    """Return the pods that keep a node in use, by node: not finished and of no DaemonSet."""
    bound: dict[str, list[Manifest]] = {}
    for pod in pods:
        node = pod["spec"].get("nodeName")
        if node and not _finished(pod) and not _of_daemon_set(pod):
            bound.setdefault(node, []).append(pod)
    return bound


def current_claims(
    claims: Claims, waiting: Sequence[Manifest], nodes: Mapping[str, ManagedNode], now: float
) -> tuple[dict[str, Claim], set[tuple[str, str]]]:
    """Return the claims that still hold, and the (pod, node) pairs that the scheduler let lapse."""
    uids = {pod["metadata"]["uid"] for pod in waiting}
    held: dict[str, Claim] = {}
    lapsed: set[tuple[str, str]] = set()
    for uid, claim in claims.items():
        node = nodes.get(claim.node)
        if uid not in uids or node is None or node.leaving:
            continue
        settled = node.ready is not None and now - max(node.ready, claim.since) > SETTLE_SECONDS
        if settled:
            lapsed.add((uid, claim.node))
        else:
            held[uid] = claim
    return held, lapsed


def assign(
    waiting: Sequence[Manifest],
    *,
    nodes: Mapping[str, ManagedNode],
    bound: Mapping[str, Sequence[Manifest]],
    claims: Claims,
    avoid: set[tuple[str, str]],
    now: float,
) -> dict[str, Claim]:
    """Return all claims, with those added that room on nodes in existence or on their way allows."""
    assigned = dict(claims)
    by_uid = {pod["metadata"]["uid"]: pod for pod in waiting}
    for uid, pod in by_uid.items():
        if uid in assigned:
            continue
        for node in nodes.values():
            taking = [by_uid[u] for u, claim in assigned.items() if claim.node == node.name]
            if (uid, node.name) not in avoid and _has_room(node, pod, bound, taking):
                assigned[uid] = Claim(node.name, now)
                break
    return assigned


def launches(
    waiting: Sequence[Manifest],
    nodes: Mapping[str, ManagedNode],
    claims: Claims,
    pools: Sequence[NodePool],
) -> list[Launch]:
    """Return one node of the cheapest fitting pool with quota left for each unclaimed pod."""
    used = {pool.name: 0 for pool in pools}
    for node in nodes.values():
        used[node.pool.name] = used.get(node.pool.name, 0) + 1
    wanted: list[Launch] = []
    for pod in waiting:
        uid = pod["metadata"]["uid"]
        if uid in claims:
            continue
        for pool in sorted(pools, key=lambda pool: (pool.price_per_hour, pool.name)):
            if used[pool.name] < pool.max_nodes and fits(pod, pool.node("")):
                used[pool.name] += 1
                wanted.append(Launch(pool, uid))
                break
    return wanted


def with_emptiness(
    nodes: Mapping[str, ManagedNode],
    bound: Mapping[str, Sequence[Manifest]],
    claims: Claims,
    now: float,
) -> dict[str, ManagedNode]:
    """Return the nodes with the time since which nothing uses them and nothing is expected."""
    expected = {claim.node for claim in claims.values()}

    def seen(node: ManagedNode) -> ManagedNode:
        busy = node.ready is None or node.name in expected or bool(bound.get(node.name))
        since = node.empty_since if node.empty_since is not None else now
        return replace(node, empty_since=None if busy else since)

    return {name: seen(node) for name, node in nodes.items()}


def surplus(nodes: Iterable[ManagedNode], now: float, empty_seconds: float) -> list[ManagedNode]:
    """Return the nodes that have been empty for long enough."""
    return [
        node
        for node in nodes
        if not node.leaving
        and node.empty_since is not None
        and now - node.empty_since >= empty_seconds
    ]


def _waits(pod: Manifest) -> bool:
    status, spec = pod.get("status") or {}, pod["spec"]
    unschedulable = any(
        condition["type"] == "PodScheduled"
        and condition["status"] == "False"
        and condition.get("reason") == "Unschedulable"
        for condition in status.get("conditions") or []
    )
    return (
        unschedulable
        and not spec.get("nodeName")
        # Room is being made for it by preemption.
        and not status.get("nominatedNodeName")
        and not pod["metadata"].get("deletionTimestamp")
        and requests(pod, GPU) > 0
    )


def _has_room(
    node: ManagedNode,
    pod: Manifest,
    bound: Mapping[str, Sequence[Manifest]],
    expected: Sequence[Manifest],
) -> bool:
    taken = sum(requests(other, GPU) for other in (*bound.get(node.name, ()), *expected))
    free = node.pool.gpus_per_node - taken
    return not node.leaving and requests(pod, GPU) <= free and fits(pod, node.pool.node(node.name))


def _finished(pod: Manifest) -> bool:
    return (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}


def _of_daemon_set(pod: Manifest) -> bool:
    owners = pod["metadata"].get("ownerReferences") or []
    return any(owner["kind"] == "DaemonSet" for owner in owners)
