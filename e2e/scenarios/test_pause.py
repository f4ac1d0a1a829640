"""Core 4: a pause by annotation, on a policy or a namespace, as it is or at a number."""

from e2e.rig.kube import wait_for
from e2e.scenarios.scene import Scene, holds_for
from e2e.scenarios.start import TICK_SECONDS


def test_pause_annotations(scene: Scene) -> None:
    """A paused policy writes nothing, `paused-replicas` is carried out, and removal resumes."""
    scene.target("resnet")
    scene.annotate_namespace(paused="true")
    scene.policy("resnet", mode="Enforce")
    told = scene.wait_told("resnet", "Ready", "True", "Paused")
    assert "`inferencecost.dev/paused` on the namespace" in told.message
    holds_for(TICK_SECONDS, lambda: scene.wait_replicas("resnet", 1, within=0))
    scene.assert_untouched("resnet")

    scene.annotate("resnet", paused="true", paused_replicas="3")
    scene.annotate_namespace(paused=None)
    scene.wait_replicas("resnet", 3)
    told = scene.wait_told("resnet", "Ready", "True", "Paused")
    assert scene.wait_event("resnet", "PauseChanged")

    scene.annotate("resnet", paused=None, paused_replicas=None)
    scene.edit("resnet", minReplicas=4)
    scene.wait_replicas("resnet", 4)
    assert scene.wait_told("resnet", "Ready", "True", "Ready")

    for paused, reason in (("true", "Paused"), (None, "Ready"), ("true", "Paused")):
        scene.annotate("resnet", paused=paused)
        scene.wait_told("resnet", "Ready", "True", reason)
    wait_for(
        lambda: scene.times("resnet", "PauseChanged") >= 2,
        timeout_seconds=10,
        what="the second pause to be counted in the event of the first",
    )


def test_annotation_that_means_nothing(scene: Scene) -> None:
    """A pause that cannot be read is told, and nothing is written meanwhile."""
    scene.target("resnet")
    scene.policy("resnet")
    scene.annotate("resnet", paused="yes")
    scene.edit("resnet", mode="Enforce")
    told = scene.wait_told("resnet", "Accepted", "False", "InvalidSpec")
    assert 'must be "true" or "false", not "yes"' in told.message
    holds_for(TICK_SECONDS, lambda: scene.wait_replicas("resnet", 1, within=0))
    scene.assert_untouched("resnet")
