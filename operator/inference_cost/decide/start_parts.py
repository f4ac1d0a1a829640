"""What a start consists of: the wait for a node that is bought for it, the pull of the images, the start of the server.

By the pool of the node, as starts are (decide/lead_time.py). A pod that found room waited for no node, which says
nothing of how long one takes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from inference_cost.decide.lead_time import START_UPS_NEEDED
from inference_cost.model.memory import StartParts
from inference_cost.model.workload import Node, Pod

CLOCKS_SECONDS: Final = 5.0  # by which the clocks of a node and of the API server may differ
NAMES: Final = ("node", "image", "pod")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSeen:
    """How long one part took in `starts` starts."""

    starts: int
    p50_seconds: float
    p95_seconds: float


def parts_of(pod: Pod, node: Node | None) -> StartParts:
    """Of a pod that is ready."""
    bought = node is not None and node.created_at > pod.created_at
    return (
        "" if node is None else node.pool,
        _seconds(pod.created_at, pod.scheduled_at) if bought else None,
        _seconds(pod.scheduled_at, pod.started_at),
        _seconds(pod.started_at, pod.ready_at),
    )


def _seconds(begin: float | None, end: float | None) -> float | None:
    """None where it is not known: a container that was started anew tells nothing of its first start."""
    if begin is None or end is None or end < begin - CLOCKS_SECONDS:
        return None
    return max(end - begin, 0.0)


def part(seen: Sequence[StartParts], name: str) -> PartSeen | None:
    """None until enough starts with that part were seen."""
    at = NAMES.index(name) + 1
    known = sorted(one for one in (start[at] for start in seen) if isinstance(one, float))
    if len(known) < START_UPS_NEEDED:
        return None
    return PartSeen(
        starts=len(known),
        p50_seconds=known[len(known) // 2],
        p95_seconds=known[min(int(0.95 * len(known)), len(known) - 1)],
    )
