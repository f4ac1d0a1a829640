"""Which pods are to go when replicas are removed: those that leave nodes empty, for a node is what is paid for.

Kubernetes removes pods that are not ready first, and of the ready ones, left alone, those on nodes with the most of
their siblings: the opposite of what empties a node.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from inference_cost.api.group import FIELD_MANAGER
from inference_cost.decide import leaving
from inference_cost.decide.emptying import worth_most
from inference_cost.decide.place import share_price
from inference_cost.model.money import HourlyPrice
from inference_cost.model.plan import Removal
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import Node, Pod, Workload

MOST_MARKED: Final = 100  # pods in one removal; the rest go as they come
NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """A node with ready pods of the workload. `others`: pods that stay on it, whichever of these go."""

    node: Node
    pods: tuple[Pod, ...]
    others: int
    leaves: bool

    @property
    def price(self) -> Decimal:
        """Per hour, of the node; nothing where it is not known."""
        price = self.node.price
        return price.per_hour if isinstance(price, HourlyPrice) else NOTHING

    @property
    def alike(self) -> tuple[object, ...]:
        """Nodes that agree in this are as good as each other."""
        return self.leaves, self.price, len(self.pods), self.others


def removal(
    workload: Workload, desired: int, nodes: Mapping[str, Node], *, ordered: bool
) -> Removal | None:
    """What going down to `desired` replicas can leave empty. None where that is not for anybody to choose.

    `ordered`: pods are marked now. Where nobody is to be told, of the nodes only one is sought.
    """
    there = [pod for pod in workload.pods if not pod.terminating]
    ready = [pod for pod in there if pod.ready]
    going = len(ready) - desired  # the others go before them
    if going <= 0 or any(pod.node not in nodes for pod in ready):
        return None
    held = _held(there, nodes)
    left_to = next((p.cost_set_by for p in there if p.cost_set_by not in {"", FIELD_MANAGER}), "")
    matters = desired > 0 and _matters(held)
    if not ordered or left_to or not all(pod.replica_set for pod in ready):
        one = _one_empty(held, going)
        told = left_to if ordered and matters else ""
        return Removal(nodes=tuple(node.name for node in one), per_hour=_price(one), left_to=told)
    first, empty = _chosen(held, going)
    per_hour = _price(one.node for one in held if one.node.name in empty)
    names = tuple(pod.name for pod in first[:MOST_MARKED]) if matters else ()
    marked = (pod.name for pod in there if pod.cost_set_by == FIELD_MANAGER)
    outdated = tuple(name for name in marked if name not in names)
    return Removal(nodes=empty, per_hour=per_hour, pods=names, outdated=outdated)


def _one_empty(held: Sequence[_Held], going: int) -> list[Node]:
    """The dearest, if there is any."""
    can = [one for one in held if not one.others and len(one.pods) <= going]
    return [max(can, key=lambda one: one.price).node] if can else []


def _matters(held: Sequence[_Held]) -> bool:
    """Which pods go: not where each has a node of its own, and the nodes are alike."""
    several = any(len(one.pods) > 1 for one in held)
    return len(held) > 1 and (several or len({one.alike for one in held}) > 1)


def _held(there: Sequence[Pod], nodes: Mapping[str, Node]) -> list[_Held]:
    """By name. Pods of the workload that are not ready go anyway, and keep no node."""
    on: dict[str, list[Pod]] = {}
    for pod in there:
        on.setdefault(pod.node, []).append(pod)
    return [
        _Held(
            node=nodes[name],
            pods=tuple(sorted((pod for pod in pods if pod.ready), key=lambda pod: pod.name)),
            others=max(nodes[name].pods - len(pods), 0),
            leaves=bool(leaving.why(nodes[name])),
        )
        for name, pods in sorted(on.items())
        if any(pod.ready for pod in pods)
    ]


def _chosen(held: Sequence[_Held], going: int) -> tuple[list[Pod], tuple[str, ...]]:
    """Pods to go, in order, and the nodes that are empty then: leaving ones first, then what saves most, then the rest.

    Of the rest the dearest go first, and of nodes alike those on the one with the fewest pods, so that it is the next
    to be empty.
    """
    gone = [pod for one in held if one.leaves for pod in one.pods][:going]
    staying = [one for one in held if not one.leaves]
    emptied = _dearest([one for one in staying if not one.others], going - len(gone))
    freed = [pod for one in emptied for pod in one.pods]
    names = {one.node.name for one in emptied}
    rest = sorted(
        (one for one in staying if one.node.name not in names),
        key=lambda one: (-_replica_price(one), len(one.pods) + one.others),
    )
    order = [*gone, *freed, *(pod for one in rest for pod in one.pods)][:going]
    return order, _left_empty(held, order)


def _left_empty(held: Sequence[_Held], order: Sequence[Pod]) -> tuple[str, ...]:
    names = {pod.name for pod in order}
    return tuple(
        one.node.name
        for one in held
        if not one.others and names.issuperset(pod.name for pod in one.pods)
    )


def _dearest(held: Sequence[_Held], going: int) -> list[_Held]:
    """Nodes worth most together whose pods are no more than `going`."""
    found = worth_most([len(one.pods) for one in held], [one.price for one in held], going)
    return [held[i] for i in found]


def _replica_price(held: _Held) -> Decimal:
    pod = held.pods[0]
    price = share_price(held.node, pod.gpus, pod.cpu_millicores, pod.memory_bytes)
    return NOTHING if price is None else price


def _price(nodes: Iterable[Node]) -> Decimal | Missing:
    total = NOTHING
    for node in nodes:
        if isinstance(node.price, Missing):
            return Missing(reason=MissingReason.PRICE_UNKNOWN, detail=f"node {node.name}")
        total += node.price.per_hour
    return total
