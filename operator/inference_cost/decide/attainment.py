"""Measured share of requests within the objective. Without a measurement there is no verdict.

The gateway's histogram decides a latency objective, without a gateway Triton's own (decide/server_latency.py); errors
count as late. Where the threshold lies between two bounds, the lower one counts; if the verdict hangs on that, it is
ambiguous and said so.
A mean queue time is read from Triton's counters: the share is then threshold ÷ mean, at most one.
A deadline is judged by each pod's mean wait in the window, as Triton counts it, with what the gateway held them for.
"""

from itertools import pairwise
from math import inf, isfinite, sqrt
from typing import Final, assert_never

from inference_cost.decide.deadline.backlog import held_back
from inference_cost.decide.traffic import Traffic, clean_gateway, usable
from inference_cost.model.plan import Attainment
from inference_cost.model.policy import (
    DrainObjective,
    LatencyObjective,
    Objective,
    QueueTimeObjective,
)
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import GatewaySignals, LatencyHistogram, Signals

History = tuple[tuple[float, float, float], ...]

BUCKETS: Final = 60  # of the window
A_FEW: Final = 5.0  # requests say nothing yet
BY_CHANCE: Final = 3.0  # standard deviations
ADD_A_GATEWAY: Final = (
    "these Tritons export no latency histogram and no summaries of an ordinary model; "
    "configure a gateway preset to measure latency in front of the fleet"
)


def objective_met(attainment: Attainment, objective: Objective) -> bool:
    """Whether a measured share means that the objective was met over the window."""
    match objective:
        case LatencyObjective():
            return attainment.fraction >= objective.target_fraction - 1e-9
        case QueueTimeObjective() | DrainObjective():
            return attainment.fraction >= 1.0 - 1e-9
        case _ as unknown:
            assert_never(unknown)


def measure(
    objective: Objective, signals: Signals | Missing, traffic: Traffic | Missing
) -> tuple[float, float] | Missing:
    """(requests within the objective, requests) of the newest window."""
    if isinstance(signals, Missing):
        return signals
    match objective:
        case QueueTimeObjective():
            return _queue_time(traffic)
        case DrainObjective():
            return traffic if isinstance(traffic, Missing) else _waited(objective, signals, traffic)
        case LatencyObjective():
            return _answered(objective, signals)
        case _ as unknown:
            assert_never(unknown)


def _answered(objective: LatencyObjective, signals: Signals) -> tuple[float, float] | Missing:
    gateway = clean_gateway(signals.gateway)
    if isinstance(gateway, Missing):
        reason = gateway.reason
        if reason is MissingReason.NOT_CONFIGURED or not gateway.detail:
            return Missing(reason=reason, detail=ADD_A_GATEWAY)
        return gateway
    histogram = clean_histogram(gateway.latency)
    if isinstance(histogram, Missing):
        return histogram
    in_time = below(histogram, objective.threshold_seconds)
    return _within(gateway, histogram, in_time)


def _queue_time(traffic: Traffic | Missing) -> tuple[float, float] | Missing:
    """(queue seconds, requests): summed over the window, their ratio is the mean."""
    if isinstance(traffic, Missing):
        return traffic
    requests = traffic.completed * traffic.seconds
    return traffic.mean_queue_seconds * requests, requests


def _waited(objective: DrainObjective, signals: Signals, traffic: Traffic) -> tuple[float, float]:
    """Each pod's requests by their mean wait, the one at the gateway by Little's law before it."""
    free = held_back(signals)
    before = free / traffic.completed if free > 0 and traffic.completed > 0 else 0.0
    windows = [w for pod in traffic.pods for w in pod.windows if w.requests > 0]
    within = sum(
        w.requests
        for w in windows
        if before + w.queue_seconds / w.requests <= objective.within_seconds
    )
    return within, sum(w.requests for w in windows)


def clean_histogram(histogram: LatencyHistogram | Missing) -> LatencyHistogram | Missing:
    if isinstance(histogram, Missing):
        return histogram
    bounds, counts = histogram.bounds_seconds, histogram.cumulative
    if not counts or len(bounds) != len(counts):
        return Missing(reason=MissingReason.EMPTY_RESULT, detail="latency histogram")
    rising = all(a <= b + 1e-6 for a, b in pairwise(counts))
    if not (rising and all(map(usable, counts)) and list(bounds) == sorted(bounds)):
        return Missing(reason=MissingReason.NOT_FINITE, detail="latency histogram")
    return histogram


def below(histogram: LatencyHistogram, threshold: float) -> float:
    counts = [
        count
        for bound, count in zip(histogram.bounds_seconds, histogram.cumulative, strict=True)
        if bound <= threshold * (1 + 1e-9)
    ]
    return counts[-1] if counts else 0.0


def above(histogram: LatencyHistogram, threshold: float) -> float:
    for bound, count in zip(histogram.bounds_seconds, histogram.cumulative, strict=True):
        if bound >= threshold * (1 - 1e-9) and isfinite(bound):
            return count
    return histogram.total


def _within(
    gateway: GatewaySignals, histogram: LatencyHistogram, in_time: float
) -> tuple[float, float]:
    """Errors that are in the histogram were quick: take them out of what was in time."""
    answered = max(gateway.responses, histogram.total)
    errors = min(gateway.errors, answered)
    inside = min(max(histogram.total - (answered - errors), 0.0), errors)
    return max(in_time - inside, 0.0), answered


def remember(
    history: History, measured: tuple[float, float], seconds: float, at: float, window: float
) -> History:
    """Add the part of the window not counted yet, in buckets that keep the history short."""
    newest = history[-1][0] if history else at - seconds
    new = min(max(at - newest, 0.0) / seconds, 1.0) if seconds > 0 else 0.0
    within, requests = measured[0] * new, measured[1] * new
    width = window / BUCKETS
    if history and at // width == history[-1][0] // width:
        _, earlier_within, earlier_requests = history[-1]
        history = history[:-1]
        within, requests = within + earlier_within, requests + earlier_requests
    history = (*history, (at, within, requests))
    oldest = at - window
    return tuple([one for one in history if oldest < one[0] <= at][-BUCKETS - 1 :])


def attained(
    history: History,
    objective: Objective,
    measured: tuple[float, float] | Missing,
    signals: Signals | Missing,
    measured_at: str = "Gateway",
) -> Attainment | Missing:
    """Over the whole window; Missing while nothing is measured now. `measured_at`: of a latency objective."""
    if isinstance(measured, Missing):
        return measured
    requests = within = 0.0
    for _, in_time, answered in history:
        within += in_time
        requests += answered
    if requests <= 0:
        return Missing(reason=MissingReason.NO_TRAFFIC, detail="no request in the window")
    match objective:
        case QueueTimeObjective():
            mean = within / requests
            share = 1.0 if mean <= objective.mean_seconds else objective.mean_seconds / mean
            return Attainment(fraction=share, requests=requests, measured_at="Server")
        case DrainObjective():
            share = min(within / requests, 1.0)
            return Attainment(fraction=share, requests=requests, measured_at="Server")
        case LatencyObjective():
            pass
        case _ as unknown:
            assert_never(unknown)
    result = Attainment(
        fraction=min(within / requests, 1.0), requests=requests, measured_at=measured_at
    )
    if not objective_met(result, objective) and _hangs_on_a_bound(objective, signals):
        return Missing(reason=MissingReason.AMBIGUOUS, detail=_add_a_bound(objective))
    return result


def missed_now(
    objective: Objective, measured: tuple[float, float] | Missing, signals: Signals | Missing
) -> float | None:
    """Share of the newest window's requests that were late where that clearly misses the objective, else None.

    Of a mean queue time: the share by which it is too long.
    """
    if isinstance(measured, Missing):
        return None
    good, requests = measured
    match objective:
        case QueueTimeObjective():
            allowed = objective.mean_seconds * requests
            return 1 - allowed / good if requests >= A_FEW and good > allowed else None
        case DrainObjective():
            return 1 - good / requests if requests >= A_FEW and good < requests else None
        case LatencyObjective():
            pass
        case _ as unknown:
            assert_never(unknown)
    late, allowed = requests - good, (1 - objective.target_fraction) * requests
    if late <= allowed + max(BY_CHANCE * sqrt(max(allowed, 0.0)), A_FEW):
        return None
    return None if _hangs_on_a_bound(objective, signals) else late / requests


def late_between(
    objective: LatencyObjective, signals: Signals
) -> tuple[float, float, float, float] | Missing:
    """(bound, requests later than it, those that may be late beside them, requests) of the newest window.

    Without those answered 5xx, which miss the objective and say nothing of latency.
    The bound is the histogram's lowest one that is not below the threshold.
    """
    gateway = clean_gateway(signals.gateway)
    if isinstance(gateway, Missing):
        return gateway
    histogram = clean_histogram(gateway.latency)
    if isinstance(histogram, Missing):
        return histogram
    threshold = objective.threshold_seconds
    bound = next((b for b in histogram.bounds_seconds if b >= threshold * (1 - 1e-9)), inf)
    if not isfinite(bound):
        return Missing(reason=MissingReason.AMBIGUOUS, detail=_add_a_bound(objective))
    quick, requests = _within(gateway, histogram, above(histogram, threshold))
    in_time, _ = _within(gateway, histogram, below(histogram, threshold))
    answered = requests - min(gateway.errors, requests)
    return bound, max(answered - quick, 0.0), quick - in_time, answered


def _hangs_on_a_bound(objective: LatencyObjective, signals: Signals | Missing) -> bool:
    """Whether counting up to the next bound above the threshold would change the verdict."""
    assert not isinstance(signals, Missing)  # noqa: S101 - measured before
    gateway = clean_gateway(signals.gateway)
    if isinstance(gateway, Missing):
        return False
    histogram = clean_histogram(gateway.latency)
    if isinstance(histogram, Missing):
        return False
    shares = [
        within / max(requests, 1e-9)
        for within, requests in (
            _within(gateway, histogram, bound(histogram, objective.threshold_seconds))
            for bound in (below, above)
        )
    ]
    return shares[0] < objective.target_fraction <= shares[1]


def _add_a_bound(objective: LatencyObjective) -> str:
    return (
        f"the latency histogram has no bound at {objective.threshold_seconds:g} s, or the summaries too few quantiles; "
        "add one, or choose a threshold that is a bound"
    )
