"""Policies that share a pool with limits: who gets its room, and what the others are told."""

from dataclasses import replace

import pytest

from inference_cost.model.plan import LimitedBy
from inference_cost.model.policy import Mode, Pause
from inference_cost.model.workload import Pool
from tests.unit.decide.joint.teams import (
    Team,
    decided,
    limited,
    orders,
)

A, B = Team(name="a", needs=2, safe=2), Team(name="b", needs=2, safe=2)
# Nowhere else to go.
A_ALONE = Team(name="a", needs=2, spot=1, safe_most=0)
B_ALONE = Team(name="b", needs=2, spot=1, safe_most=0)
FIVE = {"priority": 5}
IN_RECOMMEND = {"mode": Mode.RECOMMEND}

# Sentence: (policies, pools) → orders of spot and on demand.
SHARED: dict[str, tuple[tuple[Team, ...], Pool, dict[str, tuple[int, int]]]] = {
    "there is room for all": ((A, B), limited(4), {"a": (2, 2), "b": (2, 2)}),
    "there is room for three of four: what one of them does not get there it keeps elsewhere": (
        (replace(A, fields=FIVE), B),
        limited(3),
        {"a": (2, 2), "b": (1, 2)},
    ),
    "higher priority gets the room, whoever else asks": (
        (replace(A, fields=FIVE), B),
        limited(2),
        {"a": (2, 2), "b": (0, 2)},
    ),
    "the priority of the pods counts as well": (
        (replace(A, priority=5), B),
        limited(2),
        {"a": (2, 2), "b": (0, 2)},
    ),
    "the policy's own word goes before that of its pods": (
        (replace(A, priority=5, fields={"priority": 0}), replace(B, fields={"priority": 1})),
        limited(2),
        {"a": (0, 2), "b": (2, 2)},
    ),
    "who has no other place comes before who has": (
        (A, replace(B_ALONE, needs=3)),
        limited(3),
        {"a": (0, 2), "b": (3, 0)},
    ),
    "where there is too little for all each gets a like share": (
        (replace(A_ALONE, needs=6), replace(B_ALONE, needs=3)),
        limited(6),
        {"a": (4, 0), "b": (2, 0)},
    ),
    "what others use is taken": (
        (A, replace(B, fields=FIVE)),
        limited(3, others=2.0),
        {"a": (0, 2), "b": (1, 2)},
    ),
    "what is there stays, however full": (
        (replace(A_ALONE, spot=3), replace(B_ALONE, fields=FIVE)),
        limited(2),
        {"a": (2, 0), "b": (1, 0)},
    ),
    "who came first does not make room for a higher priority that has another place": (
        (Team(name="a", needs=3, spot=3), replace(B, fields=FIVE)),
        limited(3),
        {"a": (3, 0), "b": (0, 2)},
    ),
    "who can run elsewhere makes room for who cannot, made before broken": (
        (Team(name="a", needs=3, spot=3), replace(B_ALONE, spot=0)),
        limited(3),
        {"a": (3, 2), "b": (0, 0)},
    ),
    "a limit on the cost per hour holds as well": (
        (A, replace(B, fields=FIVE)),
        limited(per_hour="0.95"),
        {"a": (1, 2), "b": (2, 2)},
    ),
    "a pool that is closed takes nobody": ((A, B), limited(0), {"a": (0, 2), "b": (0, 2)}),
    "a pause is a user's order, and what it keeps there takes room": (
        (
            Team(name="a", needs=2, spot=2, fields={"pause": Pause(source="policy")}),
            B,
        ),
        limited(3),
        {"a": (2, 0), "b": (1, 2)},
    ),
    "who only recommends takes no room from who acts, and what it has is taken": (
        (Team(name="a", needs=2, spot=1, safe=1, fields=IN_RECOMMEND | FIVE), B),
        limited(2),
        {"a": (1, 1), "b": (1, 2)},
    ),
    "those who recommend share what is left among them": (
        (replace(A, fields=IN_RECOMMEND), replace(B, fields=IN_RECOMMEND | FIVE)),
        limited(3),
        {"a": (1, 1), "b": (2, 0)},
    ),
}


@pytest.mark.parametrize("sentence", SHARED)
def test_shared(sentence: str) -> None:
    teams, pool, expected = SHARED[sentence]
    decisions = decided(teams, pool)
    for plan in decisions.plans.values():
        assert plan.limited_by is not LimitedBy.INTERNAL_ERROR, plan.reasons
    assert orders(decisions) == expected
