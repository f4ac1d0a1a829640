"""A new policy is taught once, from the oldest hour on, and nothing that fails there is felt elsewhere."""

import asyncio
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from inference_cost.control.backfill import DAY_SECONDS, PrometheusBackfill
from inference_cost.control.metrics import Metrics
from inference_cost.decide.engine import decide
from inference_cost.decide.headroom.learned import AGE, from_bytes
from inference_cost.model.memory import Memory
from inference_cost.model.observation import DecisionSettings, PolicyObservation, Snapshot
from inference_cost.model.policy import LatencyObjective
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.observe.prometheus_client import Answer
from inference_cost.observe.settings import PrometheusSettings
from tests.unit.control.clocks import FakeClock
from tests.unit.decide.worlds import (
    key,
    learned,
    observation,
    pod,
    policy,
    signals,
    workload,
)

NAMES = ("resnet", "bert", "slow")
GONE = Missing(reason=MissingReason.SOURCE_UNREACHABLE, detail="Prometheus: it answered 503")
DAYS = 2


class Store:
    """100 requests/s of each of `NAMES` at each step from some day on."""

    def __init__(self, days_kept: float = 100.0) -> None:
        self.spans: list[tuple[float, float]] = []
        self.steps: list[float] = []
        self.refused_step = 0.0
        self.senseless = ""  # this one's times
        self.failing = 0
        self.days_kept = days_kept
        self.broken = False

    async def query_range(
        self, promql: str, *, start: float, end: float, step_seconds: float
    ) -> Answer | Missing:
        if self.broken:
            raise RuntimeError("boom")
        if self.failing:
            self.failing -= 1
            return GONE
        if step_seconds == self.refused_step:
            return GONE
        if "failure" in promql:
            return Answer(result=[])
        self.spans.append((start, end))
        self.steps.append(step_seconds)
        since = FakeClock().time() - self.days_kept * DAY_SECONDS
        times = [start + i * step_seconds for i in range(round((end - start) / step_seconds) + 1)]
        values = [[at, "100"] for at in times if at >= since]
        labels = {"namespace": "shop", "model": "resnet"}
        return Answer(
            result=[
                {
                    "metric": labels | {"workload_of_template": name},
                    "values": [["then", "100"]] if name == self.senseless else values,
                }
                for name in NAMES
            ]
        )


class World:
    def __init__(self, store: Store | None = None) -> None:
        self.store = store or Store()
        self.clock = FakeClock()
        self.metrics = Metrics(version="1")
        self.backfill = PrometheusBackfill(
            self.store,
            PrometheusSettings(url="http://prometheus"),
            seconds=DAYS * DAY_SECONDS,
            metrics=self.metrics,
            clock=self.clock,
        )
        self.scraped = {"resnet": 15.0}  # policies, and how often
        self.more: dict[str, dict[str, Any]] = {}  # of a policy's spec
        self.memory = Memory(policies={key(name): learned() for name in NAMES})
        self.generation = 1

    @property
    def hours(self) -> float:
        """That the policy knows of its demand."""
        return self.hours_of("resnet")

    def hours_of(self, name: str) -> float:
        return float(from_bytes(self.memory.policies[key(name)].headroom)[AGE]) / 3600

    def seen(self, name: str = "resnet") -> PolicyObservation:
        at = self.clock.time()
        pods = tuple(
            replace(pod(f"{name}-7d4b9c6f5-x2x4{i}"), created_at=at - 7200, ready_at=at - 7000)
            for i in range(2)
        )
        found = signals(100.0, 2, sampled_at=at)
        reports = tuple(
            replace(seen, pod=one.name) for seen, one in zip(found.pods, pods, strict=True)
        )
        return observation(
            of=policy(name, generation=self.generation, **self.more.get(name, {})),
            running=workload(2, pods=pods),
            seen=replace(found, pods=reports, scrape_interval_seconds=self.scraped[name]),
        )

    def tick(self, window: float = 60.0) -> None:
        """As the loop does it."""
        settings = DecisionSettings(rate_window_seconds=window)
        observations = tuple(self.seen(name) for name in self.scraped)
        snapshot = Snapshot(at=self.clock.time(), observations=observations, settings=settings)
        self.memory = decide(snapshot, self.backfill.remembered(self.memory)).memory
        self.backfill.see(snapshot, self.memory)
        self.clock.now += 15.0


async def test_a_new_policy_is_taught_all_days_once() -> None:
    world = World()
    world.tick()
    assert world.hours < 0.01
    await world.backfill.round()
    assert world.hours < 0.01  # the next tick takes it over
    world.tick()
    assert world.hours == pytest.approx(24 * DAYS, abs=0.1)
    spans = world.store.spans
    assert len(spans) == 24 * DAYS
    assert all(b[0] - a[1] == 15 for a, b in pairwise(spans))
    assert 0 <= world.clock.time() - spans[-1][1] <= 60
    world.tick()
    await world.backfill.round()
    assert len(world.store.spans) == len(spans)


async def test_of_a_store_that_tells_late_the_newest_is_not_asked_for() -> None:
    world = World()
    world.tick(window=360.0)
    await world.backfill.round()
    assert 300 <= world.clock.time() - world.store.spans[-1][1] <= 360


async def test_as_many_days_as_there_are() -> None:
    world = World(Store(days_kept=0.5))
    world.tick()
    await world.backfill.round()
    world.tick()
    assert world.hours == pytest.approx(12, abs=0.1)


async def test_before_the_first_tick_and_before_a_profile_there_is_nobody_to_teach() -> None:
    world = World()
    await world.backfill.round()
    world.memory = Memory()
    world.tick()
    await world.backfill.round()
    assert world.store.spans == []


async def test_half_of_the_time_nothing_is_done() -> None:
    world = World()
    world.tick()
    await world.backfill.round()
    pauses = [slept for slept in world.clock.slept if slept]
    assert len(pauses) == 24 * DAYS


async def test_a_span_that_cannot_be_read_is_read_again() -> None:
    world = World()
    world.store.failing = 2
    world.tick()
    await world.backfill.round()
    world.tick()
    assert world.hours == pytest.approx(24 * DAYS, abs=0.1)


async def test_a_store_that_does_not_answer_is_left_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    world = World()
    world.store.failing = 1000
    world.tick()
    await world.backfill.round()
    asked = 1000 - world.store.failing
    assert asked == 4
    world.tick()
    await world.backfill.round()
    assert 1000 - world.store.failing == asked
    assert world.hours < 0.02
    [told] = [vars(r) for r in caplog.records if r.getMessage() == "backfill_given_up"]
    assert told["why"] == GONE.detail


async def test_a_policy_that_changed_meanwhile_is_taught_again() -> None:
    world = World()
    world.tick()
    teaching = asyncio.create_task(world.backfill.round())
    await asyncio.sleep(0)
    world.generation = 2
    world.tick()
    await teaching
    world.tick()
    assert world.hours < 0.02
    await world.backfill.round()
    world.tick()
    assert world.hours == pytest.approx(24 * DAYS, abs=0.1)


async def test_a_policy_that_is_gone_is_forgotten() -> None:
    world = World()
    world.tick()
    teaching = asyncio.create_task(world.backfill.round())
    await asyncio.sleep(0)
    world.backfill.see(Snapshot(at=world.clock.time(), observations=()), Memory())
    await teaching
    assert world.backfill.remembered(Memory()) == Memory()


async def test_a_failure_of_ours_is_counted_and_ends_nothing() -> None:
    world = World()
    world.store.broken = True
    world.tick()
    running = asyncio.create_task(world.backfill.run())
    for _ in range(20):
        await asyncio.sleep(0)
    assert not running.done()
    running.cancel()
    assert 'pass_failures_total{phase="backfill"} 1.0' in world.metrics.exposition().decode()


async def test_each_policy_is_taught_at_its_own_tick_and_the_most_first() -> None:
    world = World()
    world.scraped = {"slow": 60.0, "resnet": 15.0, "bert": 15.0}
    world.tick()
    await world.backfill.round()
    world.tick()
    for name in NAMES:
        assert world.hours_of(name) == pytest.approx(24 * DAYS, abs=0.2)
    assert world.store.steps == [15.0] * 24 * DAYS + [60.0] * 6 * DAYS


async def test_what_cannot_be_read_at_one_tick_is_taught_at_another() -> None:
    world = World()
    world.scraped = {"resnet": 15.0, "bert": 15.0, "slow": 60.0}
    world.store.refused_step = 15.0
    world.tick()
    await world.backfill.round()
    world.tick()
    assert world.hours < 0.1
    assert world.hours_of("slow") == pytest.approx(24 * DAYS, abs=0.2)


async def taught_beside(world: World) -> None:
    """One policy fails; the others learn all, and it is tried and told of once."""
    for _ in range(2):
        await world.backfill.round()
        world.tick()
    assert world.hours_of("bert") < 0.1
    for name in ("resnet", "slow"):
        assert world.hours_of(name) == pytest.approx(24 * DAYS, abs=0.2)
    assert 'pass_failures_total{phase="backfill"} 1.0' in world.metrics.exposition().decode()


async def test_a_policy_whose_conditions_fail_keeps_no_other_from_learning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    world.scraped = {"bert": 15.0, "resnet": 15.0, "slow": 60.0}
    world.tick()
    wrong: Any = "0.3"
    world.more["bert"] = {
        "objective": LatencyObjective(threshold_seconds=wrong, target_fraction=0.99)
    }
    world.tick()
    await taught_beside(world)
    [told] = [vars(r) for r in caplog.records if r.getMessage() == "backfill_failed"]
    assert told["policy"] == str(key("bert"))


async def test_a_policy_whose_past_makes_no_sense_keeps_no_other_from_learning() -> None:
    world = World()
    world.scraped = {"bert": 15.0, "resnet": 15.0, "slow": 60.0}
    world.store.senseless = "bert"
    world.tick()
    await taught_beside(world)


async def test_where_the_only_one_fails_no_more_is_read() -> None:
    world = World()
    world.store.senseless = "resnet"
    world.tick()
    await world.backfill.round()
    assert len(world.store.spans) == 1
