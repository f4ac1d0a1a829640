"""Prices of two NodePools change, and with them where a fleet runs and what Karpenter buys."""

from decimal import Decimal

from e2e.karpenter.fleet import NAME, KarpenterFleet
from e2e.rig.fleet_exporter.client import ExporterClient
from e2e.rig.karpenter.machines import G6, ON_DEMAND, SPOT
from e2e.scenarios.scene import Scene, holds_for

PER_SECOND = 40.0  # no more than the minimum carries: the number stays
DEAR = Decimal("0.95")  # more than on demand
STAYS_SECONDS = 8.0


def test_a_fleet_follows_the_price(scene: Scene, exporter: ExporterClient) -> None:
    """As the price of spot falls below on demand, and rises again, NodeClaims of the one type replace the other's."""
    fleet = KarpenterFleet(scene=scene, exporter=exporter, prefix="prices-")
    fleet.deploy(PER_SECOND, spot_price=DEAR)
    fleet.wait_on(ON_DEMAND)

    def stays() -> None:
        assert set(fleet.claims()) == {ON_DEMAND}

    holds_for(STAYS_SECONDS, stays)
    fleet.set_price(SPOT, G6.prices[SPOT])
    fleet.wait_on(SPOT)
    assert "All on what cannot be taken away would cost" in _message(scene)
    fleet.set_price(SPOT, DEAR)
    fleet.wait_on(ON_DEMAND)


def _message(scene: Scene) -> str:
    return str(scene.status(NAME)["decision"]["message"])
