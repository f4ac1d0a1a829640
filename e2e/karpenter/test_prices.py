"""Prices of two NodePools change, and with them where a fleet runs and what Karpenter buys."""

from e2e.karpenter.early import EarlyFleets
from e2e.rig.karpenter.machines import DEAR_SPOT, G6, ON_DEMAND, SPOT


def test_a_fleet_follows_the_price(early: EarlyFleets) -> None:
    """As the price of spot falls below on demand, and rises again, NodeClaims of the one type replace the other's."""
    fleet = early.priced
    assert set(fleet.claims()) == {ON_DEMAND}
    assert fleet.variant(SPOT)["perReplicaHour"] == str(DEAR_SPOT)
    fleet.set_price(SPOT, G6.prices[SPOT])
    fleet.wait_on(SPOT)
    assert fleet.variant(SPOT)["perReplicaHour"] == str(G6.prices[SPOT])
    fleet.set_price(SPOT, DEAR_SPOT)
    fleet.wait_on(ON_DEMAND)
