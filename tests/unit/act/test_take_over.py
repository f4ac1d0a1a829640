"""A leader dies; the next one knows what was written until then, and decides as the old one would have."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from inference_cost.act.checkpoint_payload import Learned
from inference_cost.act.checkpoints import Checkpoints
from inference_cost.act.write_queue import WriteQueue
from inference_cost.decide.engine import decide
from inference_cost.model.memory import PolicyMemory
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import LimitedBy, Plan
from inference_cost.model.policy import DrainObjective
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
    seen = signals(0.0, 0 if seconds else 1, sampled_at=at, gateway=gateway(0.0))
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
