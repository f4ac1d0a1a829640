"""Triton without a queue delay: whenever an instance is free it takes every waiting request, up to the largest batch.

This is exact: a real Triton 2.51 agrees within 1 % (docs/batching.md). Every arrival wakes the batcher, because
`GetDynamicBatch` returns before it sets a next preferred size (triton-inference-server/core,
src/dynamic_batch_scheduler.cc), so that a batch grows until it is executed.
"""

from inference_cost.simulate.batching.batches import (
    complete,
    drop_old,
    enqueue,
    execute,
    first_to_end,
    idle_instance,
    take,
)
from inference_cost.simulate.batching.state import Batcher
from inference_cost.simulate.compiled import compiled


@compiled
def offer_greedy(batcher: Batcher, request: int, now: float) -> None:
    advance_greedy(batcher, now)
    enqueue(batcher, request, now)
    number = idle_instance(batcher)
    if number >= 0:
        _start(batcher, number, now)


@compiled
def advance_greedy(batcher: Batcher, until: float) -> None:
    while True:
        number = first_to_end(batcher)
        instance = batcher.instances[batcher.row, number]
        if instance.size == 0 or instance.ends > until:
            return
        now = instance.ends
        complete(batcher, number)
        _start(batcher, number, now)


@compiled
def _start(batcher: Batcher, number: int, now: float) -> None:
    drop_old(batcher, now)
    size = min(batcher.replicas[batcher.row].queued, batcher.settings.max_batch)
    if size:
        first, _ = take(batcher, size)
        execute(batcher, number, first, size, now)
