"""When a rule that is clearly cheaper than the one told before is followed."""

from dataclasses import dataclass

import pytest

from inference_cost.decide.headroom import choice
from inference_cost.decide.headroom.learned import AGE, DEMAND, RULE, Floats, new_vector, views
from inference_cost.decide.headroom.rules import RULES, Rule
from inference_cost.decide.headroom.takeover import A_DAY, average_rule, taken_over
from inference_cost.model.memory import TakeOver
from tests.unit.decide.headroom.cases import MIDNIGHT, look, nothing_learned, serving

ALLOWED = 0.01
REQUESTS = 1e7
AVERAGE = average_rule(ALLOWED)
SIXTY = RULES.index(Rule(0, 0.6, 10))
EIGHTY = RULES.index(Rule(0, 0.8, 5))


@pytest.mark.parametrize("allowed", [0.1, 0.05, 0.01, 0.005, 0.001, 0.0001])
def test_the_average_rule_is_the_one_followed_before_anything_is_known(allowed: float) -> None:
    assert average_rule(allowed) == choice.choose(
        nothing_learned(), look(100.0), serving(), allowed, 0.0
    )


def record(followed: int, costs: dict[int, float], late: dict[int, float], age: float) -> Floats:
    """All rules cost 2 and are never late but for these."""
    vector = new_vector()
    learned = views(vector)
    vector[AGE], vector[DEMAND], vector[RULE] = age, REQUESTS, followed
    learned.cost[:], learned.late[:] = 2.0 * REQUESTS, 0.0
    for rule, cost in costs.items():
        learned.cost[rule] = cost * REQUESTS
    for rule, share in late.items():
        learned.late[rule] = share * REQUESTS
    return vector


@dataclass(frozen=True, kw_only=True)
class Row:
    followed: int = SIXTY
    cost: float = 1.7  # of the rule followed; all others cost 2
    late: float = 0.009
    late_before: float = 0.0
    age: float = A_DAY
    before: TakeOver | None = None
    want: TakeOver | None = None


def told(rule: int, replaced: int, at: float = MIDNIGHT) -> TakeOver:
    return TakeOver(rule=rule, replaced=replaced, at=at)


YESTERDAY = told(EIGHTY, AVERAGE, MIDNIGHT - A_DAY)
AN_HOUR_AGO = told(EIGHTY, AVERAGE, MIDNIGHT - 3600.0)
ROWS = {
    "a day of record, 15 % cheaper": Row(want=told(SIXTY, AVERAGE)),
    "less than a day of record": Row(age=A_DAY - 15.0),
    "9 % cheaper": Row(cost=2.0 / 1.09),
    "11 % cheaper": Row(cost=2.0 / 1.11, want=told(SIXTY, AVERAGE)),
    "cheaper, and late too often": Row(late=0.011),
    "cheaper than a rule that is late too often": Row(late_before=0.011),
    "what suits an average service is followed": Row(followed=AVERAGE),
    "cheaper than what was told yesterday": Row(before=YESTERDAY, want=told(SIXTY, EIGHTY)),
    "told a moment ago": Row(before=AN_HOUR_AGO, want=AN_HOUR_AGO),
    "what was told yesterday is followed still": Row(
        followed=EIGHTY, before=YESTERDAY, want=YESTERDAY
    ),
    "told by a clock that was ahead": Row(
        before=told(EIGHTY, AVERAGE, MIDNIGHT + 3600.0), want=told(SIXTY, EIGHTY)
    ),
    "back to what suits an average service": Row(
        followed=AVERAGE, before=YESTERDAY, want=told(AVERAGE, EIGHTY)
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_taken_over(name: str) -> None:
    row = ROWS[name]
    dearer = AVERAGE if row.before is None else row.before.rule
    late = {dearer: row.late_before, row.followed: row.late}
    vector = record(row.followed, {row.followed: row.cost}, late, row.age)
    assert taken_over(row.before, vector, ALLOWED, MIDNIGHT) == row.want


def test_nothing_learned_takes_nothing_over() -> None:
    assert taken_over(None, new_vector(), ALLOWED, MIDNIGHT) is None
