"""A variant in several zones: one of them goes, and the others stay in use."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from inference_cost.decide.engine import decide
from inference_cost.decide.explain.explanation import explain
from inference_cost.decide.mix.cheapest import Risk
from inference_cost.decide.mix.losses import FIRST_AWAY_SECONDS
from inference_cost.decide.mix.place import DomainSeen, place
from inference_cost.decide.mix.zones import ZONES_KEPT, ZonePods, kept_from, looked_at
from inference_cost.model.memory import Memory, PolicyMemory
from inference_cost.model.observation import Snapshot
from inference_cost.model.plan import Plan
from tests.unit.decide.mix.two_variants import (
    SPOT,
    TAKEN,
    World,
    orders,
    ready,
    remembering,
)
from tests.unit.decide.worlds import NOON, key

RISK = Risk(late_price=0.5, served_price_per_hour=1.0, exposure_seconds=70.0, start_seconds=180.0)
SAFE = DomainSeen(name="safe", price_per_hour=1.0, can_be_lost=False, ready=0, starting=0)


def spot(ready: Mapping[str, int], lost: Mapping[str, int] | None = None) -> DomainSeen:
    gone = lost or {}
    zones = tuple(
        ZonePods(name=name, ready=ready.get(name, 0), lost=gone.get(name, 0))
        for name in sorted({*ready, *gone})
    )
    return DomainSeen(
        name="spot",
        price_per_hour=0.4,
        can_be_lost=True,
        ready=sum(ready.values()),
        starting=0,
        lost=sum(gone.values()),
        parts=max(len(zones), 1),
        zones=zones,
    )


THREE = {"a": 2, "b": 2, "c": 2}
BEFORE = place(6, [spot(THREE), SAFE], RISK, (), 0.0).remembered
TWO_LEFT = spot({"b": 2, "c": 2}, {"a": 2})

# Sentence: (what is seen, price of late) → asked of spot and of what cannot be lost.
LOST: dict[str, tuple[DomainSeen, float, tuple[int, int]]] = {
    "one zone of three goes: its replicas are asked of the others": (TWO_LEFT, 0.5, (6, 0)),
    "where late requests are dear they are asked of on demand, and what is left stays": (
        TWO_LEFT,
        30.0,
        (4, 2),
    ),
    "where they are very dear, so that what is left goes, it stays until others serve": (
        TWO_LEFT,
        150.0,
        (4, 6),
    ),
    "a template that lets none run unevenly is kept away from": (
        replace(TWO_LEFT, one_zone=True),
        0.5,
        (4, 2),
    ),
    "one machine of a zone of four is a single one": (
        spot({"a": 3, "b": 2}, {"a": 1}),
        30.0,
        (6, 0),
    ),
    "the only zone goes": (spot({}, {"a": 6}), 0.5, (0, 6)),
    "all zones go": (spot({}, THREE), 0.5, (0, 6)),
    "zones are not known: the variant is one": (replace(TWO_LEFT, zones=()), 0.5, (4, 2)),
}


@pytest.mark.parametrize("sentence", LOST)
def test_when(sentence: str) -> None:
    seen, late, expected = LOST[sentence]
    risk = replace(RISK, late_price=late)
    assert place(6, [seen, SAFE], risk, BEFORE, 15.0).asked == expected


def test_the_last_zone_that_goes_closes_the_variant() -> None:
    first = place(6, [TWO_LEFT, SAFE], RISK, BEFORE, 15.0)
    left = spot({"c": 2}, {"b": 2})
    second = place(6, [left, SAFE], RISK, first.remembered, 900.0)
    assert second.remembered[0].record.away_until is None
    none = place(6, [spot({}, {"c": 2}), SAFE], RISK, second.remembered, 915.0)
    assert none.asked == (0, 6)
    assert none.remembered[0].record.away_until == 915.0 + FIRST_AWAY_SECONDS


def test_what_waits_for_a_node_meanwhile_counts_as_new() -> None:
    """The Deployment makes it again at once: it may be of the zone that was lost."""
    dear = replace(RISK, late_price=30.0)
    first = place(6, [TWO_LEFT, SAFE], dear, BEFORE, 15.0)
    again = replace(spot({"b": 2, "c": 2}), starting=2, waiting=2)
    later = place(6, [again, replace(SAFE, starting=2)], dear, first.remembered, 30.0)
    assert later.wanted == (4, 2)
    landed = replace(again, waiting=0)
    assert place(6, [landed, SAFE], dear, first.remembered, 30.0).wanted == (6, 0)


def test_a_zone_that_is_lost_again_is_kept_from_for_longer_and_back_in_use_after_that() -> None:
    records, at, times = (), 0.0, []
    for _ in range(3):
        records = looked_at(records, (ZonePods(name="a", ready=0, lost=2),), at)
        (away,) = kept_from(records, at)
        assert away.record.away_until is not None
        times.append(away.record.away_until - at)
        at = away.record.away_until
        assert kept_from(records, at) == ()
    assert times == [FIRST_AWAY_SECONDS, 2 * FIRST_AWAY_SECONDS, 4 * FIRST_AWAY_SECONDS]


def test_of_zones_that_were_never_lost_nothing_is_kept_and_of_others_little() -> None:
    names = [f"zone-{i:02}" for i in range(20)]
    assert looked_at((), [ZonePods(name=name, ready=1) for name in names], 0.0) == ()
    records = looked_at((), [ZonePods(name=name, ready=0, lost=1) for name in names], 0.0)
    assert len(records) == ZONES_KEPT


def test_a_zone_that_held_for_long_after_a_loss_is_forgotten() -> None:
    records = looked_at((), (ZonePods(name="a", ready=0, lost=2),), 0.0)
    for minute in range(10, 90):
        records = looked_at(records, (ZonePods(name="a", ready=2),), minute * 60.0)
    assert records == ()


def test_machines_that_go_within_a_minute_are_one_loss_of_their_zone() -> None:
    first = looked_at((), (ZonePods(name="a", ready=3, lost=1),), 0.0)
    assert kept_from(first, 0.0) == ()
    second = looked_at(first, (ZonePods(name="a", ready=2, lost=1),), 60.0)
    assert [one.name for one in kept_from(second, 60.0)] == ["a"]
    apart = looked_at(looked_at(first, (), 600.0), (ZonePods(name="a", ready=2, lost=1),), 660.0)
    assert kept_from(apart, 660.0) == ()


NODES = {
    "spot-a": replace(SPOT, name="spot-a", zone="a"),
    "spot-b": replace(SPOT, name="spot-b", zone="b"),
}
PODS = [replace(one, node=node) for one, node in zip(ready("spot", 4), [*NODES] * 2, strict=True)]


def seen(**changes: object) -> Snapshot:
    world = World(spot=(4, PODS)).seen()
    taken = {"spot-a": replace(TAKEN, name="spot-a", zone="a")}
    shot = replace(world, nodes={**world.nodes, **NODES, **taken})
    (one,) = shot.observations
    spot, safe = one.workloads
    return replace(shot, observations=(replace(one, workloads=(replace(spot, **changes), safe)),))  # type: ignore[type-var, arg-type]


def planned(shot: Snapshot) -> tuple[Plan, PolicyMemory]:
    known = remembering(4, 0)
    cheap = replace(known, placing=replace(known.placing, late_price=1.0))
    decisions = decide(shot, Memory(policies={key(): cheap}))
    return decisions.plans[key()], decisions.memory.policies[key()]


def test_the_zones_are_those_of_the_nodes_that_replicas_run_on() -> None:
    _, after = planned(seen())
    domain = after.placing.domains[0]
    assert domain.record.away_until is None
    away = {zone.name: zone.record.away_until for zone in domain.by_zone}
    assert away == {"a": NOON + FIRST_AWAY_SECONDS}


def test_a_strict_spread_over_zones_closes_the_variant() -> None:
    plan, after = planned(seen(strict_zones=True))
    assert after.placing.domains[0].record.away_until is not None
    assert plan.variants[0].away_until is not None


def test_it_is_told_which_zone_was_taken() -> None:
    shot = seen()
    plan, _ = planned(shot)
    assert orders(plan)[0] >= 4
    told = explain(plan, shot.observations[0]).limited
    assert "Zone a was taken from spot, or does not answer: until " in told
