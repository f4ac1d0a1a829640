"""The last decision as a person would say it. Words are made here, from the values of a plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, assert_never

from inference_cost.decide.explain.emptied import emptied, saves_nothing
from inference_cost.decide.explain.one_fewer import why_not_fewer, worth
from inference_cost.decide.explain.room import room
from inference_cost.decide.explain.sentences import (
    FINDINGS,
    LIMITS,
    keeps_one_unseen,
    reason_sentence,
)
from inference_cost.decide.explain.starts import starts
from inference_cost.decide.explain.words import (
    count,
    money,
    percent,
    rate,
    seconds,
    small_money,
    wait,
)
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import (
    Action,
    LimitedBy,
    Plan,
    Profile,
    ProfileSource,
    Reason,
    VariantPlan,
)
from inference_cost.model.policy import (
    DrainObjective,
    LatencyObjective,
    Objective,
    QueueTimeObjective,
)
from inference_cost.model.reading import Missing, MissingReason

LONGEST_MESSAGE: Final = 256  # of a status message


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`message` fits a status field; the other parts are whole sentences, "" where nothing is to say."""

    message: str
    seen: str
    expected: str
    chosen: str
    why_not_fewer: str
    limited: str
    cost: str
    room: str = ""
    starts: str = ""
    findings: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """For a terminal, in the order a person would tell it."""
        parts = (
            self.seen,
            self.expected,
            self.chosen,
            self.why_not_fewer,
            self.limited,
            self.room,
            self.starts,
            self.cost,
            self.findings,
        )
        return tuple(part for part in parts if part)


def explain(plan: Plan, observation: PolicyObservation) -> Explanation:
    objective = observation.policy.objective
    chosen = _chosen(plan)
    limited = _limited(plan, observation)
    why, empty = why_not_fewer(plan, objective), emptied(plan)
    return Explanation(
        message=_message(chosen, limited, empty, why),
        seen=_seen(plan, objective),
        expected=_expected(plan, objective),
        chosen=chosen,
        why_not_fewer=" ".join(sentence for sentence in (why, worth(plan)) if sentence),
        limited=limited,
        cost=" ".join(sentence for sentence in (_cost(plan), empty) if sentence),
        room=room(plan, observation.policy.objective),
        starts=starts(plan),
        findings=_findings(plan, observation),
    )


def _message(chosen: str, *sentences: str) -> str:
    """As many whole sentences as fit."""
    message = chosen
    for sentence in sentences:
        if sentence and len(message) + 1 + len(sentence) <= LONGEST_MESSAGE:
            message = f"{message} {sentence}"
    return message[:LONGEST_MESSAGE]


def _seen(plan: Plan, objective: Objective) -> str:
    running = f"{count(plan.ready, 'replica')} of {plan.current} ready"
    if isinstance(plan.demand, Missing):
        return f"Seen: {running}; the load is not known ({_missing(plan.demand)})."
    load = f"{rate(plan.demand.now)}"
    if plan.demand.censored:
        load = f"at least {load}, more than the ready replicas can take"
    waiting = (
        f"; {plan.demand.backlog:.0f} requests wait in line" if plan.demand.backlog >= 1 else ""
    )
    return f"Seen: {load}, {running}{waiting}. {_attained(plan, objective)}"


def _attained(plan: Plan, objective: Objective) -> str:
    if isinstance(plan.attainment, Missing):
        return "Whether the objective is met is not measured."
    share = percent(plan.attainment.fraction)
    match objective:
        case LatencyObjective():
            return (
                f"{share} of the requests finished within {seconds(objective.threshold_seconds)}, "
                f"the objective is {percent(objective.target_fraction)}."
            )
        case QueueTimeObjective():
            met = "below" if plan.attainment.fraction >= 1 else "above"
            return (
                f"The mean queue time is {met} the objective of {seconds(objective.mean_seconds)}."
            )
        case DrainObjective():
            return (
                f"{share} of the requests waited at most {wait(objective.within_seconds)}, "
                "the objective is all of them."
            )
        case _ as unknown:
            assert_never(unknown)


def _expected(plan: Plan, objective: Objective) -> str:
    if isinstance(plan.demand, Missing):
        return ""
    demand = (
        f"Expected: up to {rate(plan.demand.forecast)} before a replica ordered now could serve"
    )
    if isinstance(plan.profile, Missing):
        return f"{demand}. What one replica can carry is not known yet."
    carries = f"One replica carries {rate(plan.profile.load_per_replica)}"
    return f"{demand}. {carries} {_within(objective)}{_how(plan.profile)}."


def _findings(plan: Plan, observation: PolicyObservation) -> str:
    """What is worth knowing about the model or its server, whatever was chosen."""
    return _sentences(plan, observation, findings=True)


def _within(objective: Objective) -> str:
    match objective:
        case LatencyObjective():
            return (
                f"with {percent(objective.target_fraction)} of the requests within "
                f"{seconds(objective.threshold_seconds)}"
            )
        case QueueTimeObjective():
            return f"with a mean queue time of {seconds(objective.mean_seconds)}"
        case DrainObjective():
            return "with full batches"
        case _ as unknown:
            assert_never(unknown)


def _how(profile: Profile) -> str:
    if profile.source is ProfileSource.LARGEST_SEEN:
        return " (the most seen so far while the objective held)"
    full = profile.alpha_seconds + profile.beta_seconds * profile.max_batch_size
    return (
        f" (a batch of {profile.max_batch_size} takes {seconds(full)}, "
        f"known to {percent(profile.error_fraction)})"
    )


def _chosen(plan: Plan) -> str:
    if plan.limited_by is LimitedBy.NO_TARGET:
        return "Nothing is scaled."
    where = _where(plan)
    subject = "Would " if not plan.write and plan.action is not Action.HOLD else ""
    match plan.action:
        case Action.HOLD:
            if any(variant.current != variant.desired for variant in plan.variants):
                return f"Move some of {count(plan.current, 'replica')}{where}."
            return f"Keep {count(plan.current, 'replica')}{where}."
        case Action.SCALE_OUT:
            words = f"go from {plan.current} to {count(plan.desired, 'replica')}{where}."
        case Action.SCALE_IN:
            words = f"go down from {plan.current} to {count(plan.desired, 'replica')}{where}."
    return f"{subject}{words}" if subject else words.capitalize()


def _where(plan: Plan) -> str:
    """Of several variants: how many of each."""
    if len(plan.variants) == 1:
        return ""
    return f" ({', '.join(f'{one.desired} {one.variant}' for one in plan.variants)})"


def _limited(plan: Plan, observation: PolicyObservation) -> str:
    sentences = (
        _sentences(plan, observation, findings=False),
        LIMITS[plan.limited_by](plan, observation),
    )
    return " ".join(sentence for sentence in sentences if sentence)


def _sentences(plan: Plan, observation: PolicyObservation, *, findings: bool) -> str:
    return " ".join(
        reason_sentence(reason, plan, observation)
        for reason in plan.reasons
        if _is_finding(reason, plan) is findings
    )


def _is_finding(reason: Reason, plan: Plan) -> bool:
    """What limits the decision belongs to it, wherever it comes from."""
    last = keeps_one_unseen(plan) or plan.limited_by is LimitedBy.STABILIZATION
    limits = reason.code == "zero-unseen" and last
    return reason.code in FINDINGS and not limits


def _cost(plan: Plan) -> str:
    price = plan.replica_price_per_hour
    if not plan.current and not plan.desired:
        return "Cost: nothing while no replica runs."
    if isinstance(price, Missing):
        return "Cost: not known, because no price is known for the nodes the replicas run on."
    if len(plan.variants) > 1:
        return _cost_of_variants(plan.variants)
    now = money(price * plan.desired)
    change = price * (plan.desired - plan.current)
    words = f"Cost: {now} per hour"
    if change and not saves_nothing(plan):
        more = "more" if change > 0 else "less"
        words += f", {money(abs(change))} {more} than now"
    return f"{words}; one replica is {money(price)} per hour."


def _cost_of_variants(variants: Sequence[VariantPlan]) -> str:
    priced = [(one, Decimal(str(one.price_per_hour))) for one in variants if one.price_per_hour]
    total = sum((price * one.desired for one, price in priced), Decimal(0))
    each = ", ".join(f"{one.variant} {small_money(price)}" for one, price in priced)
    unknown = ", ".join(one.variant for one in variants if not one.price_per_hour)
    besides = f", and what {unknown} costs" if unknown else ""
    return f"Cost: {money(total)} per hour{besides}; one replica per hour is {each}."


def _missing(missing: Missing) -> str:
    if missing.detail:
        return missing.detail
    return _MISSING.get(missing.reason, missing.reason.value)


_MISSING: Final = {
    MissingReason.SOURCE_UNREACHABLE: "the metrics source does not answer",
    MissingReason.UNAUTHORIZED: "the metrics source refused our credentials",
    MissingReason.QUERY_FAILED: "the metrics query failed",
    MissingReason.EMPTY_RESULT: "no metrics of these pods were found",
    MissingReason.STALE: "the metrics are too old",
    MissingReason.NOT_FINITE: "the metrics make no sense",
    MissingReason.PARTIAL: "too few pods report metrics",
    MissingReason.WARMING_UP: "the pods have just become ready",
    MissingReason.NO_READY_PODS: "no pod is ready",
    MissingReason.NO_TRAFFIC: "there was no request",
    MissingReason.NOT_EXPORTED: "it is not exported",
    MissingReason.NOT_CONFIGURED: "it is not configured",
    MissingReason.NOT_LEARNED: "not learned yet",
    MissingReason.MODEL_NOT_LOADED: "the model is not loaded",
}
