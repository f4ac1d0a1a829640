"""A hundred nodes that the cloud takes back at once: all are replaced, and the loss counts once."""

from collections.abc import Mapping
from dataclasses import replace

from inference_cost.decide.engine import decide
from inference_cost.model.memory import Memory, PolicyMemory
from inference_cost.model.observation import Snapshot
from inference_cost.model.plan import Plan
from inference_cost.model.workload import Node
from tests.unit.decide.mix.two_variants import (
    SPOT,
    TAKEN,
    World,
    orders,
    ready,
    remembering,
    two,
    variants,
)
from tests.unit.decide.worlds import NOON, key

MANY = 100
NAMES = [f"n{i:03}" for i in range(MANY)]
PODS = [replace(one, node=name) for one, name in zip(ready("spot", MANY), NAMES, strict=True)]
POLICY = two(variants(spot_most=300, safe_most=300), most=300)
LOST = {name: replace(TAKEN, name=name) for name in NAMES}


def seen(nodes: Mapping[str, Node], safe: int = 0, at: float = NOON) -> Snapshot:
    """What needs more than ninety replicas."""
    world = World(spot=(MANY, PODS), safe=(safe, ()), rate=8000.0, of=POLICY).seen(at)
    (one,) = world.observations
    fresh = replace(one, signals=replace(one.signals, sampled_at=at))  # type: ignore[type-var]
    return replace(world, nodes={**world.nodes, **nodes}, observations=(fresh,))


def look(shot: Snapshot, known: PolicyMemory) -> tuple[Plan, PolicyMemory]:
    decided = decide(shot, Memory(policies={key(): known}))
    return decided.plans[key()], decided.memory.policies[key()]


def test_all_are_replaced_in_the_same_look() -> None:
    plan, _ = look(seen(LOST), remembering(MANY, 0))
    spot, safe = orders(plan)
    assert (spot, safe) == (MANY, plan.desired - MANY)
    assert safe > 90


def test_the_loss_counts_once_however_many_looks_see_it() -> None:
    plan, after = look(seen(LOST), remembering(MANY, 0))
    first, safe = after.placing.domains[0], orders(plan)[1]
    for i in range(1, 6):
        plan, after = look(seen(LOST, safe, NOON + 15.0 * i), after)
    last = after.placing.domains[0]
    assert last.record.losses <= first.record.losses
    assert last.record.away_until == first.record.away_until
    assert orders(plan) == (MANY, safe)


def test_a_node_that_comes_back_by_its_name_may_be_lost_anew() -> None:
    """As in groups that give their machines the same names again; others are lost meanwhile."""
    _, after = look(seen(LOST), remembering(MANY, 0))
    assert after.placing.domains[0].taken == tuple(NAMES)
    back = {name: replace(SPOT, name=name) for name in NAMES[1:]}
    _, after = look(seen({**LOST, **back}, at=NOON + 15.0), after)
    assert after.placing.domains[0].taken == (NAMES[0],)


def test_the_names_of_nodes_that_are_gone_are_not_kept() -> None:
    _, after = look(seen(LOST), remembering(MANY, 0))
    _, after = look(seen({}, at=NOON + 15.0), after)
    assert after.placing.domains[0].taken == ()
