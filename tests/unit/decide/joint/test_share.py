"""Policies that share a pool with limits: who gets its room, and what the others are told."""

from dataclasses import replace

import pytest

from inference_cost.decide.engine import decide
from inference_cost.decide.explain.explanation import explain
from inference_cost.model.memory import Memory
from inference_cost.model.plan import LimitedBy
from inference_cost.model.policy import Mode, Pause
from inference_cost.model.workload import Pool
from tests.unit.decide.joint.teams import (
    ON_DEMAND,
    Team,
    alone,
    codes,
    decided,
    limited,
    memory_of,
    orders,
    seen,
)
from tests.unit.decide.worlds import NOON, key, learned

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
    "what serves stays, whatever the priority of others who want its room": (
        (Team(name="a", needs=4, spot=4, safe_most=0), replace(B_ALONE, fields=FIVE)),
        limited(5),
        {"a": (4, 0), "b": (1, 0)},
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
    "where a pool is fuller than its limit nobody waits for what others leave": (
        (Team(name="a", needs=1, spot=3), Team(name="b", needs=3, safe=1, fields=FIVE)),
        limited(2),
        {"a": (1, 0), "b": (0, 3)},
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


def test_a_loser_is_told_who_has_the_room_and_what_it_costs() -> None:
    teams = (replace(A, fields=FIVE), B)
    decisions = decided(teams, limited(2))
    plan = decisions.plans[key("b")]
    told = explain(plan, seen(teams, limited(2)).observations[1]).limited
    assert "CapacityPool spot has no room for all: limits.nodes allows 2 nodes." in told
    assert "It is taken by shop/a, of higher priority." in told
    assert "costs $1.76 per hour more" in told  # two times 0.90, less two starts on spot
    assert "does not pay" not in told
    assert "pool-short" not in codes(plan)
    assert plan.limited_by is not LimitedBy.POOL_LIMIT  # all that are needed run
    winner = decisions.plans[key("a")]
    assert "pool-full" not in codes(winner)


def test_who_has_nowhere_to_go_is_told_how_many_are_missing() -> None:
    teams = (replace(A_ALONE, needs=4, spot=3), replace(B_ALONE, needs=4, spot=3, fields=FIVE))
    plan = decided(teams, limited(7)).plans[key("a")]
    assert plan.limited_by is LimitedBy.POOL_LIMIT
    assert plan.action.value == "Hold"
    told = explain(plan, seen(teams, limited(7)).observations[0]).limited
    assert "1 replica fewer than needed" in told
    assert not isinstance(plan.prediction, str)
    assert plan.prediction.replicas == 3  # type: ignore[union-attr] # what is really to run


def test_without_limits_each_decides_as_if_there_were_no_others() -> None:
    """But for what they know of the pool together."""
    teams = (A, replace(B, fields=FIVE))
    together = decided(teams, unlimited())
    for team in teams:
        alone = decided((team,), unlimited())
        assert orders(alone)[team.name] == orders(together)[team.name]
        assert codes(alone.plans[key(team.name)]) == codes(together.plans[key(team.name)])
    assert together.memory.shared == ()
    roomy = decided(teams, limited(1000, "1000"))
    assert dict(roomy.plans) == dict(together.plans)
    assert roomy.memory.policies == together.memory.policies


def unlimited() -> Pool:
    return replace(limited(1), limits=None)


def test_what_was_shared_out_stands_while_nobody_asks_for_anything_else() -> None:
    """What is learned of losses meanwhile moves nobody to and fro; after five minutes it counts."""
    first = decided((A, B), limited(3))
    again = decide(seen((A, B), limited(3), at=NOON + 15.0), first.memory)
    assert again.memory.shared == first.memory.shared
    later = decide(seen((A, B), limited(3), at=NOON + 330.0), first.memory)
    assert later.memory.shared[0].at == NOON + 330.0
    more = decide(seen((A, replace(B, needs=3)), limited(3), at=NOON + 15.0), first.memory)
    assert more.memory.shared[0].at == NOON + 15.0
    wider = decide(seen((A, B), limited(2), at=NOON + 15.0), first.memory)
    assert wider.memory.shared[0].at == NOON + 15.0


def test_a_policy_without_a_pod_keeps_the_priority_of_those_it_had() -> None:
    first = decided((replace(A_ALONE, priority=5), replace(B_ALONE, spot=0)), limited(4))
    nobody = (replace(A_ALONE, spot=0), replace(B_ALONE, spot=0))
    shot = seen(nobody, limited(2), at=NOON + 15.0)
    assert orders(decide(shot, first.memory)) == {"a": (2, 0), "b": (0, 0)}
    assert orders(decide(shot, memory_of(nobody))) == {"a": (1, 0), "b": (1, 0)}


def test_policies_that_share_no_pool_are_no_concern_of_each_other() -> None:
    """Two groups of one each: the limit that binds one leaves the other as it is."""
    other = replace(limited(1, node=ON_DEMAND), name="g6")
    shot = seen((A,), limited(1))
    apart = alone("c", 2, 1)
    shot = replace(
        shot,
        observations=(*shot.observations, apart),
        pools={**shot.pools, "g6": replace(other, limits=None)},
    )
    memory = Memory(policies={**memory_of((A,)).policies, key("c"): learned(needs=2)})
    assert orders(decide(shot, memory)) == {"a": (1, 2), "c": (2,)}


@pytest.mark.parametrize(
    ("room", "expected"),
    [(8, {"c": (3,), "d": (5,)}), (6, {"c": (2,), "d": (4,)}), (3, {"c": (1,), "d": (3,)})],
)
def test_workloads_of_one_pool_share_it_too(room: int, expected: dict[str, tuple[int]]) -> None:
    """Of three and five that are needed; what is there stays."""
    pool = limited(room, node=ON_DEMAND)
    shot = replace(
        seen((), pool), observations=(alone("c", 3, 1), alone("d", 5, 3)), pools={"g6": pool}
    )
    memory = Memory(policies={key("c"): learned(needs=3), key("d"): learned(needs=5)})
    assert orders(decide(shot, memory)) == expected


def test_of_a_workload_that_may_run_anywhere_only_what_is_there_counts() -> None:
    anywhere = alone("c", 4, 2, pool="")
    pods = anywhere.workloads[0].pods  # type: ignore[union-attr]
    scattered = replace(anywhere.workloads[0], pods=(replace(pods[0], node="spot"), pods[1]))  # type: ignore[type-var]
    shot = seen((replace(B, fields=FIVE),), limited(2))
    shot = replace(
        shot,
        observations=(*shot.observations, replace(anywhere, workloads=(scattered,))),
    )
    memory = Memory(policies={**memory_of((B,)).policies, key("c"): learned(needs=4)})
    assert orders(decide(shot, memory)) == {"b": (1, 2), "c": (4,)}


def test_an_error_in_sharing_out_adds_nobody_in_such_pools(monkeypatch: pytest.MonkeyPatch) -> None:
    """And leaves all others as they are."""
    monkeypatch.setattr("inference_cost.decide.joint.share.solve", None)
    shot = seen((A, B), limited(3))
    shot = replace(shot, observations=(*shot.observations, alone("c", 2, 1, pool="")))
    memory = Memory(policies={**memory_of((A, B)).policies, key("c"): learned(needs=2)})
    decisions = decide(shot, memory)
    assert orders(decisions) == {"a": (0, 2), "b": (0, 2), "c": (2,)}
    assert decisions.plans[key("a")].limited_by is LimitedBy.INTERNAL_ERROR


def test_an_error_in_sharing_out_holds_those_that_run_there_without_naming_the_pool_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("inference_cost.decide.joint.share.solve", None)
    pool, there = limited(3, node=ON_DEMAND), alone("c", 4, 2, pool="")
    shot = replace(seen((), pool), observations=(there,), pools={"g6": pool})
    assert orders(decide(shot, Memory(policies={key("c"): learned(needs=4)}))) == {"c": (2,)}


def test_where_no_solution_is_found_all_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference_cost.decide.joint.share.solve", lambda *_: None)
    decisions = decided((A, replace(B_ALONE, needs=3)), limited(3))
    assert orders(decisions) == {"a": (0, 2), "b": (1, 0)}
    assert decisions.plans[key("b")].limited_by is LimitedBy.POOL_LIMIT


def test_who_has_a_reason_to_stay_on_demand_takes_no_room() -> None:
    floor = replace(A, fields={"min_on_demand_replicas": 2})
    decisions = decided((floor, B), limited(2))
    assert orders(decisions) == {"a": (0, 2), "b": (2, 2)}


def test_who_serves_in_a_full_pool_is_not_told_to_be_short() -> None:
    teams = (Team(name="a", needs=4, spot=4, safe_most=0), replace(B_ALONE, fields=FIVE))
    plan = decided(teams, limited(5)).plans[key("a")]
    assert plan.counted == 4
    assert plan.limited_by is not LimitedBy.POOL_LIMIT
    assert "pool-short" not in codes(plan)
