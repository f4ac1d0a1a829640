"""llm-d's Workload Variant Autoscaler, the token law (V2), of one variant.

Source: llm-d/llm-d-workload-variant-autoscaler v0.9.0-rc1 (2026-08-18),
internal/engines/analyzers/saturation_v2/analyzer.go, internal/engines/pipeline/cost_aware_optimizer.go.
Tokens are mapped to requests: a replica supplies the load at which it just meets the objective, starting ones
count as supply on the way up; demand is the request rate.

`desired` writes what the law says. `desired_behind_hpa` is the chain of the project's chart (v0.5): the law
publishes a metric that an HPA with target 1 (AverageValue) follows, tolerance and windows of 240 s included.
"""

from math import isnan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference_cost.simulate.baselines import hpa_behavior
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
from inference_cost.simulate.compiled import compiled

# The chart's ConfigMap. The code of v0.5 has 30 s, the loader of v0.9 has 15 s (GLOBAL_OPT_INTERVAL).
INTERVAL_SECONDS = 60.0
BEHIND_HPA_INTERVAL_SECONDS = hpa_behavior.INTERVAL_SECONDS
SCALE_DOWN_GAP = 0.15  # 0.85 to scale up, 0.70 to scale down
RETENTION_SECONDS = 600.0  # without a request, before zero, where the minimum is zero

CHART_RULES = Rules(240.0, 10, 150.0, 0.0, 0.0, MAX)

_LAW, _REQUEST, _PUBLISHED = 0, 1, 2  # slots of State.last


class Knobs(NamedTuple):
    """Utilization above which to scale up; below `SCALE_DOWN_GAP` less it scales down."""

    up: float = 0.85


DEFAULT = Knobs()
_PERCENTS = range(50, 105, 5)
GRID = tuple(Knobs(up=percent / 100) for percent in _PERCENTS)


class State(NamedTuple):
    """`last`: seconds of the last law, of the last request seen; the replicas last published."""

    last: NDArray[np.float64]
    history: History


def label(knobs: Knobs) -> str:
    return f"up {knobs.up:.2f}, down {knobs.up - SCALE_DOWN_GAP:.2f}"


def new_state(_knobs: Knobs, at_replicas: int) -> State:
    state = State(np.full(3, -np.inf), new_history(CHART_RULES, CHART_RULES, at_replicas))
    state.last[_PUBLISHED] = at_replicas
    return state


@compiled
def desired(seen: Seen, knobs: Knobs, state: State) -> int:
    """What the law publishes, within the bounds; every `INTERVAL_SECONDS`."""
    return min(max(_law(seen, knobs, state), seen.min_replicas), seen.max_replicas)


@compiled
def desired_behind_hpa(seen: Seen, knobs: Knobs, state: State) -> int:
    """One sync of the HPA behind; the law is computed when it is due."""
    if seen.at - state.last[_LAW] >= INTERVAL_SECONDS:
        state.last[_LAW] = seen.at
        state.last[_PUBLISHED] = _law(seen, knobs, state)
    proposed = external_proposal(state.last[_PUBLISHED], 1.0, seen.replicas, TOLERANCE)
    return reconcile(scale_of(seen), proposed, CHART_RULES, CHART_RULES, state.history)


@compiled
def _law(seen: Seen, knobs: Knobs, state: State) -> int:
    """The optimizer's target, then the enforcer: one replica at least, none after a long silence."""
    if isnan(seen.rate):
        return seen.replicas
    if seen.rate > 0 or state.last[_REQUEST] < 0:
        state.last[_REQUEST] = seen.at
    if seen.min_replicas == 0 and seen.at - state.last[_REQUEST] >= RETENTION_SECONDS:
        return 0
    return token_law(seen, knobs.up)


@compiled
def token_law(seen: Seen, up: float) -> int:
    """Replicas from required or else spare capacity, in replicas of `load_per_replica`."""
    demand = seen.rate / seen.load_per_replica
    required = demand / up - max(seen.replicas, seen.ready)
    if required > 0:
        return seen.replicas + whole_up(required)
    spare = seen.ready - demand / (up - SCALE_DOWN_GAP)
    if spare > 0:
        return max(seen.replicas - whole_down(spare), min(seen.replicas, 1))
    return seen.replicas
