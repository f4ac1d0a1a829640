"""What is decided for one policy, keyed by a sentence."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from inference_cost.decide.engine import decide
from inference_cost.decide.explain.explanation import explain
from inference_cost.model.memory import Memory, PolicyMemory
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
from tests.unit.decide.worlds import (
    NOON,
    TARGET,
    gateway,
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


@dataclass(frozen=True)
class Row:
    seen: PolicyObservation
    desired: int
    limited_by: LimitedBy
    memory: PolicyMemory | None = None


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


GUARDED: dict[str, Row] = {
    "a rollout: nothing is removed": Row(
        observation(50.0, 5, running=workload(5, rolling_out=True)),
        5,
        LimitedBy.ROLLOUT,
    ),
    "a rollout: what is needed is added": Row(
        observation(180.0, 2, running=workload(2, rolling_out=True)), 3, LimitedBy.NOTHING
    ),
    "some pods do not report: nothing is removed": Row(
        observation(seen=signals(50.0, 4), replicas=5), 5, LimitedBy.METRICS_UNAVAILABLE
    ),
    "some pods do not report: nothing is removed, not even above the maximum": Row(
        observation(seen=signals(50.0, 5), replicas=6, of=policy(highest=3)),
        6,
        LimitedBy.METRICS_UNAVAILABLE,
    ),
    "some pods do not report during a rollout: nothing is removed above the maximum either": Row(
        observation(
            seen=signals(50.0, 5),
            running=workload(6, rolling_out=True),
            of=policy(highest=3),
        ),
        6,
        LimitedBy.METRICS_UNAVAILABLE,
    ),
    "some pods do not report: the maximum still caps what is added": Row(
        observation(seen=signals(900.0, 5), replicas=6, of=policy(highest=7)),
        7,
        LimitedBy.MAX_REPLICAS,
    ),
    "the source says its answer is partial: nothing is removed": Row(
        observation(seen=signals(50.0, 5, partial=True), replicas=5),
        5,
        LimitedBy.METRICS_UNAVAILABLE,
    ),
    "a new template that is not learned yet: nothing is removed": Row(
        observation(
            50.0,
            5,
            running=workload(
                5, tuple(pod(f"p{i}", template_hash="v2") for i in range(5)), template_hash="v2"
            ),
        ),
        5,
        LimitedBy.LEARNING,
    ),
    "GPUs nearly saturated: nothing is removed": Row(
        observation(seen=signals(50.0, 5, gpu=0.97), replicas=5), 5, LimitedBy.GPU_GUARD
    ),
    "half of the newest requests are late, whatever the model says: nothing is removed": Row(
        observation(seen=signals(150.0, 6, gateway=gateway(150.0, late=0.5)), replicas=6),
        6,
        LimitedBy.STABILIZATION,
    ),
    "requests wait too long in Triton, whatever the model says: nothing is removed": Row(
        observation(
            seen=signals(60.0, 6, queue_seconds=600.0 * 0.4),
            replicas=6,
            of=policy(objective=QueueTimeObjective(mean_seconds=0.3)),
        ),
        6,
        LimitedBy.STABILIZATION,
    ),
    "half are late, but replicas were added just now: the shortage is known, and may be over": Row(
        observation(seen=signals(60.0, 6, gateway=gateway(60.0, late=0.5)), replicas=6),
        1,
        LimitedBy.NOTHING,
        learned(needs=1, changes=((NOON - 120.0, 3),)),
    ),
    "half are late, and replicas were added long ago: nothing is removed": Row(
        observation(seen=signals(60.0, 6, gateway=gateway(60.0, late=0.5)), replicas=6),
        6,
        LimitedBy.STABILIZATION,
        learned(needs=1, changes=((NOON - 600.0, 3),)),
    ),
    "a handful of late requests among few: fewer replicas": Row(
        observation(seen=signals(1.0, 6, gateway=gateway(0.2, late=0.3)), replicas=6),
        1,
        LimitedBy.MIN_REPLICAS,
    ),
    "as many late requests as chance explains: fewer replicas": Row(
        observation(seen=signals(60.0, 6, gateway=gateway(60.0, late=0.014)), replicas=6),
        1,
        LimitedBy.NOTHING,
    ),
    "requests late long ago only: fewer replicas": Row(
        observation(seen=signals(60.0, 6, gateway=gateway(60.0)), replicas=6),
        1,
        LimitedBy.NOTHING,
        learned(needs=1, attainment=((NOON - 60.0, 0.0, 9000.0),)),
    ),
    "late or not hangs on a histogram without a bound at the threshold: fewer replicas": Row(
        observation(
            seen=signals(60.0, 6, gateway=gateway(60.0, late=0.5)),
            replicas=6,
            of=policy(objective=LatencyObjective(threshold_seconds=0.6, target_fraction=0.99)),
        ),
        1,
        LimitedBy.NOTHING,
    ),
    "even idle replicas are too slow: fewer replicas, because more do not help": Row(
        observation(
            seen=signals(20.0, 6, gateway=gateway(20.0, late=1.0)),
            replicas=6,
            of=policy(objective=LatencyObjective(threshold_seconds=0.01, target_fraction=0.99)),
        ),
        1,
        LimitedBy.NOTHING,
    ),
    "a pod that has just become ready is not in the metrics: nothing is removed": Row(
        observation(
            seen=signals(50.0, 4),
            running=workload(
                5,
                (
                    *(pod(f"p{i}") for i in range(4)),
                    pod("p4", age=20.0, ready_at=NOON - 5.0),
                ),
            ),
        ),
        5,
        LimitedBy.STABILIZATION,
    ),
    "crashing pods: no more are asked for": Row(
        observation(
            seen=signals(180.0, 2),
            running=workload(
                3,
                (
                    pod("p0"),
                    pod("p1"),
                    pod("p2", ready=False, age=30.0, waiting_reason="CrashLoopBackOff"),
                ),
            ),
            of=policy(headroom=Headroom(mode=HeadroomMode.FIXED, replicas=3)),
        ),
        3,
        LimitedBy.CAPACITY,
    ),
    "pods that pend for long: no more are asked for": Row(
        observation(
            seen=signals(180.0, 2),
            running=workload(
                3, (pod("p0"), pod("p1"), pod("p2", ready=False, unschedulable=True, age=1000.0))
            ),
            of=policy(headroom=Headroom(mode=HeadroomMode.FIXED, replicas=3)),
        ),
        3,
        LimitedBy.CAPACITY,
    ),
    "one of many pods cannot start: another one is asked for": Row(
        observation(
            seen=signals(400.0, 5),
            running=workload(
                6,
                (
                    *(pod(f"p{i}") for i in range(5)),
                    pod("p5", ready=False, age=300.0, waiting_reason="CrashLoopBackOff"),
                ),
            ),
            of=policy(headroom=Headroom(mode=HeadroomMode.FIXED, replicas=1)),
        ),
        7,
        LimitedBy.NOTHING,
    ),
    "pods that have just been ordered are not stuck, and are not ordered twice": Row(
        observation(
            seen=signals(180.0, 2),
            running=workload(
                3, (pod("p0"), pod("p1"), pod("p2", ready=False, unschedulable=True, age=60.0))
            ),
        ),
        3,
        LimitedBy.NOTHING,
    ),
    "quota refuses pods: no more are asked for": Row(
        observation(180.0, 2, running=workload(2, quota_refusal="exceeded quota: gpus")),
        2,
        LimitedBy.CAPACITY,
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


ROWS = NO_DATA | SIZED | GUARDED | RULED


@pytest.mark.parametrize("sentence", ROWS)
def test_decides(sentence: str) -> None:
    row = ROWS[sentence]
    plan = plan_of(row.seen, row.memory if row.memory is not None else learned(needs=1))
    assert (plan.desired, plan.limited_by) == (row.desired, row.limited_by)


def test_a_pod_that_cannot_start_is_replaced_once_the_users_window_has_passed() -> None:
    broken = pod("p5", ready=False, age=300.0, waiting_reason="CrashLoopBackOff")
    running = workload(6, (*(pod(f"p{i}") for i in range(5)), broken))
    of = policy(
        headroom=Headroom(mode=HeadroomMode.FIXED, replicas=1),
        behavior=Behavior(scale_out=ScalingRules(stabilization_window_seconds=60)),
    )
    memory, desired = memory_of(learned(needs=6)), []
    for tick in range(6):
        at = NOON + 15.0 * tick
        seen = observation(seen=signals(400.0, 5, sampled_at=at), running=running, of=of)
        decided = decide(replace(snapshot(seen), at=at), memory)
        memory = decided.memory
        desired.append(decided.plans[of.key].desired)
    assert (desired[0], desired[-1]) == (6, 7)


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
