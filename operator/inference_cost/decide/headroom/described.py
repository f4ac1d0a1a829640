"""The rule that is followed and those it was chosen from, for people."""

from inference_cost.decide.headroom.learned import (
    AGE,
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
from inference_cost.decide.headroom.rules import RULES
from inference_cost.decide.headroom.shadow import BUCKETS_PER_START
from inference_cost.model.plan import HeadroomChoice, HeadroomRule, Profile


def described(
    vector: Floats, start_up_seconds: float, profile: Profile, allowed: float
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
        seen_seconds=numbers[AGE],
        filled_replicas=numbers[MEAN] / profile.load_per_replica,
        late_price_replica_seconds=numbers[PRICE] / profile.load_per_replica,
    )


def _rule(numbers: list[float], bucket: float, number: int, late: int, cost: int) -> HeadroomRule:
    rule = RULES[int(numbers[number])]
    return HeadroomRule(
        load_fraction=rule.load,
        deviations=rule.deviations,
        hold_seconds=rule.hold * bucket,
        late_fraction=numbers[late],
        cost=numbers[cost],
    )
