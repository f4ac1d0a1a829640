"""How given replicas are placed on spot zones: SpotHedge's zone list, and the three plain ways."""

from typing import Any

import numpy as np
import pytest

from inference_cost.simulate.baselines.spot import half_half, on_demand_only, one_zone, spothedge
from inference_cost.simulate.baselines.spot_seen import SpotSeen

PRICES = (0.45, 0.40, 0.50)


def zones(*counts: int) -> np.ndarray:
    return np.array(counts, dtype=np.int64)


def look(
    demand: int, *, ready: tuple = (0, 0, 0), starting: tuple = (0, 0, 0), lost: tuple = (0, 0, 0),
    available: tuple = (1, 1, 1), prices: tuple = PRICES,
) -> SpotSeen:  # fmt: skip
    return SpotSeen(
        0.0, demand, zones(*available), np.array(prices), zones(*ready), zones(*starting),
        zones(*lost), 0, 0,
    )  # fmt: skip


class Run:
    """One rule, tick after tick."""

    def __init__(self, rule: Any, knobs: Any = None) -> None:
        self.rule, self.knobs = rule, knobs or rule.DEFAULT
        self.state = rule.new_state(self.knobs, 3)

    def tick(self, seen: SpotSeen) -> tuple[list[int], int]:
        """Spot replicas wanted per zone, on-demand replicas wanted."""
        wanted = zones(7, 7, 7)
        on_demand = self.rule.desired(seen, wanted, self.knobs, self.state)
        return wanted.tolist(), on_demand


FIRST_TICK = {
    "SpotHedge: one replica and its extra go to the two cheapest zones": (
        spothedge, None, look(1), ([1, 1, 0], 1),
    ),
    "SpotHedge: zones not in use first, then the cheapest": (
        spothedge, spothedge.Knobs(0.0), look(5), ([1, 3, 1], 5),
    ),
    "SpotHedge: of equal prices the least used": (
        spothedge, spothedge.Knobs(0.0), look(6, prices=(1.0, 1.0, 1.0)), ([2, 2, 2], 6),
    ),
    "SpotHedge: 10 % more than 20, on demand what is not ready": (
        spothedge, None, look(20, ready=(6, 6, 6)), ([6, 10, 6], 4),
    ),
    "SpotHedge: on demand never exceeds the demand": (
        spothedge, spothedge.Knobs(0.5), look(4), ([1, 4, 1], 4),
    ),
    "SpotHedge: no on demand when demand and extra are ready": (
        spothedge, None, look(10, ready=(1, 9, 1)), ([1, 9, 1], 0),
    ),
    "SpotHedge: starting replicas of the dearest zone leave first": (
        spothedge, spothedge.Knobs(0.0), look(6, ready=(3, 3, 0), starting=(0, 1, 1)), ([3, 3, 0], 0),
    ),
    "SpotHedge: then ready ones of the dearest zone": (
        spothedge, spothedge.Knobs(0.0), look(4, ready=(2, 2, 2)), ([2, 2, 0], 0),
    ),
    "SpotHedge: no demand, no replicas": (spothedge, None, look(0, ready=(1, 1, 0)), ([0, 0, 0], 0)),
    "on demand only: no spot whatever it costs": (
        on_demand_only, None, look(5, ready=(2, 0, 0)), ([0, 0, 0], 5),
    ),
    "one zone: all in the cheapest, on demand until it is ready": (
        one_zone, None, look(5, ready=(0, 2, 0), starting=(0, 3, 0)), ([0, 5, 0], 3),
    ),
    "one zone: it is asked for while it is not available": (
        one_zone, None, look(5, available=(1, 0, 1)), ([0, 5, 0], 5),
    ),
    "one zone: a base on demand is kept and not asked for as spot": (
        one_zone, one_zone.Knobs(2), look(5, ready=(0, 3, 0)), ([0, 3, 0], 2),
    ),
    "one zone: the base is at most the demand": (one_zone, one_zone.Knobs(8), look(5), ([0, 0, 0], 5)),
    "half and half: an odd one is on demand, spot is spread": (
        half_half, None, look(9, ready=(1, 2, 1)), ([1, 2, 1], 5),
    ),
    "half and half: spot only where there is some": (
        half_half, None, look(8, ready=(2, 0, 2), available=(1, 0, 1)), ([2, 0, 2], 4),
    ),
    "half and half: on demand for spot that starts or is lost": (
        half_half, None, look(8, ready=(1, 0, 0), starting=(0, 1, 0)), ([1, 2, 1], 7),
    ),
    "half and half: all on demand without spot": (
        half_half, None, look(8, available=(0, 0, 0)), ([0, 0, 0], 8),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "knobs", "seen", "expected"), FIRST_TICK.values(), ids=FIRST_TICK)
def test_first_tick(rule: Any, knobs: Any, seen: SpotSeen, expected: tuple[list[int], int]) -> None:
    assert Run(rule, knobs).tick(seen) == expected


def test_spothedge_avoids_a_zone_that_took_a_replica() -> None:
    run = Run(spothedge, spothedge.Knobs(0.0))
    assert run.tick(look(3)) == ([1, 1, 1], 3)
    assert run.tick(look(3, ready=(1, 0, 1), lost=(0, 1, 0))) == ([2, 0, 1], 1)
    assert run.state.active.tolist() == [1, 0, 1]


def test_spothedge_takes_a_failed_launch_for_a_loss() -> None:
    """The zone neither runs nor lost the replica that was asked for."""
    run = Run(spothedge, spothedge.Knobs(0.0))
    run.tick(look(3))
    assert run.tick(look(3, starting=(1, 0, 1))) == ([2, 0, 1], 3)


def test_spothedge_forgets_losses_when_fewer_than_two_zones_are_active() -> None:
    run = Run(spothedge, spothedge.Knobs(0.0))
    run.tick(look(3))
    run.tick(look(3, ready=(1, 0, 1), lost=(0, 1, 0)))
    run.tick(look(3, ready=(0, 0, 1), lost=(1, 0, 0), starting=(1, 0, 0)))
    assert run.state.active.tolist() == [1, 1, 1]


def test_spothedge_trusts_a_zone_again_when_a_replica_became_ready() -> None:
    run = Run(spothedge, spothedge.Knobs(0.0))
    run.tick(look(4))
    run.tick(look(4, ready=(1, 0, 1), lost=(0, 1, 0), starting=(0, 1, 0)))
    assert run.state.active.tolist() == [1, 0, 1]
    run.tick(look(4, ready=(2, 1, 1)))
    assert run.state.active.tolist() == [1, 1, 1]


def test_one_zone_stays_when_prices_change() -> None:
    run = Run(one_zone)
    run.tick(look(2))
    assert run.tick(look(2, prices=(0.1, 0.4, 0.1)))[0] == [0, 2, 0]
