"""The HPA's formula by the examples of the Kubernetes docs, and its rules for pods without a sample."""

from collections.abc import Callable
from math import nan

import pytest

from inference_cost.simulate.baselines import hpa
from inference_cost.simulate.baselines.hpa_behavior import DOWN_BY_DEFAULT, NO_METRIC
from inference_cost.simulate.baselines.seen import Seen

# One request per second and pod is the target.
PROPOSALS = {
    "docs: 200m where 100m is wanted doubles the replicas": (3, 3, 6.0, 6),
    "docs: 50m where 100m is wanted halves the replicas": (4, 4, 2.0, 2),
    "docs: a ratio within 0.1 of one changes nothing": (10, 10, 10.9, 10),
    "a ratio of exactly 1.1 is within the tolerance": (10, 10, 11.0, 10),
    "a ratio of exactly 0.9 is within the tolerance": (10, 10, 9.0, 10),
    "a ratio beyond the tolerance is acted on": (10, 10, 11.1, 12),
    "replicas are rounded up on the way down, too": (10, 10, 8.1, 9),
    "no load: zero replicas, before the minimum": (4, 4, 0.0, 0),
    "missing pods are idle on the way up": (6, 3, 9.0, 9),
    "missing pods that would carry the load: no change": (6, 3, 6.0, 6),
    "missing pods that would turn the way up into a way down: no change": (9, 3, 6.0, 9),
    "missing pods that leave the ratio within the tolerance: no change": (4, 3, 4.3, 4),
    "missing pods are at the target on the way down": (6, 3, 1.0, 4),
    "missing pods soften the way down below the tolerance: no change": (20, 3, 1.5, 20),
    "a ratio of exactly one with missing pods: no change": (6, 3, 3.0, 6),
    "no pod with a sample: an error": (5, 0, 50.0, NO_METRIC),
    "no rate: an error": (5, 5, nan, NO_METRIC),
}


@pytest.mark.parametrize(
    ("replicas", "ready", "rate", "expected"), PROPOSALS.values(), ids=PROPOSALS
)
def test_proposal(
    look: Callable[..., Seen], replicas: int, ready: int, rate: float, expected: int
) -> None:
    seen = look(replicas=replicas, ready=ready, rate=rate)
    assert hpa.proposal(seen, 1.0, 0.1) == expected


def test_the_target_is_a_share_of_the_load_per_replica(look: Callable[..., Seen]) -> None:
    """35 requests/s at 0.70 of 10 per replica are five replicas."""
    state = hpa.new_state(hpa.DEFAULT, 4)
    assert hpa.desired(look(replicas=4, rate=35.0), hpa.DEFAULT, state) == 5


def test_an_error_holds_and_the_maximum_does_not_wait_for_a_metric(
    look: Callable[..., Seen],
) -> None:
    state = hpa.new_state(hpa.DEFAULT, 5)
    assert hpa.desired(look(replicas=5, ready=0, rate=99.0), hpa.DEFAULT, state) == 5
    assert hpa.desired(look(replicas=5, rate=nan, max_replicas=3), hpa.DEFAULT, state) == 3


def test_the_down_window_is_a_knob(look: Callable[..., Seen]) -> None:
    """Of 15 syncs at no load the first after 120 s removes."""
    knobs = hpa.DEFAULT._replace(down=DOWN_BY_DEFAULT._replace(window_seconds=120.0))
    state = hpa.new_state(knobs, 8)
    written = [
        hpa.desired(look(at=sync * 15.0, replicas=8, rate=14.0), knobs, state) for sync in range(10)
    ]
    assert written == [8] * 8 + [2] * 2


def test_grid_and_label() -> None:
    """Targets 0.30 to 1.00 in steps of 0.05 by three windows; the default is in it."""
    assert len(hpa.GRID) == len(set(hpa.GRID)) == 15 * 3
    assert hpa.DEFAULT in hpa.GRID
    assert {knobs.down.window_seconds for knobs in hpa.GRID} == {120.0, 300.0, 900.0}
    assert (min(hpa.GRID).target, max(hpa.GRID).target) == (0.30, 1.00)
    assert hpa.label(hpa.DEFAULT) == "target 0.70, down 300 s"
