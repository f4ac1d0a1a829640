"""The spot rules in a market, decision by decision, and beside the policy that wrote their demand."""

from collections.abc import Sequence

import numpy as np
import pytest

from inference_cost.simulate.backtest import bound_of, compare, ours
from inference_cost.simulate.baselines.registry import SPOT
from inference_cost.simulate.baselines.spot import one_zone, spothedge
from inference_cost.simulate.baselines.spot_seen import SpotSeen
from inference_cost.simulate.outcome import Outcome
from inference_cost.simulate.spot.state import SpotWorld
from inference_cost.simulate.spot.trial import outcome_with_spot, run_placement
from inference_cost.simulate.tuning import Trial
from inference_cost.simulate.world.state import READY_SECONDS
from tests.unit.simulate.spot.markets import (
    ALWAYS,
    INTERVAL_SECONDS,
    SECONDS,
    market,
    run,
    spot_scenario,
    wanted,
)
from tests.unit.simulate.worlds import policy, rates

Decision = tuple[list[int], int]  # spot wanted by zone, on demand wanted


class Recorder:
    """A rule that keeps what it wanted when."""

    def __init__(self, name: str, knobs: spothedge.Knobs | one_zone.Knobs, zones: int) -> None:
        self.rule, self.knobs = SPOT[name], knobs
        self.state = self.rule.new_state(knobs, zones)
        self.decisions: dict[int, Decision] = {}

    def __call__(self, seen: SpotSeen) -> tuple[Sequence[int], int]:
        asked = np.zeros(len(seen.price), np.int64)
        on_demand = self.rule.desired(seen, asked, self.knobs, self.state)
        self.decisions[int(seen.at)] = asked.tolist(), on_demand
        return asked, on_demand


def test_spothedge_step_by_step() -> None:
    """Demand 4 and one extra in zones a, b and c at 0.40, 0.50 and 0.60; a is lost at 130, b is there from 205 on."""
    spells = market(
        [(0, 130)], [(205, SECONDS)], ALWAYS, prices=("0.40", "0.50", "0.60"), notice=60.0
    )
    rule = Recorder("spothedge", spothedge.Knobs(0.25), zones=3)
    run(spot_scenario(spells), rule, wanted((0, 4)), INTERVAL_SECONDS)
    expected: dict[int, Decision] = {
        20: ([3, 1, 1], 4),  # zones not in use first, the rest in the cheapest
        40: ([4, 0, 1], 4),  # the launch in b failed: b is avoided
        60: ([4, 0, 1], 4),
        80: ([4, 0, 1], 1),  # four of five serve
        100: ([4, 0, 1], 0),  # all five
        120: ([4, 0, 1], 0),
        140: ([3, 1, 1], 4),  # a is lost: only c were active, so all are again
        160: ([3, 1, 1], 4),  # launches in a and b failed
        180: ([3, 1, 1], 4),
        200: ([3, 1, 1], 4),
        220: ([3, 1, 1], 4),  # the first launch in b that succeeds
        240: ([0, 4, 1], 4),  # a failed once more, alone
        260: ([0, 4, 1], 4),
        280: ([0, 4, 1], 3),  # the one of 220 serves
        300: ([0, 4, 1], 0),  # the three of 240, too
    }
    assert {at: rule.decisions[at] for at in expected} == expected


def ready(spot: SpotWorld) -> list[float]:
    return (spot.world.course[READY_SECONDS] / 10.0).tolist()


@pytest.mark.parametrize(
    ("start_seconds", "least_ready"),
    [
        pytest.param(60.0, 2.0, id="starts faster than the notice: no gap"),
        pytest.param(180.0, 0.0, id="starts slower than the notice: a gap"),
    ],
)
def test_one_zone_falls_back_on_demand(start_seconds: float, least_ready: float) -> None:
    """Zone a is lost at 800: two on-demand replicas start then, and the spot ones serve until 920."""
    given = spot_scenario(market([(0, 800)], notice=120.0), start_seconds=start_seconds)
    rule = Recorder("one-zone", one_zone.DEFAULT, zones=1)
    spot = run(given, rule, wanted((0, 2)), INTERVAL_SECONDS)
    assert [rule.decisions[at][1] for at in (20, 780, 800, 1180)] == [2, 0, 2, 2]
    assert min(ready(spot)) == least_ready
    assert ready(spot)[92:98] == ([2.0] * 6 if least_ready else [0.0] * 6)
    served = 20 + start_seconds  # on-demand replicas of the beginning stop, and drain
    outcome = outcome_with_spot(spot, given, name="one-zone")
    assert outcome.replica_hours.spot == pytest.approx(2 * (920 - 20) / 3600)
    assert outcome.replica_hours.on_demand == pytest.approx(2 * (served + 30 + 400) / 3600)
    assert (outcome.late > 0) == (least_ready == 0)


@pytest.fixture(scope="module")
def followed() -> tuple[Outcome, Outcome, Outcome]:
    """Ours over two hours of changing traffic; on demand only, compiled and by hand."""
    draw = np.random.default_rng(5)
    given = spot_scenario(
        market([(0, 7200)]),
        traffic=rates(*draw.uniform(100, 900, 24), seconds=300.0),
        start_samples=(40.0, 90.0, 200.0),
        exclude_first_seconds=600.0,
    )
    mine = ours(given)
    assert mine.ordered is not None
    alone = run_placement(given, Trial(name="on-demand-only"), mine.ordered)
    by_hand = run(given, lambda seen: ([0], seen.demand), mine.ordered, INTERVAL_SECONDS)
    return mine, alone, outcome_with_spot(by_hand, given, name="by hand")


def test_on_demand_only_is_what_ours_did(followed: tuple[Outcome, Outcome, Outcome]) -> None:
    mine, alone, _ = followed
    assert mine.scale_events > 10
    assert mine.late > 0
    assert alone.cost_dollars == pytest.approx(mine.cost_dollars, rel=1e-12)
    assert (alone.starts, alone.scale_events) == (mine.starts, mine.scale_events)
    assert alone.late == pytest.approx(mine.late, rel=0.01)
    assert alone.course.ready == pytest.approx(mine.course.ready)


def test_a_compiled_loop_is_what_its_parts_do(followed: tuple[Outcome, Outcome, Outcome]) -> None:
    _, alone, by_hand = followed
    assert (alone.cost_dollars, alone.late) == (by_hand.cost_dollars, by_hand.late)


def test_spot_rules_in_a_comparison() -> None:
    """After ours in the order they were asked for, at the default and the best knob, against the bound with spot."""
    given = spot_scenario(
        market(ALWAYS, ALWAYS, prices=("0.30", "0.20")),
        policy=policy(highest=10),
        exclude_first_seconds=200.0,
    )
    told: list[tuple[float, str]] = []
    found = compare(
        given, against=["half-half", "static", "on-demand-only", "one-zone"], tuned=True, bound=True,
        progress=lambda share, name: told.append((share, name)),
    )  # fmt: skip
    names = [one.name for one in found.outcomes]
    in_turn = ["resnet", *["half-half"] * 2, "static", *["on-demand-only"] * 2, *["one-zone"] * 2]
    assert names == in_turn
    rows = dict(zip(names, found.outcomes, strict=True))
    assert rows["half-half"].knob == "tuned: on demand 0.25"
    assert found.outcomes[1].knob == "default: on demand 0.50"
    assert found.bound is not None
    assert found.spot_bound is not None
    assert found.spot_bound.cost_dollars < 0.5 * found.bound.cost_dollars
    assert found.spot_bound.cost_dollars == pytest.approx(
        getattr(bound_of(given, spot=True), "cost_dollars", None)
    )
    spot, plain = rows["half-half"], rows["static"]
    assert found.ratio_to_bound(spot) == spot.cost_dollars / found.spot_bound.cost_dollars
    assert found.ratio_to_bound(plain) == plain.cost_dollars / found.bound.cost_dollars
    assert told[-1][0] == pytest.approx(1.0)
    assert {"spot-bound", "half-half"} <= {name for _, name in told}


def test_without_a_market_there_is_no_bound_with_spot() -> None:
    found = compare(spot_scenario(None), bound=True)
    assert found.bound is not None
    assert found.spot_bound is None
