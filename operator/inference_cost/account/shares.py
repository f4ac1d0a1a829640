"""How the price of one node is split among the replicas on it.

A replica's share is its dominant one: the largest of requested ÷ allocatable GPUs, CPU and memory. What nobody
requested is idle and stays a line of its own. Shares are rounded down to a millionth, so shares + idle is the
price of the node exactly. System pods and strangers share what is left: they make no replica cheaper.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import Node, Pod

STEP = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSplit:
    """Price of one node per hour, by pod uid, and the idle rest. Missing where it cannot be known.

    `weights`: fractions of the node, also where it has no price.
    """

    node: Node
    per_hour: Decimal | Missing
    shares: Mapping[str, Decimal | Missing]
    idle: Decimal | Missing
    weights: Mapping[str, Fraction]


def split_node(
    node: Node, pods: Sequence[Pod], currency: str, others: Sequence[Pod] = ()
) -> NodeSplit:
    """Split the node's hourly price among `pods`; each pod on the node that belongs to a policy, once.

    `others` have of what these leave what they request of the node.
    """
    price = price_of(node, currency)
    weights = _weights(node, pods)
    if others:
        weights |= _of_the_rest(1 - sum(weights.values(), Fraction(0)), _weights(node, others))
        pods = (*pods, *others)
    if isinstance(price, Missing):
        unknown = {p.uid: price for p in pods}
        return NodeSplit(node=node, per_hour=price, shares=unknown, idle=price, weights=weights)
    shares = {p.uid: _share(price, weights[p.uid], p) for p in pods}
    charged = sum((s for s in shares.values() if isinstance(s, Decimal)), Decimal(0))
    idle = price - charged
    return NodeSplit(node=node, per_hour=price, shares=shares, idle=idle, weights=weights)


def price_of(node: Node, currency: str) -> Decimal | Missing:
    """Of the whole node per hour, in the installation's currency."""
    if isinstance(node.price, Missing):
        return node.price
    if node.price.currency != currency:
        detail = f"pool {node.pool} is priced in {node.price.currency}, not in {currency}"
        return Missing(reason=MissingReason.PRICE_UNKNOWN, detail=detail)
    return node.price.per_hour


def _share(price: Decimal, weight: Fraction, pod: Pod) -> Decimal | Missing:
    if weight == 0 and not (pod.gpus or pod.cpu_millicores or pod.memory_bytes):
        detail = f"pod {pod.name} requests no GPU, CPU or memory: set resources.requests"
        return Missing(reason=MissingReason.PRICE_UNKNOWN, detail=detail)
    steps = Fraction(price) * weight / Fraction(STEP)
    return Decimal(steps.numerator // steps.denominator) * STEP


def _weights(node: Node, pods: Sequence[Pod]) -> dict[str, Fraction]:
    """Dominant fractions of the node; scaled to one where they add up to more."""
    gpus = max(node.allocatable_gpus, sum(p.gpus for p in pods))
    cpu = max(node.allocatable_cpu_millicores, sum(p.cpu_millicores for p in pods))
    memory = max(node.allocatable_memory_bytes, sum(p.memory_bytes for p in pods))
    dominant = {
        p.uid: max(
            _fraction(p.gpus, gpus),
            _fraction(p.cpu_millicores, cpu),
            _fraction(p.memory_bytes, memory),
        )
        for p in pods
    }
    excess = max(Fraction(1), sum(dominant.values(), Fraction(0)))
    return {uid: weight / excess for uid, weight in dominant.items()}


def _of_the_rest(rest: Fraction, weights: Mapping[str, Fraction]) -> dict[str, Fraction]:
    asked = sum(weights.values(), Fraction(0))
    scale = rest / asked if asked > rest else Fraction(1)
    return {uid: weight * scale for uid, weight in weights.items()}


def _fraction(requested: int, allocatable: int) -> Fraction:
    return Fraction(requested, allocatable) if allocatable > 0 else Fraction(0)
