"""Fewest replicas that serve what waits, and what comes, before a deadline."""

from dataclasses import replace
from math import ceil

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from inference_cost.decide.deadline.fluid import (
    AIM,
    Drain,
    Work,
    drain,
    finished_seconds,
    longest_wait_seconds,
    shorter_than_a_start,
)

# One ready replica of 10 requests/s; another serves 200 s after its order, one of the next look 15 s later.
IDLE = Work(
    held=0.0,
    longest=0.0,
    free=0.0,
    age_seconds=0.0,
    rate=0.0,
    per_second=10.0,
    ready=1,
    starting=(),
    order_seconds=200.0,
    next_order_seconds=215.0,
    within_seconds=600.0,
)


def work(**fields: object) -> Work:
    return replace(IDLE, **fields)  # type: ignore[arg-type]


TABLE = {
    "nothing waits and nothing comes": (work(), 0),
    "what one works off within the deadline needs one": (work(free=5400.0), 1),
    # 540 s of one and 340 s of each more are 5400 and 3400 requests.
    "one request more needs a second": (work(free=5410.0), 2),
    "the second is worth what is left of the deadline after its start": (work(free=8800.0), 2),
    "and then a third is needed": (work(free=8810.0), 3),
    # 440 s of one and 240 s of each more.
    "time that the oldest waited already is gone": (work(free=8800.0, age_seconds=100.0), 3),
    "replicas that start count from when they serve": (
        work(free=8800.0, starting=(50.0,)),
        2,
    ),
    "those that serve sooner save one": (work(free=9000.0, starting=(50.0,)), 2),
    "replicas that run share what the gateway holds back": (work(free=20_000.0, ready=4), 4),
    "a longer deadline needs fewer": (work(free=20_000.0, within_seconds=3600.0), 1),
    "what is held by the pods stays there, so more replicas do not help": (work(held=5300.0), 0),
    "new requests need replicas that have no long queue": (work(held=5300.0, rate=20.0), 2),
    "a load that one carries needs one": (work(rate=9.0), 1),
    "a load above what runs may wait at first": (work(rate=11.0, ready=1), 1),
    "until the deadline is near": (work(rate=20.0, held=5200.0), 2),
    "a long queue that grows may do so until the deadline is near": (
        work(rate=23.0, held=6000.0, longest=5000.0, ready=2),
        2,
    ),
    "then others must take so much from it that it falls": (
        work(rate=23.0, held=6000.0, longest=5100.0, ready=2),
        3,
    ),
    "one that falls needs no more, however long": (
        work(rate=17.0, held=6000.0, longest=5900.0, ready=2),
        2,
    ),
    "a deadline shorter than a start needs enough for what comes at once": (
        work(rate=35.0, ready=4, within_seconds=60.0),
        4,
    ),
    "as does one that can wait, where nothing else would do": (
        work(rate=35.0, ready=4, free=500_000.0, within_seconds=60.0),
        308,  # 4 for 360 s, and the others for 160 s
    ),
    "a replica that can do nothing is not multiplied": (work(free=10.0, per_second=0.0), 1),
}


@pytest.mark.parametrize(("given_work", "replicas"), TABLE.values(), ids=TABLE.keys())
def test_the_fewest_replicas(given_work: Work, replicas: int) -> None:
    assert drain(given_work).replicas == replicas


IN_TIME = {
    "where a start is in time": (work(free=50_000.0), True),
    "where what runs is": (work(free=300.0, age_seconds=500.0), True),
    "not where the oldest waited too long for a start": (
        work(free=3000.0, age_seconds=400.0),
        False,
    ),
    "not where a backlog meets a deadline shorter than a start": (
        work(free=5000.0, within_seconds=60.0),
        False,
    ),
    "where the pods hold too much: others serve what comes": (
        work(held=6000.0, rate=20.0),
        True,
    ),
}


@pytest.mark.parametrize(("given_work", "in_time"), IN_TIME.values(), ids=IN_TIME.keys())
def test_whether_an_order_is_in_time(given_work: Work, in_time: bool) -> None:
    assert drain(given_work).in_time is in_time


def test_too_late_is_served_as_though_it_came_when_an_order_serves() -> None:
    late = work(free=16_000.0, age_seconds=600.0, ready=2)
    # 720 s (0.9 of 200 + 600) from now: 7200 requests by each of two that run, and 5200 by each new one.
    assert drain(late) == Drain(replicas=3, in_time=False)


def test_too_late_gives_up_none_that_runs() -> None:
    late = work(free=3000.0, age_seconds=590.0, ready=4)
    assert drain(late) == Drain(replicas=4, in_time=False)


def test_when_all_that_waits_is_served() -> None:
    waiting = work(free=8000.0)
    assert finished_seconds(waiting, 1) == pytest.approx(800.0)
    assert finished_seconds(waiting, 2) == pytest.approx(500.0)  # 200 alone and 300 together
    assert finished_seconds(work(held=4000.0, free=100.0, ready=2), 2) == pytest.approx(205.0)


def test_the_longest_wait_is_the_longest_of_queue_gateway_and_what_comes() -> None:
    assert longest_wait_seconds(work(held=3000.0), 1) == pytest.approx(300.0)
    assert longest_wait_seconds(work(free=3000.0, age_seconds=50.0), 1) == pytest.approx(350.0)
    assert longest_wait_seconds(work(held=3000.0, longest=4000.0), 2) == pytest.approx(400.0)
    assert longest_wait_seconds(work(rate=20.0), 1) == pytest.approx(215.0)  # 4300 in 430 s


SLOW_MACHINES = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
WORKS = st.builds(
    Work,
    held=st.floats(0, 1e5),
    longest=st.one_of(st.just(0.0), st.floats(0, 1e4)),
    free=st.floats(0, 1e5),
    age_seconds=st.floats(0, 1000),
    rate=st.floats(0, 500),
    per_second=st.floats(0.1, 200),
    ready=st.integers(1, 30),
    starting=st.lists(st.floats(1, 200), max_size=4).map(lambda s: tuple(sorted(s))),
    order_seconds=st.floats(10, 600),
    next_order_seconds=st.just(0.0),
    within_seconds=st.floats(10, 7200),
).map(lambda w: replace(w, next_order_seconds=w.order_seconds + 15.0))


@SLOW_MACHINES
@given(WORKS, st.sampled_from(["held", "longest", "free", "rate"]), st.floats(0, 1e5))
def test_more_to_do_never_needs_fewer(some: Work, what: str, more: float) -> None:
    busier = replace(some, **{what: getattr(some, what) + more})
    assert drain(busier).replicas >= drain(some).replicas


@SLOW_MACHINES
@given(WORKS, st.floats(0, 7200))
def test_a_longer_deadline_never_needs_more(some: Work, more: float) -> None:
    """Where both are in time, or neither: what is too late is no longer hurried."""
    longer = replace(some, within_seconds=some.within_seconds + more)
    before, after = drain(some), drain(longer)
    assume(before.in_time is after.in_time)
    assert after.replicas <= before.replicas


@SLOW_MACHINES
@given(WORKS)
def test_what_is_in_time_keeps_the_deadline_and_one_fewer_would_not(some: Work) -> None:
    some = replace(some, longest=0.0)
    found = drain(some)
    assume(found.in_time and not shorter_than_a_start(some))
    queue = some.held / (some.ready * some.per_second)
    aim = AIM * some.within_seconds
    assert longest_wait_seconds(some, found.replicas) <= max(aim, queue) * (1 + 1e-9)
    if found.replicas > 0:
        free = replace(some, held=0.0) if queue > aim else some
        waits = longest_wait_seconds(free, found.replicas - 1)
        assert waits > aim * (1 - 1e-9) or queue > aim


@SLOW_MACHINES
@given(WORKS)
def test_too_late_still_carries_what_comes(some: Work) -> None:
    late = replace(some, free=some.free + 1.0, age_seconds=some.within_seconds)
    found = drain(late)
    assert not found.in_time
    assert found.replicas >= ceil(some.rate / some.per_second - 0.02)
    assert found.replicas >= some.running
