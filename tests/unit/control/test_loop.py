"""The central loop: one tick at a time, on time, and nothing in a tick ends it."""

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from inference_cost.account.costs import Costs, account
from inference_cost.act.kube_api import Json
from inference_cost.act.scaler import Scaled
from inference_cost.act.tick import Tick
from inference_cost.control.clock import SystemClock
from inference_cost.control.isolation import IsolatedDecisions, Outcome
from inference_cost.control.loop import ControlLoop, LoopTimes, scrape_interval
from inference_cost.control.metrics import Metrics
from inference_cost.decide.engine import decide
from inference_cost.model.memory import Memory, PolicyMemory
from inference_cost.model.observation import Snapshot
from inference_cost.model.plan import LimitedBy
from inference_cost.model.policy import PolicyKey
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import Signals
from tests.unit.act.worlds import KEY, NOW, UNREAD, observation


class World:
    """Plays observer and writers; decide and account are the real ones."""

    def __init__(self, *, tick: float = 0.05, deadline: float = 5.0) -> None:
        self.policies: tuple[PolicyKey, ...] = (KEY,)
        self.observed: list[float] = []
        self.acted: list[Tick] = []
        self.looking = 0
        self.failures: list[Exception] = []
        self.slow = 0.0
        self.metrics = Metrics(version="1.0")
        self.loop = ControlLoop(
            observer=self,
            decide=IsolatedDecisions(decide),
            account=account,
            actuator=self,
            metrics=self.metrics,
            clock=SystemClock(),
            times=LoopTimes(tick=tick, debounce=0.05, observe_deadline=deadline),
            currency="USD",
        )

    async def observe(self, now: float) -> Snapshot:
        self.looking += 1
        assert self.looking == 1, "two ticks at once"
        self.observed.append(SystemClock().monotonic())
        try:
            await asyncio.sleep(self.slow)
            if self.failures:
                raise self.failures.pop()
        finally:
            self.looking -= 1
        return Snapshot(at=now, observations=tuple(observation(key=k) for k in self.policies))

    async def overlay(self, snapshot: Snapshot) -> Snapshot:
        return snapshot

    async def act(self, tick: Tick) -> tuple[tuple[Scaled, ...], Mapping[PolicyKey, Json]]:
        self.acted.append(tick)
        status: Json = {
            "replicas": {"current": 3, "ready": 3, "desired": 3},
            "conditions": [{"type": "Ready", "status": "True"}],
        }
        return (), dict.fromkeys(tick.plans, status)

    async def run(self, seconds: float) -> None:
        task = asyncio.create_task(self.loop.run())
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def series(self, name: str) -> list[str]:
        lines = self.metrics.exposition().decode().splitlines()
        return [line for line in lines if line.startswith(name)]


async def test_ticks_follow_each_other_at_a_fixed_rate() -> None:
    world = World(tick=0.1)
    await world.run(0.95)
    assert 8 <= len(world.acted) <= 10
    assert world.loop.ticks == len(world.acted)


@pytest.mark.parametrize("error", [RuntimeError("boom"), TimeoutError(), KeyError("x")])
async def test_a_tick_that_fails_acts_on_nothing_and_the_next_one_comes(error: Exception) -> None:
    world = World()
    world.failures = [error]
    await world.run(0.3)
    assert len(world.observed) >= 3
    assert len(world.acted) == len(world.observed) - 1
    assert world.series('inference_cost_pass_failures_total{phase="pass"}')[0].endswith("1.0")


async def test_a_look_that_takes_too_long_is_given_up() -> None:
    world = World(deadline=0.05)
    world.slow = 10.0
    await world.run(0.3)
    assert world.acted == []
    assert len(world.observed) >= 3


async def test_a_slow_tick_is_counted_and_never_overlaps() -> None:
    world = World(tick=0.05)
    world.slow = 0.12
    await world.run(0.6)
    assert len(world.acted) >= 3
    overruns = world.series("inference_cost_pass_overruns_total")[0]
    assert float(overruns.split()[-1]) >= 3


async def test_a_wake_up_brings_the_next_tick_forward_once() -> None:
    world = World(tick=30.0)
    task = asyncio.create_task(world.loop.run())
    await asyncio.sleep(0.1)
    for _ in range(20):
        world.loop.wake()
        await asyncio.sleep(0.01)
    await asyncio.sleep(2.3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(world.acted) == 2
    assert world.observed[1] - world.observed[0] >= 0.95  # at most one look per second


async def test_what_an_earlier_leader_learned_is_there_in_the_first_tick() -> None:
    world = World()
    world.loop.restore(Memory(policies={KEY: PolicyMemory(start_up_seconds=(42.0,))}), {})
    await world.loop.tick()
    assert world.acted[0].memory.policies[KEY].start_up_seconds == (42.0,)


class Teacher:
    def __init__(self, taught: Memory) -> None:
        self.taught: Memory | None = taught
        self.seen: list[tuple[Snapshot, Memory]] = []

    def remembered(self, memory: Memory) -> Memory:
        taught, self.taught = self.taught, None
        return memory if taught is None else taught

    def see(self, snapshot: Snapshot, memory: Memory) -> None:
        self.seen.append((snapshot, memory))


async def test_what_was_taught_beside_the_loop_is_there_in_the_next_tick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    teacher = Teacher(Memory(policies={KEY: PolicyMemory(start_up_seconds=(42.0,))}))
    world.loop._teacher = teacher
    monkeypatch.setattr(world.loop, "_decide", broken_once(world.loop._decide))
    with pytest.raises(RuntimeError):
        await world.loop.tick()
    await world.loop.tick()  # it is not lost with a tick that fails
    assert world.acted[0].memory.policies[KEY].start_up_seconds == (42.0,)
    [(snapshot, memory)] = teacher.seen
    assert snapshot is world.acted[0].snapshot
    assert memory is world.acted[0].memory


def broken_once(decide: IsolatedDecisions) -> Callable[[Snapshot, Memory], Outcome]:
    failures = [RuntimeError("boom")]

    def decided(snapshot: Snapshot, memory: Memory) -> Outcome:
        if failures:
            raise failures.pop()
        return decide(snapshot, memory)

    return decided


async def test_accounting_that_fails_does_not_stop_scaling() -> None:
    world = World()

    def broken(*_: object, **__: object) -> Costs:
        raise ArithmeticError("boom")

    world.loop._account = broken
    await world.loop.tick()
    assert world.acted[0].costs is None
    assert set(world.acted[0].plans) == {KEY}


async def test_a_decision_that_was_held_is_logged_once_with_its_traceback(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr("inference_cost.decide.plan_policy.case_of", broken)
    world = World()
    for _ in range(3):
        await world.loop.tick()
    assert world.acted[-1].plans[KEY].limited_by is LimitedBy.INTERNAL_ERROR
    told = [r for r in caplog.records if r.getMessage() == "decision_failed"]
    assert len(told) == 1
    assert "boom" in str(told[0].exc_info)


async def test_series_of_a_deleted_policy_are_removed() -> None:
    world = World()
    other = PolicyKey(namespace="team-a", name="bert", uid="policy-2")
    world.policies = (KEY, other)
    await world.loop.tick()
    assert any('policy="bert"' in line for line in world.series("inference_cost_"))
    world.policies = (KEY,)
    await world.loop.tick()
    assert not any('policy="bert"' in line for line in world.series("inference_cost_"))
    assert any('policy="resnet"' in line for line in world.series("inference_cost_"))


def seen_every(seconds: float) -> Signals:
    return Signals(
        sampled_at=NOW,
        scrape_interval_seconds=seconds,
        pods=(),
        gateway=Missing(reason=MissingReason.NOT_CONFIGURED),
    )


@pytest.mark.parametrize(
    ("intervals", "want"), [((30.0, 15.0), 15.0), ((), 0.0), ((0.0, 20.0), 20.0)]
)
def test_the_scrape_interval_is_the_shortest_that_was_measured(
    intervals: tuple[float, ...], want: float
) -> None:
    unread = observation()
    assert unread.signals is UNREAD
    seen = [replace(unread, signals=seen_every(seconds)) for seconds in intervals]
    assert scrape_interval(Snapshot(at=NOW, observations=(unread, *seen))) == want


async def test_only_a_pass_that_is_completed_makes_the_last_one_young() -> None:
    world = World()
    assert math.isnan(world.loop.pass_age)
    await world.loop.tick()
    before = world.loop.pass_age
    await asyncio.sleep(0.02)
    world.failures = [RuntimeError("boom")]
    await world.loop._safe_tick()
    assert world.loop.pass_age >= before + 0.02
