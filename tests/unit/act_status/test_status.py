"""The status object: figures as the API holds them, and what is left out when it is not known."""

from dataclasses import replace
from typing import Any

import pytest

from inference_cost.act.status import render_refused, render_status
from inference_cost.api.fields import MESSAGE_LENGTH, whole_sentences
from inference_cost.api.policy_status import PolicyStatus
from inference_cost.model.observation import PolicyRefusal
from inference_cost.model.plan import Action, LimitedBy, Plan, Prediction, Profile
from inference_cost.model.reading import MissingReason, Sample
from inference_cost.model.workload import TargetProblem
from tests.unit.account.worlds import NOON, key
from tests.unit.act_status.views import PREDICTED, attained, cost, limited, missing, plan, seen
from tests.unit.act_status.views import refused as target_refused

NOON_TEXT = "2025-11-22T12:00:00Z"


def render(decided: Plan | None = None, **changes: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {"at": NOON} | changes
    return render_status(seen(), decided or plan(), cost(), **arguments)


def test_the_figures() -> None:
    status = render()
    assert status["observedGeneration"] == 1
    assert status["replicas"] == {"current": 1, "ready": 1, "desired": 3}
    assert status["demand"] == {
        "requestsPerSecond": "120.4",
        "forecastRequestsPerSecond": "150",
        "backlogRequests": 0,
    }
    assert status["profile"] == {
        "alphaMicroseconds": 40_000,
        "betaMicroseconds": 5_000,
        "maxBatchSize": 8,
        "requestsPerSecondPerReplica": "60.2",
        "source": "Counters",
        "errorPercent": "3.1",
        "templateHash": "abc",
    }
    assert status["gpuUtilization"] == {"percent": 42}
    assert status["placement"] == [
        {"variant": "default", "pool": "l4", "replicas": 1, "nodes": 1, "perHour": "4.00"}
    ]


def test_how_far_the_model_is_off_where_it_was_observed() -> None:
    known = plan()
    assert isinstance(known.profile, Profile)
    off = replace(known, profile=replace(known.profile, calibration=1.124))
    assert render(off)["profile"]["calibrationPercent"] == 112


def test_the_cost() -> None:
    assert render()["cost"] == {
        "currency": "USD",
        "perHour": "4.00",
        "monthToDate": "0.00",
        "monthToDateSince": NOON_TEXT,
        "coveragePercent": "100.0",
        "projectedMonth": {"expected": "816.00"},  # 8.5 days at 4 an hour
        "priceSource": "ShippedTable",
        "priceTime": NOON_TEXT,
    }


def test_the_decision_says_what_was_seen_expected_chosen_and_what_limits() -> None:
    decided = replace(
        limited(LimitedBy.MAX_REPLICAS, needed=11, desired=9), action=Action.SCALE_OUT, write=True
    )
    decision = render(decided)["decision"]
    lines = decision["message"].splitlines()
    assert lines[0].startswith("Seen: 120 requests/s, 1 replica of 1 ready.")
    assert lines[1].startswith("Expected: up to 150 requests/s")
    assert lines[2] == "Go from 1 to 9 replicas."
    assert lines[3] == "11 would be needed, but maxReplicas is 9."
    assert decision["limitedBy"] == "MaxReplicas"
    assert decision["desiredReplicas"] == 9
    assert decision["costPerHour"] == "12.00"


def test_the_decision_says_why_not_one_fewer() -> None:
    decision = render()["decision"]
    assert "2 replicas" in decision["whyNotFewer"]
    assert "limitedBy" not in decision


def test_what_is_not_known_is_left_out_and_never_zero() -> None:
    gap = missing(MissingReason.SOURCE_UNREACHABLE)
    blind = plan(
        demand=gap, profile=gap, prediction=gap, one_fewer=gap, attainment=gap, gpu_utilization=gap
    )
    status = render_status(seen(), blind, cost(None), at=NOON)
    assert "demand" not in status
    assert "profile" not in status
    assert status["slo"] == {"state": "Unknown", "measuredAt": "Predicted"}
    assert "perHour" not in status["cost"]
    assert "perHour" not in status["placement"][0]
    assert status["gpuUtilization"] == {"reason": "SourceUnreachable"}
    assert "whyNotFewer" not in status["decision"]
    assert "Price unknown: pool a100 has no price." in status["decision"]["message"]


def test_numbers_that_are_none_are_left_out() -> None:
    wild = plan(prediction=Prediction(replicas=3, seconds=float("inf"), meets_objective=False))
    status = render(replace(wild, gpu_utilization=Sample(value=float("nan"), at=NOON)))
    assert "predictedMilliseconds" not in status["slo"]
    assert status["gpuUtilization"] == {"reason": "NotFinite"}


MISSED = replace(PREDICTED, meets_objective=False)
STATES: dict[str, tuple[Plan, str, str]] = {
    "nothing measured": (plan(), "Unknown", "Predicted"),
    "measured as met": (plan(attainment=attained(1.0)), "Met", "Gateway"),
    "measured as met, predicted to be missed": (
        plan(attainment=attained(1.0), prediction=MISSED), "AtRisk", "Gateway",
    ),
    "measured as missed": (plan(attainment=attained(0.5)), "Violated", "Gateway"),
    "predicted to be missed, but not measured": (plan(prediction=MISSED), "Unknown", "Predicted"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", STATES)
def test_slo_state(sentence: str) -> None:
    decided, state, measured_at = STATES[sentence]
    slo = render(decided)["slo"]
    assert (slo["state"], slo["measuredAt"]) == (state, measured_at)
    assert ("attainmentPercent" in slo) == (measured_at != "Predicted")


def test_a_decision_that_stands_keeps_its_time() -> None:
    first = render()
    later = render(replace(plan(), at=NOON + 60), at=NOON + 60, previous=first)
    assert later["decision"]["time"] == NOON_TEXT
    changed = render(replace(plan(4), at=NOON + 60), at=NOON + 60, previous=first)
    assert changed["decision"]["time"] == "2025-11-22T12:01:00Z"


@pytest.mark.parametrize("time", ["yesterday", None, "2025-11-22T12:00:00"])
def test_a_time_that_cannot_be_read_is_replaced(time: str | None) -> None:
    first = render()
    first["decision"]["time"] = time
    assert render(previous=first)["decision"]["time"] == NOON_TEXT


def test_an_unchanged_world_gives_the_same_status() -> None:
    first = render()
    assert render(at=NOON + 15, previous=first) == first


def test_after_a_failed_decision_the_last_figures_stay() -> None:
    first = render()
    failed = render_status(seen(), None, None, at=NOON + 15, previous=first)
    assert {k: v for k, v in failed.items() if k != "conditions"} == {
        k: v for k, v in first.items() if k != "conditions"
    }
    assert failed["conditions"][0]["reason"] == "InternalError"


def test_a_refused_spec_has_conditions_alone() -> None:
    refusal = PolicyRefusal(key=key(), generation=7, field="spec.slo", message="set one")
    status = render_refused(refusal, at=NOON, previous=render())
    assert set(status) == {"observedGeneration", "conditions", "variants", "placement"}
    assert status["observedGeneration"] == 7
    assert status["placement"] == []


def test_of_a_target_that_is_not_there_nothing_but_the_month_is_known() -> None:
    gone = plan(0, limited_by=LimitedBy.NO_TARGET)
    status = render_status(target_refused(TargetProblem.NOT_FOUND), gone, cost(), at=NOON)
    assert "replicas" not in status
    assert "slo" not in status
    assert "perHour" not in status["cost"]
    assert status["cost"]["monthToDate"] == "0.00"
    assert status["decision"]["limitedBy"] == "NoTarget"
    assert "costPerHour" not in status["decision"]


def test_every_status_fits_the_schema() -> None:
    refusal = PolicyRefusal(key=key(), generation=7, field="spec.slo", message="set one")
    for status in (render(), render_refused(refusal, at=NOON)):
        assert PolicyStatus.model_validate(status, extra="forbid").to_object() == status


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        (["It is short."], "It is short."),
        (
            ["First.", "Room: " + "much. " * 200 + "$12.34."],
            "First.\nRoom: " + "much. " * 168 + "…",
        ),
        (["x" * 2000], "x" * 1021 + "…"),
    ],
    ids=["all of what fits", "whole sentences", "one long word"],
)
def test_of_a_long_message_whole_sentences_are_kept(lines: list[str], kept: str) -> None:
    message = whole_sentences("\n".join(lines))
    assert message == kept
    assert len(message.encode()) <= MESSAGE_LENGTH
