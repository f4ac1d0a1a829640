"""llm-d's Workload Variant Autoscaler, the saturation law (V1), of one variant.

Source: llm-d/llm-d-workload-variant-autoscaler v0.5.1 (2026-02-19), internal/saturation/analyzer.go.
One replica more when the spare capacity of the replicas that are not saturated is small, one less when it would
still be large without one of them, nothing while replicas start.

A law of one replica per minute, behind an HPA with a tolerance of a tenth (`wva_hpa.py`): from ten replicas on neither
one more nor one less is beyond it, and nothing moves.

Triton has no KV cache: its usage is mapped to the busy share of the instances, the engine's queue to Triton's
pending requests per replica. A dynamic batcher is busy 90 % of the time at a third of its capacity, so that the
thresholds are met early: what the law then costs is what a threshold on utilization costs for such a server.
"""

from math import isnan
from typing import NamedTuple

from inference_cost.simulate.baselines import hpa_behavior, wva_enforcer
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
QUEUE_THRESHOLD = 5.0  # queueLengthThreshold
QUEUE_SPARE_TRIGGER = 3.0  # queueSpareTrigger
MIN_REPLICAS_TO_SCALE_DOWN = 2  # of those that are not saturated


class Knobs(NamedTuple):
    """Busy share at which a replica is saturated, and the spare share below which one is added."""

    busy_threshold: float = 0.80  # kvCacheThreshold
    busy_spare_trigger: float = 0.10  # kvSpareTrigger
    up_window_seconds: float = 0.0  # stabilization of the HPA behind on the way up


DEFAULT = Knobs()
CHART = Knobs(up_window_seconds=CHART_WINDOW_SECONDS)
_THRESHOLD_PERCENTS = range(50, 105, 5)
_TRIGGERS = (0.10, 0.05, 0.02)
GRID = tuple(
    Knobs(busy_threshold=percent / 100, busy_spare_trigger=trigger)
    for trigger in _TRIGGERS
    for percent in _THRESHOLD_PERCENTS
)


CHART_GRID = tuple(knobs._replace(up_window_seconds=CHART_WINDOW_SECONDS) for knobs in GRID)


class State(NamedTuple):
    last_request: LastRequest
    published: Published


def label(knobs: Knobs) -> str:
    return f"busy {knobs.busy_threshold:.2f}, spare {knobs.busy_spare_trigger:.2f}"


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
    if isnan(seen.rate) or isnan(seen.busy) or isnan(seen.waiting):
        return seen.replicas
    wanted = saturation_law(seen, knobs, int(state.published.replicas[0]))
    return enforced(seen, wanted, state.last_request)


@compiled
def saturation_law(seen: Seen, knobs: Knobs, published: int) -> int:
    """One replica more, one less or none; nothing new until the last wish came true and all replicas report.

    All replicas look alike; saturated ones (usage or queue at the threshold) have nothing spare.
    """
    if published != seen.replicas:
        return published
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
