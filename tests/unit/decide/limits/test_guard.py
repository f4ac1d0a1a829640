"""What forbids to remove or to add replicas, keyed by a sentence."""

from dataclasses import replace

import pytest

from inference_cost.decide.engine import decide
from inference_cost.model.plan import LimitedBy
from inference_cost.model.policy import (
    Behavior,
    Headroom,
    HeadroomMode,
    LatencyObjective,
    QueueTimeObjective,
    ScalingRules,
)
from tests.unit.decide.rows import Row
from tests.unit.decide.worlds import (
    NOON,
    gateway,
    learned,
    memory_of,
    observation,
    pod,
    policy,
    signals,
    snapshot,
    workload,
)

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


@pytest.mark.parametrize("sentence", GUARDED)
def test_decides(sentence: str) -> None:
    GUARDED[sentence].check()


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
