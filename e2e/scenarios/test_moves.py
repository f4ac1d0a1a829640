"""A fleet that moves, and who comes between: its policy goes, its image is rolled, its replicas are reverted."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from e2e.rig.kube import APPLY_PATCH, wait_for
from e2e.rig.models.sleepy import SleepyModel
from e2e.rig.providers import Capability
from e2e.scenarios.requests import Load, start_load
from e2e.scenarios.scene import Scene, holds_for
from e2e.scenarios.start import TICK_SECONDS
from e2e.scenarios.stories import Stories
from e2e.scenarios.test_rollout import complete
from e2e.scenarios.variant_fleet import NAME, VariantFleet, delete_policy

pytestmark = pytest.mark.needs(Capability.PROCESS_NODES, Capability.AUDIT_LOG)

PER_SECOND = 60.0
MINIMUM = 2
SAFE, SPOT = "moved-safe", "moved-spot"
MOVED_WITHIN_SECONDS = 90.0
ROLLED_WITHIN_SECONDS = 90.0
GITOPS = "argocd-controller"


def a_fleet_that_moves(scene: Scene) -> None:
    """One fleet, one thing after the other."""
    fleet = VariantFleet(scene=scene, pools=(SAFE, SPOT), start_delay="2s")
    fleet.deploy(minimum=MINIMUM, maximum=6)
    fleet.wait(moved_safe=MINIMUM)
    load = start_load(fleet.live, per_second=PER_SECOND, seconds=400)
    _policy_is_deleted_in_the_middle(fleet)
    fleet.apply_policy(minimum=MINIMUM, maximum=6)
    fleet.wait(MOVED_WITHIN_SECONDS, moved_spot=MINIMUM)
    scene.edit(NAME, minOnDemandReplicas=1)
    fleet.wait(MOVED_WITHIN_SECONDS, moved_spot=1, moved_safe=1)
    _image_is_rolled(fleet, load)
    _replicas_are_reverted(fleet)
    load.process.fail_if_ended()


def _policy_is_deleted_in_the_middle(fleet: VariantFleet) -> None:
    """The move has begun: replicas are ordered on spot, and not ready."""
    wait_for(
        lambda: fleet.replicas(SPOT) > 0, timeout_seconds=MOVED_WITHIN_SECONDS, what="the move"
    )
    delete_policy(fleet)
    time.sleep(TICK_SECONDS)  # what was begun is finished
    there = _counts(fleet)
    assert there[SAFE] == MINIMUM, f"made before broken: {there}"

    def left() -> None:
        assert _counts(fleet) == there

    holds_for(2 * TICK_SECONDS, left)
    wait_for(lambda: fleet.ready(SPOT) == there[SPOT], timeout_seconds=30, what="what was ordered")


def _image_is_rolled(fleet: VariantFleet, load: Load) -> None:
    """More may be added while the new image is not known, but not many; none are removed."""
    scene, began, before = fleet.scene, load.seconds, _counts(fleet)
    fleet.roll(SleepyModel(alpha_milliseconds=50.0), "sleepy-rolled")
    deadline = time.monotonic() + ROLLED_WITHIN_SECONDS
    while not all(complete(scene.object(fleet.name(pool))) for pool in fleet.pools):
        there = _counts(fleet)
        assert all(there[pool] >= before[pool] for pool in before), f"removed meanwhile: {there}"
        assert sum(there.values()) <= sum(before.values()) + 1, f"added meanwhile: {there}"
        assert time.monotonic() < deadline, "the rollout does not end"
        time.sleep(0.3)
    share = load.in_time(began, load.seconds - 1)
    assert share >= 0.98, f"{share:.4f} in time while both variants were rolled"


def _counts(fleet: VariantFleet) -> dict[str, int]:
    return {pool: fleet.replicas(pool) for pool in fleet.pools}


def _replicas_are_reverted(fleet: VariantFleet) -> None:
    """As a GitOps controller does whose manifest has `replicas`."""
    scene, stop = fleet.scene, Event()
    with ThreadPoolExecutor(1) as thread:
        reverting = thread.submit(_revert, fleet, stop)
        try:
            scene.edit(NAME, minReplicas=3, minOnDemandReplicas=2)
            told = scene.wait_told(NAME, "Conflicted", "True", "Reverted", within=60)
        finally:
            stop.set()
            reverting.result()
    assert GITOPS in told.message, told
    assert "Leave `replicas` out of its manifest" in told.message, told
    there = _counts(fleet)

    def left_alone() -> None:
        assert _counts(fleet) == there

    holds_for(2 * TICK_SECONDS, left_alone)
    assert sum(map(fleet.ready, fleet.pools)) >= MINIMUM


def _revert(fleet: VariantFleet, stop: Event) -> None:
    name, namespace = fleet.name(SAFE), fleet.scene.namespace
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": 1},
    }
    query = {"fieldManager": GITOPS, "force": "true"}
    while not stop.is_set():
        if fleet.replicas(SAFE) != 1:
            fleet.scene.kube.request(
                "PATCH", path, body=body, content_type=APPLY_PATCH, query=query
            )
        stop.wait(0.5)


@pytest.mark.story(of=a_fleet_that_moves)
def test_who_comes_between_a_move(stories: Stories) -> None:
    """A policy deleted in mid-move leaves both variants; an image is rolled over both; reverts are let be."""
    stories.end_of(a_fleet_that_moves)
