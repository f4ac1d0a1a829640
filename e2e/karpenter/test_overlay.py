"""A price that an administrator wrote for Karpenter is the operator's price, too."""

from collections.abc import Iterator
from contextlib import contextmanager

from e2e.karpenter.fleet import NAME, START_DELAY
from e2e.rig.fleet_exporter.client import ExporterClient
from e2e.rig.fleet_exporter.simulated_fleet import SimulatedFleet
from e2e.rig.karpenter.machines import G6, ON_DEMAND
from e2e.rig.karpenter.node_pools import NODE_POOL_LABEL, KarpenterPool
from e2e.rig.kube import condition, wait_for
from e2e.scenarios.scene import Scene
from e2e.scenarios.targets import six_line_policy

POOL = "negotiated"
OVERLAY_VERSION = "karpenter.sh/v1alpha1"
DISCOUNT, DISCOUNTED = "-25%", "0.6036"
READY_WITHIN_SECONDS = 40.0


def test_a_real_overlay_gives_the_price(scene: Scene, exporter: ExporterClient) -> None:
    """A NodeOverlay that Karpenter accepts replaces the list price in status.cost, until it is deleted."""
    scene.kube.apply(KarpenterPool(name=POOL, capacity_type=ON_DEMAND).manifest())
    fleet = SimulatedFleet(
        name=NAME,
        namespace=scene.namespace,
        replicas=1,
        start_delay=START_DELAY,
        node_selector={NODE_POOL_LABEL: POOL},
    )
    scene.apply(*fleet.manifests(), six_line_policy(NAME, NAME, minReplicas=1))
    exporter.set_load(fleet.load(20.0))
    scene.wait_status(NAME, "replicas", within=READY_WITHIN_SECONDS, current=1, ready=1)
    listed = str(G6.prices[ON_DEMAND])
    scene.wait_status(NAME, "cost", perHour=listed, priceSource="ShippedTable")
    with _overlay(scene):
        scene.wait_status(NAME, "cost", perHour=DISCOUNTED, priceSource="NodeOverlay")
    scene.wait_status(NAME, "cost", perHour=listed, priceSource="ShippedTable")


@contextmanager
def _overlay(scene: Scene) -> Iterator[None]:
    requirement = {"key": NODE_POOL_LABEL, "operator": "In", "values": [POOL]}
    scene.kube.apply(
        {
            "apiVersion": OVERLAY_VERSION,
            "kind": "NodeOverlay",
            "metadata": {"name": POOL},
            "spec": {"requirements": [requirement], "priceAdjustment": DISCOUNT},
        }
    )
    try:
        wait_for(
            lambda: (
                condition(scene.kube.get(OVERLAY_VERSION, "NodeOverlay", POOL), "Ready") == "True"
            ),
            timeout_seconds=15,
            what="Karpenter to accept the NodeOverlay",
        )
        yield
    finally:
        scene.kube.delete(OVERLAY_VERSION, "NodeOverlay", POOL)
