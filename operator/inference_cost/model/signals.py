"""What the metrics say about one policy in one window. Arithmetic rules: docs/signals.md."""

from dataclasses import dataclass, field

from inference_cost.model.profile_key import UNKNOWN
from inference_cost.model.reading import Missing, MissingReason, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestGap:
    """Between the newest two scrapes of a model on one pod: the shortest time over which anything is known."""

    at: float  # epoch seconds of the newest
    seconds: float
    requests: float  # answered or failed
    pending_change: float  # 0 where the gauge is not exported


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyHistogram:
    """Cumulative counts of a histogram's increase over a window; the last bound is infinite."""

    bounds_seconds: tuple[float, ...]
    cumulative: tuple[float, ...]

    @property
    def total(self) -> float:
        return self.cumulative[-1] if self.cumulative else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelWindow:
    """Increase of Triton's counters of one model on one pod over `seconds`, resets removed.

    Durations are sums over *requests* (a batch of eight adds its time eight times), as Triton counts them.
    """

    model: str
    seconds: float
    requests: float  # nv_inference_request_success
    failures: float  # nv_inference_request_failure, all reasons
    inferences: float  # nv_inference_count
    executions: float  # nv_inference_exec_count
    request_seconds: float  # nv_inference_request_duration_us
    queue_seconds: float  # nv_inference_queue_duration_us
    compute_seconds: float  # input + infer + output
    pending: Reading[float]  # nv_inference_pending_request_count, at the end of the window
    pending_change: Reading[float] = Missing(
        reason=MissingReason.NOT_EXPORTED
    )  # end minus start of the window
    latest: LatestGap | Missing = Missing(reason=MissingReason.NOT_EXPORTED)
    version: str | Missing = UNKNOWN  # that answered; SEVERAL where more than one did
    # Start of the request to its first response; quantiles: (share, seconds) of the last minute.
    latency: LatencyHistogram | Missing = Missing(reason=MissingReason.NOT_EXPORTED)
    quantiles: tuple[tuple[float, float], ...] = ()
    tokens: float | Missing = Missing(reason=MissingReason.NOT_EXPORTED)  # read and written


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSignals:
    """One reporting pod. GPU utilization is a fraction, mean over the pod's GPUs."""

    pod: str
    models: tuple[ModelWindow, ...]
    gpu_utilization: Reading[float]
    others: tuple[ModelWindow, ...] = ()  # asked too, and not named by the policy


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySignals:
    """Seen in front of the fleet over `seconds`: requests offered, and of these the answered ones, of every class.

    Requests under way are offered and not yet answered; only the answered ones tell a latency.
    """

    seconds: float
    requests: float
    responses: float
    errors: float  # 5xx, including requests shed with 503
    latency: LatencyHistogram | Missing
    waiting: Reading[float] = Missing(
        reason=MissingReason.NOT_EXPORTED
    )  # held back now, until a replica has room


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """Everything read for one policy. `sampled_at`: epoch seconds of the newest sample."""

    sampled_at: float
    scrape_interval_seconds: float
    pods: tuple[PodSignals, ...]
    gateway: GatewaySignals | Missing
    partial: bool = False  # the source said so, or pods are silent: may scale out, may not scale in
    silent_pods: tuple[str, ...] = ()  # ready for a full window and not reporting
    source_partial: bool = False  # the source said that its answer is partial


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStatistic:
    """Executions of one batch size and their mean service time (Triton statistics API, batch_stats)."""

    batch_size: int
    executions: int
    mean_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfiguration:
    """What Triton says of a model (GET /v2/models/M/config and /stats), read rarely from one ready pod."""

    model: str
    max_batch_size: int
    instances: int
    decoupled: bool
    dynamic_batching: bool
    queue_delay_seconds: float
    queue_policy: bool  # max_queue_size, timeouts or priority levels set
    batch_statistics: tuple[BatchStatistic, ...] = field(default=())
    preferred_batch_sizes: tuple[int, ...] = ()  # other than max_batch_size alone, its default
    sequence_batching: bool = False
    ensemble: bool = False
    response_cache: bool = False
    rate_limited: bool = False  # instances take resources of the rate limiter
    gpu_product: str | Missing = UNKNOWN  # of the node on which `batch_statistics` were timed
    version: str | Missing = UNKNOWN  # that was timed

    @property
    def largest_batch(self) -> int:
        """Without a queue delay a batch leaves as soon as it has the only preferred size (docs/batching.md)."""
        if len(self.preferred_batch_sizes) == 1 and not self.queue_delay_seconds:
            return self.preferred_batch_sizes[0]
        return self.max_batch_size
