"""Others that scale a variant: a real HorizontalPodAutoscaler, KEDA, a controller that owns the workload."""

import pytest

from e2e.rig.kube import Manifest, wait_for
from e2e.rig.providers import Capability
from e2e.scenarios.scene import Scene, holds_for
from e2e.scenarios.start import TICK_SECONDS
from e2e.scenarios.stories import Stories
from e2e.scenarios.targets import autoscaler, scaled_object, six_line_policy

pytestmark = pytest.mark.needs(Capability.AUDIT_LOG)

SOURCE, OTHER = "resnet", "resnet-spot"


def other_autoscalers(scene: Scene) -> None:
    """An HPA that really scales, and a ScaledObject, on the workload that was split."""
    hpa = autoscaler(SOURCE)
    hpa["spec"]["minReplicas"] = 3
    targets(scene)
    scene.apply(hpa)
    split_policy(scene)
    scene.wait_replicas(SOURCE, 3)  # without metrics it keeps its minimum
    told = scene.wait_told(SOURCE, "Conflicted", "True", "Autoscaler")
    assert f"HorizontalPodAutoscaler/{SOURCE}-hpa" in told.message
    holds_for(2 * TICK_SECONDS, lambda: untouched(scene))

    scene.apply(scaled_object(SOURCE))  # before the other goes: between them it would be nobody's
    _delete(scene, "autoscaling/v2", "HorizontalPodAutoscaler", f"{SOURCE}-hpa")
    told = scene.wait_message(SOURCE, "Conflicted", "ScaledObject", within=30)
    assert f"ScaledObject/{SOURCE}-keda" in told.message
    untouched(scene)

    _delete(scene, "keda.sh/v1alpha1", "ScaledObject", f"{SOURCE}-keda")
    assert scene.wait_told(SOURCE, "Conflicted", "False", "NoConflict")
    scene.edit(SOURCE, minReplicas=4)
    wait_for(
        lambda: scene.replicas(SOURCE) + scene.replicas(OTHER) >= 4,
        timeout_seconds=30,
        what="the replicas to be the operator's",
    )
    assert scene.scale_writes(OTHER)


def an_owner(scene: Scene) -> None:
    """A controller owns one of the workloads, and sets its replicas back whenever somebody writes them."""
    targets(scene)
    owner: Manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "service"}}
    scene.apply(owner)
    uid = scene.kube.get("v1", "ConfigMap", "service", namespace=scene.namespace)["metadata"]["uid"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "service", "uid": uid}
    patch = {"metadata": {"ownerReferences": [reference | {"controller": True}]}}
    scene.kube.merge("apps/v1", "Deployment", SOURCE, patch, namespace=scene.namespace)
    split_policy(scene, minReplicas=3)
    told = scene.wait_told(SOURCE, "Accepted", "False", "OwnedBy")
    assert "ConfigMap/service" in told.message
    scene.wait_replicas(OTHER, 3)  # its sibling serves on
    holds_for(2 * TICK_SECONDS, lambda: scene.assert_untouched(SOURCE))


def targets(scene: Scene) -> None:
    scene.target(SOURCE)
    scene.target(OTHER, replicas=0)


def split_policy(scene: Scene, **spec: object) -> None:
    made = six_line_policy(SOURCE, SOURCE, mode="Enforce", **spec)
    del made["spec"]["scaleTargetRef"]
    made["spec"]["variants"] = [
        {"name": name, "scaleTargetRef": {"name": name}, "maxReplicas": 3}
        for name in (SOURCE, OTHER)
    ]
    scene.apply(made)


def untouched(scene: Scene) -> None:
    for name in (SOURCE, OTHER):
        scene.assert_untouched(name)


def _delete(scene: Scene, api_version: str, kind: str, name: str) -> None:
    scene.kube.delete(api_version, kind, name, namespace=scene.namespace)


@pytest.mark.story(of=other_autoscalers)
def test_autoscalers_on_a_variant(stories: Stories) -> None:
    """A real HorizontalPodAutoscaler or a ScaledObject on one variant keeps both from being written, until it goes."""
    stories.end_of(other_autoscalers)


@pytest.mark.story(of=an_owner)
def test_owner_of_a_variant(stories: Stories) -> None:
    """A variant that another controller owns is named and never written, and the other one serves on."""
    stories.end_of(an_owner)
