"""Core 6: the leader dies without a word; the other goes on, and decides nothing twice."""

import time

import pytest

from e2e.rig.kube import wait_for
from e2e.rig.providers import Capability
from e2e.scenarios.early import STEADY_PER_SECOND, EarlyFleets
from e2e.scenarios.scene import Scene, holds_for
from e2e.scenarios.start import TICK_SECONDS

TAKES_OVER_WITHIN_SECONDS = 30.0
BEFORE = tuple(f"before-{n}" for n in range(4))
AFTER = tuple(f"after-{n}" for n in range(4))


def test_the_other_replica_takes_over(scene: Scene) -> None:
    """After a hard kill of the leader the other acts within 30 s, and nothing is decided twice."""
    installation = scene.installation
    leader = installation.wait_for_leader()
    for name in (*BEFORE, *AFTER):
        scene.target(name)
    for name in BEFORE:
        scene.policy(name, mode="Enforce", minReplicas=3)
    for name in BEFORE:
        scene.wait_replicas(name, 3)

    for name in AFTER:
        scene.policy(name, mode="Enforce", minReplicas=3)
    installation.kill(leader)
    killed_at = time.monotonic()
    for name in AFTER:
        left = TAKES_OVER_WITHIN_SECONDS - (time.monotonic() - killed_at)
        scene.wait_replicas(name, 3, within=max(left, 0.5))
    assert installation.wait_for_leader() != leader

    for name in (*BEFORE, *AFTER):
        assert scene.wait_told(name, "Ready", "True", "Ready")
        # One change of the spec after its creation: nobody wrote another number in between.
        assert scene.object(name)["metadata"]["generation"] == 2
        if installation.audit is not None:
            assert len(scene.scale_writes(name)) == 1, scene.scale_writes(name)
    wait_for(
        lambda: len([p for p in installation.pods() if _ready(p)]) == 2,
        timeout_seconds=60,
        what="the second replica to be back",
    )


@pytest.mark.needs(Capability.PROCESS_NODES, Capability.AUDIT_LOG)
def test_a_new_leader_changes_nothing(early: EarlyFleets) -> None:
    """Another leader goes on with what the last one learned: replicas under a steady load stay."""
    fleet, scene = early.steady, early.steady.scene
    installation = scene.installation
    fleet.wait_settled(STEADY_PER_SECOND)
    before = scene.replicas(fleet.name)
    leader, killed_at = installation.wait_for_leader(), time.time()
    installation.kill(leader)
    wait_for(
        lambda: installation.leader() not in {"", leader},
        timeout_seconds=TAKES_OVER_WITHIN_SECONDS,
        what="another leader",
    )
    holds_for(3 * TICK_SECONDS, lambda: scene.wait_replicas(fleet.name, before, within=0))
    assert scene.scale_writes(fleet.name, since=killed_at) == []


def _ready(pod: dict[str, object]) -> bool:
    status = pod.get("status")
    conditions = status.get("conditions", ()) if isinstance(status, dict) else ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
