"""What a policy would ask of each variant without warning: for a load that grows, and in place of what is taken away.

Found by the rule that places replicas at every look (cheapest.py), beginning with the mix of now. In place of what a
zone loses the other variants are asked.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import exp

from inference_cost.decide.mix.cheapest import MOST, Domain, Risk, cheapest
from inference_cost.decide.mix.place import Placed, Sought
from inference_cost.model.placement import AtOnce, Loss


def at_once(sought: Sought, placed: Placed, pools: Sequence[str]) -> tuple[AtOnce, ...]:
    """By variant; `pools`: where each runs.

    A limit of a pool keeps more from coming where they can be lost. Elsewhere nodes are kept within what it leaves.
    """
    domains = [
        _from(limited if seen.can_be_lost else free, count)
        for seen, free, limited, count in zip(
            sought.seen, sought.domains, placed.domains, placed.wanted, strict=True
        )
    ]
    losses = _losses(sought, domains, pools)
    return tuple(
        AtOnce(growth=part, losses=tuple(each[i] for each in losses if each[i].part > 0))
        for i, part in enumerate(_growth(sought, domains))
    )


def _from(domain: Domain, count: int) -> Domain:
    return replace(domain, lowest=count, highest=max(domain.highest, count))


def _growth(sought: Sought, domains: Sequence[Domain]) -> list[float]:
    """Parts of as many replicas again, 0 everywhere where there is no room."""
    now = max(sum(one.lowest for one in domains), sought.needed, 1)
    risk = replace(sought.risk, survivors=2 * now if sought.risk.survivors else 0, most=MOST)
    after = cheapest(2 * now, domains, risk)
    more = [count - one.lowest for count, one in zip(after, domains, strict=True)]
    return [one / max(sum(more), 1) for one in more]


def _losses(sought: Sought, domains: Sequence[Domain], pools: Sequence[str]) -> list[list[Loss]]:
    """For each variant that can be lost, what each of all would be asked for.

    Who keeps enough for the loss of a zone asks for nothing at once.
    """
    risk = sought.risk
    if risk.survivors:
        return []
    return [
        _loss(i, domains, pools[i], risk)
        for i, one in enumerate(domains)
        if one.lowest and one.losses_per_hour * risk.exposure_seconds > 0
    ]


def _loss(lost: int, domains: Sequence[Domain], pool: str, risk: Risk) -> list[Loss]:
    total, one = sum(domain.lowest for domain in domains), domains[lost]
    zones = min(one.parts, one.lowest)
    left = one.lowest + (-one.lowest // zones)
    rest = [*domains]
    rest[lost] = replace(one, lowest=left, highest=left)
    after = cheapest(total, rest, risk)
    chance = 1.0 - exp(-one.losses_per_hour * risk.exposure_seconds / 3600)
    return [
        Loss(domain=pool, zones=zones, chance=chance, part=(count - domain.lowest) / total)
        for count, domain in zip(after, rest, strict=True)
    ]
