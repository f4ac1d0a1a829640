"""Stabilization and rate policies against the step tables of KEP-853 and the limits of the API's defaults."""

from collections.abc import Callable
from functools import partial

import pytest

from inference_cost.simulate.baselines.hpa_behavior import (
    DISABLED,
    DOWN_BY_DEFAULT,
    MAX,
    MIN,
    NO_METRIC,
    UP_BY_DEFAULT,
    Rules,
    Scale,
    external_proposal,
    new_history,
    reconcile,
)

ANY = 10_000
MINUTE = 60.0


def pods(value: int, period: float, *, window: float = 0.0, select: int = MAX) -> Rules:
    return Rules(window, value, period, 0.0, 0.0, select)


def percent(value: float, period: float, *, window: float = 0.0, select: int = MAX) -> Rules:
    return Rules(window, 0, 0.0, value, period, select)


def steps(
    proposals: list[int], every: float, *, start: int, up: Rules = UP_BY_DEFAULT,
    down: Rules = DOWN_BY_DEFAULT, lowest: int = 1, highest: int = ANY,
) -> list[int]:  # fmt: skip
    """Replicas after each sync."""
    history = new_history(up, down, start)
    replicas, written = start, []
    for sync, proposed in enumerate(proposals):
        scale = Scale(sync * every, replicas, lowest, highest)
        replicas = reconcile(scale, proposed, up, down, history)
        written.append(replicas)
    return written


NO_DOWN_WINDOW = DOWN_BY_DEFAULT._replace(window_seconds=0.0)

RATE_TABLES = {
    "KEP-853 story 1: 900 % a minute is ten times a minute": (
        partial(steps, proposals=[ANY] * 3, every=MINUTE, start=1, up=percent(900, MINUTE)),
        [10, 100, 1000],
    ),
    "KEP-853 story 1, synced every 15 s: once a minute all the same": (
        partial(steps, proposals=[ANY] * 9, every=15.0, start=1, up=percent(900, MINUTE)),
        [10, 10, 10, 10, 100, 100, 100, 100, 1000],
    ),
    "KEP-853 story 2: one pod less in ten minutes": (
        partial(
            steps,
            proposals=[1] * 21,
            every=MINUTE,
            start=1000,
            down=pods(1, 600.0, window=0.0),
        ),
        [999] * 10 + [998] * 10 + [997],
    ),
    "KEP-853 story 3: one pod more in five minutes": (
        partial(steps, proposals=[ANY] * 3, every=300.0, start=1, up=pods(1, 300.0)),
        [2, 3, 4],
    ),
    "KEP-853 story 4: scale-down disabled": (
        partial(
            steps, proposals=[1] * 4, every=300.0, start=7, down=percent(100, 15.0, select=DISABLED)
        ),
        [7, 7, 7, 7],
    ),
    "scale-up disabled": (
        partial(
            steps, proposals=[ANY] * 2, every=15.0, start=7, up=percent(100, 15.0, select=DISABLED)
        ),
        [7, 7],
    ),
    "four pods a minute": (
        partial(steps, proposals=[ANY] * 4, every=MINUTE, start=1, up=pods(4, MINUTE)),
        [5, 9, 13, 17],
    ),
    "by default the larger of four pods and 100 % every 15 s": (
        partial(steps, proposals=[ANY] * 5, every=15.0, start=1),
        [5, 10, 20, 40, 80],
    ),
    "selectPolicy Min takes the smaller change on the way up": (
        partial(
            steps,
            proposals=[ANY] * 3,
            every=MINUTE,
            start=8,
            up=Rules(0.0, 4, MINUTE, 100.0, MINUTE, MIN),
        ),
        [12, 16, 20],
    ),
    "selectPolicy Min takes the smaller change on the way down": (
        partial(
            steps,
            proposals=[1] * 3,
            every=MINUTE,
            start=80,
            down=Rules(0.0, 4, MINUTE, 10.0, MINUTE, MIN),
        ),
        [76, 72, 68],
    ),
    "Kubernetes docs: of 4 pods and 10 % the larger; 80 by tens of percent until 40, then 4 at a time": (
        partial(
            steps,
            proposals=[10] * 9,
            every=MINUTE,
            start=80,
            down=Rules(0.0, 4, MINUTE, 10.0, MINUTE, MAX),
        ),
        [72, 64, 57, 51, 45, 40, 36, 32, 28],
    ),
    "a percentage up is rounded up, else it would never move": (
        partial(steps, proposals=[ANY] * 2, every=MINUTE, start=1, up=percent(10, MINUTE)),
        [2, 3],
    ),
    "pods removed in the period can be added again": (
        partial(
            steps,
            proposals=[10, 6, 20],
            every=15.0,
            start=10,
            up=pods(4, MINUTE),
            down=NO_DOWN_WINDOW,
        ),
        [10, 6, 14],
    ),
    "by default down to the proposal in one sync, after the window": (
        partial(steps, proposals=[2], every=15.0, start=50, down=NO_DOWN_WINDOW),
        [2],
    ),
    "what the minimum added counts in the period, but takes nothing away": (
        partial(steps, [ANY] * 5, 15.0, start=1, lowest=9, up=pods(4, MINUTE)),
        [9, 9, 9, 9, 13],
    ),
    "the maximum stops the way up": (
        partial(steps, proposals=[ANY] * 2, every=15.0, start=5, highest=8),
        [8, 8],
    ),
    "the minimum stops the way down": (
        partial(steps, proposals=[1], every=15.0, start=5, lowest=3, down=NO_DOWN_WINDOW),
        [3],
    ),
}


@pytest.mark.parametrize(("replicas", "expected"), RATE_TABLES.values(), ids=RATE_TABLES)
def test_rate_policies(replicas: Callable[[], list[int]], expected: list[int]) -> None:
    assert replicas() == expected


STABILIZATION_TABLES = {
    "KEP-853 story 5: down to the largest of ten minutes, and the first sync counts": (
        partial(
            steps,
            proposals=[10, 9, 8, 9, 9, 8, 9, 8, 9, 8, 7],
            every=MINUTE,
            start=10,
            down=pods(5, MINUTE, window=600.0),
        ),
        [10] * 10 + [9],
    ),
    "KEP-853 story 6: up to the smallest of five minutes": (
        partial(
            steps,
            proposals=[2, 3, 19, 10, 3, 4, 7],
            every=MINUTE,
            start=2,
            up=pods(20, MINUTE, window=300.0),
        ),
        [2, 2, 2, 2, 2, 3, 3],
    ),
    "by default down after five minutes below, 20 syncs": (
        partial(steps, proposals=[3] * 22, every=15.0, start=10),
        [10] * 20 + [3, 3],
    ),
    "a short drop does not remove anything": (
        partial(steps, proposals=[3] * 19 + [10] + [3] * 20, every=15.0, start=10),
        [10] * 39 + [3],
    ),
    "by default up at once": (
        partial(steps, proposals=[12], every=15.0, start=10),
        [12],
    ),
    "an up window of 30 s needs the wish twice": (
        partial(
            steps,
            proposals=[12, 12, 12],
            every=15.0,
            start=10,
            up=UP_BY_DEFAULT._replace(window_seconds=30.0),
        ),
        [10, 10, 12],
    ),
}


@pytest.mark.parametrize(
    ("replicas", "expected"), STABILIZATION_TABLES.values(), ids=STABILIZATION_TABLES
)
def test_stabilization(replicas: Callable[[], list[int]], expected: list[int]) -> None:
    assert replicas() == expected


HOLDS = {
    "no metric: hold": (partial(steps, proposals=[NO_METRIC], every=15.0, start=5), [5]),
    "a look without metric leaves no recommendation behind": (
        partial(steps, proposals=[3] * 10 + [NO_METRIC] * 10 + [3] * 2, every=15.0, start=10),
        [10] * 20 + [3, 3],
    ),
    "at zero replicas scaling is disabled": (
        partial(steps, proposals=[9], every=15.0, start=0),
        [0],
    ),
    "above the maximum: to the maximum, whatever the metric": (
        partial(steps, proposals=[NO_METRIC], every=15.0, start=9, highest=6),
        [6],
    ),
    "below the minimum: to the minimum, whatever the metric": (
        partial(steps, proposals=[NO_METRIC], every=15.0, start=1, lowest=4),
        [4],
    ),
}


@pytest.mark.parametrize(("replicas", "expected"), HOLDS.values(), ids=HOLDS)
def test_what_does_not_depend_on_the_metric(
    replicas: Callable[[], list[int]], expected: list[int]
) -> None:
    assert replicas() == expected


EXTERNAL = {
    "the total over the target, rounded up": (70.1, 10.0, 4, 8),
    "a total that divides evenly, whatever floats make of it": (0.3, 0.1, 1, 3),
    "within the tolerance per replica, ready or not": (43.9, 10.0, 4, 4),
    "no data": (float("nan"), 10.0, 4, NO_METRIC),
    "a published count is not followed within 10 %: from 10 to 11": (11.0, 1.0, 10, 10),
    "a published count is followed beyond 10 %: from 9 to 10": (10.0, 1.0, 9, 10),
}


@pytest.mark.parametrize(
    ("total", "target", "replicas", "expected"), EXTERNAL.values(), ids=EXTERNAL
)
def test_external_average_value(total: float, target: float, replicas: int, expected: int) -> None:
    assert external_proposal(total, target, replicas, 0.1) == expected
