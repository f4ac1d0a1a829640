"""The counting queue is the greedy batcher of `simulate`, and counts as Triton does."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2e.rig.fleet_exporter.batch_queue import (
    OVERHEAD_MICROSECONDS,
    BatchQueue,
    Observer,
    QueueLimits,
)
from inference_cost.simulate.batcher import BatchService, greedy_latencies

SERVICE = BatchService(alpha_seconds=0.040, beta_seconds=0.005, max_batch_size=8)
gaps = st.lists(st.floats(0.0001, 0.3), min_size=1, max_size=60)
cuts = st.lists(st.floats(0, 10), max_size=5)


def latencies_of(queue: BatchQueue) -> tuple[list[float], list[int]]:
    answered: list[float] = []
    refused: list[int] = []
    queue.observe_by(Observer(answered=answered.append, refused=refused.append))
    return answered, refused


@given(gaps=gaps, cuts=cuts)
def test_latencies_are_those_of_the_greedy_batcher(gaps: list[float], cuts: list[float]) -> None:
    arrivals = list(itertools.accumulate(gaps))
    queue = BatchQueue(SERVICE)
    answered, _ = latencies_of(queue)
    # In whatever portions time passes.
    instants = [*sorted(cuts), arrivals[-1] + 100]
    taken = 0
    for until in instants:
        now = [a for a in arrivals[taken:] if a <= until]
        queue.advance(now, until)
        taken += len(now)
    assert answered == pytest.approx(greedy_latencies(arrivals, SERVICE))


@given(gaps=gaps)
def test_durations_add_up_to_the_latencies(gaps: list[float]) -> None:
    arrivals = list(itertools.accumulate(gaps))
    queue = BatchQueue(SERVICE)
    answered, _ = latencies_of(queue)
    queue.advance(arrivals, arrivals[-1] + 100)
    counters = queue.counters
    compute = (
        counters.compute_input_microseconds
        + counters.compute_infer_microseconds
        + counters.compute_output_microseconds
    )
    overhead = OVERHEAD_MICROSECONDS * len(arrivals)
    assert counters.request_success == len(arrivals) == counters.inference_count
    assert counters.request_microseconds == counters.queue_microseconds + compute + overhead
    # Whole microseconds per request.
    expected = sum(answered) * 1e6
    assert expected - 2 * len(arrivals) <= counters.queue_microseconds + compute <= expected + 1


def test_a_batch_of_eight_adds_its_time_eight_times() -> None:
    queue = BatchQueue(SERVICE)
    queue.advance([1.0] * 9, 2.0)
    counters = queue.counters
    assert (counters.request_success, counters.exec_count) == (9, 2)
    total = counters.request_microseconds - counters.queue_microseconds - 9 * OVERHEAD_MICROSECONDS
    assert total == 45_000 + 8 * 80_000


def test_what_runs_is_neither_pending_nor_counted() -> None:
    queue = BatchQueue(SERVICE)
    queue.advance([1.0, 1.01, 1.02], 1.03)
    assert (queue.pending, queue.in_flight, queue.counters.request_success) == (2, 3, 0)
    queue.advance([], 1.046)
    assert (queue.pending, queue.in_flight, queue.counters.request_success) == (0, 2, 1)


def test_requests_over_the_queue_limit_are_counted_nowhere_but_refused() -> None:
    queue = BatchQueue(SERVICE, QueueLimits(max_queue_size=4))
    answered, refused = latencies_of(queue)
    queue.advance([1.0, *(1.001 + n / 1000 for n in range(10))], 5.0)
    assert queue.counters.request_success == len(answered) == 5
    assert sum(refused) == 6


def test_requests_of_batch_size_four_are_four_inferences_each() -> None:
    queue = BatchQueue(SERVICE, QueueLimits(inferences_per_request=4))
    queue.advance([1.0] * 5, 5.0)
    counters = queue.counters
    assert (counters.request_success, counters.inference_count) == (5, 20)
    assert counters.exec_count == 3  # one alone, then twice two


def test_busy_time_counts_the_running_batch_up_to_now() -> None:
    queue = BatchQueue(SERVICE)
    queue.advance([1.0], 1.02)
    assert queue.busy_seconds(1.02) == pytest.approx(0.02)
    queue.advance([], 2.0)
    assert queue.busy_seconds(2.0) == pytest.approx(0.045)


def test_warm_up_is_counted_and_leaves_an_idle_queue() -> None:
    queue = BatchQueue(SERVICE)
    queue.warm_up(3)
    assert (queue.counters.request_success, queue.counters.exec_count) == (3, 3)
    assert (queue.in_flight, queue.busy_seconds(5.0)) == (0, 0.0)
