"""What holds for any arrivals and any way of batching."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inference_cost.simulate.batching import replay
from inference_cost.simulate.service import Service

# Gaps around the times that matter: thread wake-ups, windows, batches, timers.
GAPS = st.sampled_from([0.0, 1e-5, 1e-4, 0.001, 0.002, 0.01, 0.03, 0.08, 0.3, 1.0])
ARRIVALS = st.lists(GAPS, max_size=120).map(lambda gaps: np.cumsum(np.array(gaps, dtype=float)))
GREEDY = st.builds(
    Service,
    fixed_seconds=st.sampled_from([0.0, 0.01, 0.04, 0.7]),
    per_item_seconds=st.sampled_from([0.001, 0.005, 0.02]),
    max_batch=st.integers(1, 9),
    instances=st.integers(1, 3),
)
SERVICES = st.builds(
    Service,
    fixed_seconds=st.sampled_from([0.0, 0.01, 0.04, 0.7]),
    per_item_seconds=st.sampled_from([0.001, 0.005, 0.02]),
    max_batch=st.integers(1, 9),
    instances=st.integers(1, 3),
    queue_delay_seconds=st.sampled_from([0.0, 1e-6, 0.0005, 0.002, 0.05]),
    queue_policy=st.booleans(),
)


@given(arrivals=ARRIVALS, service=SERVICES, seed=st.integers(0, 3), share=st.floats(0, 1))
@settings(max_examples=300, deadline=None)
def test_every_request_is_served_once_in_a_batch_that_fits(
    arrivals: NDArray[np.float64], service: Service, seed: int, share: float
) -> None:
    preferred = round(share * service.max_batch)
    served = replay(arrivals, service, preferred=preferred, seed=seed)
    assert np.isfinite(served.latency_seconds).all()
    assert (served.queue_seconds >= 0).all()
    assert ((served.batch >= 1) & (served.batch <= service.max_batch)).all()
    times = service.fixed_seconds + service.per_item_seconds * served.batch
    np.testing.assert_allclose(served.latency_seconds, served.queue_seconds + times)


@given(arrivals=ARRIVALS, service=SERVICES, seed=st.integers(0, 3))
@settings(max_examples=300, deadline=None)
def test_batches_are_whole_in_order_and_never_more_at_once_than_instances(
    arrivals: NDArray[np.float64], service: Service, seed: int
) -> None:
    served = replay(arrivals, service, seed=seed)
    starts = arrivals + served.queue_seconds
    ends = arrivals + served.latency_seconds
    assert (np.diff(starts) >= -1e-9).all()
    first = 0
    begins, finishes = [], []
    while first < arrivals.size:
        batch = slice(first, first + int(served.batch[first]))
        assert (served.batch[batch] == served.batch[first]).all()
        np.testing.assert_allclose(starts[batch], starts[first])
        begins.append(starts[first])
        finishes.append(ends[first])
        first = batch.stop
    assert first == arrivals.size
    running = [
        sum(b <= t + 1e-9 and e > t + 1e-9 for b, e in zip(begins, finishes, strict=True))
        for t in begins
    ]
    assert max(running, default=0) <= service.instances


@given(arrivals=ARRIVALS, service=GREEDY)
@settings(max_examples=300, deadline=None)
def test_greedy_batching_is_its_textbook_rule(
    arrivals: NDArray[np.float64], service: Service
) -> None:
    served = replay(arrivals, service)
    np.testing.assert_allclose(served.latency_seconds, textbook(arrivals, service))


def textbook(arrivals: NDArray[np.float64], service: Service) -> NDArray[np.float64]:
    """Batch by batch: the instance that is free first takes whatever has arrived before."""
    free = [0.0] * service.instances
    latencies: list[float] = []
    while len(latencies) < arrivals.size:
        first = len(latencies)
        instance = min(range(service.instances), key=free.__getitem__)
        start = max(free[instance], arrivals[first])
        waiting = int(np.searchsorted(arrivals, start, side="left")) - first
        size = min(max(1, waiting), service.max_batch)
        free[instance] = start + service.seconds(size)
        latencies += [free[instance] - arrival for arrival in arrivals[first : first + size]]
    return np.array(latencies)
