"""The cheapest numbers of replicas in each failure domain, late requests after a loss paid for.

Price and risk of a domain are convex in its replicas and those of different domains add, so to take the cheapest next
replica again and again is exact (Fox, 1966, "Discrete optimization via marginal analysis"). The property tests compare
with all possible mixes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Final

MOST: Final = 2**31 - 1
# Of the requests that the lost replicas would have served so many are late when few are lost, all when all are: what
# remains has room, which is used up by the square of the share (docs/placement.md).
LATE_WHEN_FEW: Final = 0.4
MOVES_PER_HOUR: Final = 1.0  # a start is to pay for itself within an hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """Replicas of one price. `held`: that are there or start, and stay; more have a start to pay for.

    `parts`: zones that they are spread over evenly, each of which is lost as a whole. `moves_per_hour`: how often a
    start here is followed by another move. `settled`: of the held ones, that need no further node; others may land
    where they are lost besides, `unsettled_losses_per_hour`.
    """

    price_per_hour: float  # of a replica
    losses_per_hour: float = 0.0  # of each part; 0: never
    parts: int = 1
    held: int = 0
    lowest: int = 0
    highest: int = MOST
    moves_per_hour: float = MOVES_PER_HOUR
    settled: int = 0
    unsettled_losses_per_hour: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """What a loss does. `late_price`: of a late request, in costs of serving one (decide/headroom/choice.py).

    `served_price_per_hour`: of the replica that such a cost is of. `exposure_seconds`: from the end of a lost replica
    until another serves in its place. `survivors`: replicas to be left when the largest part is lost; `most`: in all,
    whatever these ask for.
    """

    late_price: float
    served_price_per_hour: float
    exposure_seconds: float
    start_seconds: float
    survivors: int = 0
    most: int = MOST


def cheapest(needed: int, domains: Sequence[Domain], risk: Risk) -> tuple[int, ...]:
    """Replicas by domain, `needed` in all where the domains have room, more where `survivors` ask for them.

    Of the sizes of the largest part a few are tried. With survivors a loss makes hardly anybody late; it is paid for
    all the same, for what is replaced after each loss costs as well.
    """
    if not risk.survivors:
        return _filled(needed, needed, domains, risk)
    tried = [
        _filled(
            needed,
            max(needed, min(risk.survivors + most, risk.most)),
            _capped(domains, most),
            risk,
        )
        for most in _largest_domains(domains, risk)
    ]
    good = [one for one in tried if survivors(domains, one) >= risk.survivors]
    if not good:  # there is no room
        return max(tried, key=lambda one: survivors(domains, one))
    return min(good, key=lambda one: cost_per_hour(needed, one, domains, risk))


def survivors(domains: Sequence[Domain], counts: Sequence[int]) -> int:
    """Replicas that are left when the largest part that can be lost is."""
    lossy = (
        -(-count // d.parts) for d, count in zip(domains, counts, strict=True) if d.losses_per_hour
    )
    return sum(counts) - max(lossy, default=0)


def cost_per_hour(
    needed: int, counts: Sequence[int], domains: Sequence[Domain], risk: Risk
) -> float:
    """Of a mix, starts and late requests paid for."""
    return sum(
        marginal(needed, domain, n, risk)
        for domain, count in zip(domains, counts, strict=True)
        for n in range(count)
    )


def marginal(needed: int, domain: Domain, count: int, risk: Risk) -> float:
    """Cost per hour of one replica more than `count`: its price, its part in what a loss makes late, its start."""
    share = (count + 0.5) / domain.parts / max(needed, 1)
    late = LATE_WHEN_FEW + 2 * (1 - LATE_WHEN_FEW) * min(share, 1.0)
    losses = domain.losses_per_hour
    if count >= domain.settled:
        losses += domain.unsettled_losses_per_hour
    lost_seconds = losses * risk.exposure_seconds * late  # of a replica, per hour
    at_risk = risk.late_price * risk.served_price_per_hour * lost_seconds / 3600
    start = 0.0
    if (
        count >= domain.held
    ):  # it is paid for without serving, and with what it replaces, once until the next move
        moves_per_hour = max(losses, domain.moves_per_hour)
        start = domain.price_per_hour * risk.start_seconds / 3600 * moves_per_hour
    return domain.price_per_hour + at_risk + start


def _filled(needed: int, total: int, domains: Sequence[Domain], risk: Risk) -> tuple[int, ...]:
    """`total` replicas, the cheapest first, where the domains have room."""
    counts = [min(domain.lowest, domain.highest) for domain in domains]
    for _ in range(total - sum(counts)):
        best = _cheapest_next(needed, domains, counts, risk)
        if best is None:
            break
        counts[best] += 1
    return tuple(counts)


def _cheapest_next(
    needed: int, domains: Sequence[Domain], counts: Sequence[int], risk: Risk
) -> int | None:
    best, least = None, 0.0
    for i, domain in enumerate(domains):
        if counts[i] >= domain.highest:
            continue
        cost = marginal(needed, domain, counts[i], risk)
        if isfinite(cost) and (best is None or cost < least):
            best, least = i, cost
    return best


def _largest_domains(domains: Sequence[Domain], risk: Risk) -> list[int]:
    """Sizes of the largest part that are worth a try: the survivors in one other, evenly in two, three…, on none.

    None is larger than what there may be beside the survivors.
    """
    lossy = [domain for domain in domains if domain.losses_per_hour > 0]
    least = max((-(-domain.lowest // domain.parts) for domain in lossy), default=0)
    parts = sum(domain.parts for domain in lossy)
    even = (-(-risk.survivors // n) for n in range(1, parts + 1))
    beside = risk.most - risk.survivors
    return sorted({least, *(max(min(size, beside), least) for size in even)})


def _capped(domains: Sequence[Domain], most: int) -> list[Domain]:
    return [
        replace(d, highest=min(d.highest, max(most * d.parts, d.lowest)))
        if d.losses_per_hour
        else d
        for d in domains
    ]
