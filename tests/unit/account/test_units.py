"""What one of something costs, and what is said where that is not known."""

from dataclasses import replace
from decimal import Decimal

import pytest

from inference_cost.account.units import (
    NO_TOKENS,
    NONE_SERVED,
    NOT_A_COUNT,
    Served,
    UnitCosts,
    served_per_hour,
    unit_costs,
)
from inference_cost.model.plan import Attainment
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import ModelWindow, PodSignals, Signals

UNREAD = Missing(reason=MissingReason.EMPTY_RESULT)
UNPRICED = Missing(reason=MissingReason.PRICE_UNKNOWN)


def signals(*rates: tuple[float, float]) -> Signals:
    """One pod per pair of requests and inferences in half a minute."""
    pods = tuple(
        PodSignals(
            pod=f"p{i}",
            models=(
                ModelWindow(
                    model="m",
                    seconds=30,
                    requests=requests,
                    failures=0,
                    inferences=inferences,
                    executions=1,
                    request_seconds=0,
                    queue_seconds=0,
                    compute_seconds=0,
                    pending=UNREAD,
                ),
            ),
            gpu_utilization=UNREAD,
        )
        for i, (requests, inferences) in enumerate(rates)
    )
    return Signals(sampled_at=0, scrape_interval_seconds=15, pods=pods, gateway=UNREAD)


def test_an_hour_of_two_pods() -> None:
    measured = Attainment(fraction=0.5, requests=100, measured_at="Gateway")
    served = served_per_hour(signals((30, 60), (30, 120)), measured)
    assert served == Served(inferences=21_600, requests=7200, in_time=3600, tokens=NO_TOKENS)
    assert unit_costs(Decimal("7.20"), served) == UnitCosts(
        per_thousand_inferences=Decimal("0.333333"),
        per_thousand_requests=Decimal("1.000000"),
        per_thousand_in_time=Decimal("2.000000"),
        per_million_tokens=NO_TOKENS,
    )


def test_tokens_are_those_of_the_models_that_report_them() -> None:
    """Of an ensemble that is one."""
    seen = signals((30, 60), (30, 120))
    reporting = replace(seen.pods[0].models[0], model="llm", tokens=1500.0)
    one = replace(seen.pods[0], models=(*seen.pods[0].models, reporting))
    served = served_per_hour(replace(seen, pods=(one, seen.pods[1])), UNREAD)
    assert served.tokens == 180_000


def test_tokens_where_they_are_reported() -> None:
    served = Served(inferences=1, requests=1, in_time=1, tokens=250_000)
    assert unit_costs(Decimal(2), served).per_million_tokens == 8


MISSING: dict[str, tuple[Decimal | Missing, float | Missing, Missing]] = {
    "no price: what it costs is not known, whatever was served": (UNPRICED, 5.0, UNPRICED),
    "no metrics": (Decimal(1), UNREAD, UNREAD),
    "a count that is none": (Decimal(1), float("nan"), NOT_A_COUNT),
    "nothing served: a unit has no cost, and no infinite one": (Decimal(1), 0.0, NONE_SERVED),
}


@pytest.mark.parametrize("sentence", MISSING)
def test_what_is_not_known_is_said(sentence: str) -> None:
    amount, count, why = MISSING[sentence]
    served = Served(inferences=count, requests=count, in_time=count)
    made = unit_costs(amount, served)
    assert (made.per_thousand_inferences, made.per_thousand_in_time) == (why, why)


def test_without_a_measurement_of_the_objective_only_that_figure_is_missing() -> None:
    made = unit_costs(Decimal(1), served_per_hour(signals((10, 10)), UNREAD))
    assert made.per_thousand_in_time == UNREAD
    assert isinstance(made.per_thousand_requests, Decimal)
