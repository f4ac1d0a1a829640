"""What the ledger is made from: nodes with their prices and pods with their owners, over time.

Times are epoch seconds. An end of None: still there.
"""

from dataclasses import dataclass
from enum import StrEnum

from inference_cost.model.money import HourlyPrice
from inference_cost.model.policy import PolicyKey
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import Node, Pod

NO_LIST_PRICE = Missing(reason=MissingReason.PRICE_UNKNOWN, detail="the list price is not known")


class Use(StrEnum):
    """What a pod is on its node for."""

    REPLICA = "replica"  # of a policy
    WARM = "warm"  # holds a place for replicas to come
    OVERHEAD = "overhead"  # what the node needs to work: DaemonSets, system pods
    OTHER = "other"  # of nobody that is managed here


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whom a pod is charged to."""

    use: Use
    policy: PolicyKey | None = None
    variant: str = ""
    cost_center: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """One pod on one node, from its binding until it is gone. `ready_at`: when it first served."""

    pod: Pod
    owner: Owner
    bound_at: float
    ready_at: float | None
    ended_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChange:
    """Price of the whole node from `since` on: what is paid, and what the list says before discounts."""

    since: float
    price: HourlyPrice | Missing
    listed: HourlyPrice | Missing = NO_LIST_PRICE


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLife:
    """One node from launch to gone. `prices` ascend; the first one counts from the launch on.

    The launch is `node.created_at`; `node.price` is not looked at.
    """

    node: Node
    ready_at: float | None
    gone_at: float | None
    prices: tuple[PriceChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    begin: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A time of which nobody recorded what ran where; what nodes cost in it is known all the same."""

    begin: float
    end: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    nodes: tuple[NodeLife, ...]
    stays: tuple[Stay, ...] = ()
    gaps: tuple[Gap, ...] = ()
