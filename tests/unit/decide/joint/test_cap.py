"""A cap on the cost per hour: before the objective, after the minimum, and no running to and fro."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from inference_cost.decide.engine import decide
from inference_cost.decide.explain.explanation import explain
from inference_cost.decide.mix.budget import Cap, Prices, affordable, most_affordable
from inference_cost.decide.mix.cheapest import Domain, Risk
from inference_cost.model.memory import Memory, PolicyMemory
from inference_cost.model.plan import LimitedBy, Plan
from inference_cost.model.policy import Pause, Policy, SpotRisk, Variant
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import Node
from tests.unit.decide.mix.two_variants import (
    SPOT,
    World,
    orders,
    planned,
    ready,
    remembering,
    two,
)
from tests.unit.decide.worlds import (
    NOON,
    TARGET,
    key,
    learned,
    observation,
    pod,
    policy,
    priced_node,
    signals,
    snapshot,
    workload,
)

SAFE_FOUR = ready("safe", 4)


def capped(cap: str, **more: Any) -> Policy:
    return two(max_hourly_cost=Decimal(cap), **more)


def priced(spot: int, safe: int) -> PolicyMemory:
    """What a replica on demand costs is known from before."""
    memory = remembering(spot, safe)
    known = replace(memory.placing.domains[1], price_per_hour=1.2, priced_at=NOON - 60.0)
    domains = (memory.placing.domains[0], known)
    return replace(memory, placing=replace(memory.placing, domains=domains))


# Four are needed; a replica costs 0.30 on spot and 1.20 on demand. Sentence: (world, there) → orders.
CAPPED: dict[str, tuple[World, tuple[int, int], tuple[int, int]]] = {
    "what the cap leaves room for runs": (
        World(safe=(2, ready("safe", 2)), of=capped("4.80", min_on_demand_replicas=4)),
        (0, 2),
        (0, 4),
    ),
    "what costs less runs in its place": (
        World(spot=(2, ready("spot", 2)), of=capped("1.30")),
        (2, 0),
        (4, 0),
    ),
    "beyond the cap nothing is added": (
        World(spot=(2, ready("spot", 2)), of=capped("0.95")),
        (2, 0),
        (3, 0),
    ),
    "a cap that is lowered takes away what is beyond": (
        World(spot=(4, ready("spot", 4)), of=capped("0.90")),
        (4, 0),
        (3, 0),
    ),
    "the minimum goes before the cap": (
        World(spot=(2, ready("spot", 2)), of=capped("0.10", fewest=3)),
        (2, 0),
        (3, 0),
    ),
    "so does a floor on demand": (
        World(safe=(2, ready("safe", 2)), of=capped("1.00", min_on_demand_replicas=2)),
        (0, 2),
        (0, 2),
    ),
    "so does a pause": (
        World(
            spot=(1, ready("spot", 1)), of=capped("0.30", pause=Pause(source="policy", replicas=4))
        ),
        (1, 0),
        (4, 0),
    ),
    "a rollout takes nothing away, whatever it costs": (
        World(safe=(4, SAFE_FOUR), of=capped("1.00"), rolling_out=True),
        (0, 4),
        (0, 4),
    ),
    "what is to survive a loss comes after what can be paid": (
        World(
            spot=(4, ready("spot", 4)), of=capped("1.20", spot_risk=SpotRisk.SURVIVE_LARGEST_ZONE)
        ),
        (4, 0),
        (4, 0),
    ),
}


@pytest.mark.parametrize("sentence", CAPPED)
def test_capped(sentence: str) -> None:
    world, there, expected = CAPPED[sentence]
    plan, _ = planned(world, priced(*there))
    assert plan.limited_by is not LimitedBy.INTERNAL_ERROR, plan.reasons
    assert orders(plan) == expected


def test_what_the_cap_takes_is_told() -> None:
    world = World(spot=(2, ready("spot", 2)), of=capped("0.95"))
    plan, after = planned(world, priced(2, 0))
    assert plan.limited_by is LimitedBy.MAX_HOURLY_COST
    told = explain(plan, world.observed()).limited
    assert "maxHourlyCost of $0.95 per hour is reached: 1 replica fewer than needed" in told
    assert plan.prediction.replicas == 3  # type: ignore[union-attr]
    assert after.placing.total == 3


def test_where_a_price_is_not_known_the_cap_holds_nothing_back_and_that_is_told() -> None:
    unknown = replace(SPOT, price=Missing(reason=MissingReason.PRICE_UNKNOWN))
    world = World(spot=(2, ready("spot", 2)), of=capped("0.10"), spot_node=unknown, pools=())
    plan, _ = planned(world, remembering(2, 0))
    assert sum(orders(plan)) == 4
    assert (
        "holds nothing back, because a price is not known"
        in explain(plan, world.observed()).limited
    )


# Of one workload, four and more needed at 1.20 each. Sentence: (cap, running, minimum) → order.
ALONE: dict[str, tuple[str, int, int, int]] = {
    "as many run as it pays for": ("4.80", 2, 1, 4),
    "a cent less takes one": ("4.79", 2, 1, 3),
    "a cap that is lowered takes away what is beyond": ("2.40", 4, 1, 2),
    "the minimum goes before the cap": ("1.00", 2, 3, 3),
    "a cap of nothing leaves the minimum": ("0", 4, 1, 1),
}


def one(cap: str, running: int, minimum: int, node: Node, at: float = NOON) -> Any:
    variant = Variant(name="resnet", target=TARGET, min_replicas=minimum, max_replicas=10)
    of = policy(variants=(variant,), max_hourly_cost=Decimal(cap))
    pods = tuple(pod(f"p{i}") for i in range(running))
    seen = observation(
        of=of, running=workload(running, pods), seen=signals(330.0, running, sampled_at=at)
    )
    return replace(snapshot(seen, nodes={"node-1": node}), at=at)


@pytest.mark.parametrize("sentence", ALONE)
def test_alone(sentence: str) -> None:
    cap, running, minimum, expected = ALONE[sentence]
    shot = one(cap, running, minimum, priced_node())
    plan = decide(shot, Memory(policies={key(): learned(needs=4)})).plans[key()]
    assert orders(plan) == (expected,)
    assert plan.limited_by is LimitedBy.MAX_HOURLY_COST


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    plan: Plan


def play(cap: str, prices: Iterator[str], ticks: int) -> Iterator[Tick]:
    """One workload whose orders are carried out at once."""
    running, memory = 4, Memory(policies={key(): learned(needs=4)})
    for i in range(ticks):
        at = NOON + 15.0 * i
        shot = one(cap, running, 1, priced_node(per_hour=next(prices)), at)
        decisions = decide(shot, memory)
        memory, plan = decisions.memory, decisions.plans[key()]
        running = plan.desired
        yield Tick(at, plan)


def test_a_price_that_goes_up_and_down_moves_the_fleet_once() -> None:
    """Also one that is the mean of where replicas happen to run, and falls when the dear one goes."""

    def prices() -> Iterator[str]:
        while True:
            yield from ("1.20", "1.24", "1.18", "1.21")

    counts = [tick.plan.desired for tick in play("4.81", prices(), 100)]
    assert counts[:2] == [4, 3]
    assert set(counts[2:]) == {3}


def test_after_an_hour_at_a_lower_price_it_is_afforded_again() -> None:
    def prices() -> Iterator[str]:
        yield "1.24"
        while True:
            yield "1.20"

    counts = [tick.plan.desired for tick in play("4.81", prices(), 260)]
    assert counts[0] == 3
    assert counts[200] == 3
    assert counts[-1] == 4


def test_a_mix_at_its_cap_does_not_run_to_and_fro() -> None:
    """Spot prices that wander about the cap, for 100 ticks; what is ordered is there at the next."""
    spot, safe = 3, 0
    memory = Memory(policies={key(): priced(3, 0)})
    changes = 0
    for i in range(100):
        price = Decimal("0.30") + Decimal("0.01") * (i % 3)
        node = replace(SPOT, price=replace(SPOT.price, per_hour=price))
        world = World(
            spot=(spot, ready("spot", spot)),
            safe=(safe, ready("safe", safe)),
            of=capped("1.21"),
            spot_node=node,
        )
        at = NOON + 15.0 * i
        shot = world.seen(at)
        seen = shot.observations[0]
        fresh = replace(seen, signals=replace(seen.signals, sampled_at=at))  # type: ignore[type-var]
        decisions = decide(replace(shot, observations=(fresh,)), memory)
        memory = decisions.memory
        now = orders(decisions.plans[key()])
        changes += now != (spot, safe)
        spot, safe = now
    assert changes <= 2
    assert (spot, safe) == (3, 0)


RISK = Risk(late_price=10.0, served_price_per_hour=1.2, exposure_seconds=120.0, start_seconds=180.0)


def test_more_places_than_two_are_sought_by_the_program() -> None:
    """As many as can be paid, of these the cheapest mix: as by hand."""
    domains = [
        Domain(price_per_hour=0.3, losses_per_hour=0.5, highest=3),
        Domain(price_per_hour=0.5, losses_per_hour=0.02, highest=4),
        Domain(price_per_hour=1.2),
    ]
    told = [one.price_per_hour for one in domains]
    prices = Prices(dear=told, today=told)
    assert affordable(6, domains, RISK, prices, Cap(most=2.5, least=0)) == (3, 3, 0)
    assert affordable(6, domains, RISK, prices, Cap(most=2.4, least=0)) == (3, 3, 0)
    assert affordable(6, domains, RISK, prices, Cap(most=2.3, least=0)) == (3, 2, 0)


@pytest.mark.parametrize(
    ("there", "expected"),
    [(0, 8), (8, 8), (9, 9), (10, 9)],
    ids=[
        "more at the dear price",
        "no more at today's",
        "what is there at today's",
        "and not beyond",
    ],
)
def test_prices_of_late_decide_on_more_and_those_of_today_on_what_is_there(
    there: int, expected: int
) -> None:
    assert most_affordable(2.75, 0.30, 0.33, there) == expected
