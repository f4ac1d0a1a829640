"""A zone gives, takes and bills: replica-seconds and replicas in service by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from inference_cost.simulate.baselines.spot_seen import SpotSeen
from inference_cost.simulate.scenario import SpotMarket
from inference_cost.simulate.spot.market import cheapest_by_step
from inference_cost.simulate.spot.new import new_spot_world
from inference_cost.simulate.spot.state import SpotWorld
from inference_cost.simulate.spot.trial import outcome_with_spot
from inference_cost.simulate.world.state import BILLED_SECONDS, READY_SECONDS
from tests.unit.simulate.spot.markets import (
    ALWAYS,
    INTERVAL_SECONDS,
    SECONDS,
    Placement,
    Spells,
    market,
    run,
    spot_scenario,
    wanted,
)

ON_DEMAND = 2


def ask(*steps: tuple[float, Sequence[int]]) -> Placement:
    """From each time on so many spot replicas by zone, beside two on demand."""

    def placement(seen: SpotSeen) -> tuple[Sequence[int], int]:
        return [wish for at, wish in steps if at <= seen.at][-1], ON_DEMAND

    return placement


def spot_ready(spot: SpotWorld) -> dict[float, float]:
    """From when on how many spot replicas serve, as means of ten seconds."""
    ready = np.round(spot.world.course[READY_SECONDS] / 10.0 - ON_DEMAND, 6)
    changes = np.flatnonzero(np.diff(ready, prepend=0.0))
    return {10.0 * i: float(ready[i]) for i in changes}


# Zones, notice, what is asked for; replica-seconds by zone, and when how many spot replicas serve.
CASES: dict[
    str, tuple[list[Spells], float, Placement, Sequence[float], Mapping[float, float]]
] = {
    "a replica is paid from its order and serves after its start": (
        [ALWAYS], 120.0, ask((0, [1])), [1180], {80: 1},
    ),
    "a lost zone serves through its notice, is paid until then and is gone": (
        [[(0, 400)]], 120.0, ask((0, [2])), [1000], {80: 2, 520: 0},
    ),
    "without notice it is gone at once": ([[(0, 400)]], 0.0, ask((0, [2])), [760], {80: 2, 400: 0}),
    "a launch where there is nothing fails and costs nothing": (
        [[]], 120.0, ask((0, [2])), [0], {},
    ),
    "it succeeds at the first decision with capacity": (
        [[(310, SECONDS)]], 120.0, ask((0, [1])), [880], {380: 1},
    ),
    "it fails at the very moment of the loss": (
        [[(0, 400)]], 120.0, ask((0, [0]), (400, [1])), [0], {},
    ),
    "a replica that starts longer than its notice is paid and never serves": (
        [[(0, 30)]], 40.0, ask((0, [1])), [50], {},
    ),
    "one that starts faster serves for the rest": (
        [[(0, 30)]], 120.0, ask((0, [1])), [130], {80: 1, 150: 0},
    ),
    "a zone that comes back keeps none of those under notice, and has new ones": (
        [[(0, 200), (230, SECONDS)]], 120.0, ask((0, [1])), [300 + 960], {80: 1, 300: 2, 320: 1},
    ),
    "a stopped replica is paid until it has drained": (
        [ALWAYS], 120.0, ask((0, [1]), (200, [0])), [210], {80: 1, 200: 0},
    ),
    "a start that is called off has nothing to drain": ([ALWAYS], 120.0, ask((0, [1]), (60, [0])), [40], {}),
    "starting replicas are stopped before those that serve": (
        [ALWAYS], 120.0, ask((0, [1]), (100, [2]), (140, [1])), [1180 + 40], {80: 1},
    ),
    "zones are lost one by one": (
        [[(0, 400)], [(0, 600)], ALWAYS], 120.0, ask((0, [1, 1, 1])), [500, 700, 1180], {80: 3, 520: 2, 720: 1},
    ),
    "moments between the steps count": ([[(0, 403)]], 4.5, ask((0, [1])), [387.5], {80: 1, 400: 0.75, 410: 0}),
}  # fmt: skip


@pytest.mark.parametrize(
    ("zones", "notice", "placement", "paid", "serving"), CASES.values(), ids=CASES
)
def test_zones(
    zones: list[Spells],
    notice: float,
    placement: Placement,
    paid: Sequence[float],
    serving: Mapping[float, float],
) -> None:
    given = spot_scenario(market(*zones, notice=notice))
    spot = run(given, placement, wanted((0, ON_DEMAND)), INTERVAL_SECONDS)
    assert spot.fleet.billed.sum(axis=1) == pytest.approx(paid)
    assert spot.world.course[BILLED_SECONDS].sum() == pytest.approx(sum(paid) + ON_DEMAND * SECONDS)
    assert spot_ready(spot) == serving


def test_each_zone_has_its_price() -> None:
    given = spot_scenario(market(ALWAYS, [(0, 380)], prices=("0.30", "0.60")))
    spot = run(given, ask((0, [1, 2])), wanted((0, ON_DEMAND)), INTERVAL_SECONDS)
    outcome = outcome_with_spot(spot, given, name="by hand")
    assert outcome.replica_hours.spot == pytest.approx((1180 + 2 * 480) / 3600)
    assert outcome.replica_hours.on_demand == pytest.approx(2 * 1200 / 3600)
    assert outcome.cost_dollars == pytest.approx((1180 * 0.3 + 2 * 480 * 0.6 + 2 * 1200) / 3600)
    assert outcome.course.dollars.sum() == pytest.approx(outcome.cost_dollars)
    assert outcome.course.billed.sum() * 10 == pytest.approx(1180 + 2 * 480 + 2 * 1200)


def test_the_excluded_first_seconds_cost_nothing() -> None:
    given = spot_scenario(market(ALWAYS), exclude_first_seconds=300.0)
    spot = run(given, ask((0, [1])), wanted((0, ON_DEMAND)), INTERVAL_SECONDS)
    outcome = outcome_with_spot(spot, given, name="by hand")
    assert outcome.cost_dollars == pytest.approx((900 * 0.4 + 2 * 900) / 3600)


def test_spot_replicas_take_their_part_of_the_load() -> None:
    """150 requests/s are too much for one replica of 100; with a spot replica they are not, until it is gone."""
    given = spot_scenario(market([(0, 400)]))
    spot = run(given, lambda seen: ([1], 2 - seen.ready_spot[0]), wanted((0, 2)), INTERVAL_SECONDS)
    assert spot.world.course[READY_SECONDS, 8:40].tolist() == [20.0] * 32
    late = outcome_with_spot(spot, given, name="by hand").course.late / 1500.0
    assert late[:52].max() < 0.02
    assert late[52:].max() < 0.02  # the second on-demand replica has started in time

    without = run(given, lambda seen: ([1], 1 + (seen.at < 100)), wanted((0, 2)), INTERVAL_SECONDS)
    late = outcome_with_spot(without, given, name="by hand").course.late / 1500.0
    assert late[:52].max() < 0.02
    assert late[54:].min() > 0.3


def test_what_a_rule_sees() -> None:
    """Replicas under notice are lost, and a change of the market is seen at the decision after the next."""
    seen: dict[float, SpotSeen] = {}

    def placement(now: SpotSeen) -> tuple[Sequence[int], int]:
        seen[now.at] = now._replace(
            available=now.available.copy(), preempted_since_last=now.preempted_since_last.copy()
        )
        return [2, 1], 3 if now.at >= 380 else 2

    given = spot_scenario(market([(0, 390)], [(100, SECONDS)]))
    run(given, placement, wanted((0, 2), (330, 3)), INTERVAL_SECONDS)
    assert list(seen)[15:20] == [320, 330, 340, 360, 380]  # at the change of the demand as well
    assert [seen[at].demand for at in (320, 330)] == [2, 3]
    assert (seen[40].starting_spot.tolist(), seen[40].ready_spot.tolist()) == ([2, 0], [0, 0])
    assert (seen[80].starting_spot.tolist(), seen[80].ready_spot.tolist()) == ([0, 0], [2, 0])
    assert (seen[380].on_demand_ready, seen[400].on_demand_ready) == (2, 2)
    assert (seen[400].on_demand_starting, seen[440].on_demand_ready) == (1, 3)
    assert [seen[at].preempted_since_last.tolist() for at in (380, 400, 420)] == [
        [0, 0],
        [2, 0],
        [0, 0],
    ]
    assert seen[400].ready_spot.tolist() == [0, 1]
    assert [seen[at].available.tolist() for at in (100, 120, 400, 420)] == [
        [1, 0],
        [1, 1],
        [1, 1],
        [0, 1],
    ]


def test_a_market_that_begins_later_has_nothing_before() -> None:
    late = market(ALWAYS)
    given = SpotMarket(
        zones=late.zones,
        times_seconds=late.times_seconds + 500.0,
        available=late.available,
        price_per_hour=late.price_per_hour,
    )
    spot = run(spot_scenario(given), ask((0, [1])), wanted((0, ON_DEMAND)), INTERVAL_SECONDS)
    assert spot.fleet.billed.sum() == pytest.approx(700)


WRONG = {
    "times that do not ascend": ({"times_seconds": np.array([0.0, 0.0])}, "ascend"),
    "a price too few": ({"price_per_hour": ()}, "fit together"),
    "a row too few": ({"available": np.ones((1, 1), np.bool_)}, "fit together"),
    "no zone": (
        {"zones": (), "available": np.ones((2, 0), np.bool_), "price_per_hour": ()},
        "zone",
    ),
}


@pytest.mark.parametrize(("change", "says"), WRONG.values(), ids=WRONG)
def test_markets_that_are_none(change: dict[str, Any], says: str) -> None:
    given = replace(market(ALWAYS), **change)
    with pytest.raises(ValueError, match=says):
        new_spot_world(spot_scenario(given), wanted((0, 1)))


def test_no_market() -> None:
    with pytest.raises(ValueError, match="needs a market"):
        new_spot_world(spot_scenario(None), wanted((0, 1)))


NONE = np.inf
PRICES: dict[str, tuple[SpotMarket, Sequence[float]]] = {
    "the cheapest zone that is there": (
        market([(0, 30)], [(10, 50)], prices=("0.3", "0.5"), notice=0.0), [0.3, 0.3, 0.3, 0.5, 0.5, NONE],
    ),
    "until the notice has run out": (market([(10, 20)], notice=20.0), [NONE, 0.4, 0.4, 0.4, NONE, NONE]),
    "a moment of a step is enough": (market([(19, 31)], notice=0.0), [NONE, 0.4, 0.4, 0.4, NONE, NONE]),
    "the last row holds to the end": (
        replace(market(ALWAYS), times_seconds=np.array([0.0, 25.0]), available=np.array([[False], [True]])),
        [NONE, NONE, 0.4, 0.4, 0.4, 0.4],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "prices"), PRICES.values(), ids=PRICES)
def test_price_per_step_of_the_bound(given: SpotMarket, prices: Sequence[float]) -> None:
    found = cheapest_by_step(given, steps=6, step_seconds=10.0)
    assert found.price_per_hour.tolist() == pytest.approx(list(prices))
