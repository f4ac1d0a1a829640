"""Tabulate Triton's other ways of batching: `python -m inference_cost.simulate.batching_table_generate` (ten minutes).

A queue delay closes batches ahead, a queue policy loses wake-ups; neither has a closed form. One replica is replayed
with Poisson arrivals (`batching/`, held against recordings of a real Triton) for each delay, batch size, share of the
time per item and load. A full batch takes `FULL_BATCH_SECONDS`: Triton's timers hide part of the effect on slower
models, for which the table is then cautious. Needs NumPy and Numba; the operator only reads the table.
"""

import json
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference_cost.decide.latency import tables as latency_tables
from inference_cost.decide.latency.table_generate import LOADS, QUANTILES
from inference_cost.simulate.batching import replay
from inference_cost.simulate.service import Service

DELAYS: Final = (0.02, 0.1, 0.3, 1.0)  # in full batches
PER_ITEM_SHARES: Final = (0.0, 0.25, 0.5, 0.8, 1.0)
BATCH_SIZES: Final = (2, 4, 8, 16, 64)
FULL_BATCH_SECONDS: Final = 0.1
REQUESTS: Final = 200_000
WARM_UP: Final = 0.02  # of the requests: the replica starts empty
TABLE: Final = Path(latency_tables.__file__).with_name("batching_table.json")


def figures(batch: int, share: float, load: float, delay: float | None) -> list[float]:
    """Mean queue time, then the quantiles, in full batches. `delay`: None for a queue policy without one."""
    service = Service(
        fixed_seconds=FULL_BATCH_SECONDS * (1 - share),
        per_item_seconds=FULL_BATCH_SECONDS * share / batch,
        max_batch=batch,
        queue_delay_seconds=FULL_BATCH_SECONDS * (delay or 0.0),
        queue_policy=delay is None,
    )
    draw = np.random.default_rng((batch, round(100 * share), round(100 * load)))
    arrivals = np.cumsum(draw.exponential(1 / (load * service.capacity), REQUESTS))
    served = replay(arrivals, service)
    steady = slice(int(WARM_UP * REQUESTS), None)
    times = np.quantile(served.latency_seconds[steady], QUANTILES)
    mean = served.queue_seconds[steady].mean()
    return [round(float(seconds) / FULL_BATCH_SECONDS, 3) for seconds in (mean, *times)]


def cells(delay: float | None) -> list[list[list[list[float]]]]:
    """(batch sizes, shares, loads, figures)."""
    shape = (len(BATCH_SIZES), len(PER_ITEM_SHARES), len(LOADS))
    found: NDArray[np.float64] = np.zeros((*shape, 1 + len(QUANTILES)))
    for b, s, i in product(*map(range, shape)):
        found[b, s, i] = figures(BATCH_SIZES[b], PER_ITEM_SHARES[s], LOADS[i], delay)
    ordered: list[list[list[list[float]]]] = _ordered(found, delay).tolist()
    return ordered


def _ordered(found: NDArray[np.float64], delay: float | None) -> NDArray[np.float64]:
    """More load is never faster.

    With a queue policy it is: a lost wake-up lasts until the next request, or half a second. More replicas would only
    prolong that, so it does not count against a low load.
    """
    if delay is None:
        return np.flip(np.minimum.accumulate(np.flip(found, axis=2), axis=2), axis=2)
    rising: NDArray[np.float64] = np.maximum.accumulate(found, axis=2)
    return rising


def table() -> dict[str, object]:
    """`delayed[delay]` and `stalling`: cells[batch size][per-item share][load]."""
    return {
        "delays": DELAYS,
        "perItemShares": PER_ITEM_SHARES,
        "batchSizes": BATCH_SIZES,
        "delayed": [cells(delay) for delay in DELAYS],
        "stalling": cells(None),
    }


def main() -> None:
    """Write the table."""
    text = json.dumps(table(), separators=(",", ":")).replace("]]],", "]]],\n") + "\n"
    TABLE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
