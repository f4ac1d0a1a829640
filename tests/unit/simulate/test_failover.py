"""A new leader goes on from the checkpoint, however old that is, and keeps the objective."""

from dataclasses import replace

import numpy as np
import pytest

from inference_cost.act.checkpoint_payload import Learned, decode, encode
from inference_cost.model.memory import Memory, PolicyMemory
from inference_cost.simulate.ours import Operator
from inference_cost.simulate.scenario import Scenario
from inference_cost.simulate.traffic import Traffic
from inference_cost.simulate.world.clock import advance
from inference_cost.simulate.world.new import new_world
from inference_cost.simulate.world.state import BILLED_SECONDS, LATE
from tests.unit.simulate.worlds import scenario

HOURS = 3
WRITTEN_EVERY = 40  # ticks: ten minutes
TICKS = HOURS * 240


def rising() -> Scenario:
    """An even load, then three times as much within an hour, then even again."""
    seconds = np.arange(0, HOURS * 3600, 10.0)
    rate = 150.0 + 300.0 * np.clip((seconds - 3600.0) / 3600.0, 0.0, 1.0)
    traffic = Traffic(
        width_seconds=10.0, counts=np.random.default_rng(5).poisson(rate * 10.0) * 1.0
    )
    return replace(scenario(traffic), start_seconds=180.0)


def kept(memory: PolicyMemory) -> PolicyMemory:
    """Through the checkpoint object."""
    restored = decode(encode(Learned(memory=memory)))
    assert restored is not None
    return restored.memory


def attained(
    *, killed_every: int | None, written_every: int = WRITTEN_EVERY
) -> tuple[float, float]:
    """Share in time, and replica-seconds paid for."""
    case = rising()
    world, operator = new_world(case, replicas=3), Operator(case)
    key, checkpoint = case.policy.key, PolicyMemory()
    for tick in range(TICKS):
        if not advance(world, 15.0):
            break
        operator.tick(world)
        if tick % written_every == 0:
            checkpoint = operator.memory.policies[key]
        if killed_every is not None and tick % killed_every == killed_every - 1:
            operator.memory = Memory(policies={key: kept(checkpoint)})
    late, offered = world.course[LATE].sum(), world.arrivals.total[-1]
    return 1.0 - late / offered, float(world.course[BILLED_SECONDS].sum())


def test_a_leader_that_restores_what_was_written_just_now_decides_the_same() -> None:
    assert attained(killed_every=10, written_every=1) == attained(killed_every=None)


@pytest.mark.parametrize("written_every", [WRITTEN_EVERY, 4 * WRITTEN_EVERY])
def test_killed_at_every_tenth_tick_in_a_rising_load_the_objective_is_kept(
    written_every: int,
) -> None:
    through, _ = attained(killed_every=None)
    assert through >= 0.99
    assert attained(killed_every=10, written_every=written_every)[0] >= 0.99
