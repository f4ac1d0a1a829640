"""Karpenter gives spot machines up: because it wants to, and because the cloud takes them back."""

from dataclasses import replace

import pytest

from e2e.karpenter.fleet import NAME, KarpenterFleet
from e2e.karpenter.start import TICK_SECONDS
from e2e.rig.fleet_exporter.client import ExporterClient
from e2e.rig.karpenter.machines import G6, ON_DEMAND, SPOT
from e2e.rig.karpenter.node_pools import API_VERSION
from e2e.rig.kube import wait_for
from e2e.scenarios.scene import Scene

PER_SECOND = 40.0
DRIFTED_WITHIN_SECONDS = 90.0


@pytest.fixture(name="fleet")
def _fleet(scene: Scene, exporter: ExporterClient) -> KarpenterFleet:
    """On spot, all of it."""
    fleet = KarpenterFleet(scene=scene, exporter=exporter)
    fleet.deploy(PER_SECOND, spot_price=G6.prices[SPOT])
    fleet.wait_on(SPOT)
    return fleet


def test_drift_is_no_loss_and_an_interruption_is(scene: Scene, fleet: KarpenterFleet) -> None:
    """NodeClaims that drift are replaced on spot and count as no loss; interrupted ones bring the fleet on demand."""
    before = wait_for(
        lambda: fleet.variant(SPOT).get("lossesPerHour"),
        timeout_seconds=15,
        what="the status to tell of losses",
    )
    _drift(fleet)
    variant = fleet.variant(SPOT)
    assert "awayUntil" not in variant, variant
    assert float(variant["lossesPerHour"]) <= float(before), variant
    _interrupt(fleet)
    wait_for(
        lambda: fleet.ordered()[ON_DEMAND] >= fleet.replicas,
        timeout_seconds=TICK_SECONDS + 2,
        what="replicas on demand to be ordered",
    )
    fleet.wait_on(ON_DEMAND)
    wait_for(
        lambda: fleet.variant(SPOT).get("awayUntil"),
        timeout_seconds=15,
        what="spot to be kept away from",
    )
    assert float(fleet.variant(SPOT)["lossesPerHour"]) > float(before)
    assert f"No more are asked of {fleet.pool(SPOT)}" in scene.status(NAME)["decision"]["message"]


def _drift(fleet: KarpenterFleet) -> None:
    """Another template: Karpenter replaces what was made from the old one, by itself and one after the other."""
    old = {claim["metadata"]["name"] for claim in fleet.node_claims()}
    changed = replace(fleet.pools[SPOT], generation="2")
    fleet.scene.kube.apply(changed.manifest())

    def replaced() -> bool:
        now = {claim["metadata"]["name"] for claim in fleet.node_claims()}
        return not now & old and set(fleet.ready()) == {SPOT}

    wait_for(replaced, timeout_seconds=DRIFTED_WITHIN_SECONDS, what="Karpenter to replace machines")
    fleet.wait_on(SPOT)


def _interrupt(fleet: KarpenterFleet) -> None:
    """What Karpenter's interruption controller does at a notice: it deletes the NodeClaim, and tells nobody why."""
    for claim in fleet.node_claims():
        fleet.scene.kube.delete(API_VERSION, "NodeClaim", claim["metadata"]["name"])
