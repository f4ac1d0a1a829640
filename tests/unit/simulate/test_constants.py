"""Constant fleets, the replicas of the first second, and clients that give up."""

from dataclasses import replace

import numpy as np
import pytest

from inference_cost.simulate.backtest import compare
from inference_cost.simulate.outcome import Outcome
from inference_cost.simulate.result import outcome_of
from inference_cost.simulate.runs import run_static
from inference_cost.simulate.scenario import Fidelity, Routing, Scenario
from inference_cost.simulate.traffic import Traffic
from inference_cost.simulate.tuning import NEVER
from inference_cost.simulate.world.clock import advance
from inference_cost.simulate.world.new import initial_replicas, new_world, steady_state_of
from inference_cost.simulate.world.replicas import order
from inference_cost.simulate.world.state import BACKLOG, DROPPED, LATE, LIVE
from tests.unit.simulate.worlds import CAPACITY, SERVICE, policy, rates, scenario


def constant(case: Scenario, replicas: int) -> Outcome:
    world = new_world(case, replicas=replicas)
    run_static(world)
    return outcome_of(world, case, name="constant", kind="baseline")


def waves(seed: int) -> Traffic:
    draw = np.random.default_rng(seed)
    levels = np.repeat(draw.uniform(20.0, 900.0, 20), 12)
    return Traffic(width_seconds=10.0, counts=draw.poisson(levels * 10.0).astype(np.float64))


@pytest.mark.parametrize("seed", range(8))
def test_static99_is_the_smallest_constant_that_meets_the_objective(seed: int) -> None:
    case = scenario(waves(seed), policy=policy(highest=14))
    outcomes = compare(case, against=("static99",)).outcomes
    found = next(one for one in outcomes if one.name == "static99")
    tried = [constant(case, count) for count in range(1, 15)]
    meeting = [i + 1 for i, one in enumerate(tried) if one.attained_fraction >= 0.99]
    assert found.knob == f"{meeting[0]} replicas"
    assert found.cost_dollars == tried[meeting[0] - 1].cost_dollars


def test_static99_says_when_no_constant_does() -> None:
    case = scenario(rates(900.0), policy=policy(highest=4))
    (_, found) = compare(case, against=("static99",)).outcomes
    assert (found.knob, found.notes) == ("4 replicas", (NEVER,))


def test_static_is_enough_for_the_highest_minute() -> None:
    case = scenario(rates(100.0, 700.0, 100.0, seconds=60.0))
    (_, found) = compare(case, against=("static",)).outcomes
    load = steady_state_of(case).largest_load
    assert found.knob == f"{int(np.ceil(700.0 / load))} replicas"


@pytest.mark.parametrize(
    ("first", "replicas"),
    [(0.0, 1), (99.0, 2), (160.0, 2), (170.0, 3), (9_999.0, 20)],
)
def test_the_first_replicas_carry_1_2_times_the_first_five_minutes(
    first: float, replicas: int
) -> None:
    """A replica's largest load is about 98 of its 100 requests/s; the limits are 1 and 20."""
    case = scenario(rates(first, 5_000.0, seconds=300.0))
    assert initial_replicas(case, 98.0) == replicas
    assert new_world(case).counts[LIVE] == initial_replicas(
        case, steady_state_of(case).largest_load
    )


@pytest.mark.parametrize("fidelity", Fidelity)
@pytest.mark.parametrize(("slowness", "longest_wait"), [(1.0, 30.0), (12.0, 60.0)])
def test_clients_give_up_after_30_seconds_or_five_objectives(
    fidelity: Fidelity, slowness: float, longest_wait: float
) -> None:
    """At twice its capacity for an hour a replica serves its capacity, and half of the requests are dropped."""
    rate = 2 * CAPACITY / slowness
    case = scenario(
        rates(rate, seconds=3600.0),
        service=SERVICE.stretched(slowness),
        policy=policy(threshold=slowness, highest=1),
        fidelity=fidelity,
    )
    world = new_world(case, replicas=1)
    assert world.conditions.longest_wait == longest_wait
    run_static(world)
    left = longest_wait * rate  # at the end, waiting
    dropped = float(world.course[DROPPED].sum())
    assert dropped == pytest.approx(rate * 3600.0 / 2 - left, abs=1.2 * left)
    assert world.course[LATE].sum() > 0.95 * rate * 3600.0
    if fidelity is Fidelity.STEP:
        assert world.numbers[BACKLOG] == pytest.approx(left, rel=0.01)


@pytest.mark.parametrize("fidelity", Fidelity)
def test_clients_with_lasting_connections_find_a_new_replica_late(fidelity: Fidelity) -> None:
    """At 1.2 times the capacity of two replicas a third helps at once, but not those who stay connected."""
    loaded = scenario(rates(240.0, seconds=1800.0), start_seconds=0.0, fidelity=fidelity)
    shares = {}
    for routing in (Routing.RANDOM, Routing.STICKY):
        case = replace(loaded, routing=routing)
        world = new_world(case, replicas=2)
        advance(world, 60.0)
        order(world, 4)
        run_static(world)
        shares[routing] = outcome_of(world, case, name="x", kind="baseline").attained_fraction
    assert shares[Routing.RANDOM] > 0.9
    assert shares[Routing.STICKY] < shares[Routing.RANDOM] - 0.1
