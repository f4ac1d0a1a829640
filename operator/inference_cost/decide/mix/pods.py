"""The pods of one variant, by what may be expected of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from inference_cost.decide.leaving import Marked, lost
from inference_cost.decide.pods import Fleet, is_stuck
from inference_cost.model.placement import Placing
from inference_cost.model.workload import Node, Pod, Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """`start_up`: seconds that starts take; `for_a_node`: until a pod without one counts as refused."""

    start_up: float
    for_a_node: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantPods:
    """`starting`: those ordered a moment ago included; `waiting`: of these, without a node.

    `leaving`: on nodes about to go, also those that are not ready. `vain`: that have waited for a node, or been about
    to start, for too long. `taken`: reclaimed nodes that hold any of its pods; `silent`: nodes that can be lost and do
    not answer. `newest`: when the last of those ready got so. `in_zones`: ready ones by zone, where that is known.
    """

    ready: int
    starting: int
    waiting: int
    leaving: int
    vain: int
    newest: float | None
    in_zones: tuple[tuple[str, int], ...]
    refused: bool
    taken: tuple[tuple[str, int], ...]  # with the pods on each
    silent: tuple[tuple[str, int], ...]  # of the leaving ones, on each


def pods_of(
    workload: Workload, going: Marked, nodes: Mapping[str, Node], patience: Patience, at: float
) -> VariantPods:
    there = [pod for pod in workload.pods if not pod.terminating]
    leaving = lost(there, going, at) if going else []
    soon_gone = frozenset(leaving)
    pods = [pod for pod in there if pod not in soon_gone]
    ready = [pod for pod in pods if pod.ready]
    vain = frozenset(pod for pod in pods if in_vain(pod, patience, at))
    bound = [pod for pod in pods if pod.ready_at is None and pod.node and pod not in vain]
    ordered = workload.desired_replicas - len(leaving) - len(vain)
    if workload.quota_refusal:  # what is not there does not come
        ordered = min(ordered, len(pods) - len(vain))
    starting = max(ordered - len(ready), 0)
    return VariantPods(
        ready=len(ready),
        starting=starting,
        waiting=max(starting - len(bound), 0),
        leaving=min(len(leaving), workload.desired_replicas),
        vain=len(vain),
        newest=max((pod.ready_at for pod in ready if pod.ready_at is not None), default=None),
        in_zones=_in_zones(ready, nodes),
        refused=bool(vain or workload.quota_refusal),
        taken=_taken(workload, nodes),
        silent=_silent(leaving, nodes),
    )


def _in_zones(ready: Sequence[Pod], nodes: Mapping[str, Node]) -> tuple[tuple[str, int], ...]:
    zones = Counter(nodes[pod.node].zone for pod in ready if pod.node in nodes)
    return tuple(sorted((zone, count) for zone, count in zones.items() if zone))


def _taken(workload: Workload, nodes: Mapping[str, Node]) -> tuple[tuple[str, int], ...]:
    """Terminating pods too: a drain may begin with the notice."""
    counts: dict[str, int] = {}
    for pod in workload.pods:
        if pod.node in nodes and nodes[pod.node].reclaimed:
            counts[pod.node] = counts.get(pod.node, 0) + 1
    return tuple(sorted(counts.items()))


def _silent(leaving: Sequence[Pod], nodes: Mapping[str, Node]) -> tuple[tuple[str, int], ...]:
    """A machine that is killed says nothing, and no cloud gives notice of it."""
    there = ((pod.node, nodes[pod.node]) for pod in leaving if pod.node in nodes)
    counts = Counter(
        name for name, node in there if node.can_be_lost and not (node.ready or node.reclaimed)
    )
    return tuple(sorted(counts.items()))


def in_vain(pod: Pod, patience: Patience, at: float) -> bool:
    if pod.ready_at is not None:
        return False
    if pod.unschedulable and not pod.waiting_reason:
        return pod.refused or at - pod.created_at > patience.for_a_node
    return is_stuck(pod, at, max(patience.start_up, patience.for_a_node))


def together(fleet: Fleet, workloads: Sequence[Workload], placing: Placing) -> Fleet:
    """The fleet of several variants: what does not come in one is asked of the others, and no reason to stop."""
    return replace(
        fleet,
        current=decided_on(fleet.current, workloads, placing),
        stuck=0,
        refused="",
    )


def decided_on(current: int, workloads: Sequence[Workload], placing: Placing) -> int:
    """While replicas are moved or replaced there are more than were decided on: these are no change of their number.

    What was decided on stands while each count is on the way from what there was to what was ordered.
    """
    if len(placing.ordered) != len(workloads) or len(placing.before) != len(workloads):
        return current
    counts = (one.desired_replicas for one in workloads)
    on_the_way = all(
        min(before, ordered) <= count <= max(before, ordered)
        for before, ordered, count in zip(placing.before, placing.ordered, counts, strict=True)
    )
    return placing.total if on_the_way else current
