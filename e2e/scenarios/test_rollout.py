"""A slower image is rolled out: nobody is removed before it is known what the new one carries."""

import time
from dataclasses import replace

import pytest

from e2e.rig.kube import Manifest
from e2e.rig.providers import Capability
from e2e.scenarios.early import EarlyFleets

pytestmark = pytest.mark.needs(Capability.PROCESS_NODES, Capability.AUDIT_LOG)

ROLLED_OUT_WITHIN_SECONDS = 90.0


def complete(deployment: Manifest) -> bool:
    """The controller has seen the template, and no pod of another one is left."""
    status, wanted = deployment.get("status", {}), deployment["spec"]["replicas"]
    counts = {status.get(name) for name in ("updatedReplicas", "readyReplicas", "replicas")}
    seen = status.get("observedGeneration") == deployment["metadata"]["generation"]
    return seen and counts == {wanted}


def test_no_scale_in_during_a_rollout(early: EarlyFleets) -> None:
    """With two replicas too many, rolling a slower model keeps all three until the rollout has ended."""
    fleet, scene = early.to_roll, early.to_roll.scene
    scene.wait_told(fleet.name, "ScalingLimited", "True", "MinReplicas")
    slower = replace(fleet.fleet.model, alpha_milliseconds=80.0)
    started_at = time.time()
    scene.kube.apply(fleet.with_model(slower, "sleepy-slower-models"))
    scene.edit(fleet.name, minReplicas=1)

    reasons = set()
    deadline = time.monotonic() + ROLLED_OUT_WITHIN_SECONDS
    while not complete(deployment := scene.object(fleet.name)):
        assert deployment["spec"]["replicas"] == 3, "removed during the rollout"
        reasons.add(scene.told(fleet.name, "ScalingLimited").reason)
        assert time.monotonic() < deadline, "the rollout does not end"
        time.sleep(0.2)
    rolled_out_at = time.time()
    assert "Rollout" in reasons, f"there was nothing to hold back: {reasons}"
    early_writes = [
        w for w in scene.scale_writes(fleet.name, since=started_at) if w.at < rolled_out_at - 1
    ]
    assert not early_writes
