"""What the pods of the targets say: start-up times seen, pods that are stuck, and rollouts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from inference_cost.decide.lead_time import START_UPS_KEPT, kept, starts
from inference_cost.decide.leaving import Marked, lost
from inference_cost.decide.start_parts import parts_of
from inference_cost.model.memory import PolicyMemory
from inference_cost.model.warm import WarmPool
from inference_cost.model.workload import Node, Pod, Workload

CANNOT_START: Final = frozenset(
    {
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImageInspectError",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
    }
)
STUCK_AFTER_START_UPS: Final = 2.0
STARTING_KEPT: Final = 200
LONGEST_START_UP: Final = 7200.0
NO_POOLS: Final[Mapping[str, WarmPool]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Pods of all variants, terminating ones left out. `trouble`: the first stuck pod's reason, in words.

    `leaving`: of those, on nodes that are about to go, whether they still serve or not; `leaving_node`: of the first.
    """

    current: int
    ready: int
    starting: int
    stuck: int
    trouble: str
    refused: str
    rolling_out: bool
    template_hash: str
    leaving: int = 0
    leaving_node: str = ""


def fleet(workloads: Sequence[Workload], at: float, start_up: float, going: Marked = ()) -> Fleet:
    pods = [pod for workload in workloads for pod in workload.pods if not pod.terminating]
    leaving = lost(pods, going, at) if going else []
    soon_gone = frozenset(leaving)
    waiting = [pod for pod in pods if pod.ready_at is None]
    stuck = [pod for pod in waiting if is_stuck(pod, at, start_up) and pod not in soon_gone]
    return Fleet(
        current=sum(workload.desired_replicas for workload in workloads),
        ready=len(pods) - len(waiting),
        starting=len([pod for pod in waiting if pod not in soon_gone]) - len(stuck),
        stuck=len(stuck),
        trouble=_trouble(stuck[0]) if stuck else "",
        refused=next((w.quota_refusal for w in workloads if w.quota_refusal), ""),
        rolling_out=any(workload.rolling_out for workload in workloads),
        template_hash=workloads[0].template_hash,
        leaving=len(leaving),
        leaving_node=leaving[0].node if leaving else "",
    )


def is_stuck(pod: Pod, at: float, start_up: float) -> bool:
    """Of a pod that is not ready."""
    long = at - pod.created_at > STUCK_AFTER_START_UPS * start_up
    return long or pod.waiting_reason in CANNOT_START


def _trouble(pod: Pod) -> str:
    if pod.waiting_reason:
        return pod.waiting_reason
    return "no node has room" if pod.unschedulable else "not ready for too long"


def learn_start_ups(
    memory: PolicyMemory,
    workloads: Sequence[Workload],
    nodes: Mapping[str, Node],
    at: float,
    tick_seconds: float,
    *,
    warm: Mapping[str, WarmPool] = NO_POOLS,
) -> PolicyMemory:
    """Count each pod once: those seen starting before, and those that came and were ready between ticks."""
    pods = [pod for workload in workloads for pod in workload.pods if not pod.terminating]
    starting = set(memory.pods_seen_starting)
    first_look, last_look = at - 2 * tick_seconds, at - tick_seconds
    seen = [
        (pod, pod.ready_at - pod.created_at)
        for pod in pods
        if pod.ready_at is not None
        and (pod.uid in starting or (pod.created_at >= first_look and pod.ready_at > last_look))
    ]
    waiting = sorted(pod.uid for pod in pods if pod.ready_at is None and not pod.restarts)
    good = [one for one in seen if 0 <= one[1] <= LONGEST_START_UP]
    if not good and tuple(waiting) == memory.pods_seen_starting:
        return memory
    on_free = tuple(seconds for pod, seconds in good if _is_on_free_node(pod, nodes, warm))
    others = ((_pool(p, nodes), s) for p, s in good if not _is_on_free_node(p, nodes, warm))
    known = kept((*starts(memory), *others))
    return replace(
        memory,
        start_up_seconds=tuple(seconds for _, seconds in known),
        start_up_pools=tuple(pool for pool, _ in known),
        start_parts=kept(
            (*memory.start_parts, *(parts_of(pod, nodes.get(pod.node)) for pod, _ in good))
        ),
        pods_seen_starting=tuple(waiting[:STARTING_KEPT]),
        warm=replace(memory.warm, starts=(*memory.warm.starts, *on_free)[-START_UPS_KEPT:])
        if on_free
        else memory.warm,
    )


def _is_on_free_node(pod: Pod, nodes: Mapping[str, Node], warm: Mapping[str, WarmPool]) -> bool:
    """Of a pool that keeps nodes ready: how long a start takes without one must not be forgotten by those with one."""
    node = nodes.get(pod.node)
    if node is None or node.created_at > pod.created_at:
        return False
    pool = warm.get(node.pool)
    return pool is not None and pool.spec is not None


def _pool(pod: Pod, nodes: Mapping[str, Node]) -> str:
    node = nodes.get(pod.node)
    return "" if node is None else node.pool
