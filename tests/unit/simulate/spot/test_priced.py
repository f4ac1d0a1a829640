"""The operator's own placement in the simulated market."""

import numpy as np
import pytest

from inference_cost.simulate.backtest import ours
from inference_cost.simulate.outcome import ReplicaSchedule
from inference_cost.simulate.spot.clock import advance
from inference_cost.simulate.spot.new import new_spot_world
from inference_cost.simulate.spot.priced import PRICED, SURVIVING, run_own_placement
from inference_cost.simulate.spot.replicas import place
from inference_cost.simulate.spot.trial import run_placement
from inference_cost.simulate.tuning import Trial
from inference_cost.simulate.world.state import NOW
from tests.unit.simulate.spot.markets import ALWAYS, SECONDS, market, spot_scenario


def demand(replicas: int, late_price: float = 5.0) -> ReplicaSchedule:
    return ReplicaSchedule(
        times_seconds=np.array([0.0]),
        replicas=np.array([replicas], np.int64),
        late_price_times=np.array([0.0]),
        late_prices=np.array([late_price]),
    )


def test_a_zone_that_stays_gets_all_replicas_and_on_demand_goes() -> None:
    scenario = spot_scenario(market(ALWAYS, prices=("0.40",), notice=60.0))
    found = run_own_placement(scenario, Trial(name=PRICED), demand(4))
    dear = run_placement(scenario, Trial(name="on-demand-only"), demand(4))
    assert found.on_spot_market
    assert found.replica_hours.spot > 0.7 * dear.replica_hours.on_demand
    assert found.cost_dollars < 0.7 * dear.cost_dollars


def test_late_requests_that_cost_more_than_spot_saves_keep_it_on_demand() -> None:
    scenario = spot_scenario(market(ALWAYS, prices=("0.90",), notice=0.0))
    found = run_own_placement(scenario, Trial(name=PRICED), demand(4, late_price=500.0))
    assert found.replica_hours.spot == 0


def test_a_lost_zone_is_replaced_and_not_asked_again_at_once() -> None:
    spells = market([(0, 130), (150, SECONDS)], prices=("0.40",), notice=60.0)
    found = run_own_placement(spot_scenario(spells), Trial(name=PRICED), demand(4))
    assert found.replica_hours.on_demand > found.replica_hours.spot > 0


def test_with_survivors_no_zone_holds_all() -> None:
    spells = market(ALWAYS, ALWAYS, prices=("0.40", "0.40"), notice=60.0)
    scenario = spot_scenario(spells)
    priced = run_own_placement(scenario, Trial(name=PRICED), demand(4))
    surviving = run_own_placement(scenario, Trial(name=SURVIVING), demand(4))
    assert surviving.cost_dollars > priced.cost_dollars
    assert surviving.replica_hours.spot > 1.5 * priced.replica_hours.spot


def test_it_needs_a_market() -> None:
    with pytest.raises(ValueError, match="--spot-availability"):
        run_own_placement(spot_scenario(None), Trial(name=PRICED), demand(4))


def test_a_notice_wakes_at_once_whoever_wants_to_be_woken() -> None:
    spells = market([(0, 130)], prices=("0.40",), notice=60.0)
    spot = new_spot_world(spot_scenario(spells), demand(2))
    assert advance(spot, 100.0, woken_by_notice=True)
    spot.wanted[0] = 2
    place(spot, 2)
    assert advance(spot, 100.0, woken_by_notice=True)
    assert spot.world.numbers[NOW] == 130.0
    place(spot, 2)
    assert advance(spot, 100.0, woken_by_notice=True)
    assert spot.world.numbers[NOW] == 200.0


def test_the_policy_tells_what_a_late_request_counts_like() -> None:
    ordered = ours(spot_scenario(None)).ordered
    assert ordered is not None
    assert len(ordered.late_prices) == len(ordered.late_price_times) > 0
    assert ordered.late_prices.min() >= 1.0
