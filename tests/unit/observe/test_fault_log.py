"""A fault that comes back at every tick is told once, with its traceback, and again after a while."""

import logging

import pytest

from inference_cost.observe.fault_log import REPEAT_SECONDS, FaultLog


def test_a_fault_is_told_once_per_policy_and_kind(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    faults = FaultLog(logging.getLogger("inference_cost.test"), monotonic=lambda: now)
    for _ in range(3):
        faults.tell("observation_failed", "team-a/one", ZeroDivisionError())
    faults.tell("observation_failed", "team-a/two", ZeroDivisionError())
    faults.tell("observation_failed", "team-a/one", KeyError())
    assert len(caplog.records) == 3
    assert all(r.exc_info for r in caplog.records)
    now = REPEAT_SECONDS
    faults.tell("observation_failed", "team-a/one", ZeroDivisionError())
    assert len(caplog.records) == 4
