"""Nodes that the operator keeps ready, where Karpenter buys them, may consolidate them, and must buy the next."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from e2e.karpenter.fleet import START_DELAY
from e2e.karpenter.start import TICK_SECONDS
from e2e.rig.fleet_exporter.simulated_fleet import SimulatedFleet
from e2e.rig.karpenter.machines import G6, ON_DEMAND
from e2e.rig.karpenter.node_pools import (
    API_VERSION,
    CAPACITY_LABEL,
    NODE_POOL_LABEL,
    KarpenterPool,
)
from e2e.rig.kube import Manifest, wait_for
from e2e.rig.stack import OPERATOR_NAMESPACE
from e2e.scenarios.scene import Scene, holds_for
from e2e.scenarios.targets import POLICY_VERSION

POOL, REPLICAS = "kept", "real"
CONSOLIDATE_AFTER_SECONDS = 3.0
BOUGHT_WITHIN_SECONDS = 40.0
TAKEN_WITHIN_SECONDS = 2.0
# Three times as long as Karpenter waits with a node that is empty.
KEPT_SECONDS = 3 * CONSOLIDATE_AFTER_SECONDS
PRICE = G6.prices[ON_DEMAND]


def test_warm_nodes_are_bought_kept_taken_and_bought_anew(scene: Scene) -> None:
    """Karpenter buys the node that is kept ready, leaves it, and buys the next when a replica took it within 2 s."""
    with _pool(scene):
        fleet = SimulatedFleet(
            name=REPLICAS,
            namespace=scene.namespace,
            start_delay=START_DELAY,
            node_selector={NODE_POOL_LABEL: POOL},
        )
        scene.apply(*fleet.manifests())
        scene.policy(REPLICAS, minReplicas=1)
        _wait_shown(scene, "1/1")
        (kept,) = _nodes(scene, OPERATOR_NAMESPACE)
        (first,) = _nodes(scene, scene.namespace)
        claims = _claims(scene)
        assert set(claims.values()) == {kept, first}, "each bought by Karpenter, and no more"
        assert Decimal(_warm(scene)["perHour"]) == PRICE
        holds_for(KEPT_SECONDS, lambda: _assert_there(scene, claims))
        assert Decimal(scene.status(REPLICAS)["cost"]["perHour"]) == PRICE, "of its own node alone"

        scene.kube.scale(REPLICAS, 2, namespace=scene.namespace)
        took = _seconds_until_taken(scene, kept)
        print(f"on the warm node after {took:.1f} s")
        assert took <= TAKEN_WITHIN_SECONDS
        wait_for(
            lambda: _claims(scene).keys() > claims.keys(),
            timeout_seconds=BOUGHT_WITHIN_SECONDS,
            what="Karpenter to buy a node for the placeholder that had to go",
        )
        _wait_shown(scene, "1/1")
        assert not _nodes(scene, OPERATOR_NAMESPACE) & {kept, first}
        wait_for(
            lambda: _warm(scene)["usesPerDay"] == 1,
            timeout_seconds=2 * TICK_SECONDS,
            what="the use to be counted",
        )
        assert Decimal(_warm(scene)["perHour"]) == PRICE


@contextmanager
def _pool(scene: Scene) -> Iterator[None]:
    """Of Karpenter's, and the CapacityPool over it; neither belongs to a namespace."""
    bought = KarpenterPool(
        name=POOL,
        capacity_type=ON_DEMAND,
        consolidate_after=f"{CONSOLIDATE_AFTER_SECONDS:g}s",
    )
    labels = {NODE_POOL_LABEL: POOL, CAPACITY_LABEL: ON_DEMAND}
    declared: Manifest = {
        "apiVersion": POLICY_VERSION,
        "kind": "CapacityPool",
        "metadata": {"name": POOL},
        "spec": {
            "nodeSelector": {"matchLabels": labels},
            "offerings": [{"instanceType": G6.name, "perNodeHour": str(PRICE)}],
            "warm": {"min": 1, "max": 2},
        },
    }
    scene.kube.apply(bought.manifest(), declared)
    try:
        yield
    finally:
        scene.kube.delete(POLICY_VERSION, "CapacityPool", POOL)


def _warm(scene: Scene) -> Manifest:
    found = scene.kube.get(POLICY_VERSION, "CapacityPool", POOL)
    warm: Manifest = found.get("status", {}).get("warm", {})
    return warm


def _wait_shown(scene: Scene, shown: str) -> None:
    wait_for(
        lambda: _warm(scene).get("shown") == shown,
        timeout_seconds=BOUGHT_WITHIN_SECONDS,
        what=f"{shown} warm nodes",
    )


def _assert_there(scene: Scene, claims: dict[str, str]) -> None:
    assert _claims(scene) == claims


def _claims(scene: Scene) -> dict[str, str]:
    """NodeClaims that stay, and the node of each."""
    found = scene.kube.list(API_VERSION, "NodeClaim", label_selector=f"{NODE_POOL_LABEL}={POOL}")
    return {
        c["metadata"]["name"]: c.get("status", {}).get("nodeName", "")
        for c in found
        if "deletionTimestamp" not in c["metadata"]
    }


def _nodes(scene: Scene, namespace: str) -> set[str]:
    """That pods of a namespace hold in the pool."""
    pods = scene.kube.list("v1", "Pod", namespace=namespace)
    mine = (pod for pod in pods if POOL in pod["spec"].get("nodeSelector", {}).values())
    staying = (pod["spec"] for pod in mine if "deletionTimestamp" not in pod["metadata"])
    return {spec["nodeName"] for spec in staying if "nodeName" in spec}


def _seconds_until_taken(scene: Scene, node: str) -> float:
    """From the order of another replica until it is bound to the node."""
    began = time.monotonic()
    wait_for(
        lambda: node in _nodes(scene, scene.namespace),
        timeout_seconds=10,
        what="the replica on the warm node",
        poll=0.1,
    )
    return time.monotonic() - began
