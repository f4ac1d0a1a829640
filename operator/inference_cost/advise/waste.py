"""Money that bought little, ranked, with what to do about it.

Each is counted by itself; they overlap (a replica that is kept by minReplicas is one whose GPU is idle), so they have
no sum. Over pieces of time i of a policy, with c its cost and its serving cost s:

- GPUs not computing:   Σ sᵢ · (1 - GPU utilizationᵢ)
- kept by minReplicas:  Σ cᵢ · (share of the time it limits) · (nᵢ - max(1, ⌈forecastᵢ ÷ load per replicaᵢ⌉)) ÷ nᵢ,
  n the replicas decided: at most that much, for no headroom is in it
- late requests:        Σ cᵢ · late shareᵢ, where more than the objective allows
- not enforced:         what the decisions would have saved, where they were not followed
- idle, boot:           those lines of the account
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from math import ceil

_HAIR = 1e-9


class Waste(StrEnum):
    NOT_ENFORCED = "NotEnforced"
    GPU_NOT_COMPUTING = "GPUNotComputing"
    MIN_REPLICAS = "MinReplicas"
    IDLE = "Idle"
    NODE_BOOT = "NodeBoot"
    REPLICA_BOOT = "ReplicaBoot"
    LATE = "Late"
    DEARER = "DearerThanBaseline"
    PRICE_UNKNOWN = "PriceUnknown"


FIX: dict[Waste, str] = {
    Waste.NOT_ENFORCED: "Set spec.mode to Enforce (`kubectl inference-cost explain` tells what it would do), or hand"
    " over from the other autoscaler.",
    Waste.GPU_NOT_COMPUTING: "Let Triton batch more (dynamic_batching, a second instance per GPU), put two models on"
    " one GPU, take a smaller GPU, or loosen the objective.",
    Waste.MIN_REPLICAS: "Lower spec.minReplicas, or give it a schedule for the hours in which nobody asks.",
    Waste.IDLE: "Let the node autoscaler consolidate sooner, take nodes of as many GPUs as replicas ask for, and look"
    " at what other pods keep on them.",
    Waste.NODE_BOOT: "Put images and drivers into the node image; scale less often with a longer stabilization.",
    Waste.REPLICA_BOOT: "Pull images ahead, load models from local disk, and warm them up faster: what a start takes"
    " also decides how much headroom is kept.",
    Waste.LATE: "See `kubectl inference-cost explain` for what limits the replicas: late requests are paid for, too.",
    Waste.DEARER: "The policy keeps more than its baseline would: compare their requests in time before the money.",
    Waste.PRICE_UNKNOWN: "Give the nodes a price: a CapacityPool (`kubectl inference-cost pools -o yaml` prints it).",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """`amount`: None where money is spent whose amount is not known. `where`: policy or pool."""

    waste: Waste
    where: str
    amount: Decimal | None
    why: str

    @property
    def fix(self) -> str:
        return FIX[self.waste]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of one policy's time. None: not recorded."""

    cost: Decimal
    serving: Decimal
    gpu_utilization: float | None = None
    minimum_limits_share: float | None = None
    desired: float | None = None
    forecast: float | None = None
    load_per_replica: float | None = None
    late_share: float | None = None


def ranked(found: Iterable[Found]) -> tuple[Found, ...]:
    """The dearest first, what cannot be priced last; nothing that costs nothing."""
    kept = [one for one in found if one.amount is None or one.amount > 0]
    return tuple(sorted(kept, key=lambda one: (one.amount is None, -(one.amount or 0), one.where)))


def not_computing(pieces: Sequence[Piece]) -> Decimal | None:
    """None where no utilization is recorded."""
    known = [(p.serving, p.gpu_utilization) for p in pieces if p.gpu_utilization is not None]
    if not known:
        return None
    return sum((s * _share(1 - utilization) for s, utilization in known), Decimal(0))


def kept_by_minimum(pieces: Sequence[Piece]) -> Decimal | None:
    """None where it is not recorded what limits."""
    if all(piece.minimum_limits_share is None for piece in pieces):
        return None
    return sum((piece.cost * _share(_beyond_need(piece)) for piece in pieces), Decimal(0))


def _beyond_need(piece: Piece) -> float:
    """Share of the replicas of the piece that only the minimum asks for."""
    desired, forecast, load = piece.desired, piece.forecast, piece.load_per_replica
    if not desired or forecast is None or not load or not piece.minimum_limits_share:
        return 0.0
    needed = max(1, ceil(min(forecast / load, desired) - _HAIR))  # a load near nothing needs all
    return piece.minimum_limits_share * max(0.0, desired - needed) / desired


def paid_for_late(pieces: Sequence[Piece]) -> Decimal | None:
    known = [(p.cost, p.late_share) for p in pieces if p.late_share is not None]
    if not known:
        return None
    return sum((cost * _share(late) for cost, late in known), Decimal(0))


def _share(value: float) -> Decimal:
    return Decimal(str(min(1.0, max(0.0, value))))
