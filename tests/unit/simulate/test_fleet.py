"""A fleet behind a load balancer: routing, replicas that come and go, speed."""

import statistics
import time
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_cost.simulate.batcher import BatchService, greedy_latencies
from inference_cost.simulate.fleet import ReplicaLifetime, Routing, constant_fleet, replay

SERVICE = BatchService(alpha_seconds=0.040, beta_seconds=0.005, max_batch_size=8)


def poisson(rate: float, seconds: float, seed: int = 1) -> list[float]:
    draw = np.random.default_rng(seed)
    instants = draw.random(draw.poisson(rate * seconds)) * seconds
    return [float(t) for t in np.sort(instants)]


@pytest.mark.parametrize("routing", Routing)
def test_a_fleet_of_one_is_the_batcher(routing: Routing) -> None:
    arrivals = poisson(80, 60)
    fleet = replay(arrivals, service=SERVICE, replicas=constant_fleet(1), routing=routing)
    assert fleet == greedy_latencies(arrivals, SERVICE)


def p99(latencies: list[float]) -> float:
    return statistics.quantiles(latencies, n=100)[98]


def test_looking_at_the_load_beats_random_routing() -> None:
    arrivals = poisson(250, 120)

    def of(routing: Routing) -> float:
        return p99(replay(arrivals, service=SERVICE, replicas=constant_fleet(3), routing=routing))

    assert of(Routing.POWER_OF_TWO) < 0.9 * of(Routing.RANDOM)
    assert of(Routing.LEAST_REQUEST) < 1.02 * of(Routing.POWER_OF_TWO)


def test_random_routing_gives_each_replica_a_poisson_stream() -> None:
    # Thinning: three replicas at 150/s, routed at random, are as slow as one at 50/s.
    three = replay(
        poisson(150, 600), service=SERVICE, replicas=constant_fleet(3), routing=Routing.RANDOM
    )
    one = greedy_latencies(poisson(50, 600, seed=2), SERVICE)
    assert statistics.fmean(three) == pytest.approx(statistics.fmean(one), rel=0.02)
    assert p99(three) == pytest.approx(p99(one), rel=0.04)


def test_a_late_replica_gets_nothing_before_it_is_ready() -> None:
    arrivals = poisson(150, 60)
    late = (ReplicaLifetime(), ReplicaLifetime(ready_at_seconds=30))
    both = replay(arrivals, service=SERVICE, replicas=late)
    alone = greedy_latencies(arrivals, SERVICE)
    before = sum(1 for t in arrivals if t < 30)
    served_at_once = [i for i in range(before) if arrivals[i] + alone[i] < 30]
    assert [both[i] for i in served_at_once] == [alone[i] for i in served_at_once]
    assert both[-1] < 0.5 * alone[-1]


def test_a_draining_replica_finishes_what_it_has_and_gets_nothing_more() -> None:
    replicas = (ReplicaLifetime(draining_at_seconds=0.015),)
    assert replay([0.0, 0.01, 0.015], service=SERVICE, replicas=replicas) == pytest.approx(
        [0.045, 0.045 - 0.01 + 0.045, inf]
    )


def test_without_a_ready_replica_requests_fail() -> None:
    assert replay([1.0, 2.0], service=SERVICE, replicas=()) == [inf, inf]


def test_a_replacement_at_the_same_instant_leaves_no_gap() -> None:
    replicas = (
        ReplicaLifetime(draining_at_seconds=1.0),
        ReplicaLifetime(ready_at_seconds=1.0),
    )
    assert replay([1.0], service=SERVICE, replicas=replicas) == pytest.approx([0.045])


@given(
    seed=st.integers(min_value=0, max_value=99),
    routing=st.sampled_from(list(Routing)),
    lifetimes=st.lists(
        st.tuples(st.floats(min_value=0, max_value=1), st.floats(min_value=0, max_value=1)).map(
            lambda pair: ReplicaLifetime(ready_at_seconds=min(pair), draining_at_seconds=max(pair))
        ),
        max_size=4,
    ),
)
def test_a_request_fails_exactly_when_no_replica_is_ready(
    seed: int, routing: Routing, lifetimes: list[ReplicaLifetime]
) -> None:
    arrivals = poisson(40, 1, seed=seed)
    latencies = replay(arrivals, service=SERVICE, replicas=lifetimes, routing=routing, seed=seed)
    for t, latency in zip(arrivals, latencies, strict=True):
        ready = any(r.ready_at_seconds <= t < r.draining_at_seconds for r in lifetimes)
        assert (latency < inf) == ready


def test_the_seed_decides_the_routing() -> None:
    arrivals = poisson(200, 20)

    def of(seed: int) -> list[float]:
        return replay(arrivals, service=SERVICE, replicas=constant_fleet(3), seed=seed)

    assert of(1) == of(1)
    assert of(1) != of(2)


def test_arrivals_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="arrival 1"):
        replay([2.0, 1.0], service=SERVICE, replicas=constant_fleet(1))


def test_a_replica_cannot_drain_before_it_is_ready() -> None:
    with pytest.raises(ValueError, match="drain"):
        ReplicaLifetime(ready_at_seconds=2, draining_at_seconds=1)


def test_fifty_thousand_requests_replay_within_two_seconds() -> None:
    arrivals = poisson(420, 120)
    began = time.process_time()
    replay(arrivals, service=SERVICE, replicas=constant_fleet(6), routing=Routing.LEAST_REQUEST)
    assert len(arrivals) > 49_000
    assert time.process_time() - began < 2
