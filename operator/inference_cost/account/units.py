"""What one of something costs: amount ÷ count, Missing where either is not known or nothing was counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import isfinite

from inference_cost.account.shares import STEP
from inference_cost.model.plan import Attainment
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import ModelWindow, Signals

SECONDS_PER_HOUR = 3600
NONE_SERVED = Missing(reason=MissingReason.NO_TRAFFIC, detail="nothing was served")
NOT_A_COUNT = Missing(reason=MissingReason.NOT_FINITE, detail="the count is no number")
NO_TOKENS = Missing(
    reason=MissingReason.NOT_EXPORTED, detail="the backend does not report its tokens"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Counts of one window, or rates of one moment if the amount is one, too."""

    inferences: float | Missing
    requests: float | Missing
    in_time: float | Missing  # requests within the objective
    tokens: float | Missing = NO_TOKENS


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCosts:
    """In the currency of the amount, to a millionth."""

    per_thousand_inferences: Decimal | Missing
    per_thousand_requests: Decimal | Missing
    per_thousand_in_time: (
        Decimal | Missing
    )  # requests within the objective; the late ones are paid for, too
    per_million_tokens: Decimal | Missing


def unit_costs(amount: Decimal | Missing, served: Served) -> UnitCosts:
    return UnitCosts(
        per_thousand_inferences=_per(amount, served.inferences, 1000),
        per_thousand_requests=_per(amount, served.requests, 1000),
        per_thousand_in_time=_per(amount, served.in_time, 1000),
        per_million_tokens=_per(amount, served.tokens, 1_000_000),
    )


def served_per_hour(signals: Signals | Missing, attainment: Attainment | Missing) -> Served:
    """Rates of the newest window, per hour."""
    if isinstance(signals, Missing):
        return Served(inferences=signals, requests=signals, in_time=signals)
    windows = [m for pod in signals.pods for m in pod.models if m.seconds > 0]
    inferences, requests = (
        SECONDS_PER_HOUR * sum(rates)
        for rates in (
            [m.inferences / m.seconds for m in windows],
            [m.requests / m.seconds for m in windows],
        )
    )
    return Served(
        inferences=inferences,
        requests=requests,
        in_time=attainment
        if isinstance(attainment, Missing)
        else requests * min(1.0, max(0.0, attainment.fraction)),
        tokens=_tokens_per_hour(windows),
    )


def _tokens_per_hour(windows: Sequence[ModelWindow]) -> float | Missing:
    """Of the models that report them: of an ensemble that is one."""
    rates = [m.tokens / m.seconds for m in windows if not isinstance(m.tokens, Missing)]
    return SECONDS_PER_HOUR * sum(rates) if rates else NO_TOKENS


def _per(amount: Decimal | Missing, count: float | Missing, many: int) -> Decimal | Missing:
    if isinstance(amount, Missing):
        return amount
    if isinstance(count, Missing):
        return count
    if not isfinite(count):
        return NOT_A_COUNT
    if count <= 0:
        return NONE_SERVED
    return (amount * many / Decimal(str(count))).quantize(STEP, ROUND_HALF_UP)
