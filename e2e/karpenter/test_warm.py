"""What keeps a warm node from being consolidated away, and what takes its place when it is used."""

import time

from e2e.karpenter.fleet import START_DELAY
from e2e.rig.fleet_exporter.simulated_fleet import SimulatedFleet
from e2e.rig.karpenter.machines import ON_DEMAND
from e2e.rig.karpenter.node_pools import API_VERSION, NODE_POOL_LABEL, KarpenterPool
from e2e.rig.kube import Manifest, wait_for
from e2e.scenarios.scene import Scene, holds_for

POOL = "warm"
CONSOLIDATE_AFTER_SECONDS = 5.0
BOUGHT_WITHIN_SECONDS = 40.0
# Three times as long as Karpenter waits with a node that is empty.
KEPT_SECONDS = 3 * CONSOLIDATE_AFTER_SECONDS
PLACEHOLDER = "placeholder"


def test_a_placeholder_keeps_its_node(scene: Scene) -> None:
    """A node under a low-priority pod is not consolidated; a real pod takes it at once, and Karpenter buys another."""
    pool = KarpenterPool(
        name=POOL,
        capacity_type=ON_DEMAND,
        consolidate_after=f"{CONSOLIDATE_AFTER_SECONDS:g}s",
    )
    scene.kube.apply(pool.manifest(), _priority())
    scene.apply(_placeholder(scene.namespace))
    wait_for(lambda: _bound(scene, PLACEHOLDER), timeout_seconds=BOUGHT_WITHIN_SECONDS, what="it")
    (warm,) = _claims(scene)
    holds_for(KEPT_SECONDS, lambda: _assert_there(scene, warm))
    real = SimulatedFleet(
        name="real",
        namespace=scene.namespace,
        start_delay=START_DELAY,
        node_selector={NODE_POOL_LABEL: POOL},
    )
    began = time.monotonic()
    scene.apply(*real.manifests())
    wait_for(lambda: _bound(scene, "real"), timeout_seconds=5, what="the real pod to have a node")
    print(f"on the warm node after {time.monotonic() - began:.1f} s")
    wait_for(
        lambda: len(_claims(scene)) == 2 and _bound(scene, PLACEHOLDER),
        timeout_seconds=BOUGHT_WITHIN_SECONDS,
        what="Karpenter to buy a node for the placeholder that had to go",
    )
    scene.kube.delete("apps/v1", "Deployment", PLACEHOLDER, namespace=scene.namespace)
    wait_for(
        lambda: _claims(scene) == {warm},
        timeout_seconds=BOUGHT_WITHIN_SECONDS,
        what="the node that nothing holds to go, and the one in use to stay",
    )


def _assert_there(scene: Scene, claim: str) -> None:
    assert _claims(scene) == {claim}


def _claims(scene: Scene) -> set[str]:
    found = scene.kube.list(API_VERSION, "NodeClaim", label_selector=f"{NODE_POOL_LABEL}={POOL}")
    return {c["metadata"]["name"] for c in found if "deletionTimestamp" not in c["metadata"]}


def _bound(scene: Scene, app: str) -> bool:
    pods = scene.kube.list("v1", "Pod", namespace=scene.namespace, label_selector=f"app={app}")
    there = [p for p in pods if "deletionTimestamp" not in p["metadata"]]
    return bool(there) and all("nodeName" in p["spec"] for p in there)


def _priority() -> Manifest:
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": PLACEHOLDER},
        "value": -10,
        "preemptionPolicy": "Never",
    }


def _placeholder(namespace: str) -> Manifest:
    held = SimulatedFleet(
        name=PLACEHOLDER, namespace=namespace, node_selector={NODE_POOL_LABEL: POOL}
    ).deployment()
    template = held["spec"]["template"]["spec"]
    template |= {"priorityClassName": PLACEHOLDER, "terminationGracePeriodSeconds": 0}
    return held
