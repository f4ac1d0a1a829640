"""The cloud has no spot machines: Karpenter's NodeClaims end in InsufficientCapacityError."""

from e2e.karpenter.fleet import NAME, KarpenterFleet
from e2e.karpenter.start import START_UP_SECONDS, TICK_SECONDS
from e2e.rig.fleet_exporter.client import ExporterClient
from e2e.rig.karpenter.machines import G6, ON_DEMAND, SPOT
from e2e.rig.karpenter.node_pools import API_VERSION
from e2e.rig.kube import Manifest, wait_for
from e2e.scenarios.scene import Scene

PER_SECOND = 40.0
PENDING_WITHIN_SECONDS = 40.0
NO_SUCH_CLASS = "sold-out"


def test_a_refused_machine_is_scarcity_at_once(scene: Scene, exporter: ExporterClient) -> None:
    """A NodeClaim that finds no capacity is seen at the next look: no more is asked of spot, without waiting for it."""
    fleet = KarpenterFleet(scene=scene, exporter=exporter, prefix="scarce-")
    fleet.sell_no_more(SPOT)
    fleet.deploy(PER_SECOND, spot_price=G6.prices[SPOT])
    wait_for(
        lambda: fleet.waiting(SPOT),
        timeout_seconds=PENDING_WITHIN_SECONDS,
        what="pods to wait for spot",
        poll=0.3,
    )
    scene.kube.apply(_sold_out(fleet))
    wait_for(
        lambda: fleet.variant(SPOT).get("awayUntil"),
        timeout_seconds=TICK_SECONDS + 3,
        what="the refusal to be believed",
    )
    assert TICK_SECONDS + 3 < START_UP_SECONDS, "else waiting alone would have told it"
    assert f"No more are asked of {fleet.pool(SPOT)}" in scene.status(NAME)["decision"]["message"]
    fleet.wait_on(ON_DEMAND)


def _sold_out(fleet: KarpenterFleet) -> Manifest:
    """An order of a machine as Karpenter would make it; of a class that is not there the provider has no capacity."""
    pool = fleet.pools[SPOT]
    template = pool.manifest()["spec"]["template"]
    spec = template["spec"]
    labels = {**template["metadata"]["labels"], "karpenter.sh/nodepool": pool.name}
    return {
        "apiVersion": API_VERSION,
        "kind": "NodeClaim",
        "metadata": {"name": f"{pool.name}-{NO_SUCH_CLASS}", "labels": labels},
        "spec": {
            "nodeClassRef": {**spec["nodeClassRef"], "name": NO_SUCH_CLASS},
            "requirements": spec["requirements"],
            "resources": {"requests": {"nvidia.com/gpu": "1"}},
        },
    }
