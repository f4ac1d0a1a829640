"""The rule that is followed and those it was chosen from, for people."""

from inference_cost.decide.headroom.learned import (
    ACCEPTED,
    AGE,
    COST_AT,
    DEMAND,
    LATE_AT,
    LESS,
    LESS_COST,
    LESS_LATE,
    MEAN,
    NUMBERS,
    PRICE,
    RULE,
    RULE_COST,
    RULE_LATE,
    SECOND,
    SECOND_COST,
    SECOND_LATE,
    Floats,
)
from inference_cost.decide.headroom.rules import RULES, Rule
from inference_cost.decide.headroom.shadow import BUCKETS_PER_START
from inference_cost.decide.headroom.takeover import average_rule, clearly_cheaper
from inference_cost.model.memory import TakeOver
from inference_cost.model.plan import HeadroomChoice, HeadroomRule, Profile, ReplacedRule


def described(
    vector: Floats,
    take_over: TakeOver | None,
    start_up_seconds: float,
    profile: Profile,
    allowed: float,
) -> HeadroomChoice:
    """`allowed`: share of requests that may be late. A rule was chosen before."""
    numbers: list[float] = vector[:NUMBERS].tolist()
    bucket = start_up_seconds / BUCKETS_PER_START
    return HeadroomChoice(
        followed=_rule(numbers, bucket, RULE, RULE_LATE, RULE_COST),
        runner_up=_rule(numbers, bucket, SECOND, SECOND_LATE, SECOND_COST),
        less=_rule(numbers, bucket, LESS, LESS_LATE, LESS_COST) if numbers[LESS] >= 0 else None,
        rules=len(RULES),
        allowed_fraction=allowed,
        accepted_fraction=numbers[ACCEPTED],
        seen_seconds=numbers[AGE],
        filled_replicas=numbers[MEAN] / profile.load_per_replica,
        late_price_replica_seconds=numbers[PRICE] / profile.load_per_replica,
        replaced=_replaced(vector, take_over, bucket, profile, allowed),
    )


def _rule(numbers: list[float], bucket: float, number: int, late: int, cost: int) -> HeadroomRule:
    return _told(RULES[int(numbers[number])], bucket, numbers[late], numbers[cost])


def _replaced(
    vector: Floats, take_over: TakeOver | None, bucket: float, profile: Profile, allowed: float
) -> ReplacedRule | None:
    """While what was told of it still holds for the rule that is followed now."""
    followed = int(vector[RULE])
    if take_over is None or not clearly_cheaper(vector, followed, take_over.replaced, allowed):
        return None
    other = take_over.replaced
    each = profile.load_per_replica / vector[DEMAND]
    dearer, cost = vector[COST_AT + other] * each, vector[COST_AT + followed] * each
    late = vector[LATE_AT + other] / vector[DEMAND]
    return ReplacedRule(
        rule=_told(RULES[other], bucket, float(late), float(dearer)),
        saved=float(dearer - cost),
        average=other == average_rule(allowed),
        at=take_over.at,
    )


def _told(rule: Rule, bucket: float, late: float, cost: float) -> HeadroomRule:
    return HeadroomRule(
        load_fraction=rule.load,
        deviations=rule.deviations,
        hold_seconds=rule.hold * bucket,
        late_fraction=late,
        cost=cost,
    )
