"""Schedules bound the operator's decisions in the simulated world, too. A run begins on a Monday at 0:00 UTC."""

from dataclasses import replace

from inference_cost.model.policy import Schedule
from inference_cost.simulate.ours import Operator, run_ours
from inference_cost.simulate.world.new import new_world
from tests.unit.simulate.worlds import policy, rates, scenario

OPENS, CLOSES, START_UP = 1800.0, 5400.0, 180.0
BUSY = Schedule(start="30 0 * * 1", end="30 1 * * 1", min_replicas=6, max_replicas=8)


def test_a_schedule_holds_in_a_replay() -> None:
    """Its bounds lie above those of the policy."""
    case = replace(
        scenario(rates(150.0, seconds=7200.0)),
        policy=replace(policy(highest=4), schedules=(BUSY,)),
        start_seconds=START_UP,
    )
    operator, world = Operator(case), new_world(case, replicas=2)
    run_ours(operator, world)
    at_opening = [n for at, n in operator.orders if at <= OPENS - START_UP][-1]
    assert at_opening == 6
    assert max(n for at, n in operator.orders if at < OPENS - 2 * START_UP) <= 4
    assert {n for at, n in operator.orders if OPENS - START_UP <= at < CLOSES} <= {6, 7, 8}
    assert operator.orders[-1][1] <= 4
