"""Policies: what they say in base units, refusals, pauses."""

from decimal import Decimal
from typing import Any

import pytest

from inference_cost.model.observation import PolicyRefusal
from inference_cost.model.policy import (
    Baseline,
    DrainObjective,
    Fallback,
    FallbackBehavior,
    GpuSignal,
    Headroom,
    HeadroomMode,
    LatencyObjective,
    LimitType,
    Mode,
    Pause,
    Policy,
    QueueTimeObjective,
    Routing,
    ScalingLimit,
    Schedule,
    SelectPolicy,
)
from inference_cost.observe import policies as under_test
from inference_cost.observe.policies import PolicyParser
from inference_cost.observe.records import PolicyRecord
from tests.unit.observe.world import NOW, filled, namespace, policy


def parse(*objects: dict[str, Any]) -> tuple[list[Policy], list[PolicyRefusal]]:
    cache = filled(*objects)
    return PolicyParser().parse(cache.policies(), cache.namespace)


def parsed(*objects: dict[str, Any]) -> Policy:
    [found], refusals = parse(*objects)
    assert refusals == []
    return found


def refused(*objects: dict[str, Any]) -> PolicyRefusal:
    found, [refusal] = parse(*objects)
    assert found == []
    return refusal


def test_the_smallest_policy_recommends_and_nothing_else_is_set() -> None:
    found = parsed(policy())
    assert found.mode is Mode.RECOMMEND
    assert found.objective == LatencyObjective(threshold_seconds=0.1, target_fraction=0.99)
    [variant] = found.variants
    assert (str(variant.target), variant.min_replicas, variant.max_replicas) == (
        "Deployment/resnet",
        2,
        10,
    )
    assert found.created_at == NOW - 3600
    assert (found.pause, found.fallback, found.models) == (None, None, ())


def test_every_field_arrives() -> None:
    rules = {
        "stabilizationWindowSeconds": 60,
        "selectPolicy": "Min",
        "policies": [{"type": "Percent", "value": 50, "periodSeconds": 30}],
    }
    found = parsed(
        policy(
            spec={
                "mode": "Enforce",
                "slo": {"queueTime": {"meanMilliseconds": 20}},
                "serving": {"models": ["a", "b"]},
                "behavior": {"scaleUp": rules, "scaleDown": {"selectPolicy": "Disabled"}},
                "fallback": {"failureThreshold": 4, "replicas": 3, "behavior": "Static"},
                "headroom": {"mode": "Fixed", "replicas": 2},
                "routing": "LeastRequest",
                "costCenter": "R-D.4711",
                "monthlyBudget": "2500.50",
                "baseline": "StaticPeak",
                "schedules": [
                    {
                        "name": "mornings",
                        "start": "0 8 * * 1-5",
                        "end": "0 12 * * 1-5",
                        "timeZone": "Europe/Berlin",
                        "minReplicas": 0,
                    },
                    {"start": "0 1 * * *", "end": "0 2 * * *", "maxReplicas": 3},
                ],
                "signal": {"type": "GPUUtilization", "targetPercent": 70},
            }
        )
    )
    assert found.mode is Mode.ENFORCE
    assert found.objective == QueueTimeObjective(mean_seconds=0.02)
    assert found.models == ("a", "b")
    out = found.behavior.scale_out
    assert (out.stabilization_window_seconds, out.select) == (60, SelectPolicy.MIN)
    assert out.limits == (ScalingLimit(type=LimitType.PERCENT, value=50, period_seconds=30),)
    assert found.behavior.scale_in.select is SelectPolicy.DISABLED
    assert found.fallback == Fallback(
        failure_threshold=4, replicas=3, behavior=FallbackBehavior.STATIC
    )
    assert found.headroom == Headroom(mode=HeadroomMode.FIXED, replicas=2)
    assert found.routing is Routing.LEAST_REQUEST
    assert (found.cost_center, found.monthly_budget) == ("R-D.4711", Decimal("2500.50"))
    assert found.baseline is Baseline.STATIC_PEAK
    assert found.schedules == (
        Schedule(
            start="0 8 * * 1-5",
            end="0 12 * * 1-5",
            time_zone="Europe/Berlin",
            name="mornings",
            min_replicas=0,
        ),
        Schedule(start="0 1 * * *", end="0 2 * * *", max_replicas=3),
    )
    assert found.gpu_signal == GpuSignal(target_fraction=0.7)


def test_a_deadline_is_in_seconds_and_replicas_follow_it_unless_told_otherwise() -> None:
    found = parsed(policy(spec={"slo": {"drain": {"withinSeconds": 600}}}))
    assert found.objective == DrainObjective(within_seconds=600.0)
    assert found.gpu_signal is None


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "more at least than at most": ({"minReplicas": 20}, "minReplicas"),
    "a schedule in a zone that is nowhere": (
        {
            "schedules": [
                {
                    "start": "0 8 * * *",
                    "end": "0 9 * * *",
                    "timeZone": "Mars/Base",
                    "minReplicas": 3,
                }
            ]
        },
        "schedules[0].timeZone",
    ),
    "no objective": ({"slo": {}}, "slo"),
    "two objectives": (
        {"slo": {"latency": {"thresholdMilliseconds": 1}, "queueTime": {"meanMilliseconds": 1}}},
        "slo",
    ),
    "replicas as text": ({"maxReplicas": "many"}, "maxReplicas"),
    "no target": ({"scaleTargetRef": None}, "scaleTargetRef"),
}


@pytest.mark.parametrize(("spec", "field"), REFUSED.values(), ids=REFUSED)
def test_a_policy_that_cannot_be_followed_is_refused_by_field(
    spec: dict[str, Any], field: str
) -> None:
    refusal = refused(policy(spec=spec))
    assert field in refusal.field
    assert refusal.message
    assert str(refusal.key) == "vision/resnet"


def test_a_refused_policy_leaves_the_others_alone() -> None:
    found, refusals = parse(policy("good"), policy("bad", spec={"slo": {}}))
    assert [p.key.name for p in found] == ["good"]
    assert [r.key.name for r in refusals] == ["bad"]


def paused(**annotations: str) -> dict[str, str]:
    return {f"inferencecost.dev/{k.replace('_', '-')}": v for k, v in annotations.items()}


PAUSES: dict[str, tuple[dict[str, str], dict[str, str], Pause | None]] = {
    "nothing": ({}, {}, None),
    "the policy": (paused(paused="true"), {}, Pause(source="policy")),
    "the policy at a number": (
        paused(paused="true", paused_replicas="4"),
        {},
        Pause(source="policy", replicas=4),
    ),
    "the namespace": ({}, {"paused": "true"}, Pause(source="namespace")),
    "the policy before the namespace": (
        paused(paused_replicas="3"),
        {"paused": "true"},
        Pause(source="policy", replicas=3),
    ),
    "a pause that was lifted": (paused(paused="false"), {}, None),
}


@pytest.mark.parametrize(("own", "around", "expected"), PAUSES.values(), ids=PAUSES)
def test_pause(own: dict[str, str], around: dict[str, str], expected: Pause | None) -> None:
    assert parsed(policy(annotations=own), namespace(**around)).pause == expected


def test_an_annotation_of_the_namespace_is_not_blamed_on_the_policy() -> None:
    refusal = refused(policy(), namespace(paused="yes"))
    assert refusal.field == ""
    assert refusal.message.startswith("Namespace vision: annotation `inferencecost.dev/paused`")


def test_a_pause_that_means_nothing_is_refused() -> None:
    refusal = refused(policy(annotations=paused(paused="yes")))
    assert "paused" in refusal.message


def test_a_policy_that_is_being_deleted_is_no_longer_looked_at() -> None:
    gone = policy(deletionTimestamp="2027-01-01T00:00:00Z")
    assert parse(gone) == ([], [])


def test_a_generation_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(record: PolicyRecord) -> Policy | PolicyRefusal:
        calls.append(record.generation)
        return original(record)

    original = under_test.parse_record
    monkeypatch.setattr(under_test, "parse_record", counted)
    cache, parser = filled(policy()), PolicyParser()
    for generation in (1, 1, 2, 2):
        cache.apply("InferenceCostPolicy", "MODIFIED", policy(generation=generation))
        parser.parse(cache.policies(), cache.namespace)
    assert calls == [1, 2]


def test_a_fault_of_ours_with_one_policy_refuses_that_one_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = under_test.parse_record

    def broken(record: PolicyRecord) -> Policy | PolicyRefusal:
        if record.name == "poison":
            raise ZeroDivisionError
        return original(record)

    monkeypatch.setattr(under_test, "parse_record", broken)
    found, refusals = parse(policy("good"), policy("poison"))
    assert [p.key.name for p in found] == ["good"]
    assert [(r.key.name, r.internal) for r in refusals] == [("poison", True)]
