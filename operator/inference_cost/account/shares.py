"""How the price of one node is split among the replicas on it.

A replica's share is its dominant one: the largest of requested ÷ allocatable GPUs, CPU and memory. What nobody
requested is idle and stays a line of its own. Shares are rounded down to a millionth, so shares + idle is the
price of the node exactly. System pods and strangers share what is left: they make no replica cheaper.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Protocol

from inference_cost.account.ledger.history import Use
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import Node

STEP = Decimal("0.000001")
STEPS = 10**6  # of one


class Requests(Protocol):
    """A pod, as far as its node's price is split by it."""

    @property
    def name(self) -> str: ...
    @property
    def uid(self) -> str: ...
    @property
    def gpus(self) -> int: ...
    @property
    def cpu_millicores(self) -> int: ...
    @property
    def memory_bytes(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSplit:
    """Price of one node per hour, by pod uid, and the idle rest. Missing where it cannot be known.

    `weights`: fractions of the node, also where it has no price. `uses`: of pods that are no replicas.
    """

    node: Node
    per_hour: Decimal | Missing
    shares: Mapping[str, Decimal | Missing]
    idle: Decimal | Missing
    weights: Mapping[str, Fraction]
    uses: Mapping[str, Use] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def replicas(self) -> int:
        return len(self.weights) - len(self.uses)

    @property
    def used(self) -> Fraction:
        """By replicas, of the node."""
        return sum((w for uid, w in self.weights.items() if uid not in self.uses), Fraction(0))


def split_node(
    node: Node, pods: Sequence[Requests], currency: str, others: Sequence[Requests] = ()
) -> NodeSplit:
    """Split the node's hourly price among `pods`; each pod on the node that belongs to a policy, once.

    `others` have of what these leave what they request of the node, be it nothing.
    """
    price = price_of(node, currency)
    weights = _weights(node, pods)
    if others:
        weights |= _of_the_rest(1 - sum(weights.values(), Fraction(0)), _weights(node, others))
    if isinstance(price, Missing):
        unknown = dict.fromkeys(weights, price)
        return NodeSplit(node=node, per_hour=price, shares=unknown, idle=price, weights=weights)
    shares = {p.uid: _share(price, weights[p.uid], p) for p in pods}
    shares |= {p.uid: _rounded(price, weights[p.uid]) for p in others}
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


def _share(price: Decimal, weight: Fraction, pod: Requests) -> Decimal | Missing:
    if weight == 0 and not (pod.gpus or pod.cpu_millicores or pod.memory_bytes):
        detail = f"pod {pod.name} requests no GPU, CPU or memory: set resources.requests"
        return Missing(reason=MissingReason.PRICE_UNKNOWN, detail=detail)
    return _rounded(price, weight)


def _rounded(price: Decimal, weight: Fraction) -> Decimal:
    numerator, denominator = price.as_integer_ratio()
    steps = numerator * weight.numerator * STEPS // (denominator * weight.denominator)
    return Decimal(steps) * STEP


def _weights(node: Node, pods: Sequence[Requests]) -> dict[str, Fraction]:
    """Dominant fractions of the node; scaled to one where they add up to more.

    In whole numbers of one denominator: a large cluster has tens of thousands of pods.
    """
    gpus = max(node.allocatable_gpus, sum(p.gpus for p in pods)) or 1
    cpu = max(node.allocatable_cpu_millicores, sum(p.cpu_millicores for p in pods)) or 1
    memory = max(node.allocatable_memory_bytes, sum(p.memory_bytes for p in pods)) or 1
    of_gpu, of_cpu, of_byte = cpu * memory, gpus * memory, gpus * cpu
    dominant = {
        p.uid: max(p.gpus * of_gpu, p.cpu_millicores * of_cpu, p.memory_bytes * of_byte)
        for p in pods
    }
    whole = max(gpus * cpu * memory, sum(dominant.values()))
    return {uid: Fraction(part, whole) for uid, part in dominant.items()}


def _of_the_rest(rest: Fraction, weights: Mapping[str, Fraction]) -> dict[str, Fraction]:
    if rest == 0:
        return dict.fromkeys(weights, rest)
    asked = sum(weights.values(), Fraction(0))
    scale = rest / asked if asked > rest else Fraction(1)
    return {uid: weight * scale for uid, weight in weights.items()}
