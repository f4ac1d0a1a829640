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
    slowness: float  # factor on the times of Triton's own threads
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
    """One replica: row `row` of each array; `replicas` has shape (n,), the others one column per instance or slot."""

    settings: Settings
    requests: Requests
    replicas: NDArray[Any]
    instances: NDArray[Any]
    payloads: NDArray[Any]
    row: int


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
            slowness=service.thread_slowness,
            race=LOST_WAKE_UPS if service.queue_policy else BATCHER_WINS,
        ),
        requests=requests,
        replicas=np.zeros(replicas, dtype=REPLICA),
        instances=np.zeros((replicas, service.instances), dtype=INSTANCE),
        payloads=np.zeros((replicas, slots), dtype=PAYLOAD),
        row=0,
    )
    for number in range(replicas):
        batcher.replicas[number]["random"] = _spread(seed, number)
        reset(replica(batcher, number))
    return batcher


def _spread(seed: int, number: int) -> np.uint64:
    """A start for the generator of each replica."""
    return np.uint64(np.random.SeedSequence((seed, number)).generate_state(1, np.uint64)[0])


@compiled
def replica(batcher: Batcher, row: int) -> Batcher:
    """The replica in another row."""
    return Batcher(
        batcher.settings,
        batcher.requests,
        batcher.replicas,
        batcher.instances,
        batcher.payloads,
        row,
    )


@compiled
def reset(batcher: Batcher) -> None:
    """A new, idle replica in the same row; its generator of random numbers goes on."""
    own = batcher.replicas[batcher.row]
    own.completed = own.executions = own.dropped = 0
    own.latency_seconds = own.queue_seconds = own.compute_seconds = 0.0
    own.waiting = own.running = own.queued = 0
    own.head = own.tail = NOBODY
    own.wakes, own.slept, own.slot_deadline = inf, 0.0, inf
    own.notified = own.waits_for_slot = own.saturated = False
    own.current, own.next_preferred = NEW, 0
    own.first_payload = own.payloads = 0
    for number in range(batcher.settings.instances):
        instance = batcher.instances[batcher.row, number]
        instance.head, instance.size = NOBODY, 0
        instance.started, instance.ends = 0.0, inf
        instance.dequeues, instance.waits = inf, True
