"""Replicas come and go: orders, start-up, drain, and what is paid for them."""

import numpy as np

from inference_cost.simulate.compiled import compiled
from inference_cost.simulate.world.fidelity import finish_replica
from inference_cost.simulate.world.state import (
    BACKLOG,
    BILLED_SECONDS,
    COUNTED_CHANGES,
    COUNTED_STARTS,
    LIVE,
    NEXT_READY,
    NOW,
    ORDERED,
    READY,
    Conditions,
    Floats,
    World,
)


@compiled
def order(world: World, desired: int) -> None:
    """Ask for `desired` replicas now, as a write to /scale does. Starting ones are called off before any is drained."""
    conditions, counts = world.conditions, world.counts
    desired = min(max(desired, conditions.min_replicas), conditions.max_replicas)
    now = world.numbers[NOW]
    if desired == counts[LIVE]:
        return
    if now >= conditions.exclude_first:
        counts[COUNTED_CHANGES] += 1
    while counts[LIVE] < desired:
        start(world, now, now + start_up_seconds(world, now))
    while counts[LIVE] > desired:
        stop(world, _youngest(world))
    find_next_ready(world)


@compiled
def begin_with(world: World, count: int) -> None:
    """Replicas that serve from the first second on."""
    for _ in range(count):
        start(world, 0.0, 0.0)
    become_ready(world)


@compiled
def become_ready(world: World) -> None:
    """Starting replicas whose time has come serve from now on."""
    replicas, now = world.replicas, world.numbers[NOW]
    for i in range(world.counts[LIVE]):
        slot = replicas.listed[i]
        if replicas.serves[slot] == 0 and replicas.ready_at[slot] <= now:
            replicas.serves[slot] = 1
            replicas.share[slot] = 1.0 if world.counts[READY] == 0 else 0.0
            world.counts[READY] += 1
    find_next_ready(world)


@compiled
def bill(world: World, start: float, end: float, replicas: float) -> None:
    """Pay for replicas from `start` to `end`, seconds; what lies after the end of the run is not paid."""
    pay(world.course[BILLED_SECONDS], world.conditions, start, end, replicas)


@compiled
def pay(bins: Floats, conditions: Conditions, start: float, end: float, replicas: float) -> None:
    """As `bill`, into replica-seconds by bin."""
    at, end = start, min(end, conditions.seconds)
    while at < end:
        i = int(at / conditions.bin_seconds + 1e-9)
        until = min(end, (i + 1) * conditions.bin_seconds)
        bins[i] += (until - at) * replicas
        at = until


@compiled
def start_up_seconds(world: World, now: float) -> float:
    """A warm replica takes over quickly and is replaced at the pace of a cold start."""
    cold = world.starts[world.counts[ORDERED] % len(world.starts)]
    warm = world.replicas.warm_ready_at
    for i in range(len(warm)):
        if warm[i] <= now:
            warm[i] = now + cold
            return float(min(world.conditions.warm_start_seconds, cold))
    return float(cold)


@compiled
def start(world: World, now: float, ready_at: float) -> int:
    """Take a slot for one more replica; returns the slot."""
    replicas, counts = world.replicas, world.counts
    replicas.free[-1] -= 1
    slot = replicas.free[replicas.free[-1]]
    replicas.listed[counts[LIVE]] = slot
    replicas.number[slot] = counts[ORDERED]
    replicas.ordered_at[slot] = now
    replicas.ready_at[slot] = ready_at
    replicas.serves[slot] = 0
    replicas.first_scrape[slot] = -1
    replicas.share[slot] = 0.0
    replicas.backlog[slot] = 0.0
    world.counters[slot, :] = 0.0
    counts[LIVE] += 1
    counts[ORDERED] += 1
    if now >= world.conditions.exclude_first:
        counts[COUNTED_STARTS] += 1
    return int(slot)


@compiled
def _youngest(world: World) -> int:
    """Place in the list of the youngest starting replica, or else of the youngest."""
    replicas, last = world.replicas, world.counts[LIVE] - 1
    for i in range(last, -1, -1):
        if replicas.serves[replicas.listed[i]] == 0:
            return i
    return int(last)


@compiled
def stop(world: World, place: int) -> float:
    """Drain the replica at this place of the list; returns until when it is paid."""
    conditions, now = world.conditions, world.numbers[NOW]
    slot = world.replicas.listed[place]
    end = now + conditions.drain_seconds * world.replicas.serves[slot]
    end = max(end, world.replicas.ordered_at[slot] + conditions.minimum_billing_seconds)
    bill(world, now, end, 1.0)
    remove(world, place)
    return float(end)


@compiled
def remove(world: World, place: int) -> None:
    """The replica at this place of the list serves no more, and its slot is free."""
    replicas, counts = world.replicas, world.counts
    slot = replicas.listed[place]
    for i in range(place, counts[LIVE] - 1):
        replicas.listed[i] = replicas.listed[i + 1]
    counts[LIVE] -= 1
    if replicas.serves[slot] == 1:
        counts[READY] -= 1
        finish_replica(world, slot)
        _hand_over(world, slot)
    replicas.serves[slot] = 0
    replicas.free[replicas.free[-1]] = slot
    replicas.free[-1] += 1


@compiled
def _hand_over(world: World, slot: int) -> None:
    """The clients of a drained replica connect to the others; without others its backlog waits."""
    replicas, ready = world.replicas, world.counts[READY]
    share, backlog = replicas.share[slot], replicas.backlog[slot]
    replicas.share[slot] = 0.0
    replicas.backlog[slot] = 0.0
    if ready == 0:
        world.numbers[BACKLOG] += backlog
        return
    for i in range(world.counts[LIVE]):
        other = replicas.listed[i]
        if replicas.serves[other] == 1:
            replicas.share[other] += share / ready
            replicas.backlog[other] += backlog / ready


@compiled
def find_next_ready(world: World) -> None:
    """To be called when replicas have been started or removed."""
    replicas, soonest = world.replicas, np.inf
    for i in range(world.counts[LIVE]):
        slot = replicas.listed[i]
        if replicas.serves[slot] == 0:
            soonest = min(soonest, replicas.ready_at[slot])
    world.numbers[NEXT_READY] = soonest
