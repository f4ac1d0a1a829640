"""KEDA: the HPA's law for an external total, and its own steps between zero and one."""

from collections.abc import Callable
from math import nan

import pytest

from inference_cost.simulate.baselines import keda
from inference_cost.simulate.baselines.seen import Seen

# The target is 7 requests per second and replica.
FIRST_SYNC = {
    "the total over the target, rounded up": ({"replicas": 4, "rate": 50.0}, 8),
    "what is ready does not matter, unlike for a Pods metric": (
        {"replicas": 8, "ready": 2, "rate": 54.0},
        8,
    ),
    "within the tolerance of the total per replica: no change": ({"replicas": 8, "rate": 60.0}, 8),
    "more than twice and four more are cut by the default policies": (
        {"replicas": 2, "rate": 700.0},
        6,
    ),
    "no load keeps what the down window holds": ({"replicas": 5, "rate": 0.0}, 5),
    "a vanished series is no load, not an error: the down window holds": (
        {"replicas": 5, "rate": nan},
        5,
    ),
    "load at zero replicas wakes one": (
        {"replicas": 0, "ready": 0, "rate": 90.0, "min_replicas": 0},
        1,
    ),
    "load at zero replicas wakes the minimum": (
        {"replicas": 0, "ready": 0, "rate": 90.0, "min_replicas": 3},
        3,
    ),
    "never active before: to zero without waiting for the cooldown": (
        {"replicas": 5, "rate": 0.0, "min_replicas": 0},
        0,
    ),
}


@pytest.mark.parametrize(("said", "expected"), FIRST_SYNC.values(), ids=FIRST_SYNC)
def test_first_sync(look: Callable[..., Seen], said: dict, expected: int) -> None:
    state = keda.new_state(keda.DEFAULT, said["replicas"])
    assert keda.desired(look(**said), keda.DEFAULT, state) == expected


def written(look: Callable[..., Seen], rates: list[float], *, start: int, **said: int) -> list[int]:
    """Replicas after each sync, every 15 s; what is written is ready at once."""
    state = keda.new_state(keda.DEFAULT, start)
    replicas, counts = start, []
    for sync, rate in enumerate(rates):
        seen = look(at=sync * 15.0, replicas=replicas, rate=rate, **said)
        replicas = keda.desired(seen, keda.DEFAULT, state)
        counts.append(replicas)
    return counts


def test_sleeps_after_the_cooldown_at_a_poll(look: Callable[..., Seen]) -> None:
    """Last active at the poll at 0 s; the poll 300 s later, the 21st sync, puts to sleep."""
    counts = written(look, [5.0] + [0.0] * 21, start=1, min_replicas=0)
    assert counts == [1] * 20 + [0] * 2


def test_wakes_at_a_poll_only(look: Callable[..., Seen]) -> None:
    """Polls are every 30 s: load that comes 15 s after one waits for the next."""
    assert written(look, [0.0, 9.0, 9.0], start=0, min_replicas=0) == [0, 0, 1]


def test_a_vanished_series_scales_in_after_the_window(look: Callable[..., Seen]) -> None:
    assert written(look, [70.0] + [nan] * 21, start=10) == [10] * 20 + [1] * 2


def test_the_hpa_of_a_sleeping_service_has_a_minimum_of_one(look: Callable[..., Seen]) -> None:
    """No load for the down window, but for less than the cooldown: one replica is left."""
    rates = [70.0, 0.0] + [1e-9, 0.0] * 11
    assert written(look, rates, start=10, min_replicas=0)[-1] == 1


def test_knobs_are_those_of_the_hpa() -> None:
    assert len(keda.GRID) == 45
    assert keda.DEFAULT in keda.GRID
    assert keda.label(keda.DEFAULT) == "target 0.70, down 300 s"
