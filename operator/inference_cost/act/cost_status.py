"""Cost, forecast, budget and savings of a policy as the API object holds them. What is not known is left out."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from inference_cost.account.budget import BudgetState, budget_state
from inference_cost.account.costs import PolicyCost
from inference_cost.account.projection import Projection
from inference_cost.account.units import UnitCosts
from inference_cost.act.savings_status import savings_status
from inference_cost.api import policy_status as api
from inference_cost.api.fields import decimal_text, money_text, percent_text, signed_money_text
from inference_cost.model.money import HourlyPrice
from inference_cost.model.policy import Policy
from inference_cost.model.reading import Missing

LARGEST = 10**12  # of the schema's decimal strings


def money(amount: Decimal | Missing) -> str | None:
    return None if isinstance(amount, Missing) else money_text(amount)


def saved(amount: Decimal | Missing) -> str | None:
    return None if isinstance(amount, Missing) else signed_money_text(amount)


def time_of(at: float) -> datetime:
    return datetime.fromtimestamp(int(at), UTC)


def cost_status(cost: PolicyCost | None, policy: Policy, currency: str) -> api.CostStatus | None:
    if cost is None:
        return None
    prices = [p.price for p in cost.pools if isinstance(p.price, HourlyPrice)]
    month = cost.month_to_date
    return api.CostStatus(
        currency=currency,
        per_hour=money(cost.per_hour),
        month_to_date=money_text(month.amount),
        month_to_date_since=time_of(month.since),
        coverage_percent=percent_text(month.coverage),
        per_thousand_inferences=_per_unit(cost, lambda units: units.per_thousand_inferences),
        per_thousand_in_time=_per_unit(cost, lambda units: units.per_thousand_in_time),
        per_million_tokens=_per_unit(cost, lambda units: units.per_million_tokens),
        projected_month=_projected(cost.projection),
        budget_state=_budget(cost, policy),
        price_source=_price_source(prices),
        price_time=time_of(min(p.as_of for p in prices)) if prices else None,
    )


def _per_unit(cost: PolicyCost, unit: Callable[[UnitCosts], Decimal | Missing]) -> str | None:
    """With six decimals: a request may cost very little."""
    amount = cost.units if isinstance(cost.units, Missing) else unit(cost.units)
    if isinstance(amount, Missing) or amount >= LARGEST:
        return None
    return decimal_text(amount, places=6, at_least=2)


def _projected(projection: Projection | Missing) -> api.ProjectedMonth | None:
    if isinstance(projection, Missing):
        return None
    return api.ProjectedMonth(
        expected=money_text(projection.expected),
        low=money(projection.low),
        high=money(projection.high),
    )


def _budget(cost: PolicyCost, policy: Policy) -> api.BudgetState | None:
    state = _state(cost, policy)
    return None if state is None or isinstance(state, Missing) else api.BudgetState(state.value)


def _state(cost: PolicyCost, policy: Policy) -> BudgetState | Missing | None:
    if policy.monthly_budget is None:
        return None
    month = cost.month_to_date
    return budget_state(
        policy.monthly_budget,
        month.amount,
        cost.projection,
        unpriced=bool(cost.unpriced) or month.unpriced_seconds > 0,
        counted=month.counted,
    )


def over_budget(cost: PolicyCost | None, policy: Policy, currency: str) -> str:
    """Alert levels are said with the decision, which they do not change."""
    if cost is None or policy.monthly_budget is None:
        return ""
    budget = f"monthlyBudget of {money_text(policy.monthly_budget)} {currency}"
    match _state(cost, policy):
        case Missing() as unknown:
            return f"Whether the {budget} is kept is not known: {unknown.detail or unknown.reason.value}."
        case BudgetState.EXCEEDED:
            so_far = money_text(cost.month_to_date.amount)
            return f"This month has cost {so_far} {currency}, more than the {budget}."
        case BudgetState.AT_RISK if isinstance(cost.projection, Projection):
            expected = money_text(cost.projection.expected)
            return f"This month is expected to cost {expected} {currency}, more than the {budget}."
    return ""


def savings_of(cost: PolicyCost | None) -> api.SavingsStatus | None:
    if cost is None or isinstance(cost.savings, Missing):
        return None
    prices = [p.price for p in cost.pools if isinstance(p.price, HourlyPrice)]
    source = _price_source(prices)
    return savings_status(cost.savings, "" if source is None else source.value)


def cost_so_far(cost: PolicyCost | None, policy: Policy, currency: str) -> api.CostStatus | None:
    """The month alone: what runs now is not known."""
    full = cost_status(cost, policy, currency)
    return full.model_copy(update={"per_hour": None}) if full is not None else None


def _price_source(prices: Sequence[HourlyPrice]) -> api.PriceSource | None:
    sources = {p.source.value for p in prices}
    if not sources:
        return None
    return api.PriceSource.MIXED if len(sources) > 1 else api.PriceSource(sources.pop())
