"""One Triton replica, request by request: how its dynamic batcher forms batches and what latency follows.

`replay` serves given arrivals. A fleet keeps one row of `new_batchers` per replica and calls, from compiled code,
`offer`, `advance`, `drain`, `in_flight` and `counters` on `replica(batchers, row)`.
"""

from inference_cost.simulate.batching.machine import (
    Counters,
    abandon,
    advance,
    counters,
    drain,
    in_flight,
    offer,
)
from inference_cost.simulate.batching.replay import Replay, replay
from inference_cost.simulate.batching.state import (
    Batcher,
    Requests,
    new_batchers,
    new_requests,
    replica,
    reset,
)

__all__ = [
    "Batcher",
    "Counters",
    "Replay",
    "Requests",
    "abandon",
    "advance",
    "counters",
    "drain",
    "in_flight",
    "new_batchers",
    "new_requests",
    "offer",
    "replay",
    "replica",
    "reset",
]
