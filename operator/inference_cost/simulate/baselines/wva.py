"""llm-d's Workload Variant Autoscaler, the token law (V2), of one variant.

Source: llm-d/llm-d-workload-variant-autoscaler v0.9.0-rc1 (2026-08-18),
internal/engines/analyzers/saturation_v2/analyzer.go, internal/engines/pipeline/cost_aware_optimizer.go.
Tokens are mapped to requests: a replica supplies the load at which it just meets the objective, starting ones
count as supply on the way up; demand is the request rate.

`law` is what WVA publishes. WVA writes nothing itself: `desired` is the law and the HPA that follows it (`wva_hpa.py`).
"""

from math import isnan
from typing import NamedTuple

from inference_cost.simulate.baselines import hpa_behavior, wva_enforcer
from inference_cost.simulate.baselines.rounding import whole_down, whole_up
from inference_cost.simulate.baselines.seen import Seen
from inference_cost.simulate.baselines.wva_enforcer import (
    LastRequest,
    enforced,
    new_last_request,
)
from inference_cost.simulate.baselines.wva_hpa import (
    CHART_WINDOW_SECONDS,
    Published,
    follow,
    is_due,
    new_published,
    publish,
)
from inference_cost.simulate.compiled import compiled

INTERVAL_SECONDS = hpa_behavior.INTERVAL_SECONDS
LAW_INTERVAL_SECONDS = wva_enforcer.INTERVAL_SECONDS
SCALE_DOWN_GAP = 0.15  # 0.85 to scale up, 0.70 to scale down


class Knobs(NamedTuple):
    """Utilization above which to scale up; below it less `SCALE_DOWN_GAP` it scales down.

    `up_window_seconds`: stabilization of the HPA behind on the way up.
    """

    up: float = 0.85
    up_window_seconds: float = 0.0


DEFAULT = Knobs()
CHART = Knobs(up_window_seconds=CHART_WINDOW_SECONDS)
_PERCENTS = range(50, 105, 5)
GRID = tuple(Knobs(up=percent / 100) for percent in _PERCENTS)
CHART_GRID = tuple(knobs._replace(up_window_seconds=CHART_WINDOW_SECONDS) for knobs in GRID)


class State(NamedTuple):
    last_request: LastRequest
    published: Published


def label(knobs: Knobs) -> str:
    return f"up {knobs.up:.2f}, down {knobs.up - SCALE_DOWN_GAP:.2f}"


def new_state(knobs: Knobs, at_replicas: int) -> State:
    return State(
        last_request=new_last_request(),
        published=new_published(knobs.up_window_seconds, at_replicas),
    )


@compiled
def desired(seen: Seen, knobs: Knobs, state: State) -> int:
    """One sync of the HPA behind; WVA's own loop runs when it is due."""
    if is_due(state.published, seen.at, LAW_INTERVAL_SECONDS):
        publish(state.published, seen.at, law(seen, knobs, state))
    return follow(seen, state.published, knobs.up_window_seconds)


@compiled
def law(seen: Seen, knobs: Knobs, state: State) -> int:
    """What WVA publishes every `LAW_INTERVAL_SECONDS`. Without data the present count."""
    if isnan(seen.rate):
        return seen.replicas
    return enforced(seen, token_law(seen, knobs.up), state.last_request)


@compiled
def token_law(seen: Seen, up: float) -> int:
    """Replicas from required or else spare capacity, both in units of `load_per_replica`."""
    demand = seen.rate / seen.load_per_replica
    required = demand / up - max(seen.replicas, seen.ready)
    if required > 0:
        return seen.replicas + whole_up(required)
    spare = seen.ready - demand / (up - SCALE_DOWN_GAP)
    if spare > 0:
        return seen.replicas - whole_down(spare)
    return seen.replicas
