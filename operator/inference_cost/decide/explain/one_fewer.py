"""Why not one replica fewer, in words: what would be late, what that counts like, and what it would save."""

from decimal import Decimal
from typing import Final

from inference_cost.decide.deadline.fluid import AIM
from inference_cost.decide.explain.room import A_RECORD
from inference_cost.decide.explain.words import (
    count,
    many,
    money,
    percent,
    rate,
    seconds,
    small_money,
    wait,
)
from inference_cost.decide.latency.loads import OVERLOADED_SECONDS
from inference_cost.model.plan import Demand, HeadroomChoice, LimitedBy, Plan, Prediction
from inference_cost.model.policy import (
    DrainObjective,
    LatencyObjective,
    Objective,
    ServiceObjective,
)
from inference_cost.model.reading import Missing

HOUR: Final = 3600.0


def why_not_fewer(plan: Plan, objective: Objective) -> str:
    fewer = plan.one_fewer
    if isinstance(fewer, Missing) or isinstance(plan.demand, Missing):
        return ""
    if isinstance(objective, DrainObjective):
        return _wait_among(fewer, objective)
    if fewer.meets_objective:
        return _spare(plan, objective, fewer)
    return _grows(plan, fewer, plan.demand) or f"{_missed(plan, objective, fewer, plan.demand)}."


def worth(plan: Plan) -> str:
    """How many more would be late with one fewer, at what price, and what it would save; "" where not known."""
    fewer, chosen, demand = plan.one_fewer, plan.prediction, plan.demand
    if isinstance(fewer, Missing) or isinstance(chosen, Missing) or isinstance(demand, Missing):
        return ""
    if fewer.meets_objective:
        return ""
    more = _more_late_per_hour(fewer, chosen, demand)
    if more < 1:
        return ""
    number = count(chosen.replicas, "replica")
    late = f"{many(more)} more requests per hour would be late than with {number}"
    return f"{late}{_priced(plan, more)}."


def _more_late_per_hour(fewer: Prediction, chosen: Prediction, demand: Demand) -> float:
    """While as many come as is expected; 0 where it is not known."""
    if isinstance(fewer.late_fraction, Missing) or isinstance(chosen.late_fraction, Missing):
        return 0.0
    return HOUR * demand.forecast * (fewer.late_fraction - chosen.late_fraction)


def _priced(plan: Plan, more: float) -> str:
    saved, choice = plan.replica_price_per_hour, plan.headroom
    if isinstance(saved, Missing):
        return ""
    saves = f"to save {money(saved)} per hour"
    if isinstance(choice, Missing):
        return f", {saves}"
    each = saved * Decimal(str(choice.late_price_replica_seconds / HOUR))
    price = f"the {small_money(1000 * each)} per 1,000 that {_whose(choice)} puts on late ones"
    lost = each * Decimal(str(more))
    told = f": {money(lost)} at {price}, {saves}"
    if lost >= saved:
        return told
    if choice.followed.late_fraction <= choice.accepted_fraction:
        return f"{told}. The objective decides, not the price"
    return f"{told}. What days showed decides, not this moment"


def _whose(choice: HeadroomChoice) -> str:
    if choice.seen_seconds >= A_RECORD:
        return "the record of this load"
    return "an average service"


def _wait_among(fewer: Prediction, objective: DrainObjective) -> str:
    """Where one fewer keeps well within the deadline, what limits the plan says why it stays."""
    within = objective.within_seconds
    if fewer.seconds <= AIM * within:
        return ""
    near = "too near" if fewer.meets_objective else "above"
    number = count(fewer.replicas, "replica")
    return (
        f"With {number} the longest wait would be {wait(fewer.seconds)}, {near} "
        f"the {wait(within)} of the objective."
    )


def _spare(plan: Plan, objective: ServiceObjective, fewer: Prediction) -> str:
    """One fewer would do by the model: name what keeps it."""
    number = count(fewer.replicas, "replica")
    if plan.limited_by is LimitedBy.NOTHING:
        if isinstance(plan.headroom, Missing):
            return ""
        return (
            f"{number.capitalize()} would do for the expected load ({_percentile(objective, fewer)}); "
            "what is above is room for what is not expected."
        )
    return f"{number.capitalize()} would do: {_percentile(objective, fewer)}."


def _grows(plan: Plan, fewer: Prediction, demand: Demand) -> str:
    """Of a load beyond capacity; "" where it is not. Where only the margin says so, what is likeliest is told."""
    if isinstance(plan.profile, Missing):
        return ""
    number, used = (
        count(fewer.replicas, "replica"),
        demand.forecast / (fewer.replicas * plan.profile.capacity_per_replica),
    )
    if used >= 1:
        return f"{rate(demand.forecast)} would be {percent(used)} of what {number} can do, and the queue would grow."
    likely = not isinstance(fewer.late_fraction, Missing) and fewer.late_fraction < 1
    if likely or fewer.seconds < OVERLOADED_SECONDS:
        return ""
    return f"{rate(demand.forecast)} would be more than {number} can do, and the queue would grow."


def _missed(plan: Plan, objective: ServiceObjective, fewer: Prediction, demand: Demand) -> str:
    number, late = count(fewer.replicas, "replica"), fewer.late_fraction
    if isinstance(late, Missing) or not isinstance(objective, LatencyObjective):
        return f"With {number} {_percentile(objective, fewer)}, above {_threshold(objective)}"
    allowed = 1 - objective.target_fraction
    told = f"With {number} {percent(late)} of {rate(demand.forecast)} would be late"
    if late > allowed or isinstance(plan.profile, Missing):
        return f"{told}; {percent(allowed)} may be"
    known = percent(plan.profile.error_fraction)
    return f"{told}, too near the {percent(allowed)} that may be: what one carries is known to {known} only"


def _percentile(objective: ServiceObjective, prediction: Prediction) -> str:
    if isinstance(objective, LatencyObjective):
        share = percent(objective.target_fraction)
        return f"{share} of the requests would finish within {seconds(prediction.seconds)}"
    return f"the mean queue time would be {seconds(prediction.seconds)}"


def _threshold(objective: ServiceObjective) -> str:
    if isinstance(objective, LatencyObjective):
        return f"the {seconds(objective.threshold_seconds)} of the objective"
    return f"the {seconds(objective.mean_seconds)} of the objective"
