"""A leader dies; the next one knows what was written until then, and decides as the old one would have."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from inference_cost.act.checkpoint_payload import Learned, decode, encode
from inference_cost.act.checkpoints import Checkpoints
from inference_cost.act.write_queue import WriteQueue
from inference_cost.decide.engine import decide
from inference_cost.model.memory import Calibration, PolicyMemory, SuspectedOutage
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import Evenness, LimitedBy, Plan
from inference_cost.model.policy import (
    Behavior,
    DrainObjective,
    Fallback,
    FallbackBehavior,
    LimitType,
    ScalingLimit,
    ScalingRules,
)
from inference_cost.model.reading import Missing, MissingReason, Sample
from inference_cost.model.signals import LatestGap
from tests.unit.act.memory_api import MemoryApi
from tests.unit.decide.worlds import (
    NOON,
    gateway,
    key,
    learned,
    memory_of,
    observation,
    plan_of,
    policy,
    signals,
    snapshot,
    watched,
    workload,
)

TICK = 15.0
UNWRITTEN = PolicyMemory()


class Leaders:
    """One policy, whose checkpoint is written as by the operator."""

    def __init__(self, memory: PolicyMemory) -> None:
        self.now = NOON
        self.memory = memory
        self.queue = WriteQueue(per_second=1000, burst=1000, monotonic=lambda: self.now)
        self.checkpoints = Checkpoints(
            MemoryApi(),
            self.queue,
            version="1.0",
            interval_seconds=600,
            monotonic=lambda: self.now,
            wall_clock=lambda: self.now,
        )

    async def run(self, sees: Callable[[float], PolicyObservation], ticks: int) -> None:
        task = asyncio.create_task(self.queue.run())
        for _ in range(ticks):
            self.decided(sees)
            self.checkpoints.offer(key(), Learned(memory=self.memory))
            await asyncio.sleep(0.001)
            self.now += TICK
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def killed(self) -> None:
        restored = (await self.checkpoints.restore()).learned
        self.memory = restored[key()].memory if key() in restored else UNWRITTEN

    def decided(self, sees: Callable[[float], PolicyObservation]) -> Plan:
        shot = replace(snapshot(sees(self.now - NOON)), at=self.now)
        decisions = decide(shot, memory_of(self.memory))
        self.memory = decisions.memory.policies[key()]
        return decisions.plans[key()]


def backlog_grows(seconds: float) -> PolicyObservation:
    """After an hour 200 requests/s more come than one replica takes; the gateway holds them back."""
    at, free = NOON + seconds, 200.0 * max(seconds - 3600.0, 0.0)
    front = replace(gateway(50.0), waiting=Sample(value=free, at=at))
    seen = signals(50.0, 1, sampled_at=at, gateway=front)
    of = policy(objective=DrainObjective(within_seconds=3600.0), highest=50)
    return observation(seen=seen, replicas=1, of=of)


def requests_stop(seconds: float) -> PolicyObservation:
    """After five minutes; the window still holds some at the first look."""
    at, fell = NOON + seconds, seconds - 300.0
    rate, newest = (300.0, 300.0) if fell < 0 else (210.0 if fell == 0 else 0.0, 0.0)
    gap = LatestGap(at=at, seconds=TICK, requests=TICK * newest / 4, pending_change=0.0)
    return observation(seen=signals(rate, 4, sampled_at=at, latest=gap), replicas=4)


def goes_to_zero(seconds: float) -> PolicyObservation:
    """Nobody asks. From the hundredth look on nothing tells so."""
    at, of, none = NOON + seconds, policy(lowest=0), workload(0, ())
    if seconds >= 100 * TICK:
        return observation(Missing(reason=MissingReason.SOURCE_UNREACHABLE), of=of, running=none)
    none_waits = Sample(value=0.0, at=at)
    pods = 0 if seconds else 1
    seen = signals(0.0, pods, sampled_at=at, gateway=gateway(0.0), pending=none_waits)
    return observation(seen=seen, of=of, running=workload(1) if not seconds else none)


QUIET = learned(needs=1, quiet_since=NOON - 600.0, quiet_at=NOON - TICK, last_current=1)


@dataclass(frozen=True, kw_only=True)
class Death:
    """Of a leader, after so many looks."""

    sees: Callable[[float], PolicyObservation]
    looks: int
    before: Callable[[], PolicyMemory] = learned
    desired: int
    limited_by: LimitedBy = LimitedBy.NOTHING


DEATHS = {
    "requests have waited for the better part of their deadline": Death(
        sees=backlog_grows, looks=240 + 180, desired=7
    ),
    "requests stopped two minutes ago": Death(
        sees=requests_stop,
        looks=20 + 8,
        before=lambda: watched([300.0] * 60, 4),
        desired=4,
        limited_by=LimitedBy.SUSPECTED_OUTAGE,
    ),
    "the policy sleeps, and the new leader's first look fails": Death(
        sees=goes_to_zero,
        looks=100,
        before=lambda: QUIET,
        desired=0,
        limited_by=LimitedBy.METRICS_UNAVAILABLE,
    ),
}


@pytest.mark.parametrize("sentence", DEATHS)
async def test_the_next_leader_decides_the_same(sentence: str) -> None:
    death = DEATHS[sentence]
    leaders = Leaders(death.before())
    await leaders.run(death.sees, death.looks)
    last = leaders.memory
    goes_on = leaders.decided(death.sees)
    await leaders.killed()
    assert leaders.memory != last
    plan = leaders.decided(death.sees)
    assert (goes_on.desired, goes_on.limited_by) == (death.desired, death.limited_by)
    assert (plan.desired, plan.limited_by) == (death.desired, death.limited_by)


def at_zero(signals: Missing) -> PolicyObservation:
    return observation(signals, of=policy(lowest=0), running=workload(0, ()))


def ruled(rate: float, replicas: int, **behavior: ScalingRules) -> PolicyObservation:
    return observation(rate, replicas, of=policy(behavior=Behavior(**behavior)))


def drained(free: float, replicas: int = 1) -> PolicyObservation:
    front = replace(gateway(10.0), waiting=Sample(value=free, at=NOON))
    of = policy(objective=DrainObjective(within_seconds=3600.0), highest=50)
    return observation(seen=signals(10.0, replicas, gateway=front), replicas=replicas, of=of)


ONE_A_MINUTE = ScalingRules(limits=(ScalingLimit(type=LimitType.PODS, value=1, period_seconds=60),))
FALLBACK = Fallback(failure_threshold=3, replicas=6, behavior=FallbackBehavior.STATIC)
SILENT = Missing(reason=MissingReason.NO_READY_PODS)
GONE = Missing(reason=MissingReason.SOURCE_UNREACHABLE)
OLD_BACKLOG = ((NOON - 2700.0, 100.0, 0.0), (NOON - 2685.0, 2e5, 2e5), (NOON - TICK, 1e3, 2e5))
HELD = SuspectedOutage(
    began_at=NOON - 60.0, seen_at=NOON - TICK, before_per_second=300.0, spare_seconds=1740.0
)
ONE_GETS_NOTHING = Evenness(
    pods=3,
    effective=1.8,
    hottest="p1",
    hottest_fraction=0.7,
    idle=1,
    windows=3,
    looked_at=NOON - 30.0,
)
# By the field of the memory without which the decision would be another one.
DEPENDS: dict[str, tuple[PolicyObservation, PolicyMemory]] = {
    "estimates": (observation(100.0, 5), learned(needs=1)),
    "headroom": (observation(180.0, 2), watched([100.0] * 40)),
    "calibration": (
        observation(230.0, 3),
        learned(needs=1, calibration=Calibration(template_hash="v1", factor=1.4)),
    ),
    "evenness": (observation(400.0, 3), learned(needs=1, evenness=ONE_GETS_NOTHING)),
    "needs": (
        ruled(400.0, 3, scale_out=ScalingRules(stabilization_window_seconds=300)),
        learned(needs=3),
    ),
    "wanted": (drained(0.0, 3), learned(needs=1, wanted=((NOON - 100.0, 3),))),
    "arrivals": (drained(2e5), learned(needs=1, arrivals=OLD_BACKLOG)),
    "changes": (
        ruled(400.0, 3, scale_out=ONE_A_MINUTE),
        learned(needs=1, changes=((NOON - 30.0, 1),)),
    ),
    "misses": (
        observation(GONE, 2, of=policy(fallback=FALLBACK)),
        learned(needs=1, misses=9),
    ),
    "observed_at": (observation(50.0, 5), learned(needs=1)),
    "quiet_at": (at_zero(SILENT), QUIET),
    "unseen_at": (
        at_zero(SILENT),
        replace(QUIET, unseen_since=NOON - 90.0, unseen_at=NOON - TICK),
    ),
    "blind_at": (goes_to_zero(0.0), replace(QUIET, blind_at=NOON - 3600.0)),
    "outage": (observation(0.0, 4), replace(watched([100.0] * 8, 4), outage=HELD)),
}


@pytest.mark.parametrize("field", DEPENDS)
def test_what_a_decision_depends_on_is_kept(field: str) -> None:
    seen, memory = DEPENDS[field]
    restored = decode(encode(Learned(memory=memory)))
    assert restored is not None
    want = outcome(seen, memory)
    assert outcome(seen, restored.memory) == want
    unknown = replace(restored.memory, **{field: getattr(UNWRITTEN, field)})
    assert outcome(seen, unknown) != want


def outcome(seen: PolicyObservation, memory: PolicyMemory) -> tuple[int, LimitedBy, Any]:
    plan = plan_of(seen, memory)
    return plan.desired, plan.limited_by, plan.prediction
