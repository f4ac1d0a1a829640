"""State of a simulated fleet, as arrays that compiled functions change in place.

One world holds one policy's traffic, its replicas by slot, their Triton counters as of the last scrapes, and what
has been late and paid so far. `advance` (clock.py) moves it on, `order` (replicas.py) is what a controller does to
it, `look` (look.py) and `counter_windows` (scrapes.py) are what a controller is shown of it.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference_cost.simulate.batching import Batcher

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Columns of `counters` and `scraped`: Triton's cumulative counters of one replica, and its pending gauge.
REQUESTS: Final = 0
EXECUTIONS: Final = 1
REQUEST_SECONDS: Final = 2
QUEUE_SECONDS: Final = 3
COMPUTE_SECONDS: Final = 4
PENDING: Final = 5
COLUMNS: Final = 6

# Rows of `course`, one value per bin.
LATE: Final = 0
DROPPED: Final = 1
READY_SECONDS: Final = 2
BILLED_SECONDS: Final = 3
COURSE_ROWS: Final = 4

# Entries of `numbers`.
NOW: Final = 0
BACKLOG: Final = 1  # requests waiting beyond the steady state, all replicas
IN_FLIGHT_SECONDS: Final = 2  # integral of requests in flight
NEXT_READY: Final = 3  # when the next starting replica will serve; infinite without one
WAITING: Final = 4  # requests in Triton's queues, fleet
BUSY: Final = 5  # share of time that an instance computes
COMPLETED: Final = 6  # requests
P90_SECONDS: Final = (
    7  # sum over completed requests of the 90th percentile of latency when they completed
)
NUMBERS: Final = 8

# Entries of `counts`.
LIVE: Final = 0  # replicas, starting ones included
READY: Final = 1
ORDERED: Final = 2  # replicas ever ordered: the number of the next one
SCRAPES: Final = 3
TRAIL: Final = 4  # entries of `trail` ever written
COUNTED_STARTS: Final = 5
COUNTED_CHANGES: Final = 6
NEXT_REQUEST: Final = 7  # at request level: the first that has not arrived
COUNTS: Final = 8

# Columns of `trail`.
TRAIL_AT: Final = 0
TRAIL_IN_FLIGHT_SECONDS: Final = 1
TRAIL_WAITING: Final = 2
TRAIL_BUSY: Final = 3
TRAIL_COMPLETED: Final = 4
TRAIL_P90_SECONDS: Final = 5
TRAIL_COLUMNS: Final = 6

LOAD_STEP: Final = 0.001
HIGHEST_LOAD: Final = 0.985  # above it the steady state takes longer to reach than a step

SCRAPES_KEPT: Final = 64
TRAIL_KEPT: Final = 1024


class Conditions(NamedTuple):
    """What does not change during a run. Seconds, requests/s."""

    seconds: float
    bin_seconds: float
    capacity: float  # of one replica
    goodput: float  # largest rate of requests in time of one replica
    load_per_replica: float  # at which the objective is just met
    in_flight_per_replica: float  # at that load
    threshold: float
    wait_allowed: float  # in a backlog, before a request is late
    longest_wait: float  # older requests are dropped
    batch_seconds: float  # of a full batch
    max_batch: float
    scrape_seconds: float
    scrape_offset: float
    lag_seconds: float
    missing_fraction: float
    drain_seconds: float
    minimum_billing_seconds: float
    warm_start_seconds: float
    exclude_first: float
    min_replicas: int
    max_replicas: int
    seed: int
    balanced: bool  # least-request routing
    sticky: bool


class Curves(NamedTuple):
    """One replica in steady state, at loads (shares of capacity) 0, LOAD_STEP, … HIGHEST_LOAD.

    Rows: by number of replicas behind the same load balancer, one first; a single row where that makes no difference.
    """

    in_time: Floats  # (rows, loads): share of requests within the threshold
    queue: Floats  # (rows, loads): mean seconds in Triton's queue
    p90: Floats  # (rows, loads): seconds
    batch: Floats  # (1, loads): requests per execution
    compute: Floats  # (1, loads): mean seconds of a request's batch


class Replicas(NamedTuple):
    """By slot; a slot is used again after its replica is gone. `listed[:LIVE]`: slots, oldest first."""

    listed: Ints
    number: Ints
    ordered_at: Floats
    ready_at: Floats
    serves: Ints  # 1 once ready
    first_scrape: Ints  # number of the first scrape that saw it; -1 before
    share: Floats  # of the traffic, with sticky connections
    backlog: Floats  # with sticky connections
    free: Ints  # stack of unused slots; free[-1] is their number
    warm_ready_at: Floats  # by warm replica


class Arrivals(NamedTuple):
    """Requests before the start of bin i: `total` as they came, `smooth` as the steps serve them (new.py).

    `times`: of each request, at request level only.
    """

    total: Floats
    smooth: Floats
    times: Floats


class World(NamedTuple):
    conditions: Conditions
    curves: Curves
    replicas: Replicas
    arrivals: Arrivals
    batchers: Batcher  # one per slot; None in steps (fidelity.py)
    starts: Floats  # start-up seconds, drawn in order of the replicas' numbers
    numbers: Floats
    counts: Ints
    counters: Floats  # (slots, COLUMNS)
    scraped: Floats  # (SCRAPES_KEPT, slots, COLUMNS)
    trail: Floats  # (TRAIL_KEPT, TRAIL_COLUMNS)
    course: Floats  # (COURSE_ROWS, bins)
