"""The last decision in words: what was seen, what was chosen, why not one fewer, what it costs."""

from decimal import Decimal

from inference_cost.account.costs import PolicyCost
from inference_cost.act.condition_texts import figure_of, limited, milliseconds, replicas
from inference_cost.api.fields import money_text
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import LimitedBy, Plan
from inference_cost.model.policy import LatencyObjective, Objective
from inference_cost.model.reading import Missing


def decision_message(
    plan: Plan, seen: PolicyObservation, cost: PolicyCost | None, currency: str
) -> str:
    """A few sentences; each is left out when its figures are not known."""
    sentences = (
        _seen(plan),
        _capability(plan),
        _chosen(plan),
        "" if plan.limited_by is LimitedBy.NOTHING else limited(plan, seen.policy),
        _expected(plan, seen.policy.objective),
        _price(cost, currency),
    )
    return " ".join(s for s in sentences if s)


def why_not_fewer(plan: Plan, objective: Objective) -> str | None:
    """What one replica fewer would do; None where it cannot be predicted."""
    fewer = plan.one_fewer
    if isinstance(fewer, Missing):
        return None
    verdict = "would still meet" if fewer.meets_objective else "would miss"
    return (
        f"{replicas(fewer.replicas).capitalize()} {verdict} the objective: "
        f"{milliseconds(fewer.seconds)} {figure_of(objective)}, against {_threshold(objective)}."
    )


def _seen(plan: Plan) -> str:
    demand = plan.demand
    if isinstance(demand, Missing):
        return ""
    least = "at least " if demand.censored else ""
    backlog = f", {demand.backlog:.0f} waiting" if demand.backlog >= 1 else ""
    return (
        f"Load is {least}{demand.now:.1f} requests/s{backlog}; up to {demand.forecast:.1f} are expected "
        "before a new replica could be ready."
    )


def _capability(plan: Plan) -> str:
    if isinstance(plan.profile, Missing):
        return ""
    return (
        f"One replica carries {plan.profile.load_per_replica:.1f} requests/s within the objective."
    )


def _chosen(plan: Plan) -> str:
    needed = sum(v.needed for v in plan.variants)
    verb = "are" if needed != 1 else "is"
    return f"{replicas(needed)} {verb} needed, {plan.desired} chosen, {plan.ready} ready."


def _expected(plan: Plan, objective: Objective) -> str:
    expected = plan.prediction
    if isinstance(expected, Missing):
        return ""
    return (
        f"Expected with {replicas(expected.replicas)}: {milliseconds(expected.seconds)} "
        f"{figure_of(objective)} (objective {_threshold(objective)})."
    )


def _price(cost: PolicyCost | None, currency: str) -> str:
    if cost is None:
        return ""
    if isinstance(cost.per_hour, Missing):
        known = f"; the rest costs {_money(cost.priced_per_hour, currency)}" if cost.pools else ""
        return f"Price unknown: {'; '.join(cost.unpriced[:3])}{known}."
    if isinstance(cost.desired_per_hour, Missing) or cost.desired_per_hour == cost.per_hour:
        return f"Costs {_money(cost.per_hour, currency)}."
    return (
        f"Costs {_money(cost.per_hour, currency)}, {_money(cost.desired_per_hour, currency)} with the "
        "chosen replicas."
    )


def _money(amount: Decimal, currency: str) -> str:
    return f"{money_text(amount)} {currency}/h"


def _threshold(objective: Objective) -> str:
    if isinstance(objective, LatencyObjective):
        return milliseconds(objective.threshold_seconds)
    return milliseconds(objective.mean_seconds)
