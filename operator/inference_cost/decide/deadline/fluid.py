"""Fewest replicas that serve what waits, and what comes, before a deadline.

What a pod has in its queue stays there: Triton hands nothing over. What a gateway holds back, and what is still to
come, goes to any replica that serves. Waiting is allowed, so a replica is worth its full batches. With a deadline a
longer run of fewer replicas costs the same replica-seconds as a short run of many, and fewer starts.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf
from typing import Final

from inference_cost.decide.headroom.shadow import MOST_REPLICAS
from inference_cost.decide.size import replicas_for

AIM: Final = 0.9  # of the deadline: the rest is for what is not known exactly
FALLING: Final = 0.9  # of its capacity: what a pod may get whose queue is to become shorter


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Requests, requests/s and seconds from now."""

    held: float  # in the queues of the ready pods
    longest: float  # in the queue of one that gets as much of what comes as any other; 0 where that is evened out
    free: float  # held back by the gateway
    age_seconds: float  # of the oldest of those
    rate: float  # expected to come
    per_second: float  # served by one replica
    ready: int
    starting: tuple[float, ...]  # when each of the replicas that start will serve
    order_seconds: float  # when one ordered now would
    next_order_seconds: float  # and one ordered at the next look
    within_seconds: float

    @property
    def running(self) -> int:
        return self.ready + len(self.starting)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """`in_time` False: whatever is ordered now serves too late for some of what waits."""

    replicas: int
    in_time: bool


def drain(work: Work) -> Drain:
    """A deadline too short for a start needs replicas that stand ready for what comes."""
    if work.per_second <= 0:
        return Drain(replicas=work.running, in_time=True)
    standing = replicas_for(work.rate, work.per_second)
    if not _possible(work):
        found = max(_fewest(_too_late(work)), standing, work.running)
        return Drain(replicas=found, in_time=False)
    needed = _fewest(work)
    if shorter_than_a_start(work):
        needed = max(needed, standing)
    return Drain(replicas=needed, in_time=True)


def _too_late(work: Work) -> Work:
    """As though all came when an order of now serves; and no replica is started for less work than its start takes."""
    within = work.order_seconds + max(work.within_seconds, work.order_seconds)
    return replace(work, age_seconds=0.0, within_seconds=within)


def shorter_than_a_start(work: Work) -> bool:
    """Then only replicas that already run can meet the deadline."""
    return work.within_seconds <= work.order_seconds


def finished_seconds(work: Work, replicas: int) -> float:
    """Until all that waits now is served."""
    alone = max(_own_queue_seconds(work), work.longest / work.per_second)
    return max(alone, _served_after(work, replicas, work.free))


def longest_wait_seconds(work: Work, replicas: int) -> float:
    """Of what waits and of what comes until an order of the next look could serve."""
    free = work.age_seconds + _served_after(work, replicas, work.free) if work.free > 0 else 0.0
    queued = max(_own_queue_seconds(work), work.longest / work.per_second)
    coming = max(_last_wait(work, replicas), _last_wait_in_the_longest(work, replicas))
    return max(free, queued, coming, 0.0)


def _fewest(work: Work) -> int:
    """By halving: more replicas never serve later."""
    if not _fits(work, MOST_REPLICAS):
        return MOST_REPLICAS
    lowest, highest = 0, MOST_REPLICAS
    while highest - lowest > 1:
        middle = (lowest + highest) // 2
        if _fits(work, middle):
            highest = middle
        else:
            lowest = middle
    return lowest if _fits(work, lowest) else highest


def _fits(work: Work, replicas: int) -> bool:
    within = AIM * work.within_seconds
    if work.free > 0 and work.age_seconds + _served_after(work, replicas, work.free) > within:
        return False
    falling = work.rate <= FALLING * replicas * work.per_second
    if not falling and _last_wait_in_the_longest(work, replicas) > within:
        return False
    return _last_wait(work, replicas) <= within


def _possible(work: Work) -> bool:
    """Whether an order is not too late for what the gateway holds back, or what comes before it serves."""
    if shorter_than_a_start(work):
        return _fits(work, work.running)
    left = AIM * work.within_seconds - work.age_seconds
    in_time = work.free <= 0 or left > work.next_order_seconds
    return in_time or _served_after(work, work.running, work.free) <= left


def _last_wait(work: Work, replicas: int) -> float:
    """Of the last request that an order of the next look would come too late for."""
    ahead = work.next_order_seconds
    return _served_after(work, replicas, work.free + work.rate * ahead) - ahead


def _last_wait_in_the_longest(work: Work, replicas: int) -> float:
    """Where it gets an equal share of what comes: an order changes that only once it serves."""
    if work.longest <= 0:
        return 0.0
    if not (work.ready and replicas):
        return inf
    before, after = work.order_seconds, work.next_order_seconds - work.order_seconds
    came = work.rate * (before / work.ready + after / max(replicas, work.ready))
    return (work.longest + came) / work.per_second - work.next_order_seconds


def _served_after(work: Work, replicas: int, requests: float) -> float:
    """Seconds until so many are served that are bound to no pod."""
    if requests <= 0:
        return 0.0
    left, serving, at = requests / work.per_second, 0, 0.0  # in seconds of one replica
    for since, count in _begins(work, replicas):
        if serving and left <= serving * (since - at):
            break
        left -= serving * (since - at)
        serving, at = serving + count, since
    return at + left / serving if serving else inf


def _begins(work: Work, replicas: int) -> Iterator[tuple[float, int]]:
    """When how many replicas begin to serve more than their own queue, in order of time."""
    ready = min(replicas, work.ready)
    starting = work.starting[: max(replicas - work.ready, 0)]
    groups = [(seconds, 1) for seconds in starting]
    groups.append((work.order_seconds, replicas - ready - len(starting)))
    groups.append((_own_queue_seconds(work), ready))
    return (group for group in sorted(groups) if group[1] > 0)


def _own_queue_seconds(work: Work) -> float:
    """Queues are taken as even; without a ready replica there is none."""
    return work.held / (work.ready * work.per_second) if work.ready else 0.0
