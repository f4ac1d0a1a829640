"""WVA's saturation law with its default thresholds: usage 0.80 and 0.10 spare, queue 5 and 3 spare."""

from collections.abc import Callable
from math import nan

import pytest

from inference_cost.simulate.baselines import wva_saturation
from inference_cost.simulate.baselines.seen import Seen

LAW = {
    "spare usage below 0.10: one more": ({"replicas": 4, "busy": 0.71}, 5),
    "spare usage of exactly 0.10 is enough, but not for three": ({"replicas": 4, "busy": 0.70}, 4),
    "spare queue below 3 per replica: one more": ({"replicas": 4, "busy": 0.1, "waiting": 9.0}, 5),
    "spare queue of exactly 3 is enough, but not for three": (
        {"replicas": 4, "busy": 0.1, "waiting": 8.0},
        4,
    ),
    "every replica saturated: one more, however many are needed": (
        {"replicas": 4, "busy": 1.0, "waiting": 400.0},
        5,
    ),
    "one less where the load of two on one leaves 0.10 spare": ({"replicas": 2, "busy": 0.35}, 1),
    "no less where it would not": ({"replicas": 2, "busy": 0.36}, 2),
    "no less where the queue would not": ({"replicas": 2, "busy": 0.1, "waiting": 2.2}, 2),
    "the last replica stays": ({"replicas": 1, "busy": 0.0}, 1),
    "a replica that starts freezes the model, even when saturated": (
        {"replicas": 5, "ready": 4, "busy": 1.0},
        5,
    ),
    "no replica ready: hold": ({"replicas": 5, "ready": 0, "busy": 0.0}, 5),
    "without data: hold": ({"replicas": 5, "busy": nan}, 5),
    "the maximum": ({"replicas": 4, "busy": 0.9, "max_replicas": 4}, 4),
    "the minimum": ({"replicas": 4, "busy": 0.1, "min_replicas": 4}, 4),
}


@pytest.mark.parametrize(("said", "expected"), LAW.values(), ids=LAW)
def test_saturation_law(look: Callable[..., Seen], said: dict, expected: int) -> None:
    knobs = wva_saturation.DEFAULT
    state = wva_saturation.new_state(knobs, said["replicas"])
    assert wva_saturation.law(look(rate=1.0, **said), knobs, state) == expected


def test_nothing_new_until_the_last_wish_came_true(look: Callable[..., Seen]) -> None:
    state = wva_saturation.new_state(wva_saturation.DEFAULT, 5)
    idle = look(rate=1.0, replicas=4, busy=0.1)
    assert wva_saturation.law(idle, wva_saturation.DEFAULT, state) == 5


@pytest.mark.parametrize(("replicas", "after_ten_minutes"), [(8, 10), (10, 10), (20, 20)])
def test_the_hpa_behind_swallows_one_replica_of_ten_and_more(
    look: Callable[..., Seen], replicas: int, after_ten_minutes: int
) -> None:
    """Saturated throughout: it grows while one more is over a tenth, and then never again."""
    knobs = wva_saturation.DEFAULT
    state = wva_saturation.new_state(knobs, replicas)
    for at in range(0, 601, 15):
        seen = look(at=float(at), rate=1.0, replicas=replicas, busy=1.0)
        replicas = wva_saturation.desired(seen, knobs, state)
    assert replicas == after_ten_minutes


def test_grid_and_label() -> None:
    assert len(wva_saturation.GRID) == len(set(wva_saturation.GRID)) == 11 * 3
    assert wva_saturation.DEFAULT in wva_saturation.GRID
    assert wva_saturation.label(wva_saturation.DEFAULT) == "busy 0.80, spare 0.10"
