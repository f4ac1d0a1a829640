"""Time passes: serve what arrives between the moments at which something else happens."""

import numpy as np

from inference_cost.simulate.compiled import compiled
from inference_cost.simulate.world.fidelity import serve, settle
from inference_cost.simulate.world.replicas import become_ready, bill
from inference_cost.simulate.world.scrapes import next_scrape, note, scrape
from inference_cost.simulate.world.state import LIVE, NEXT_READY, NOW, READY, READY_SECONDS, World

ALMOST = 1e-6  # seconds


@compiled
def advance(world: World, interval: float) -> bool:
    """Go on to the next multiple of `interval` seconds; False once the run is over."""
    conditions, numbers = world.conditions, world.numbers
    until = (np.floor((numbers[NOW] + ALMOST) / interval) + 1.0) * interval
    over = until > conditions.seconds - ALMOST
    until = min(until, conditions.seconds)
    while numbers[NOW] < until - ALMOST:
        serve_until(world, next_change(world, until))
    if over:
        settle(world)
    return not over


@compiled
def next_change(world: World, until: float) -> float:
    """The next moment, `until` at the latest, at which something happens by itself."""
    conditions, now = world.conditions, world.numbers[NOW]
    edge = (np.floor((now + ALMOST) / conditions.bin_seconds) + 1.0) * conditions.bin_seconds
    return float(min(until, edge, world.numbers[NEXT_READY], next_scrape(world)))


@compiled
def serve_until(world: World, end: float) -> None:
    """Time goes on to `end`, before which nothing else may happen."""
    start = world.numbers[NOW]
    if end > start:
        serve(world, start, end)
        i = int(start / world.conditions.bin_seconds + ALMOST)
        world.course[READY_SECONDS, i] += world.counts[READY] * (end - start)
        bill(world, start, end, float(world.counts[LIVE]))
    world.numbers[NOW] = end
    note(world)
    if end >= world.numbers[NEXT_READY]:
        become_ready(world)
    if end >= next_scrape(world):
        scrape(world)
