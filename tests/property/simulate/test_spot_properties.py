"""No placement on spot and on demand, of a rule or at random, beats the bound at its own late share."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_cost.simulate.backtest import bound_of
from inference_cost.simulate.baselines.registry import SPOT
from inference_cost.simulate.baselines.spot_seen import SpotSeen
from inference_cost.simulate.outcome import Outcome, ReplicaSchedule
from inference_cost.simulate.scenario import Scenario, SpotMarket
from inference_cost.simulate.spot.trial import outcome_with_spot, run_placement
from inference_cost.simulate.traffic import Traffic
from inference_cost.simulate.tuning import Trial
from inference_cost.simulate.world.new import steady_state_of
from tests.unit.simulate.spot.markets import run
from tests.unit.simulate.worlds import CAPACITY, scenario

QUICK = settings(max_examples=40, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)
STEP_SECONDS, STEPS = 10.0, 180
LARGEST = 6


def steps_held(draw: np.random.Generator, highest: int, longest: int = 30) -> np.ndarray:
    """Whole numbers by step, kept for some steps at a time."""
    held = draw.integers(1, longest, STEPS)
    return np.repeat(draw.integers(0, highest + 1, STEPS), held)[:STEPS]


def random_scenario(seed: int) -> Scenario:
    """Half an hour; zones come and go at whole steps, as does the demand. The objective is a tenth of a step."""
    draw = np.random.default_rng(seed)
    zones = int(draw.integers(1, 4))
    level = steps_held(draw, LARGEST) * draw.uniform(0.5, 1.0, STEPS)
    return scenario(
        Traffic(width_seconds=STEP_SECONDS, counts=draw.poisson(level * CAPACITY * STEP_SECONDS) * 1.0),
        spot=SpotMarket(
            zones=tuple("abc"[:zones]),
            times_seconds=np.arange(STEPS) * STEP_SECONDS,
            available=np.column_stack([steps_held(draw, 1, 60) > 0 for _ in range(zones)]),
            price_per_hour=tuple(Decimal(f"{draw.uniform(0.05, 1.2):.3f}") for _ in range(zones)),
            notice_seconds=float(draw.choice([0.0, 30.0, 120.0])),
        ),
        start_seconds=float(draw.choice([0.0, 20.0, 60.0])),
        drain_seconds=float(draw.choice([0.0, 30.0])),
        exclude_first_seconds=float(draw.choice([0.0, 200.0])),
    )  # fmt: skip


def random_demand(seed: int) -> ReplicaSchedule:
    draw = np.random.default_rng((seed, 1))
    replicas = steps_held(draw, LARGEST)
    changes = np.flatnonzero(np.diff(replicas, prepend=-1))
    return ReplicaSchedule(times_seconds=changes * STEP_SECONDS, replicas=replicas[changes])


def assert_no_cheaper_than_the_bound(found: Outcome, market: Scenario) -> None:
    least = bound_of(market, 1.0 - found.attained_fraction, spot=True)
    assert least is not None
    assert least.cost_dollars <= found.cost_dollars * (1 + 1e-9) + 1e-12


@QUICK
@given(seed=SEEDS)
def test_no_placement_at_random_beats_the_bound(seed: int) -> None:
    market = random_scenario(seed)
    draw = np.random.default_rng((seed, 2))
    wishes = np.column_stack([steps_held(draw, 3) for _ in market.spot.zones])  # type: ignore[union-attr]
    on_demand = steps_held(draw, 4)

    def placement(seen: SpotSeen) -> tuple[np.ndarray, int]:
        step = int(seen.at / STEP_SECONDS)
        return wishes[step], int(on_demand[step])

    spot = run(market, placement, random_demand(seed), 20.0)
    assert_no_cheaper_than_the_bound(outcome_with_spot(spot, market, name="at random"), market)


class Clairvoyant:
    """Knows the traffic: at each step just the replicas for it, on spot in the cheapest zone that is there."""

    def __init__(self, market: Scenario, share: float) -> None:
        assert market.spot is not None
        self.market, self.spot = market, market.spot
        capacity = share * steady_state_of(market).largest_goodput * STEP_SECONDS
        needed = np.ceil(market.traffic.counts / capacity).astype(np.int64)
        ahead = int(market.start_seconds / STEP_SECONDS)  # what starts now must be there then
        self.needed = np.array([needed[i : i + ahead + 1].max() for i in range(STEPS)])
        self.leaving: list[tuple[float, int]] = []  # until when replicas under notice serve

    def __call__(self, seen: SpotSeen) -> tuple[np.ndarray, int]:
        step = int(seen.at / STEP_SECONDS)
        lost = int(seen.preempted_since_last.sum())
        self.leaving = [(end, n) for end, n in self.leaving if end > seen.at]
        self.leaving += [(seen.at + self.spot.notice_seconds, lost)] if lost else []
        wanted = max(int(self.needed[step]) - sum(n for _, n in self.leaving), 0)
        spot, there = np.zeros(len(seen.price), np.int64), self.spot.available[step]
        if not there.any():
            return spot, wanted
        spot[np.argmin(np.where(there, seen.price, np.inf))] = wanted
        return spot, 0


@QUICK
@given(seed=SEEDS, share=st.floats(0.9, 1.1))
def test_not_even_a_placement_that_knows_the_traffic_beats_the_bound(
    seed: int, share: float
) -> None:
    market = replace(random_scenario(seed), drain_seconds=0.0)
    demand = ReplicaSchedule(times_seconds=np.zeros(1), replicas=np.array([LARGEST + 1]))
    spot = run(market, Clairvoyant(market, share), demand, STEP_SECONDS)
    assert_no_cheaper_than_the_bound(outcome_with_spot(spot, market, name="knows"), market)


@pytest.mark.parametrize("name", SPOT)
@QUICK
@given(seed=SEEDS)
def test_no_rule_beats_the_bound(seed: int, name: str) -> None:
    market = random_scenario(seed)
    knob = seed % (len(SPOT[name].grid) + 1) - 1
    found = run_placement(market, Trial(name=name, knob=knob), random_demand(seed))
    assert_no_cheaper_than_the_bound(found, market)
    spot, on_demand = found.replica_hours.spot, found.replica_hours.on_demand
    assert found.course.billed.sum() * STEP_SECONDS / 3600 >= spot + on_demand - 1e-9
    assert (name == "on-demand-only") <= (spot == 0)
