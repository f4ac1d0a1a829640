"""What holds for any input: bounds, monotony, no removal without data, independence, and no surprise."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference_cost.decide.engine import decide
from inference_cost.decide.explain.explanation import LONGEST_MESSAGE, explain
from inference_cost.decide.headroom.learned import LENGTH
from inference_cost.decide.memory_codec import decode, encode
from inference_cost.decide.size import NEGLIGIBLE
from inference_cost.model.memory import Memory, PolicyMemory
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.policy import (
    DrainObjective,
    GpuSignal,
    Headroom,
    HeadroomMode,
    LatencyObjective,
    QueueTimeObjective,
)
from inference_cost.model.reading import Missing, MissingReason, Sample
from tests.unit.decide.worlds import (
    CONFIGURATION,
    NOON,
    gateway,
    key,
    learned,
    memory_of,
    observation,
    plan_of,
    pod,
    policy,
    signals,
    snapshot,
    watched,
    workload,
)

QUICK = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
RATES = st.floats(min_value=0.0, max_value=3000.0)
REPLICAS = st.integers(min_value=1, max_value=40)
WILD = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, -1.0, 1e-300, 1e300, float("nan"), float("inf"), -float("inf")]),
)
# What was learned from an hour of each of these, and what a damaged checkpoint may hold.
HEADROOM = {
    "nothing": b"",
    "an idle hour": watched([0.0] * 240, 4).headroom,
    "an even load": watched([250.0] * 240, 4).headroom,
    "a load that jumps": watched([90.0, 700.0] * 120, 4).headroom,
    "cut off": b"\x00" * 7,
    "not numbers": np.full(LENGTH, np.nan, np.float32).tobytes(),
    "huge numbers": np.full(LENGTH, 1e30, np.float32).tobytes(),
}


def memories(*known: str) -> st.SearchStrategy[PolicyMemory]:
    return st.builds(
        lambda needs, current, misses, known: learned(
            needs=needs,
            last_current=current,
            misses=misses,
            headroom=HEADROOM[known],
            looked_at=NOON - 15.0,
        ),
        st.one_of(st.none(), st.integers(0, 40)),
        st.one_of(st.none(), st.integers(0, 40)),
        st.integers(0, 10),
        st.sampled_from(known),
    )


MEMORIES = memories(*HEADROOM)


@QUICK
@given(
    rate=RATES,
    replicas=REPLICAS,
    lowest=st.integers(0, 9),
    more=st.integers(0, 20),
    memory=MEMORIES,
)
def test_the_bounds_hold_whenever_there_is_data(
    rate: float, replicas: int, lowest: int, more: int, memory: PolicyMemory
) -> None:
    of = policy(lowest=lowest, highest=lowest + more)
    plan = plan_of(observation(rate, replicas, of=of), memory)
    assert lowest <= plan.desired <= lowest + more


@QUICK
@given(
    rates=st.tuples(RATES, RATES),
    replicas=REPLICAS,
    remembered=memories("nothing", "an idle hour", "an even load"),
)
def test_more_load_never_means_fewer_replicas(
    rates: tuple[float, float], replicas: int, remembered: PolicyMemory
) -> None:
    of = policy(highest=100)
    memory = replace(remembered, last_sampled_at=NOON)  # nothing new to learn from
    low, high = (plan_of(observation(rate, replicas, of=of), memory) for rate in sorted(rates))
    assert low.variants[0].needed <= high.variants[0].needed
    assert low.desired <= high.desired


@QUICK
@given(rate=RATES, replicas=REPLICAS, remembered=MEMORIES)
def test_whatever_was_learned_the_present_load_is_carried(
    rate: float, replicas: int, remembered: PolicyMemory
) -> None:
    """More load may ask for fewer replicas where the past says that it is about to fall: never for too few."""
    memory = replace(remembered, last_sampled_at=NOON)
    plan = plan_of(observation(rate, replicas, of=policy(highest=100)), memory)
    assert not isinstance(plan.profile, Missing)
    assert plan.desired >= min(rate / plan.profile.load_per_replica - NEGLIGIBLE, 100)


@QUICK
@given(
    reason=st.sampled_from(MissingReason),
    replicas=REPLICAS,
    lowest=st.integers(0, 9),
    more=st.integers(0, 20),
    memory=MEMORIES,
)
def test_missing_data_never_removes_a_replica(
    reason: MissingReason, replicas: int, lowest: int, more: int, memory: PolicyMemory
) -> None:
    of = policy(lowest=lowest, highest=lowest + more)
    plan = plan_of(observation(Missing(reason=reason), replicas, of=of), memory)
    assert plan.desired >= replicas


@QUICK
@given(reporting=st.integers(0, 9), rate=RATES, memory=MEMORIES)
def test_silent_pods_never_remove_a_replica(
    reporting: int, rate: float, memory: PolicyMemory
) -> None:
    of = policy(highest=100)
    plan = plan_of(observation(of=of, replicas=10, seen=signals(rate, reporting)), memory)
    assert plan.desired >= 10


@QUICK
@given(
    loads=st.one_of(
        st.lists(st.tuples(RATES, REPLICAS), min_size=2, max_size=6),
        st.lists(st.tuples(RATES, st.integers(5, 40)), min_size=12, max_size=16),
    ),
    order=st.randoms(use_true_random=False),
)
def test_the_order_of_policies_changes_nothing(loads: list[tuple[float, int]], order: Any) -> None:
    """Also where they are so many that removals are limited over all of them."""
    observations = [
        observation(rate, replicas, of=policy(f"m{i}", highest=60))
        for i, (rate, replicas) in enumerate(loads)
    ]
    memory = Memory(policies={o.policy.key: learned(needs=1) for o in observations})
    shuffled = list(observations)
    order.shuffle(shuffled)
    one = decide(snapshot(*observations), memory)
    other = decide(snapshot(*shuffled), memory)
    assert dict(one.plans) == dict(other.plans)
    assert dict(one.memory.policies) == dict(other.memory.policies)


@QUICK
@given(loads=st.lists(st.tuples(RATES, REPLICAS), min_size=1, max_size=12))
def test_an_idle_policy_changes_nobody_else(loads: list[tuple[float, int]]) -> None:
    """Below the ten from which on removals are limited by how many policies and replicas there are."""
    observations = [
        observation(rate, replicas, of=policy(f"m{i}", highest=60))
        for i, (rate, replicas) in enumerate(loads[:8])
    ]
    memory = Memory(policies={o.policy.key: learned(needs=1) for o in observations})
    idle = observation(0.0, 1, of=policy("idle"))
    alone = decide(snapshot(*observations), memory).plans
    beside = decide(snapshot(*observations, idle), memory).plans
    assert all(beside[one] == alone[one] for one in alone)


@QUICK
@given(rate=RATES, replicas=REPLICAS, memory=MEMORIES)
def test_the_same_input_gives_the_same_output(
    rate: float, replicas: int, memory: PolicyMemory
) -> None:
    seen = observation(rate, replicas)
    assert decide(snapshot(seen), memory_of(memory)) == decide(snapshot(seen), memory_of(memory))


def wild_observation(draw: Callable[..., Any]) -> PolicyObservation:
    def value() -> float:
        return float(draw(WILD))

    replicas = draw(st.integers(0, 5))
    pods = tuple(
        pod(
            f"p{i}",
            ready=draw(st.booleans()),
            age=value(),
            waiting_reason=draw(st.sampled_from(["", "CrashLoopBackOff"])),
        )
        for i in range(draw(st.integers(0, 5)))
    )
    read = signals(
        value(),
        draw(st.integers(0, 5)),
        seconds=value(),
        failures=value(),
        executions=value(),
        compute_seconds=value(),
        queue_seconds=value(),
        pending=Sample(value=value(), at=NOON),
        pending_change=Sample(value=value(), at=NOON),
        gpu=value(),
        gateway=replace(
            gateway(value(), late=value(), errors=value(), seconds=value()),
            waiting=Sample(value=value(), at=NOON),
        ),
        sampled_at=draw(st.sampled_from([NOON, NOON - 1e9, float("nan"), float("inf")])),
    )
    objective = draw(
        st.sampled_from(
            [
                LatencyObjective(threshold_seconds=0.3, target_fraction=0.99),
                LatencyObjective(threshold_seconds=1e-9, target_fraction=1.0),
                QueueTimeObjective(mean_seconds=0.05),
                DrainObjective(within_seconds=600.0),
                DrainObjective(within_seconds=10.0),
            ]
        )
    )
    signal = draw(st.sampled_from([None, GpuSignal(target_fraction=0.7)]))
    configuration = replace(
        CONFIGURATION,
        max_batch_size=draw(st.sampled_from([-1, 0, 1, 8, 100, 10**9])),
        instances=draw(st.sampled_from([-1, 0, 1, 4])),
        queue_delay_seconds=value(),
        queue_policy=draw(st.booleans()),
    )
    headroom = draw(st.sampled_from([Headroom(), Headroom(mode=HeadroomMode.FIXED, replicas=2)]))
    return observation(
        of=policy(objective=objective, gpu_signal=signal, headroom=headroom),
        running=workload(replicas, pods, template_hash=draw(st.sampled_from(["", "v1", "v2"]))),
        seen=read,
        configuration=configuration,
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_input_raises_and_every_plan_can_be_told(data: st.DataObject) -> None:
    memory = memory_of(data.draw(MEMORIES))
    for tick in range(3):
        seen = wild_observation(data.draw)
        at = NOON + 15.0 * tick
        decisions = decide(replace(snapshot(seen), at=at), memory)
        memory = decisions.memory
        plan = decisions.plans[key()]
        assert "internal-error" not in {reason.code for reason in plan.reasons}
        assert plan.desired >= 0
        assert len(explain(plan, seen).message) <= LONGEST_MESSAGE
        remembered = memory.policies[key()]
        assert decode(encode(remembered)) == remembered


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(rates=st.lists(RATES, min_size=200, max_size=200))
def test_memory_stays_small(rates: list[float]) -> None:
    memory = Memory()
    for i, rate in enumerate(rates):
        pods = tuple(pod(f"p{j}", uid=f"{i}-{j}") for j in range(3))
        seen = observation(
            rate,
            3,
            running=workload(3, pods, template_hash=f"v{i % 50}"),
            seen=replace(signals(rate, 3, gateway=gateway(rate)), sampled_at=NOON + 15.0 * i),
        )
        memory = decide(replace(snapshot(seen), at=NOON + 15.0 * i), memory).memory
    assert len(repr(encode(memory.policies[key()]))) < 24_000
