"""The certifying model: every request through the batcher of its replica.

Requests arrive as traced, or evenly drawn within their bin. Random routing draws a replica; least-request takes the
one with fewer requests in flight of two drawn; sticky follows the shares of `steps.py`. Without a ready replica a
request is lost. The draws are hashes of the request's number, the same for every controller.
"""

import numpy as np

from inference_cost.simulate.batching import advance as advance_batcher
from inference_cost.simulate.batching import counters as batcher_counters
from inference_cost.simulate.batching import drain, in_flight, offer, replica, reset
from inference_cost.simulate.compiled import compiled
from inference_cost.simulate.world.state import (
    BUSY,
    COMPLETED,
    COMPUTE_SECONDS,
    DROPPED,
    EXECUTIONS,
    IN_FLIGHT_SECONDS,
    LATE,
    LIVE,
    NEXT_REQUEST,
    P90_SECONDS,
    PENDING,
    QUEUE_SECONDS,
    REQUEST_SECONDS,
    REQUESTS,
    WAITING,
    Floats,
    Ints,
    World,
)
from inference_cost.simulate.world.steps import at_load, reconnect

FIRST, SECOND = 1, 2  # which draw of a request


@compiled
def serve_requests(world: World, start: float, end: float) -> None:
    """Take in the requests from `start` to `end`, during which no replica comes or goes."""
    times, serving = world.arrivals.times, _serving(world)
    if world.conditions.sticky and len(serving):
        reconnect(world, end - start)
    request = world.counts[NEXT_REQUEST]
    while request < len(times) and times[request] < end:
        if len(serving):
            slot = _choose(world, serving, request, times[request])
            offer(replica(world.batchers, slot), request, times[request])
        request += 1
    world.counts[NEXT_REQUEST] = request
    _read_counters(world, serving, end, end - start)


@compiled
def finish_requests(world: World, slot: int) -> None:
    """A drained replica answers what it accepted; its slot is then as new."""
    batcher = replica(world.batchers, slot)
    drain(batcher)
    reset(batcher)


@compiled
def settle_requests(world: World) -> None:
    """At the end of a run: let all replicas finish, and enter late and dropped requests into the course."""
    for slot in _serving(world):
        drain(replica(world.batchers, slot))
    latency, threshold = world.batchers.requests.latency, world.conditions.threshold
    bins = world.course.shape[1]
    for request in range(len(world.arrivals.times)):
        i = min(int(world.arrivals.times[request] / world.conditions.bin_seconds), bins - 1)
        world.course[LATE, i] += latency[request] > threshold
        world.course[DROPPED, i] += latency[request] == np.inf


@compiled
def _serving(world: World) -> Ints:
    listed = world.replicas.listed[: world.counts[LIVE]]
    serving: Ints = listed[world.replicas.serves[listed] == 1]
    return serving


@compiled
def _choose(world: World, serving: Ints, request: int, now: float) -> int:
    first = draw(world.conditions.seed, request, FIRST)
    if world.conditions.sticky:
        return _by_share(world.replicas.share, serving, first)
    one = serving[int(first * len(serving))]
    if not world.conditions.balanced or len(serving) == 1:
        return int(one)
    second = draw(world.conditions.seed, request, SECOND)
    other = int(second * (len(serving) - 1))
    other = serving[other + (other >= int(first * len(serving)))]
    return int(one if _load(world, one, now) <= _load(world, other, now) else other)


@compiled
def _load(world: World, slot: int, now: float) -> int:
    batcher = replica(world.batchers, slot)
    advance_batcher(batcher, now)
    return in_flight(batcher)


@compiled
def _by_share(share: Floats, serving: Ints, point: float) -> int:
    total = 0.0
    for slot in serving:
        total += share[slot]
        if point < total:
            return int(slot)
    return int(serving[-1])


@compiled
def draw(seed: int, request: int, which: int) -> float:
    """A number in [0, 1) that depends on nothing else (splitmix64)."""
    mixed = np.uint64(request) * np.uint64(0x9E3779B97F4A7C15)
    mixed += np.uint64(seed) * np.uint64(0xD1B54A32D192ED03) + np.uint64(which)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)) * 2.0**-53


@compiled
def _read_counters(world: World, serving: Ints, now: float, width: float) -> None:
    """Counters of every replica, and the fleet's figures of this stretch of time."""
    numbers, conditions = world.numbers, world.conditions
    numbers[WAITING] = numbers[BUSY] = 0.0
    completed, latency, under_way = 0.0, 0.0, 0.0
    for slot in serving:
        batcher = replica(world.batchers, slot)
        advance_batcher(batcher, now)
        before = world.counters[slot].copy()
        _copy_counters(world, slot)
        change = world.counters[slot] - before
        numbers[WAITING] += world.counters[slot, PENDING]
        numbers[BUSY] += _busy(world, change, width) / len(serving)
        completed += change[REQUESTS]
        latency += change[REQUEST_SECONDS]
        under_way += in_flight(batcher)
    numbers[IN_FLIGHT_SECONDS] += under_way * width
    if completed > 0:
        load = completed / width / (conditions.capacity * len(serving))
        numbers[COMPLETED] += completed
        numbers[P90_SECONDS] += latency + completed * _p90_above_mean(world, load)


@compiled
def _copy_counters(world: World, slot: int) -> None:
    seen = batcher_counters(replica(world.batchers, slot))
    world.counters[slot, REQUESTS] = seen.completed
    world.counters[slot, EXECUTIONS] = seen.executions
    world.counters[slot, REQUEST_SECONDS] = seen.latency_seconds
    world.counters[slot, QUEUE_SECONDS] = seen.queue_seconds
    world.counters[slot, COMPUTE_SECONDS] = seen.compute_seconds
    world.counters[slot, PENDING] = seen.waiting


@compiled
def _busy(world: World, change: Floats, width: float) -> float:
    """Share of time that an instance computes: time of all batches over that of all instances."""
    settings = world.batchers.settings
    spent = change[EXECUTIONS] * settings.fixed + change[REQUESTS] * settings.per_item
    return min(float(spent) / (settings.instances * width), 1.0)


@compiled
def _p90_above_mean(world: World, load: float) -> float:
    """Seconds between the steady state's 90th percentile and its mean; what waits in a backlog waits alike."""
    curves = world.curves
    mean = at_load(curves.queue, 0, load) + at_load(curves.compute, 0, load)
    return at_load(curves.p90, 0, load) - mean
