"""llm-d's Workload Variant Autoscaler, the token law (V2), of one variant.

Source: llm-d/llm-d-workload-variant-autoscaler v0.9.0-rc1 (2026-08-18),
internal/engines/analyzers/saturation_v2/analyzer.go, internal/engines/pipeline/cost_aware_optimizer.go.
Tokens are mapped to requests: a replica supplies the load at which it just meets the objective, starting ones
count as supply on the way up; demand is the request rate.

`law` is what WVA publishes. WVA writes nothing itself: an HPA with target 1 (AverageValue) follows the metric, and
`desired` is the two together, with the HPA of the project's chart (v0.5.1): tolerance, at most 10 pods per 150 s and
windows of 240 s. The chart's window on the way up makes WVA slow; `DEFAULT` is without it, `CHART` with it.
"""

from math import isnan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference_cost.simulate.baselines import hpa_behavior, wva_enforcer
from inference_cost.simulate.baselines.hpa_behavior import (
    MAX,
    TOLERANCE,
    History,
    Rules,
    external_proposal,
    new_history,
    reconcile,
    scale_of,
)
from inference_cost.simulate.baselines.rounding import whole_down, whole_up
from inference_cost.simulate.baselines.seen import Seen
from inference_cost.simulate.baselines.wva_enforcer import (
    LastRequest,
    enforced,
    new_last_request,
)
from inference_cost.simulate.compiled import compiled

INTERVAL_SECONDS = hpa_behavior.INTERVAL_SECONDS
LAW_INTERVAL_SECONDS = wva_enforcer.INTERVAL_SECONDS
SCALE_DOWN_GAP = 0.15  # 0.85 to scale up, 0.70 to scale down

CHART_WINDOW_SECONDS = 240.0
DOWN_RULES = Rules(CHART_WINDOW_SECONDS, 10, 150.0, 0.0, 0.0, MAX)


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
    """The last two are for the HPA behind: the law's last output and the seconds at which it came."""

    last_request: LastRequest
    history: History
    published: NDArray[np.int64]
    published_at: NDArray[np.float64]


def label(knobs: Knobs) -> str:
    return f"up {knobs.up:.2f}, down {knobs.up - SCALE_DOWN_GAP:.2f}"


@compiled
def up_rules(knobs: Knobs) -> Rules:
    return Rules(knobs.up_window_seconds, 10, 150.0, 0.0, 0.0, MAX)


def new_state(knobs: Knobs, at_replicas: int) -> State:
    return State(
        last_request=new_last_request(),
        history=new_history(up_rules(knobs), DOWN_RULES, at_replicas),
        published=np.full(1, at_replicas, dtype=np.int64),
        published_at=np.full(1, -np.inf),
    )


@compiled
def desired(seen: Seen, knobs: Knobs, state: State) -> int:
    """One sync of the HPA behind; WVA's own loop runs when it is due."""
    if seen.at - state.published_at[0] >= LAW_INTERVAL_SECONDS:
        state.published_at[0] = seen.at
        state.published[0] = law(seen, knobs, state)
    proposed = external_proposal(float(state.published[0]), 1.0, seen.replicas, TOLERANCE)
    return reconcile(scale_of(seen), proposed, up_rules(knobs), DOWN_RULES, state.history)


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
