"""How one replica forms batches, by small stories; and what the incremental form counts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np
import pytest

from inference_cost.simulate.batching import (
    Batcher,
    Requests,
    abandon,
    advance,
    counters,
    drain,
    in_flight,
    new_batchers,
    new_requests,
    offer,
    replay,
    replica,
)
from inference_cost.simulate.service import Service

# 45 ms for a batch of one, 80 ms for a full one.
GREEDY = Service(fixed_seconds=0.040, per_item_seconds=0.005, max_batch=8)
DELAYED = replace(GREEDY, queue_delay_seconds=0.002)
LONG_DELAY = replace(GREEDY, queue_delay_seconds=0.020)
POLICY = replace(GREEDY, queue_policy=True)
SLOW = replace(DELAYED, fixed_seconds=1.0)
TWO_INSTANCES = replace(GREEDY, instances=2)
NEVER, ALWAYS = 0.0, 1.0
THREADS_SECONDS = (
    0.0005  # Triton's threads wake late; nothing here takes longer than a few wake-ups
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    arrivals_ms: Sequence[float]
    batches: Sequence[int]  # in the order of their start
    service: Service
    race: float = NEVER  # share of hand-overs at which the batcher thread runs first
    preferred: int = 0


def served(
    service: Service, arrivals_ms: Sequence[float], *, race: float = NEVER, preferred: int = 0
) -> tuple[Batcher, Requests]:
    requests = new_requests(len(arrivals_ms))
    batcher = new_batchers(service, requests, preferred=preferred)
    batcher = batcher._replace(settings=batcher.settings._replace(race=race))
    for request, arrival in enumerate(arrivals_ms):
        offer(batcher, request, arrival / 1000)
    drain(batcher)
    return batcher, requests


def batches_of(requests: Requests) -> list[int]:
    """Sizes in order of start; batches take requests in the order of arrival."""
    sizes = []
    first = 0
    while first < requests.batch.size:
        sizes.append(int(requests.batch[first]))
        first += sizes[-1]
    return sizes


TEN_SOON = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

STORIES = {
    "greedy: an idle instance starts at once": Story(
        service=GREEDY, arrivals_ms=[0, 100], batches=[1, 1]
    ),
    "greedy: everything that waited goes next": Story(
        service=GREEDY, arrivals_ms=[0, 10, 20, 44], batches=[1, 3]
    ),
    "greedy: no more than the largest batch": Story(
        service=GREEDY, arrivals_ms=TEN_SOON, batches=[1, 8, 1]
    ),
    "greedy: each idle instance takes one": Story(
        service=TWO_INSTANCES, arrivals_ms=[0, 1, 2, 3], batches=[1, 1, 2]
    ),
    "delay: an idle server waits for company": Story(
        service=DELAYED, arrivals_ms=[0, 1.5, 4], batches=[2, 1]
    ),
    "delay: a full batch does not wait": Story(
        service=LONG_DELAY, arrivals_ms=[0, 1, 2, 3, 4, 5, 6, 7], batches=[8]
    ),
    "delay: who comes after the window misses the next batch": Story(
        service=DELAYED, arrivals_ms=[0, 10, 20, 30], batches=[1, 1, 2]
    ),
    "delay: the batcher wins the race and fills the batch": Story(
        service=DELAYED, arrivals_ms=[0, 10, 20, 30], batches=[1, 3], race=ALWAYS
    ),
    "delay: as many as fit wake the batcher": Story(
        service=DELAYED, arrivals_ms=[0, 10, 20, 21, 22, 23, 24, 25, 26, 27], batches=[1, 8, 1]
    ),
    "delay: one fewer does not": Story(
        service=DELAYED, arrivals_ms=[0, 10, 20, 21, 22, 23, 24, 25, 26], batches=[1, 1, 7]
    ),
    "delay: one more joins those left over from before": Story(
        service=DELAYED, arrivals_ms=[0, 10, 20, 30, 60, 70], batches=[1, 1, 3, 1]
    ),
    "delay: after that, as many as are missing to the largest batch wake the batcher": Story(
        service=DELAYED, arrivals_ms=[0, 10, 20, 30, *range(60, 67)], batches=[1, 1, 8, 1]
    ),
    "delay: and one fewer do not": Story(
        service=DELAYED, arrivals_ms=[0, 10, 20, 30, *range(60, 66)], batches=[1, 1, 3, 5]
    ),
    "delay: a frozen batch is merged with the one behind it": Story(
        service=DELAYED,
        arrivals_ms=[0, 10, 20, 21, 22, 23, 24, 25, 26, 27, 60, 70],
        batches=[1, 8, 2, 1],
    ),
    "delay: a frozen batch runs as it is when both do not fit": Story(
        service=DELAYED,
        arrivals_ms=[0, 10, *range(20, 28), *range(30, 38)],
        batches=[1, 8, 1, 8],
    ),
    "delay: long batches grow by the timer after all": Story(
        service=SLOW, arrivals_ms=[0, 10, 20, 30], batches=[1, 3]
    ),
    "preferred size: reached, the batch does not wait": Story(
        service=LONG_DELAY, arrivals_ms=[0, 1, 2, 3, 10], batches=[4, 1], preferred=4
    ),
    "preferred size: a batch of it is closed and does not grow": Story(
        service=LONG_DELAY,
        arrivals_ms=[0, 40, 41, 42, 43, 44, 45],
        batches=[1, 4, 2],
        preferred=4,
    ),
    "policy: nothing is closed ahead": Story(
        service=POLICY, arrivals_ms=[0, 10, 20, 30], batches=[1, 3]
    ),
    "policy: a lost wake-up waits for the next arrival": Story(
        service=POLICY, arrivals_ms=[0, 10, 100], batches=[1, 2], race=ALWAYS
    ),
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_batches_form_as_told(story: Story) -> None:
    _, requests = served(
        story.service, story.arrivals_ms, race=story.race, preferred=story.preferred
    )
    assert batches_of(requests) == list(story.batches)


QUEUED: dict[str, tuple[Service, Sequence[float], float, float]] = {
    "greedy: no time in an idle server": (GREEDY, [0], NEVER, 0.0),
    "greedy: until the running batch ends": (GREEDY, [0, 10], NEVER, 0.035),
    "delay: the whole window": (DELAYED, [0], NEVER, 0.002),
    "policy: until the next arrival": (POLICY, [0, 10, 100], ALWAYS, 0.0),
    "policy: without one, until the timer": (POLICY, [0, 10], ALWAYS, 0.035 + 0.5),
}


@pytest.mark.parametrize(("service", "arrivals", "race", "seconds"), QUEUED.values(), ids=QUEUED)
def test_the_last_request_waits(
    service: Service, arrivals: Sequence[float], race: float, seconds: float
) -> None:
    _, requests = served(service, arrivals, race=race)
    assert requests.queue[-1] == pytest.approx(seconds, abs=THREADS_SECONDS)
    assert requests.latency[-1] == pytest.approx(
        requests.queue[-1] + service.seconds(float(requests.batch[-1]))
    )


def test_latency_is_known_when_the_batch_has_ended() -> None:
    requests = new_requests(2)
    batcher = new_batchers(GREEDY, requests)
    offer(batcher, 0, 0.0)
    offer(batcher, 1, 0.010)
    assert (in_flight(batcher), counters(batcher).waiting) == (2, 1)
    advance(batcher, 0.0449)
    assert requests.latency[0] == inf
    assert counters(batcher).completed == 0
    advance(batcher, 0.0451)
    assert requests.latency[0] == pytest.approx(0.045)
    assert (in_flight(batcher), counters(batcher).waiting) == (1, 0)


MODES = {
    "greedy": GREEDY,
    "greedy, two instances": TWO_INSTANCES,
    "queue delay": DELAYED,
    "queue delay, two instances": replace(DELAYED, instances=2),
    "queue policy": POLICY,
    "queue policy and delay": replace(POLICY, queue_delay_seconds=0.002),
}


def poisson(rate: float, seconds: float, seed: int = 1) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return np.sort(draw.random(draw.poisson(rate * seconds)) * seconds)


@pytest.mark.parametrize("service", MODES.values(), ids=MODES)
def test_counters_are_sums_over_what_has_completed(service: Service) -> None:
    arrivals = poisson(0.8 * service.capacity, 30)
    requests = new_requests(arrivals.size)
    batcher = new_batchers(service, requests)
    for request, arrival in enumerate(arrivals):
        offer(batcher, request, float(arrival))
    done = np.isfinite(requests.latency)
    now = counters(batcher)
    assert 0 < now.completed < arrivals.size
    assert now.completed == done.sum()
    assert now.latency_seconds == pytest.approx(requests.latency[done].sum())
    assert now.queue_seconds == pytest.approx(requests.queue[done].sum())
    assert now.compute_seconds == pytest.approx(
        sum(service.seconds(float(b)) for b in requests.batch[done])
    )
    assert now.executions == pytest.approx((1 / requests.batch[done]).sum())
    assert in_flight(batcher) == arrivals.size - now.completed


@pytest.mark.parametrize("service", MODES.values(), ids=MODES)
def test_looking_often_changes_nothing(service: Service) -> None:
    arrivals = poisson(0.8 * service.capacity, 20)
    requests = new_requests(arrivals.size)
    batcher = new_batchers(service, requests, seed=3)
    looks = iter(np.arange(0, 21, 0.013))
    look = next(looks)
    for request, arrival in enumerate(arrivals):
        while look < arrival:
            advance(batcher, look)
            look = next(looks)
        offer(batcher, request, float(arrival))
    drain(batcher)
    once = replay(arrivals, service, seed=3)
    np.testing.assert_array_equal(requests.latency, once.latency_seconds)
    np.testing.assert_array_equal(requests.batch, once.batch)


@pytest.mark.parametrize("service", MODES.values(), ids=MODES)
def test_an_overload_is_worked_off_at_capacity(service: Service) -> None:
    seconds = 60.0
    arrivals = poisson(2 * service.capacity, seconds)
    ends = arrivals + replay(arrivals, service).latency_seconds
    # A lost wake-up is made up for by the next arrival.
    stalls = 0.03 if service.queue_policy else 0.005
    assert (ends < seconds).sum() / seconds == pytest.approx(service.capacity, rel=stalls)


@pytest.mark.parametrize("service", MODES.values(), ids=MODES)
def test_what_waited_too_long_is_dropped_when_a_batch_is_formed(service: Service) -> None:
    arrivals = poisson(3 * service.capacity, 30)
    requests = new_requests(arrivals.size)
    batcher = new_batchers(service, requests, max_age_seconds=2.0)
    for request, arrival in enumerate(arrivals):
        offer(batcher, request, float(arrival))
    drain(batcher)
    dropped = np.isinf(requests.latency)
    assert counters(batcher).dropped == dropped.sum() > 0
    assert counters(batcher).completed == (~dropped).sum()
    assert in_flight(batcher) == 0
    # A batch that has been closed may wait for two to run.
    assert requests.queue[~dropped].max() < 2.0 + 2 * service.seconds(service.max_batch) + 0.01
    assert (~dropped).sum() == pytest.approx(service.capacity * 30, rel=0.15)


def test_a_dead_replica_loses_what_it_has_and_starts_anew() -> None:
    requests = new_requests(4)
    batcher = new_batchers(DELAYED, requests)
    for request in range(3):
        offer(batcher, request, 0.02 * request)
    assert abandon(batcher) == 3
    assert in_flight(batcher) == 0
    offer(batcher, 3, 1.0)
    drain(batcher)
    assert np.isinf(requests.latency[:3]).all()
    assert requests.latency[3] == pytest.approx(0.047, abs=THREADS_SECONDS)
    assert counters(batcher).completed == 1


@pytest.mark.parametrize("service", MODES.values(), ids=MODES)
def test_replicas_side_by_side_do_not_touch_each_other(service: Service) -> None:
    arrivals = poisson(1.6 * service.capacity, 20)
    requests = new_requests(arrivals.size)
    fleet = new_batchers(service, requests, replicas=2, seed=5)
    for request, arrival in enumerate(arrivals):
        offer(replica(fleet, request % 2), request, float(arrival))
    drain(replica(fleet, 0))
    drain(replica(fleet, 1))
    alone = new_requests(arrivals[::2].size)
    first = new_batchers(service, alone, replicas=1, seed=5)
    for request, arrival in enumerate(arrivals[::2]):
        offer(first, request, float(arrival))
    drain(first)
    np.testing.assert_array_equal(requests.latency[::2], alone.latency)


def test_seeds_matter_where_threads_race_only() -> None:
    arrivals = poisson(70, 30)
    for service, differs in ((GREEDY, False), (DELAYED, True), (POLICY, True)):
        one, two = (replay(arrivals, service, seed=seed).latency_seconds for seed in (1, 2))
        assert (not np.array_equal(one, two)) == differs
        np.testing.assert_array_equal(one, replay(arrivals, service, seed=1).latency_seconds)


def test_arrivals_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="not in order"):
        replay(np.array([1.0, 0.5]), GREEDY)


def test_a_preferred_size_beyond_the_largest_batch_is_refused() -> None:
    with pytest.raises(ValueError, match="preferred"):
        replay(np.array([1.0]), DELAYED, preferred=9)


def test_no_requests_no_results() -> None:
    assert replay(np.empty(0), DELAYED).latency_seconds.size == 0
