"""llm-d's Workload Variant Autoscaler, the saturation law (V1), of one variant.

Source: llm-d/llm-d-workload-variant-autoscaler v0.5.1 (2026-02-19), internal/saturation/analyzer.go.
One replica more when the spare capacity of the replicas that are not saturated is small, one less when it would
still be large without one of them, nothing while replicas start.

Triton has no KV cache: its usage is mapped to the busy share of the instances, the engine's queue to Triton's
pending requests per replica. A dynamic batcher is busy 90 % of the time at a third of its capacity, so that the
thresholds are met early: what the law then costs is what a threshold on utilization costs for such a server.
"""

from math import isnan
from typing import NamedTuple

from inference_cost.simulate.baselines import wva_enforcer
from inference_cost.simulate.baselines.seen import Seen
from inference_cost.simulate.baselines.wva_enforcer import (
    LastRequest,
    enforced,
    new_last_request,
)
from inference_cost.simulate.compiled import compiled

INTERVAL_SECONDS = wva_enforcer.INTERVAL_SECONDS
QUEUE_THRESHOLD = 5.0  # queueLengthThreshold
QUEUE_SPARE_TRIGGER = 3.0  # queueSpareTrigger
MIN_REPLICAS_TO_SCALE_DOWN = 2  # of those that are not saturated


class Knobs(NamedTuple):
    """Busy share at which a replica is saturated, and the spare share below which one is added."""

    busy_threshold: float = 0.80  # kvCacheThreshold
    busy_spare_trigger: float = 0.10  # kvSpareTrigger


DEFAULT = Knobs()
_THRESHOLD_PERCENTS = range(50, 105, 5)
_TRIGGERS = (0.10, 0.05, 0.02)
GRID = tuple(
    Knobs(busy_threshold=percent / 100, busy_spare_trigger=trigger)
    for trigger in _TRIGGERS
    for percent in _THRESHOLD_PERCENTS
)


class State(NamedTuple):
    last_request: LastRequest


def label(knobs: Knobs) -> str:
    return f"busy {knobs.busy_threshold:.2f}, spare {knobs.busy_spare_trigger:.2f}"


def new_state(_knobs: Knobs, _at_replicas: int) -> State:
    return State(new_last_request())


@compiled
def desired(seen: Seen, knobs: Knobs, state: State) -> int:
    """One replica more, one less or none; every `INTERVAL_SECONDS`. Without data the present count."""
    if isnan(seen.rate) or isnan(seen.busy) or isnan(seen.waiting):
        return seen.replicas
    return enforced(seen, saturation_law(seen, knobs), state.last_request)


@compiled
def saturation_law(seen: Seen, knobs: Knobs) -> int:
    """All replicas look alike; saturated ones (usage or queue at the threshold) have nothing spare."""
    if seen.ready <= 0 or seen.ready != seen.replicas:
        return seen.replicas
    queue = seen.waiting / seen.ready
    if _spare_is_small(seen.busy, queue, knobs):
        return seen.replicas + 1
    if seen.ready < MIN_REPLICAS_TO_SCALE_DOWN:
        return seen.replicas
    share = seen.ready / (seen.ready - 1)
    if _spare_is_small(seen.busy * share, queue * share, knobs):
        return seen.replicas
    return seen.replicas - 1


@compiled
def _spare_is_small(busy: float, queue: float, knobs: Knobs) -> bool:
    busy_spare = knobs.busy_threshold - busy
    queue_spare = QUEUE_THRESHOLD - queue
    return busy_spare < knobs.busy_spare_trigger or queue_spare < QUEUE_SPARE_TRIGGER
