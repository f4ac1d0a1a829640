"""Service time of a batch of b inferences, α + β·b, learned from Triton's counters while serving.

Triton adds a batch's duration once per request, so the counters give y = Σ b·t(b) ÷ Σ b = α + β·E[b²]/E[b],
with Σ b² not exported. E[b²]/E[b] follows from the rate and the mean batch (see `request_weighted_batch`).
The pair (E[b²]/E[b], y) then feeds a recursive weighted least-squares estimate whose forgetting is
directional: what the load of the night cannot teach is not forgotten during the night.
"""

from dataclasses import dataclass, replace
from math import sqrt
from typing import Final

from inference_cost.model.memory import ServiceTimeEstimate

HALF_LIFE_SECONDS: Final = 3600.0
PRIOR_PER_ITEM: Final = 0.5  # β ÷ α assumed at first: dearer per item than most measured profiles
PRIOR_WEIGHT: Final = 20.0  # in batches
LARGEST_WINDOW_WEIGHT: Final = 50.0  # in batches: errors within one window are not independent
FIRST_SPREAD: Final = 0.1  # relative standard deviation per batch, until measured
SMALLEST_SPREAD: Final = 0.03
OUTLIER: Final = 3.0  # standard deviations
OUTLIERS_UNTIL_RESET: Final = 5
SPREAD_SMOOTHING: Final = 0.05
NEW_TEMPLATE_KEEPS: Final = 0.1  # of the information about the previous template
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
    """Counters of one model on settled pods, summed. `pod_seconds`: summed widths of the windows."""

    requests: float
    inferences: float
    executions: float
    compute_seconds: float
    pod_seconds: float
    new_fraction: float = 1.0  # of the window not seen at the tick before

    @property
    def batch_seconds(self) -> float:
        """Mean time of the batch of a request."""
        return self.compute_seconds / self.requests

    @property
    def mean_batch(self) -> float:
        return max(self.inferences / self.executions, 1.0)


def request_weighted_batch(
    window: CounterWindow, alpha: float, beta: float, max_batch_size: int
) -> float:
    """E[b²]/E[b] of a greedy batcher with Poisson arrivals, in inferences.

    b is the number of arrivals during the previous batch (or one after an idle moment), therefore
    E[b²] = E[b] + λ²·E[t(b)²]; bounded by what a batch of 1…B with this mean allows.
    """
    per_request = max(window.inferences / window.requests, 1.0)
    mean = window.requests / window.executions
    cap = max(max_batch_size / per_request, mean, 1.0)
    rate = window.requests / window.pod_seconds
    beta *= per_request
    seconds = alpha + beta * mean
    growth = max(1 - (rate * beta) ** 2, 0.05)
    ratio = (1 + rate * rate * (seconds * seconds - (beta * mean) ** 2) / mean) / growth
    widest = cap + 1 - cap / mean if mean > 1 else mean
    return per_request * min(max(ratio, mean), max(widest, mean))


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


def learn(
    estimate: ServiceTimeEstimate, window: CounterWindow, max_batch_size: int, at: float
) -> ServiceTimeEstimate:
    """Take in one clean window. Repeated outliers mean the model changed: start over from here."""
    known = solve(estimate)
    if known is None or estimate.rejected_in_a_row >= OUTLIERS_UNTIL_RESET:
        estimate = _seed(estimate, window, max_batch_size)
        known = solve(estimate)
        assert known is not None  # noqa: S101 - a seeded estimate always has information
    batch = request_weighted_batch(window, known.alpha_seconds, known.beta_seconds, max_batch_size)
    expected = max(known.seconds(batch), SMALLEST)
    surprise = (window.batch_seconds - expected) / expected
    tolerance = OUTLIER * sqrt(known.spread**2 + (known.error_fraction(batch) / 2) ** 2)
    if abs(surprise) > tolerance:
        return replace(estimate, rejected_in_a_row=estimate.rejected_in_a_row + 1)
    surprising = replace(
        estimate,
        residual=(1 - SPREAD_SMOOTHING) * estimate.residual + SPREAD_SMOOTHING * surprise**2,
    )
    return _update(surprising, known, window, batch, at)


def _update(
    estimate: ServiceTimeEstimate,
    known: ServiceTime,
    window: CounterWindow,
    batch: float,
    at: float,
) -> ServiceTimeEstimate:
    elapsed = max(at - estimate.updated_at, 0.0) if estimate.updated_at else 0.0
    information = _forget(estimate.information, batch, 2 ** (-elapsed / HALF_LIFE_SECONDS))
    vector = _times(information, (known.alpha_seconds, known.beta_seconds))
    weight = min(window.executions * window.new_fraction, LARGEST_WINDOW_WEIGHT)
    per_square = weight / max(window.batch_seconds, SMALLEST) ** 2
    return replace(
        estimate,
        information=(
            information[0] + per_square,
            information[1] + per_square * batch,
            information[2] + per_square * batch * batch,
        ),
        vector=(
            vector[0] + per_square * window.batch_seconds,
            vector[1] + per_square * batch * window.batch_seconds,
        ),
        executions=estimate.executions + window.executions * window.new_fraction,
        largest_mean_batch=max(estimate.largest_mean_batch, window.mean_batch),
        rejected_in_a_row=0,
        updated_at=at,
    )


def for_new_template(estimate: ServiceTimeEstimate, template_hash: str) -> ServiceTimeEstimate:
    """Start a new template from the old one's estimate, much less sure of it and not yet learned."""
    s11, s12, s22 = estimate.information
    v1, v2 = estimate.vector
    keep = NEW_TEMPLATE_KEEPS * PRIOR_WEIGHT / max(estimate.executions, PRIOR_WEIGHT)
    return ServiceTimeEstimate(
        template_hash=template_hash,
        information=(s11 * keep, s12 * keep, s22 * keep),
        vector=(v1 * keep, v2 * keep),
        residual=max(estimate.residual, FIRST_SPREAD**2),
        largest_mean_batch=estimate.largest_mean_batch,
        updated_at=estimate.updated_at,
    )


def _seed(
    estimate: ServiceTimeEstimate, window: CounterWindow, max_batch_size: int
) -> ServiceTimeEstimate:
    """Two pseudo-observations, at batches of 1 and B, through the first measured point."""
    unit = window.batch_seconds / (1 + PRIOR_PER_ITEM * window.mean_batch)
    information, vector = (0.0, 0.0, 0.0), (0.0, 0.0)
    for batch in (1.0, float(max(max_batch_size, 2))):
        seconds = max(unit * (1 + PRIOR_PER_ITEM * batch), SMALLEST)
        weight = PRIOR_WEIGHT / 2 / seconds**2
        information = (
            information[0] + weight,
            information[1] + weight * batch,
            information[2] + weight * batch * batch,
        )
        vector = (vector[0] + weight * seconds, vector[1] + weight * batch * seconds)
    return ServiceTimeEstimate(
        template_hash=estimate.template_hash,
        information=information,
        vector=vector,
        residual=FIRST_SPREAD**2,
        largest_load_seen=estimate.largest_load_seen,
    )


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
