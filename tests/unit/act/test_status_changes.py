"""Which difference between two statuses is worth a write."""

from dataclasses import dataclass
from typing import Any

import pytest

from inference_cost.act.status_changes import Change, RefreshTimes, change_of, due
from inference_cost.act.status_writer import status_operations
from tests.unit.act.memory_api import merged

Status = dict[str, Any]
READY = {
    "type": "Ready",
    "status": "True",
    "reason": "Ready",
    "message": "All well.",
    "observedGeneration": 1,
    "lastTransitionTime": "2026-11-22T12:00:00Z",
}
METRICS = READY | {"type": "MetricsAvailable", "reason": "MetricsFresh"}
STATUS: Status = {
    "observedGeneration": 1,
    "conditions": [READY, METRICS],
    "replicas": {"current": 3, "ready": 3, "desired": 3},
    "demand": {"requestsPerSecond": "100.0"},
    "cost": {"perHour": "12.00", "monthToDate": "100.00"},
    "slo": {"state": "Met", "predictedMilliseconds": 90},
    "decision": {
        "time": "2026-11-22T12:00:00Z",
        "action": "Hold",
        "desiredReplicas": 3,
        "message": "Keep 3.",
    },
}


def changed(**parts: Any) -> Status:
    """STATUS with some parts merged over."""
    result: Status = merged(STATUS, parts)
    return result


@dataclass(frozen=True, kw_only=True)
class Case:
    new: Status
    want: Change


CASES = {
    "nothing": Case(new=changed(), want=Change.NONE),
    "a condition's status": Case(
        new=changed(conditions=[READY, METRICS | {"status": "False"}]), want=Change.MEANING
    ),
    "a condition's reason": Case(
        new=changed(conditions=[READY, METRICS | {"reason": "Partial"}]), want=Change.MEANING
    ),
    "a condition's message alone": Case(
        new=changed(conditions=[READY, METRICS | {"message": "3 of 4 report."}]), want=Change.MOVED
    ),
    "whether replicas are written, which is in Ready's message": Case(
        new=changed(conditions=[READY | {"message": "Not changed."}, METRICS]), want=Change.MEANING
    ),
    "the generation": Case(new=changed(observedGeneration=2), want=Change.MEANING),
    "a ready replica": Case(new=changed(replicas={"ready": 2}), want=Change.MEANING),
    "the decision's action": Case(
        new=changed(decision={"action": "ScaleOut"}), want=Change.MEANING
    ),
    "the decision's words and time alone": Case(
        new=changed(decision={"message": "Keep 3 still.", "time": "2026-11-22T12:00:15Z"}),
        want=Change.MOVED,
    ),
    "whether the objective is met": Case(
        new=changed(slo={"state": "Violated"}), want=Change.MEANING
    ),
    "demand by a twentieth": Case(
        new=changed(demand={"requestsPerSecond": "105.0"}), want=Change.MOVED
    ),
    "demand by a fifth": Case(
        new=changed(demand={"requestsPerSecond": "125.0"}), want=Change.NUMBERS
    ),
    "cost per hour by a cent": Case(new=changed(cost={"perHour": "12.01"}), want=Change.NUMBERS),
    "month to date by half a percent": Case(
        new=changed(cost={"monthToDate": "100.50"}), want=Change.MOVED
    ),
    "month to date by two percent": Case(
        new=changed(cost={"monthToDate": "102.00"}), want=Change.NUMBERS
    ),
    "a part that is no longer known": Case(new=changed(demand=None), want=Change.MEANING),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_change_of(case: Case) -> None:
    assert change_of(STATUS, case.new) is case.want


TIMES = RefreshTimes(least=300, most=3600)


@pytest.mark.parametrize(
    ("change", "age", "want"),
    [
        (Change.MEANING, 0, True),
        (Change.NUMBERS, 299, False),
        (Change.NUMBERS, 300, True),
        (Change.MOVED, 3599, False),
        (Change.MOVED, 3600, True),
        (Change.NONE, 1e9, False),
    ],
)
def test_when_a_change_is_written(change: Change, age: float, want: bool) -> None:
    assert due(change, age_seconds=age, times=TIMES) is want


def test_a_condition_that_is_not_ours_stays() -> None:
    foreign = READY | {"type": "AuditedByPlatformTeam"}
    stored = STATUS | {"conditions": [READY, METRICS, foreign]}
    test, replacement = status_operations("uid-1", stored, STATUS)
    assert (test["op"], test["path"], test["value"]) == ("test", "/metadata/uid", "uid-1")
    assert replacement["value"] == STATUS | {"conditions": [READY, METRICS, foreign]}


def test_a_foreign_condition_is_no_change_of_meaning() -> None:
    foreign = READY | {"type": "AuditedByPlatformTeam"}
    assert change_of(STATUS | {"conditions": [READY, METRICS, foreign]}, STATUS) is Change.NONE
