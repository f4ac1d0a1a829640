"""Several replicas behind one load balancer, request by request, with replicas that start and drain."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf

from inference_cost.simulate.batcher import BatchService, GreedyBatcher


class Routing(StrEnum):
    """How the load balancer chooses among ready replicas."""

    RANDOM = "Random"
    POWER_OF_TWO = (
        "PowerOfTwo"  # fewer requests in flight of two drawn at random (Envoy's LEAST_REQUEST)
    )
    LEAST_REQUEST = "LeastRequest"  # fewest requests in flight of all, ties at random


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaLifetime:
    """From when to when a replica is given requests. What it has accepted it finishes in any case."""

    ready_at_seconds: float = 0.0
    draining_at_seconds: float = inf

    def __post_init__(self) -> None:
        if self.draining_at_seconds < self.ready_at_seconds:
            raise ValueError("a replica cannot drain before it is ready")


def constant_fleet(replicas: int) -> tuple[ReplicaLifetime, ...]:
    """A fleet that is ready from the first to the last request."""
    return (ReplicaLifetime(),) * replicas


def replay(
    arrivals_seconds: Sequence[float],
    *,
    service: BatchService,
    replicas: Sequence[ReplicaLifetime],
    routing: Routing = Routing.POWER_OF_TWO,
    seed: int = 0,
) -> list[float]:
    """Latency in seconds of each request; infinite where no replica was ready (answered 503).

    Arrivals must ascend. The same seed gives the same routing decisions.

    Raises:
        ValueError: arrivals are not in order.
    """
    latencies = [inf] * len(arrivals_seconds)
    batchers = [GreedyBatcher(service, latencies) for _ in replicas]
    choose = _chooser(routing, random.Random(seed))  # noqa: S311 - a simulation, not a secret
    changes = _changes(replicas)
    serving: list[GreedyBatcher] = []
    previous = -inf
    for request, at_seconds in enumerate(arrivals_seconds):
        if at_seconds < previous:
            raise ValueError(f"arrival {request} at {at_seconds} s comes before {previous} s")
        previous = at_seconds
        while changes and changes[-1][0] <= at_seconds:
            _apply(changes.pop(), batchers, serving)
        if serving:
            choose(serving, at_seconds).offer(request, at_seconds)
    for batcher in batchers:
        batcher.drain()
    return latencies


_Change = tuple[float, bool, int]
_Chooser = Callable[[list[GreedyBatcher], float], GreedyBatcher]


def _changes(replicas: Sequence[ReplicaLifetime]) -> list[_Change]:
    """Starts and drains, the latest first; at equal times a start comes before a drain when popped."""
    starts = [(replica.ready_at_seconds, False, i) for i, replica in enumerate(replicas)]
    drains = [(replica.draining_at_seconds, True, i) for i, replica in enumerate(replicas)]
    return sorted(starts + drains, reverse=True)


def _apply(change: _Change, batchers: list[GreedyBatcher], serving: list[GreedyBatcher]) -> None:
    _, drains, number = change
    if drains:
        serving.remove(batchers[number])
    else:
        serving.append(batchers[number])


def _chooser(routing: Routing, draw: random.Random) -> _Chooser:
    def any_of(serving: list[GreedyBatcher], _: float) -> GreedyBatcher:
        return serving[int(draw.random() * len(serving))]

    def less_loaded_of_two(serving: list[GreedyBatcher], now: float) -> GreedyBatcher:
        if len(serving) == 1:
            return serving[0]
        first = int(draw.random() * len(serving))
        second = int(draw.random() * (len(serving) - 1))
        second += second >= first
        return _less_loaded(serving[first], serving[second], now)

    def least_loaded(serving: list[GreedyBatcher], now: float) -> GreedyBatcher:
        for batcher in serving:
            batcher.advance(now)
        fewest = min(batcher.in_flight for batcher in serving)
        return any_of([batcher for batcher in serving if batcher.in_flight == fewest], now)

    return {
        Routing.RANDOM: any_of,
        Routing.POWER_OF_TWO: less_loaded_of_two,
        Routing.LEAST_REQUEST: least_loaded,
    }[routing]


def _less_loaded(first: GreedyBatcher, second: GreedyBatcher, now: float) -> GreedyBatcher:
    first.advance(now)
    second.advance(now)
    return first if first.in_flight <= second.in_flight else second
