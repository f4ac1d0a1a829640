"""`autoscaling/v2` behavior, row by row; figures worked out by hand from the HPA's documented rules."""

import pytest

from inference_cost.decide.limits.behavior import in_force, limited, remember, stabilized
from inference_cost.model.policy import (
    Behavior,
    LimitType,
    ScalingLimit,
    ScalingRules,
    SelectPolicy,
)

AT = 10_000.0


def pods(value: int, period: int = 60) -> ScalingLimit:
    return ScalingLimit(type=LimitType.PODS, value=value, period_seconds=period)


def share(value: int, period: int = 60) -> ScalingLimit:
    return ScalingLimit(type=LimitType.PERCENT, value=value, period_seconds=period)


def out(*limits: ScalingLimit, select: SelectPolicy = SelectPolicy.MAX) -> Behavior:
    return Behavior(scale_out=ScalingRules(limits=limits, select=select))


def back(*limits: ScalingLimit, select: SelectPolicy = SelectPolicy.MAX) -> Behavior:
    return Behavior(scale_in=ScalingRules(limits=limits, select=select))


LIMITS = {
    "unset: no extra limit": (Behavior(), 2, 50, (), 50),
    "four pods per minute": (out(pods(4)), 2, 50, (), 6),
    "what was added in the period counts": (out(pods(4)), 5, 50, ((AT - 30, 3),), 6),
    "what was added before the period does not": (out(pods(4)), 5, 50, ((AT - 90, 3),), 9),
    "what was removed in the period counts too": (out(pods(4)), 5, 50, ((AT - 30, -2),), 11),
    "percent is of the start of the period, rounded up": (out(share(50)), 3, 50, (), 5),
    "the larger of two limits": (out(pods(4), share(100)), 10, 50, (), 20),
    "the smaller of two limits": (
        out(pods(4), share(100), select=SelectPolicy.MIN),
        10,
        50,
        (),
        14,
    ),
    "a used-up limit holds": (out(pods(2)), 9, 50, ((AT - 10, 7),), 9),
    "out is disabled": (out(pods(2), select=SelectPolicy.DISABLED), 9, 50, (), 9),
    "two pods in per minute": (back(pods(2)), 9, 1, (), 7),
    "percent in is rounded down": (back(share(50)), 5, 1, (), 2),
    "the larger step in": (back(pods(1), share(50)), 8, 1, (), 4),
    "the smaller step in": (back(pods(1), share(50), select=SelectPolicy.MIN), 8, 1, (), 7),
    "removed in the period counts": (back(pods(2)), 7, 1, ((AT - 10, -2),), 7),
    "in is disabled": (back(select=SelectPolicy.DISABLED), 9, 1, (), 9),
    "no change wanted": (back(pods(2)), 7, 7, (), 7),
}


@pytest.mark.parametrize("sentence", LIMITS)
def test_step_limits(sentence: str) -> None:
    rules, current, wanted, changes, expected = LIMITS[sentence]
    assert limited(rules, current, wanted, changes, AT) == expected


def windows(out_seconds: int, in_seconds: int) -> Behavior:
    return Behavior(
        scale_out=ScalingRules(stabilization_window_seconds=out_seconds),
        scale_in=ScalingRules(stabilization_window_seconds=in_seconds),
    )


STABILIZED = {
    "no windows": (windows(0, 0), 5, 2, ((AT - 10, 9),), 2),
    "in: the highest of the window": (windows(0, 300), 5, 2, ((AT - 100, 4), (AT - 5, 2)), 4),
    "in: never above what runs": (windows(0, 300), 5, 2, ((AT - 100, 9), (AT - 5, 2)), 5),
    "out: the lowest of the window": (windows(300, 0), 5, 9, ((AT - 100, 6), (AT - 5, 9)), 6),
    "older values do not count": (windows(0, 60), 5, 2, ((AT - 300, 4), (AT - 100, 2)), 2),
    "what held when the window began counts": (windows(0, 60), 5, 2, ((AT - 300, 4),), 4),
}


@pytest.mark.parametrize("sentence", STABILIZED)
def test_stabilization_windows(sentence: str) -> None:
    rules, current, wanted, series, expected = STABILIZED[sentence]
    assert stabilized(rules, current, wanted, series, AT) == expected


def test_a_series_keeps_only_changes_and_what_held_at_the_start() -> None:
    series: tuple[tuple[float, int], ...] = ()
    for i, value in enumerate((3, 3, 3, 5, 5, 2)):
        series = remember(series, 100.0 * i, value, 250.0, 10)
    assert series == ((0.0, 3), (300.0, 5), (500.0, 2))
    assert remember(series, 900.0, 2, 250.0, 10) == ((500.0, 2),)
    assert in_force(series, 400.0) == [5, 2]
