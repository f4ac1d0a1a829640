"""Policies that share a pool with a limit, with starts of two minutes: the limit holds, and they come to rest."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from inference_cost.decide.engine import decide
from inference_cost.model.memory import Memory
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import LimitedBy
from inference_cost.model.signals import Signals
from inference_cost.model.workload import Workload
from tests.unit.decide.closed_loop.two_pools import TICK, Place
from tests.unit.decide.joint.teams import Team, limited, memory_of, seen
from tests.unit.decide.worlds import NOON, signals

LONG = 2_400.0
Orders = Mapping[str, tuple[int, ...]]

# Sentence: (policies, nodes of the pool).
FLEETS: dict[str, tuple[tuple[Team, ...], int]] = {
    "all want more spot than there is": (
        tuple(Team(name=name, needs=3, safe=3) for name in "abcd"),
        7,
    ),
    "some have nowhere else to go": (
        (
            Team(name="a", needs=4, spot=4),
            Team(name="b", needs=3, safe_most=0),
            Team(name="c", needs=2, safe=2),
        ),
        5,
    ),
    "higher priority comes later": (
        (
            Team(name="a", needs=4, spot=4, safe_most=2),
            Team(name="b", needs=5, fields={"priority": 9}),
        ),
        6,
    ),
    "the pool is fuller than its limit": (
        (Team(name="a", needs=4, spot=6), Team(name="b", needs=3, spot=1, safe=1)),
        3,
    ),
}


@pytest.mark.parametrize("sentence", FLEETS)
def test_the_limit_holds_and_nothing_runs_to_and_fro(sentence: str) -> None:
    teams, nodes = FLEETS[sentence]
    looks = list(play(teams, nodes))
    asked = [orders for orders, _ in looks]
    for orders, there in looks:
        assert sum(n for n, *_ in orders.values()) <= max(nodes, there)
    assert all(orders == asked[-1] for orders in asked[len(asked) // 2 :])
    changes = sum(a != b for a, b in pairwise(asked))
    assert changes <= 8


def play(teams: Sequence[Team], nodes: int) -> Iterator[tuple[Orders, int]]:
    """Orders of each tick, and the replicas that were on spot before."""
    places = {team.name: _places(team) for team in teams}
    memory = memory_of(teams)
    now = 0.0
    while now < LONG:
        observed = tuple(_observed(team, places[team.name], now) for team in teams)
        there = sum(place[0].asked for place in places.values())
        orders, memory = _decided(observed, nodes, memory, now)
        yield orders, there
        for name, wanted in orders.items():
            for place, count in zip(places[name], wanted, strict=True):
                place.asked = count
                place.step(now)
        now += TICK


def _places(team: Team) -> tuple[Place, Place]:
    spot, safe = (Place(name, 0.0, lambda _: True) for name in ("spot", "on-demand"))
    for place, count in ((spot, team.spot), (safe, team.safe)):
        place.asked = count
        place.step(-LONG)
    return spot, safe


def _observed(team: Team, places: Sequence[Place], now: float) -> PolicyObservation:
    seen_of = team.observed(NOON + now)
    works = []
    for place, name, work in zip(places, ("spot", "safe"), seen_of.workloads, strict=True):
        pods = tuple(
            replace(one, name=f"{team.name}-{one.name}", template_hash=f"{name}-1")
            for one in place.seen(now)
        )
        assert isinstance(work, Workload)
        works.append(replace(work, desired_replicas=place.asked, pods=pods))
    serving = [one.name for work in works for one in work.pods if one.ready]
    told: Signals = signals(0.0, len(serving), sampled_at=NOON + now)
    pods_told = tuple(replace(p, pod=n) for p, n in zip(told.pods, serving, strict=True))
    return replace(seen_of, workloads=tuple(works), signals=replace(told, pods=pods_told))


def _decided(
    observed: tuple[PolicyObservation, ...], nodes: int, memory: Memory, now: float
) -> tuple[Orders, Memory]:
    shot = replace(seen((), limited(nodes), at=NOON + now), observations=observed)
    decisions = decide(shot, memory)
    for plan in decisions.plans.values():
        assert plan.limited_by is not LimitedBy.INTERNAL_ERROR, plan.reasons
    orders = {
        key.name: tuple(one.desired for one in plan.variants)
        for key, plan in decisions.plans.items()
    }
    return orders, decisions.memory
