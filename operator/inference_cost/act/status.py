"""The status of a policy as the API object holds it, from what was seen, decided and paid.

Pure: who writes it, and when, is decided elsewhere. A value that is not known is left out, never zero.
"""

import math
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from inference_cost.account.costs import PolicyCost, PoolShare
from inference_cost.act import conditions
from inference_cost.act.conditions import Finding, View
from inference_cost.act.cost_status import (
    LARGEST,
    cost_so_far,
    cost_status,
    money,
    over_budget,
    saved,
    savings_of,
    time_of,
)
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
from inference_cost.model.observation import DecisionSettings, PolicyObservation, PolicyRefusal
from inference_cost.model.plan import Attainment, Demand, Plan, Prediction, Profile, VariantPlan
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
                "cost": cost_so_far(cost, seen.policy, currency),
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
            "cost": cost_status(cost, seen.policy, currency),
            "savings": savings_of(cost),
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
        away_until=None if until is None else time_of(until),
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
            over_budget(cost, seen.policy, currency),
            words.starts,
            words.room,
        ),  # the longest comes last: what is too long is cut
    )
    decided = api.DecisionStatus(
        time=time_of(plan.at),
        action=api.DecisionAction(plan.action.value),
        desired_replicas=plan.desired,
        limited_by=plan.limited_by.value or None,
        message=whole_sentences("\n".join(line for line in lines if line)),
        why_not_fewer=shorten(words.why_not_fewer) or None,
        cost_per_hour=money(cost.desired_per_hour) if cost is not None else None,
        saves_per_hour=saved(cost.would_save_per_hour) if cost is not None else None,
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
        per_hour=money(share.per_hour),
    )


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
