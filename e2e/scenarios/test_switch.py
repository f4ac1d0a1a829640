"""The global switch turns everything to Recommend in place; a Prometheus that never answers is told."""

import pytest

from e2e.rig.providers import Capability
from e2e.scenarios.scene import Scene, holds_for
from e2e.scenarios.start import TICK_SECONDS

pytestmark = pytest.mark.needs(Capability.PROCESS_NODES, Capability.AUDIT_LOG)

OFF = {"enforce": {"enabled": False}}
# A changed ConfigMap reaches the pods of a process node within 30 s, as a kubelet's would in a minute.
FILE_REFRESH_SECONDS = 30.0
NOBODY_LISTENS = "http://127.0.0.1:9"


def test_global_switch(scene: Scene) -> None:
    """With enforce.enabled=false all is Recommend one tick after the file changed, and nothing restarts."""
    installation = scene.installation
    scene.target("resnet")
    scene.policy("resnet", mode="Enforce")
    scene.wait_replicas("resnet", 2)
    pods = {p["metadata"]["uid"] for p in installation.pods()}
    installation.install(OFF)
    scene.wait_message(
        "resnet", "Ready", "only recommends", within=FILE_REFRESH_SECONDS + 2 * TICK_SECONDS
    )
    assert {p["metadata"]["uid"] for p in installation.pods()} == pods, "nothing was restarted"

    scene.edit("resnet", minReplicas=5)
    scene.wait_status("resnet", "replicas", desired=5)
    holds_for(2 * TICK_SECONDS, lambda: scene.wait_replicas("resnet", 2, within=0))
    assert len(scene.scale_writes("resnet")) == 1, "the one before the switch"


def test_unreachable_prometheus_from_the_start(scene: Scene) -> None:
    """An operator whose Prometheus never answered says so within 30 s, with the setting to correct."""
    scene.target("resnet")
    scene.policy("resnet")
    scene.installation.install(OFF, {"prometheus": {"url": NOBODY_LISTENS}})
    told = scene.wait_told("resnet", "MetricsAvailable", "False", "SourceUnreachable")
    assert "`prometheus.url`" in told.message
    assert scene.told("resnet", "Ready").status == "True"
    assert scene.wait_event("resnet", "MetricsUnavailable")
