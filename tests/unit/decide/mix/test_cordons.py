"""A pool that is upgraded: its nodes are cordoned and drained, and nothing is learned from that."""

from dataclasses import replace

import pytest

from inference_cost.decide.engine import decide
from inference_cost.decide.explain.explanation import explain
from inference_cost.decide.mix.cordons import LONGEST_SECONDS, closed_since
from inference_cost.model.memory import Memory
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

# Sentence: (pool, closed since, pods wait in vain) → closed since.
CLOSED: dict[str, tuple[Pool | None, float | None, bool, float | None]] = {
    "no pool is named": (None, NOON - 60, True, None),
    "a pool without a node may begin": (SPOT_POOL, None, True, None),
    "nobody cordons": (OPEN, NOON - 60, True, None),
    "all are cordoned": (ALL, None, False, NOON),
    "all are, and were": (ALL, NOON - 60, False, NOON - 60),
    "all are, for days": (ALL, NOON - 86_400, False, NOON - 86_400),
    "some are, and the others have room": (SOME, None, False, None),
    "some are, and pods wait in vain": (SOME, None, True, NOON),
    "some are, and pods waited in vain": (SOME, NOON - 60, False, NOON - 60),
    "one is forgotten": (SOME, NOON - LONGEST_SECONDS - 1, False, None),
}


@pytest.mark.parametrize("sentence", CLOSED)
def test_closed(sentence: str) -> None:
    pool, since, vain, expected = CLOSED[sentence]
    assert closed_since(pool, since, NOON, vain=vain) == expected


UP = World(spot=(4, ready("spot", 4)), pools=(ALL,))
HALF = World(spot=(4, [*ready("spot", 2), *WAITING[:2]]), pools=(ALL,))


def test_a_cordon_alone_moves_nothing() -> None:
    """What runs there stays."""
    plan, after = planned(UP, remembering(4, 0))
    assert orders(plan) == (4, 0)
    assert after.placing.domains[0].closed_since == NOON


def test_what_is_drained_is_replaced_at_once_and_no_shortage_is_learned() -> None:
    plan, after = planned(HALF, remembering(4, 0))
    assert orders(plan) == (2, 2)
    record = after.placing.domains[0].record
    assert (record.away_until, record.proven) == (None, True)
    assert record.away_seconds == QUIET.away_seconds
    assert record.losses <= QUIET.losses
    assert (
        "No more are asked of spot while nodes there are cordoned."
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
