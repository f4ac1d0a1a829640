"""A pool that is upgraded: its nodes are cordoned and drained, and nothing is learned from that."""

from dataclasses import replace
from itertools import pairwise

import pytest

from inference_cost.decide.engine import decide
from inference_cost.decide.explain.explanation import explain
from inference_cost.decide.mix.cordons import closure
from inference_cost.decide.mix.losses import FIRST_AWAY_SECONDS, LONGEST_AWAY_SECONDS
from inference_cost.model.memory import Memory, PolicyMemory
from inference_cost.model.placement import Closure
from inference_cost.model.workload import Pool
from tests.unit.decide.mix.two_variants import (
    QUIET,
    SPOT_POOL,
    WAITING,
    World,
    orders,
    planned,
    ready,
    remembering,
)
from tests.unit.decide.worlds import NOON, key

ALL = replace(SPOT_POOL, nodes=4, cordoned=4)
SOME = replace(SPOT_POOL, nodes=4, cordoned=1)
OPEN = replace(SPOT_POOL, nodes=4)

NEW = Closure(since=NOON, until=NOON + FIRST_AWAY_SECONDS, seconds=FIRST_AWAY_SECONDS)
YOUNG = Closure(since=NOON - 60, until=NOON + 540, seconds=FIRST_AWAY_SECONDS)
TRYING = Closure(since=NOON - 900, until=NOON - 300, seconds=FIRST_AWAY_SECONDS)
AGAIN = replace(TRYING, until=NOON + 2 * FIRST_AWAY_SECONDS, seconds=2 * FIRST_AWAY_SECONDS)
FOR_DAYS = Closure(since=NOON - 86_400, until=NOON - 300, seconds=LONGEST_AWAY_SECONDS)

# Sentence: (pool, closed at the last look, pods wait in vain, seconds since one got ready) → closed now.
CLOSED: dict[str, tuple[Pool | None, Closure | None, bool, float | None, Closure | None]] = {
    "no pool is named": (None, YOUNG, True, 3000.0, None),
    "a pool without a node may begin": (SPOT_POOL, None, True, 3000.0, None),
    "nobody cordons": (OPEN, YOUNG, True, 3000.0, None),
    "all are cordoned": (ALL, None, False, 3000.0, NEW),
    "all are, and were": (ALL, YOUNG, False, 3000.0, YOUNG),
    "all are, and one replica is tried": (ALL, TRYING, False, 3000.0, TRYING),
    "all are, and the one that was tried did not come": (ALL, TRYING, True, 3000.0, AGAIN),
    "all are, for days": (
        ALL,
        FOR_DAYS,
        True,
        None,
        replace(FOR_DAYS, until=NOON + LONGEST_AWAY_SECONDS),
    ),
    "some are, and the others have room": (SOME, None, False, 3000.0, None),
    "some are, and pods wait in vain": (SOME, None, True, 3000.0, NEW),
    "some are, and pods waited in vain": (SOME, YOUNG, False, 3000.0, YOUNG),
    "some are, and one is tried": (SOME, TRYING, False, 3000.0, TRYING),
    "some are, one is tried, and none is there": (SOME, TRYING, False, None, TRYING),
    "one that was tried came on a new node": (SOME, TRYING, False, 60.0, None),
    "one that was asked for before came on a new node": (SOME, TRYING, False, 600.0, None),
    "one came, and then all were cordoned": (ALL, TRYING, False, 60.0, TRYING),
    "one is forgotten, and the others stay full": (SOME, TRYING, True, 3000.0, AGAIN),
}


@pytest.mark.parametrize("sentence", CLOSED)
def test_closed(sentence: str) -> None:
    pool, before, vain, ago, expected = CLOSED[sentence]
    newest = None if ago is None else NOON - ago
    assert closure(pool, before, NOON, vain=vain, newest=newest) == expected


UP = World(spot=(4, ready("spot", 4)), pools=(ALL,))
HALF = World(spot=(4, [*ready("spot", 2), *WAITING[:2]]), pools=(ALL,))


def test_a_cordon_alone_moves_nothing() -> None:
    """What runs there stays."""
    plan, after = planned(UP, remembering(4, 0))
    assert orders(plan) == (4, 0)
    assert after.placing.domains[0].closed == NEW


def test_what_is_drained_is_replaced_at_once_and_no_shortage_is_learned() -> None:
    plan, after = planned(HALF, remembering(4, 0))
    assert orders(plan) == (2, 2)
    record = after.placing.domains[0].record
    assert (record.away_until, record.proven) == (None, True)
    assert record.away_seconds == QUIET.away_seconds
    assert record.losses <= QUIET.losses
    assert (
        "No more are asked of spot while nodes there are cordoned; one is tried at 08:10 UTC."
        in explain(plan, HALF.observed()).limited
    )


def test_without_a_cordon_the_same_is_a_refusal() -> None:
    _, after = planned(replace(HALF, pools=(OPEN,)), remembering(4, 0))
    assert after.placing.domains[0].record.away_until is not None


def test_the_pool_is_asked_again_as_soon_as_nodes_are_uncordoned() -> None:
    _, after = planned(HALF, remembering(4, 0))
    back = replace(HALF, spot=(2, ready("spot", 2)), safe=(2, ready("safe", 2)), pools=(OPEN,))
    plan = decide(back.seen(NOON + 3.0), Memory(policies={key(): after})).plans[key()]
    assert orders(plan) == (4, 2)


def closed_on_spot(closed: Closure) -> PolicyMemory:
    known = remembering(0, 4)
    spot, safe = known.placing.domains
    domains = (replace(spot, closed=closed), safe)
    return replace(known, placing=replace(known.placing, domains=domains))


def test_one_replica_is_tried_after_a_time_and_withdrawn_where_it_does_not_come() -> None:
    """With all on demand meanwhile; a provisioner would bring it a new node."""
    there = World(safe=(4, ready("safe", 4)), pools=(ALL,))
    plan, trying = planned(there, closed_on_spot(TRYING))
    assert orders(plan) == (1, 4)
    told = explain(plan, there.observed()).limited
    assert "One replica is asked of spot to see whether a node comes" in told
    late = replace(there, spot=(1, WAITING[:1]))
    plan, after = planned(late, trying)
    assert orders(plan) == (0, 4)
    assert after.placing.domains[0].closed == AGAIN
    assert after.placing.domains[0].record.away_until is None
    plan, _ = planned(there, closed_on_spot(YOUNG))
    assert orders(plan) == (0, 4)


def test_a_replica_that_came_on_a_new_node_opens_the_pool() -> None:
    new = ready("spot", 1, age=90.0)
    came = World(spot=(1, new), safe=(4, ready("safe", 4)), pools=(SOME,))
    plan, after = planned(came, closed_on_spot(TRYING))
    assert orders(plan)[0] == 4
    assert after.placing.domains[0].closed is None


def test_a_forgotten_cordon_of_a_pool_that_is_full_is_no_loop() -> None:
    """Six hours in which nothing comes: one is tried, each time after twice as long."""
    memory, asked, waiting_since = Memory(policies={key(): remembering(0, 4)}), 0, 0.0
    tries = list[tuple[float, int]]()
    for after in range(0, 6 * 3600, 30):
        waiting = [
            replace(one, uid=f"{one.uid}-{waiting_since}", created_at=NOON + waiting_since)
            for one in WAITING[:asked]
        ]
        there = World(spot=(asked, waiting), safe=(4, ready("safe", 4)), pools=(SOME,))
        shot = there.seen(NOON + after)
        (one,) = shot.observations
        fresh = replace(one, signals=replace(one.signals, sampled_at=shot.at))  # type: ignore[type-var]
        decided = decide(replace(shot, observations=(fresh,)), memory)
        memory, (more, _) = decided.memory, orders(decided.plans[key()])
        if more > asked:
            tries.append((after, more))
            waiting_since = float(after)
        asked = more
    assert [count for _, count in tries] == [4, 1, 1, 1, 1, 1]
    times = [at for at, _ in tries]
    gaps = [after - before for before, after in pairwise(times)]
    assert gaps == sorted(gaps)
    assert gaps[-1] > LONGEST_AWAY_SECONDS / 2


def test_a_try_is_told_only_where_one_is_needed() -> None:
    enough = replace(UP, pools=(SOME,))
    known = remembering(4, 0)
    spot, safe = known.placing.domains
    closed = replace(known.placing, domains=(replace(spot, closed=TRYING), safe))
    old = [replace(one, ready_at=NOON - 3000.0) for one in ready("spot", 4)]
    seen = replace(enough, spot=(4, old))
    plan, after = planned(seen, replace(known, placing=closed))
    assert orders(plan) == (4, 0)
    assert after.placing.domains[0].closed == TRYING
    assert "mix-closed" not in [reason.code for reason in plan.reasons]
