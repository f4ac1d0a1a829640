"""Savings as the API object holds them, with what was counted and assumed in words."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from inference_cost.account.savings.savings import Savings
from inference_cost.api import policy_status as api
from inference_cost.api.baseline import Baseline as ApiBaseline
from inference_cost.api.fields import (
    money_text,
    percent_text,
    signed_money_text,
    signed_percent_text,
    whole_sentences,
)
from inference_cost.model.policy import Baseline
from inference_cost.model.reading import Missing

LARGEST_FRACTION = Decimal(99)  # of the schema: beyond, a percentage says nothing
HOUR_SECONDS = 3600
_NODES = (
    "It has the nodes that are there: more replicas go where there is room, then on new nodes;"
    " of fewer, nodes that empty are removed."
)
_ASSUMED = {
    Baseline.OBSERVED: "The baseline runs as many nodes per request as ran in mode Recommend, in the same pools, at the"
    " prices of now.",
    Baseline.HPA: "The baseline is a HorizontalPodAutoscaler with its defaults on requests per second, at 70 percent of"
    f" what a replica carries within the objective. {_NODES}",
    Baseline.STATIC_PEAK: "The baseline runs at all times what the highest demand of the last four weeks needs."
    f" {_NODES}",
}
_RUNNING = "The baseline is what runs."
_POTENTIAL = "The policy's side is what its decisions would cost, if nodes that empty are removed."
_MEASURED = "The policy's side is whole nodes: those that it runs on, and those that it left and nobody else uses."


def savings_status(savings: Savings, prices: str) -> api.SavingsStatus:
    """`prices`: where they come from, in words; "" when not known."""
    known = not isinstance(savings.amount, Missing)
    state = api.SavingsState.POTENTIAL if savings.potential else api.SavingsState.MEASURED
    counted = savings.seconds > 0
    return api.SavingsStatus(
        baseline=ApiBaseline(savings.baseline.value),
        state=state if known else api.SavingsState.UNKNOWN,
        amount=None if isinstance(savings.amount, Missing) else signed_money_text(savings.amount),
        percent=_percent(savings.fraction),
        since=datetime.fromtimestamp(int(savings.since), UTC),
        cost=money_text(savings.ours) if counted else None,
        baseline_cost=money_text(savings.theirs) if counted else None,
        in_time_percent=_in_time(savings.ours_late) if counted else None,
        baseline_in_time_percent=_in_time(savings.theirs_late) if counted else None,
        message=whole_sentences(" ".join(_sentences(savings, prices))),
    )


def _percent(fraction: Decimal | Missing) -> str | None:
    if isinstance(fraction, Missing) or abs(fraction) > LARGEST_FRACTION:
        return None
    return signed_percent_text(float(fraction))


def _in_time(late: float) -> str:
    return percent_text(min(1.0, max(0.0, 1.0 - late)))


def _sentences(savings: Savings, prices: str) -> Iterator[str]:
    if isinstance(savings.amount, Missing):
        yield f"No amount: {savings.amount.detail or savings.amount.reason.value}."
    if savings.seconds > 0:
        yield f"{_hours(savings.seconds)} counted{_unknown(savings)}."
    running = savings.baseline is Baseline.OBSERVED and savings.potential
    yield _RUNNING if running else _ASSUMED[savings.baseline]
    yield _POTENTIAL if savings.potential else _MEASURED
    if savings.seconds > 0:
        ours, theirs = savings.ours_measured, savings.theirs_measured
        yield f"Requests in time: the policy's are {_how(ours)}, the baseline's {_how(theirs)}."
    if prices:
        yield f"Prices: {prices}."


def _unknown(savings: Savings) -> str:
    if savings.unknown_seconds <= 0:
        return ""
    return f", {_hours(savings.unknown_seconds)} in which a side was not known left out"


def _hours(seconds: float) -> str:
    hours = seconds / HOUR_SECONDS
    return f"{hours:.0f} h" if hours >= 10 else f"{hours:.1f} h"  # noqa: PLR2004 - two digits


def _how(measured: bool) -> str:
    return "measured" if measured else "predicted"
