"""The rules that are tried, and what is expected of each before there is a record."""

from inference_cost.decide.headroom.learned import BUCKETS
from inference_cost.decide.headroom.rules import (
    BASE_OF,
    BASES,
    HOLD_OF,
    LOAD_OF,
    PRIOR_COST,
    PRIOR_LATE,
    RULES,
)


def test_no_rule_is_there_twice_and_none_holds_longer_than_is_remembered() -> None:
    assert len(set(RULES)) == len(RULES)
    assert HOLD_OF.max() <= BUCKETS
    assert set(BASE_OF.tolist()) == set(range(BASES))
    assert LOAD_OF.max() == 1.0


def test_more_room_or_a_longer_hold_costs_more_and_is_late_less() -> None:
    for i, one in enumerate(RULES):
        for j, other in enumerate(RULES):
            roomier = (one.base > 0) == (other.base > 0) and (
                other.deviations >= one.deviations
                and other.load <= one.load
                and other.hold >= one.hold
            )
            if roomier and one != other:
                assert PRIOR_COST[j] > PRIOR_COST[i]
                assert PRIOR_LATE[j] < PRIOR_LATE[i]
