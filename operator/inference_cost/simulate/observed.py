"""The replicas that really ran, on the same traffic and the same servers as any other run."""

import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from inference_cost.simulate.compiled import compiled
from inference_cost.simulate.outcome import Outcome
from inference_cost.simulate.phases import phases
from inference_cost.simulate.result import outcome_of
from inference_cost.simulate.scenario import Scenario
from inference_cost.simulate.world.clock import advance
from inference_cost.simulate.world.new import new_world
from inference_cost.simulate.world.replicas import order
from inference_cost.simulate.world.state import NOW, World

OBSERVED = "observed"


@compiled
def _run(world: World, replicas: NDArray[np.int64], width_seconds: float) -> None:
    order(world, replicas[0])
    while advance(world, width_seconds):
        i = int(world.numbers[NOW] / width_seconds + 0.5)
        order(world, replicas[min(i, len(replicas) - 1)])


def run_observed(scenario: Scenario, replicas: NDArray[np.int64], width_seconds: float) -> Outcome:
    """`replicas[i]` served from i × `width_seconds` on. Their start-up, over by then, is paid for as any other's.

    The policy's bounds do not bind: they are of another controller.
    """
    begin = time.perf_counter()
    served = _as_seen(scenario, replicas)
    world = new_world(served, replicas=int(replicas[0]))
    for phase in phases(world, served):
        _run(phase, replicas, width_seconds)
    found = outcome_of(
        world, served, name=OBSERVED, kind="baseline", seconds=time.perf_counter() - begin
    )
    started = found.starts * scenario.start_seconds * float(scenario.price_per_hour) / 3600
    hours = replace(
        found.replica_hours,
        on_demand=found.replica_hours.on_demand + found.starts * scenario.start_seconds / 3600,
    )
    return replace(found, cost_dollars=found.cost_dollars + started, replica_hours=hours)


def _as_seen(scenario: Scenario, replicas: NDArray[np.int64]) -> Scenario:
    """A replica serves from the moment at which it was seen."""
    policy = scenario.policy
    variant = replace(policy.variants[0], min_replicas=0, max_replicas=int(replicas.max()))
    return replace(
        scenario,
        policy=replace(policy, variants=(variant,), schedules=()),
        start_seconds=0.0,
        start_samples=(),
    )
