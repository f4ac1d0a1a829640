"""When another rule is followed than before because it is clearly cheaper: for people, at most once a day.

Rules are chosen anew all the time, mostly among such as cost nearly the same. What is told is a rule that a day or
more of this demand shows to cost less than nine tenths of the one told before, both within the objective. Before
any was told, that is the rule which suits an average service.
"""

from functools import lru_cache
from typing import Final

from inference_cost.decide.headroom.choice import ALLOWED_AVERAGE, cheapest
from inference_cost.decide.headroom.learned import AGE, COST_AT, DEMAND, LATE_AT, RULE, Floats
from inference_cost.decide.headroom.rules import PRIOR_COST, PRIOR_LATE
from inference_cost.model.memory import TakeOver

CLEARLY: Final = 1.1  # times as dear
A_DAY: Final = 86_400.0  # seconds of evidence, and from one to the next
AVERAGES_KEPT: Final = 256


def taken_over(
    before: TakeOver | None, vector: Floats, allowed: float, at: float
) -> TakeOver | None:
    """The last one, or one of now."""
    if vector[AGE] < A_DAY or (before is not None and 0 <= at - before.at < A_DAY):
        return before
    rule, told = int(vector[RULE]), average_rule(allowed) if before is None else before.rule
    if not clearly_cheaper(vector, rule, told, allowed):
        return before
    return TakeOver(rule=rule, replaced=told, at=at)


def clearly_cheaper(vector: Floats, rule: int, other: int, allowed: float) -> bool:
    """By a day or more of the record alone. `allowed`: share of requests that may be late, with either."""
    if rule == other or vector[AGE] < A_DAY or vector[DEMAND] <= 0:
        return False
    late = max(vector[LATE_AT + rule], vector[LATE_AT + other])
    if late > allowed * vector[DEMAND]:
        return False
    return bool(vector[COST_AT + other] > CLEARLY * vector[COST_AT + rule])


@lru_cache(maxsize=AVERAGES_KEPT)
def average_rule(allowed: float) -> int:
    """What is followed before anything is known of the demand, as `choice.py` chooses it."""
    rule, _ = cheapest(PRIOR_COST, PRIOR_LATE, ALLOWED_AVERAGE * allowed, allowed)
    return rule
