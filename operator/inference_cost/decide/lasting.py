"""Replicas wanted lately, for needs that no headroom rule says how long to keep.

One is removed once it was not wanted for as long as another takes to start (ski rental): whoever removes it sooner may
pay for the start, and whoever keeps it longer has paid for it already.
"""

from inference_cost.decide.limits import behavior
from inference_cost.decide.limits.behavior import Series
from inference_cost.decide.limits.stabilize import NEEDS_KEPT


def remember(series: Series, at: float, replicas: int, span: float) -> Series:
    return behavior.remember(series, at, replicas, span, NEEDS_KEPT)


def highest_since(series: Series, since: float) -> int:
    return max(behavior.in_force(series, since), default=0)
