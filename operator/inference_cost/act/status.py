"""The status of a policy as the API object holds it, from what was seen, decided and paid.

Pure: who writes it, and when, is decided elsewhere. A value that is not known is left out, never zero.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from inference_cost.account.budget import budget_state
from inference_cost.account.costs import PolicyCost, PoolShare
from inference_cost.account.projection import Projection
from inference_cost.account.units import UnitCosts
from inference_cost.act import conditions
from inference_cost.act.conditions import Finding, View
from inference_cost.act.savings_status import savings_status
from inference_cost.api import policy_status as api
from inference_cost.api.conditions import ConditionType
from inference_cost.api.fields import (
    decimal_text,
    money_text,
    percent_text,
    shorten,
    whole_sentences,
)
from inference_cost.decide.attainment import objective_met
from inference_cost.decide.explain.explanation import explain
from inference_cost.model.money import HourlyPrice
from inference_cost.model.observation import DecisionSettings, PolicyObservation, PolicyRefusal
from inference_cost.model.plan import Attainment, Demand, Plan, Prediction, Profile, VariantPlan
from inference_cost.model.policy import Policy
from inference_cost.model.reading import Missing, Sample

# What stands when a policy could not be decided: the last observation, as it was.
_KEPT = (
    "target",
    "replicas",
    "variants",
    "demand",
    "profile",
    "slo",
    "cost",
    "savings",
    "gpuUtilization",
    "decision",
    "placement",
)

MOST_NAMED = 3
LONGEST_TARGET = 512
# Bounds of the schema.
LARGEST = 10**12
MOST_MICROSECONDS = 3_600_000_000
MOST_MILLISECONDS = 86_400_000


def render_status(
    seen: PolicyObservation,
    plan: Plan | None,
    cost: PolicyCost | None,
    *,
    at: float,
    previous: Mapping[str, Any] | None = None,
    currency: str = "USD",
    settings: DecisionSettings | None = None,
) -> dict[str, Any]:
    """Status of a policy whose spec is valid. `plan` None: its decision failed, its last figures stay.

    Args:
        seen: the observation of this tick.
        plan: the decision of this tick.
        cost: the policy's entry in `Costs.policies`.
        at: epoch seconds of the tick.
        previous: the stored status, for the times of what did not change.
        currency: of all amounts.
        settings: installation-wide numbers.
    """
    before = previous or {}
    view = View(seen=seen, plan=plan, at=at, settings=settings or DecisionSettings())
    status = _only_conditions(conditions.find(view), before, seen.policy.generation, at)
    if plan is None:
        return status.to_object() | {key: before[key] for key in _KEPT if key in before}
    decision = before.get("decision") or {}
    if view.rejected is not None:  # of a target that is not followed nothing is known
        return status.model_copy(
            update={
                "decision": _decision(plan, seen, None, decision, currency),
                "cost": _cost_so_far(cost, seen.policy, currency),
            }
        ).to_object()
    return status.model_copy(
        update={
            "target": ", ".join(variant.target.name for variant in plan.variants)[:LONGEST_TARGET],
            "replicas": _replicas(plan),
            "variants": _variants(plan),
            "demand": _demand(plan.demand),
            "profile": _profile(plan.profile),
            "slo": _slo(plan, seen),
            "cost": _cost(cost, seen.policy, currency),
            "savings": _savings(cost),
            "gpu_utilization": _gpu_utilization(plan),
            "decision": _decision(plan, seen, cost, decision, currency),
            "placement": _placement(cost),
        }
    ).to_object()


def render_refused(
    refusal: PolicyRefusal, *, at: float, previous: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Status of a policy whose spec cannot be followed: conditions alone."""
    findings = conditions.find_refused(refusal)
    return _only_conditions(findings, previous or {}, refusal.generation, at).to_object()


def _only_conditions(
    findings: Mapping[ConditionType, Finding],
    previous: Mapping[str, Any],
    generation: int,
    at: float,
) -> api.PolicyStatus:
    merged = conditions.to_conditions(
        findings, previous=previous.get("conditions") or (), generation=generation, at=at
    )
    return api.PolicyStatus(observed_generation=generation, conditions=merged)


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(int(at), UTC)


def _replicas(plan: Plan) -> api.ReplicaStatus:
    return api.ReplicaStatus(current=plan.current, ready=plan.ready, desired=plan.desired)


def _variants(plan: Plan) -> tuple[api.VariantStatus, ...]:
    if len(plan.variants) == 1:
        return ()
    return tuple(map(_variant, plan.variants))


def _variant(plan: VariantPlan) -> api.VariantStatus:
    price, losses, until = plan.price_per_hour, plan.losses_per_hour, plan.away_until
    return api.VariantStatus(
        name=plan.variant,
        current=plan.current,
        ready=plan.ready,
        desired=plan.desired,
        per_replica_hour=money_text(Decimal(str(price))) if price is not None else None,
        losses_per_hour=decimal_text(losses, places=2) if losses else None,
        away_until=None if until is None else _time(until),
    )


def _demand(demand: Demand | Missing) -> api.DemandStatus | None:
    if isinstance(demand, Missing) or not _sound(demand.now):
        return None
    return api.DemandStatus(
        requests_per_second=decimal_text(demand.now, places=1),
        forecast_requests_per_second=_rate(demand.forecast),
        backlog_requests=_whole(demand.backlog, LARGEST),
    )


def _profile(profile: Profile | Missing) -> api.ProfileStatus | None:
    if isinstance(profile, Missing):
        return None
    alpha = _whole(1e6 * profile.alpha_seconds, MOST_MICROSECONDS)
    beta = _whole(1e6 * profile.beta_seconds, MOST_MICROSECONDS)
    load = _rate(profile.load_per_replica)
    error = profile.error_fraction
    if alpha is None or beta is None or load is None or not profile.template_hash:
        return None
    return api.ProfileStatus(
        alpha_microseconds=alpha,
        beta_microseconds=beta,
        max_batch_size=max(1, profile.max_batch_size),
        requests_per_second_per_replica=load,
        source=api.ProfileSource(profile.source.value),
        error_percent=percent_text(min(error, 9.99) if _sound(error) else 9.99),
        calibration_percent=None
        if profile.calibration is None
        else round(100 * profile.calibration),
        template_hash=profile.template_hash,
    )


def _slo(plan: Plan, seen: PolicyObservation) -> api.SloStatus:
    predicted = _milliseconds(plan.prediction)
    measured = plan.attainment
    if isinstance(measured, Missing):
        return api.SloStatus(
            state=api.SloState.UNKNOWN,
            measured_at=api.MeasuredAt.PREDICTED,
            predicted_milliseconds=predicted,
        )
    return api.SloStatus(
        state=_slo_state(measured, plan.prediction, seen),
        measured_at=api.MeasuredAt(measured.measured_at),
        attainment_percent=percent_text(min(1.0, max(0.0, measured.fraction))),
        predicted_milliseconds=predicted,
    )


def _slo_state(
    measured: Attainment, prediction: Prediction | Missing, seen: PolicyObservation
) -> api.SloState:
    if not objective_met(measured, seen.policy.objective):
        return api.SloState.VIOLATED
    if isinstance(prediction, Prediction) and not prediction.meets_objective:
        return api.SloState.AT_RISK
    return api.SloState.MET


def _cost(cost: PolicyCost | None, policy: Policy, currency: str) -> api.CostStatus | None:
    if cost is None:
        return None
    prices = [p.price for p in cost.pools if isinstance(p.price, HourlyPrice)]
    month = cost.month_to_date
    return api.CostStatus(
        currency=currency,
        per_hour=_money(cost.per_hour),
        month_to_date=money_text(month.amount),
        month_to_date_since=_time(month.since),
        coverage_percent=percent_text(month.coverage),
        per_thousand_inferences=_per_thousand(cost, lambda units: units.per_thousand_inferences),
        per_thousand_in_time=_per_thousand(cost, lambda units: units.per_thousand_in_time),
        projected_month=_projected(cost.projection),
        budget_state=_budget(cost, policy),
        price_source=_price_source(prices),
        price_time=_time(min(p.as_of for p in prices)) if prices else None,
    )


def _per_thousand(cost: PolicyCost, unit: Callable[[UnitCosts], Decimal | Missing]) -> str | None:
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
        low=_money(projection.low),
        high=_money(projection.high),
    )


def _budget(cost: PolicyCost, policy: Policy) -> api.BudgetState | None:
    if policy.monthly_budget is None:
        return None
    state = budget_state(policy.monthly_budget, cost.month_to_date.amount, cost.projection)
    return None if isinstance(state, Missing) else api.BudgetState(state.value)


def _over_budget(cost: PolicyCost | None, policy: Policy, currency: str) -> str:
    """Alert levels are said with the decision, which they do not change."""
    if cost is None or policy.monthly_budget is None:
        return ""
    budget = f"monthlyBudget of {money_text(policy.monthly_budget)} {currency}"
    match _budget(cost, policy):
        case api.BudgetState.EXCEEDED:
            so_far = money_text(cost.month_to_date.amount)
            return f"This month has cost {so_far} {currency}, more than the {budget}."
        case api.BudgetState.AT_RISK if isinstance(cost.projection, Projection):
            expected = money_text(cost.projection.expected)
            return f"This month is expected to cost {expected} {currency}, more than the {budget}."
    return ""


def _savings(cost: PolicyCost | None) -> api.SavingsStatus | None:
    if cost is None or isinstance(cost.savings, Missing):
        return None
    prices = [p.price for p in cost.pools if isinstance(p.price, HourlyPrice)]
    source = _price_source(prices)
    return savings_status(cost.savings, "" if source is None else source.value)


def _cost_so_far(cost: PolicyCost | None, policy: Policy, currency: str) -> api.CostStatus | None:
    """The month alone: what runs now is not known."""
    full = _cost(cost, policy, currency)
    return full.model_copy(update={"per_hour": None}) if full is not None else None


def _price_source(prices: Sequence[HourlyPrice]) -> api.PriceSource | None:
    sources = {p.source.value for p in prices}
    if not sources:
        return None
    return api.PriceSource.MIXED if len(sources) > 1 else api.PriceSource(sources.pop())


def _gpu_utilization(plan: Plan) -> api.GpuUtilizationStatus:
    reading = plan.gpu_utilization
    if isinstance(reading, Sample) and _sound(reading.value):
        return api.GpuUtilizationStatus(percent=min(100, round(100 * reading.value)))
    reason = reading.reason.value if isinstance(reading, Missing) else "NotFinite"
    return api.GpuUtilizationStatus(reason=reason)


def _decision(
    plan: Plan,
    seen: PolicyObservation,
    cost: PolicyCost | None,
    previous: Mapping[str, Any],
    currency: str,
) -> api.DecisionStatus:
    words = explain(plan, seen)
    found = f"Found: {words.findings}" if words.findings else ""
    lines = (
        *(words.seen, words.expected, words.chosen, words.limited),
        *(
            found,
            _unpriced(cost),
            _over_budget(cost, seen.policy, currency),
            words.starts,
            words.room,
        ),  # the longest comes last: what is too long is cut
    )
    decided = api.DecisionStatus(
        time=_time(plan.at),
        action=api.DecisionAction(plan.action.value),
        desired_replicas=plan.desired,
        limited_by=plan.limited_by.value or None,
        message=whole_sentences("\n".join(line for line in lines if line)),
        why_not_fewer=shorten(words.why_not_fewer) or None,
        cost_per_hour=_money(cost.desired_per_hour) if cost is not None else None,
    )
    return _since(decided, previous)


def _unpriced(cost: PolicyCost | None) -> str:
    """What a total leaves out is named in words."""
    if cost is None or not cost.unpriced:
        return ""
    return f"Price unknown: {'; '.join(cost.unpriced[:MOST_NAMED])}."


def _since(decided: api.DecisionStatus, previous: Mapping[str, Any]) -> api.DecisionStatus:
    """A decision that stands keeps the time it was first made."""
    now = decided.to_object()
    if any(now.get(key) != previous.get(key) for key in ("action", "desiredReplicas", "limitedBy")):
        return decided
    try:
        time = datetime.fromisoformat(str(previous.get("time")))
    except ValueError:
        return decided
    return decided.model_copy(update={"time": time}) if time.tzinfo else decided


def _placement(cost: PolicyCost | None) -> tuple[api.Placement, ...]:
    pools = cost.pools if cost is not None else ()
    return tuple(_placed(share) for share in pools[: api.MAX_PLACEMENTS])


def _placed(share: PoolShare) -> api.Placement:
    return api.Placement(
        variant=share.variant,
        pool=share.pool,
        replicas=share.replicas,
        nodes=share.nodes,
        per_hour=_money(share.per_hour),
    )


def _money(amount: Decimal | Missing) -> str | None:
    return None if isinstance(amount, Missing) else money_text(amount)


def _milliseconds(prediction: Prediction | Missing) -> int | None:
    return (
        None
        if isinstance(prediction, Missing)
        else _whole(1000 * prediction.seconds, MOST_MILLISECONDS)
    )


def _rate(value: float) -> str | None:
    return decimal_text(value, places=1) if _sound(value) else None


def _whole(value: float, limit: int) -> int | None:
    return min(limit, round(value)) if _sound(value) else None


def _sound(value: float) -> bool:
    """Finite, not negative, and small enough for the schema's decimal strings."""
    return math.isfinite(value) and 0 <= value < LARGEST
