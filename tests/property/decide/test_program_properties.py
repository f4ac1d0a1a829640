"""Several claims on bounded capacity: against an oracle that writes the same question down differently."""

from dataclasses import replace
from itertools import product
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from inference_cost.decide.mix.budget import Cap, Prices, affordable
from inference_cost.decide.mix.cheapest import Domain, Risk, cheapest, cost_per_hour
from inference_cost.decide.mix.claims import Budget, Claim, Place
from inference_cost.decide.mix.program import EXACT, Solution, solve

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SPOT, OTHER = 0, 1  # bounds
PRICES = (0.3, 0.41, 1.2)  # of spot, the other spot pool, and on demand, which nothing bounds


def claim(random: Random, most: int = 5) -> Claim:
    """Places in one or two bounded pools, mostly one on demand as well; some replicas are there."""
    total, size = random.randint(1, most), random.choice([0.25, 0.5, 1.0])
    pools = random.choice([(SPOT,), (OTHER,), (SPOT, OTHER)])
    places = [
        Place(
            domain=Domain(
                price_per_hour=round(PRICES[pool] * size * random.uniform(0.9, 1.1), 4),
                losses_per_hour=random.choice([0.02, 0.25, 2.0]),
                parts=random.choice([1, 2]),
                held=random.choice([0, 0, 1, 2]),
            ),
            uses=((pool, size),),
        )
        for pool in pools
    ]
    if random.random() < 0.7:
        price = round(PRICES[2] * size * random.uniform(0.9, 1.1), 4)
        places.append(Place(domain=Domain(price_per_hour=price)))
    risk = Risk(
        late_price=random.choice([1.0, 10.0, 60.0]),
        served_price_per_hour=1.2 * size,
        exposure_seconds=120.0,
        start_seconds=180.0,
    )
    return Claim(needed=total, total=total, places=tuple(places), risk=risk)


def instance(seed: int, size: int, share: float) -> tuple[list[Claim], list[float]]:
    """`share` of what all would like to have there; what is there has room in any case."""
    random = Random(seed)  # noqa: S311 - the same again
    claims = [claim(random) for _ in range(size)]
    liked, held = [0.0, 0.0], [0.0, 0.0]
    for one in claims:
        for place in one.places:
            for bound, amount in place.uses:
                liked[bound] += amount * one.total
                held[bound] += amount * min(place.domain.held, one.total)
    rooms = [max(share * a, b) for a, b in zip(liked, held, strict=True)]
    return claims, rooms


def used(claims: list[Claim], found: Solution, bound: int) -> float:
    return sum(
        amount * count
        for one, counts in zip(claims, found.counts, strict=True)
        for place, count in zip(one.places, counts, strict=True)
        for number, amount in place.uses
        if number == bound
    )


def short_cost(one: Claim, missing: int) -> float:
    """As docs/placement.md has it: 20 prices of the dearest place, or 3 times its cost, on average; rising."""
    domains = [place.domain for place in one.places]
    last = (cost_of_next(one, domain) for domain in domains)
    dear = max(max(20 * d.price_per_hour, 3 * n) for d, n in zip(domains, last, strict=True))
    there = min(sum(min(d.held, one.total) for d in domains), one.total)
    return sum(
        dear * (0.5 + (n + 0.5) / one.total) * (1 if n < one.total - there else 50)
        for n in range(missing)
    )


def cost_of_next(one: Claim, domain: Domain) -> float:
    count = max(min(domain.highest, one.total), domain.held)
    before, after = ((n,) for n in (count, count + 1))
    return cost_per_hour(one.needed, after, [domain], one.risk) - cost_per_hour(
        one.needed, before, [domain], one.risk
    )


def columns(one: Claim) -> list[tuple[tuple[int, ...], float]]:
    """Every mix of a claim, also those that are short, with its cost."""
    domains = [place.domain for place in one.places]
    mixes = product(*(range(min(d.highest, one.total) + 1) for d in domains))
    return [
        (
            mix,
            cost_per_hour(one.needed, mix, domains, one.risk)
            + short_cost(one, one.total - sum(mix)),
        )
        for mix in mixes
        if sum(mix) <= one.total
    ]


def oracle(claims: list[Claim], rooms: list[float]) -> float:
    """One column per mix, one mix per claim."""
    choices = [(i, *column) for i, one in enumerate(claims) for column in columns(one)]
    one_each = np.zeros((len(claims), len(choices)))
    shared = np.zeros((len(rooms), len(choices)))
    for j, (i, mix, _) in enumerate(choices):
        one_each[i, j] = 1
        for place, count in zip(claims[i].places, mix, strict=True):
            for bound, amount in place.uses:
                shared[bound, j] += amount * count
    found = milp(
        np.array([cost for *_, cost in choices]),
        integrality=np.ones(len(choices)),
        bounds=Bounds(0, 1),
        constraints=[LinearConstraint(one_each, 1, 1), LinearConstraint(shared, -np.inf, rooms)],
        options={"mip_rel_gap": 0.0},
    )
    return float(found.fun)


def cost(claims: list[Claim], found: Solution) -> float:
    return sum(
        cost_per_hour(one.needed, counts, [place.domain for place in one.places], one.risk)
        + short_cost(one, one.total - sum(counts))
        for one, counts in zip(claims, found.counts, strict=True)
    )


@QUICK
@given(st.integers(0, 10**6), st.integers(1, 8), st.sampled_from([0.0, 0.3, 0.6, 0.9]))
def test_up_to_fifty_claims_get_the_cheapest_of_all_mixes(
    seed: int, size: int, share: float
) -> None:
    claims, rooms = instance(seed, size, share)
    found = solve(claims, rooms)
    assert found is not None
    assert all(used(claims, found, i) <= room + 1e-6 for i, room in enumerate(rooms))
    assert cost(claims, found) == pytest.approx(oracle(claims, rooms), rel=2e-4)


@pytest.mark.parametrize("seed", range(3))
def test_fifty_are_solved_exactly(seed: int) -> None:
    claims, rooms = instance(seed, EXACT, 0.5)
    found = solve(claims, rooms)
    assert found is not None
    assert cost(claims, found) == pytest.approx(oracle(claims, rooms), rel=2e-4)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("size", [60, 300])
def test_more_come_close_to_what_none_undercuts(size: int, share: float) -> None:
    claims, rooms = instance(size, size, share)
    found = solve(claims, rooms)
    assert found is not None
    assert all(used(claims, found, i) <= room + 1e-6 for i, room in enumerate(rooms))
    assert found.least <= found.cost <= found.least * 1.01
    for one, counts in zip(claims, found.counts, strict=True):
        there = sum(min(place.domain.held, one.total) for place in one.places)
        assert sum(counts) >= min(there, one.total)


def test_what_is_there_is_not_given_to_a_higher_priority() -> None:
    """But what is new is."""
    risk = Risk(
        late_price=1.0, served_price_per_hour=1.0, exposure_seconds=60.0, start_seconds=60.0
    )
    place = Place(domain=Domain(price_per_hour=0.3, held=2), uses=((SPOT, 1.0),))
    there = Claim(needed=3, total=3, places=(place,), risk=risk)
    new = replace(place, domain=Domain(price_per_hour=0.3))
    higher = Claim(needed=2, total=2, places=(new,), risk=risk, weight=10.0)
    found = solve([there, higher], [3.0])
    assert found is not None
    assert found.counts == ((2,), (1,))


@QUICK
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_where_nothing_binds_each_gets_its_own_cheapest(seed: int, size: int) -> None:
    claims, _ = instance(seed, size, 1.0)
    found = solve(claims, [1e9, 1e9])
    assert found is not None
    for one, counts in zip(claims, found.counts, strict=True):
        domains = [place.domain for place in one.places]
        best = cost_per_hour(one.needed, cheapest(one.total, domains, one.risk), domains, one.risk)
        assert cost_per_hour(one.needed, counts, domains, one.risk) == pytest.approx(best, rel=2e-4)


@QUICK
@given(st.integers(0, 10**6), st.floats(0.1, 6.0))
def test_a_budget_buys_as_many_as_it_can_and_then_the_cheapest(seed: int, most: float) -> None:
    one = claim(Random(seed))  # noqa: S311 - the same again
    prices = tuple(place.domain.price_per_hour for place in one.places)
    found = solve(
        [Claim(**{**fields_of(one), "budget": Budget(prices=prices, most=most)})], [1e9, 1e9]
    )
    assert found is not None
    domains = [place.domain for place in one.places]
    paid = [
        (-sum(mix), cost_per_hour(one.needed, mix, domains, one.risk))
        for mix, _ in columns(one)
        if sum(n * p for n, p in zip(mix, prices, strict=True)) <= most + 1e-9
    ]
    count, least = min(paid)
    assert -sum(found.counts[0]) == count
    assert (
        cost_per_hour(one.needed, found.counts[0], domains, one.risk) <= least * (1 + 2e-4) + 1e-9
    )


@QUICK
@given(st.integers(0, 10**6), st.floats(0.1, 6.0), st.lists(st.floats(1.0, 1.3), min_size=3))
def test_what_a_cap_affords(seed: int, most: float, dearer: list[float]) -> None:
    """No more than can be paid at the prices of late, or as is there at today's; of so many the cheapest mix."""
    one = claim(Random(seed))  # noqa: S311 - the same again
    domains = [place.domain for place in one.places]
    today = [domain.price_per_hour for domain in domains]
    late = [price * more for price, more in zip(today, dearer, strict=False)]
    there = min(sum(domain.held for domain in domains), one.needed)
    best = _best(one, late, most, one.needed)
    if -best[0] < there:
        best = min(best, _best(one, today, most, there))
    prices = Prices(dear=late, today=today)
    found = affordable(one.needed, domains, one.risk, prices, Cap(most=most, least=0))
    assert -sum(found) == best[0]
    assert cost_per_hour(one.needed, found, domains, one.risk) <= best[1] * (1 + 2e-4) + 1e-9


def _best(one: Claim, prices: list[float], most: float, needed: int) -> tuple[int, float]:
    domains = [place.domain for place in one.places]
    return min(
        (-sum(mix), cost_per_hour(needed, mix, domains, one.risk))
        for mix, _ in columns(one)
        if sum(mix) <= needed
        and sum(n * p for n, p in zip(mix, prices, strict=True)) <= most + 1e-9
    )


def fields_of(one: Claim) -> dict[str, object]:
    return {name: getattr(one, name) for name in one.__slots__}


@pytest.mark.parametrize("size", [1, EXACT + 1])
def test_claims_of_which_nothing_is_to_be_decided_keep_what_they_have(size: int) -> None:
    pinned = Domain(price_per_hour=1.0, held=2, lowest=2)
    risk = Risk(late_price=1.0, served_price_per_hour=1.0, exposure_seconds=1.0, start_seconds=1.0)
    place = Place(domain=pinned, uses=((SPOT, 1.0),))
    found = solve([Claim(needed=2, total=2, places=(place,), risk=risk)] * size, [1.0])
    assert found is not None
    assert found.counts == ((2,),) * size
