"""Core 5: deleting a policy or its namespace never hangs, and replicas stay."""

import time

from e2e.rig.kube import wait_for
from e2e.scenarios.scene import Scene, holds_for
from e2e.scenarios.start import TICK_SECONDS
from e2e.scenarios.targets import POLICY_KIND, POLICY_VERSION


def test_deleted_policy_leaves_the_replicas(scene: Scene) -> None:
    """A policy is gone as soon as it is deleted, and its target keeps its replicas."""
    scene.target("resnet")
    scene.policy("resnet", mode="Enforce", minReplicas=3)
    scene.wait_replicas("resnet", 3)
    found = scene.kube.get(POLICY_VERSION, POLICY_KIND, "resnet", namespace=scene.namespace)
    assert "finalizers" not in found["metadata"]

    scene.kube.delete(POLICY_VERSION, POLICY_KIND, "resnet", namespace=scene.namespace)
    assert not scene.kube.find(POLICY_VERSION, POLICY_KIND, "resnet", namespace=scene.namespace)
    holds_for(2 * TICK_SECONDS, lambda: scene.wait_replicas("resnet", 3, within=0))


def test_deleted_namespace_does_not_hang(scene: Scene) -> None:
    """A namespace with an enforced policy is gone within seconds of its deletion."""
    scene.target("resnet")
    scene.policy("resnet", mode="Enforce")
    scene.wait_replicas("resnet", 2)
    started = time.monotonic()
    scene.kube.delete("v1", "Namespace", scene.namespace)
    wait_for(
        lambda: scene.kube.find("v1", "Namespace", scene.namespace) is None,
        timeout_seconds=30,
        what=f"namespace {scene.namespace} to be gone",
    )
    assert time.monotonic() - started < 30
