"""Service time of a batch of b inferences, α + β·b, learned from Triton's counters while serving.

Triton adds a batch's duration once per request, so durations ÷ requests is α + β·E[b²]/E[b], and Σ b² is not
exported. `timed_batch` finds from rate, mean batch and that quotient one exact point of the line per window.
The points feed a recursive weighted least-squares estimate whose forgetting is directional: what the load of
the night cannot teach is not forgotten during the night. Derivation and measured errors: docs/how-it-decides.md.
"""

from dataclasses import dataclass, replace
from math import exp, sqrt
from typing import Final

from inference_cost.decide.headroom.compiled import compiled
from inference_cost.model.memory import ServiceTimeEstimate
from inference_cost.model.profile_key import ProfileKey

HALF_LIFE_SECONDS: Final = 3600.0
PRIOR_PER_ITEM: Final = 0.7  # β ÷ α assumed at first: dearer per item than most measured profiles
PRIOR_WEIGHT: Final = 0.5  # in batches: a guess, good to a third or so
LARGEST_WINDOW_WEIGHT: Final = 50.0  # in batches: errors within one window are not independent
FIRST_SPREAD: Final = 0.1  # relative standard deviation per batch, until measured
SMALLEST_SPREAD: Final = 0.03
OUTLIER: Final = 3.0  # standard deviations
OUTLIERS_UNTIL_RESET: Final = 5
SPREAD_SMOOTHING: Final = 0.05
TRUST_IN_POISSON: Final = 0.1
HARDLY_IDLE: Final = 0.03  # of the time, and tolerance between the two ways of timing
SMALLEST: Final = 1e-9

Matrix = tuple[float, float, float]  # symmetric: s11, s12, s22
Vector = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTime:
    """α and β in seconds; `spread`: relative standard deviation of one batch."""

    alpha_seconds: float
    beta_seconds: float
    information: Matrix
    spread: float

    def seconds(self, batch: float) -> float:
        return self.alpha_seconds + self.beta_seconds * batch

    def error_fraction(self, batch: float) -> float:
        """Two relative standard deviations of the mean time at this batch size."""
        inverse = _inverse(self.information)
        variance = inverse[0] + 2 * inverse[1] * batch + inverse[2] * batch * batch
        seconds = max(self.seconds(batch), SMALLEST)
        return 2 * self.spread * sqrt(max(variance, 0.0)) / seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterWindow:
    """Counters of one model on settled pods, summed; `instance_seconds`: widths of windows × instances."""

    requests: float
    inferences: float
    executions: float
    compute_seconds: float
    instance_seconds: float
    new_fraction: float = 1.0  # of the window not seen at the tick before

    @property
    def batch_seconds(self) -> float:
        """Mean time of the batch of a request."""
        return self.compute_seconds / self.requests

    @property
    def mean_batch(self) -> float:
        return max(self.inferences / self.executions, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """A point of the line: a batch of this many inferences takes so long. `trust`: weight of the point."""

    batch: float
    seconds: float
    trust: float


def timed_batch(window: CounterWindow, max_batch_size: int) -> Timing:
    """One point of the line from one window.

    A greedy instance that hardly idles starts a batch as soon as one ends, so its mean batch takes time ÷
    executions: exact, whatever the arrivals. At lighter load the batch that a request sees on average is used,
    with its second moment from Poisson arrivals: E[b²] = E[b] + λ²·E[t(b)²]. Arrivals behind a load balancer
    may be more regular, so such points weigh less.
    """
    per_request = max(window.inferences / window.requests, 1.0)
    mean = max(window.requests / window.executions, 1.0)
    rate = window.requests / window.instance_seconds
    idle = idle_after_batch(mean)
    cycle = (mean - idle) / rate
    if idle <= HARDLY_IDLE * mean and cycle <= window.batch_seconds * (1 + HARDLY_IDLE):
        return Timing(batch=mean * per_request, seconds=cycle, trust=1.0)
    extra = max(window.batch_seconds - cycle, 0.0)
    seen = mean + _spread_of_batches(mean, idle, rate * extra)
    cap = max(max_batch_size / per_request, mean)
    return Timing(
        batch=min(seen, cap + 1 - cap / mean) * per_request,
        seconds=window.batch_seconds,
        trust=TRUST_IN_POISSON,
    )


@compiled
def idle_after_batch(mean: float) -> float:
    """Probability that no request came during a batch: the root of p = exp(-(mean - p))."""
    low, high = 0.0, 1.0
    for _ in range(20):
        middle = (low + high) / 2
        if exp(middle - mean) > middle:
            low = middle
        else:
            high = middle
    return low


def _spread_of_batches(mean: float, idle: float, extra: float) -> float:
    """E[b²]/E[b] - E[b], from u²·m = u·(m - m² + (m - p)²) + m·(λ·β·u)², with λ·β·u = `extra` measured."""
    free = mean - mean * mean + (mean - idle) ** 2
    return max((free + sqrt(free * free + (2 * mean * extra) ** 2)) / (2 * mean), 0.0)


def solve(estimate: ServiceTimeEstimate) -> ServiceTime | None:
    """Non-negative least squares of the normal equations; None before the first observation."""
    s11, s12, s22 = estimate.information
    if s11 <= 0:
        return None
    v1, v2 = estimate.vector
    determinant = s11 * s22 - s12 * s12
    alpha, beta = 0.0, 0.0
    if determinant > SMALLEST * s11 * s22:
        alpha = (s22 * v1 - s12 * v2) / determinant
        beta = (s11 * v2 - s12 * v1) / determinant
    if beta <= 0:
        alpha, beta = v1 / s11, 0.0
    elif alpha < 0:
        alpha, beta = 0.0, v2 / s22
    return ServiceTime(
        alpha_seconds=max(alpha, 0.0),
        beta_seconds=max(beta, 0.0),
        information=estimate.information,
        spread=sqrt(max(estimate.residual, SMALLEST_SPREAD**2)),
    )


def usual_batch(estimate: ServiceTimeEstimate) -> float:
    """Weighted mean of the batches seen, where the line is known best."""
    s11, s12, _ = estimate.information
    return max(s12 / s11, 1.0) if s11 > 0 else 1.0


def learn(
    estimate: ServiceTimeEstimate, window: CounterWindow, max_batch_size: int, at: float
) -> ServiceTimeEstimate:
    """Take in one clean window. Repeated outliers mean the model changed: start over from here."""
    known = solve(estimate)
    if known is None or estimate.rejected_in_a_row >= OUTLIERS_UNTIL_RESET:
        estimate = _seed(estimate, known, window, max_batch_size)
        known = solve(estimate)
        assert known is not None  # noqa: S101 - a seeded estimate always has information
    timing = timed_batch(window, max_batch_size)
    tolerance = OUTLIER * sqrt(known.spread**2 + (known.error_fraction(timing.batch) / 2) ** 2)
    if abs(_surprise(known, timing)) > tolerance:
        return replace(estimate, rejected_in_a_row=estimate.rejected_in_a_row + 1)
    return _update(estimate, known, window, timing, at)


def _surprise(known: ServiceTime, timing: Timing) -> float:
    """Relative miss of what was expected."""
    expected = max(known.seconds(timing.batch), SMALLEST)
    return (timing.seconds - expected) / expected


def _update(
    estimate: ServiceTimeEstimate,
    known: ServiceTime,
    window: CounterWindow,
    timing: Timing,
    at: float,
) -> ServiceTimeEstimate:
    batch, seconds = timing.batch, timing.seconds
    elapsed = max(at - estimate.updated_at, 0.0) if estimate.updated_at else 0.0
    information = _forget(estimate.information, batch, 2 ** (-elapsed / HALF_LIFE_SECONDS))
    vector = _times(information, (known.alpha_seconds, known.beta_seconds))
    executions = window.executions * window.new_fraction
    weight = timing.trust * min(executions, LARGEST_WINDOW_WEIGHT)
    per_square = weight / max(seconds, SMALLEST) ** 2
    return replace(
        estimate,
        residual=(1 - SPREAD_SMOOTHING) * estimate.residual
        + SPREAD_SMOOTHING * _surprise(known, timing) ** 2,
        information=(
            information[0] + per_square,
            information[1] + per_square * batch,
            information[2] + per_square * batch * batch,
        ),
        vector=(
            vector[0] + per_square * seconds,
            vector[1] + per_square * batch * seconds,
        ),
        executions=estimate.executions + executions,
        largest_mean_batch=max(estimate.largest_mean_batch, window.mean_batch),
        rejected_in_a_row=0,
        updated_at=at,
        source="Counters",
    )


def for_new_kind(estimate: ServiceTimeEstimate, key: ProfileKey) -> ServiceTimeEstimate:
    """Start a new kind of replica from another one's estimate, much less sure of it and not yet learned."""
    known, begun = solve(estimate), unlearned(key)
    if known is None:
        return begun
    batch = max(estimate.largest_mean_batch, 2.0)
    information, vector = _pseudo_observations(known, batch)
    return replace(
        begun,
        information=information,
        vector=vector,
        residual=FIRST_SPREAD**2,
        largest_mean_batch=estimate.largest_mean_batch,
        updated_at=estimate.updated_at,
    )


def unlearned(key: ProfileKey) -> ServiceTimeEstimate:
    return ServiceTimeEstimate(
        template_hash=key.template_hash,
        gpu_product=key.gpu_product,
        model_version=key.model_version,
    )


def _per_item(known: ServiceTime | None) -> float:
    """β ÷ α to start from: a model that became slower mostly did so at all batch sizes alike."""
    if known is None or known.alpha_seconds <= 0 or known.beta_seconds <= 0:
        return PRIOR_PER_ITEM
    return known.beta_seconds / known.alpha_seconds


def _seed(
    estimate: ServiceTimeEstimate,
    known: ServiceTime | None,
    window: CounterWindow,
    max_batch_size: int,
) -> ServiceTimeEstimate:
    """A guessed line through the first measured point, in the proportions of the line known before."""
    timing = timed_batch(window, max_batch_size)
    per_item = _per_item(known)
    unit = timing.seconds / (1 + per_item * timing.batch)
    guess = ServiceTime(
        alpha_seconds=unit,
        beta_seconds=per_item * unit,
        information=(0.0, 0.0, 0.0),
        spread=FIRST_SPREAD,
    )
    information, vector = _pseudo_observations(guess, float(max(max_batch_size, 2)))
    return replace(
        unlearned(estimate.key),
        information=information,
        vector=vector,
        residual=FIRST_SPREAD**2,
        largest_load_seen=estimate.largest_load_seen,
    )


def _pseudo_observations(guess: ServiceTime, largest_batch: float) -> tuple[Matrix, Vector]:
    """What a few batches of one and of the largest size would have taught."""
    information, vector = (0.0, 0.0, 0.0), (0.0, 0.0)
    for batch in (1.0, largest_batch):
        seconds = max(guess.seconds(batch), SMALLEST)
        weight = PRIOR_WEIGHT / 2 / seconds**2
        information = (
            information[0] + weight,
            information[1] + weight * batch,
            information[2] + weight * batch * batch,
        )
        vector = (vector[0] + weight * seconds, vector[1] + weight * batch * seconds)
    return information, vector


def _forget(information: Matrix, batch: float, keep: float) -> Matrix:
    """Forget only along (1, batch), the direction this window informs about."""
    first, second = _times(information, (1.0, batch))
    along = max(first + second * batch, SMALLEST)
    lose = (1 - keep) / along
    s11, s12, s22 = information
    return (
        s11 - lose * first * first,
        s12 - lose * first * second,
        s22 - lose * second * second,
    )


def _times(matrix: Matrix, vector: Vector) -> Vector:
    s11, s12, s22 = matrix
    return (s11 * vector[0] + s12 * vector[1], s12 * vector[0] + s22 * vector[1])


def _inverse(matrix: Matrix) -> Matrix:
    s11, s12, s22 = matrix
    determinant = max(s11 * s22 - s12 * s12, SMALLEST * s11 * s22, 1e-300)
    return (s22 / determinant, -s12 / determinant, s11 / determinant)
