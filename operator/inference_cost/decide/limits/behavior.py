"""The `behavior` block of `autoscaling/v2`, with the semantics of the HorizontalPodAutoscaler.

Recommendations and changes are (epoch seconds, value); a recommendation holds until the next one.
"""

from math import ceil, floor

from inference_cost.model.policy import (
    Behavior,
    LimitType,
    ScalingLimit,
    ScalingRules,
    SelectPolicy,
)

Series = tuple[tuple[float, int], ...]


def in_force(series: Series, since: float) -> list[int]:
    """Values that held at some time from `since` on."""
    values = [value for at, value in series if at >= since]
    before = [value for at, value in series if at < since]
    return [*before[-1:], *values]


def remember(series: Series, at: float, value: int, span: float, kept: int) -> Series:
    """Append a value where it differs from the last, and drop what no longer held `span` ago."""
    if not series or series[-1][1] != value:
        series = (*series, (at, value))
    first = max((i for i, (time, _) in enumerate(series) if time < at - span), default=0)
    return series[first:][-kept:]


def stabilized(
    behavior: Behavior, current: int, wanted: int, recommendations: Series, at: float
) -> int:
    """The lowest recent recommendation on the way out, the highest on the way in."""
    out = behavior.scale_out.stabilization_window_seconds
    back = behavior.scale_in.stabilization_window_seconds
    lowest = min([wanted, *(in_force(recommendations, at - out) if out else [])])
    highest = max([wanted, *(in_force(recommendations, at - back) if back else [])])
    return min(max(current, lowest), highest)


def limited(behavior: Behavior, current: int, wanted: int, changes: Series, at: float) -> int:
    """Keep the step limits of the direction."""
    if wanted > current:
        return min(wanted, _highest(behavior.scale_out, current, changes, at))
    if wanted < current:
        return max(wanted, _lowest(behavior.scale_in, current, changes, at))
    return wanted


def _highest(rules: ScalingRules, current: int, changes: Series, at: float) -> int:
    if rules.select is SelectPolicy.DISABLED:
        return current
    if not rules.limits:
        return 2**31 - 1
    allowed = [_up(limit, _at_start(limit, current, changes, at)) for limit in rules.limits]
    chosen = max(allowed) if rules.select is SelectPolicy.MAX else min(allowed)
    return max(chosen, current)


def _lowest(rules: ScalingRules, current: int, changes: Series, at: float) -> int:
    if rules.select is SelectPolicy.DISABLED:
        return current
    if not rules.limits:
        return 0
    allowed = [_down(limit, _at_start(limit, current, changes, at)) for limit in rules.limits]
    chosen = min(allowed) if rules.select is SelectPolicy.MAX else max(allowed)
    return min(chosen, current)


def _at_start(limit: ScalingLimit, current: int, changes: Series, at: float) -> int:
    """Replicas when the period began."""
    return current - sum(value for time, value in changes if time > at - limit.period_seconds)


def _up(limit: ScalingLimit, start: int) -> int:
    if limit.type is LimitType.PODS:
        return start + limit.value
    return ceil(start * (100 + limit.value) / 100)


def _down(limit: ScalingLimit, start: int) -> int:
    if limit.type is LimitType.PODS:
        return start - limit.value
    return floor(start * (100 - limit.value) / 100)
