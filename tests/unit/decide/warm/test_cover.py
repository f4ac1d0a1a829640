"""When policies rely on free nodes, and what that changes."""

from dataclasses import replace

import pytest

from inference_cost.decide.case import case_of
from inference_cost.decide.explain.explanation import explain
from inference_cost.decide.warm.cover import hot_start_seconds, with_cover
from inference_cost.model.reading import Missing
from inference_cost.model.warm import WarmBy, WarmMemory, WarmPool, WarmSpec
from tests.unit.decide.warm.warm_worlds import (
    HOUR,
    NODE,
    World,
    asked,
    holder,
    plan,
    record,
    remembering,
)
from tests.unit.decide.worlds import NOON, key, pod, priced_node

TWO_FREE = (holder(0), holder(1))
RELIED = WarmMemory(wanted=2, cold_seconds=180.0, full_at=NOON - 15.0, relied=True)
FULL = World(holders=TWO_FREE, asked=asked(2), memory=replace(RELIED, relied=False))

COVERED: dict[str, tuple[World, bool]] = {
    "all that is wanted has been free for longer than a cold start": (FULL, True),
    "it came only now": (replace(FULL, holders=(holder(0), holder(1, free_for=100.0))), False),
    "it came only now, and was relied on before": (
        replace(FULL, holders=(holder(0), holder(1, free_for=100.0)), memory=RELIED), True,
    ),
    "fewer than wanted, and never enough": (replace(FULL, holders=(holder(0),)), False),
    "one was taken just now, and another is on its way": (
        replace(FULL, holders=(holder(0),), memory=RELIED), True,
    ),
    "another has been on its way for too long": (
        replace(FULL, holders=(holder(0),), memory=replace(RELIED, full_at=NOON - 361.0)), False,
    ),
    "all were taken": (replace(FULL, holders=(), memory=RELIED), False),
    "they have no node yet": (
        replace(FULL, holders=(holder(0, node=""), holder(1, node="")), memory=RELIED), False,
    ),
    "none is wanted": (replace(FULL, memory=replace(RELIED, wanted=0, full_at=None)), False),
    "none is asked for any more": (replace(FULL, spec=None, memory=RELIED), False),
    "a new leader goes by what is there": (replace(FULL, memory=None), True),
    "and by nothing where that is not full": (
        replace(FULL, memory=None, holders=(holder(0),)), False,
    ),
}  # fmt: skip


def pool_of(world: World) -> WarmPool:
    known = {} if world.memory is None else {"safe": world.memory}
    return with_cover(world.seen(), known).warm["safe"]


@pytest.mark.parametrize("sentence", COVERED)
def test_relied_on_when(sentence: str) -> None:
    world, covered = COVERED[sentence]
    assert pool_of(world).covered is covered


def test_a_node_of_a_buffer_counts_since_it_was_first_seen_empty_however_old_it_is() -> None:
    """A replica ran there until a moment ago. A new leader cannot know, and counts from its first look."""
    buffer = replace(asked(2), by=WarmBy.CAPACITY_BUFFER, taken_up=2)
    spec = WarmSpec(least=2, most=10, by=WarmBy.CAPACITY_BUFFER)
    world = replace(FULL, spec=spec, asked=buffer, memory=None)
    assert not pool_of(world).covered
    after = world.decided().memory.warm["safe"]
    assert dict(after.free) == {"free-0": NOON, "free-1": NOON}

    def covered_with(first: float, second: float) -> bool:
        free = {"free-0": NOON - first, "free-1": NOON - second}
        known = replace(after, free=free, cold_seconds=180.0, wanted=2)
        return pool_of(replace(world, memory=known)).covered

    assert covered_with(200.0, 180.0)
    assert not covered_with(200.0, 179.0)
    emptied = replace(world, memory=replace(after, free={"free-0": NOON - HOUR}, wanted=2))
    assert not pool_of(emptied).covered


def hot(world: World, starts: tuple[float, ...] = (20.0, 20.0, 25.0)) -> float:
    known = {} if world.memory is None else {"safe": world.memory}
    shot = with_cover(world.seen(), known)
    memory = remembering(record(starts=starts))
    return hot_start_seconds(world.observed("a"), memory, shot, 180.0)


def test_a_start_is_then_one_on_a_free_node() -> None:
    assert hot(FULL) == 25.0
    assert hot(replace(FULL, holders=())) == 180.0


def test_it_is_not_known_how_long_before_three_were_seen() -> None:
    assert hot(FULL, starts=(20.0, 20.0)) == 180.0


def test_a_free_node_makes_no_start_slower() -> None:
    assert hot(FULL, starts=(400.0,) * 3) == 180.0


def test_a_policy_with_pods_elsewhere_does_not_rely_on_it() -> None:
    elsewhere = (pod("far", node="g6-0"),)
    nodes = (NODE, replace(priced_node("g6-0"), pool="g6"))
    assert hot(replace(FULL, extra=elsewhere, nodes=nodes)) == 180.0


def test_room_that_a_policy_keeps_shrinks_with_the_start() -> None:
    """The lead time of the forecast is shorter, so it looks less far ahead; a stuck pod is judged as before."""
    relied, alone = FULL.decided(), replace(FULL, holders=()).decided()
    choices = [plan(one).headroom for one in (relied, alone)]
    assert not any(isinstance(one, Missing) for one in choices)
    held = [c.followed.hold_seconds for c in choices if not isinstance(c, Missing)]
    assert held[0] < held[1] / 2


def test_an_order_is_then_looked_ahead_for_by_so_much_less() -> None:
    memory = remembering(record(starts=(20.0, 20.0, 25.0)))
    relied, alone = (
        case_of(world.observed("a"), memory, with_cover(world.seen(), {"safe": RELIED}))
        for world in (FULL, replace(FULL, holders=()))
    )
    assert relied.start_up_seconds == alone.start_up_seconds == 180.0
    assert alone.lead_seconds - relied.lead_seconds == 155.0
    assert alone.order_seconds - relied.order_seconds == 155.0


def test_that_a_policy_relies_on_it_is_said() -> None:
    said = [reason.code for reason in plan(FULL.decided()).reasons]
    assert "warm-start" in said
    found = explain(plan(FULL.decided()), FULL.observed("a"))
    assert "in 20 s in place of 3 min" in found.message
    alone = plan(replace(FULL, holders=()).decided())
    assert "warm-start" not in [reason.code for reason in alone.reasons]


def test_starts_on_free_nodes_are_kept_apart_from_those_that_waited() -> None:
    """Else a pool that is always warm would forget how long it takes without."""
    free = replace(NODE, name="free-9", created_at=NOON - 7200.0)
    new = replace(NODE, name="new-9", created_at=NOON - 50.0)
    pods = (
        pod("warm", node="free-9", age=60.0, ready_at=NOON - 30.0),
        pod("cold", node="new-9", age=100.0, ready_at=NOON - 10.0),
    )
    seen = {"pods_seen_starting": ("uid-warm", "uid-cold")}
    world = replace(FULL, extra=pods, nodes=(NODE, free, new), remembered=seen)
    after = world.decided().memory.policies[key("a")]
    assert after.warm.starts[-1] == 30.0
    assert after.start_up_seconds[-1] == 90.0
    plain = replace(world, spec=None).decided().memory.policies[key("a")]
    assert plain.start_up_seconds[-2:] == (30.0, 90.0)
