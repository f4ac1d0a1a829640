"""Latency as Triton itself tells it, where no gateway is configured and `--metrics-config` asks for it.

Histograms add up exactly. Quantiles of pods do not: each only says that at least so large a share of its requests was
in time, and at most so large a one.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import Final

from inference_cost.decide.attainment import above, below, clean_histogram
from inference_cost.decide.case import Case
from inference_cost.decide.traffic import Traffic
from inference_cost.model.policy import LatencyObjective
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import (
    GatewaySignals,
    LatencyHistogram,
    ModelWindow,
    Signals,
)

ENOUGH: Final = 0.9  # of the requests, by pods that tell: an idle summary has no quantiles
A_HAIR: Final = 1e-6
NOTHING_TOLD: Final = Missing(reason=MissingReason.NOT_CONFIGURED)


def told(case: Case, seen: Traffic) -> Signals | Missing:
    """The signals, with the servers' account of the answers in the place of a gateway that is not configured."""
    signals, objective = case.observation.signals, case.observation.policy.objective
    if isinstance(signals, Missing) or not isinstance(objective, LatencyObjective):
        return signals
    gateway, configuration = signals.gateway, case.configuration
    absent = isinstance(gateway, Missing) and gateway.reason is MissingReason.NOT_CONFIGURED
    # Of a decoupled model both speak of less than the whole answer.
    if not absent or isinstance(configuration, Missing) or configuration.decoupled:
        return signals
    account = _account(seen, objective.threshold_seconds)
    return signals if isinstance(account, Missing) else replace(signals, gateway=account)


def _account(seen: Traffic, threshold: float) -> GatewaySignals | Missing:
    served = [w for pod in seen.pods for w in pod.windows if w.requests > 0]
    telling = [w for w in served if w.quantiles or not isinstance(w.latency, Missing)]
    answered = sum(w.requests for w in telling)
    if not telling or answered < ENOUGH * sum(w.requests for w in served):
        return NOTHING_TOLD
    failed = sum(w.failures for pod in seen.pods for w in pod.windows)
    latency = _summed(telling) or _bracketed(telling, threshold)
    return GatewaySignals(
        seconds=seen.seconds,
        requests=latency.total + failed,
        responses=latency.total + failed,
        errors=failed,
        latency=latency,
    )


def _summed(windows: Sequence[ModelWindow]) -> LatencyHistogram | None:
    """None where not all have the same bounds."""
    found = [clean_histogram(window.latency) for window in windows]
    histograms = [one for one in found if not isinstance(one, Missing)]
    bounds = {one.bounds_seconds for one in histograms}
    if len(histograms) < len(windows) or len(bounds) > 1:
        return None
    counts = zip(*(one.cumulative for one in histograms), strict=True)
    return LatencyHistogram(bounds_seconds=bounds.pop(), cumulative=tuple(map(sum, counts)))


def _bracketed(windows: Sequence[ModelWindow], threshold: float) -> LatencyHistogram:
    """How many are in time at least, just below the threshold, and at most, just above it."""
    shares = [(w.requests, *_shares_in_time(w, threshold)) for w in windows]
    return LatencyHistogram(
        bounds_seconds=(threshold * (1 - A_HAIR), threshold * (1 + A_HAIR), inf),
        cumulative=(
            sum(requests * least for requests, least, _ in shares),
            sum(requests * most for requests, _, most in shares),
            sum(requests for requests, _, _ in shares),
        ),
    )


def _shares_in_time(window: ModelWindow, threshold: float) -> tuple[float, float]:
    histogram = clean_histogram(window.latency)
    if not isinstance(histogram, Missing) and histogram.total > 0:
        counts = below(histogram, threshold), above(histogram, threshold)
        return counts[0] / histogram.total, counts[1] / histogram.total
    least = max((share for share, seconds in window.quantiles if seconds <= threshold), default=0.0)
    # A quantile that is later says that a smaller share was in time.
    most = min((share for share, seconds in window.quantiles if seconds > threshold), default=1.0)
    return min(least, most), most - A_HAIR if most < 1.0 else 1.0
