"""Why so much room is kept above the demand, in words."""

from decimal import Decimal
from typing import Final

from inference_cost.decide.explain.words import duration, money_per_day, percent
from inference_cost.decide.headroom.shadow import FADING_SECONDS
from inference_cost.model.plan import HeadroomChoice, HeadroomRule, Plan, ReplacedRule
from inference_cost.model.policy import Objective, QueueTimeObjective
from inference_cost.model.reading import Missing

A_RECORD: Final = 3600.0  # seconds; before, what other services need weighs more
REMEMBERED: Final = 2 * FADING_SECONDS  # what is older has faded to less than a quarter


def room(plan: Plan, objective: Objective) -> str:
    """The rule that is followed, the runner-up, and what less room would do; "" where none was chosen."""
    choice = plan.headroom
    if isinstance(choice, Missing):
        return ""
    sentences = (
        _followed(choice, "time" if isinstance(objective, QueueTimeObjective) else "requests"),
        _instead(choice, plan),
        _runner_up(choice, plan),
        _less(choice, plan),
    )
    return " ".join(sentence for sentence in sentences if sentence)


def take_over(plan: Plan) -> str:
    """Of the tick at which a clearly cheaper rule was found: what it replaces, for an Event; "" at any other."""
    choice = plan.headroom
    if isinstance(choice, Missing) or choice.replaced is None or choice.replaced.at != plan.at:
        return ""
    seen = _seen(choice)
    less = _less_than(choice.replaced, choice, plan)
    return (
        f"{_target(choice.followed).capitalize()}, would have {less} at the same SLO over {seen} of this load; "
        "following it."
    )


def _seen(choice: HeadroomChoice) -> str:
    if choice.seen_seconds > REMEMBERED:
        return f"the last {duration(REMEMBERED)}"
    return duration(choice.seen_seconds)


def _followed(choice: HeadroomChoice, what: str) -> str:
    """`what` may be late."""
    rule, seen = _rule(choice.followed), _seen(choice)
    late, accepted = choice.followed.late_fraction, choice.accepted_fraction
    if choice.seen_seconds < A_RECORD:
        return (
            f"Room: {rule}; of {choice.rules} rules the cheapest that is late in {percent(accepted)} of an average "
            f"service's {what}, for this load was seen for {seen} only."
        )
    if late > max(accepted, choice.allowed_fraction):
        return (
            f"Room: {rule}. None of {choice.rules} rules tried on this load keeps the objective at a price worth "
            f"paying; this one is late in {percent(late)} of the {what}."
        )
    if late > accepted:
        return (
            f"Room: {rule}; of {choice.rules} rules tried on {seen} of this load the cheapest, late {what} at the "
            f"highest price worth paying ({percent(late)} late)."
        )
    told = (
        f"Room: {rule}; of {choice.rules} rules tried on {seen} of this load the cheapest that is late in at most "
        f"{percent(accepted)} of the {what} ({percent(late)})"
    )
    return f"{told}{_why(choice)}."


def _why(choice: HeadroomChoice) -> str:
    """What is accepted is told where it is more than the objective says."""
    if choice.accepted_fraction <= choice.allowed_fraction:
        return ""
    return f", more than {percent(choice.allowed_fraction)} because less was late before"


def _rule(rule: HeadroomRule) -> str:
    held = f"kept for {duration(rule.hold_seconds)}"
    if rule.deviations:
        return f"{_times(rule)}what the forecast usually misses by, above the expected load, {held}"
    return f"replicas at {percent(rule.load_fraction)} of what they carry, {held}"


def _short(rule: HeadroomRule) -> str:
    if rule.deviations:
        return f"{_times(rule)}the forecast's usual miss, kept for {duration(rule.hold_seconds)}"
    return _rule(rule)


def _times(rule: HeadroomRule) -> str:
    return "" if rule.deviations == 1 else f"{rule.deviations:g} times "


def _target(rule: HeadroomRule) -> str:
    """In the words of those who set targets by hand."""
    held = f"kept for {duration(rule.hold_seconds)}"
    if rule.deviations:
        return f"room of {_times(rule)}what the forecast usually misses by, {held}"
    return f"a target of {percent(rule.load_fraction)} of what replicas carry, {held}"


def _instead(choice: HeadroomChoice, plan: Plan) -> str:
    if choice.replaced is None:
        return ""
    return f"This would have {_less_than(choice.replaced, choice, plan)} at the same SLO; following it."


def _less_than(replaced: ReplacedRule, choice: HeadroomChoice, plan: Plan) -> str:
    which = "what suits an average service" if replaced.average else "followed before"
    price = plan.replica_price_per_hour
    if isinstance(price, Missing):
        saved = f"needed {percent(replaced.saved / replaced.rule.cost)} fewer replicas"
    else:
        replicas = Decimal(str(round(replaced.saved * choice.filled_replicas, 6)))
        saved = f"cost {money_per_day(replicas * price)} less"
    return f"{saved} than {_short(replaced.rule)} ({which})"


def _runner_up(choice: HeadroomChoice, plan: Plan) -> str:
    rule = choice.runner_up
    near = _near(rule, choice) if rule == choice.less else ""
    return (
        f"Second best: {_short(rule)}, {_difference(rule, choice, plan)}, "
        f"{percent(rule.late_fraction)} late{near}."
    )


def _less(choice: HeadroomChoice, plan: Plan) -> str:
    rule = choice.less
    if rule is None or rule == choice.runner_up:
        return ""
    late = f"{percent(rule.late_fraction)} late{_near(rule, choice)}"
    return f"With {_short(rule)}: {_difference(rule, choice, plan)}, but {late}."


def _near(rule: HeadroomRule, choice: HeadroomChoice) -> str:
    return ", too near the objective" if rule.late_fraction <= choice.allowed_fraction else ""


def _difference(rule: HeadroomRule, choice: HeadroomChoice, plan: Plan) -> str:
    more = rule.cost - choice.followed.cost
    word = "more" if more >= 0 else "less"
    price = plan.replica_price_per_hour
    if isinstance(price, Missing):
        return f"{percent(abs(more) / choice.followed.cost)} {'more' if more >= 0 else 'fewer'} replicas"
    replicas = Decimal(str(round(abs(more) * choice.filled_replicas, 6)))
    return f"{money_per_day(replicas * price)} {word}"
