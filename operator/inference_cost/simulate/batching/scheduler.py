"""Triton's batcher thread and backend threads, event by event.

Follows `DynamicBatchScheduler` (`Enqueue`, `BatcherThread`, `GetDynamicBatch`) and `RateLimiter`
(`PayloadSlotAvailable`) of triton-inference-server/core, read at 2024-09 and 2026-06; requests of batch size 1.
Events: a request arrives; the batcher thread wakes; an instance looks for a payload; a batch ends. What sets this
apart from greedy batching:

- With a queue delay, batches are closed ahead while the instances are busy, and the batcher thread is not woken for
  the requests that come later, until as many have come as are missing to the preferred size.
- With a queue policy nothing is prepared ahead, and a wake-up of the batcher thread is lost when it runs before the
  instance says that it is free: work waits for the next arrival or a timer.
"""

from math import inf

from inference_cost.simulate.batching.batches import complete, drop_old, enqueue, uniform
from inference_cost.simulate.batching.payloads import current_size, grow, run_next
from inference_cost.simulate.batching.state import NEW, STALE, Batcher
from inference_cost.simulate.compiled import compiled

WAKE_SECONDS = 60e-6  # a sleeping thread that is notified runs after this
DEQUEUE_SECONDS = 10e-6  # an instance that has finished a batch looks for the next one after this
TIMER_SECONDS = 0.5  # the batcher thread sleeps no longer
RESOLUTION_SECONDS = 1e-6  # of Triton's waiting times
# Kinds of event, in the order of those at the same time.
_ENDS, _WAKES, _DEQUEUES = 0, 1, 2


@compiled
def offer_scheduled(batcher: Batcher, request: int, now: float) -> None:
    advance_scheduled(batcher, now)
    enqueue(batcher, request, now)
    own = batcher.replicas[batcher.row]
    enough = own.saturated or own.current == STALE or own.queued >= own.next_preferred
    if enough and _slot_is_free(batcher):
        _notify(batcher, now)
    elif own.wakes == inf:
        own.wakes = _next_timer(own.slept, now, batcher.settings.slowness)


@compiled
def advance_scheduled(batcher: Batcher, until: float) -> None:
    while True:
        at, kind, number = _next_event(batcher)
        if at > until or at == inf:
            return
        if kind == _ENDS:
            _end(batcher, number, at)
        elif kind == _WAKES:
            _wake(batcher, at)
        else:
            _dequeue(batcher, number, at)


@compiled
def _next_event(batcher: Batcher) -> tuple[float, int, int]:
    at, kind, which = batcher.replicas[batcher.row].wakes, _WAKES, 0
    for number in range(batcher.settings.instances):
        instance = batcher.instances[batcher.row, number]
        if instance.ends <= at:
            at, kind, which = instance.ends, _ENDS, number
        if instance.dequeues < at:
            at, kind, which = instance.dequeues, _DEQUEUES, number
    return at, kind, which


@compiled
def _end(batcher: Batcher, number: int, now: float) -> None:
    """A batch ends; the batcher thread is notified and now and then runs before the instance goes on."""
    own = batcher.replicas[batcher.row]
    complete(batcher, number)
    batcher.instances[batcher.row, number].dequeues = (
        now + DEQUEUE_SECONDS * batcher.settings.slowness
    )
    if own.queued and not own.notified and uniform(own) < batcher.settings.race:
        own.notified = True
        own.wakes = now
    else:
        _notify(batcher, now)


@compiled
def _dequeue(batcher: Batcher, number: int, now: float) -> None:
    own = batcher.replicas[batcher.row]
    instance = batcher.instances[batcher.row, number]
    instance.dequeues = inf
    instance.waits = own.payloads == 0
    if own.payloads:
        run_next(batcher, number, now)
        _notify(batcher, now)


@compiled
def _notify(batcher: Batcher, now: float) -> None:
    own = batcher.replicas[batcher.row]
    if not own.notified:
        own.notified = True
        own.wakes = min(own.wakes, now + WAKE_SECONDS * batcher.settings.slowness)


@compiled
def _next_timer(since: float, now: float, slowness: float) -> float:
    """When a thread that sleeps since then, in stretches of half a second, runs next."""
    timer = TIMER_SECONDS * slowness
    return since + (int((now - since) / timer) + 1) * timer + WAKE_SECONDS * slowness


@compiled
def _slot_is_free(batcher: Batcher) -> bool:
    """Whether a payload may be formed or grow."""
    own = batcher.replicas[batcher.row]
    if not batcher.settings.policy:
        return bool(own.payloads < batcher.payloads.shape[1])
    consumers = 0
    for number in range(batcher.settings.instances):
        consumers += batcher.instances[batcher.row, number].waits
    return bool(consumers > own.payloads)


@compiled
def _wake(batcher: Batcher, now: float) -> None:
    """The batcher thread runs until it sleeps again."""
    own = batcher.replicas[batcher.row]
    own.notified = False
    own.wakes = inf
    if own.waits_for_slot:
        if not _slot_is_free(batcher):
            _wait_for_slot(batcher, now)
            return
        own.waits_for_slot = False
        own.slot_deadline = inf
    while True:
        if own.saturated or own.current == STALE:
            own.current, own.saturated, own.next_preferred = NEW, False, 0
        if own.queued == 0:
            own.slept = now
            return
        if not _slot_is_free(batcher):
            own.waits_for_slot = True
            own.slot_deadline = inf
            _wait_for_slot(batcher, now)
            return
        wait = _form(batcher, now)
        if wait > 0:
            own.wakes = now + wait + WAKE_SECONDS * batcher.settings.slowness
            return


@compiled
def _wait_for_slot(batcher: Batcher, now: float) -> None:
    own, slowness = batcher.replicas[batcher.row], batcher.settings.slowness
    if own.slot_deadline <= now or own.slot_deadline == inf:
        own.slot_deadline = now + TIMER_SECONDS * slowness
    own.wakes = own.slot_deadline + WAKE_SECONDS * slowness


@compiled
def _form(batcher: Batcher, now: float) -> float:
    """Form or grow the newest payload; how long to wait for more requests first, 0 when not at all."""
    drop_old(batcher, now)
    count, wait = _examine(batcher, now)
    if wait == 0 and count and grow(batcher, count):
        _notify_instance(batcher, now)
    return wait


@compiled
def _notify_instance(batcher: Batcher, now: float) -> None:
    for number in range(batcher.settings.instances):
        instance = batcher.instances[batcher.row, number]
        if instance.waits and instance.dequeues == inf:
            instance.dequeues = now + WAKE_SECONDS * batcher.settings.slowness
            return


@compiled
def _examine(batcher: Batcher, now: float) -> tuple[int, float]:
    """`GetDynamicBatch`: how many queued requests to add now, else how long to wait."""
    own = batcher.replicas[batcher.row]
    settings = batcher.settings
    size = current_size(batcher)
    pending, best, full = _count_pending(batcher, size)
    if pending == 0 and best == 0:
        return 0, 0.0
    age = now - batcher.requests.arrived[own.head]
    due = settings.delay > 0 and age >= settings.delay
    if best and not due:
        own.saturated |= settings.delay == 0
        return best, 0.0
    if full or size + pending >= settings.preferred:
        own.saturated = True
        return pending, 0.0
    if due or settings.delay == 0:
        return pending, 0.0
    # The only preferred size, also where it has been passed.
    own.next_preferred = settings.preferred - size
    if not own.saturated and size not in (0, settings.preferred):
        return pending, 0.0
    wait = settings.delay - age
    return pending, wait if wait >= RESOLUTION_SECONDS else 0.0


@compiled
def _count_pending(batcher: Batcher, size: int) -> tuple[int, int, bool]:
    """Requests that fit beside `size`, how many of them make the preferred size, whether more are left."""
    own = batcher.replicas[batcher.row]
    settings = batcher.settings
    pending = best = 0
    while pending < own.queued:
        if size + pending:
            if size + pending + 1 > settings.preferred and best == 0:
                best = pending
                own.saturated = True
            if size + pending + 1 > settings.max_batch:
                return pending, best, True
        pending += 1
        if size + pending == settings.preferred:
            best = pending
    return pending, best, False
