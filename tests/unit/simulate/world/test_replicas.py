"""Orders, starts, drains and what is paid, against sums made by hand."""

import numpy as np
import pytest

from inference_cost.simulate.world.clock import advance
from inference_cost.simulate.world.new import new_world
from inference_cost.simulate.world.replicas import order
from inference_cost.simulate.world.state import (
    BILLED_SECONDS,
    COUNTED_CHANGES,
    COUNTED_STARTS,
    LIVE,
    READY,
    READY_SECONDS,
    World,
)
from tests.unit.simulate.worlds import policy, rates, scenario


def until(world: World, at: float, *orders: tuple[float, int]) -> None:
    """Give each order at its time, and stop at `at`."""
    for time, desired in orders:
        advance(world, time)
        order(world, desired)
    advance(world, at)


BILLS = {
    "a replica that is never touched is paid from the first to the last second": ((), 1, 1200.0),
    "a started replica is paid from its order, not from ready": (((300.0, 2),), 1, 1200.0 + 900.0),
    "a drained replica is paid for 30 seconds more": (((600.0, 1),), 2, 1200.0 + 630.0),
    "a start that is called off is paid until then": (
        ((300.0, 2), (400.0, 1)),
        1,
        1200.0 + 100.0,
    ),
    "a drain at the end of the run is paid to its end": (((1190.0, 1),), 2, 2400.0),
}


@pytest.mark.parametrize(("orders", "first", "billed"), BILLS.values(), ids=BILLS.keys())
def test_bill(orders: tuple[tuple[float, int], ...], first: int, billed: float) -> None:
    world = new_world(scenario(), replicas=first)
    until(world, 1200.0, *orders)
    assert world.course[BILLED_SECONDS].sum() == pytest.approx(billed)


def test_a_short_life_is_billed_for_the_minimum_time() -> None:
    world = new_world(scenario(minimum_billing_seconds=600.0), replicas=1)
    until(world, 1200.0, (300.0, 2), (400.0, 1))
    assert world.course[BILLED_SECONDS].sum() == pytest.approx(1200.0 + 600.0)


def test_a_replica_serves_once_its_start_up_is_over() -> None:
    world = new_world(scenario(start_seconds=180.0), replicas=1)
    until(world, 479.0, (300.0, 3))
    assert (world.counts[LIVE], world.counts[READY]) == (3, 1)
    advance(world, 480.0)
    assert world.counts[READY] == 3
    advance(world, 1200.0)
    assert world.course[READY_SECONDS].sum() == pytest.approx(1200.0 + 2 * 720.0)


def test_starting_replicas_are_called_off_before_serving_ones_are_drained() -> None:
    world = new_world(scenario(), replicas=2)
    until(world, 310.0, (300.0, 4))
    order(world, 2)
    assert (world.counts[LIVE], world.counts[READY]) == (2, 2)


def test_orders_keep_to_the_policy_and_equal_ones_count_for_nothing() -> None:
    world = new_world(scenario(policy=policy(lowest=2, highest=5)), replicas=3)
    for desired, live in ((3, 3), (100, 5), (5, 5), (0, 2)):
        order(world, desired)
        assert world.counts[LIVE] == live
    assert (world.counts[COUNTED_CHANGES], world.counts[COUNTED_STARTS]) == (2, 2 + 3)


def test_nothing_counts_in_the_excluded_time() -> None:
    world = new_world(scenario(exclude_first_seconds=600.0), replicas=1)
    until(world, 1200.0, (300.0, 2), (700.0, 3))
    assert world.counts[COUNTED_CHANGES] == 1


def test_start_ups_are_drawn_from_the_file_and_alike_for_all_controllers() -> None:
    drawn = [new_world(scenario(start_samples=(5.0, 50.0, 500.0), seed=3)).starts for _ in range(2)]
    assert set(np.unique(drawn[0])) == {5.0, 50.0, 500.0}
    assert np.array_equal(*drawn)


def test_a_warm_replica_takes_over_quickly_and_is_replaced_slowly() -> None:
    world = new_world(scenario(warm_replicas=1, warm_start_seconds=20.0), replicas=1)
    until(world, 320.0, (300.0, 3))
    assert world.counts[READY] == 2, "one warm start; the second starts cold"
    until(world, 421.0, (400.0, 4))
    assert world.counts[READY] == 2, "the warm one is back only at 480 s"
    until(world, 521.0, (500.0, 5))
    assert world.counts[READY] == 2 + 1 + 1, "the cold one of 300 s and the warm one of 500 s"


def test_a_slot_that_is_used_again_has_no_counters_of_its_former_replica() -> None:
    world = new_world(scenario(rates(90.0, 90.0)), replicas=2)
    until(world, 300.0, (200.0, 1))
    order(world, 2)
    slot = world.replicas.listed[1]
    assert not world.counters[slot].any()
    assert world.replicas.first_scrape[slot] == -1
