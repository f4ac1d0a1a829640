"""Core 1: the smallest policy recommends, says all it knows, and touches nothing."""

from e2e.scenarios.scene import Scene
from e2e.scenarios.start import TICK_SECONDS

CONDITIONS = {
    "Ready",
    "Accepted",
    "MetricsAvailable",
    "SLOMet",
    "CapacityAvailable",
    "ScalingLimited",
    "TrafficUneven",
    "Conflicted",
}


def test_six_line_policy_recommends_and_writes_nothing(scene: Scene) -> None:
    """The six-line policy shows conditions and a recommendation, and its target stays as it is."""
    scene.target("resnet", replicas=1)
    scene.policy("resnet")
    ready = scene.wait_told("resnet", "Ready", "True", "Ready", within=3 * TICK_SECONDS + 5)
    assert "Set `spec.mode` to Enforce" in ready.message

    status = scene.status("resnet")
    assert {c["type"] for c in status["conditions"]} == CONDITIONS
    assert all(c["message"] for c in status["conditions"])
    assert status["replicas"] == {"current": 1, "ready": 0, "desired": 2}
    assert status["decision"]["action"] == "ScaleOut"
    assert scene.told("resnet", "SLOMet").status == "Unknown"
    assert scene.replicas("resnet") == 1
    scene.assert_untouched("resnet")
