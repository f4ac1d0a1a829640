"""What is decided for one policy, keyed by a sentence."""

from dataclasses import replace
from typing import Any

import pytest

from inference_cost.decide.engine import decide
from inference_cost.decide.explain.explanation import explain
from inference_cost.model.memory import Memory
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import Action, LimitedBy
from inference_cost.model.policy import (
    Behavior,
    Fallback,
    FallbackBehavior,
    Headroom,
    HeadroomMode,
    LatencyObjective,
    LimitType,
    Mode,
    Pause,
    QueueTimeObjective,
    ScalingLimit,
    ScalingRules,
    SelectPolicy,
)
from inference_cost.model.reading import Missing, MissingReason, Sample
from inference_cost.model.workload import Conflict, ConflictKind, NoWorkload, TargetProblem
from tests.unit.decide.rows import Row
from tests.unit.decide.worlds import (
    NOON,
    TARGET,
    learned,
    memory_of,
    observation,
    plan_of,
    pod,
    policy,
    priced_node,
    signals,
    snapshot,
    watched,
    workload,
)

STALE = Missing(reason=MissingReason.STALE, detail="newest sample is 300 s old")


NO_DATA: dict[str, Row] = {
    "no metrics: nothing changes": Row(observation(STALE, 4), 4, LimitedBy.METRICS_UNAVAILABLE),
    "no metrics and fewer than the minimum: the minimum": Row(
        observation(STALE, 1, of=policy(lowest=3)), 3, LimitedBy.METRICS_UNAVAILABLE
    ),
    "no metrics and more than the maximum: held, because nothing is removed without data": Row(
        observation(STALE, 8, of=policy(highest=5)), 8, LimitedBy.METRICS_UNAVAILABLE
    ),
    "an old sample counts as none": Row(
        observation(seen=signals(10.0, 4, sampled_at=NOON - 300.0), replicas=4),
        4,
        LimitedBy.METRICS_UNAVAILABLE,
    ),
    "a sample time that is not finite counts as none": Row(
        observation(seen=signals(10.0, 4, sampled_at=float("nan")), replicas=4),
        4,
        LimitedBy.METRICS_UNAVAILABLE,
    ),
    "less than half of the ready pods report: nothing changes": Row(
        observation(seen=signals(10.0, 1), replicas=4), 4, LimitedBy.METRICS_UNAVAILABLE
    ),
    "no pod is ready: nothing changes": Row(
        observation(
            seen=signals(10.0, 1), running=workload(2, (pod("p0", ready=False, age=30.0),))
        ),
        2,
        LimitedBy.METRICS_UNAVAILABLE,
    ),
    "counters that are not numbers: that pod counts as not reporting": Row(
        observation(seen=signals(10.0, 4, requests=float("nan")), replicas=4),
        4,
        LimitedBy.METRICS_UNAVAILABLE,
    ),
}


SIZED: dict[str, Row] = {
    "the load fits: nothing changes": Row(observation(150.0, 2), 2, LimitedBy.NOTHING),
    "more load than the ready replicas carry within the objective: more replicas": Row(
        observation(400.0, 5), 5, LimitedBy.NOTHING
    ),
    "twice the load: as many as needed at once": Row(observation(180.0, 2), 3, LimitedBy.NOTHING),
    "a lower need for long enough: fewer replicas": Row(
        observation(100.0, 5), 2, LimitedBy.NOTHING, learned(needs=2)
    ),
    "a lower need not seen for long enough: held": Row(
        observation(100.0, 5), 5, LimitedBy.STABILIZATION, learned()
    ),
    "no load: the minimum": Row(
        observation(0.0, 5, of=policy(lowest=2)), 2, LimitedBy.MIN_REPLICAS, learned(needs=0)
    ),
    "more needed than allowed: the maximum": Row(
        observation(490.0, 5, of=policy(highest=5)), 5, LimitedBy.MAX_REPLICAS
    ),
    "above the maximum with data: the maximum, at once": Row(
        observation(490.0, 8, of=policy(highest=5)), 5, LimitedBy.MAX_REPLICAS, learned()
    ),
    "a fixed headroom comes on top": Row(
        observation(150.0, 2, of=policy(headroom=Headroom(mode=HeadroomMode.FIXED, replicas=2))),
        4,
        LimitedBy.NOTHING,
    ),
    "requests wait in line: enough to work them off": Row(
        observation(seen=signals(150.0, 2, pending=Sample(value=15000.0, at=NOON))),
        4,
        LimitedBy.NOTHING,
    ),
}


RULED: dict[str, Row] = {
    "a step limit of one pod per minute": Row(
        observation(
            400.0,
            4,
            of=policy(
                behavior=Behavior(
                    scale_out=ScalingRules(
                        limits=(ScalingLimit(type=LimitType.PODS, value=1, period_seconds=60),)
                    )
                )
            ),
        ),
        5,
        LimitedBy.NOTHING,
    ),
    "scaling in is disabled": Row(
        observation(
            50.0,
            5,
            of=policy(behavior=Behavior(scale_in=ScalingRules(select=SelectPolicy.DISABLED))),
        ),
        5,
        LimitedBy.BEHAVIOR,
    ),
    "paused: nothing changes": Row(
        observation(400.0, 2, of=policy(pause=Pause(source="policy"))), 2, LimitedBy.PAUSED
    ),
    "paused at a number: that number": Row(
        observation(400.0, 2, of=policy(pause=Pause(source="policy", replicas=7))),
        7,
        LimitedBy.PAUSED,
    ),
    "fallback after too many ticks without metrics": Row(
        observation(
            STALE,
            2,
            of=policy(
                fallback=Fallback(failure_threshold=3, replicas=6, behavior=FallbackBehavior.STATIC)
            ),
        ),
        6,
        LimitedBy.FALLBACK,
        learned(misses=3),
    ),
    "no fallback because pods start": Row(
        observation(
            Missing(reason=MissingReason.WARMING_UP),
            2,
            of=policy(
                fallback=Fallback(failure_threshold=3, replicas=6, behavior=FallbackBehavior.STATIC)
            ),
        ),
        2,
        LimitedBy.METRICS_UNAVAILABLE,
        learned(misses=3),
    ),
    "no fallback before that": Row(
        observation(
            STALE,
            2,
            of=policy(
                fallback=Fallback(failure_threshold=3, replicas=6, behavior=FallbackBehavior.STATIC)
            ),
        ),
        2,
        LimitedBy.METRICS_UNAVAILABLE,
        learned(misses=2),
    ),
}


ROWS = NO_DATA | SIZED | RULED


@pytest.mark.parametrize("sentence", ROWS)
def test_decides(sentence: str) -> None:
    ROWS[sentence].check()


def test_a_higher_need_within_the_holding_time_is_kept() -> None:
    memory = watched([100.0] * 40 + [300.0] * 8 + [100.0] * 3, 7)
    plan = plan_of(observation(100.0, 7), memory)
    assert plan.desired > 3
    assert plan.limited_by is LimitedBy.STABILIZATION
    later = watched([100.0] * 40 + [300.0] * 8 + [100.0] * 200, 7)
    assert plan_of(observation(100.0, 7), later).desired <= 3


@pytest.mark.parametrize(
    ("change", "write"),
    [
        ({}, True),
        ({"mode": Mode.RECOMMEND}, False),
    ],
)
def test_writes_only_in_enforce(change: dict[str, Any], write: bool) -> None:
    plan = plan_of(observation(180.0, 2, of=policy(**change)))
    assert (plan.action, plan.desired, plan.write) == (Action.SCALE_OUT, 3, write)


def test_the_global_switch_turns_enforce_into_recommend() -> None:
    plan = plan_of(observation(180.0, 2), enforce_enabled=False)
    assert (plan.mode, plan.desired, plan.write) == (Mode.RECOMMEND, 3, False)


def test_another_writer_stops_writes_in_enforce_only() -> None:
    other = Conflict(kind=ConflictKind.AUTOSCALER, other="HorizontalPodAutoscaler/x", message="")
    enforced = plan_of(observation(180.0, 2, conflict=other))
    assert (enforced.write, enforced.limited_by) == (False, LimitedBy.CONFLICT)
    recommended = plan_of(observation(180.0, 2, of=policy(mode=Mode.RECOMMEND), conflict=other))
    assert recommended.limited_by is LimitedBy.NOTHING


def test_without_a_target_nothing_is_scaled() -> None:
    missing = NoWorkload(target=TARGET, problem=TargetProblem.NOT_FOUND, message="not there")
    seen = replace(observation(), workloads=(missing,))
    plan = plan_of(seen)
    assert (plan.limited_by, plan.current, plan.write) == (LimitedBy.NO_TARGET, 0, False)


def test_a_queue_time_objective_is_sized_and_measured_at_the_server() -> None:
    of = policy(objective=QueueTimeObjective(mean_seconds=0.03))
    plan = plan_of(observation(150.0, 2, of=of))
    assert plan.desired > 2
    assert not isinstance(plan.attainment, Missing)
    assert plan.attainment.measured_at == "Server"
    assert plan.attainment.fraction == pytest.approx(0.6)


def test_changes_made_are_seen_and_remembered_for_step_limits() -> None:
    memory = memory_of(learned(needs=1, last_current=2))
    after = decide(snapshot(observation(300.0, 5)), memory).memory
    assert after.policies[policy().key].changes == ((NOON, 3),)


def test_a_surprise_in_one_policy_holds_it_and_leaves_the_others_alone() -> None:
    wrong: Any = "0.3"
    objective = LatencyObjective(threshold_seconds=wrong, target_fraction=0.99)
    broken = observation(180.0, 2, of=policy("broken", objective=objective))
    decisions = decide(
        snapshot(broken, observation(180.0, 2)),
        Memory(policies={policy().key: learned(needs=1), policy("broken").key: learned(needs=1)}),
    )
    assert decisions.plans[policy().key].desired == 3
    held = decisions.plans[policy("broken").key]
    assert (held.write, held.reasons[0].code) == (False, "internal-error")
    assert held.limited_by is LimitedBy.INTERNAL_ERROR
    assert "The decision failed" in explain(held, broken).message


def test_whatever_goes_wrong_with_one_policy_stays_with_it() -> None:
    unknown: Any = "no objective there is"
    broken = observation(180.0, 2, of=policy("broken", objective=unknown))
    memory = Memory(policies={policy().key: learned(needs=1)})
    decisions = decide(snapshot(broken, observation(180.0, 2)), memory)
    assert decisions.plans[policy().key].desired == 3
    assert decisions.plans[policy("broken").key].limited_by is LimitedBy.INTERNAL_ERROR


def test_the_price_of_a_replica_is_its_share_of_the_node() -> None:
    plan = plan_of(observation(150.0, 2), nodes={"node-1": priced_node()})
    assert str(plan.replica_price_per_hour) == "1.20"


def _one_of_many(number: int) -> PolicyObservation:
    """Of every kind: some are done after the first stage, some fail, most go on to the last."""
    of = policy(f"p{number:03}", highest=20, mode=Mode.RECOMMEND)
    match number % 5:
        case 0:
            missing = NoWorkload(target=TARGET, problem=TargetProblem.NOT_FOUND, message="none")
            return replace(observation(of=of), workloads=(missing,))
        case 1:
            return observation(STALE, 4, of=of)
        case 2:
            wrong: Any = "0.3"
            broken = LatencyObjective(threshold_seconds=wrong, target_fraction=0.99)
            return observation(100.0, 4, of=replace(of, objective=broken))
        case _:
            return observation(50.0 + number, 4, of=of)


def test_each_of_many_policies_is_decided_as_it_would_be_alone() -> None:
    """In their order."""
    many = [_one_of_many(number) for number in range(25)]
    memory = Memory(policies={seen.policy.key: learned(needs=3) for seen in many})
    together = decide(snapshot(*many), memory)
    assert list(together.plans) == [seen.policy.key for seen in many]
    for seen in many:
        key = seen.policy.key
        alone = decide(snapshot(seen), memory)
        assert together.plans[key] == alone.plans[key]
        assert together.memory.policies[key] == alone.memory.policies[key]
    limits = {plan.limited_by for plan in together.plans.values()}
    assert limits >= {LimitedBy.NO_TARGET, LimitedBy.METRICS_UNAVAILABLE, LimitedBy.INTERNAL_ERROR}
