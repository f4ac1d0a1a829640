"""What a policy wants of places that it may share with others."""

from dataclasses import dataclass

from inference_cost.decide.mix.cheapest import Domain, Risk


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where replicas of a claim may run. `uses`: what each takes of the shared bounds, by their number."""

    domain: Domain
    uses: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What the replicas of a claim may cost together per hour; `prices`: of one in each place."""

    prices: tuple[float, ...]
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One policy: `total` replicas, of which `needed` carry its load.

    Against others: `weight` of a missing replica, `worth` of what those cost that are there.
    """

    needed: int
    total: int
    places: tuple[Place, ...]
    risk: Risk
    weight: float = 1.0
    worth: float = 1.0
    budget: Budget | None = None
