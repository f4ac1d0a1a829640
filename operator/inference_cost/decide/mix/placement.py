"""Where replicas are to run, by variant."""

from dataclasses import dataclass

from inference_cost.decide.mix.cheapest import Domain, Risk
from inference_cost.decide.mix.claims import Budget
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
class Sought:
    """What a mix was sought with, before any limit of a pool: by variant. `leaving`: replicas about to be lost."""

    needed: int
    domains: tuple[Domain, ...]
    risk: Risk
    mix: tuple[int, ...]
    leaving: tuple[int, ...]
    budget: Budget | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Full:
    """A pool whose limit is reached. `takers`: the first of the others who have its room; `own`: replicas there.

    `limit`: nodes or hourlyCost, `most` of it. `higher`: all of them are of higher priority.
    """

    pool: str
    limit: str
    most: float
    takers: tuple[str, ...] = ()
    higher: bool = False
    own: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What pools with limits leave to one policy: replicas by variant in the end, and that may be asked for now."""

    goal: tuple[int, ...]
    now: tuple[int, ...]
    full: tuple[Full, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """`short`: replicas for which no variant has room now. `surplus`: of those there, what a move will take away.

    `limited`: replicas that limits of pools hold back; `unpaid`: that the policy's cap on its cost does.
    """

    variants: tuple[VariantPlaced, ...]
    placing: Placing
    reasons: tuple[Reason, ...]
    sought: Sought
    short: int = 0
    surplus: int = 0
    limited: int = 0
    unpaid: int = 0

    @property
    def withheld(self) -> int:
        """Of the replicas decided on."""
        return self.limited + self.unpaid
