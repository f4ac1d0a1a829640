"""Metrics that cannot be had are told within 30 s, with what was tried and what to do."""

import time

import pytest

from e2e.rig.providers import Capability
from e2e.scenarios.live import live_fleet
from e2e.scenarios.scene import TOLD_WITHIN_SECONDS, Scene

pytestmark = pytest.mark.needs(Capability.PROCESS_NODES)


def test_missing_metrics_are_told(scene: Scene) -> None:
    """A model that is not loaded, pods without Triton metrics and nodes without a price are told in 30 s."""
    misnamed, silent = live_fleet(scene, name="misnamed"), live_fleet(scene, name="silent")
    unpriced = live_fleet(scene, name="unpriced", pool="unlisted")
    misnamed.deploy(mode="Enforce", minimum=1, serving={"models": ["resnet", "bert"]})
    silent.deploy(mode="Enforce")
    unpriced.deploy(mode="Enforce")
    no_metrics = silent.fleet.deployment()
    no_metrics["spec"]["template"]["spec"]["containers"][0]["args"].append("--allow-metrics=false")
    scene.kube.apply(no_metrics)
    deadline = time.monotonic() + TOLD_WITHIN_SECONDS

    told = scene.wait_told("misnamed", "MetricsAvailable", "False", "ModelNotLoaded")
    assert "`spec.serving.models`" in told.message
    assert "resnet, bert" in told.message, "the names that were tried"
    assert "sleepy" in told.message, "the names that are there"
    assert scene.wait_event("misnamed", "MetricsUnavailable")

    left = deadline - time.monotonic()
    told = scene.wait_told("silent", "MetricsAvailable", "False", "EmptyResult", within=left)
    assert (
        f'nv_inference_request_success{{namespace="{scene.namespace}", pod="silent-' in told.message
    )
    assert "metrics port (8002" in told.message

    left = deadline - time.monotonic()
    scene.wait_told("unpriced", "MetricsAvailable", "True", "MetricsFresh", within=left)
    message = scene.status("unpriced")["decision"]["message"]
    assert "Price unknown: " in message, message
    assert "homemade.xlarge" in message
    assert "CapacityPool" in message
    assert [scene.replicas(name) for name in ("misnamed", "silent", "unpriced")] == [1, 1, 1]
