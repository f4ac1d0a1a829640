"""One replica in steady state under Poisson arrivals, by load: the curves that the step model reads.

Measured by running the replica's batcher (`batching/`) on a million drawn arrivals per load, so that every batching
mode and any number of instances is treated alike. `load` is a share of capacity throughout.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference_cost.decide.latency.routing import under_random_routing
from inference_cost.decide.latency.tables import Batching, Replica
from inference_cost.model.policy import LatencyObjective
from inference_cost.simulate.batching import replay
from inference_cost.simulate.service import Service
from inference_cost.simulate.world.state import HIGHEST_LOAD, LOAD_STEP, Curves, Floats

_COARSE = (0.02, 0.05, *(0.05 * i for i in range(2, 13)), 0.64, 0.67, 0.7)
_FINE = (*(0.72 + 0.02 * i for i in range(10)), *(0.91 + 0.01 * i for i in range(8)), HIGHEST_LOAD)
LOADS: Final[Floats] = np.array([*_COARSE, *_FINE])
GRID: Final[Floats] = np.arange(round(HIGHEST_LOAD / LOAD_STEP) + 1, dtype=np.float64) * LOAD_STEP
REQUESTS: Final = 500_000  # at the highest loads; queues of neighboring requests are alike there
DIGITS: Final = 9  # of times in units of a full batch, so that stretched servers are one
WARM_UP: Final = 0.02  # of the requests, while the queue fills
REPLICAS_TABULATED: Final = 16  # of the gain of a load balancer


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SteadyState:
    """Curves over `LOADS`, and what follows from them. Rates in requests/s of one replica."""

    curves: Curves
    largest_load: float  # at which the objective's percentile is just met; 0 where even an idle replica is too slow
    largest_goodput: float  # most requests in time per second, at any load
    in_flight_at_largest_load: float


def steady_state(
    service: Service,
    threshold_seconds: float,
    target_fraction: float,
    seed: int,
    *,
    balanced: bool = False,
) -> SteadyState:
    """`balanced`: behind a least-request load balancer instead of random routing."""
    if service.queue_delay_seconds or service.queue_policy:
        return _measured(service, threshold_seconds, target_fraction, seed, balanced)
    unit = service.seconds(service.max_batch)  # a greedy batcher knows no other unit of time
    alike = replace(
        service,
        fixed_seconds=round(service.fixed_seconds / unit, DIGITS),
        per_item_seconds=round(service.per_item_seconds / unit, DIGITS),
        thread_slowness=1.0,
    )
    threshold = round(threshold_seconds / unit, DIGITS)
    return _slower(_measured(alike, threshold, target_fraction, seed, balanced), unit)


def _slower(found: SteadyState, unit: float) -> SteadyState:
    curves = found.curves
    return replace(
        found,
        curves=curves._replace(
            queue=curves.queue * unit, p90=curves.p90 * unit, compute=curves.compute * unit
        ),
        largest_load=found.largest_load / unit,
        largest_goodput=found.largest_goodput / unit,
    )


@lru_cache(maxsize=32)
def _measured(
    service: Service,
    threshold_seconds: float,
    target_fraction: float,
    seed: int,
    balanced: bool,  # by position, for the cache
) -> SteadyState:
    rows = [_measure(service, load, threshold_seconds, seed) for load in LOADS]
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    in_time, queue, p90, batch, compute = columns
    in_time = np.minimum.accumulate(in_time)  # sampling error must not make more load faster
    mapped = _equivalents(service, threshold_seconds, target_fraction, balanced=balanced)
    curves = Curves(
        in_time=_at(mapped, in_time),
        queue=_at(mapped, queue),
        p90=_at(mapped, p90),
        batch=_at(GRID[np.newaxis], batch),
        compute=_at(GRID[np.newaxis], compute),
    )
    largest = _largest_load(in_time, target_fraction) * service.capacity
    load = largest / service.capacity
    latency = float(np.interp(load, LOADS, queue) + np.interp(load, LOADS, compute))
    return SteadyState(
        curves=curves,
        largest_load=largest,
        largest_goodput=float((GRID * curves.in_time).max()) * service.capacity,
        in_flight_at_largest_load=largest * latency,
    )


def largest_load(
    service: Service, threshold_seconds: float, target_fraction: float, seed: int = 0
) -> float:
    """Requests/s of one replica at which `target_fraction` of them take no longer than `threshold_seconds`."""
    return steady_state(service, threshold_seconds, target_fraction, seed).largest_load


def _measure(
    service: Service, load: float, threshold_seconds: float, seed: int
) -> tuple[float, float, float, float, float]:
    """In time (share), queue seconds, 90th percentile, requests per execution, seconds of a request's batch."""
    draw = np.random.default_rng((seed, round(1000 * load)))
    count = int(REQUESTS * min(max(load, 0.2), 1.0))
    arrivals = np.cumsum(draw.exponential(1 / (load * service.capacity), count))
    served = replay(arrivals, service, seed=seed)
    steady = slice(int(WARM_UP * count), None)
    latency, queue = served.latency_seconds[steady], served.queue_seconds[steady]
    return (
        float((latency <= threshold_seconds).mean()),
        float(queue.mean()),
        float(np.quantile(latency, 0.9)),
        float(len(latency) / (1.0 / served.batch[steady]).sum()),
        float((latency - queue).mean()),
    )


def _largest_load(in_time: Floats, target_fraction: float) -> float:
    """Interpolated between loads; 0 where even the lowest misses the target."""
    within = np.flatnonzero(in_time >= target_fraction)
    if not len(within):
        return 0.0
    last = int(within[-1])
    if last + 1 == len(LOADS):
        return float(LOADS[-1])
    fall = in_time[last] - in_time[last + 1]
    weight = (in_time[last] - target_fraction) / fall if fall > 0 else 0.0
    return float(LOADS[last] + weight * (LOADS[last + 1] - LOADS[last]))


def _equivalents(
    service: Service, threshold_seconds: float, target_fraction: float, *, balanced: bool
) -> NDArray[np.float64]:
    """Loads under random routing with the latency of `GRID`, by number of replicas (decide/latency/routing.py)."""
    if not balanced:
        return GRID[np.newaxis]
    objective = LatencyObjective(
        threshold_seconds=threshold_seconds, target_fraction=target_fraction
    )
    replica = Replica(
        alpha_seconds=service.fixed_seconds,
        beta_seconds=service.per_item_seconds,
        max_batch_size=service.max_batch,
        batching=Batching.GREEDY,
    )
    loads = LOADS * replica.capacity
    rows = [
        [under_random_routing(replica, objective, float(load), count) for load in loads]
        for count in range(1, REPLICAS_TABULATED + 1)
    ]
    known = np.concatenate(([0.0], LOADS))
    return np.stack(
        [np.interp(GRID, known, [0.0, *row]) for row in np.array(rows) / replica.capacity]
    )


def _at(loads: NDArray[np.float64], curve: Floats) -> Floats:
    """The curve read at other loads, row by row."""
    return np.stack([np.interp(row, LOADS, curve) for row in loads])
