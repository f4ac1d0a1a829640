"""Core 3: two that want the same replicas are told so, and the operator does not fight."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from e2e.rig.binaries import ensure
from e2e.rig.providers import Capability
from e2e.scenarios.installation import succeeded
from e2e.scenarios.scene import Scene, holds_for
from e2e.scenarios.start import TICK_SECONDS
from e2e.scenarios.targets import POLICY_KIND, POLICY_VERSION, autoscaler, scaled_object

# Kubernetes keeps creation times in whole seconds; within one, the uid decides.
CREATION_RESOLUTION_SECONDS = 1.1


def test_two_policies_on_one_target(scene: Scene) -> None:
    """Of two policies on one Deployment the younger is Conflicted and writes nothing."""
    scene.target("resnet")
    scene.policy("older", "resnet", mode="Enforce")
    scene.wait_replicas("resnet", 2)
    time.sleep(CREATION_RESOLUTION_SECONDS)
    scene.policy("younger", "resnet", mode="Enforce", minReplicas=6)

    told = scene.wait_told("younger", "Conflicted", "True", "Policy")
    assert "InferenceCostPolicy/older" in told.message
    assert "Delete one of the two" in told.message
    assert scene.wait_event("younger", "Conflicted")
    assert scene.told("older", "Conflicted").status == "False"
    holds_for(2 * TICK_SECONDS, lambda: scene.wait_replicas("resnet", 2, within=0))

    scene.kube.delete(POLICY_VERSION, POLICY_KIND, "older", namespace=scene.namespace)
    scene.wait_replicas("resnet", 6)


def test_autoscaler_on_the_target(scene: Scene, tmp_path: Path) -> None:
    """A HorizontalPodAutoscaler is named in Recommend, and a conflict without writes in Enforce, until `adopt`."""
    scene.target("resnet")
    scene.apply(autoscaler("resnet"))
    scene.policy("resnet")
    told = scene.wait_told("resnet", "Conflicted", "False", "Autoscaler")
    assert "HorizontalPodAutoscaler/resnet-hpa" in told.message

    scene.edit("resnet", mode="Enforce")
    told = scene.wait_told("resnet", "Conflicted", "True", "Autoscaler")
    assert "delete horizontalpodautoscaler resnet-hpa" in told.message
    holds_for(2 * TICK_SECONDS, lambda: scene.wait_replicas("resnet", 1, within=0))
    scene.assert_untouched("resnet")

    # Nothing is learned of a target without load, for which a person would wait.
    script = handed_over(scene, tmp_path)
    scene.wait_replicas("resnet", 2)
    assert scene.wait_told("resnet", "Conflicted", "False", "NoConflict")

    run_script(scene, undo_of(script), tmp_path)
    told = scene.wait_told("resnet", "Conflicted", "False", "Autoscaler")
    assert "HorizontalPodAutoscaler/resnet-hpa" in told.message


def handed_over(scene: Scene, folder: Path) -> str:
    """What `adopt` prints, after it was run."""
    kubectl = scene.installation.kubectl
    script = succeeded(
        kubectl("inference-cost", "adopt", "resnet", "-n", scene.namespace, "--force")
    )
    run_script(scene, script, folder)
    return script


def undo_of(script: str) -> str:
    """The commands that the script ends with, as a comment."""
    return script.partition("# To undo, at any time:\n")[2].replace("#   ", "")


def run_script(scene: Scene, script: str, folder: Path) -> str:
    """As a person would, with kubectl and this project's plugin on the PATH; what it printed."""
    programs = (ensure("kubectl")["kubectl"].parent, Path(sys.executable).parent)
    environment = {
        "PATH": ":".join((*map(str, programs), os.defpath)),
        "KUBECONFIG": str(scene.installation.cluster.kubeconfig),
    }
    done = subprocess.run(
        ["sh", "-ec", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.needs(Capability.AUDIT_LOG)
def test_keda_on_the_target(scene: Scene) -> None:
    """A KEDA ScaledObject on the target is a conflict in Enforce, until it is paused."""
    scene.target("resnet")
    scene.apply(scaled_object("resnet"))
    scene.policy("resnet", mode="Enforce")
    told = scene.wait_told("resnet", "Conflicted", "True", "Autoscaler")
    assert "ScaledObject/resnet-keda" in told.message
    scene.assert_untouched("resnet")

    paused = {"metadata": {"annotations": {"autoscaling.keda.sh/paused": "true"}}}
    scene.kube.merge(
        "keda.sh/v1alpha1", "ScaledObject", "resnet-keda", paused, namespace=scene.namespace
    )
    scene.wait_replicas("resnet", 2)


def test_reverted_writes_are_given_up(scene: Scene) -> None:
    """Whoever undoes the replicas three times is named, and left alone from then on."""
    kinds = {"web": "Deployment", "batch": "StatefulSet"}
    for name, kind in kinds.items():
        reference = {"apiVersion": "apps/v1", "kind": kind, "name": name}
        scene.target(name, kind=kind)
        scene.policy(name, scaleTargetRef=reference, mode="Enforce")
    for _ in range(3):
        for name, kind in kinds.items():
            scene.wait_replicas(name, 2, kind=kind)
            scene.kube.scale(name, 1, namespace=scene.namespace, kind=kind)
    for name in kinds:
        told = scene.wait_told(name, "Conflicted", "True", "Reverted")
        assert "Leave `replicas` out of its manifest" in told.message

    def left_alone() -> None:
        for name, kind in kinds.items():
            scene.wait_replicas(name, 1, kind=kind, within=0)

    holds_for(2 * TICK_SECONDS, left_alone)
