"""What acts on the numbers that WVA publishes: an HPA with target 1 (AverageValue).

Source: llm-d/llm-d-workload-variant-autoscaler v0.5.1 (2026-02-19), its chart: tolerance, at most 10 pods per 150 s,
windows of 240 s. The window on the way up makes WVA slow; the laws stand with it (chart) and without.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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
from inference_cost.simulate.baselines.seen import Seen
from inference_cost.simulate.compiled import compiled

CHART_WINDOW_SECONDS = 240.0
DOWN_RULES = Rules(CHART_WINDOW_SECONDS, 10, 150.0, 0.0, 0.0, MAX)


class Published(NamedTuple):
    """The law's last output and the seconds at which it came, each of length 1, and the memory of the HPA."""

    replicas: NDArray[np.int64]
    at: NDArray[np.float64]
    history: History


def new_published(up_window_seconds: float, at_replicas: int) -> Published:
    return Published(
        replicas=np.full(1, at_replicas, dtype=np.int64),
        at=np.full(1, -np.inf),
        history=new_history(up_rules(up_window_seconds), DOWN_RULES, at_replicas),
    )


@compiled
def up_rules(up_window_seconds: float) -> Rules:
    return Rules(up_window_seconds, 10, 150.0, 0.0, 0.0, MAX)


@compiled
def is_due(published: Published, at: float, interval_seconds: float) -> bool:
    return bool(at - published.at[0] >= interval_seconds)


@compiled
def publish(published: Published, at: float, replicas: int) -> None:
    published.at[0] = at
    published.replicas[0] = replicas


@compiled
def follow(seen: Seen, published: Published, up_window_seconds: float) -> int:
    """Replica count of one sync of the HPA."""
    proposed = external_proposal(float(published.replicas[0]), 1.0, seen.replicas, TOLERANCE)
    rules = up_rules(up_window_seconds)
    return reconcile(scale_of(seen), proposed, rules, DOWN_RULES, published.history)
