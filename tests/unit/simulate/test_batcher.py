"""The greedy batcher against a real Triton, against a second formulation, and by its properties."""

import csv
import gzip
import statistics
from math import inf
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_cost.simulate.batcher import BatchService, GreedyBatcher, greedy_latencies

RECORDINGS = Path(__file__).parents[2] / "fixtures" / "triton_batcher"
# Client, HTTP and Triton's frontend, not part of the batch time: 0.5 to 1.2 ms on the recording machine.
CLIENT_AND_HTTP_SECONDS = 0.001

REAL_RUNS = {
    "half load, fixed cost dominates": ("A0_50", 0.040659, 0.0050586, 8),
    "70 % load, fixed cost dominates": ("A0_70", 0.040709, 0.0050503, 8),
    "85 % load, fixed cost dominates": ("A0_85", 0.040758, 0.0050428, 8),
    "70 % load, cost per request dominates": ("B0_66", 0.010602, 0.0100764, 16),
}

SERVICE = BatchService(alpha_seconds=0.040, beta_seconds=0.005, max_batch_size=8)


def recording(name: str) -> tuple[list[float], list[float]]:
    with gzip.open(RECORDINGS / f"{name}.csv.gz", "rt", encoding="ascii") as lines:
        rows = sorted(
            (float(r["t_s"]), float(r["latency_ms"]) / 1000) for r in csv.DictReader(lines)
        )
    return [row[0] for row in rows], [row[1] for row in rows]


def percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


@pytest.mark.parametrize(("name", "alpha", "beta", "largest"), REAL_RUNS.values(), ids=REAL_RUNS)
def test_agrees_with_a_real_triton(name: str, alpha: float, beta: float, largest: int) -> None:
    arrivals, real = recording(name)
    service = BatchService(alpha_seconds=alpha, beta_seconds=beta, max_batch_size=largest)
    simulated = [x + CLIENT_AND_HTTP_SECONDS for x in greedy_latencies(arrivals, service)]
    assert statistics.fmean(simulated) == pytest.approx(statistics.fmean(real), rel=0.015)
    assert percentile(simulated, 50) == pytest.approx(percentile(real, 50), rel=0.015)
    assert percentile(simulated, 95) == pytest.approx(percentile(real, 95), rel=0.02)
    assert percentile(simulated, 99) == pytest.approx(percentile(real, 99), rel=0.02)


def second_formulation(arrivals: list[float], service: BatchService) -> list[float]:
    """Batch by batch instead of event by event."""
    latencies: list[float] = []
    free_at = 0.0
    while len(latencies) < len(arrivals):
        first = len(latencies)
        start = max(free_at, arrivals[first])
        batch = [t for t in arrivals[first : first + service.max_batch_size] if t <= start]
        # Requests of the very instant at which an idle instance takes one miss that batch.
        if start > free_at or first == 0:
            batch = batch[:1]
        free_at = start + service.seconds(len(batch))
        latencies += [free_at - t for t in batch]
    return latencies


arrivals_ascending = st.lists(
    st.floats(min_value=0.001, max_value=2, allow_nan=False), unique=True, max_size=60
).map(sorted)
services = st.builds(
    BatchService,
    alpha_seconds=st.floats(min_value=0.001, max_value=0.2),
    beta_seconds=st.floats(min_value=0.0, max_value=0.1),
    max_batch_size=st.integers(min_value=1, max_value=16),
)


@given(arrivals=arrivals_ascending, service=services)
def test_event_by_event_equals_batch_by_batch(arrivals: list[float], service: BatchService) -> None:
    assert greedy_latencies(arrivals, service) == pytest.approx(
        second_formulation(arrivals, service)
    )


@given(arrivals=arrivals_ascending, service=services)
def test_every_request_is_answered_in_order_and_never_faster_than_a_batch_of_one(
    arrivals: list[float], service: BatchService
) -> None:
    latencies = greedy_latencies(arrivals, service)
    done = [t + latency for t, latency in zip(arrivals, latencies, strict=True)]
    assert all(latency < inf for latency in latencies)
    assert done == pytest.approx(sorted(done))
    assert all(latency >= service.seconds(1) - 1e-12 for latency in latencies)


def test_what_arrives_while_the_instance_is_busy_forms_the_next_batch() -> None:
    latencies = greedy_latencies([0.0, 0.010, 0.020], SERVICE)
    assert latencies == pytest.approx([0.045, 0.045 - 0.010 + 0.050, 0.045 - 0.020 + 0.050])


def test_a_batch_is_never_larger_than_the_maximum() -> None:
    latencies = greedy_latencies([0.0] + [0.001] * 9, SERVICE)
    second, third = latencies[1:9], latencies[9]
    assert second == pytest.approx([0.045 - 0.001 + 0.080] * 8)
    assert third == pytest.approx(0.045 - 0.001 + 0.080 + 0.045)


def test_in_flight_counts_waiting_and_running_requests() -> None:
    batcher = GreedyBatcher(SERVICE, [inf] * 3)
    for request, at_seconds in enumerate([0.0, 0.01, 0.02]):
        batcher.offer(request, at_seconds)
    assert batcher.in_flight == 3
    batcher.advance(0.045)
    assert batcher.in_flight == 2
    batcher.drain()
    assert batcher.in_flight == 0


def test_capacity_is_that_of_full_batches() -> None:
    assert SERVICE.capacity_per_second == pytest.approx(100)


@pytest.mark.parametrize(
    ("alpha", "beta", "largest", "word"),
    [(-0.1, 0, 8, "alpha"), (0.1, -1, 8, "beta"), (0.1, 0.1, 0, "max_batch_size")],
)
def test_impossible_services_are_refused(
    alpha: float, beta: float, largest: int, word: str
) -> None:
    with pytest.raises(ValueError, match=word):
        BatchService(alpha_seconds=alpha, beta_seconds=beta, max_batch_size=largest)
