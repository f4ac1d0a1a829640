"""Triton's payloads, batches that wait for an instance: a ring per replica, grown at its end, merged at its head.

After `Payload` and `InstanceQueue::Dequeue` of triton-inference-server/core (payload.cc, instance_queue.cc).
"""

from typing import Any

from inference_cost.simulate.batching.batches import execute, take
from inference_cost.simulate.batching.state import NEW, STALE, WAITING, Batcher
from inference_cost.simulate.compiled import compiled


@compiled
def current_size(batcher: Batcher) -> int:
    """Requests in the newest payload as far as it may grow."""
    if batcher.replicas[batcher.row].current != WAITING:
        return 0
    return int(_last(batcher).size)


@compiled
def grow(batcher: Batcher, count: int) -> bool:
    """Move queued requests into the newest payload; whether that payload is new in the ring."""
    own = batcher.replicas[batcher.row]
    first, last = take(batcher, count)
    if own.current == NEW:
        own.payloads += 1
        own.current = WAITING
        payload = _last(batcher)
        payload.head, payload.tail, payload.size = first, last, count
        return True
    payload = _last(batcher)
    batcher.requests.following[payload.tail] = first
    payload.tail = last
    payload.size += count
    return False


@compiled
def run_next(batcher: Batcher, number: int, now: float) -> None:
    """Execute the first payload (there is one) on an instance, merged with those behind it that are due and fit."""
    own = batcher.replicas[batcher.row]
    payload = _first(batcher)
    head, tail, size = payload.head, payload.tail, payload.size
    _drop_first(batcher)
    while own.payloads and batcher.settings.delay > 0:
        payload = _first(batcher)
        age = now - batcher.requests.arrived[payload.head]
        if age <= batcher.settings.delay:
            break
        # From here on it does not grow, whether or not it fits.
        if own.payloads == 1 and own.current == WAITING:
            own.current = STALE
        if size + payload.size > batcher.settings.max_batch:
            break
        batcher.requests.following[tail] = payload.head
        tail = payload.tail
        size += payload.size
        _drop_first(batcher)
    execute(batcher, number, head, size, now)


@compiled
def _first(batcher: Batcher) -> Any:
    return batcher.payloads[batcher.row, batcher.replicas[batcher.row].first_payload]


@compiled
def _last(batcher: Batcher) -> Any:
    own = batcher.replicas[batcher.row]
    place = (own.first_payload + own.payloads - 1) % batcher.payloads.shape[1]
    return batcher.payloads[batcher.row, place]


@compiled
def _drop_first(batcher: Batcher) -> None:
    own = batcher.replicas[batcher.row]
    own.first_payload = (own.first_payload + 1) % batcher.payloads.shape[1]
    own.payloads -= 1
    if own.payloads == 0 and own.current == WAITING:
        own.current = STALE
