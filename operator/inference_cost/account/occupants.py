"""What is on a node at one moment, and whose its price is: the same for the live accounts and for the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from inference_cost.account.ledger.history import Use
from inference_cost.account.ledger.lines import Kind
from inference_cost.account.shares import NodeSplit, Requests, split_node
from inference_cost.model.reading import Missing
from inference_cost.model.workload import Node

_FIRST = (Use.REPLICA, Use.WARM)  # what the operator has on the node; others share the rest
_KINDS = {Use.WARM: Kind.WARM, Use.OVERHEAD: Kind.OVERHEAD, Use.OTHER: Kind.OTHER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupant:
    pod: Requests
    use: Use


def split_among(node: Node, occupants: Sequence[Occupant], currency: str) -> NodeSplit:
    """The node's price among all that is on it."""
    ours = [one.pod for one in occupants if one.use in _FIRST]
    others = [one.pod for one in occupants if one.use not in _FIRST]
    uses = {one.pod.uid: one.use for one in occupants if one.use is not Use.REPLICA}
    return replace(split_node(node, ours, currency, others), uses=uses)


def kind_of(use: Use, *, served: bool) -> Kind:
    """The line of a pod. `served`: whether it was ever ready."""
    if use is Use.REPLICA:
        return Kind.SERVING if served else Kind.BOOT
    return _KINDS[use]


def nobodys(split: NodeSplit, *, boots: bool) -> dict[Kind, Decimal]:
    """What is no policy's of a node's price, by line; all of it while the node boots. Empty without a price."""
    if isinstance(split.per_hour, Missing) or isinstance(split.idle, Missing):
        return {}
    if boots:
        return {Kind.BOOT: split.per_hour}
    found = {Kind.IDLE: split.idle}
    for uid, use in split.uses.items():
        kind, share = kind_of(use, served=True), split.shares[uid]
        if isinstance(share, Decimal):
            found[kind] = found.get(kind, Decimal(0)) + share
    return found
