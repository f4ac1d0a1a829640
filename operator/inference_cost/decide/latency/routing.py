"""What a load balancer that sends each request to the less loaded replica adds to what one replica carries.

`routing_table.json`, made by `simulate/routing_table_generate.py`, gives for each load behind such a balancer the
load under random routing at which the percentile is the same. Everything else stays with the latency table.
"""

import json
from collections.abc import Callable, Sequence
from importlib import resources
from math import log, log2
from typing import Final, assert_never

from inference_cost.decide.latency.loads import LARGEST_LOAD, largest_load
from inference_cost.decide.latency.tables import Batching, Replica, bracket, interpolate
from inference_cost.model.policy import (
    DrainObjective,
    LatencyObjective,
    Objective,
    QueueTimeObjective,
    Routing,
    ServiceObjective,
)
from inference_cost.model.reading import Missing
from inference_cost.model.signals import ModelConfiguration

_DATA: Final = json.loads(
    resources.files(__package__).joinpath("routing_table.json").read_text(encoding="utf-8")
)
_REPLICAS: Final[list[int]] = _DATA["replicas"]
_BATCHES: Final[list[float]] = [log2(size) for size in _DATA["batchSizes"]]
_SHARES: Final[list[float]] = _DATA["perItemShares"]
_TAILS: Final[list[float]] = [-log(1 - quantile) for quantile in _DATA["quantiles"]]
_CELLS: Final[list[list[list[list[list[float]]]]]] = _DATA["cells"]
_LOADS: Final[list[float]] = [0.0, *_DATA["loads"], 1.0]

_MODES: Final = {
    Batching.DELAYED: "the model has a queue delay",
    Batching.STALLING: "the model has a queue policy",
    Batching.UNKNOWN: "how Triton forms batches is not known",
}
NO_GAIN: Final = (1.0,)

Gains = tuple[float, ...]


def unmodeled(
    routing: Routing,
    configuration: ModelConfiguration | Missing,
    objective: Objective,
    batching: Batching,
) -> str:
    """Why the balancer is not counted on although the policy names it; "" where it is, or is not named."""
    if routing is Routing.EQUAL:
        return ""
    match objective:
        case LatencyObjective():
            pass
        case QueueTimeObjective():
            return "the objective is a queue time"
        case DrainObjective():
            return ""  # full batches are no fuller; `deadline/` counts on even queues
        case _ as unknown:
            assert_never(unknown)
    if isinstance(configuration, Missing):
        return "the model configuration could not be read"
    if configuration.instances > 1:
        return "each pod runs several instances"
    return _MODES.get(batching, "")


def gains(replica: Replica, objective: ServiceObjective) -> Gains:
    """Largest load of a replica among 1, 2, 3… over that under random routing; the last holds for all above."""
    found = largest_load(replica, objective)
    if not found.reachable or found.per_second <= 0:
        return NO_GAIN
    load = found.per_second / replica.capacity
    return tuple(
        max(min(interpolate(equivalent, _LOADS, load), LARGEST_LOAD) / load, 1.0)
        for equivalent in map(_equivalents(replica, objective), range(1, _REPLICAS[-1] + 1))
    )


def gain(gains: Gains, replicas: int) -> float:
    return gains[min(max(replicas, 1), len(gains)) - 1]


def under_random_routing(
    replica: Replica, objective: ServiceObjective, load: float, replicas: int
) -> float:
    """Inferences/s on one randomly routed replica with the percentile of `load` on each of `replicas`."""
    share = load / replica.capacity
    if share >= 1.0:
        return load
    equivalent = _equivalents(replica, objective)(replicas)
    return interpolate(_LOADS, equivalent, share) * replica.capacity


def _equivalents(replica: Replica, objective: ServiceObjective) -> Callable[[int], list[float]]:
    """For a number of replicas: equivalent loads at `_LOADS`."""
    curves = [_curve(cells, replica, objective) for cells in _CELLS]
    counts = [1.0, *map(float, _REPLICAS)]

    def among(replicas: int) -> list[float]:
        lower, weight = bracket(counts, float(replicas))
        fewer, more = [_LOADS, *curves][lower : lower + 2]
        return [(1 - weight) * a + weight * b for a, b in zip(fewer, more, strict=True)]

    return among


def _curve(
    cells: Sequence[Sequence[Sequence[Sequence[float]]]],
    replica: Replica,
    objective: ServiceObjective,
) -> list[float]:
    """Between the four nearest cells of one number of replicas."""
    per_item = replica.beta_seconds * replica.max_batch_size / replica.full_batch_seconds
    batch, batch_weight = bracket(_BATCHES, log2(replica.max_batch_size))
    share, share_weight = bracket(_SHARES, per_item)
    corners = (
        (cells[batch][share], (1 - batch_weight) * (1 - share_weight)),
        (cells[batch][share + 1], (1 - batch_weight) * share_weight),
        (cells[batch + 1][share], batch_weight * (1 - share_weight)),
        (cells[batch + 1][share + 1], batch_weight * share_weight),
    )
    tail = _tail(objective)
    blended = [
        sum(interpolate(_TAILS, quantiles[i], tail) * weight for quantiles, weight in corners)
        for i in range(len(_LOADS) - 2)
    ]
    return [0.0, *blended, 1.0]


def _tail(objective: ServiceObjective) -> float:
    assert isinstance(objective, LatencyObjective)  # noqa: S101 - `unmodeled` says so first
    return -log(max(1 - objective.target_fraction, 1e-9))
