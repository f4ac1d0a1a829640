"""What the HorizontalPodAutoscaler makes of a proposed replica count: `spec.behavior`, compiled.

Source: kubernetes/kubernetes, pkg/controller/podautoscaler/horizontal.go and pkg/apis/autoscaling/v2/defaults.go
(1.35); kubernetes/enhancements KEP-853. Stabilization first, then the rate policies, then minimum and maximum.
An HPA whose manifest has no `behavior` at all takes an older path with a limit of max(2 × current, 4) on the way up;
these are the rules of an HPA that sets any of it, as those here must for their windows.
"""

from math import ceil, isnan, nan
from typing import NamedTuple

from inference_cost.simulate.baselines.rings import (
    Ring,
    largest_since,
    new_ring,
    push,
    smallest_since,
    total_since,
)
from inference_cost.simulate.baselines.rounding import whole_up
from inference_cost.simulate.baselines.seen import Seen
from inference_cost.simulate.compiled import compiled

INTERVAL_SECONDS = 15.0  # --horizontal-pod-autoscaler-sync-period
TOLERANCE = 0.1  # --horizontal-pod-autoscaler-tolerance
DOWN_WINDOW_SECONDS = 300.0  # --horizontal-pod-autoscaler-downscale-stabilization
NO_METRIC = -1  # instead of a proposal: the HPA holds

MAX, MIN, DISABLED = 0, 1, 2  # selectPolicy

_NO_LIMIT = 1 << 31


class Rules(NamedTuple):
    """`scaleUp` or `scaleDown`. A policy with a period of zero is not there."""

    window_seconds: float  # stabilizationWindowSeconds
    pods: int
    pods_period_seconds: float
    percent: float
    percent_period_seconds: float
    select: int  # MAX, MIN or DISABLED: by the size of the change


UP_BY_DEFAULT = Rules(0.0, 4, 15.0, 100.0, 15.0, MAX)
DOWN_BY_DEFAULT = Rules(DOWN_WINDOW_SECONDS, 0, 0.0, 100.0, 15.0, MAX)


class Scale(NamedTuple):
    """The target as a sync finds it."""

    at: float  # seconds
    replicas: int  # .spec.replicas
    min_replicas: int
    max_replicas: int


class History(NamedTuple):
    """Of one HPA: what it recommended, pods added, pods removed. A time of NaN is that of the first look."""

    recommended: Ring
    added: Ring
    removed: Ring


def new_history(up: Rules, down: Rules, at_replicas: int) -> History:
    """The controller seeds its recommendations with the count that it finds."""
    history = History(
        recommended=new_ring(max(up.window_seconds, down.window_seconds), INTERVAL_SECONDS),
        added=new_ring(_longest_period(up, down), INTERVAL_SECONDS),
        removed=new_ring(_longest_period(up, down), INTERVAL_SECONDS),
    )
    push(history.recommended, nan, at_replicas)
    return history


def _longest_period(up: Rules, down: Rules) -> float:
    """Events of both directions count in the periods of either."""
    return max(max(rules.pods_period_seconds, rules.percent_period_seconds) for rules in (up, down))


@compiled
def within(ratio: float, tolerance: float) -> bool:
    """KEP-4951's form; the older |1 - ratio| ≤ tolerance differs at the very edge only."""
    return 1.0 - tolerance <= ratio <= 1.0 + tolerance


@compiled
def external_proposal(total: float, target: float, replicas: int, tolerance: float) -> int:
    """External metric of type AverageValue: the total over target × replicas, ready or not."""
    if isnan(total):
        return NO_METRIC
    if replicas > 0 and within(total / (target * replicas), tolerance):
        return replicas
    return whole_up(total / target)


@compiled
def scale_of(seen: Seen) -> Scale:
    return Scale(seen.at, seen.replicas, seen.min_replicas, seen.max_replicas)


@compiled
def reconcile(scale: Scale, proposed: int, up: Rules, down: Rules, history: History) -> int:
    """Replica count that one sync writes, given what the metric proposes (NO_METRIC: hold)."""
    if isnan(history.recommended.at[0]):
        history.recommended.at[0] = scale.at
    current = scale.replicas
    if current == 0:
        return 0  # "scaling is disabled since the replica count of the target is zero"
    if current > scale.max_replicas:
        wanted = scale.max_replicas
    elif current < scale.min_replicas:
        wanted = scale.min_replicas
    elif proposed == NO_METRIC:
        return current
    else:
        stable = _stabilized(scale, proposed, up, down, history)
        wanted = _limited(scale, stable, up, down, history)
    _remember_event(scale.at, wanted - current, history)
    return wanted


@compiled
def _stabilized(scale: Scale, proposed: int, up: Rules, down: Rules, history: History) -> int:
    """Current, raised to the least of the up window or lowered to the largest of the down window."""
    least = smallest_since(history.recommended, scale.at - up.window_seconds, proposed)
    largest = largest_since(history.recommended, scale.at - down.window_seconds, proposed)
    push(history.recommended, scale.at, proposed)
    return min(max(scale.replicas, least), largest)


@compiled
def _limited(scale: Scale, wanted: int, up: Rules, down: Rules, history: History) -> int:
    current = scale.replicas
    if wanted > current:
        limit = max(up_limit(scale.at, current, up, history), current)
        return min(wanted, limit, scale.max_replicas)
    if wanted < current:
        limit = min(down_limit(scale.at, current, down, history), current)
        return max(wanted, limit, scale.min_replicas)
    return wanted


@compiled
def up_limit(at: float, current: int, rules: Rules, history: History) -> int:
    """Most replicas that the policies of `scaleUp` allow now."""
    if rules.select == DISABLED:
        return current
    chosen = _NO_LIMIT if rules.select == MIN else -_NO_LIMIT
    if rules.pods_period_seconds > 0:
        start = _period_start(at, current, rules.pods_period_seconds, history)
        chosen = _select(chosen, start + rules.pods, rules.select == MAX)
    if rules.percent_period_seconds > 0:
        start = _period_start(at, current, rules.percent_period_seconds, history)
        proposed = int(ceil(start * (1 + rules.percent / 100)))  # noqa: RUF046 - Numba's is a float
        chosen = _select(chosen, proposed, rules.select == MAX)
    return chosen


@compiled
def down_limit(at: float, current: int, rules: Rules, history: History) -> int:
    """Fewest replicas that the policies of `scaleDown` allow now."""
    if rules.select == DISABLED:
        return current
    chosen = -_NO_LIMIT if rules.select == MIN else _NO_LIMIT
    if rules.pods_period_seconds > 0:
        start = _period_start(at, current, rules.pods_period_seconds, history)
        chosen = _select(chosen, start - rules.pods, rules.select == MIN)
    if rules.percent_period_seconds > 0:
        start = _period_start(at, current, rules.percent_period_seconds, history)
        proposed = int(start * (1 - rules.percent / 100))
        chosen = _select(chosen, proposed, rules.select == MIN)
    return chosen


@compiled
def _select(one: int, other: int, larger: bool) -> int:
    return max(one, other) if larger else min(one, other)


@compiled
def _period_start(at: float, current: int, period_seconds: float, history: History) -> int:
    """Replicas at the start of a period, from the scale events since."""
    after = at - period_seconds
    added = total_since(history.added, after)
    removed = total_since(history.removed, after)
    return current - added + removed


@compiled
def _remember_event(at: float, change: int, history: History) -> None:
    if change > 0:
        push(history.added, at, change)
    elif change < 0:
        push(history.removed, at, -change)
