"""What is said of a tick: each policy's status, Events at a turn, and nothing twice."""

import asyncio
from dataclasses import replace
from typing import Any

from inference_cost.act.checkpoints import Checkpoints
from inference_cost.act.errors import PermissionDeniedError
from inference_cost.act.events import EventRecorder
from inference_cost.act.kube_api import Json
from inference_cost.act.reporter import Reporter
from inference_cost.act.resources import Resource
from inference_cost.act.scaler import Refusal, Scaler
from inference_cost.act.status_changes import RefreshTimes
from inference_cost.act.status_writer import StatusWriter
from inference_cost.act.tick import Tick
from inference_cost.act.write_queue import WriteQueue
from inference_cost.model.memory import Memory
from inference_cost.model.observation import PolicyRefusal, Snapshot
from inference_cost.model.plan import HeadroomChoice, HeadroomRule, ReplacedRule
from inference_cost.model.policy import PolicyKey
from inference_cost.model.reading import Missing, MissingReason
from tests.unit.act.memory_api import MemoryApi
from tests.unit.act.worlds import KEY, NOW, UID, observation, plan, snapshot

OTHER = PolicyKey(namespace="team-a", name="bert", uid="policy-2")
DENIED = PermissionDeniedError("no", verb="patch", resource="deployments/scale.apps")


class StatusApi(MemoryApi):
    """Takes statuses and notes them."""

    def __init__(self) -> None:
        super().__init__()
        self.statuses: list[tuple[str, Json]] = []

    async def json_patch(
        self, resource: Resource, namespace: str, name: str, operations: list[Json]
    ) -> Json:
        assert (str(resource), namespace) == (
            "inferencecostpolicies/status.inferencecost.dev",
            "team-a",
        )
        status = operations[-1]["value"]
        self.statuses.append((name, status))
        return {"status": status}


class World:
    def __init__(self) -> None:
        self.now = 0.0
        self.api = StatusApi()
        self.cached: dict[PolicyKey, Json] = {}
        self.queue = WriteQueue(per_second=1000, burst=1000, monotonic=lambda: self.now)
        self.recorder = EventRecorder(
            self.api, instance="one", per_minute=6000, monotonic=lambda: self.now
        )
        checkpoints = Checkpoints(
            self.api,
            self.queue,
            version="1.0",
            interval_seconds=600,
            monotonic=lambda: self.now,
            wall_clock=lambda: NOW + self.now,
        )
        self.scaler = Scaler(
            self.api, per_second=10, still_wanted=lambda _policy: True, monotonic=lambda: self.now
        )
        self.reporter = Reporter(
            statuses=StatusWriter(
                self.api, self.queue, times=RefreshTimes(), monotonic=lambda: self.now
            ),
            recorder=self.recorder,
            checkpoints=checkpoints,
            stored_status=lambda key: self.cached.get(key, {}),
            currency="USD",
        )

    async def report(self, seen: Snapshot, *keys: PolicyKey, **changes: Any) -> list[str]:
        """Names of the policies whose status was written."""
        plans = {key: plan(key=key, desired=3, **changes) for key in keys}
        tick = Tick(snapshot=seen, plans=plans, memory=Memory(), costs=None)
        self.reporter.report(tick, self.scaler, ())
        before = len(self.api.statuses)
        tasks = [
            asyncio.create_task(self.queue.run()),
            asyncio.create_task(self.recorder.run()),
        ]
        await asyncio.sleep(0.02)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return [name for name, _ in self.api.statuses[before:]]

    @property
    def events(self) -> list[str]:
        found = (o for key, o in self.api.objects.items() if key[0] == "events")
        return [o["reason"] for o in found]

    def condition(self, kind: str) -> tuple[str, str, str]:
        _, status = self.api.statuses[-1]
        found = next(c for c in status["conditions"] if c["type"] == kind)
        return found["status"], found["reason"], found["message"]


async def test_an_unchanged_tick_says_nothing_new() -> None:
    world = World()
    seen = snapshot(observation())
    assert await world.report(seen, KEY) == ["resnet"]
    for later in range(1, 20):
        world.now = 15.0 * later
        assert await world.report(replace(seen, at=NOW + world.now), KEY) == []
    assert world.events == ["MetricsUnavailable"]


async def test_the_next_leader_repeats_neither_status_nor_event() -> None:
    first = World()
    seen = snapshot(observation())
    await first.report(seen, KEY)
    second = World()
    second.cached[KEY] = first.api.statuses[-1][1]
    assert await second.report(replace(seen, at=NOW + 30), KEY) == []
    assert second.events == []


async def test_metrics_that_go_and_come_back_are_two_events() -> None:
    world = World()
    fine = Missing(reason=MissingReason.NO_TRAFFIC)
    good = snapshot(replace(observation(), signals=fine))
    bad = snapshot(observation())
    for seen in (good, bad, bad, good):
        await world.report(seen, KEY)
    assert world.events == ["MetricsUnavailable", "MetricsRecovered"]


async def test_a_clearly_cheaper_rule_is_one_event() -> None:
    world = World()
    fine = Missing(reason=MissingReason.NO_TRAFFIC)
    seen = snapshot(replace(observation(), signals=fine))
    rule = HeadroomRule(
        load_fraction=0.6, deviations=0.0, hold_seconds=600.0, late_fraction=0.006, cost=1.7
    )
    choice = HeadroomChoice(
        followed=rule,
        runner_up=rule,
        less=None,
        rules=96,
        allowed_fraction=0.01,
        accepted_fraction=0.007,
        seen_seconds=172_800.0,
        filled_replicas=2.0,
        late_price_replica_seconds=0.5,
        replaced=ReplacedRule(rule=rule, saved=0.3, average=True, at=NOW),
    )
    for at in (NOW, NOW + 15.0, NOW + 30.0):
        world.now = at - NOW
        await world.report(replace(seen, at=at), KEY, headroom=choice, at=at)
    assert world.events == ["HeadroomRuleChanged"]


async def test_a_refused_policy_is_told_the_field_and_keeps_no_figures() -> None:
    world = World()
    await world.report(snapshot(observation()), KEY)
    refusal = PolicyRefusal(key=KEY, generation=2, field="spec.slo", message="Set `slo.latency`.")
    await world.report(replace(snapshot(), refusals=(refusal,)))
    status, reason, message = world.condition("Accepted")
    assert (status, reason) == ("False", "InvalidSpec")
    assert "spec.slo" in message
    assert world.api.statuses[-1][1]["observedGeneration"] == 2
    assert "NotAccepted" in world.events


async def test_a_write_that_was_denied_makes_the_policy_not_ready_and_names_the_right() -> None:
    world = World()
    world.scaler._refusals[UID] = Refusal(error=DENIED, until=60.0)
    await world.report(snapshot(observation()), KEY)
    status, reason, message = world.condition("Ready")
    assert (status, reason) == ("False", "PermissionDenied")
    assert "`patch`" in message
    assert "`deployments/scale.apps`" in message
    assert await world.report(snapshot(observation()), KEY) == []  # and says so once


async def test_the_time_of_a_denial_is_when_it_began() -> None:
    world = World()
    world.scaler._refusals[UID] = Refusal(error=DENIED, until=60.0)
    await world.report(snapshot(observation()), KEY)
    tick = Tick(
        snapshot=replace(snapshot(observation()), at=NOW + 600),
        plans={KEY: plan(desired=3)},
        memory=Memory(),
        costs=None,
    )
    later = world.reporter.report(tick, world.scaler, ())[KEY]
    assert _ready_since(later) == _ready_since(world.api.statuses[0][1])


def _ready_since(status: Json) -> str:
    return next(str(c["lastTransitionTime"]) for c in status["conditions"] if c["type"] == "Ready")


async def test_events_are_not_repeated_while_a_status_waits_for_its_turn() -> None:
    world = World()
    tick = Tick(
        snapshot=snapshot(observation()),
        plans={KEY: plan(desired=3)},
        memory=Memory(),
        costs=None,
    )
    for _ in range(5):
        world.reporter.report(tick, world.scaler, ())
    assert len(world.recorder._queue) == 1


async def test_a_decision_that_failed_is_said_and_the_others_are_as_ever() -> None:
    world = World()
    seen = snapshot(observation(), observation(key=OTHER))
    written = await world.report(seen, OTHER)
    assert sorted(written) == ["bert", "resnet"]
    (status,) = [s for name, s in world.api.statuses if name == "resnet"]
    ready = next(c for c in status["conditions"] if c["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "InternalError")


async def test_a_policy_that_is_gone_and_comes_back_starts_anew() -> None:
    world = World()
    await world.report(snapshot(observation()), KEY)
    await world.report(snapshot())
    assert await world.report(snapshot(observation()), KEY) == ["resnet"]
