"""Prices that are too old stop moves for the sake of cost, and nothing else."""

from dataclasses import replace
from decimal import Decimal

import pytest

from inference_cost.decide.explain.explanation import explain
from inference_cost.decide.memory_codec import decode, encode
from inference_cost.decide.mix.losses import NOTHING_KNOWN
from inference_cost.decide.price_age import too_old
from inference_cost.model.money import HourlyPrice, PriceSource
from inference_cost.model.placement import LossRecord
from inference_cost.model.plan import Reason
from inference_cost.model.policy import SpotRisk
from inference_cost.model.workload import CapacityType, Node
from tests.unit.decide.mix.two_variants import (
    BOTH,
    FULL_SAFE,
    FULL_SPOT,
    QUIET,
    SPOT,
    SPOT_POOL,
    TAKEN,
    World,
    orders,
    planned,
    ready,
    remembering,
    two,
)
from tests.unit.decide.worlds import NOON

DAY = 86_400.0
TABLE, OVERLAY = PriceSource.SHIPPED_TABLE, PriceSource.NODE_OVERLAY
POOL, KARPENTER, COST = PriceSource.CAPACITY_POOL, PriceSource.KARPENTER, PriceSource.OPEN_COST
LOSSY, SAFE = CapacityType.SPOT, CapacityType.ON_DEMAND


def priced(days: float, source: PriceSource = TABLE, listed: PriceSource | None = None) -> Node:
    price = HourlyPrice(
        per_hour=Decimal("0.30"),
        currency="USD",
        source=source,
        as_of=NOON - days * DAY,
        listed=listed,
    )
    return replace(SPOT, price=price)


def where(world: World, node: Node) -> World:
    return replace(world, spot_node=node, pools=(replace(SPOT_POOL, examples=(node,)),))


OLD = priced(91)

AGES: dict[str, tuple[PriceSource, PriceSource | None, CapacityType, float, bool]] = {
    "a list price of spot holds for a quarter": (TABLE, None, LOSSY, 89, False),
    "and no longer": (TABLE, None, LOSSY, 91, True),
    "one on demand holds for a year": (TABLE, None, SAFE, 364, False),
    "and no longer than that": (TABLE, None, SAFE, 366, True),
    "a reservation is priced as on demand": (TABLE, None, CapacityType.RESERVED, 364, False),
    "Karpenter's is of the hour": (KARPENTER, None, LOSSY, 0.1, False),
    "and not of yesterday": (KARPENTER, None, SAFE, 1, True),
    "nor is OpenCost's": (COST, None, SAFE, 1, True),
    "what a person wrote holds": (POOL, None, LOSSY, 4000, False),
    "of an overlay, too": (OVERLAY, None, LOSSY, 4000, False),
    "a discount is as old as what it is taken off": (POOL, TABLE, LOSSY, 91, True),
    "an overlay that adds to one, too": (OVERLAY, KARPENTER, LOSSY, 1, True),
}


@pytest.mark.parametrize("sentence", AGES)
def test_how_long_a_price_holds(sentence: str) -> None:
    source, listed, capacity, days, expected = AGES[sentence]
    node = replace(priced(days, source, listed), capacity_type=capacity)
    assert too_old(node, NOON) is expected


def test_a_fleet_moves_for_a_price_of_a_day_and_not_for_one_of_a_quarter() -> None:
    moved, _ = planned(where(FULL_SAFE, priced(1)), remembering(0, 4))
    stayed, _ = planned(where(FULL_SAFE, OLD), remembering(0, 4))
    assert (orders(moved), orders(stayed)) == ((4, 4), (0, 4))


SURVIVE = two(spot_risk=SpotRisk.SURVIVE_LARGEST_ZONE)
WIDE = two(most=20)
OFTEN = replace(NOTHING_KNOWN, losses=10.0)
FOUR_EACH = World(spot=(4, ready("spot", 4)), safe=(4, ready("safe", 4)), of=SURVIVE)
# Sentence: world, how often spot was lost → asked of spot, and of what cannot be lost.
SAFELY: dict[str, tuple[World, LossRecord, tuple[int, int]]] = {
    "to survive the loss of a zone needs no price": (FOUR_EACH, QUIET, (0, 4)),
    "of a fleet that shrinks those that can be lost go": (
        replace(FOUR_EACH, of=WIDE, rate=165.0),
        OFTEN,
        (0, 2),
    ),
    "one that grows grows where nothing is lost": (
        World(spot=(2, ready("spot", 2)), safe=(2, ready("safe", 2)), rate=640.0, of=WIDE),
        OFTEN,
        (2, 6),
    ),
}


@pytest.mark.parametrize("sentence", SAFELY)
def test_what_can_be_lost_is_no_better_for_its_old_price(sentence: str) -> None:
    world, record, expected = SAFELY[sentence]
    held = remembering(world.spot[0], world.safe[0], record=record, total=world.safe[0])
    plan, _ = planned(where(world, OLD), held)
    assert orders(plan) == expected


def test_the_decision_says_which_price_is_too_old_and_the_status_still_has_it() -> None:
    world = where(FULL_SPOT, OLD)
    plan, _ = planned(world, remembering(4, 0))
    since = NOON - 91 * DAY
    values = (("variant", "spot"), ("pool", "spot"), ("since", since))
    assert Reason(code="mix-price-old", values=values) in plan.reasons
    assert orders(plan) == (4, 0)
    assert plan.variants[0].price_per_hour == pytest.approx(0.30)
    told = explain(plan, world.observed())
    assert "The price of pool spot is of 2026-10-16: too old to move for" in told.limited


def test_what_is_lost_is_replaced_whatever_the_age_of_the_price() -> None:
    price = OLD.price
    plan, _ = planned(where(FULL_SPOT, replace(TAKEN, price=price)), remembering(4, 0))
    assert orders(plan) == (4, 4)


def test_a_price_that_was_too_old_when_the_last_replica_went_does_not_come_back_as_new() -> None:
    """No pool, and no node: what is left is what was remembered, also by the next leader."""
    spot, safe = two().variants
    alone = two((replace(spot, pool=""), safe))
    _, memory = planned(where(replace(BOTH, of=alone), OLD), remembering(4, 4, total=4))
    known = decode(encode(memory))
    world = World(safe=(4, ready("safe", 4)), of=alone, pools=())
    domains = tuple(replace(one, asked=0, alive=0) for one in known.placing.domains[:1])
    placing = replace(known.placing, domains=(*domains, *known.placing.domains[1:]))
    plan, _ = planned(world, replace(known, placing=placing))
    assert orders(plan) == (0, 4)
    assert "mix-price-old" in [one.code for one in plan.reasons]


def test_a_cap_counts_a_price_that_is_too_old() -> None:
    """At 0.30 each it pays for three; at the 1 per hour that stands for no price, for none."""
    capped = two(max_hourly_cost=Decimal("0.95"))
    world = where(World(spot=(2, ready("spot", 2)), of=capped), OLD)
    known = remembering(2, 0)
    spot, safe = known.placing.domains
    safe = replace(safe, price_per_hour=1.20, priced_at=NOON - 15.0)
    known = replace(known, placing=replace(known.placing, domains=(spot, safe)))
    plan, _ = planned(world, known)
    assert orders(plan) == (3, 0)
    assert "cap-unpriced" not in [one.code for one in plan.reasons]
