"""Karpenter gives spot machines up: because it wants to, and because the cloud takes them back."""

from dataclasses import replace

from e2e.karpenter.early import EarlyFleets
from e2e.karpenter.fleet import KarpenterFleet
from e2e.karpenter.start import TICK_SECONDS
from e2e.rig.karpenter.machines import ON_DEMAND, SPOT
from e2e.rig.karpenter.node_pools import API_VERSION
from e2e.rig.kube import wait_for
from e2e.scenarios.scene import holds_for

DRIFTED_WITHIN_SECONDS = 90.0
# Longer than MARGIN_SECONDS of decide/leaving.py: a pod made just before an interruption is taken for one made since.
QUIET_SECONDS = 8.0


def test_drift_is_no_loss_and_an_interruption_is(early: EarlyFleets) -> None:
    """NodeClaims that drift are replaced on spot and count as no loss; interrupted ones bring the fleet on demand."""
    fleet = early.on_spot
    fleet.wait_on(SPOT)
    before = _losses_per_hour(fleet)
    _drift(fleet)

    def no_loss() -> None:
        assert "awayUntil" not in fleet.variant(SPOT), fleet.variant(SPOT)
        assert _losses_per_hour(fleet) <= before

    holds_for(QUIET_SECONDS, no_loss)
    # There is no more of it: else Karpenter would buy another one for the pod that the workload makes anew.
    fleet.sell_no_more(SPOT)
    _interrupt(fleet)
    wait_for(
        lambda: fleet.ordered()[ON_DEMAND] >= fleet.replicas,
        timeout_seconds=TICK_SECONDS + 2,
        what="replicas on demand to be ordered",
    )
    fleet.wait_on(ON_DEMAND)
    assert fleet.variant(SPOT).get("awayUntil"), fleet.variant(SPOT)
    assert _losses_per_hour(fleet) > before


def _losses_per_hour(fleet: KarpenterFleet) -> float:
    return float(fleet.variant(SPOT)["lossesPerHour"])


def _drift(fleet: KarpenterFleet) -> None:
    """Another template: Karpenter replaces what was made from the old one, by itself."""
    old = set(_names(fleet))
    fleet.change(SPOT, replace(fleet.pools[SPOT], generation="2"))
    wait_for(
        lambda: not old & set(_names(fleet)),
        timeout_seconds=DRIFTED_WITHIN_SECONDS,
        what="Karpenter to replace machines",
    )
    fleet.wait_on(SPOT)


def _interrupt(fleet: KarpenterFleet) -> None:
    """What Karpenter's interruption controller does at a notice: it deletes the NodeClaim, and tells nobody why."""
    for name in _names(fleet):
        fleet.scene.kube.delete(API_VERSION, "NodeClaim", name)


def _names(fleet: KarpenterFleet) -> list[str]:
    return [claim["metadata"]["name"] for claim in fleet.node_claims()]
