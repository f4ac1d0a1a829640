"""Return, ownership and sensitivity: figures that can be reckoned by hand, and inputs that are none."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_cost.advise.month import LEAST_HOURS, per_month
from inference_cost.advise.ownership import MonthlyCosts, energy_per_month, ownership
from inference_cost.advise.returns import FOR_NOTHING, NEVER, Investment, returns_of
from inference_cost.advise.sensitivity import (
    Assumption,
    Circumstances,
    Range,
    cases,
    nodes_between,
    nodes_per_month,
    saving_per_month,
    swings,
)
from inference_cost.model.reading import Missing

money = st.decimals(0, 100_000, places=2)


def invest(implementation: str, running: str = "0", **more: Any) -> Investment:
    return Investment(
        implementation=Decimal(implementation), running_per_month=Decimal(running), **more
    )


def test_the_example_of_the_documentation() -> None:
    found = returns_of(Decimal(1000), invest("6000", "200"))
    assert (found.net_per_month, found.net) == (800, 22_800)
    assert isinstance(found.roi, Decimal)
    assert round(found.roi, 3) == Decimal("1.727")
    assert found.payback_months == Decimal("7.5")
    assert found.present_value == 22_800  # without a discount


RETURNS: dict[str, tuple[str, Investment, object, object]] = {
    "what saves less than it costs to run never pays back": (
        "100", invest("1000", "150", months=10), NEVER, Decimal("-0.6"),
    ),
    "nor does what saves just that": ("150", invest("1500", "150", months=10), NEVER, Decimal("-0.5")),
    "a loss is a loss": ("-100", invest("1000", months=10), NEVER, Decimal(-2)),
    "what costs nothing has paid back at once, and no return on it": (
        "100", invest("0"), Decimal(0), FOR_NOTHING,
    ),
    "what costs only to run has a return": ("100", invest("0", "50"), Decimal(0), Decimal(1)),
}  # fmt: skip


@pytest.mark.parametrize("sentence", RETURNS)
def test_returns(sentence: str) -> None:
    saving, investment, payback, roi = RETURNS[sentence]
    found = returns_of(Decimal(saving), investment)
    assert (found.payback_months, found.roi) == (payback, roi)


def test_a_discount_makes_later_months_worth_less() -> None:
    later = invest("1000", months=12, discount_per_year=Decimal("0.10"))
    value = returns_of(Decimal(100), later).present_value
    by_hand = sum(100 / 1.1 ** (month / 12) for month in range(1, 13)) - 1000
    assert float(value) == pytest.approx(by_hand, abs=1e-6)


@given(saving=money, once=money, running=money, months=st.integers(1, 120))
def test_after_the_payback_what_was_invested_is_back(
    saving: Decimal, once: Decimal, running: Decimal, months: int
) -> None:
    investment = Investment(implementation=once, running_per_month=running, months=months)
    found = returns_of(saving, investment)
    if isinstance(found.payback_months, Decimal):
        assert abs(found.payback_months * found.net_per_month - once) < Decimal("0.01")
        assert (found.net >= 0) == (found.payback_months <= months) or found.net == 0
    else:
        assert found.net <= 0


NO_INVESTMENT: dict[str, tuple[Investment, str]] = {
    "a negative amount": (invest("-1"), "implementation must not be negative, not -1"),
    "no time at all": (invest("1", months=0), "months must be at least 1, not 0"),
    "a negative discount": (
        invest("1", discount_per_year=Decimal("-0.1")), "discount_per_year must not be negative",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", NO_INVESTMENT)
def test_what_is_no_investment_is_refused(sentence: str) -> None:
    investment, why = NO_INVESTMENT[sentence]
    with pytest.raises(ValueError, match=why):
        returns_of(Decimal(1), investment)


def test_what_is_not_given_is_named_and_not_zero() -> None:
    found = ownership(MonthlyCosts(nodes=Decimal(5000), staff=Decimal(800), energy=Decimal(0)))
    assert found.total == 5800
    assert found.absent == ("storage", "network", "licences", "operator")
    assert [name for name, _ in found.known] == ["nodes", "energy", "staff"]
    with pytest.raises(ValueError, match="storage must not be negative"):
        ownership(MonthlyCosts(storage=Decimal(-1)))


def test_energy_of_machines_of_ones_own() -> None:
    asked = {"price_per_kilowatt_hour": Decimal("0.25"), "usage_effectiveness": Decimal("1.4")}
    assert energy_per_month(watts=Decimal(2000), **asked) == 511
    with pytest.raises(ValueError, match="usage_effectiveness must be at least 1"):
        energy_per_month(watts=Decimal(1), **asked | {"usage_effectiveness": Decimal("0.9")})
    with pytest.raises(ValueError, match="must not be negative"):
        energy_per_month(watts=Decimal(-1), **asked)


ASSUMED = Assumption(
    baseline_per_month=Decimal(10_000), saved_fraction=Decimal("0.4"), learning_days=Decimal(2)
)
SAVED: dict[str, tuple[Circumstances, str]] = {
    "as expected": (Circumstances(), "4000"),
    "half of the traffic costs half, and so does what is saved of it": (
        Circumstances(traffic=Decimal("0.5")), "2000",
    ),
    "prices that fall by a fifth": (Circumstances(price=Decimal("0.8")), "3200"),
    "more than all cannot be saved": (Circumstances(efficacy=Decimal(5)), "10000"),
    "a new model each five days is learned two of them": (
        Circumstances(model_changes_per_year=Decimal(73)), "2400",
    ),
    "one that is new every day is never learned": (
        Circumstances(model_changes_per_year=Decimal(365)), "0",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", SAVED)
def test_saved(sentence: str) -> None:
    circumstances, expected = SAVED[sentence]
    assert saving_per_month(ASSUMED, circumstances) == Decimal(expected)


RANGE = Range(
    worst=Circumstances(
        traffic=Decimal("0.5"), efficacy=Decimal("0.9"), model_changes_per_year=Decimal("36.5")
    ),
    expected=Circumstances(),
    best=Circumstances(traffic=Decimal("1.5"), efficacy=Decimal("1.1")),
)


def test_best_expected_and_worst() -> None:
    assert cases(ASSUMED, RANGE) == {"worst": 1440, "expected": 4000, "best": 6600}


def test_what_a_saving_loses_is_paid_in_nodes() -> None:
    """Nodes of 9000, beside 4000 saved of 10,000."""
    lost = Circumstances(efficacy=Decimal("0.5"))
    assert nodes_per_month(Decimal(9000), ASSUMED, Circumstances()) == 9000
    assert nodes_per_month(Decimal(9000), ASSUMED, lost) == 11_000
    assert nodes_per_month(Decimal(9000), None, lost) == 9000, "nothing is saved yet"
    assert nodes_between(Decimal(9000), None, RANGE) == (4500, 13_500)


@given(nodes=money, fraction=st.decimals(-2, 1, places=3))
def test_the_least_and_the_most_hold_what_is_expected(nodes: Decimal, fraction: Decimal) -> None:
    assumed = Assumption(baseline_per_month=Decimal(10_000), saved_fraction=fraction)
    lowest, highest = nodes_between(nodes, assumed, RANGE)
    assert 0 <= lowest <= highest
    for one in (RANGE.worst, RANGE.best):
        assert lowest <= nodes_per_month(nodes, assumed, one) <= highest


@given(amount=st.decimals(-(10**9), 10**9, places=4), hours=st.decimals(0, 10**6, places=6))
def test_a_month_is_told_of_a_day_or_more(amount: Decimal, hours: Decimal) -> None:
    found = per_month(amount, hours)
    assert isinstance(found, Decimal) == (hours >= LEAST_HOURS)
    if isinstance(found, Missing):
        assert found.detail.startswith("too early: ")
        assert found.detail.endswith("24 h are needed")


def test_hours_that_are_none_are_refused() -> None:
    for hours in (Decimal(-1), Decimal("NaN"), Decimal("Infinity")):
        with pytest.raises(ValueError, match="hours must not be negative"):
            per_month(Decimal(1), hours)


def test_what_matters_most_comes_first() -> None:
    found = swings(ASSUMED, RANGE)
    assert [(one.name, one.at_worst, one.at_best) for one in found] == [
        ("traffic", 2000, 6000),
        ("efficacy", 3600, 4400),
        ("model_changes_per_year", 3200, 4000),
        ("price", 4000, 4000),
    ]


def test_a_negative_factor_is_refused() -> None:
    with pytest.raises(ValueError, match="price must not be negative"):
        saving_per_month(ASSUMED, Circumstances(price=Decimal(-1)))
