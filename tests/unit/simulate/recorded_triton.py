"""The recordings of a real Triton, with what its own counters say about them."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_cost.simulate.batching import Replay, replay
from inference_cost.simulate.service import Service

RECORDINGS = Path(__file__).parents[2] / "fixtures" / "triton_batcher"
# The answers of a batch leave the server, and are read by the client, one after the other: over the runs the time
# outside of queue and compute grows by this much per request in the batch.
OVERHEAD_PER_ANSWER_MS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    name: str
    service: Service
    preferred: int
    arrivals: NDArray[np.float64]  # seconds, ascending
    latency_ms: NDArray[np.float64]  # at the client
    # Means over the requests, by the server's counters.
    queue_ms: float
    compute_ms: float
    batch: float
    executions: int

    def simulate(self, seed: int = 0) -> Replay:
        return replay(self.arrivals, self.service, preferred=self.preferred, seed=seed)

    def at_the_client(self, replayed: Replay) -> NDArray[np.float64]:
        """Simulated latency in milliseconds, plus HTTP and client.

        That overhead is not simulated. It is what this run measured: mean latency at the client less mean queue and
        compute time at the server, 0.5 to 1.2 ms.
        """
        overhead_ms = self.latency_ms.mean() - self.queue_ms - self.compute_ms
        later_ms = OVERHEAD_PER_ANSWER_MS * (replayed.batch - self.batch)
        return np.asarray(replayed.latency_seconds * 1000 + overhead_ms + later_ms)


def recordings() -> Iterator[Recording]:
    with (RECORDINGS / "index.csv").open(encoding="ascii") as lines:
        yield from map(_recording, csv.DictReader(lines))


def _recording(row: dict[str, str]) -> Recording:
    arrivals, latency_ms = np.loadtxt(
        RECORDINGS / row["file"], delimiter=",", skiprows=1, unpack=True
    )
    stats = np.array([part.split(":") for part in row["batch_stats"].split()], dtype=float)
    size, executions, mean_ms = stats.T
    return Recording(
        name=row["file"].removesuffix(".csv.gz"),
        service=Service(
            fixed_seconds=float(row["fitted_a_ms"]) / 1000,
            per_item_seconds=float(row["fitted_c_ms"]) / 1000,
            max_batch=int(row["max_batch"]),
            instances=int(row["instances"]),
            queue_delay_seconds=float(row["queue_delay_us"]) / 1e6,
            queue_policy=bool(row["max_queue_size"]),
        ),
        preferred=int(row["preferred"] or 0),
        arrivals=arrivals,
        latency_ms=latency_ms,
        queue_ms=float(row["queue_ms_mean"]),
        compute_ms=float(np.average(mean_ms, weights=size * executions)),
        batch=float(np.average(size, weights=size * executions)),
        executions=int(executions.sum()),
    )
