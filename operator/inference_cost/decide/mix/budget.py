"""The most replicas that a cap on the cost per hour allows, in the cheapest mix of so many.

Prices go up and down, and a fleet must not follow each step: more replicas are afforded at the highest prices of the
last hour, and those there are go only when today's are too high for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

from inference_cost.decide.mix.cheapest import Domain, Risk, cheapest, marginal
from inference_cost.decide.mix.claims import Budget, Claim, Place
from inference_cost.decide.mix.program import solve

DEAR_SECONDS: Final = 3600.0  # for which a higher price is remembered
ROUNDING: Final = 1e-9
_ENUMERATED: Final = 2  # places, of which all mixes are tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Dearest:
    """The highest price of late, epoch seconds."""

    per_hour: float
    at: float


def dearest(before: Dearest | None, price: float, at: float) -> Dearest:
    if before is None or price >= before.per_hour or not 0 <= at - before.at <= DEAR_SECONDS:
        return Dearest(per_hour=price, at=at)
    return before


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """`most`: per hour. `least`: replicas that run whatever they cost, and the minimum of each domain."""

    most: float
    least: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """By domain, what a cap counts. `dear`: the highest of late."""

    dear: Sequence[float]
    today: Sequence[float]


def affordable(
    needed: int, domains: Sequence[Domain], risk: Risk, prices: Prices, cap: Cap
) -> tuple[int, ...]:
    """The cheapest mix that the cap allows."""
    there = min(sum(domain.held for domain in domains), needed)
    found = _within(needed, domains, risk, _budget(domains, prices.dear, cap))
    if sum(found) >= there:
        return found
    kept = _within(there, domains, risk, _budget(domains, prices.today, cap))
    return kept if sum(kept) > sum(found) else found


def _budget(domains: Sequence[Domain], prices: Sequence[float], cap: Cap) -> Budget:
    """The cap, or what the fewest replicas cost at least."""
    missing = cap.least - sum(domain.lowest for domain in domains)
    fewest = sum(n.lowest * price for n, price in zip(domains, prices, strict=True))
    for price, domain in sorted(zip(prices, domains, strict=True), key=lambda pair: pair[0]):
        more = max(min(missing, domain.highest - domain.lowest), 0)
        fewest += more * price
        missing -= more
    return Budget(prices=tuple(prices), most=max(cap.most, fewest))


def most_affordable(most: float, price: float, dear: float, there: int) -> int:
    """Replicas of one price; `there`: that run."""
    more = _most(most, dear)
    return more if more >= there else max(more, min(there, _most(most, price)))


def _most(most: float, price: float) -> int:
    return int(most / max(price, ROUNDING) + ROUNDING)


def _within(needed: int, domains: Sequence[Domain], risk: Risk, budget: Budget) -> tuple[int, ...]:
    """What survives a loss comes after what can be paid."""
    found = cheapest(needed, domains, risk)
    if _fits(found, budget):
        return found
    plain = replace(risk, survivors=0)
    found = cheapest(needed, domains, plain)
    if _fits(found, budget):
        return found
    if len(domains) <= _ENUMERATED:
        return _enumerated(needed, domains, plain, budget)
    return _solved(needed, domains, plain, budget)


def _fits(counts: Sequence[int], budget: Budget) -> bool:
    spent = sum(n * price for n, price in zip(counts, budget.prices, strict=True))
    return spent <= budget.most + ROUNDING


def _enumerated(
    needed: int, domains: Sequence[Domain], risk: Risk, budget: Budget
) -> tuple[int, ...]:
    first, *others = domains
    costs = [_costs(needed, domain, risk) for domain in domains]
    best = tuple(domain.lowest for domain in domains)
    least = _worth(best, costs)
    for count in range(first.lowest, max(min(first.highest, needed), first.lowest) + 1):
        left = budget.most - count * budget.prices[0]
        rest = (
            max(min(domain.highest, needed - count, _most(max(left, 0.0), price)), domain.lowest)
            for domain, price in zip(others, budget.prices[1:], strict=True)
        )
        mix = (count, *rest)
        if _fits(mix, budget) and (worth := _worth(mix, costs)) < least:
            best, least = mix, worth
    return best


def _costs(needed: int, domain: Domain, risk: Risk) -> list[float]:
    most = max(min(domain.highest, needed), domain.lowest)
    each = (marginal(needed, domain, n, risk) for n in range(most))
    return list(accumulate(each, initial=0.0))


def _worth(mix: Sequence[int], costs: Sequence[Sequence[float]]) -> tuple[int, float]:
    """More replicas first."""
    return -sum(mix), sum(cost[n] for n, cost in zip(mix, costs, strict=True))


def _solved(needed: int, domains: Sequence[Domain], risk: Risk, budget: Budget) -> tuple[int, ...]:
    minima = tuple(domain.lowest for domain in domains)
    places = tuple(
        Place(domain=replace(domain, held=max(domain.held, domain.lowest))) for domain in domains
    )
    claim = Claim(
        needed=needed,
        total=max(needed, sum(minima)),
        places=places,
        risk=risk,
        budget=budget,
    )
    found = solve([claim], [])
    return minima if found is None else found.counts[0]
