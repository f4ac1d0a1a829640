"""No controller of the simulated world costs less than the bound at its own share of late requests."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference_cost.simulate.backtest import bound_of
from inference_cost.simulate.outcome import Outcome
from inference_cost.simulate.result import outcome_of
from inference_cost.simulate.scenario import Scenario
from inference_cost.simulate.traffic import Traffic
from inference_cost.simulate.world.clock import advance
from inference_cost.simulate.world.new import new_world
from inference_cost.simulate.world.replicas import order
from tests.unit.simulate.worlds import SERVICE, policy, scenario

MINUTES = 40


def run(case: Scenario, wishes: list[int], every_seconds: float) -> Outcome:
    """Order one wish after the other, whatever the load."""
    world = new_world(case, replicas=max(wishes[0], 1))
    for wish in wishes[1:]:
        advance(world, every_seconds)
        order(world, wish)
    advance(world, np.inf)
    return outcome_of(world, case, name="random", kind="baseline")


@given(
    seed=st.integers(0, 2**16),
    wishes=st.lists(st.integers(0, 8), min_size=2, max_size=30),
    every=st.sampled_from([7.0, 15.0, 60.0]),
    start=st.sampled_from([0.0, 20.0, 90.0]),
    excluded=st.sampled_from([0.0, 300.0]),
    slowness=st.sampled_from([1.0, 4.0, 12.0, 40.0]),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_random_orders(
    *, seed: int, wishes: list[int], every: float, start: float, excluded: float, slowness: float
) -> None:
    """Also where the objective is longer than a step."""
    draw = np.random.default_rng(seed)
    rates = np.repeat(draw.uniform(0.0, 500.0, MINUTES), 6) / slowness
    counts = draw.poisson(rates * 10.0).astype(np.float64)
    case = scenario(
        Traffic(width_seconds=10.0, counts=counts),
        policy=policy(lowest=0, highest=8, threshold=slowness),
        service=SERVICE.stretched(slowness),
        start_seconds=start,
        exclude_first_seconds=excluded,
    )
    ran = run(case, wishes, every)
    bound = bound_of(case, late_fraction=1.0 - ran.attained_fraction)
    assert bound is not None
    assert bound.cost_dollars <= ran.cost_dollars * (1 + 1e-9) + 1e-9
