"""What is decided for one policy, keyed by a sentence."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from inference_cost.decide.engine import decide
from inference_cost.decide.explain import explain
from inference_cost.model.memory import Memory, PolicyMemory
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import Action, LimitedBy, ProfileSource
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
from inference_cost.model.signals import BatchStatistic
from inference_cost.model.workload import Conflict, ConflictKind, NoWorkload, TargetProblem
from tests.unit.decide.worlds import (
    CONFIGURATION,
    ESTIMATE,
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


@pytest.mark.parametrize(
    ("behavior", "desired"),
    [
        (FallbackBehavior.STATIC, 4),
        (FallbackBehavior.CURRENT_REPLICAS, 8),
        (FallbackBehavior.CURRENT_REPLICAS_IF_HIGHER, 8),
        (FallbackBehavior.CURRENT_REPLICAS_IF_LOWER, 4),
    ],
)
def test_above_the_maximum_only_a_fallback_that_names_fewer_removes(
    behavior: FallbackBehavior, desired: int
) -> None:
    fallback = Fallback(failure_threshold=3, replicas=6, behavior=behavior)
    plan = plan_of(
        observation(STALE, 8, of=policy(highest=4, fallback=fallback)), learned(misses=3)
    )
    assert (plan.desired, plan.limited_by) == (desired, LimitedBy.FALLBACK)


@pytest.mark.parametrize(("apart", "limited_by"), [(1.0, "MetricsUnavailable"), (14.9, "Fallback")])
def test_a_look_without_metrics_counts_once_per_tick(apart: float, limited_by: str) -> None:
    fallback = Fallback(failure_threshold=3, replicas=6, behavior=FallbackBehavior.STATIC)
    seen = observation(STALE, 2, of=policy(fallback=fallback))
    memory = memory_of(learned())
    for look in range(4):
        decisions = decide(replace(snapshot(seen), at=NOON + apart * look), memory)
        memory = decisions.memory
    assert decisions.plans[policy().key].limited_by == limited_by


TICK, HOLD = 15.0, 180.0


def look(
    memory: Memory, at: float, rate: float | Missing, replicas: int = 6, **more: Any
) -> tuple[int, Memory]:
    """Replicas asked for at a look at this time, all pods ready for long."""
    read = rate if isinstance(rate, Missing) else signals(rate, replicas, sampled_at=at)
    seen = observation(seen=read, replicas=replicas, of=policy(**more))
    decisions = decide(replace(snapshot(seen), at=at), memory)
    return decisions.plans[policy().key].desired, decisions.memory


def first_removal(memory: Memory, at: float, **more: Any) -> float:
    """Seconds of looks at a low load until fewer replicas are asked for."""
    for tick in range(100):
        desired, memory = look(memory, at + TICK * tick, 60.0, **more)
        if desired < 6:
            return TICK * tick
    return float("inf")


def test_the_holding_time_is_counted_in_ticks_with_metrics() -> None:
    assert first_removal(memory_of(learned()), NOON) == HOLD


@pytest.mark.parametrize("gap", [75.0, 600.0, 7200.0], ids=["5 ticks", "10 min", "restored"])
@pytest.mark.parametrize("silent", [True, False], ids=["no metrics", "no looks"])
def test_after_a_gap_a_lower_need_must_last_anew(gap: float, silent: bool) -> None:
    desired, memory = look(memory_of(learned()), NOON, 60.0)
    assert desired == 6
    for tick in range(1, round(gap / TICK) if silent and gap < HOLD * 10 else 1):
        _, memory = look(memory, NOON + TICK * tick, STALE)
    assert first_removal(memory, NOON + gap) == HOLD


def test_one_look_without_metrics_does_not_start_the_holding_time_over() -> None:
    _, memory = look(memory_of(learned()), NOON, 60.0)
    _, memory = look(memory, NOON + TICK, STALE)
    assert first_removal(memory, NOON + 2 * TICK) == HOLD - 2 * TICK


def test_looks_as_rare_as_the_scrapes_are_no_gaps() -> None:
    memory = memory_of(learned())
    for minute in range(0, 5, 2):
        at = NOON + 60.0 * minute
        read = replace(signals(60.0, 6, sampled_at=at), scrape_interval_seconds=120.0)
        seen = observation(seen=read, replicas=6)
        decisions = decide(replace(snapshot(seen), at=at), memory)
        memory = decisions.memory
    assert decisions.plans[policy().key].desired < 6


def test_the_load_before_a_gap_is_not_forecast_after_it() -> None:
    memory = memory_of(learned())
    for tick in range(20):
        _, memory = look(memory, NOON + TICK * tick, 500.0)
    for tick in range(26, 28):
        desired, memory = look(memory, NOON + TICK * tick, 150.0, replicas=2)
    assert desired == 2


def test_a_pause_replaces_the_choice_and_nothing_else() -> None:
    seen = observation(seen=signals(150.0, 2, gateway=gateway(150.0, late=0.5)))
    paused = replace(seen, policy=policy(pause=Pause(source="policy")))
    plans, memories = [], []
    for one in (seen, paused):
        decisions = decide(snapshot(one), memory_of(learned(needs=1)))
        plans.append(decisions.plans[policy().key])
        memories.append(decisions.memory.policies[policy().key])
    free, held = plans
    assert not isinstance(held.attainment, Missing)
    assert held.attainment.fraction == pytest.approx(0.5)
    assert (held.attainment, held.demand, held.profile) == (
        free.attainment,
        free.demand,
        free.profile,
    )
    assert (held.desired, held.limited_by) == (2, LimitedBy.PAUSED)
    assert memories[0] == memories[1]


def test_a_pause_without_metrics_says_what_is_missing() -> None:
    plan = plan_of(observation(STALE, 2, of=policy(pause=Pause(source="policy", replicas=7))))
    assert (plan.desired, plan.attainment) == (7, STALE)


@pytest.mark.parametrize("sentence", ROWS)
def test_decides(sentence: str) -> None:
    row = ROWS[sentence]
    plan = plan_of(row.seen, row.memory if row.memory is not None else learned(needs=1))
    assert (plan.desired, plan.limited_by) == (row.desired, row.limited_by)


def test_a_higher_need_within_the_holding_time_is_kept() -> None:
    memory = replace(
        learned(needs=2), needs=((NOON - 3600.0, 2), (NOON - 120.0, 4), (NOON - 60.0, 2))
    )
    plan = plan_of(observation(100.0, 5), memory)
    assert (plan.desired, plan.limited_by) == (4, LimitedBy.STABILIZATION)


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


def test_nothing_changes_while_nothing_is_known_of_the_profile() -> None:
    plan = plan_of(observation(seen=signals(0.0, 3), replicas=3), PolicyMemory())
    assert (plan.desired, plan.limited_by) == (3, LimitedBy.NOTHING)
    assert isinstance(plan.profile, Missing)


def test_overload_grows_the_fleet_by_half_until_a_clean_window() -> None:
    overloaded = signals(
        190.0,
        2,
        pending=Sample(value=400.0, at=NOON),
        pending_change=Sample(value=300.0, at=NOON),
    )
    plan = plan_of(observation(seen=overloaded))
    assert not isinstance(plan.demand, Missing)
    assert plan.demand.censored
    assert plan.demand.now == pytest.approx(200.0)
    assert plan.demand.forecast == pytest.approx(300.0)


@pytest.mark.parametrize(
    ("pending", "policy_set", "censored"),
    [(True, False, False), (False, False, True), (True, True, True)],
    ids=["the queue is seen not to grow", "no queue gauge", "a queue policy sheds unseen"],
)
def test_high_load_counts_as_overload_where_losses_are_hidden(
    pending: bool, policy_set: bool, censored: bool
) -> None:
    gauge = Sample(value=3.0, at=NOON) if pending else Missing(reason=MissingReason.NOT_EXPORTED)
    plan = plan_of(
        observation(
            seen=signals(195.0, 2, pending=gauge),
            configuration=replace(CONFIGURATION, queue_policy=policy_set),
        )
    )
    assert not isinstance(plan.demand, Missing)
    assert plan.demand.censored is censored


def test_overload_before_anything_is_learned_still_adds_replicas() -> None:
    overloaded = signals(
        190.0,
        2,
        executions=0.0,
        pending=Sample(value=400.0, at=NOON),
        pending_change=Sample(value=300.0, at=NOON),
    )
    assert plan_of(observation(seen=overloaded), PolicyMemory()).desired == 3


def test_requests_answered_5xx_in_front_of_the_fleet_are_demand_too() -> None:
    seen = signals(100.0, 2, gateway=gateway(150.0, errors=50.0))
    plan = plan_of(observation(seen=seen))
    assert not isinstance(plan.demand, Missing)
    assert plan.demand.source == "Gateway"
    assert plan.demand.now == pytest.approx(150.0)
    assert plan.demand.censored


def test_what_a_gateway_counts_when_answered_is_not_demand_while_a_queue_is_worked_off() -> None:
    seen = signals(
        95.0,
        2,
        gateway=gateway(190.0),
        pending=Sample(value=500.0, at=NOON),
        pending_change=Sample(value=-1500.0, at=NOON),
    )
    plan = plan_of(observation(seen=seen))
    assert not isinstance(plan.demand, Missing)
    assert plan.demand.now == pytest.approx(140.0)


def test_a_rising_load_is_followed_ahead_of_time() -> None:
    rising = tuple((NOON - 15.0 * i, 150.0 - 2.0 * i) for i in range(24, 0, -1))
    flat = tuple((NOON - 15.0 * i, 150.0) for i in range(24, 0, -1))
    assert plan_of(observation(150.0, 2), learned(needs=1, demand=rising)).desired == 3
    assert plan_of(observation(150.0, 2), learned(needs=1, demand=flat)).desired == 2


def test_a_rise_that_has_stopped_is_not_carried_on() -> None:
    stopped = tuple((NOON - 15.0 * i, min(150.0, 190.0 - 2.5 * i)) for i in range(24, 0, -1))
    plan = plan_of(observation(150.0, 2), learned(needs=1, demand=stopped))
    assert not isinstance(plan.demand, Missing)
    assert plan.demand.forecast < 160.0


def test_no_headroom_when_disabled() -> None:
    rising = tuple((NOON - 15.0 * i, 150.0 - 2.0 * i) for i in range(24, 0, -1))
    of = policy(headroom=Headroom(mode=HeadroomMode.DISABLED))
    assert plan_of(observation(150.0, 2, of=of), learned(needs=1, demand=rising)).desired == 2


def test_a_queue_time_objective_is_sized_and_measured_at_the_server() -> None:
    of = policy(objective=QueueTimeObjective(mean_seconds=0.03))
    plan = plan_of(observation(150.0, 2, of=of))
    assert plan.desired > 2
    assert not isinstance(plan.attainment, Missing)
    assert plan.attainment.measured_at == "Server"
    assert plan.attainment.fraction == pytest.approx(0.6)


def test_an_objective_no_replica_can_meet_does_not_run_to_the_maximum() -> None:
    of = policy(objective=LatencyObjective(threshold_seconds=0.03, target_fraction=0.99))
    plan = plan_of(observation(100.0, 2, of=of))
    assert plan.desired == 3
    assert "objective-unreachable" in {reason.code for reason in plan.reasons}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"decoupled": True}, "the model is decoupled"),
        ({"dynamic_batching": False}, "the model has no dynamic batching"),
    ],
)
def test_outside_the_latency_model_the_largest_load_that_held_counts(
    change: dict[str, Any], why: str
) -> None:
    configuration = replace(CONFIGURATION, **change)
    seen = observation(240.0, 2, configuration=configuration)
    memory = learned(needs=1, estimates=(replace(ESTIMATE, largest_load_seen=60.0),))
    plan = plan_of(replace(seen, signals=signals(240.0, 2, request_seconds=60 * 240.0)), memory)
    assert not isinstance(plan.profile, Missing)
    assert (plan.profile.source, plan.desired) == (ProfileSource.LARGEST_SEEN, 4)
    assert why in dict(plan.reasons[0].values).values()


def test_several_models_on_one_pod_are_outside_the_latency_model() -> None:
    shared = tuple(
        replace(one, models=(*one.models, replace(one.models[0], model="bert")))
        for one in signals(100.0, 2).pods
    )
    plan = plan_of(observation(seen=replace(signals(100.0, 2), pods=shared)), learned(needs=1))
    assert plan.reasons[0].code == "outside-model"


def test_batch_statistics_of_triton_come_first_and_may_be_learned_from_at_once() -> None:
    timed = tuple(
        BatchStatistic(batch_size=b, executions=500, mean_seconds=0.04 + 0.005 * b)
        for b in (1, 2, 4, 8)
    )
    configuration = replace(CONFIGURATION, batch_statistics=timed)
    memory = replace(learned(needs=2), estimates=())
    plan = plan_of(observation(100.0, 5, configuration=configuration), memory)
    assert not isinstance(plan.profile, Missing)
    assert plan.profile.source is ProfileSource.BATCH_STATISTICS
    assert plan.profile.capacity_per_replica == pytest.approx(100.0, rel=0.01)
    assert plan.desired == 2


def test_old_batch_statistics_yield_to_what_the_counters_say_now() -> None:
    timed = tuple(
        BatchStatistic(batch_size=b, executions=500, mean_seconds=0.02 + 0.0025 * b)
        for b in (1, 2, 4, 8)
    )
    configuration = replace(CONFIGURATION, batch_statistics=timed)
    plan = plan_of(observation(100.0, 2, configuration=configuration))
    assert not isinstance(plan.profile, Missing)
    assert plan.profile.source is ProfileSource.COUNTERS


def test_an_unknown_configuration_is_sized_cautiously_and_said() -> None:
    unknown = Missing(reason=MissingReason.SOURCE_UNREACHABLE)
    known, blind = plan_of(observation()), plan_of(observation(configuration=unknown))
    assert not isinstance(known.profile, Missing)
    assert not isinstance(blind.profile, Missing)
    assert blind.profile.load_per_replica < 0.9 * known.profile.load_per_replica
    assert "unknown-batching" in {reason.code for reason in blind.reasons}


@pytest.mark.parametrize(
    "change", [{"queue_delay_seconds": 0.002}, {"queue_policy": True}], ids=["delay", "policy"]
)
def test_a_queue_delay_or_policy_costs_usable_load(change: dict[str, Any]) -> None:
    greedy = plan_of(observation())
    other = plan_of(observation(configuration=replace(CONFIGURATION, **change)))
    assert not isinstance(greedy.profile, Missing)
    assert not isinstance(other.profile, Missing)
    assert other.profile.load_per_replica < 0.95 * greedy.profile.load_per_replica


def test_several_instances_count_as_one_until_more_was_seen() -> None:
    two = replace(CONFIGURATION, instances=2)
    one, cautious = plan_of(observation()), plan_of(observation(40.0, configuration=two))
    memory = learned(needs=1, estimates=(replace(ESTIMATE, largest_load_seen=150.0),))
    seen = plan_of(observation(40.0, configuration=two), memory)
    profiles = [plan.profile for plan in (one, cautious, seen)]
    loads = [p.load_per_replica for p in profiles if not isinstance(p, Missing)]
    assert loads == [pytest.approx(loads[0]), pytest.approx(loads[0], rel=0.2), 150.0]


def test_nothing_is_learned_during_a_rollout_nor_from_failures_nor_new_pods() -> None:
    doubtful = (
        observation(150.0, 2, running=workload(2, rolling_out=True)),
        observation(seen=signals(150.0, 2, failures=5.0)),
        observation(seen=signals(150.0, 2, gateway=gateway(160.0, errors=1.0))),
        observation(
            150.0,
            2,
            running=workload(
                2, tuple(pod(f"p{i}", age=100.0, ready_at=NOON - 20.0) for i in range(2))
            ),
        ),
    )
    for seen in doubtful:
        decisions = decide(snapshot(seen), memory_of(learned(needs=1)))
        estimate = decisions.memory.policies[seen.policy.key].estimates[0]
        assert estimate.information == ESTIMATE.information
    clean = decide(snapshot(observation(150.0, 2)), memory_of(learned(needs=1)))
    assert clean.memory.policies[policy().key].estimates[0].executions > ESTIMATE.executions


def test_the_same_window_teaches_only_once() -> None:
    seen = observation(150.0, 2)
    once = decide(snapshot(seen), memory_of(learned(needs=1))).memory
    twice = decide(replace(snapshot(seen), at=NOON + 1.0), once).memory
    assert twice.policies[policy().key].estimates == once.policies[policy().key].estimates


def test_start_up_times_are_learned_from_pods_seen_starting() -> None:
    starting = observation(
        150.0, 2, running=workload(3, (pod("p0"), pod("p1"), pod("p2", ready=False, age=50.0)))
    )
    memory = decide(snapshot(starting), memory_of(learned(needs=1))).memory
    ready = replace(
        starting,
        workloads=(workload(3, (pod("p0"), pod("p1"), pod("p2", age=50.0, ready_at=NOON + 10.0))),),
    )
    after = decide(replace(snapshot(ready), at=NOON + 15.0), memory).memory
    again = decide(replace(snapshot(ready), at=NOON + 30.0), after).memory
    assert after.policies[policy().key].start_up_seconds == (60.0,)
    assert again.policies[policy().key].start_up_seconds == (60.0,)


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
