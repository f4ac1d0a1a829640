"""Knative's KPA by its documented modes: stable, panic, rate limits, delay and scale to zero."""

from collections.abc import Callable
from math import nan

import pytest

from inference_cost.simulate.baselines import kpa
from inference_cost.simulate.baselines.seen import Seen

TARGET_ONE = kpa.Knobs(target=1.0)  # one request in flight, or ten per second, and replica


def loads(stable: float, panic: float | None = None) -> dict:
    return {"in_flight": stable, "in_flight_6s": stable if panic is None else panic}


def ticks(
    look: Callable[..., Seen], said: list[dict], *, start: int, knobs: kpa.Knobs = TARGET_ONE
) -> list[int]:
    """Desired replicas at each tick, every 2 s, with `start` replicas ready all along."""
    state = kpa.new_state(knobs, start)
    return [
        kpa.desired(look(at=2.0 * tick, replicas=start)._replace(**values), knobs, state)
        for tick, values in enumerate(said)
    ]


ONE_TICK = {
    "demand over target, rounded up": (loads(2.1), 2, 3),
    "no change without data": (loads(nan), 4, 4),
    "never less than half of what is ready in one tick": (loads(1.0), 9, 4),
    "pods of the panic window below twice the ready ones are no panic": (loads(3.0, 5.0), 3, 3),
    "pods of the panic window at twice the ready ones are panic": (loads(3.0, 5.1), 3, 6),
    "pods are counted rounded up: of one replica a load of 1.1 is panic": (loads(1.0, 1.1), 1, 2),
    "in panic the larger of the two windows": (loads(5.0, 3.0), 1, 5),
    "at most a thousand times the ready ones": (loads(5000.0), 1, 1000),
}


@pytest.mark.parametrize(("values", "ready", "expected"), ONE_TICK.values(), ids=ONE_TICK)
def test_one_tick(look: Callable[..., Seen], values: dict, ready: int, expected: int) -> None:
    state = kpa.new_state(TARGET_ONE, 1)
    assert kpa.desired(look(replicas=ready, **values), TARGET_ONE, state) == expected


def test_target_is_70_percent_of_what_a_replica_carries(look: Callable[..., Seen]) -> None:
    """Knative docs: a container concurrency of 10 at 70 % is a target of 7."""
    seen = look(in_flight_per_replica=10.0, **loads(7.1))
    assert kpa.desired(seen, kpa.DEFAULT, kpa.new_state(kpa.DEFAULT, 1)) == 2
    seen = look(load_per_replica=200.0, rate=280.0, rate_6s=280.0)
    assert kpa.desired(seen, kpa.DEFAULT_BY_RATE, kpa.new_state(kpa.DEFAULT_BY_RATE, 1)) == 2


def test_a_tiny_target_is_a_hundredth(look: Callable[..., Seen]) -> None:
    seen = look(in_flight_per_replica=1e-6, **loads(0.05))
    assert kpa.desired(seen, TARGET_ONE, kpa.new_state(TARGET_ONE, 1)) == 5


def test_panic_never_decreases_and_ends_after_a_stable_window(look: Callable[..., Seen]) -> None:
    """Over the threshold until 2 s; the stable window of 60 s later is not yet over at 62 s."""
    said = [loads(1.0, 2.0), loads(1.0, 4.0)] + [loads(1.0)] * 32
    assert ticks(look, said, start=1) == [2] + [4] * 31 + [1] * 2


def test_staying_over_the_threshold_extends_the_panic(look: Callable[..., Seen]) -> None:
    said = [loads(1.0, 4.0)] + [loads(1.0, 2.0)] * 60 + [loads(1.0)] * 32
    assert ticks(look, said, start=1) == [4] * 91 + [1] * 2


def test_a_new_panic_does_not_remember_the_former_one(look: Callable[..., Seen]) -> None:
    said = [loads(1.0, 9.0)] + [loads(1.0)] * 31 + [loads(1.0, 2.0)]
    assert ticks(look, said, start=1)[-2:] == [1, 2]


def test_rates_are_of_ready_replicas(look: Callable[..., Seen]) -> None:
    """Five of eight are starting: a load of six is panic for three, and one replica may be left."""
    state = kpa.new_state(TARGET_ONE, 1)
    assert kpa.desired(look(replicas=8, ready=3, **loads(0.5)), TARGET_ONE, state) == 1
    assert kpa.desired(look(replicas=8, ready=3, **loads(0.5, 6.0)), TARGET_ONE, state) == 6


def test_after_panic_at_most_half_of_the_ready_ones_go(look: Callable[..., Seen]) -> None:
    """A decider that finds more than one ready replica starts in panic, for lack of a history."""
    assert ticks(look, [loads(1.0)] * 33, start=8) == [8] * 31 + [4] * 2


def test_scale_down_delay_keeps_the_largest_of_its_window(look: Callable[..., Seen]) -> None:
    knobs = kpa.Knobs(target=1.0, scale_down_delay_seconds=10.0)
    said = [loads(1.9, 1.0)] + [loads(1.0)] * 6
    assert ticks(look, said, start=1, knobs=knobs) == [2] * 5 + [1] * 2


def test_bounds_apply_last(look: Callable[..., Seen]) -> None:
    busy, idle = loads(50.0), loads(0.0)
    assert ticks(look, [busy | {"max_replicas": 7}], start=1) == [7]
    assert ticks(look, [idle | {"min_replicas": 3}], start=1) == [3]


def test_the_last_replica_goes_after_the_grace_period(look: Callable[..., Seen]) -> None:
    """Zero is wanted from 2 s on and written 30 s later; load in between starts it anew."""
    idle, busy = loads(0.0) | {"min_replicas": 0}, loads(0.5) | {"min_replicas": 0}
    assert ticks(look, [busy] + [idle] * 16, start=1) == [1] * 16 + [0]
    assert ticks(look, [idle] * 15 + [busy] + [idle] * 15, start=1) == [1] * 31


def test_load_at_zero_wakes_at_the_next_tick(look: Callable[..., Seen]) -> None:
    said = loads(0.1, 0.9) | {"min_replicas": 0}
    assert ticks(look, [said], start=0) == [1]


def test_grids() -> None:
    assert len(kpa.GRID) == len(set(kpa.GRID)) == len(kpa.GRID_BY_RATE) == 15 * 2
    assert kpa.DEFAULT in kpa.GRID
    assert kpa.DEFAULT_BY_RATE in kpa.GRID_BY_RATE
    assert kpa.label(kpa.DEFAULT) == "target 0.70, down delay 0 s"
