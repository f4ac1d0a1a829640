"""A run in which something changes: servers that get slower, or a time in which no replica becomes ready.

A compiled loop knows one set of conditions, so such a run goes in phases: worlds of different conditions on the same
arrays, each to be run to its end. Bills of replicas that drain across a border end there, 30 s too early at most.
"""

from collections.abc import Iterator
from dataclasses import replace
from math import inf

import numpy as np

from inference_cost.simulate.scenario import Fidelity, Scenario
from inference_cost.simulate.world.new import slower_conditions
from inference_cost.simulate.world.replicas import find_next_ready
from inference_cost.simulate.world.state import LIVE, Floats, World

JUST_AFTER = 1e-3  # seconds: a look at the border belongs to the phase before


def phases(world: World, scenario: Scenario) -> Iterator[World]:
    """A single one where nothing changes.

    Raises:
        ValueError: something changes in a run request by request.
    """
    borders = scenario.faults.borders
    if borders and scenario.fidelity is not Fidelity.STEP:
        raise ValueError("faults that begin during a run need --fidelity step")
    end, starts = world.conditions.seconds, world.starts
    for border in borders:
        if border + JUST_AFTER < end:
            yield _until(world, border + JUST_AFTER)
            world = _changed(world, scenario, border, starts)
    yield _until(world, end)


def _until(world: World, seconds: float) -> World:
    return world._replace(conditions=world.conditions._replace(seconds=seconds))


def _changed(world: World, scenario: Scenario, border: float, starts: Floats) -> World:
    faults = scenario.faults
    if border == faults.slower_from:
        service = scenario.service.stretched(faults.slower_factor)
        conditions, curves = slower_conditions(world, replace(scenario, service=service))
        world = world._replace(conditions=conditions, curves=curves)
    if border == faults.unready_from:
        world = world._replace(starts=np.full_like(starts, inf))
        _begin_anew(world, border)
    if border == faults.unready_until:
        world = world._replace(starts=starts)
        _begin_anew(world, border)
    return world


def _begin_anew(world: World, now: float) -> None:
    """What has not started yet starts from the beginning."""
    replicas = world.replicas
    for slot in replicas.listed[: world.counts[LIVE]]:
        if replicas.serves[slot] == 0:
            number = replicas.number[slot]
            replicas.ready_at[slot] = now + world.starts[number % len(world.starts)]
    find_next_ready(world)
