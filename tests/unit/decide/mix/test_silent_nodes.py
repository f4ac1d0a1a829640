"""Machines on spot that are killed without notice: their nodes do not answer, and nobody says why."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from inference_cost.decide.engine import decide
from inference_cost.decide.explain.explanation import explain
from inference_cost.decide.mix.losses import SILENT_AWAY_SECONDS
from inference_cost.decide.mix.zones import ZonePods, kept_from, looked_at
from inference_cost.model.memory import Memory, PolicyMemory
from inference_cost.model.observation import Snapshot
from inference_cost.model.plan import Plan
from inference_cost.model.workload import Node
from tests.unit.decide.mix.two_variants import (
    QUIET,
    SPOT,
    World,
    orders,
    ready,
    remembering,
    two,
    variants,
)
from tests.unit.decide.worlds import NOON, key, pod

DEAD = replace(SPOT, ready=False)
LATER = NOON + 60.0


def seen(nodes: Mapping[str, Node], world: World, at: float = NOON) -> Snapshot:
    """The i-th pod on spot is on the node of that number."""
    names = [*nodes]
    spot = [replace(one, node=names[i] if one.node else "") for i, one in enumerate(world.spot[1])]
    shot = replace(world, spot=(world.spot[0], spot)).seen(at)
    (one,) = shot.observations
    fresh = replace(one, signals=replace(one.signals, sampled_at=at))  # type: ignore[type-var]
    named = {name: replace(node, name=name) for name, node in nodes.items()}
    return replace(shot, nodes={**shot.nodes, **named}, observations=(fresh,))


def four(dead: int, *zones: str) -> dict[str, Node]:
    """The first `dead` do not answer; zones in turn, as they are written."""
    where = zones or ("b",)
    return {
        f"n{i}": replace(DEAD if i < dead else SPOT, zone=where[i % len(where)]) for i in range(4)
    }


ON_SPOT = World(spot=(4, ready("spot", 4)))


def planned(shot: Snapshot, known: PolicyMemory) -> tuple[Plan, PolicyMemory]:
    decided = decide(shot, Memory(policies={key(): known}))
    return decided.plans[key()], decided.memory.policies[key()]


# Sentence: nodes → asked of spot and of what cannot be lost, those that do not answer included.
KILLED: dict[str, tuple[dict[str, Node], tuple[int, int]]] = {
    "all are killed: their substitutes come from elsewhere": (four(4), (4, 4)),
    "half of them are": (four(2), (4, 2)),
    "a single one of four is replaced where it is cheapest": (four(1), (5, 0)),
}


def test_where_there_is_no_other_place_they_are_replaced_where_they_were() -> None:
    alone = replace(ON_SPOT, of=two(variants(safe_most=0)))
    plan, _ = planned(seen(four(4), alone), remembering(4, 0))
    assert orders(plan) == (8, 0)


@pytest.mark.parametrize("sentence", KILLED)
def test_killed(sentence: str) -> None:
    nodes, expected = KILLED[sentence]
    plan, _ = planned(seen(nodes, ON_SPOT), remembering(4, 0))
    assert orders(plan) == expected


def test_nothing_is_learned_of_how_often_the_cloud_takes_some() -> None:
    plan, after = planned(seen(four(4), ON_SPOT), remembering(4, 0))
    record = after.placing.domains[0].record
    assert record.away_until == NOON + SILENT_AWAY_SECONDS
    assert (record.losses, record.away_seconds) == (QUIET.losses, QUIET.away_seconds)
    told = explain(plan, ON_SPOT.observed()).limited
    assert "No more are asked of spot until 08:02 UTC: some were taken there, did not come" in told


def test_the_substitutes_are_kept_when_the_nodes_are_deleted() -> None:
    """The Deployments have made the pods anew, which wait for a node of the pool that was killed."""
    _, after = planned(seen(four(4), ON_SPOT), remembering(4, 0))
    waiting = [pod(f"new-{i}", ready=False, age=5.0, node="", unschedulable=True) for i in range(4)]
    starting = ready("safe", 4, ready=False, age=55.0)
    deleted = World(spot=(4, waiting), safe=(4, starting))
    plan, _ = planned(seen({}, deleted, LATER), after)
    assert orders(plan) == (0, 4)


def test_those_that_answer_again_stay_and_their_substitutes_go() -> None:
    _, after = planned(seen(four(4), ON_SPOT), remembering(4, 0))
    back = replace(ON_SPOT, safe=(4, ready("safe", 4)))
    plan, after = planned(seen(four(0), back, LATER), after)
    assert orders(plan) == (4, 0)
    later = NOON + SILENT_AWAY_SECONDS
    _, after = planned(seen(four(0), ON_SPOT, later), after)
    assert after.placing.domains[0].record.away_until is None


def test_one_of_two_zones_is_silent() -> None:
    """The variant stays open, as where a zone is taken."""
    shot = seen(four(2, "a", "a", "b", "b"), ON_SPOT)
    plan, after = planned(shot, remembering(4, 0))
    domain = after.placing.domains[0]
    assert domain.record.away_until is None
    assert [zone.name for zone in kept_from(domain.by_zone, NOON)] == ["a"]
    assert (
        "Zone a was taken from spot, or does not answer"
        in explain(plan, shot.observations[0]).limited
    )


def test_a_zone_that_was_silent_is_forgotten_when_it_is_over() -> None:
    records = looked_at((), (ZonePods(name="a", ready=1, silent=1),), 0.0)
    assert [one.name for one in kept_from(records, 0.0)] == ["a"]
    assert looked_at((), (ZonePods(name="a", ready=2, silent=1),), 0.0) == ()
    assert looked_at(records, (ZonePods(name="a", ready=2),), SILENT_AWAY_SECONDS) == ()
