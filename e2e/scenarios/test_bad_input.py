"""Core 2: what a person gets wrong is refused, or told with the field and the fix; others go on."""

import json

import pytest

from e2e.rig.kube import Manifest
from e2e.scenarios.scene import Scene
from e2e.scenarios.targets import six_line_policy

REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "minReplicas above maxReplicas": (
        {"minReplicas": 5, "maxReplicas": 2},
        "`minReplicas` must be less than or equal to `maxReplicas`; lower the one or raise the other",
    ),
    "a pool that this version does not know of": (
        {"poolRef": {"name": "cheap"}},
        'unknown field "spec.poolRef"',
    ),
    "a mode that does not exist": ({"mode": "Auto"}, "spec.mode"),
}


def applied_by_hand(scene: Scene, manifest: Manifest) -> str:
    """What kubectl says when a person applies it; "" when it is accepted."""
    done = scene.installation.kubectl(
        "apply", "--namespace", scene.namespace, "-f", "-", given=json.dumps(manifest)
    )
    return done.stderr if done.returncode else ""


@pytest.mark.parametrize("sentence", REFUSED)
def test_bad_objects_are_refused(scene: Scene, sentence: str) -> None:
    """The API server refuses a bad object, and names the field and the fix."""
    spec, message = REFUSED[sentence]
    assert applied_by_hand(scene, six_line_policy("good", "resnet")) == ""
    assert message in applied_by_hand(scene, six_line_policy("bad", "resnet", **spec))


def test_bad_targets_are_told_and_others_go_on(scene: Scene) -> None:
    """A wrong target and a kind not enabled are told within 30 s, while another policy is enforced."""
    scene.target("resnet")
    scene.policy("wrong-target", "resnett", mode="Enforce")
    kind = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "resnet"}
    scene.policy("wrong-kind", scaleTargetRef=kind, mode="Enforce")
    scene.policy("good", "resnet", mode="Enforce")

    told = scene.wait_told("wrong-target", "Accepted", "False", "TargetNotFound")
    assert "spec.scaleTargetRef" in told.message
    assert "Deployment/resnet" in told.message, "the close name is offered"
    assert "with the right kind and name" in told.message

    told = scene.wait_told("wrong-kind", "Accepted", "False", "KindNotEnabled")
    assert "spec.scaleTargetRef" in told.message
    assert "rbac.scaleTargets" in told.message
    for policy in ("wrong-target", "wrong-kind"):
        assert scene.told(policy, "Ready").status == "False"
        assert scene.wait_event(policy, "NotAccepted")

    scene.wait_replicas("resnet", 2)
    assert scene.wait_told("good", "Ready", "True", "Ready")


def test_correcting_the_mistake_is_enough(scene: Scene) -> None:
    """A target that comes later is found without touching the policy."""
    scene.policy("resnet", mode="Enforce")
    scene.wait_told("resnet", "Accepted", "False", "TargetNotFound")
    scene.target("resnet")
    scene.wait_told("resnet", "Accepted", "True", "Accepted")
    scene.wait_replicas("resnet", 2)
