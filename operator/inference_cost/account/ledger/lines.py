"""Lines of the ledger, and totals that say what is not in them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from inference_cost.account.ledger.history import Gap, Span
from inference_cost.model.policy import PolicyKey
from inference_cost.model.workload import CapacityType

NOTHING = Decimal(0)


class Kind(StrEnum):
    """What a line pays for."""

    SERVING = "serving"  # replicas that were ready
    BOOT = "boot"  # nodes before they were ready; replicas before they were
    WARM = "warm"  # places held for replicas to come
    OVERHEAD = "overhead"  # system pods
    OTHER = "other"  # pods that no policy manages
    IDLE = "idle"  # what nobody asked for
    UNRECORDED = "unrecorded"  # nodes in a gap: who used them is not known
    UNUSED = "unused"  # commitments that are paid for and not used


@dataclass(frozen=True, slots=True, kw_only=True)
class LineKey:
    """`policy`: None where the line belongs to nobody but the pool."""

    kind: Kind
    pool: str
    capacity_type: CapacityType
    policy: PolicyKey | None = None
    variant: str = ""
    cost_center: str = ""

    @property
    def order(self) -> tuple[str, ...]:
        owner = str(self.policy) if self.policy is not None else ""
        return (owner, self.variant, self.cost_center, self.pool, self.capacity_type, self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """Money of some lines. `amount`: the known part of what is paid; `unpriced` says what it misses.

    `listed`: at list prices; `unlisted` says where there is none. `node_hours`: whole nodes × hours.
    """

    amount: Decimal = NOTHING
    listed: Decimal = NOTHING
    node_hours: Decimal = NOTHING
    unpriced: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()

    def __add__(self, other: "Total") -> "Total":
        return Total(
            amount=self.amount + other.amount,
            listed=self.listed + other.listed,
            node_hours=self.node_hours + other.node_hours,
            unpriced=tuple(dict.fromkeys((*self.unpriced, *other.unpriced))),
            unlisted=tuple(dict.fromkeys((*self.unlisted, *other.unlisted))),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    key: LineKey
    total: Total


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """A window's lines. `nodes`: what each node cost by its lifetime and price alone.

    `unused`: what commitments cost beyond that; it is among the lines.
    """

    window: Span
    currency: str
    lines: tuple[Line, ...]
    nodes: Mapping[str, Total]
    unused: Decimal = NOTHING
    gaps: tuple[Gap, ...] = ()

    @property
    def total(self) -> Total:
        return total_of(self.lines)

    @property
    def paid(self) -> Decimal:
        """What is to be explained by lines."""
        return sum((cost.amount for cost in self.nodes.values()), self.unused)

    @property
    def remainder(self) -> Decimal:
        """Paid and in no line."""
        return self.paid - self.total.amount


def total_of(lines: Iterable[Line]) -> Total:
    return sum((line.total for line in lines), Total())
