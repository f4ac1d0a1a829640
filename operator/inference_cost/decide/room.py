"""Why so much room is kept above the demand, in words."""

from decimal import Decimal
from typing import Final

from inference_cost.decide.words import duration, money_per_day, percent
from inference_cost.model.plan import HeadroomChoice, HeadroomRule, Plan
from inference_cost.model.reading import Missing

A_RECORD: Final = 3600.0  # seconds; before, what other services need weighs more


def room(plan: Plan) -> str:
    """The rule that is followed, the runner-up, and what less room would do; "" where none was chosen."""
    choice = plan.headroom
    if isinstance(choice, Missing):
        return ""
    sentences = (_followed(choice), _runner_up(choice, plan), _less(choice, plan))
    return " ".join(sentence for sentence in sentences if sentence)


def _followed(choice: HeadroomChoice) -> str:
    late, rule = percent(choice.followed.late_fraction), _rule(choice.followed)
    known_long = choice.seen_seconds >= A_RECORD
    if known_long and choice.followed.late_fraction > choice.allowed_fraction:
        return (
            f"Room: {rule}. None of {choice.rules} rules tried on this load keeps the objective at a price worth "
            f"paying; this one is late in {late} of the requests."
        )
    allowed = percent(choice.allowed_fraction)
    cheapest = (
        f"Room: {rule}; of {choice.rules} rules tried on this load the cheapest that is late in"
    )
    seen = duration(choice.seen_seconds)
    if not known_long:
        return f"{cheapest} about {allowed} of an average service's requests (this load was seen for {seen} only)."
    return f"{cheapest} at most {allowed} of the requests ({late} by {seen} of this load)."


def _rule(rule: HeadroomRule) -> str:
    held = f"kept for {duration(rule.hold_seconds)}"
    if rule.deviations:
        return f"{rule.deviations:g} times what the forecast usually misses by, above the expected load, {held}"
    return f"replicas at {percent(rule.load_fraction)} of what they carry, {held}"


def _runner_up(choice: HeadroomChoice, plan: Plan) -> str:
    rule = choice.runner_up
    return (
        f"Second best: {_rule(rule)}, {_difference(rule, choice, plan)}, "
        f"{percent(rule.late_fraction)} late."
    )


def _less(choice: HeadroomChoice, plan: Plan) -> str:
    rule = choice.less
    if rule is None:
        return ""
    near = ", too near the objective" if rule.late_fraction <= choice.allowed_fraction else ""
    return f"With {_rule(rule)}: {_difference(rule, choice, plan)}, but {percent(rule.late_fraction)} late{near}."


def _difference(rule: HeadroomRule, choice: HeadroomChoice, plan: Plan) -> str:
    more = rule.cost - choice.followed.cost
    word = "more" if more >= 0 else "less"
    price = plan.replica_price_per_hour
    if isinstance(price, Missing):
        return f"{percent(abs(more) / choice.followed.cost)} {'more' if more >= 0 else 'fewer'} replicas"
    replicas = Decimal(str(round(abs(more) * choice.filled_replicas, 6)))
    return f"{money_per_day(replicas * price)} {word}"
