"""Costs while a target is not followed: its pods run on, and what they cost is not known."""

from dataclasses import replace
from decimal import Decimal

import pytest

from inference_cost.account.accrual import Day
from inference_cost.account.costs import Costs, account
from inference_cost.account.projection import Projection
from inference_cost.act.cost_status import cost_so_far
from inference_cost.api.policy_status import BudgetState
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import Demand
from inference_cost.model.policy import Variant
from inference_cost.model.reading import Missing
from inference_cost.model.workload import NoWorkload, TargetProblem
from tests.unit.account.savings.worlds import PROFILE
from tests.unit.account.worlds import (
    DEPLOYMENT,
    NOON,
    key,
    node,
    observation,
    plan,
    pod,
    snapshot,
)

UNSEEN = sorted(set(TargetProblem) - {TargetProblem.NOT_FOUND})
TICKS = 4
WHOLE_DAYS = tuple(
    Day(date=f"2025-11-{day}", amount=Decimal(96), seconds=86400.0) for day in (18, 19, 20, 21)
)


def looked(problem: TargetProblem | None, *, beside: bool = False) -> PolicyObservation:
    """A policy with a budget. `beside`: a second variant is followed and runs."""
    seen = observation(pod())
    if problem is not None:
        lost = NoWorkload(target=DEPLOYMENT, problem=problem, message="")
        seen = replace(seen, workloads=(lost, *(seen.workloads if beside else ())))
    variants = seen.policy.variants
    if beside:
        spot = Variant(name="spot", target=DEPLOYMENT, min_replicas=0, max_replicas=9)
        variants = (*variants, spot)
    policy = replace(seen.policy, variants=variants, monthly_budget=Decimal(10**6))
    return replace(seen, policy=policy)


def a_minute(problem: TargetProblem | None, *, beside: bool = False) -> Costs:
    """Followed for one look, then not; four whole days are known."""
    costs = account(snapshot(looked(None), nodes=(node(),), at=NOON - 15), {}, {})
    memory = {key(): replace(costs.memory[key()], days=WHOLE_DAYS)}
    demand = Demand(now=5.0, forecast=5.0, backlog=0.0)
    decided = replace(plan(1), demand=demand, profile=PROFILE)
    for tick in range(TICKS + 1):
        world = snapshot(looked(problem, beside=beside), nodes=(node(),), at=NOON + 15 * tick)
        costs = account(world, {key(): decided}, memory)
        memory = dict(costs.memory)
    return costs


@pytest.mark.parametrize("problem", UNSEEN)
def test_of_a_target_that_is_not_followed_nothing_is_known(problem: TargetProblem) -> None:
    costs = a_minute(problem)
    cost, memory = costs.policies[key()], costs.memory[key()]
    assert isinstance(cost.per_hour, Missing)
    assert isinstance(cost.would_save_per_hour, Missing)
    assert cost.projection == cost.per_hour
    assert problem.value in cost.unpriced[0]
    assert memory.unknown.unpriced == memory.unpriced_seconds == TICKS * 15
    shown = cost_so_far(cost, looked(problem).policy, "USD")
    assert shown is not None
    assert (shown.per_hour, shown.projected_month, shown.budget_state) == (None, None, None)


def test_the_variant_that_is_followed_is_counted_and_the_sum_is_not_known() -> None:
    costs = a_minute(TargetProblem.OWNED_BY, beside=True)
    cost = costs.policies[key()]
    assert isinstance(cost.per_hour, Missing)
    assert cost.priced_per_hour == Decimal(4)
    assert [one.variant for one in cost.pools] == ["spot"]
    memory = costs.memory[key()].savings
    assert memory is not None
    assert memory.look == cost.per_hour


@pytest.mark.parametrize("problem", [None, TargetProblem.NOT_FOUND])
def test_one_that_is_followed_or_does_not_exist_is_known(problem: TargetProblem | None) -> None:
    costs = a_minute(problem)
    cost = costs.policies[key()]
    assert cost.per_hour == (4 if problem is None else 0)
    assert isinstance(cost.projection, Projection)
    assert costs.memory[key()].unpriced_seconds == 0
    shown = cost_so_far(cost, looked(problem).policy, "USD")
    assert shown is not None
    assert shown.budget_state is BudgetState.WITHIN
