"""How soon replicas go back to where they were moved away from to save money.

A start is to pay for itself until the next move, and the time since the last one tells when that may be. So a price
that goes up and down moves a fleet only as often as that pays; one that stays moves it within the hour.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from inference_cost.decide.mix.cheapest import MOVES_PER_HOUR, Domain
from inference_cost.model.placement import PlacedDomain

SHORTEST_SECONDS: Final = 1.0
Before = PlacedDomain | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Replicas of one domain, and how many it is to have. `forced`: whatever they cost."""

    alive: int
    wanted: int
    forced: bool


def dwelling(domains: Sequence[Domain], before: Sequence[Before], at: float) -> tuple[Domain, ...]:
    """With starts as dear as they are where replicas left a while ago."""
    return tuple(
        replace(domain, moves_per_hour=_moves_per_hour(known, at))
        for domain, known in zip(domains, before, strict=True)
    )


def _moves_per_hour(known: Before, at: float) -> float:
    if known is None or known.left_at is None:
        return MOVES_PER_HOUR
    return max(3600 / max(at - known.left_at, SHORTEST_SECONDS), MOVES_PER_HOUR)


def left_at(moves: Sequence[Move], before: Sequence[Before], at: float) -> tuple[float | None, ...]:
    """By domain: this look where replicas begin to move from there to another, else as it was."""
    begins = any(move.wanted > move.alive for move in moves)
    return tuple(
        at
        if begins and move.wanted < move.alive and not move.forced
        else (None if known is None else known.left_at)
        for move, known in zip(moves, before, strict=True)
    )
