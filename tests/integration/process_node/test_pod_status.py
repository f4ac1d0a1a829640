"""Phases and conditions of pods, durations, probe thresholds: without a cluster."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from e2e.rig.process_node.images import base_name
from e2e.rig.process_node.pod_status import (
    ContainerReport,
    PodReport,
    Running,
    State,
    Terminated,
    Waiting,
    pod_phase,
    pod_status,
)
from e2e.rig.process_node.probes import Threshold, parse_probe
from e2e.rig.process_node.settings import parse_duration

START = datetime(2026, 1, 1, tzinfo=UTC)
RUNNING, CREATING = Running(START), Waiting("ContainerCreating")
GOOD, BAD = Terminated(0, START, START), Terminated(1, START, START)


def report(*states: State, policy: str = "Always", **more: Any) -> PodReport:
    containers = [
        ContainerReport(name=f"c{i}", image="i", container_id="", state=state, **more)
        for i, state in enumerate(states)
    ]
    return PodReport(
        containers=containers,
        restart_policy=policy,
        host_ip="10.64.0.1",
        pod_ip="10.64.1.1",
        start_time=START,
    )


@pytest.mark.parametrize(
    ("sentence", "pod", "phase"),
    [
        ("a container was never started", report(RUNNING, CREATING), "Pending"),
        ("all run", report(RUNNING, RUNNING), "Running"),
        ("one waits to be restarted", report(Waiting("CrashLoopBackOff"), last=BAD), "Running"),
        ("an ended one will be restarted", report(BAD), "Running"),
        ("all completed for good", report(GOOD, policy="Never"), "Succeeded"),
        ("one failed for good", report(GOOD, BAD, policy="Never"), "Failed"),
        ("a failed one is restarted on failure", report(BAD, policy="OnFailure"), "Running"),
        ("a completed one is not", report(GOOD, policy="OnFailure"), "Succeeded"),
    ],
)
def test_phase_when(sentence: str, pod: PodReport, phase: str) -> None:
    assert pod_phase(pod) == phase, sentence


def test_conditions_keep_the_time_of_their_last_change() -> None:
    later, latest = START + timedelta(seconds=5), START + timedelta(seconds=9)
    _, times = pod_status(report(RUNNING), {}, START)
    ready, times = pod_status(report(RUNNING, ready=True), times, later)
    again, _ = pod_status(report(RUNNING, ready=True), times, latest)
    assert ready == again
    changed = {c["type"]: c["lastTransitionTime"] for c in again["conditions"]}
    assert changed["Initialized"] == "2026-01-01T00:00:00Z"
    assert changed["Ready"] == "2026-01-01T00:00:05Z"


@pytest.mark.parametrize(
    ("text", "seconds"), [("6s", 6.0), ("1m30s", 90.0), ("250ms", 0.25), ("1h", 3600.0), ("0s", 0)]
)
def test_duration(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "6", "s", "6 s", "-6s", "6x"])
def test_duration_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("tritonserver", "tritonserver"),
        ("nvidia/tritonserver:24.10-py3", "tritonserver"),
        ("registry.test:5000/a/tritonserver@sha256:0123", "tritonserver"),
        ("registry.test:5000/tritonserver-tools:1", "tritonserver-tools"),
    ],
)
def test_name_of_image(image: str, name: str) -> None:
    assert base_name(image) == name


def test_verdict_changes_after_enough_equal_attempts_only() -> None:
    container = {"readinessProbe": {"failureThreshold": 2, "successThreshold": 2}}
    probe = parse_probe(container, "readinessProbe")
    assert probe
    threshold = Threshold(probe)
    attempts = [True, True, False, True, False, False, True, True]
    verdicts = [threshold.record(success=success) for success in attempts]
    assert verdicts == [None, True, True, True, True, False, False, True]
