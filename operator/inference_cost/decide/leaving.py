"""Pods on nodes that are about to go, or do not answer: replaced ahead, each once and for a bounded time."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from inference_cost.model.workload import Node, Pod, Workload

LONGEST_SECONDS: Final = 1800.0  # a mark that nothing has followed for so long is not believed
# A pod that is made after the mark is no loss, wherever it lands: it would order one more, which would order another.
# Times of creation are whole seconds of another clock.
MARGIN_SECONDS: Final = 5.0

Marked = tuple[tuple[str, float], ...]  # (node, epoch seconds of the first look at which it was)


def marked(
    known: Marked, workloads: Sequence[Workload], nodes: Mapping[str, Node], at: float
) -> Marked:
    """Nodes that hold pods of ours and are about to go, or were and are gone before their pods."""
    holding = {pod.node for workload in workloads for pod in workload.pods}
    before = dict(known)
    going = sorted(
        name for name in holding if (why(nodes[name]) if name in nodes else name in before)
    )
    return tuple((name, before.get(name, at)) for name in going)


def why(node: Node) -> str:
    """In words; "" for a node that stays."""
    return node.leaving or ("" if node.ready else "it does not answer")


def lost(pods: Iterable[Pod], going: Marked, at: float) -> list[Pod]:
    """Those to be replaced, whether they still serve or not."""
    since = {name: first for name, first in going if at - first <= LONGEST_SECONDS}
    return [
        pod
        for pod in pods
        if pod.node in since and pod.created_at < since[pod.node] - MARGIN_SECONDS
    ]
