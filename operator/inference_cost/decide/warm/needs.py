"""What replicas need of a placeholder, held over moments in which they do not show it.

Each change of the template replaces all placeholders, and their nodes are nobody's for that long. A policy without a
pod, or whose pods are on two pools for a while, needs what it needed before.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from inference_cost.decide.warm.members import Member
from inference_cost.model.policy import PolicyKey
from inference_cost.model.warm import NodeShape, WarmNeeds
from inference_cost.model.workload import Node, Workload

HELD_SECONDS: Final = 1_800.0  # of a policy that is not seen in the pool any more


def needs(
    members: Sequence[Member], before: Mapping[PolicyKey, WarmNeeds], at: float
) -> Mapping[PolicyKey, WarmNeeds]:
    held = {key: one for key, one in before.items() if at - HELD_SECONDS < one.at <= at}
    return held | {member.key: _needs(member, before.get(member.key), at) for member in members}


def unseen_since(
    inherited_at: float | None, members: Sequence[Member], nodes: Sequence[Node], at: float
) -> float | None:
    """`inherited_at` as long as what placeholders are made from was not all seen: a node, and replicas of all policies.

    Without a node its taints are not known, and without tolerations none would come. Replicas are waited for as long as
    needs are held.
    """
    if inherited_at is None or not nodes:
        return inherited_at
    all_seen = bool(members) and all(member.pods() for member in members)
    waiting = 0 <= at - inherited_at < HELD_SECONDS
    return inherited_at if waiting and not all_seen else None


def _needs(member: Member, before: WarmNeeds | None, at: float) -> WarmNeeds:
    pods = member.pods()
    workloads = [one for one, _ in member.there]
    last = before or WarmNeeds(at=at)
    return WarmNeeds(
        at=at,
        gpus=max((pod.gpus for pod in pods), default=last.gpus),
        cpu_millicores=max((pod.cpu_millicores for pod in pods), default=last.cpu_millicores),
        memory_bytes=max((pod.memory_bytes for pod in pods), default=last.memory_bytes),
        images=_images(one for one in workloads if not one.pull_secrets),
        secret_images=_images(one for one in workloads if one.pull_secrets),
    )


def _images(workloads: Iterable[Workload]) -> tuple[str, ...]:
    return tuple(sorted({image for one in workloads for image in one.images}))


def node_shape(nodes: Iterable[Node], wanted: Iterable[WarmNeeds]) -> NodeShape | None:
    """The smallest of the pool's nodes that the largest replica fits on; None where no node is known."""
    known = tuple(wanted)
    least = max((one.gpus for one in known), default=1)
    sizes = [node.allocatable_gpus for node in nodes if node.allocatable_gpus >= max(least, 1)]
    if not sizes:
        return None
    return NodeShape(
        gpus=min(sizes),
        cpu_millicores=max((one.cpu_millicores for one in known), default=0),
        memory_bytes=max((one.memory_bytes for one in known), default=0),
    )
