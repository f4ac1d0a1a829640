"""Where replicas are to run, by variant."""

from dataclasses import dataclass

from inference_cost.model.placement import Placing
from inference_cost.model.plan import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantPlaced:
    """`order`: replicas to write; `price_per_hour`: of one; `losses_per_hour`: 0 where none can be lost."""

    order: int
    price_per_hour: float | None
    losses_per_hour: float
    away_until: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """`short`: replicas for which no variant has room now. `surplus`: of those there, what a move will take away."""

    variants: tuple[VariantPlaced, ...]
    placing: Placing
    reasons: tuple[Reason, ...]
    short: int = 0
    surplus: int = 0
