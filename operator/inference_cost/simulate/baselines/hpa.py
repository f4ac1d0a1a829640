"""HorizontalPodAutoscaler v2 on a Pods metric: requests per second and pod, type AverageValue.

Source: kubernetes/kubernetes, pkg/controller/podautoscaler/{horizontal,replica_calculator}.go (1.35).
Every ready replica has a sample, the rate divided evenly; a starting one has none and is `missing`: it counts as at
the target while there is too much and as idle while there is too little.
"""

from math import isnan

from inference_cost.simulate.baselines import hpa_behavior
from inference_cost.simulate.baselines.hpa_behavior import (
    NO_METRIC,
    History,
    new_history,
    reconcile,
    scale_of,
    within,
)
from inference_cost.simulate.baselines.rounding import whole_up
from inference_cost.simulate.baselines.seen import Seen
from inference_cost.simulate.baselines.target_knobs import DEFAULT, GRID, Knobs, label
from inference_cost.simulate.compiled import compiled

__all__ = ["DEFAULT", "GRID", "INTERVAL_SECONDS", "Knobs", "State", "desired", "label", "new_state"]

INTERVAL_SECONDS = hpa_behavior.INTERVAL_SECONDS


State = History


def new_state(knobs: Knobs, at_replicas: int) -> State:
    return new_history(knobs.up, knobs.down, at_replicas)


@compiled
def desired(seen: Seen, knobs: Knobs, state: State) -> int:
    """Replica count of one sync; the present one without a sample."""
    proposed = proposal(seen, knobs.target * seen.load_per_replica, knobs.tolerance)
    return reconcile(scale_of(seen), proposed, knobs.up, knobs.down, state)


@compiled
def proposal(seen: Seen, target: float, tolerance: float) -> int:
    """Replicas that bring the mean sample to the target (requests/s); NO_METRIC without any sample."""
    if seen.ready <= 0 or isnan(seen.rate):
        return NO_METRIC
    ratio = seen.rate / seen.ready / target
    if seen.replicas <= seen.ready:
        return seen.replicas if within(ratio, tolerance) else whole_up(ratio * seen.ready)
    return _with_missing(seen, ratio, tolerance)


@compiled
def _with_missing(seen: Seen, ratio: float, tolerance: float) -> int:
    """Assume for the missing what moves least; never change direction because of them."""
    missing = seen.replicas - seen.ready
    load = ratio * seen.ready  # in targets
    recomputed = (load + missing if ratio < 1 else load) / seen.replicas
    reversed_ = (ratio < 1 < recomputed) or (ratio > 1 > recomputed)
    if ratio == 1 or reversed_ or within(recomputed, tolerance):
        return seen.replicas
    # The source also refuses a count that moves against the ratio; with all pods counted there is none.
    return whole_up(recomputed * seen.replicas)
