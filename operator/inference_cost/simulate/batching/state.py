"""State of one Triton replica at request level, as arrays that compiled functions change in place.

A request belongs to at most one replica at a time, so the queues of all replicas are linked lists through one
shared array: a backlog needs no bound and no growing.
"""

from math import inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference_cost.simulate.compiled import compiled
from inference_cost.simulate.service import Service

NOBODY = -1  # end of a list of requests
NEW, WAITING, STALE = 0, 1, 2  # the newest payload: still empty; may grow; executes or is frozen
SLOTS_PER_INSTANCE = 2  # payloads that may wait, `RateLimiter::PayloadSlotAvailable`
# Shares of hand-overs, from recordings (docs/batching.md): the batcher thread was first at 7, 7, 7 and 15 %, and 0.11
# fits all recordings with a queue delay best; with a queue policy 27 to 30 % of the wake-ups were lost.
BATCHER_WINS = 0.11
LOST_WAKE_UPS = 0.3
# One step of the splitmix64 generator (Steele, Lea, Flood, OOPSLA 2014).
_GOLDEN_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFT_1, _SHIFT_2, _SHIFT_3 = np.uint64(30), np.uint64(27), np.uint64(31)
_MANTISSA_SHIFT, _MANTISSA_UNIT = np.uint64(11), 1.0 / (1 << 53)

REPLICA = np.dtype(
    [
        # Cumulative, of completed batches, as Triton's own counters.
        ("completed", np.int64),
        ("executions", np.int64),
        ("latency_seconds", np.float64),
        ("queue_seconds", np.float64),
        ("compute_seconds", np.float64),
        ("dropped", np.int64),
        # Requests that wait, whether or not a batch has been closed around them, and that are computed.
        ("waiting", np.int64),
        ("running", np.int64),
        # Waiting requests outside of any batch.
        ("head", np.int64),
        ("tail", np.int64),
        ("queued", np.int64),
        # The batcher thread (`scheduler.py`); not used by greedy batching.
        ("wakes", np.float64),  # when it runs next; inf: sleeps and nothing is queued
        ("notified", np.bool_),  # it has been notified and is about to run
        ("slept", np.float64),  # since when it sleeps
        ("waits_for_slot", np.bool_),
        ("slot_deadline", np.float64),
        ("current", np.int64),  # state of its newest payload
        ("saturated", np.bool_),
        ("next_preferred", np.int64),
        # Ring of the payloads that wait for an instance.
        ("first_payload", np.int64),
        ("payloads", np.int64),
        ("random", np.uint64),
    ]
)
INSTANCE = np.dtype(
    [
        ("head", np.int64),  # first request of the running batch, linked
        ("size", np.int64),  # 0: idle
        ("started", np.float64),
        ("ends", np.float64),  # inf: idle
        ("dequeues", np.float64),  # when it looks for a payload; inf: it runs or sleeps
        ("waits", np.bool_),  # has looked in vain
    ]
)
PAYLOAD = np.dtype([("head", np.int64), ("tail", np.int64), ("size", np.int64)])


class Settings(NamedTuple):
    """Constants of a replica, in seconds and requests."""

    fixed: float
    per_item: float
    max_batch: int
    instances: int
    delay: float
    policy: bool
    preferred: int  # max_batch where the model has none
    max_age: float  # requests that waited longer are dropped when a batch is formed
    race: float  # share of hand-overs at which the batcher thread runs before the instance


class Requests(NamedTuple):
    """What is known of each request, shape (requests,); shared by all replicas.

    `latency` stays inf for what is dropped, lost or not finished. `queue` and `batch` may be empty: not recorded.
    """

    arrived: NDArray[np.float64]
    following: NDArray[np.int32]
    latency: NDArray[np.float64]
    queue: NDArray[np.float64]
    batch: NDArray[np.int32]


class Batcher(NamedTuple):
    """One replica: row `index` of each array; `replicas` has shape (n,), the others one column per instance or slot."""

    settings: Settings
    requests: Requests
    replicas: NDArray[Any]
    instances: NDArray[Any]
    payloads: NDArray[Any]
    index: int


def new_requests(count: int, *, latency_only: bool = False) -> Requests:
    """Room for requests 0 to count - 1, none of them finished."""
    recorded = 0 if latency_only else count
    return Requests(
        arrived=np.zeros(count),
        following=np.full(count, NOBODY, dtype=np.int32),
        latency=np.full(count, inf),
        queue=np.full(recorded, inf),
        batch=np.zeros(recorded, dtype=np.int32),
    )


def new_batchers(
    service: Service,
    requests: Requests,
    *,
    replicas: int = 1,
    preferred: int = 0,
    max_age_seconds: float = inf,
    seed: int = 0,
) -> Batcher:
    """Idle replicas; the result is number 0, `replica` gives the others.

    Args:
        service: of every replica.
        requests: shared by all of them.
        replicas: how many rows.
        preferred: the model's `preferred_batch_size`, 0 without one; it matters with a queue delay only.
        max_age_seconds: requests that have waited longer when a batch is formed are dropped.
        seed: of the races between Triton's threads.
    """
    if not 0 <= preferred <= service.max_batch:
        raise ValueError(f"preferred batch size {preferred} is not between 0 and max_batch")
    slots = SLOTS_PER_INSTANCE * service.instances
    batcher = Batcher(
        settings=Settings(
            fixed=service.fixed_seconds,
            per_item=service.per_item_seconds,
            max_batch=service.max_batch,
            instances=service.instances,
            delay=service.queue_delay_seconds,
            policy=service.queue_policy,
            preferred=preferred or service.max_batch,
            max_age=max_age_seconds,
            race=LOST_WAKE_UPS if service.queue_policy else BATCHER_WINS,
        ),
        requests=requests,
        replicas=np.zeros(replicas, dtype=REPLICA),
        instances=np.zeros((replicas, service.instances), dtype=INSTANCE),
        payloads=np.zeros((replicas, slots), dtype=PAYLOAD),
        index=0,
    )
    for number in range(replicas):
        batcher.replicas[number]["random"] = _spread(seed, number)
        reset(replica(batcher, number))
    return batcher


def _spread(seed: int, number: int) -> np.uint64:
    """A start for the generator of each replica."""
    return np.random.SeedSequence((seed, number)).generate_state(1, np.uint64)[0]


@compiled
def replica(batcher: Batcher, index: int) -> Batcher:
    """The replica in another row."""
    return Batcher(
        batcher.settings,
        batcher.requests,
        batcher.replicas,
        batcher.instances,
        batcher.payloads,
        index,
    )


@compiled
def reset(batcher: Batcher) -> None:
    """A new, idle replica in the same row; its generator of random numbers goes on."""
    own = batcher.replicas[batcher.index]
    own.completed = own.executions = own.dropped = 0
    own.latency_seconds = own.queue_seconds = own.compute_seconds = 0.0
    own.waiting = own.running = own.queued = 0
    own.head = own.tail = NOBODY
    own.wakes, own.slept, own.slot_deadline = inf, 0.0, inf
    own.notified = own.waits_for_slot = own.saturated = False
    own.current, own.next_preferred = NEW, 0
    own.first_payload = own.payloads = 0
    for number in range(batcher.settings.instances):
        instance = batcher.instances[batcher.index, number]
        instance.head, instance.size = NOBODY, 0
        instance.started, instance.ends = 0.0, inf
        instance.dequeues, instance.waits = inf, True


@compiled
def uniform(own: Any) -> float:
    """Next random number in [0, 1) of this replica."""
    own.random += _GOLDEN_GAMMA
    mixed = own.random
    mixed = (mixed ^ (mixed >> _SHIFT_1)) * _MIX_1
    mixed = (mixed ^ (mixed >> _SHIFT_2)) * _MIX_2
    mixed = mixed ^ (mixed >> _SHIFT_3)
    return (mixed >> _MANTISSA_SHIFT) * _MANTISSA_UNIT


@compiled
def enqueue(batcher: Batcher, request: int, now: float) -> None:
    """Append to the waiting requests that are in no batch yet."""
    own = batcher.replicas[batcher.index]
    requests = batcher.requests
    requests.arrived[request] = now
    requests.following[request] = NOBODY
    if own.queued:
        requests.following[own.tail] = request
    else:
        own.head = request
    own.tail = request
    own.queued += 1
    own.waiting += 1


@compiled
def drop_old(batcher: Batcher, now: float) -> None:
    """Drop what has waited too long; its latency stays inf."""
    own = batcher.replicas[batcher.index]
    requests = batcher.requests
    while own.queued and now - requests.arrived[own.head] > batcher.settings.max_age:
        own.head = requests.following[own.head]
        own.queued -= 1
        own.waiting -= 1
        own.dropped += 1


@compiled
def take(batcher: Batcher, count: int) -> tuple[int, int]:
    """Cut off the first `count` waiting requests (there are as many); the first and the last, linked."""
    own = batcher.replicas[batcher.index]
    first = own.head
    last = first
    for _ in range(count - 1):
        last = batcher.requests.following[last]
    own.head = batcher.requests.following[last]
    own.queued -= count
    return first, last


@compiled
def execute(batcher: Batcher, number: int, first: int, size: int, now: float) -> None:
    """Start a batch of waiting requests on an idle instance."""
    own = batcher.replicas[batcher.index]
    instance = batcher.instances[batcher.index, number]
    instance.head, instance.size = first, size
    instance.started = now
    instance.ends = now + batcher.settings.fixed + batcher.settings.per_item * size
    own.waiting -= size
    own.running += size


@compiled
def complete(batcher: Batcher, number: int) -> None:
    """End the batch of an instance: latencies are written, counters move, the instance is idle."""
    own = batcher.replicas[batcher.index]
    instance = batcher.instances[batcher.index, number]
    requests = batcher.requests
    recorded = requests.queue.size > 0
    request = instance.head
    for _ in range(instance.size):
        latency = instance.ends - requests.arrived[request]
        queue = instance.started - requests.arrived[request]
        requests.latency[request] = latency
        if recorded:
            requests.queue[request] = queue
            requests.batch[request] = instance.size
        own.latency_seconds += latency
        own.queue_seconds += queue
        request = requests.following[request]
    own.compute_seconds += instance.size * (instance.ends - instance.started)
    own.completed += instance.size
    own.executions += 1
    own.running -= instance.size
    instance.head, instance.size, instance.ends = NOBODY, 0, inf


@compiled
def first_to_end(batcher: Batcher) -> int:
    """The instance whose batch ends first, the lowest number of equals; any when all are idle."""
    first = 0
    for number in range(1, batcher.settings.instances):
        ends = batcher.instances[batcher.index, number].ends
        if ends < batcher.instances[batcher.index, first].ends:
            first = number
    return first


@compiled
def idle_instance(batcher: Batcher) -> int:
    """The first idle instance, -1 when all are busy."""
    for number in range(batcher.settings.instances):
        if batcher.instances[batcher.index, number].size == 0:
            return number
    return -1
