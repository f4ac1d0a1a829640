"""Tabulate what a load balancer is worth: `python -m inference_cost.simulate.routing_table_generate` (three minutes).

Fleets of greedy batchers are replayed with Poisson arrivals and the less loaded of two replicas drawn at random
(Envoy's LEAST_REQUEST). For each load the table holds the load of a randomly routed replica with the same
percentile, never below what was measured plus its sampling error. Needs NumPy; the operator only reads the table.
"""

import json
from itertools import pairwise, product
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference_cost.decide.latency import loads as latency
from inference_cost.decide.latency.loads import load_at
from inference_cost.decide.latency.tables import Batching, Replica
from inference_cost.model.policy import LatencyObjective
from inference_cost.simulate.batcher import BatchService
from inference_cost.simulate.fleet import Routing, constant_fleet, replay

REPLICAS: Final = (2, 3, 4, 6, 8, 16)
LOADS: Final = (0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
PER_ITEM_SHARES: Final = (0.0, 0.35, 0.65, 0.9, 1.0)
BATCH_SIZES: Final = (1, 4, 8, 16, 64)
QUANTILES: Final = (0.5, 0.9, 0.95, 0.99, 0.999)
REQUESTS: Final = 150_000
WARM_UP: Final = 0.05  # of the requests: the fleet starts empty
BLOCKS: Final = 10  # of time, from which the sampling error is taken
SAMPLING_ERRORS: Final = 2.0
RESOLUTION: Final = 1 / 250  # of the latency table, in full batches
TABLE: Final = Path(latency.__file__).with_name("routing_table.json")


def equivalent_loads(replicas: int, batch: int, share: float, load: float) -> list[float]:
    """By quantile: the load under random routing with the same latency, as shares of capacity."""
    service = BatchService(
        alpha_seconds=1.0 - share, beta_seconds=share / batch, max_batch_size=batch
    )
    measured = upper_quantiles(service, replicas, load)
    return [
        round(min(_under_random_routing(service, quantile, seconds), load) + 0.00049, 3)
        for quantile, seconds in zip(QUANTILES, measured, strict=True)
    ]


def upper_quantiles(service: BatchService, replicas: int, load: float) -> list[float]:
    """Measured quantiles of latency plus their sampling error, in seconds."""
    draw = np.random.default_rng((replicas, service.max_batch_size, round(1000 * load)))
    rate = load * service.capacity_per_second * replicas
    arrivals = np.cumsum(draw.exponential(1 / rate, REQUESTS)).tolist()
    fleet = constant_fleet(replicas)
    latencies = replay(arrivals, service=service, replicas=fleet, routing=Routing.POWER_OF_TWO)
    steady = np.array(latencies[int(WARM_UP * REQUESTS) :])
    return [_upper(steady, quantile) for quantile in QUANTILES]


def _upper(latencies: NDArray[np.float64], quantile: float) -> float:
    blocks = [np.quantile(block, quantile) for block in np.array_split(latencies, BLOCKS)]
    error = float(np.std(blocks, ddof=1)) / BLOCKS**0.5
    return float(np.quantile(latencies, quantile)) + SAMPLING_ERRORS * error


def _under_random_routing(service: BatchService, quantile: float, seconds: float) -> float:
    replica = Replica(
        alpha_seconds=service.alpha_seconds,
        beta_seconds=service.beta_seconds,
        max_batch_size=service.max_batch_size,
        batching=Batching.GREEDY,
    )
    objective = LatencyObjective(threshold_seconds=seconds, target_fraction=quantile)
    return load_at(replica, objective, seconds + RESOLUTION)


def table() -> dict[str, object]:
    """`cells[replicas][batch size][per-item share][load]` = equivalent load by quantile."""
    shape = (len(REPLICAS), len(BATCH_SIZES), len(PER_ITEM_SHARES), len(LOADS), len(QUANTILES))
    cells = np.zeros(shape)
    for n, b, s, i in product(*map(range, shape[:4])):
        alike = (
            BATCH_SIZES[b] == 1 and s > 0
        )  # the split of the time does not matter without batches
        cells[n, b, s, i] = (
            cells[n, b, 0, i]
            if alike
            else equivalent_loads(REPLICAS[n], BATCH_SIZES[b], PER_ITEM_SHARES[s], LOADS[i])
        )
    return {
        "replicas": REPLICAS,
        "batchSizes": BATCH_SIZES,
        "perItemShares": PER_ITEM_SHARES,
        "loads": LOADS,
        "quantiles": QUANTILES,
        "cells": _cautious(cells).tolist(),
    }


def _cautious(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """More replicas are never worth less and more load is never faster: sampling error is resolved upwards."""
    for fewer, more in reversed(list(pairwise(range(len(REPLICAS))))):
        cells[fewer] = np.maximum(cells[fewer], cells[more])
    rising: NDArray[np.float64] = np.maximum.accumulate(cells, axis=3)
    return rising


def main() -> None:
    """Write the table."""
    text = json.dumps(table(), separators=(",", ":")).replace("]]],", "]]],\n") + "\n"
    TABLE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
