"""What pools with limits leave to each policy that runs there.

First the goal: the cheapest mixes of all together. Then what may be ordered now: of room that others are to leave
nothing, until they have left it. What is there stays, however full a pool is: it goes only where it is cheaper for all
that it runs elsewhere, and then as any move, made before broken.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from inference_cost.decide.joint.claimants import Asked, Claimant, Used, look
from inference_cost.decide.joint.limits import ROUNDING, Limits, limits_of
from inference_cost.decide.joint.takers import full_pools
from inference_cost.decide.mix.cheapest import MOST
from inference_cost.decide.mix.claims import Claim, Place
from inference_cost.decide.mix.grant import Grant
from inference_cost.decide.mix.program import solve
from inference_cost.decide.proposal import Proposed
from inference_cost.model.memory import Shared
from inference_cost.model.observation import Snapshot
from inference_cost.model.policy import PolicyKey

Counts = tuple[int, ...]
KEPT_SECONDS: Final = 300.0  # what was shared out, while nobody asks for anything else
# Of a missing replica of the highest priority against one of the lowest: more would drown costs in rounding.
MOST_WEIGHT: Final = 10_000.0
TIES: Final = 0.01  # of the cost, by which the highest priority comes before the lowest
STEP_OF_WEIGHT: Final = 100.0  # from one priority to the next, where there are few


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedOut:
    """Grants of those alone that get less than they would without limits, or later.

    `failed`: why nothing was shared out among those who share pools; the others have what is theirs.
    """

    grants: Mapping[PolicyKey, Grant]
    memory: tuple[Shared, ...]
    failed: Mapping[PolicyKey, Exception] = field(default_factory=lambda: MappingProxyType({}))


def share_out(
    proposals: Mapping[PolicyKey, Proposed], snapshot: Snapshot, before: tuple[Shared, ...]
) -> SharedOut:
    limits = limits_of(snapshot)
    if limits is None:
        return SharedOut(grants={}, memory=())
    asked = look(proposals, limits)
    acting = [one for one in asked.claimants if one.acts]
    showing = [one for one in asked.claimants if not one.acts]
    grants: dict[PolicyKey, Grant] = {}
    memory: list[Shared] = []
    failed: dict[PolicyKey, Exception] = {}
    for group, others in ((acting, showing), (showing, acting)):
        taken = _sum(asked.fixed, *(_used(one, _ordered(one, grants)) for one in others))
        for together in _that_share(group):
            try:
                out = _share(together, taken, limits, asked, before, snapshot.at)
            except Exception as error:  # noqa: BLE001 - those who share no pool with these go on
                failed |= {one.key: error for one in together}
                continue
            if out is not None:
                grants |= out.grants
                memory += out.memory
    return SharedOut(grants=grants, memory=tuple(memory), failed=failed)


def _share(  # noqa: PLR0917 - what is asked, and what there is
    claimants: Sequence[Claimant],
    taken: Used,
    limits: Limits,
    asked: Asked,
    before: tuple[Shared, ...],
    at: float,
) -> SharedOut | None:
    """Of policies that share pools; None where there is room for all."""
    rooms = [bound.most - taken[i] for i, bound in enumerate(limits.bounds)]
    if _all_fit(claimants, rooms):
        return None
    goals = {one.key: one.mix for one in claimants}
    memory: tuple[Shared, ...] = ()
    if not _mixes_fit(claimants, rooms):
        shared = _goals(claimants, rooms, before, at)
        goals, memory = dict(shared.goals), (shared,)
    now = _orders(claimants, goals, rooms)
    cut = [one for one in claimants if _cut(one, goals[one.key], now[one.key])]
    told = full_pools(claimants, goals, cut, limits.bounds, asked.holders)
    grants = {
        one.key: Grant(
            goal=_where_limited(one, goals[one.key]),
            now=_where_limited(one, now[one.key]),
            full=told[one.key],
        )
        for one in cut
    }
    return SharedOut(grants=grants, memory=memory)


def _ordered(claimant: Claimant, grants: Mapping[PolicyKey, Grant]) -> Counts:
    """What it has, and what more is written now."""
    if not claimant.acts:
        return claimant.now
    grant = grants.get(claimant.key)
    order = claimant.order
    if grant is not None:
        most = (n + going for n, going in zip(grant.now, claimant.leaving, strict=True))
        order = tuple(map(min, order, most))
    return tuple(map(max, order, claimant.now))


def _where_limited(claimant: Claimant, counts: Counts) -> Counts:
    pairs = zip(counts, claimant.pools, strict=True)
    return tuple(count if pool else MOST for count, pool in pairs)


def _cut(claimant: Claimant, goal: Counts, now: Counts) -> bool:
    less = any(a < b for a, b in zip(goal, claimant.mix, strict=True))
    orders = (n - one for n, one in zip(claimant.order, claimant.leaving, strict=True))
    return less or (claimant.acts and any(a < b for a, b in zip(now, orders, strict=True)))


def _all_fit(claimants: Sequence[Claimant], rooms: Sequence[float]) -> bool:
    """Also on the way: what goes holds its room until it is gone."""
    if not _mixes_fit(claimants, rooms):
        return False
    ways = (
        _used(one, tuple(map(max, one.order, one.now))) if one.acts else {} for one in claimants
    )
    return _within(_sum({}, *ways), rooms)


def _mixes_fit(claimants: Sequence[Claimant], rooms: Sequence[float]) -> bool:
    return _within(_sum({}, *(_used(one, _with_leaving(one)) for one in claimants)), rooms)


def _with_leaving(claimant: Claimant) -> Counts:
    return tuple(n + going for n, going in zip(claimant.mix, claimant.leaving, strict=True))


def _within(used: Used, rooms: Sequence[float]) -> bool:
    return all(amount <= rooms[bound] + ROUNDING for bound, amount in used.items())


def _used(claimant: Claimant, counts: Counts) -> Used:
    used: Used = {}
    for place, count in zip(claimant.claim.places, counts, strict=True):
        for bound, amount in place.uses if count else ():
            used[bound] = used.get(bound, 0.0) + amount * count
    return used


def _sum(*parts: Used) -> Used:
    total: Used = {}
    for part in parts:
        for bound, amount in part.items():
            total[bound] = total.get(bound, 0.0) + amount
    return total


def _that_share(claimants: Sequence[Claimant]) -> Iterator[list[Claimant]]:
    """Those who share pools, directly or by others."""
    groups: list[tuple[set[str], list[Claimant]]] = []
    for one in claimants:
        pools = set(one.pools) - {""}
        shared = [group for group in groups if group[0] & pools]
        if len(shared) == 1 and pools <= shared[0][0]:
            shared[0][1].append(one)
            continue
        groups = [group for group in groups if not group[0] & pools]
        names = pools.union(*(group[0] for group in shared))
        groups.append((names, [*(member for group in shared for member in group[1]), one]))
    return (members for _, members in groups)


def _goals(
    claimants: Sequence[Claimant], rooms: Sequence[float], before: tuple[Shared, ...], at: float
) -> Shared:
    """As before while nobody asks for anything else, so that what was learned meanwhile moves nobody to and fro."""
    wanted = _question(claimants, rooms)
    known = next((one for one in before if one.asked == wanted), None)
    if known is not None and 0 <= at - known.at < KEPT_SECONDS:
        return known
    claims, left = _bounded(claimants, rooms)
    found = solve(claims, left)
    counts = tuple(_as_it_is(one) for one in claims) if found is None else found.counts
    goals = {one.key: count for one, count in zip(claimants, counts, strict=True)}
    return Shared(asked=wanted, goals=goals, at=at)


def _question(claimants: Sequence[Claimant], rooms: Sequence[float]) -> tuple[object, ...]:
    """All that is asked, but for what is learned of losses and what late requests are worth."""
    return (
        tuple(round(room, 4) for room in rooms),
        tuple(
            (
                one.key,
                one.priority,
                one.claim.total,
                one.leaving,
                tuple(
                    (
                        round(place.domain.price_per_hour, 4),
                        place.domain.held,
                        place.domain.lowest,
                        place.domain.highest,
                        place.domain.losses_per_hour > 0,
                        place.uses,
                    )
                    for place in one.claim.places
                ),
            )
            for one in claimants
        ),
    )


def _bounded(
    claimants: Sequence[Claimant], rooms: Sequence[float]
) -> tuple[list[Claim], list[float]]:
    """Claims with their weights, and the room left for them. Where more is used than there is room, nobody adds any."""
    going = _sum(*(_used(one, one.leaving) for one in claimants))
    left = [room - going.get(bound, 0.0) for bound, room in enumerate(rooms)]
    held = _sum(*(_used(one, _as_it_is(one.claim)) for one in claimants))
    over = {bound for bound, amount in held.items() if amount > left[bound] + ROUNDING}
    weights = _weights({one.priority for one in claimants})
    claims = [
        replace(
            one.claim,
            weight=weights[one.priority][0],
            worth=weights[one.priority][1],
            places=tuple(_no_more(place, over) for place in one.claim.places),
        )
        for one in claimants
    ]
    return claims, [max(room, held.get(bound, 0.0)) for bound, room in enumerate(left)]


def _no_more(place: Place, over: set[int]) -> Place:
    if not any(bound in over for bound, _ in place.uses):
        return place
    domain = place.domain
    highest = min(domain.highest, domain.held)
    return replace(
        place, domain=replace(domain, lowest=min(domain.lowest, highest), highest=highest)
    )


def _as_it_is(claim: Claim) -> Counts:
    return tuple(min(place.domain.held, place.domain.highest) for place in claim.places)


def _weights(priorities: set[int]) -> dict[int, tuple[float, float]]:
    """By priority: of a missing replica, and of costs, which tell apart only what would cost the same."""
    steps = max(len(priorities) - 1, 1)
    step = min(STEP_OF_WEIGHT, MOST_WEIGHT ** (1 / steps))
    ranked = enumerate(sorted(priorities))
    return {priority: (step**rank, 1 + TIES * rank / steps) for rank, priority in ranked}


def _orders(
    claimants: Sequence[Claimant], goals: Mapping[PolicyKey, Counts], rooms: Sequence[float]
) -> dict[PolicyKey, Counts]:
    """Replicas that each place may be asked for now, those about to be lost left out. Higher priority goes first."""
    used = _sum(*(_used(one, one.now) for one in claimants))
    free = [room - used.get(bound, 0.0) for bound, room in enumerate(rooms)]
    orders: dict[PolicyKey, Counts] = {}
    for one in sorted(claimants, key=lambda one: (-one.priority, one.key)):
        counts = []
        for place, goal, now, going in zip(
            one.claim.places, goals[one.key], one.now, one.leaving, strict=True
        ):
            more = max(goal + going - now, 0)
            for bound, amount in place.uses:
                more = min(more, max(int((free[bound] + ROUNDING) / amount), 0))
            for bound, amount in place.uses:
                free[bound] -= more * amount
            counts.append(max(now + more - going, place.domain.held))
        orders[one.key] = tuple(counts)
    return orders
