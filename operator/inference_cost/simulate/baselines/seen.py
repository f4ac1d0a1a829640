"""What a controller sees when it decides, as its metrics pipeline shows it (lag and scrapes included)."""

from typing import NamedTuple


class Seen(NamedTuple):
    """One look. Rates are offered requests per second, as a gateway counts them; NaN: no metrics."""

    at: float  # seconds since the start of the run
    rate: float  # mean of the last 60 s
    rate_6s: float  # mean of the last 6 s
    in_flight: float  # requests queued or being served, mean of the last 60 s
    in_flight_6s: float  # mean of the last 6 s
    waiting: float  # requests in Triton's queues, most of the last 60 s
    busy: float  # share of time that an instance computes, mean over ready replicas, most of the last 60 s
    latency_p90_seconds: float  # of the last 60 s; NaN where nothing completed
    ready: int  # replicas that serve
    replicas: int  # .spec.replicas: ready and starting
    load_per_replica: float  # requests/s of one replica at which the objective is just met
    in_flight_per_replica: float  # requests in flight at that load: load times mean latency
    threshold_seconds: float  # of the latency objective
    min_replicas: int
    max_replicas: int
