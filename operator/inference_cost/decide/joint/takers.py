"""Who has the room that a policy did not get."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from inference_cost.decide.joint.claimants import Claimant
from inference_cost.decide.joint.limits import Bound
from inference_cost.decide.mix.cheapest import marginal
from inference_cost.decide.mix.grant import Full
from inference_cost.model.policy import PolicyKey

NAMED: Final = 3
Counts = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taker:
    """`gain`: what it would cost more to do without one replica there, per hour."""

    key: PolicyKey
    priority: int
    gain: float


def full_pools(
    claimants: Sequence[Claimant],
    goals: Mapping[PolicyKey, Counts],
    cut: Sequence[Claimant],
    bounds: Sequence[Bound],
    holders: Mapping[str, tuple[str, ...]],
) -> dict[PolicyKey, tuple[Full, ...]]:
    """For each that is cut. `holders`: policies that are there and ask for nothing, by pool."""
    names = {pool for one in cut for pool in one.pools if pool}
    takers = {pool: _takers(pool, claimants, goals) for pool in names}
    limit_of = {pool: _tightest(pool, claimants, goals, bounds) for pool in names}
    return {
        one.key: tuple(
            _full(one, goals[one.key][i], limit_of[pool], takers[pool], holders.get(pool, ()))
            for i, pool in enumerate(one.pools)
            if pool and goals[one.key][i] <= max(one.mix[i], one.order[i])
        )
        for one in cut
    }


def _full(
    loser: Claimant, own: int, bound: Bound, takers: Sequence[_Taker], holders: Sequence[str]
) -> Full:
    others = [one for one in takers[: NAMED + 1] if one.key != loser.key][:NAMED]
    higher = bool(others) and all(one.priority > loser.priority for one in others)
    named = tuple(str(one.key) for one in others) or tuple(holders[:NAMED])
    return Full(
        pool=bound.pool,
        limit=bound.limit,
        most=bound.most,
        takers=named,
        higher=higher,
        own=own,
    )


def _takers(
    pool: str, claimants: Sequence[Claimant], goals: Mapping[PolicyKey, Counts]
) -> list[_Taker]:
    """Higher priority first, then who gains more."""
    found = [
        _Taker(key=one.key, priority=one.priority, gain=_gain(one, place, goals[one.key]))
        for one in claimants
        for place, name in enumerate(one.pools)
        if name == pool and max(goals[one.key][place], one.now[place])
    ]
    return sorted(found, key=lambda one: (-one.priority, -one.gain, one.key))


def _gain(claimant: Claimant, place: int, goal: Counts) -> float:
    """Infinite where it has no other place."""
    claim = claimant.claim
    here = marginal(claim.needed, claim.places[place].domain, max(goal[place] - 1, 0), claim.risk)
    elsewhere = (
        marginal(claim.needed, other.domain, goal[i], claim.risk)
        for i, other in enumerate(claim.places)
        if i != place and goal[i] < other.domain.highest
    )
    return min(elsewhere, default=inf) - here


def _tightest(
    pool: str,
    claimants: Sequence[Claimant],
    goals: Mapping[PolicyKey, Counts],
    bounds: Sequence[Bound],
) -> Bound:
    """Of the limits of a pool the one that is used most of."""
    of_pool = [(i, bound) for i, bound in enumerate(bounds) if bound.pool == pool]
    if len(of_pool) == 1:
        return of_pool[0][1]
    used = {i: bound.others for i, bound in of_pool}
    for one in claimants:
        for place, count in zip(one.claim.places, goals[one.key], strict=True):
            for i, amount in place.uses:
                if i in used:
                    used[i] += amount * count
    return max(of_pool, key=lambda one: used[one[0]] / max(one[1].most, 1e-9))[1]
