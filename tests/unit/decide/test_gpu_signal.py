"""Replicas that follow GPU utilization, as a policy may ask."""

from dataclasses import replace
from typing import Any

import pytest

from inference_cost.decide.explain.explanation import explain
from inference_cost.decide.gpu_signal import wanted
from inference_cost.decide.pods import fleet
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import LimitedBy
from inference_cost.model.policy import (
    Behavior,
    DrainObjective,
    GpuSignal,
    Headroom,
    HeadroomMode,
    LimitType,
    ScalingLimit,
    ScalingRules,
)
from inference_cost.model.reading import Missing
from tests.unit.decide.worlds import (
    NOON,
    gateway,
    learned,
    observation,
    plan_of,
    pod,
    policy,
    signals,
    workload,
)

SIGNAL = GpuSignal(target_fraction=0.7)

WANTED = {
    "at the target": (0.7, 4, 4),
    "a tenth above changes nothing": (0.77, 4, 4),
    "more than a tenth above adds": (0.78, 4, 5),
    "a whole ratio is not rounded up": (0.7 * 1.5, 4, 6),
    "a tenth below changes nothing": (0.63, 4, 4),
    "half the target removes half": (0.35, 4, 2),
    "what is left is rounded up": (0.36, 4, 3),
    "idle needs none": (0.0, 4, 0),
}


@pytest.mark.parametrize(
    ("utilization", "replicas", "expected"), WANTED.values(), ids=WANTED.keys()
)
def test_the_rule_of_the_horizontal_pod_autoscaler(
    utilization: float, replicas: int, expected: int
) -> None:
    pods = fleet((workload(replicas),), NOON, 60.0)
    assert wanted(pods, utilization, SIGNAL) == expected


def test_replicas_that_start_are_neither_counted_nor_ordered_again_nor_removed_by_rounding() -> (
    None
):
    pods = (
        *(pod(f"p{i}") for i in range(2)),
        *(pod(f"s{i}", ready=False, age=5.0) for i in range(2)),
    )
    starting = fleet((workload(4, pods),), NOON, 60.0)
    assert wanted(starting, 1.0, SIGNAL) == 4
    assert wanted(starting, 0.35, SIGNAL) == 1


HEADROOM = {
    "at the target, one is added beside them": (0.7, 5, 5, 5),
    "and then they are enough": (0.7 * 5 / 6, 6, 6, 5),
    "also while it starts": (0.7, 5, 6, 5),
    "a single one, and none beside it yet": (0.7, 1, 1, 1),
    "half the target": (0.35, 6, 6, 3),
}


@pytest.mark.parametrize(
    ("utilization", "ready", "current", "expected"), HEADROOM.values(), ids=HEADROOM.keys()
)
def test_what_is_kept_free_makes_no_room_for_itself(
    utilization: float, ready: int, current: int, expected: int
) -> None:
    pods = tuple(
        pod(f"p{i}", ready=i < ready, age=3600.0 if i < ready else 5.0) for i in range(current)
    )
    running = fleet((workload(current, pods),), NOON, 60.0)
    assert wanted(running, utilization, SIGNAL, 1) == expected


def test_a_fixed_headroom_is_ordered_once() -> None:
    one = Headroom(mode=HeadroomMode.FIXED, replicas=1)
    seen = following(0.7, 5, headroom=one, highest=50)
    assert plan_of(seen).desired == 6
    pods = (*(pod(f"p{i}") for i in range(5)), pod("p5", ready=False, age=5.0))
    assert plan_of(replace(seen, workloads=(workload(6, pods),))).desired == 6


def following(
    gpu: float | None, replicas: int = 2, *, rate: float = 20.0, late: float = 0.0, **more: Any
) -> PolicyObservation:
    seen = replace(signals(rate, replicas, gpu=gpu), gateway=gateway(rate, late=late))
    return observation(seen=seen, replicas=replicas, of=policy(gpu_signal=SIGNAL, **more))


def test_a_busy_fleet_grows_whatever_the_objective_needs() -> None:
    seen = following(0.95)
    plan = plan_of(seen)
    assert plan.desired == 3
    explanation = explain(plan, seen)
    assert (
        "Following GPU utilization, as the policy asks: 95 % busy, 70 % wanted."
        in explanation.limited
    )
    assert explanation.room == ""


def test_the_objective_is_still_measured_and_predicted() -> None:
    plan = plan_of(following(0.95, late=0.004))
    assert not isinstance(plan.attainment, Missing)
    assert plan.attainment.fraction == pytest.approx(0.996)
    assert not isinstance(plan.prediction, Missing)
    assert plan.prediction.replicas == 3


def test_an_idle_fleet_shrinks_once_that_has_lasted() -> None:
    seen = following(0.3, 4)
    assert plan_of(seen).desired == 2
    lately = plan_of(seen, learned(needs=1, wanted=((NOON - 50.0, 4),)))
    assert (lately.desired, lately.limited_by) == (4, LimitedBy.STABILIZATION)


def test_a_clear_miss_of_the_objective_forbids_removal() -> None:
    plan = plan_of(following(0.3, 4, rate=200.0, late=0.2))
    assert (plan.desired, plan.limited_by) == (4, LimitedBy.STABILIZATION)


def test_no_utilization_holds_and_says_so() -> None:
    seen = following(None, 4)
    plan = plan_of(seen)
    assert plan.desired == 4
    assert "which the policy asks to follow, is missing" in explain(plan, seen).limited


def test_pods_that_are_new_in_the_window_do_not_count() -> None:
    """A model that loads keeps a GPU busy too."""
    seen = following(0.99, 1)
    young = replace(seen, workloads=(workload(1, (pod("p0", age=80.0),)),))
    assert plan_of(young).desired == 1


def test_bounds_and_behavior_hold_as_ever() -> None:
    assert plan_of(following(1.0, 4, highest=5)).desired == 5
    assert plan_of(following(0.1, 4, lowest=3)).desired == 3
    one = ScalingRules(limits=(ScalingLimit(type=LimitType.PODS, value=1, period_seconds=60),))
    limited = plan_of(following(1.0, 4, behavior=Behavior(scale_out=one)))
    assert (limited.desired, limited.limited_by) == (5, LimitedBy.BEHAVIOR)


def test_with_a_deadline_too() -> None:
    seen = following(0.95, objective=DrainObjective(within_seconds=600.0))
    plan = plan_of(seen)
    assert plan.desired == 3
    assert not isinstance(plan.prediction, Missing)
