"""The latency model against two million requests, one by one: greatest relative errors by way of batching.

    python -m benchmarks.latency_accuracy

Mean queue time and 99th percentile at 0.1 to 0.9 of capacity, and the largest load within 1.4 to 4 times the time of a
full batch; servers whose batches cost little or much per item, with batch sizes in and between those of the tables. An
error of the mean is taken of the whole latency, of which the queue is a part. More than nine minutes.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from inference_cost.decide.latency.loads import largest_load, queue_seconds, seconds_at
from inference_cost.decide.latency.tables import Batching, Replica
from inference_cost.model.policy import LatencyObjective
from inference_cost.simulate.batching import replay
from inference_cost.simulate.service import Service

REQUESTS: Final = 2_000_000
WARM_UP: Final = 0.02
FULL_BATCH_SECONDS: Final = 0.1
LOADS: Final = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9)
THRESHOLDS: Final = (1.4, 1.7, 2.0, 2.5, 3.0, 4.0)  # of a full batch
SIZES: Final = (4, 8, 12, 32)
SHARES: Final = (0.2, 0.5, 0.8)  # of a full batch's time, that its items take
P99: Final = 0.99
SEARCHED: Final = np.arange(0.30, 0.96, 0.03)
MODES: Final = {
    "greedy": (Batching.GREEDY, 0.0),
    "queue delay, 2 % of a full batch": (Batching.DELAYED, 0.02),
    "queue delay, 30 %": (Batching.DELAYED, 0.3),
    "queue policy": (Batching.STALLING, 0.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Relative; of the largest load, by threshold, positive where the model promises more than holds."""

    mean: float
    p99: float
    largest_load: tuple[tuple[float, float], ...]


def errors(mode: str, size: int, share: float) -> Errors:
    batching, delay = MODES[mode]
    replica = Replica(
        alpha_seconds=FULL_BATCH_SECONDS * (1 - share),
        beta_seconds=FULL_BATCH_SECONDS * share / size,
        max_batch_size=size,
        batching=batching,
        queue_delay_seconds=FULL_BATCH_SECONDS * delay,
    )
    service = Service(
        fixed_seconds=replica.alpha_seconds,
        per_item_seconds=replica.beta_seconds,
        max_batch=size,
        queue_delay_seconds=replica.queue_delay_seconds,
        queue_policy=batching is Batching.STALLING,
    )
    means, tails = zip(*(_at(replica, service, load) for load in LOADS), strict=True)
    return Errors(
        mean=max(means, key=abs),
        p99=max(tails, key=abs),
        largest_load=tuple(_largest(replica, service)),
    )


def _latencies(service: Service, load: float) -> tuple[np.ndarray, np.ndarray]:
    """(requests,) seconds from arrival to answer, and in the queue."""
    draw = np.random.default_rng(round(1000 * load))
    arrivals = np.cumsum(draw.exponential(1 / (load * service.capacity), REQUESTS))
    served = replay(arrivals, service, seed=1)
    steady = slice(int(WARM_UP * REQUESTS), None)
    return served.latency_seconds[steady], served.queue_seconds[steady]


def _at(replica: Replica, service: Service, load: float) -> tuple[float, float]:
    latency, queue = _latencies(service, load)
    [expected] = queue_seconds(replica, np.array([load]))
    mean = (expected - queue.mean()) / latency.mean()
    objective = LatencyObjective(threshold_seconds=1.0, target_fraction=P99)
    tail = seconds_at(replica, objective, load * replica.capacity)
    return float(mean), tail / float(np.quantile(latency, P99)) - 1


def _largest(replica: Replica, service: Service) -> Iterator[tuple[float, float]]:
    """Between loads, the 99th percentile is straight in -ln(1 - load)."""
    tails = [float(np.quantile(_latencies(service, load)[0], P99)) for load in SEARCHED]
    for threshold in THRESHOLDS:
        objective = LatencyObjective(
            threshold_seconds=threshold * FULL_BATCH_SECONDS, target_fraction=P99
        )
        known = np.interp(objective.threshold_seconds, tails, -np.log(1 - SEARCHED))
        held = 1 - np.exp(-known)
        if SEARCHED[0] < held < SEARCHED[-2]:
            found = largest_load(replica, objective).per_second / replica.capacity
            yield threshold, float(found / held - 1)


def line(mode: str, found: Sequence[Errors]) -> str:
    mean, tail = (max(abs(getattr(one, name)) for one in found) for name in ("mean", "p99"))
    loads = " | ".join(_range(threshold, found) for threshold in THRESHOLDS)
    return f"| {mode} | {100 * mean:.1f} % | {100 * tail:.1f} % | {loads} |"


def _range(threshold: float, found: Sequence[Errors]) -> str:
    errors = [one for each in found for at, one in each.largest_load if at == threshold]
    return f"{100 * min(errors):+.0f} to {100 * max(errors):+.0f} %" if errors else "–"


def main() -> None:
    cases = list(product(MODES, SIZES, SHARES))
    with ProcessPoolExecutor() as pool:
        found = list(pool.map(errors, *zip(*cases, strict=True)))
    heads = " | ".join(f"largest load, {threshold:g}" for threshold in THRESHOLDS)
    print(f"| batching | mean latency | 99th percentile | {heads} |")
    print("|---" * (3 + len(THRESHOLDS)) + "|")
    for mode in MODES:
        print(line(mode, [one for (m, *_), one in zip(cases, found, strict=True) if m == mode]))


if __name__ == "__main__":
    main()
