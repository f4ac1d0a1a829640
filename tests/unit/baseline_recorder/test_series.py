"""The load that is offered, and which pods have a sample of it."""

from typing import Any

import pytest

from e2e.baselines.offered import requests_per_second, requests_until
from e2e.baselines.pods_metrics import PENDING, READY, STARTING, TERMINATING, stage_of


def pod(phase: str, *, ready: bool = False, deleted: bool = False) -> dict[str, Any]:
    condition = {"type": "Ready", "status": str(ready)}
    metadata = {"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleted else {}
    return {"metadata": metadata, "status": {"phase": phase, "conditions": [condition]}}


@pytest.mark.parametrize(
    ("found", "stage"),
    [
        (pod("Running", ready=True), READY),
        (pod("Running"), STARTING),
        (pod("Pending"), PENDING),
        ({"metadata": {}}, PENDING),
        (pod("Running", ready=True, deleted=True), TERMINATING),
    ],
)
def test_pods_are_told_apart_as_the_hpa_does(found: dict[str, Any], stage: str) -> None:
    assert stage_of(found) == stage


@pytest.mark.parametrize("second", [0, 57, 100, 240, 479])
def test_the_counter_grows_by_the_load_of_each_second(second: int) -> None:
    grown = requests_until(second + 1) - requests_until(second)
    assert grown == pytest.approx(requests_per_second(second))
    assert requests_until(second + 0.5) - requests_until(second) == pytest.approx(grown / 2)


def test_the_load_has_an_overload_and_a_stretch_of_nothing() -> None:
    loads = [requests_per_second(second) for second in range(480)]
    assert max(loads) > 7 * 20
    assert all(load == 0 for load in loads[230:288])
