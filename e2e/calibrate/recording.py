"""Recordings of a real Triton on disk, and the simulation of the same requests.

A folder holds `index.csv`, one row per run, and per run a `NAME.csv.gz` with `t_s` (when the request was sent, seconds)
and `latency_ms` (at the client). `tests/fixtures/triton_batcher/README.md` lists the columns of the index.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from inference_cost.simulate.batching import Replay, replay
from inference_cost.simulate.service import Service

INDEX = "index.csv"
SUFFIX = ".csv.gz"
# The answers of a batch leave the server, and are read by the client, one after the other: over the runs in the
# repository the time outside of queue and compute grows by this much per request in the batch.
OVERHEAD_PER_ANSWER_MS = 0.05
PERCENTILES = (50, 99)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStats:
    """Triton's `batch_stats`: for each size of batch, how many ran and their mean input + infer + output time."""

    size: NDArray[np.float64]
    executions: NDArray[np.float64]
    mean_ms: NDArray[np.float64]

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `size:executions:mean_ms`, separated by blanks."""
        size, executions, mean_ms = np.array(
            [part.split(":") for part in text.split()], dtype=float
        ).T
        return cls(size=size, executions=executions, mean_ms=mean_ms)

    def __str__(self) -> str:
        rows = zip(self.size, self.executions, self.mean_ms, strict=True)
        return " ".join(f"{size:.0f}:{count:.0f}:{mean:.3f}" for size, count, mean in rows)

    def per_request(self, values: NDArray[np.float64]) -> float:
        """Mean over requests of something known per size."""
        return float(np.average(values, weights=self.size * self.executions))

    def line(self) -> tuple[float, float]:
        """Fixed and per-request milliseconds, least squares over all batches.

        Raises:
            ValueError: batches of one size only.
        """
        if self.size.size < 2:
            raise ValueError("batches of one size only: raise or lower the rate")
        slope, fixed = np.polyfit(self.size, self.mean_ms, 1, w=np.sqrt(self.executions))
        return float(fixed), float(slope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One run."""

    name: str
    service: Service
    preferred: int
    arrivals: NDArray[np.float64]  # seconds, ascending
    latency_ms: NDArray[np.float64]  # at the client
    queue_ms: float  # mean over requests, by the server's counters
    batches: BatchStats

    def simulate(self, seed: int = 0) -> Replay:
        return replay(self.arrivals, self.service, preferred=self.preferred, seed=seed)

    @property
    def overhead_ms(self) -> float:
        """Mean time outside of queue and compute: HTTP and client, all three terms measured in this run."""
        compute_ms = self.batches.per_request(self.batches.mean_ms)
        return float(self.latency_ms.mean()) - self.queue_ms - compute_ms

    def at_the_client(self, replayed: Replay) -> NDArray[np.float64]:
        """Simulated latency in milliseconds with this run's overhead, which is not simulated."""
        mean_batch = self.batches.per_request(self.batches.size)
        later_ms = OVERHEAD_PER_ANSWER_MS * (replayed.batch - mean_batch)
        return np.asarray(replayed.latency_seconds * 1000 + self.overhead_ms + later_ms)


def figures(latency_ms: NDArray[np.float64]) -> tuple[float, float, float]:
    """Mean, p50 and p99."""
    p50, p99 = np.percentile(latency_ms, PERCENTILES)
    return float(latency_ms.mean()), float(p50), float(p99)


def read(folder: Path) -> Iterator[Recording]:
    with (folder / INDEX).open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            yield _recording(folder, row)


def _recording(folder: Path, row: Mapping[str, str]) -> Recording:
    arrivals, latency_ms = np.loadtxt(folder / row["file"], delimiter=",", skiprows=1, unpack=True)
    return Recording(
        name=row["file"].removesuffix(SUFFIX),
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
        batches=BatchStats.parse(row["batch_stats"]),
    )


def write(
    folder: Path,
    row: Mapping[str, str],
    *,
    sent: NDArray[np.float64],
    latency_ms: NDArray[np.float64],
) -> Recording:
    """Add a run to a folder, in the place of one of that name; `row` has the columns of the index."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = np.column_stack([sent, latency_ms])[np.argsort(sent, kind="stable")]
    path = folder / row["file"]
    np.savetxt(
        path, samples, fmt=("%.6f", "%.3f"), delimiter=",", header="t_s,latency_ms", comments=""
    )
    _put(folder / INDEX, row)
    return _recording(folder, row)


def _put(index: Path, row: Mapping[str, str]) -> None:
    """Append a row, in the place of one for the same file."""
    rows: list[Mapping[str, str]] = []
    if index.exists():
        with index.open(encoding="utf-8") as lines:
            rows = [other for other in csv.DictReader(lines) if other["file"] != row["file"]]
    with index.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, fieldnames=list(row), lineterminator="\n")
        writer.writeheader()
        writer.writerows([*rows, row])
