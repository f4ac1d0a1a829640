"""What every way of batching does to a replica's state: queue requests, cut batches off, execute, complete, drop."""

from math import inf
from typing import Any

import numpy as np

from inference_cost.simulate.batching.state import NOBODY, Batcher
from inference_cost.simulate.compiled import compiled

# One step of the splitmix64 generator (Steele, Lea, Flood, OOPSLA 2014).
_GOLDEN_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFT_1, _SHIFT_2, _SHIFT_3 = np.uint64(30), np.uint64(27), np.uint64(31)
_MANTISSA_SHIFT, _MANTISSA_UNIT = np.uint64(11), 1.0 / (1 << 53)


@compiled
def uniform(own: Any) -> float:
    """Next random number in [0, 1) of this replica."""
    own.random += _GOLDEN_GAMMA
    mixed = own.random
    mixed = (mixed ^ (mixed >> _SHIFT_1)) * _MIX_1
    mixed = (mixed ^ (mixed >> _SHIFT_2)) * _MIX_2
    mixed = mixed ^ (mixed >> _SHIFT_3)
    return float((mixed >> _MANTISSA_SHIFT) * _MANTISSA_UNIT)


@compiled
def enqueue(batcher: Batcher, request: int, now: float) -> None:
    """Append to the waiting requests that are in no batch yet."""
    own = batcher.replicas[batcher.row]
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
    own = batcher.replicas[batcher.row]
    requests = batcher.requests
    while own.queued and now - requests.arrived[own.head] > batcher.settings.max_age:
        own.head = requests.following[own.head]
        own.queued -= 1
        own.waiting -= 1
        own.dropped += 1


@compiled
def take(batcher: Batcher, count: int) -> tuple[int, int]:
    """Cut off the first `count` waiting requests (there are as many); the first and the last, linked."""
    own = batcher.replicas[batcher.row]
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
    own = batcher.replicas[batcher.row]
    instance = batcher.instances[batcher.row, number]
    instance.head, instance.size = first, size
    instance.started = now
    instance.ends = now + batcher.settings.fixed + batcher.settings.per_item * size
    own.waiting -= size
    own.running += size


@compiled
def complete(batcher: Batcher, number: int) -> None:
    """End the batch of an instance: latencies are written, counters move, the instance is idle."""
    own = batcher.replicas[batcher.row]
    instance = batcher.instances[batcher.row, number]
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
        ends = batcher.instances[batcher.row, number].ends
        if ends < batcher.instances[batcher.row, first].ends:
            first = number
    return first


@compiled
def idle_instance(batcher: Batcher) -> int:
    """The first idle instance, -1 when all are busy."""
    for number in range(batcher.settings.instances):
        if batcher.instances[batcher.row, number].size == 0:
            return number
    return -1
