"""Units, budget and savings in the status, keyed by a sentence."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from inference_cost.account.costs import PolicyCost
from inference_cost.account.month import MonthToDate
from inference_cost.account.projection import TOO_FEW, Projection
from inference_cost.account.savings.savings import Savings
from inference_cost.account.units import NO_TOKENS, UnitCosts
from inference_cost.act.status import render_status
from inference_cost.api.policy_status import PolicyStatus
from inference_cost.model.policy import Baseline
from inference_cost.model.reading import Missing, MissingReason
from tests.unit.account.worlds import NOON
from tests.unit.act_status.views import cost, plan, seen

UNKNOWN = Missing(reason=MissingReason.PRICE_UNKNOWN, detail="pool a100 has no price")
MONTH = MonthToDate(
    month="2025-11",
    amount=Decimal(800),
    since=NOON,
    coverage=1.0,
    gap_seconds=0,
    unpriced_seconds=0,
)
PROJECTED = Projection(
    month="2025-11", expected=Decimal(1200), low=Decimal(1100), high=Decimal("1300.5"), days=7
)
SAVED = Savings(
    baseline=Baseline.HPA,
    potential=False,
    since=NOON,
    seconds=36_000.0,
    unknown_seconds=1800.0,
    ours=Decimal(60),
    theirs=Decimal(100),
    ours_late=0.004,
    theirs_late=0.0,
    ours_measured=True,
    theirs_measured=False,
    amount=Decimal(40),
    look=UNKNOWN,
)


def render(budget: str | None = None, **changes: Any) -> dict[str, Any]:
    looked = seen()
    amount = None if budget is None else Decimal(budget)
    looked = replace(looked, policy=replace(looked.policy, monthly_budget=amount))
    paid: PolicyCost = replace(cost(), **changes)
    status = render_status(looked, plan(), paid, at=NOON)
    PolicyStatus.model_validate(status)
    return status


def test_a_thousand_inferences_may_cost_very_little() -> None:
    units = UnitCosts(
        per_thousand_inferences=Decimal("0.000417"),
        per_thousand_requests=Decimal(1),
        per_thousand_in_time=UNKNOWN,
        per_million_tokens=NO_TOKENS,
    )
    shown = render(units=units)["cost"]
    assert shown["perThousandInferences"] == "0.000417"
    assert "perThousandInTime" not in shown
    assert "perMillionTokens" not in shown
    told = render(units=replace(units, per_million_tokens=Decimal("0.42")))["cost"]
    assert told["perMillionTokens"] == "0.42"


def test_the_projected_month_has_a_band_once_there_is_one() -> None:
    shown = render(projection=PROJECTED)["cost"]["projectedMonth"]
    assert shown == {"expected": "1200.00", "low": "1100.00", "high": "1300.50"}
    early = render(projection=replace(PROJECTED, low=TOO_FEW, high=TOO_FEW))
    assert early["cost"]["projectedMonth"] == {"expected": "1200.00"}
    assert "projectedMonth" not in render(projection=UNKNOWN)["cost"]


EXPECTED = "This month is expected to cost 1200.00 USD, more than the monthlyBudget of {} USD."
BUDGETS: dict[str, tuple[str | None, Projection | Missing, str | None, str]] = {
    "none": (None, PROJECTED, None, ""),
    "enough": ("1200", PROJECTED, "Within", ""),
    "less than is expected": ("1199.99", PROJECTED, "AtRisk", EXPECTED.format("1199.99")),
    "less than is spent, whatever is expected": (
        "799", UNKNOWN, "Exceeded",
        "This month has cost 800.00 USD, more than the monthlyBudget of 799.00 USD.",
    ),
    "nothing can be expected without a price": (
        "900", UNKNOWN, None, "Whether the monthlyBudget of 900.00 USD is kept is not known: ",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", BUDGETS)
def test_budget(sentence: str) -> None:
    budget, projection, state, says = BUDGETS[sentence]
    status = render(budget, projection=projection, month_to_date=MONTH)
    assert status["cost"].get("budgetState") == state
    assert says in status["decision"]["message"]
    assert ("Budget" in status["decision"]["message"]) == bool(says)


UNCOUNTED = "is kept is not known: part of this month was not counted"
UNCOUNTED_BUDGETS: dict[str, tuple[str, str | None]] = {
    "that all is well is not known": ("1200", None),
    "what is counted is too much already": ("799", "Exceeded"),
    "what is counted is expected to be too much": ("900", "AtRisk"),
}


@pytest.mark.parametrize("sentence", UNCOUNTED_BUDGETS)
def test_a_budget_where_part_of_the_month_was_not_counted(sentence: str) -> None:
    budget, state = UNCOUNTED_BUDGETS[sentence]
    status = render(budget, projection=PROJECTED, month_to_date=replace(MONTH, counted=False))
    assert status["cost"].get("budgetState") == state
    assert (UNCOUNTED in status["decision"]["message"]) == (state is None)


UNPRICED_BUDGETS: dict[str, tuple[str, dict[str, Any], str | None]] = {
    "a price is not known now: that all is well is not known": (
        "1200", {"unpriced": ("pool a100 has no price",)}, None,
    ),
    "one was not known for an hour": (
        "1200", {"month_to_date": replace(MONTH, unpriced_seconds=3600.0)}, None,
    ),
    "what is known is too much already": (
        "799", {"unpriced": ("pool a100 has no price",)}, "Exceeded",
    ),
    "what is known is expected to be too much": (
        "900", {"unpriced": ("pool a100 has no price",)}, "AtRisk",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", UNPRICED_BUDGETS)
def test_a_budget_where_a_price_is_not_known(sentence: str) -> None:
    budget, changes, state = UNPRICED_BUDGETS[sentence]
    status = render(budget, **({"projection": PROJECTED, "month_to_date": MONTH} | changes))
    assert status["cost"].get("budgetState") == state
    unknown = "is kept is not known: some of what ran this month had no price, or was not seen"
    assert (unknown in status["decision"]["message"]) == (state is None)


def test_savings_tell_both_sides_what_was_counted_and_what_is_assumed() -> None:
    assert render(savings=SAVED)["savings"] == {
        "baseline": "HPA",
        "state": "Measured",
        "amount": "40.00",
        "percent": "40.0",
        "since": "2025-11-22T12:00:00Z",
        "cost": "60.00",
        "baselineCost": "100.00",
        "inTimePercent": "99.6",
        "baselineInTimePercent": "100.0",
        "message": "10 h counted, 0.5 h in which a side was not known left out. The baseline is a"
        " HorizontalPodAutoscaler with its defaults on requests per second, at 70 percent of what a replica"
        " carries within the objective. It has the nodes that are there: more replicas go where there is room, then on"
        " new nodes; of fewer, nodes that empty are removed. The policy's side is whole nodes:"
        " those that it runs on, and those that it left and nobody else uses. Requests in time: the policy's are"
        " measured, the baseline's predicted. Prices: ShippedTable.",
    }


@pytest.mark.parametrize("baseline", Baseline)
def test_only_what_ran_in_recommend_has_nodes_of_its_own(baseline: Baseline) -> None:
    message = render(savings=replace(SAVED, baseline=baseline))["savings"]["message"]
    there = "It has the nodes that are there: more replicas go where there is room"
    assert (there in message) == (baseline is not Baseline.OBSERVED)


def test_a_loss_is_shown_as_one_and_in_recommend_it_is_potential() -> None:
    lost = replace(SAVED, ours=Decimal(130), amount=Decimal(-30), potential=True)
    shown = render(savings=lost)["savings"]
    assert (shown["amount"], shown["percent"], shown["state"]) == ("-30.00", "-30.0", "Potential")
    assert "if nodes that empty are removed" in shown["message"]


def test_no_number_says_why_and_shows_both_sides_all_the_same() -> None:
    late = Missing(reason=MissingReason.NOT_COMPARABLE, detail="the baseline is late")
    shown = render(savings=replace(SAVED, amount=late))["savings"]
    assert "amount" not in shown
    assert "percent" not in shown
    assert (shown["state"], shown["cost"], shown["baselineCost"]) == ("Unknown", "60.00", "100.00")
    assert shown["message"].startswith("No amount: the baseline is late. 10 h counted")


def test_before_anything_is_counted_there_are_no_amounts() -> None:
    shown = render(savings=replace(SAVED, seconds=0.0, amount=UNKNOWN))["savings"]
    assert shown.keys() == {"baseline", "state", "since", "message"}
