"""The fluid model in single steps, against sums made by hand."""

from itertools import product
from math import isclose

import numpy as np
import pytest

from inference_cost.simulate.world.clock import advance
from inference_cost.simulate.world.new import new_world
from inference_cost.simulate.world.state import (
    BACKLOG,
    DROPPED,
    EXECUTIONS,
    LATE,
    PENDING,
    QUEUE_SECONDS,
    READY,
    REQUESTS,
    World,
)
from inference_cost.simulate.world.steps import Offered, at_load, serve_group
from tests.unit.simulate.worlds import CAPACITY, SERVICE, rates, scenario


@pytest.fixture(scope="module")
def world() -> World:
    return new_world(scenario(), replicas=1)


def even(rate: float) -> Offered:
    return Offered(rate, rate)


def test_below_capacity_the_steady_state_says_what_is_late(world: World) -> None:
    served = serve_group(world.conditions, world.curves, 2, even(100.0), 10.0, 0.0)
    share = 1 - at_load(world.curves.in_time, 0, 100.0 / (2 * CAPACITY))
    assert served.late == pytest.approx(1000.0 * share)
    assert (served.completed, served.backlog, served.dropped) == (1000.0, 0.0, 0.0)


def test_above_capacity_the_rest_waits_and_those_behind_too_much_are_late(world: World) -> None:
    """200/s on 100/s: after t seconds t seconds of work wait; from `wait_allowed` on all are late."""
    conditions, curves = world.conditions, world.curves
    served = serve_group(conditions, curves, 1, even(2 * CAPACITY), 10.0, 0.0)
    by_chance = 1 - curves.in_time[0, -1]
    in_time = conditions.wait_allowed * 2 * CAPACITY * (1 - by_chance)
    assert served.backlog == pytest.approx(1000.0)
    assert served.late == pytest.approx(2000.0 - in_time)


def test_a_backlog_is_worked_off_with_what_is_left_of_the_capacity(world: World) -> None:
    served = serve_group(world.conditions, world.curves, 1, even(60.0), 10.0, 300.0)
    assert served.backlog == 0.0
    assert served.completed == pytest.approx(900.0)
    # 40/s are left: 3 s less wait_allowed's share until the wait is short enough.
    conditions = world.conditions
    over = (3.0 - conditions.wait_allowed) / (1 - 0.6)
    draining = 300.0 / 40.0
    chance = 1 - world.curves.in_time[0, -1]
    steady = 1 - at_load(world.curves.in_time, 0, 0.6)
    late = 60.0 * (over + (draining - over) * chance + (10.0 - draining) * steady)
    assert served.late == pytest.approx(late)


def test_no_more_are_in_time_than_the_largest_goodput(world: World) -> None:
    """Of those that were counted, whatever the load would be without chance."""
    for load, usual in product(np.linspace(0.1, 3.0, 30), (0.2, 1.0, 2.0)):
        offered = Offered(load * CAPACITY, usual * CAPACITY)
        for backlog in (0.0, 10.0, 300.0):
            served = serve_group(world.conditions, world.curves, 1, offered, 10.0, backlog)
            assert load * CAPACITY * 10 - served.late <= world.conditions.goodput * 10 + 1e-9


def test_requests_that_wait_too_long_are_dropped(world: World) -> None:
    served = serve_group(world.conditions, world.curves, 1, even(2 * CAPACITY), 10.0, 6000.0)
    assert served.backlog == pytest.approx(30.0 * 2 * CAPACITY)
    assert served.dropped == pytest.approx(6000.0 + 1000.0 - served.backlog)


def test_without_a_replica_everything_is_late_and_the_oldest_is_dropped() -> None:
    world = new_world(scenario(rates(50.0)), replicas=1)
    world.replicas.serves[world.replicas.listed[0]] = 0
    world.replicas.ready_at[world.replicas.listed[0]] = np.inf
    world.counts[READY] = 0
    advance(world, 600.0)
    assert world.course[LATE].sum() == pytest.approx(30_000.0)
    assert world.numbers[BACKLOG] == pytest.approx(30.0 * 50.0)
    assert world.course[DROPPED].sum() == pytest.approx(30_000.0 - 1500.0)


def test_counters_follow_littles_law_and_the_mean_batch() -> None:
    world = new_world(scenario(rates(140.0)), replicas=2)
    advance(world, 600.0)
    slot = world.replicas.listed[0]
    counters, load = world.counters[slot], 70.0 / CAPACITY
    assert counters[REQUESTS] + counters[PENDING] == pytest.approx(70.0 * 600.0)
    batch = counters[REQUESTS] / counters[EXECUTIONS]
    assert batch == pytest.approx(at_load(world.curves.batch, 0, load))
    queue = counters[QUEUE_SECONDS] / counters[REQUESTS]
    assert isclose(counters[PENDING], 70.0 * queue, rel_tol=1e-9)


def test_in_overload_batches_are_full() -> None:
    world = new_world(scenario(rates(150.0)), replicas=1)
    advance(world, 600.0)
    counters = world.counters[world.replicas.listed[0]]
    assert counters[REQUESTS] == pytest.approx(600.0 * CAPACITY, rel=1e-3)
    assert counters[REQUESTS] / counters[EXECUTIONS] == pytest.approx(SERVICE.max_batch)


def test_a_queue_grows_by_no_more_than_comes() -> None:
    """From light load into overload and back: what arrived was answered, dropped or waits, at every moment."""
    world = new_world(scenario(rates(50.0, 99.0, 130.0, 60.0, seconds=120.0)), replicas=1)
    counters = world.counters[world.replicas.listed[0]]
    for seconds in range(10, 480, 10):
        advance(world, 10.0)
        arrived = world.arrivals.total[seconds // 10] - world.course[DROPPED].sum()
        assert counters[REQUESTS] + counters[PENDING] == pytest.approx(arrived)
