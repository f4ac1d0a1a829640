"""Whose replicas run where, and which nodes are counted: all of pools that replicas of policies run in, or ran in."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from inference_cost.account.ledger.history import Use
from inference_cost.account.month import AccountMemory
from inference_cost.account.occupants import Occupant, split_among
from inference_cost.account.shares import NodeSplit
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.policy import PolicyKey
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import NoWorkload, Pod, TargetProblem, Workload


@dataclass(frozen=True, slots=True)
class Replica:
    """A bound pod of a policy; it costs money from binding to removal, ready or not."""

    pod: Pod
    node: str
    variant: str


Owners = Mapping[PolicyKey, tuple[Replica, ...]]


def owners_of(snapshot: Snapshot) -> dict[PolicyKey, tuple[Replica, ...]]:
    """Bound pods by policy. Where two policies claim a pod, the one without a conflict, then the older, has it."""
    ordered = sorted(
        snapshot.observations,
        key=lambda o: (o.conflict is not None, o.policy.created_at, o.policy.key),
    )
    taken: set[str] = set()
    owners: dict[PolicyKey, tuple[Replica, ...]] = {}
    for seen in ordered:
        replicas = [r for r in _replicas(seen) if r.pod.uid not in taken]
        taken.update(r.pod.uid for r in replicas)
        owners[seen.policy.key] = tuple(replicas)
    return owners


def _replicas(seen: PolicyObservation) -> list[Replica]:
    return [
        Replica(pod, pod.node, variant.name)
        for variant, workload in zip(seen.policy.variants, seen.workloads, strict=True)
        if isinstance(workload, Workload)
        for pod in workload.pods
        if pod.node
    ]


def not_followed(seen: PolicyObservation) -> Missing | None:
    """Targets that are not followed: their pods run on and are not seen. One that does not exist has none."""
    unseen = [
        f"{one.target} is not followed ({one.problem.value}): what it runs is not known"
        for one in seen.workloads
        if isinstance(one, NoWorkload) and one.problem is not TargetProblem.NOT_FOUND
    ]
    if not unseen:
        return None
    return Missing(reason=MissingReason.PRICE_UNKNOWN, detail="; ".join(unseen[:3]))


def held_nodes(snapshot: Snapshot) -> frozenset[str]:
    """Nodes with a placeholder."""
    return frozenset(
        one.node for pool in snapshot.warm.values() for one in pool.holders if one.node
    )


def split_nodes(
    snapshot: Snapshot,
    owners: Owners,
    currency: str,
    *,
    held: frozenset[str],
    left: Iterable[str],
    counted: Mapping[str, AccountMemory],
) -> dict[str, NodeSplit]:
    """Splits of every node of every pool in use: its empty nodes are paid for, too.

    `left`: nodes that policies left; `counted`: by pool, what was counted there until now.
    """
    there = _occupants(snapshot, owners)
    paid = (*(r.node for replicas in owners.values() for r in replicas), *held, *left)
    in_use = {snapshot.nodes[name].pool for name in paid if name in snapshot.nodes}
    in_use |= {pool for pool, memory in counted.items() if _has_nodes(memory)}
    return {
        name: split_among(node, there.get(name, ()), currency)
        for name, node in snapshot.nodes.items()
        if node.pool in in_use
    }


def _occupants(snapshot: Snapshot, owners: Owners) -> dict[str, list[Occupant]]:
    """By node."""
    found: dict[str, list[Occupant]] = defaultdict(list)
    for replica in (r for replicas in owners.values() for r in replicas):
        found[replica.node].append(Occupant(pod=replica.pod, use=Use.REPLICA))
    for holder in (one for pool in snapshot.warm.values() for one in pool.holders):
        found[holder.node].append(Occupant(pod=holder, use=Use.WARM))
    for node, strangers in snapshot.strangers.items():
        for one in strangers:
            use = Use.OVERHEAD if one.system else Use.OTHER
            found[node].append(Occupant(pod=one, use=use))
    return found


def _has_nodes(memory: AccountMemory) -> bool:
    """At the last look, or for all that a new leader knows. A pool without any is no longer counted."""
    return bool(memory.rates) or not memory.fully_priced or memory.handed_over
