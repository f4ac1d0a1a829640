"""llm-d's SLO-aware law: a formula in KEDA on the 90th percentile of latency, and the HPA behind it.

Source: llm-d/llm-d, guides/workload-autoscaling/README.slo-aware.md (2026-09).
Saturation is the percentile over the objective, one latency instead of the guide's time to first token and per
output token; no value (an idle fleet) is 0, and it is capped so that a spike does not poison its mean over 45 s.
KEDA hands the formula's result to an HPA with target 1 (AverageValue), whose tolerance applies.
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

INTERVAL_SECONDS = hpa_behavior.INTERVAL_SECONDS  # of the recording rules, too
MAX_SATURATION = 2.0
SMOOTHED_SECONDS = 45.0
SCALE_DOWN_GAP = 0.15  # 0.55 to scale up, 0.40 to scale down

UP_RULES = Rules(30.0, 4, 60.0, 100.0, 60.0, MAX)
DOWN_RULES = Rules(180.0, 1, 120.0, 0.0, 0.0, MAX)

_SAMPLES = int(SMOOTHED_SECONDS / INTERVAL_SECONDS)


class Knobs(NamedTuple):
    """Saturation above which to scale up; below it less `SCALE_DOWN_GAP` it scales down."""

    up: float = 0.55


DEFAULT = Knobs()
_PERCENTS = range(30, 100, 5)
GRID = tuple(Knobs(up=percent / 100) for percent in _PERCENTS)


class State(NamedTuple):
    history: History
    saturation: NDArray[np.float64]  # the last samples, newest first; NaN: none yet


def label(knobs: Knobs) -> str:
    return f"up {knobs.up:.2f}, down {knobs.up - SCALE_DOWN_GAP:.2f}"


def new_state(_knobs: Knobs, at_replicas: int) -> State:
    return State(new_history(UP_RULES, DOWN_RULES, at_replicas), np.full(_SAMPLES, np.nan))


@compiled
def desired(seen: Seen, knobs: Knobs, state: State) -> int:
    """Replica count of one sync."""
    saturation = _smoothed(seen.latency_p90_seconds / seen.threshold_seconds, state.saturation)
    wanted = max(formula(saturation, seen.replicas, seen.ready, knobs.up), 0)
    proposed = external_proposal(float(wanted), 1.0, seen.replicas, TOLERANCE)
    return reconcile(scale_of(seen), proposed, UP_RULES, DOWN_RULES, state.history)


@compiled
def _smoothed(raw: float, samples: NDArray[np.float64]) -> float:
    """Mean of the samples of the last 45 s, this one included."""
    samples[1:] = samples[:-1].copy()
    samples[0] = 0.0 if isnan(raw) else min(raw, MAX_SATURATION)
    return float(np.nanmean(samples))


@compiled
def formula(saturation: float, replicas: int, ready: int, up: float) -> int:
    """Scale up with credit for the replicas that start, down without, not at all in between."""
    down = up - SCALE_DOWN_GAP
    if saturation > up:
        credit = ready / replicas if 0 < ready < replicas else 1.0
        return replicas + whole_up(replicas * (saturation * credit / up - 1))
    if saturation < down:
        return replicas - whole_down(replicas * (1 - saturation / down))
    return replicas
