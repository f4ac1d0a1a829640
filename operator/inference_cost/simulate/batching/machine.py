"""One replica, fed in order of time: accept requests, advance, count."""

from math import inf
from typing import NamedTuple

from inference_cost.simulate.batching.greedy import advance_greedy, offer_greedy
from inference_cost.simulate.batching.scheduler import advance_scheduled, offer_scheduled
from inference_cost.simulate.batching.state import Batcher, Settings, reset
from inference_cost.simulate.compiled import compiled


class Counters(NamedTuple):
    """Cumulative counters of completed batches, as Triton's: sums are over requests, in seconds."""

    completed: int
    executions: int
    latency_seconds: float
    queue_seconds: float
    compute_seconds: float
    dropped: int
    waiting: (
        int  # now; batches that are closed and not started included, as in Triton's pending gauge
    )


@compiled
def is_greedy(settings: Settings) -> bool:
    """Whether the batcher thread need not be looked at."""
    return settings.delay == 0 and not settings.policy


@compiled
def offer(batcher: Batcher, request: int, now: float) -> None:
    """Accept a request at a time that is not before that of any earlier call."""
    if is_greedy(batcher.settings):
        offer_greedy(batcher, request, now)
    else:
        offer_scheduled(batcher, request, now)


@compiled
def advance(batcher: Batcher, until: float) -> None:
    """Complete and start batches up to and including a time."""
    if is_greedy(batcher.settings):
        advance_greedy(batcher, until)
    else:
        advance_scheduled(batcher, until)


@compiled
def drain(batcher: Batcher) -> None:
    """Work off everything that was accepted."""
    advance(batcher, inf)


@compiled
def abandon(batcher: Batcher) -> int:
    """The replica dies: the number of requests lost (their latency stays inf); then it is as new."""
    lost = in_flight(batcher)
    reset(batcher)
    return lost


@compiled
def in_flight(batcher: Batcher) -> int:
    """Requests that wait or are computed, as of the last call."""
    own = batcher.replicas[batcher.row]
    return int(own.waiting + own.running)


@compiled
def counters(batcher: Batcher) -> Counters:
    """As of the last call."""
    own = batcher.replicas[batcher.row]
    return Counters(
        own.completed,
        own.executions,
        own.latency_seconds,
        own.queue_seconds,
        own.compute_seconds,
        own.dropped,
        own.waiting,
    )
