"""Which nodes are counted: of pools that replicas of policies run in, or ran in, keyed by a sentence."""

from dataclasses import replace
from decimal import Decimal

import pytest

from inference_cost.account.costs import Costs, account
from inference_cost.account.hand_over import (
    NOTHING_RECORDED,
    Recorded,
    RecordedCosts,
    Teller,
    pools_handed_over,
)
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.workload import Node
from tests.unit.account.worlds import NOON, key, node, observation, pod, snapshot

NODES = (node("n1"), node("n2"))
RUNS = observation(pod("p1", "n1"))
GONE = observation()
Look = tuple[tuple[PolicyObservation, ...], tuple[Node, ...]]

# Looks; nodes counted at the last one, and what of them nobody requested.
COUNTED: dict[str, tuple[list[Look], int, str]] = {
    "never used": ([((GONE,), NODES)], 0, "0"),
    "used, with an empty node": ([((RUNS,), NODES)], 2, "4"),
    "to zero, and the nodes stay": ([((RUNS,), NODES), ((GONE,), NODES)], 2, "8"),
    "even when the policy is deleted": ([((RUNS,), NODES), ((), NODES), ((), NODES)], 2, "8"),
    "one of them goes": ([((RUNS,), NODES), ((GONE,), NODES[1:])], 1, "4"),
    "all go": ([((RUNS,), NODES), ((GONE,), ())], 0, "0"),
    "others' nodes come into the pool after that": (
        [((RUNS,), NODES), ((GONE,), ()), ((GONE,), NODES)], 0, "0",
    ),
    "without a price": (
        [((RUNS,), NODES), *2 * [((GONE,), (node("n1", None),))]], 1, "0",
    ),
    "to another pool": (
        [((RUNS,), NODES), ((observation(pod("p1", "m1")),), (*NODES, node("m1", pool="a100")))],
        3, "8",
    ),
}  # fmt: skip


def looked(*looks: Look) -> Costs:
    costs = account(snapshot(), {}, {})
    for i, (seen, nodes) in enumerate(looks):
        world = snapshot(*seen, nodes=nodes, at=NOON + 15.0 * i)
        costs = account(world, {}, costs.memory, pool_memory=costs.pool_memory)
    return costs


@pytest.mark.parametrize("sentence", COUNTED)
def test_counted(sentence: str) -> None:
    looks, nodes, idle = COUNTED[sentence]
    found = looked(*looks).pools
    assert sum(one.nodes for one in found) == nodes
    assert sum((one.idle_per_hour for one in found), Decimal(0)) == Decimal(idle)


@pytest.mark.parametrize(
    "exported", [True, False], ids=["by what the last leader exported", "else by the checkpoint"]
)
def test_over_a_change_of_leaders(exported: bool) -> None:
    """One that went to zero before, and whose nodes stay."""
    before = looked(((RUNS,), NODES), ((GONE,), NODES))
    counted = {
        pool: Recorded(counted_at=one.last_at, totals=one.totals)
        for pool, one in before.pool_memory.items()
    }
    ours = {key(): Recorded(counted_at=NOON, totals=())}
    told = RecordedCosts(tellers=(Teller(policies=ours, pools=counted),))
    pools = pools_handed_over([key()], told if exported else NOTHING_RECORDED)
    memory = {key(): replace(before.memory[key()], handed_over=True)} if not exported else {}
    world = snapshot(GONE, nodes=NODES, at=NOON + 45.0)
    assert sum(one.nodes for one in account(world, {}, memory, pool_memory=pools).pools) == 2
