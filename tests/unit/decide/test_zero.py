"""The last replica goes where a gateway would tell of a request, and comes back with the first one."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from inference_cost.decide.engine import decide
from inference_cost.decide.explain.explanation import explain
from inference_cost.decide.headroom.learned import (
    DAY_BINS,
    NOTHING,
    from_bytes,
    new_vector,
    to_bytes,
    views,
)
from inference_cost.model.memory import PolicyMemory
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import LimitedBy, Plan
from inference_cost.model.policy import (
    Behavior,
    LimitType,
    Mode,
    Pause,
    ScalingLimit,
    ScalingRules,
    Schedule,
    SelectPolicy,
)
from inference_cost.model.reading import Missing, MissingReason, Sample
from inference_cost.model.signals import Signals
from tests.unit.decide.worlds import (
    NOON,
    gateway,
    key,
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

QUIET = 600.0
UNSEEN = Missing(
    reason=MissingReason.NOT_CONFIGURED,
    detail="no gateway is configured; set gateway.preset to have latency measured at the client's side",
)
TO_ZERO = policy(lowest=0)


def idle(rate: float = 0.0, replicas: int = 1, **more: Any) -> PolicyObservation:
    """Replicas that get `rate`, behind a gateway that counts as much."""
    more = {"of": TO_ZERO, "replicas": replicas} | more
    seen = signals(rate, replicas, gateway=gateway(rate), pending=Sample(value=0.0, at=NOON))
    return observation(seen=more.pop("seen", seen), **more)


def quiet(seconds: float = QUIET, **more: Any) -> PolicyMemory:
    """Nobody has asked for so long, up to 15 s ago."""
    fields: dict[str, Any] = {
        "quiet_since": NOON - seconds,
        "quiet_at": NOON - 15.0,
        "start_up_seconds": (180.0,) * 5,
    }
    return learned(needs=1, **(fields | more))


def unseen(seconds: float) -> PolicyMemory:
    """Asleep, and nothing has told for so long who asks."""
    return quiet(quiet_at=NOON - seconds - 15.0, unseen_since=NOON - seconds, unseen_at=NOON - 15.0)


def at_zero(rate: float | Missing = 0.0, **more: Any) -> PolicyObservation:
    """No pod at all. `rate`: as the gateway sees it, or why it sees none."""
    fields: dict[str, Any] = {"of": TO_ZERO, "running": workload(0, ())}
    return observation(seen=_gateway_alone(rate), **(fields | more))


def _gateway_alone(rate: float | Missing) -> Signals | Missing:
    if isinstance(rate, Missing):
        return Missing(reason=MissingReason.NO_READY_PODS)
    return Signals(
        sampled_at=NOON, scrape_interval_seconds=0.0, pods=(), gateway=gateway(rate, errors=rate)
    )


def codes(plan: Plan) -> set[str]:
    return {reason.code for reason in plan.reasons}


def known_day(rates: dict[int, float]) -> bytes:
    """Requests/s by minutes from now on, as seen on the days before; nothing else was ever asked."""
    vector = from_bytes(to_bytes(new_vector()))
    knows = views(vector)
    knows.numbers[NOTHING] = 1 / 60
    knows.daily[...] = np.log(1 / 60)
    for minutes, rate in rates.items():
        number = int((NOON + 60 * minutes) % 86_400 / 86_400 * DAY_BINS)
        knows.daily[number] = np.log(rate + 1 / 60)
    return to_bytes(vector)


# --- to zero ----------------------------------------------------------------------------------------------------


def test_the_last_replica_goes_after_a_time_without_a_request() -> None:
    plan = plan_of(idle(), quiet(), nodes={"node-1": priced_node()})
    assert (plan.desired, plan.limited_by, plan.write) == (0, LimitedBy.NOTHING, True)
    assert explain(plan, idle()).limited == (
        "Nobody asks, so no replica runs: the first request will wait about 3 min for a replica, and"
        " $28.80 per day is saved."
    )


STEPS_OF_ONE = ScalingRules(limits=(ScalingLimit(type=LimitType.PODS, value=1, period_seconds=60),))
STAYS: dict[str, tuple[PolicyObservation, PolicyMemory, LimitedBy, str]] = {
    "not long enough": (idle(), quiet(QUIET - 1), LimitedBy.STABILIZATION, "not-yet-zero"),
    "two start-ups are longer": (
        idle(),
        quiet(QUIET, start_up_seconds=(310.0,) * 5),
        LimitedBy.STABILIZATION,
        "not-yet-zero",
    ),
    "a gap in what was seen": (
        idle(),
        quiet(QUIET, quiet_at=NOON - 61.0),
        LimitedBy.STABILIZATION,
        "not-yet-zero",
    ),
    "it begins now": (idle(), learned(needs=1), LimitedBy.STABILIZATION, "not-yet-zero"),
    "a stabilization window of the user": (
        idle(of=policy(lowest=0, behavior=Behavior(scale_in=ScalingRules(stabilization_window_seconds=900)))),
        quiet(),
        LimitedBy.STABILIZATION,
        "not-yet-zero",
    ),
    "scaling in is forbidden by the user": (
        idle(of=policy(lowest=0, behavior=Behavior(scale_in=ScalingRules(select=SelectPolicy.DISABLED)))),
        quiet(),
        LimitedBy.BEHAVIOR,
        "behavior",
    ),
    "one went just now, and one a minute may": (
        idle(of=policy(lowest=0, behavior=Behavior(scale_in=STEPS_OF_ONE))),
        quiet(changes=((NOON - 30.0, -1),)),
        LimitedBy.BEHAVIOR,
        "behavior",
    ),
    "a rollout": (
        idle(running=workload(1, rolling_out=True)),
        quiet(),
        LimitedBy.ROLLOUT,
        "rollout",
    ),
    "metrics are there in part": (
        idle(seen=signals(0.0, 1, gateway=gateway(0.0), partial=True)),
        quiet(),
        LimitedBy.METRICS_UNAVAILABLE,
        "partial-metrics",
    ),
    "a busy GPU": (
        idle(seen=signals(0.0, 1, gateway=gateway(0.0), gpu=0.95, pending=Sample(value=0.0, at=NOON))),
        quiet(),
        LimitedBy.GPU_GUARD,
        "busy-gpu",
    ),
    "traffic at this time of the day": (
        idle(),
        quiet(headroom=known_day({0: 0.5})),
        LimitedBy.STABILIZATION,
        "expected-soon",
    ),
    "traffic within a start-up": (
        idle(),
        quiet(headroom=known_day({3: 0.5}), start_up_seconds=(300.0,) * 5),
        LimitedBy.STABILIZATION,
        "expected-soon",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", STAYS)
def test_the_last_replica_stays(case: str) -> None:
    seen, memory, limited_by, code = STAYS[case]
    plan = plan_of(seen, memory)
    assert (plan.desired, plan.limited_by) == (1, limited_by)
    assert code in codes(plan)
    assert explain(plan, seen).limited


GOES: dict[str, tuple[PolicyObservation, PolicyMemory]] = {
    "traffic expected only later than a start-up from now": (
        idle(),
        quiet(headroom=known_day({20: 0.5})),
    ),
    "less than a request expected": (idle(), quiet(headroom=known_day({0: 0.005}))),
    "too little traffic to have learned what a replica carries": (
        idle(),
        replace(quiet(), estimates=()),
    ),
    "in a night of its own": (
        idle(of=policy(lowest=2, schedules=(Schedule(start="0 * * * *", end="59 * * * *", min_replicas=0),))),
        quiet(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", GOES)
def test_the_last_replica_goes(case: str) -> None:
    seen, memory = GOES[case]
    assert plan_of(seen, memory).desired == 0


def test_recommend_says_it_and_writes_nothing() -> None:
    plan = plan_of(idle(of=policy(lowest=0, mode=Mode.RECOMMEND)), quiet())
    assert (plan.desired, plan.write) == (0, False)


def test_a_pause_keeps_it() -> None:
    plan = plan_of(idle(of=policy(lowest=0, pause=Pause(source="policy"))), quiet())
    assert (plan.desired, plan.limited_by) == (1, LimitedBy.PAUSED)


def test_one_request_at_the_gateway_ends_the_quiet() -> None:
    seen = idle(1 / 60)
    decided = decide(snapshot(seen), memory_of(quiet()))
    assert decided.plans[key()].desired == 1
    assert decided.plans[key()].limited_by is LimitedBy.NOTHING
    assert decided.memory.policies[key()].quiet_at == 0.0


def test_a_request_past_the_gateway_ends_it_as_well() -> None:
    past = idle(seen=signals(0.1, 1, gateway=gateway(0.0), pending=Sample(value=0.0, at=NOON)))
    assert decide(snapshot(past), memory_of(quiet())).memory.policies[key()].quiet_at == 0.0


def test_several_replicas_that_are_still_to_be_kept_do_not_go_at_once() -> None:
    several = idle(replicas=3)
    young = quiet(observed_since=NOON - 60.0)
    assert plan_of(several, young).desired == 3


def test_a_minimum_above_zero_keeps_it() -> None:
    assert plan_of(idle(of=policy(lowest=1)), quiet()).desired == 1


def test_without_a_gateway_one_stays_and_it_is_said_what_to_configure() -> None:
    blind = observation(seen=signals(0.0, 1, gateway=UNSEEN), replicas=1, of=TO_ZERO)
    plan = plan_of(blind, quiet())
    assert (plan.desired, plan.limited_by) == (1, LimitedBy.MIN_REPLICAS)
    assert codes(plan) == {"zero-unseen"}
    words = explain(plan, blind)
    assert words.limited == (
        "minReplicas is 0, but one replica stays, because no gateway tells of requests that no replica can"
        f" take: {UNSEEN.detail}."
    )
    assert words.limited in words.message
    assert words.findings == ""


def test_without_a_gateway_it_is_not_the_schedule_that_keeps_one() -> None:
    nights = Schedule(name="nights", start="0 * * * *", end="59 * * * *", min_replicas=0)
    blind = observation(
        seen=signals(0.0, 3, gateway=UNSEEN), replicas=3, of=policy(schedules=(nights,))
    )
    plan = plan_of(blind, quiet())
    assert (plan.desired, plan.limited_by) == (1, LimitedBy.MIN_REPLICAS)
    assert codes(plan) == {"zero-unseen"}
    assert explain(plan, blind).limited == (
        "A schedule has minReplicas 0 now, but one replica stays, because no gateway tells of requests that"
        f" no replica can take: {UNSEEN.detail}."
    )


def test_where_the_load_needs_more_the_missing_gateway_is_only_a_finding() -> None:
    blind = observation(seen=signals(180.0, 3, gateway=UNSEEN), replicas=3, of=TO_ZERO)
    plan = plan_of(blind, quiet())
    assert plan.desired == 3
    words = explain(plan, blind)
    assert "set gateway.preset" in words.findings
    assert "gateway" not in words.limited


def test_without_a_gateway_a_target_at_zero_gets_one() -> None:
    seen = at_zero(UNSEEN)
    plan = plan_of(seen, learned())
    assert (plan.desired, plan.limited_by) == (1, LimitedBy.METRICS_UNAVAILABLE)
    assert "set gateway.preset" in explain(plan, seen).findings


# --- at zero ----------------------------------------------------------------------------------------------------


def test_zero_on_purpose_is_a_state_as_good_as_any() -> None:
    decided = decide(snapshot(at_zero()), memory_of(quiet(price_before_zero=1.2)))
    plan, memory = decided.plans[key()], decided.memory.policies[key()]
    assert (plan.desired, plan.limited_by, plan.write) == (0, LimitedBy.NOTHING, False)
    assert (memory.misses, memory.quiet_at) == (0, NOON)
    words = explain(plan, at_zero())
    assert words.chosen == "Keep 0 replicas."
    assert words.seen.startswith("Seen: 0 requests/s, 0 replicas of 0 ready.")
    assert "wait about 3 min for a replica, and $28.80 per day is saved" in words.limited
    assert words.cost == "Cost: nothing while no replica runs."


def test_the_first_request_wakes_one_at_once() -> None:
    seen = at_zero(1 / 60)
    plan = plan_of(seen, quiet())
    assert (plan.desired, plan.limited_by, plan.write) == (1, LimitedBy.NOTHING, True)
    assert explain(plan, seen).limited == (
        "Requests come and no replica is ready; one takes about 3 min to start."
    )


def test_what_the_gateway_holds_back_wakes_too() -> None:
    seen = at_zero()
    assert isinstance(seen.signals, Signals)
    held = replace(gateway(0.0), waiting=Sample(value=500.0, at=NOON))
    plan = plan_of(replace(seen, signals=replace(seen.signals, gateway=held)), quiet())
    assert plan.desired >= 1


WAKES: dict[str, tuple[PolicyObservation, PolicyMemory, int, LimitedBy]] = {
    "as many as the rate needs": (at_zero(300.0), quiet(), 4, LimitedBy.NOTHING),
    "one where a replica is not known": (
        at_zero(300.0),
        replace(quiet(), estimates=()),
        1,
        LimitedBy.NOTHING,
    ),
    "no more than the maximum": (
        at_zero(300.0, of=policy(lowest=0, highest=2)),
        quiet(),
        2,
        LimitedBy.MAX_REPLICAS,
    ),
    "as fast as behavior allows": (
        at_zero(300.0, of=policy(lowest=0, behavior=Behavior(scale_out=STEPS_OF_ONE))),
        quiet(),
        1,
        LimitedBy.NOTHING,
    ),
    "one though behavior allows none": (
        at_zero(300.0, of=policy(lowest=0, behavior=Behavior(scale_out=ScalingRules(select=SelectPolicy.DISABLED)))),
        quiet(),
        1,
        LimitedBy.NOTHING,
    ),
    "more while the first starts": (
        at_zero(300.0, running=workload(1, (pod("p0", ready=False, age=30.0),))),
        quiet(),
        4,
        LimitedBy.NOTHING,
    ),
    "none back while they start": (
        at_zero(1.0, running=workload(3, tuple(pod(f"p{i}", ready=False, age=30.0) for i in range(3)))),
        quiet(),
        3,
        LimitedBy.NOTHING,
    ),
    "one probe while a pod cannot start": (
        at_zero(900.0, running=workload(1, (pod("p0", ready=False, age=30.0, waiting_reason="CrashLoopBackOff"),))),
        quiet(),
        1,
        LimitedBy.CAPACITY,
    ),
    "those of a schedule that opens": (
        at_zero(0.0, of=policy(lowest=0, schedules=(Schedule(start="3 8 * * *", end="0 9 * * *", min_replicas=2),))),
        quiet(),
        2,
        LimitedBy.METRICS_UNAVAILABLE,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WAKES)
def test_waking(case: str) -> None:
    seen, memory, want, limited_by = WAKES[case]
    plan = plan_of(seen, memory)
    assert (plan.desired, plan.limited_by) == (want, limited_by)


def test_a_replica_that_starts_is_not_taken_back_when_nobody_asks_any_more() -> None:
    starting = at_zero(0.0, running=workload(1, (pod("p0", ready=False, age=30.0),)))
    assert plan_of(starting, quiet()).desired == 1


def test_pods_that_still_drain_bring_nothing_back() -> None:
    draining = idle(running=workload(0, (pod("p0"),)))
    assert plan_of(draining, quiet()).desired == 0
    rolling = idle(running=workload(0, (pod("p0"),), rolling_out=True))
    assert plan_of(rolling, quiet()).desired == 0


def test_a_short_gap_in_the_metrics_wakes_nobody() -> None:
    plan = plan_of(at_zero(UNSEEN), unseen(45.0))
    assert (plan.desired, plan.limited_by) == (0, LimitedBy.METRICS_UNAVAILABLE)


LOOKS: dict[str, tuple[tuple[bool, ...], list[int]]] = {
    "a new leader that sees nothing at first wakes nobody, until four ticks have passed": (
        (False,) * 6,
        [0, 0, 0, 0, 1, 1],
    ),
    "a look in between begins it anew": (
        (False, False, False, True, False, False, False, False, False),
        [0, 0, 0, 0, 0, 0, 0, 0, 1],
    ),
}


@pytest.mark.parametrize("sentence", LOOKS)
def test_asleep_for_days_without_a_checkpoint_since(sentence: str) -> None:
    looks, want = LOOKS[sentence]
    memory, desired = memory_of(quiet(quiet_at=NOON - 3 * 86_400.0)), []
    for tick, sees in enumerate(looks):
        seen = at_zero(0.0 if sees else UNSEEN)
        decided = decide(replace(snapshot(seen), at=NOON + 15.0 * tick), memory)
        memory = decided.memory
        desired.append(decided.plans[key()].desired)
    assert desired == want


def test_a_gap_of_days_ago_is_not_the_gap_of_now() -> None:
    then = NOON - 86_400.0
    memory = quiet(quiet_at=then - 75.0, unseen_since=then - 60.0, unseen_at=then)
    assert plan_of(at_zero(UNSEEN), memory).desired == 0


def test_a_long_gap_might_hide_requests() -> None:
    plan = plan_of(at_zero(UNSEEN), unseen(60.0))
    assert (plan.desired, plan.limited_by) == (1, LimitedBy.METRICS_UNAVAILABLE)


def test_a_gateway_that_loses_sight_at_zero_is_not_trusted_with_it_for_hours() -> None:
    lost = decide(snapshot(at_zero(UNSEEN)), memory_of(unseen(60.0)))
    memory = lost.memory.policies[key()]
    assert memory.blind_at == NOON
    assert "fell silent" in explain(lost.plans[key()], at_zero(UNSEEN)).findings
    later = quiet(blind_at=NOON - 6 * 3600.0 + 1)
    plan = plan_of(idle(), later)
    assert (plan.desired, plan.limited_by) == (1, LimitedBy.STABILIZATION)
    assert "its metrics fell silent while no replica ran" in explain(plan, idle()).limited
    assert plan_of(idle(), quiet(blind_at=NOON - 6 * 3600.0)).desired == 0


def test_a_source_that_is_away_says_nothing_of_the_gateway() -> None:
    away = observation(Missing(reason=MissingReason.STALE), of=TO_ZERO, running=workload(0, ()))
    lost = decide(snapshot(away), memory_of(unseen(60.0)))
    assert lost.plans[key()].desired == 1
    assert lost.memory.policies[key()].blind_at == 0.0


def test_an_answer_in_part_does_not_say_that_nobody_asks() -> None:
    seen = _gateway_alone(0.0)
    assert isinstance(seen, Signals)
    part = observation(seen=replace(seen, partial=True), of=TO_ZERO, running=workload(0, ()))
    assert plan_of(part, unseen(45.0)).desired == 0
    assert plan_of(part, unseen(60.0)).desired == 1


def test_a_pause_at_zero_wakes_nobody() -> None:
    seen = at_zero(10.0, of=policy(lowest=0, pause=Pause(source="policy")))
    assert plan_of(seen, quiet()).desired == 0
