"""One replica under given arrivals."""

from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from inference_cost.simulate.batching.greedy import advance_greedy, offer_greedy
from inference_cost.simulate.batching.machine import drain, is_greedy, offer
from inference_cost.simulate.batching.state import Batcher, new_batchers, new_requests
from inference_cost.simulate.compiled import compiled
from inference_cost.simulate.service import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What became of each request, shape (requests,)."""

    latency_seconds: NDArray[np.float64]
    queue_seconds: NDArray[np.float64]  # from arrival to the start of its batch
    batch: NDArray[np.int32]  # size of its batch


def replay(
    arrivals: NDArray[np.float64], service: Service, *, preferred: int = 0, seed: int = 0
) -> Replay:
    """Serve requests on one replica that is never stopped.

    Args:
        arrivals: seconds, ascending, shape (requests,).
        service: the replica.
        preferred: `preferred_batch_size` of the model, 0 without one; of use with a queue delay only.
        seed: of the races between Triton's threads; greedy batching has none.

    Raises:
        ValueError: arrivals are not in order.
    """
    if np.any(np.diff(arrivals) < 0):
        raise ValueError("arrivals are not in order")
    requests = new_requests(arrivals.size)
    batcher = new_batchers(service, requests, preferred=preferred, seed=seed)
    serve = _serve_greedy if is_greedy(batcher.settings) else _serve
    serve(batcher, np.ascontiguousarray(arrivals, dtype=np.float64))
    return Replay(
        latency_seconds=requests.latency, queue_seconds=requests.queue, batch=requests.batch
    )


@compiled
def _serve_greedy(batcher: Batcher, arrivals: NDArray[np.float64]) -> None:
    """As `_serve`, without the batcher thread, which takes long to compile."""
    for request in range(arrivals.size):
        offer_greedy(batcher, request, arrivals[request])
    advance_greedy(batcher, inf)


@compiled
def _serve(batcher: Batcher, arrivals: NDArray[np.float64]) -> None:
    for request in range(arrivals.size):
        offer(batcher, request, arrivals[request])
    drain(batcher)
