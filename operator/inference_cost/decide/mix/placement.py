"""Where replicas are to run, by variant."""

from collections.abc import Callable
from dataclasses import dataclass

from inference_cost.decide.mix.grant import Grant
from inference_cost.decide.mix.place import Sought
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
    """`short`: replicas for which no variant has room now. `surplus`: of those there, what a move will take away.

    `limited`: replicas that limits of pools hold back; `unpaid`: that the policy's cap on its cost does. `sought`: what
    it was found with; `leaving`: replicas about to be lost; `within`: the same within what pools with limits leave.
    """

    variants: tuple[VariantPlaced, ...]
    placing: Placing
    reasons: tuple[Reason, ...]
    sought: Sought
    leaving: tuple[int, ...]
    within: Callable[[Grant], "Placement"]
    short: int = 0
    surplus: int = 0
    limited: int = 0
    unpaid: int = 0

    @property
    def withheld(self) -> int:
        """Of the replicas decided on."""
        return self.limited + self.unpaid
