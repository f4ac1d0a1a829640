"""KEDA's Prometheus scaler on the total request rate, with the HorizontalPodAutoscaler that it creates.

Source: kedacore/keda 2.20, pkg/scalers/prometheus_scaler.go, pkg/scaling/executor/scale_scaledobjects.go,
controllers/keda/hpa.go (2026-08-20). From one replica on it is the HPA's law for an external metric of type
AverageValue. KEDA itself only wakes (0 → 1) and puts to sleep (→ 0), every 30 s. `ignoreNullValues` is true by
default: a series that vanished is read as no load.
"""

from math import isnan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference_cost.simulate.baselines import hpa_behavior
from inference_cost.simulate.baselines.hpa_behavior import (
    History,
    Scale,
    external_proposal,
    new_history,
    reconcile,
)
from inference_cost.simulate.baselines.seen import Seen
from inference_cost.simulate.baselines.target_knobs import DEFAULT, GRID, Knobs, label
from inference_cost.simulate.compiled import compiled

__all__ = [
    "DEFAULT",
    "GRID",
    "INTERVAL_SECONDS",
    "Knobs",
    "State",
    "desired",
    "label",
    "new_state",
    "poll",
    "sync",
]

INTERVAL_SECONDS = hpa_behavior.INTERVAL_SECONDS
POLLING_SECONDS = 30.0  # pollingInterval
COOLDOWN_SECONDS = 300.0  # cooldownPeriod, to zero only
ACTIVATION_THRESHOLD = 0.0

_POLLED, _ACTIVE = 0, 1  # slots of State.last


class State(NamedTuple):
    """`last`: seconds of the last poll and of the last poll that found load."""

    history: History
    last: NDArray[np.float64]


def new_state(knobs: Knobs, at_replicas: int) -> State:
    return State(new_history(knobs.up, knobs.down, at_replicas), np.full(2, -np.inf))


@compiled
def desired(seen: Seen, knobs: Knobs, state: State) -> int:
    """Replica count of one sync: KEDA's own step where it is due and has one, else the HPA's."""
    if seen.at - state.last[_POLLED] >= POLLING_SECONDS:
        activated = poll(seen, state)
        if activated != seen.replicas:
            return activated
    return sync(seen, knobs, state)


@compiled
def poll(seen: Seen, state: State) -> int:
    """KEDA's step: wake at once; sleep when nothing was seen for the cooldown."""
    state.last[_POLLED] = seen.at
    if _total(seen) > ACTIVATION_THRESHOLD:
        state.last[_ACTIVE] = seen.at
        return max(seen.min_replicas, 1) if seen.replicas == 0 else seen.replicas
    idle = seen.at - state.last[_ACTIVE] >= COOLDOWN_SECONDS
    return 0 if idle and seen.min_replicas == 0 else seen.replicas


@compiled
def sync(seen: Seen, knobs: Knobs, state: State) -> int:
    """The step of the HPA that KEDA creates; its minimum is one, zero is KEDA's own."""
    target = knobs.target * seen.load_per_replica
    proposed = external_proposal(_total(seen), target, seen.replicas, knobs.tolerance)
    scale = Scale(seen.at, seen.replicas, max(seen.min_replicas, 1), seen.max_replicas)
    return reconcile(scale, proposed, knobs.up, knobs.down, state.history)


@compiled
def _total(seen: Seen) -> float:
    """`ignoreNullValues`: an empty answer is zero."""
    return 0.0 if isnan(seen.rate) else seen.rate
