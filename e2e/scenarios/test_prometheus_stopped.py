"""Prometheus goes away and comes back: replicas hold, somebody is told, fallback, recovery by itself."""

import pytest

from e2e.rig.providers import Capability
from e2e.scenarios.early import EarlyFleets
from e2e.scenarios.live import stack_of
from e2e.scenarios.scene import holds_for
from e2e.scenarios.start import TICK_SECONDS

pytestmark = pytest.mark.needs(Capability.PROCESS_NODES, Capability.STOPPABLE_PROMETHEUS)


def test_prometheus_stopped_and_started(early: EarlyFleets) -> None:
    """While Prometheus is away replicas hold, the fallback starts in its time, and all recovers alone."""
    steady, fallback = early.steady, early.with_fallback
    control_plane = stack_of(steady.scene).control_plane
    before = steady.scene.replicas(steady.name)
    assert fallback.scene.replicas(fallback.name) == 1
    control_plane.stop_prometheus()
    try:
        told = steady.scene.wait_told(steady.name, "MetricsAvailable", "False", "SourceUnreachable")
        assert "`prometheus.url`" in told.message
        assert steady.scene.wait_event(steady.name, "MetricsUnavailable")
        assert steady.scene.told(steady.name, "Ready").status == "True"

        # More than `failureThreshold` looks without metrics.
        fallback.scene.wait_replicas(fallback.name, 3, within=6 * TICK_SECONDS)
        fallback.scene.wait_told(fallback.name, "ScalingLimited", "True", "Fallback")
        assert fallback.scene.wait_event(fallback.name, "FallbackStarted")
        held = steady.scene.told(steady.name, "ScalingLimited")
        assert held.reason == "MetricsUnavailable"
        holds_for(
            2 * TICK_SECONDS, lambda: steady.scene.wait_replicas(steady.name, before, within=0)
        )
    finally:
        control_plane.start_prometheus()
    for fleet in (steady, fallback):
        fleet.scene.wait_event(fleet.name, "MetricsRecovered")
    steady.scene.wait_told(steady.name, "MetricsAvailable", "True", "MetricsFresh")
