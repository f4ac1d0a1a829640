"""The fast model: within a step the load is even, and each replica is in steady state or works off a queue.

Without a backlog and below `HIGHEST_LOAD` the share of late requests is that of the steady state at this load
(`Curves`). Else the queue is a fluid: a request is late when what waits before it takes longer than
`wait_allowed`, and by chance as often as at `HIGHEST_LOAD` when it does not. In no step are more requests in
time than the largest goodput allows. Errors against the request level: docs/simulator.md.
"""

from math import exp
from typing import Final, NamedTuple

from inference_cost.simulate.compiled import compiled
from inference_cost.simulate.world.state import (
    BACKLOG,
    BUSY,
    COMPLETED,
    COMPUTE_SECONDS,
    DROPPED,
    EXECUTIONS,
    HIGHEST_LOAD,
    IN_FLIGHT_SECONDS,
    LATE,
    LIVE,
    LOAD_STEP,
    P90_SECONDS,
    PENDING,
    QUEUE_SECONDS,
    READY,
    REQUEST_SECONDS,
    REQUESTS,
    WAITING,
    Conditions,
    Curves,
    Floats,
    World,
)

RECONNECT_SECONDS: Final = 600.0  # mean life of a sticky connection


class Offered(NamedTuple):
    """Requests/s of one step: as counted, and without what came by chance (new.py)."""

    counted: float
    smooth: float


class Served(NamedTuple):
    """What happened to one group of equal replicas in one step."""

    late: float
    dropped: float
    completed: float
    backlog: float  # at the end
    queue: float  # mean seconds in the queue of those served, backlog included


class Counted(NamedTuple):
    """What Triton counts of one replica in one step: of all its requests, and of each that it answers."""

    arrived: float
    dropped: float
    most: float  # requests that it can answer
    pending: float  # towards which its queue goes
    batch: float
    queue_seconds: float
    compute_seconds: float


@compiled
def serve_step(world: World, start: float, end: float) -> None:
    """Serve the arrivals from `start` to `end`, which lie in one bin and see no replica come or go."""
    conditions, counts = world.conditions, world.counts
    width = end - start
    i = int(start / conditions.bin_seconds + 1e-9)
    arrivals, bin_seconds = world.arrivals, conditions.bin_seconds
    offered = Offered(
        (arrivals.total[i + 1] - arrivals.total[i]) / bin_seconds,
        (arrivals.smooth[i + 1] - arrivals.smooth[i]) / bin_seconds,
    )
    for name in (WAITING, BUSY):
        world.numbers[name] = 0.0
    if counts[READY] == 0:
        _wait_for_a_replica(world, i, offered.counted, width)
    elif conditions.sticky:
        _serve_each(world, i, offered, width)
    else:
        _serve_alike(world, i, offered, width)


@compiled
def _wait_for_a_replica(world: World, i: int, rate: float, width: float) -> None:
    conditions, numbers = world.conditions, world.numbers
    backlog = numbers[BACKLOG] + rate * width
    kept = min(backlog, rate * conditions.longest_wait)
    numbers[BACKLOG] = kept
    numbers[IN_FLIGHT_SECONDS] += kept * width
    world.course[LATE, i] += rate * width
    world.course[DROPPED, i] += backlog - kept


@compiled
def _serve_alike(world: World, i: int, offered: Offered, width: float) -> None:
    """The load spreads evenly, and so does the backlog."""
    replicas, ready = world.replicas, world.counts[READY]
    served = serve_group(
        world.conditions, world.curves, ready, offered, width, world.numbers[BACKLOG]
    )
    world.numbers[BACKLOG] = served.backlog
    counted = _counted(world, served, _share_of(offered, 1.0 / ready), width, 1.0 / ready)
    for k in range(world.counts[LIVE]):
        slot = replicas.listed[k]
        if replicas.serves[slot] == 1:
            _count(world, slot, counted)
    _tell(world, i, served, offered.smooth, width, 1.0)


@compiled
def _serve_each(world: World, i: int, offered: Offered, width: float) -> None:
    """Every replica has its own clients and its own backlog."""
    replicas, ready = world.replicas, world.counts[READY]
    reconnect(world, width)
    orphans = world.numbers[BACKLOG] / ready
    world.numbers[BACKLOG] = 0.0
    for k in range(world.counts[LIVE]):
        slot = replicas.listed[k]
        if replicas.serves[slot] == 0:
            continue
        own = _share_of(offered, replicas.share[slot])
        backlog = replicas.backlog[slot] + orphans
        served = serve_group(world.conditions, world.curves, 1, own, width, backlog)
        replicas.backlog[slot] = served.backlog
        _count(world, slot, _counted(world, served, own, width, 1.0))
        _tell(world, i, served, own.smooth, width, 1.0 / ready)


@compiled
def _share_of(offered: Offered, share: float) -> Offered:
    return Offered(offered.counted * share, offered.smooth * share)


@compiled
def reconnect(world: World, width: float) -> None:
    replicas = world.replicas
    moved = 1.0 - exp(-width / RECONNECT_SECONDS)
    for k in range(world.counts[LIVE]):
        slot = replicas.listed[k]
        if replicas.serves[slot] == 1:
            replicas.share[slot] += (1.0 / world.counts[READY] - replicas.share[slot]) * moved


@compiled
def serve_group(  # noqa: PLR0917 - compiled, called by position
    conditions: Conditions,
    curves: Curves,
    count: int,
    offered: Offered,
    width: float,
    backlog: float,
) -> Served:
    """`count` equal replicas under these requests in all for `width` seconds, with what waited before."""
    capacity, rate = count * conditions.capacity, offered.smooth
    row = min(count, len(curves.in_time)) - 1
    load = rate / capacity
    by_chance = 1.0 - curves.in_time[row, -1]
    draining = width  # seconds with a backlog
    if rate < capacity:
        draining = min(backlog / (capacity - rate), width)
    late = rate * _late_seconds(conditions, backlog, rate, capacity, draining, by_chance)
    rest = width - draining
    if rest > 0:
        share = 1.0 - at_load(curves.in_time, row, load)
        late += rate * rest * share
    late = max(late, (offered.counted - conditions.goodput * count) * width)
    late = min(late, max(offered.counted, rate) * width)
    asked = backlog + rate * width
    left = max(asked - capacity * width, 0.0) if draining > 0 else 0.0
    kept = min(left, conditions.longest_wait * max(capacity, rate))
    wait = (backlog + left) / 2 / capacity * (draining / width)
    queue = at_load(curves.queue, row, load) + wait
    return Served(late, left - kept, asked - left, kept, queue)


@compiled
def at_load(curve: Floats, row: int, load: float) -> float:
    """Between the tabulated loads; above the highest one as at it."""
    place = min(load, HIGHEST_LOAD) / LOAD_STEP
    lower = min(int(place), curve.shape[1] - 2)
    weight = place - lower
    return float(curve[row, lower] * (1.0 - weight) + curve[row, lower + 1] * weight)


@compiled
def _late_seconds(  # noqa: PLR0917 - same
    conditions: Conditions,
    backlog: float,
    rate: float,
    capacity: float,
    width: float,
    by_chance: float,
) -> float:
    """Seconds of arrivals that are late while a backlog of `backlog` grows or shrinks over `width`."""
    if width <= 0:
        return 0.0
    allowed = conditions.wait_allowed
    first, last = backlog / capacity, (backlog + (rate - capacity) * width) / capacity
    low, high = min(first, last), max(first, last)
    if low >= allowed:
        over = 1.0 if high > allowed else 0.0
    elif high <= allowed:
        over = 0.0
    else:
        over = (high - allowed) / (high - low)
    return width * (over + (1.0 - over) * by_chance)


@compiled
def _counted(world: World, served: Served, offered: Offered, width: float, share: float) -> Counted:
    """Of one replica that is offered this, and has `share` of what the group serves.

    Without a backlog the counters are as noisy as the arrivals.
    """
    conditions, curves = world.conditions, world.curves
    completed = served.completed * share
    if served.backlog == 0:
        completed = max(completed + (offered.counted - offered.smooth) * width, 0.0)
    load = completed / width / conditions.capacity
    batch = at_load(curves.batch, 0, load)
    compute = at_load(curves.compute, 0, load)
    if served.backlog > 0 or load > HIGHEST_LOAD:
        batch, compute = conditions.max_batch, conditions.batch_seconds
    rate = offered.smooth if served.backlog > 0 else offered.counted
    return Counted(
        rate * width,
        served.dropped * share,
        max(conditions.capacity, completed / width) * width,
        served.backlog * share + offered.smooth * at_load(curves.queue, 0, load),
        batch,
        served.queue,
        compute,
    )


@compiled
def _count(world: World, slot: int, counted: Counted) -> None:
    """What came was answered, dropped, or waits: a queue grows by no more than comes."""
    counters = world.counters
    before = counters[slot, PENDING]
    most = max(before + counted.arrived - counted.dropped, 0.0)
    pending = min(max(counted.pending, most - counted.most), most)
    answered = most - pending
    counters[slot, REQUESTS] += answered
    counters[slot, EXECUTIONS] += answered / counted.batch
    counters[slot, REQUEST_SECONDS] += answered * (counted.queue_seconds + counted.compute_seconds)
    counters[slot, QUEUE_SECONDS] += answered * counted.queue_seconds
    counters[slot, COMPUTE_SECONDS] += answered * counted.compute_seconds
    counters[slot, PENDING] = pending


@compiled
def _tell(  # noqa: PLR0917 - same
    world: World, i: int, served: Served, rate: float, width: float, weight: float
) -> None:
    """Fleet figures; `weight`: of this group among all for figures that are means."""
    conditions, curves, numbers = world.conditions, world.curves, world.numbers
    world.course[LATE, i] += served.late
    world.course[DROPPED, i] += served.dropped
    capacity = conditions.capacity * world.counts[READY] * weight
    load = min(rate / capacity, 1.0)
    row = min(world.counts[READY], len(curves.in_time)) - 1
    steady = at_load(curves.queue, row, load)
    compute = at_load(curves.compute, 0, load)
    batch = at_load(curves.batch, 0, load)
    wait = served.backlog / capacity
    in_flight = served.backlog + rate * (steady + compute)
    numbers[WAITING] += served.backlog + rate * steady
    numbers[BUSY] += weight * min(
        load * conditions.max_batch / batch * _batch_share(world, batch), 1.0
    )
    numbers[COMPLETED] += served.completed
    numbers[P90_SECONDS] += served.completed * (at_load(curves.p90, row, load) + wait)
    numbers[IN_FLIGHT_SECONDS] += in_flight * width


@compiled
def _batch_share(world: World, batch: float) -> float:
    """Time of a batch of this size as a share of a full one's."""
    curves = world.curves
    full, one = world.conditions.batch_seconds, curves.compute[0, 0]
    if world.conditions.max_batch <= 1.0:
        return 1.0
    size = (batch - 1.0) / (world.conditions.max_batch - 1.0)
    return float((one + (full - one) * size) / full)
