"""The fast model against every request through its batcher: attainment over a grid, and under a rule that scales.

Never optimistic by more than half a point. Conservative, at loads up to the largest that meets the objective and for
fleets that take some hundred requests per step, by at most half a point, or one and a half where the objective is
longer than half a step. Figures, and where it is worse: docs/simulator.md.
"""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from inference_cost.simulate.outcome import Outcome
from inference_cost.simulate.result import outcome_of
from inference_cost.simulate.runs import run_static
from inference_cost.simulate.scenario import Fidelity, Routing, Scenario
from inference_cost.simulate.service import Service
from inference_cost.simulate.traffic import Traffic
from inference_cost.simulate.tuning import Trial, run_trial
from inference_cost.simulate.world.new import new_world, steady_state_of
from tests.unit.simulate.worlds import policy, scenario

OPTIMISTIC = 0.005
CONSERVATIVE = 0.005
CONSERVATIVE_WHERE_LONG = 0.015
HALF_A_STEP = 5.0
MOVED = 5  # scale events of a rule that followed the load
REQUESTS = 200_000
LOADS = (0.6, 0.9, 1.0)  # of the largest that meets the objective


def poisson(rate: float, seconds: float, seed: int = 1) -> Traffic:
    draw = np.random.default_rng(seed)
    counts = draw.poisson(rate * 10.0, int(seconds / 10.0)).astype(np.float64)
    return Traffic(width_seconds=10.0, counts=counts)


def service(per_item_by_fixed: float, batch: int, full_seconds: float) -> Service:
    fixed = full_seconds / (1 + per_item_by_fixed * batch)
    return Service(fixed_seconds=fixed, per_item_seconds=per_item_by_fixed * fixed, max_batch=batch)


def attained(case: Scenario, fidelity: Fidelity, run: Any) -> float:
    return float(run(replace(case, fidelity=fidelity)).attained_fraction)


def not_optimistic(case: Scenario, run: Any) -> tuple[float, float]:
    fast = attained(case, Fidelity.STEP, run)
    exact = attained(case, Fidelity.REQUEST, run)
    assert fast - exact <= OPTIMISTIC, f"optimistic: {fast:.4f} for {exact:.4f}"
    return fast, exact


def compare(case: Scenario, run: Any) -> None:
    fast, exact = not_optimistic(case, run)
    objective: Any = case.policy.objective
    long = objective.threshold_seconds > HALF_A_STEP
    limit = CONSERVATIVE_WHERE_LONG if long else CONSERVATIVE
    assert exact - fast <= limit, f"conservative: {fast:.4f} for {exact:.4f}"


def constant(case: Scenario, replicas: int) -> Outcome:
    world = new_world(case, replicas=replicas)
    run_static(world)
    return outcome_of(world, case, name="constant", kind="baseline")


# (per item ÷ fixed, batch cap, full batch seconds, objective ÷ full batch, replicas)
PROFILES = {
    "fixed cost, tight": (0.02, 16, 0.06, 2.0, 4),
    "fixed cost, small batches, loose": (0.125, 4, 0.06, 6.0, 4),
    "cost per item, tight": (2.4, 16, 0.06, 1.6, 4),
    "cost per item, loose": (2.4, 4, 0.06, 4.0, 4),
    "slow model: the objective is as long as a step": (2.4, 16, 6.0, 1.6, 16),
}


@pytest.mark.parametrize(
    ("profile", "load"),
    list(product(PROFILES.values(), LOADS)),
    ids=[f"{name}, load {load}" for name, load in product(PROFILES, LOADS)],
)
def test_constant_fleet(profile: tuple[float, int, float, float, int], load: float) -> None:
    by_fixed, batch, full, objective, replicas = profile
    served = service(by_fixed, batch, full)
    wanted = policy(threshold=objective * full, lowest=1, highest=replicas)
    largest = steady_state_of(scenario(service=served, policy=wanted)).largest_load
    rate = load * largest * replicas
    seconds = min(max(REQUESTS / rate, 3600.0), 200_000.0)
    case = scenario(
        poisson(rate, seconds), service=served, policy=wanted, exclude_first_seconds=600.0
    )
    compare(case, lambda one: constant(one, replicas))


@pytest.mark.parametrize(
    ("full_seconds", "high", "low", "width"),
    [
        (0.9, 0.95, 0.5, 20),
        (3.19, 1.12, 0.48, 20),
        (5.25, 0.97, 0.5, 60),
        (6.75, 1.2, 0.4, 30),
    ],
)
def test_bursts_are_not_taken_for_chance(
    full_seconds: float, high: float, low: float, width: int
) -> None:
    """Loads that jump to and fro while the objective, 1.6 full batches, is long or short against a step."""
    served, bins = service(2.4, 16, full_seconds), width // 10
    loads = np.tile(np.repeat([high, low], bins), 400 // bins)
    draw = np.random.default_rng(0)
    counts = draw.poisson(loads * served.capacity * 16 * 10.0).astype(np.float64)
    case = scenario(
        Traffic(width_seconds=10.0, counts=counts),
        service=served,
        policy=policy(threshold=1.6 * full_seconds, lowest=1, highest=16),
        exclude_first_seconds=600.0,
    )
    not_optimistic(case, lambda one: constant(one, 16))


@pytest.mark.parametrize("routing", [Routing.RANDOM, Routing.LEAST_REQUEST])
def test_a_rule_that_scales_through_steps_of_the_load(routing: Routing) -> None:
    """Overload, its backlog, starts and drains included."""
    served = service(2.4, 16, 0.15)
    draw = np.random.default_rng(7)
    rates = np.repeat(draw.uniform(2.0, 9.0, 40) * served.capacity * 0.7, 90)
    traffic = Traffic(width_seconds=10.0, counts=draw.poisson(rates * 10.0).astype(np.float64))
    case = scenario(
        traffic,
        service=served,
        policy=policy(threshold=0.5, highest=40),
        start_seconds=60.0,
        routing=routing,
        exclude_first_seconds=600.0,
    )
    compare(case, lambda one: run_trial(one, Trial(name="hpa")))


@pytest.mark.parametrize("name", ["hpa", "keda", "kpa-rps", "wva"])
def test_cost_does_not_depend_on_the_fidelity_for_a_rule_on_the_offered_rate(
    name: str,
) -> None:
    draw = np.random.default_rng(5)
    steps = np.repeat(draw.uniform(100.0, 800.0, 12), 60)
    counts = draw.poisson(steps * 10.0).astype(np.float64)
    case = scenario(Traffic(width_seconds=10.0, counts=counts))
    runs = {
        fidelity: run_trial(replace(case, fidelity=fidelity), Trial(name=name))
        for fidelity in Fidelity
    }
    costs = {fidelity: one.cost_dollars for fidelity, one in runs.items()}
    assert runs[Fidelity.STEP].scale_events >= MOVED
    assert costs[Fidelity.STEP] == pytest.approx(costs[Fidelity.REQUEST], rel=0.01)
