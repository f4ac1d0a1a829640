"""Scale writes: re-checked just before, never twice, never on a stale view, never after a refusal."""

import pytest

from inference_cost.act.errors import (
    ConflictError,
    FencedOffError,
    KubeError,
    NotFoundError,
    PermissionDeniedError,
    ThrottledError,
    UnreachableError,
)
from inference_cost.act.resources import scale_of
from inference_cost.act.scale import ScaleOrder, ScaleOutcome, manager_of_replicas, write_scale
from inference_cost.act.scaler import Scaler
from inference_cost.act.tick import Tick
from inference_cost.model.memory import Memory
from inference_cost.model.policy import Policy, TargetRef
from inference_cost.model.workload import ConflictKind, Workload
from tests.unit.act.memory_api import MemoryApi
from tests.unit.act.worlds import KEY, TARGET, UID, observation, plan, snapshot

SCALE = (scale_of(TARGET).plural, "team-a", "resnet")
DENIED = PermissionDeniedError("no", verb="patch", resource="deployments/scale.apps")


class World:
    """One Deployment behind an API server in memory, and the cluster as the cache shows it."""

    def __init__(self, replicas: int = 3) -> None:
        self.now = 0.0
        self.api = MemoryApi()
        self.policy_exists = True
        self.live(replicas)
        self.cached = replicas
        self.scaler = Scaler(
            self.api, per_second=100, still_wanted=self._wanted, monotonic=lambda: self.now
        )

    def _wanted(self, _policy: Policy) -> bool:
        return self.policy_exists

    def live(self, replicas: int, *, uid: str = UID) -> None:
        metadata = {"name": "resnet", "uid": uid, "resourceVersion": "7"}
        self.api.objects[SCALE] = {"metadata": metadata, "spec": {"replicas": replicas}}

    @property
    def replicas(self) -> int:
        return int(self.api.objects[SCALE]["spec"]["replicas"])

    async def tick(self, desired: int, *, after: float = 0.0) -> ScaleOutcome | None:
        """Decides on what the cache shows, as the loop does."""
        self.now += after
        laid = await self.scaler.overlay(snapshot(observation(replicas=self.cached)))
        (seen,) = laid.observations
        (target,) = seen.workloads
        assert isinstance(target, Workload)
        decided = plan(current=target.desired_replicas, desired=desired)
        tick = Tick(snapshot=laid, plans={KEY: decided}, memory=Memory(), costs=None)
        if seen.conflict is not None:
            assert seen.conflict.kind is ConflictKind.REVERTED
            return None
        scaled = await self.scaler.scale(tick)
        return scaled[0].result.outcome if scaled else None


async def test_a_plan_is_written_once() -> None:
    world = World()
    assert await world.tick(5) is ScaleOutcome.WRITTEN
    assert await world.tick(5) is None  # the cache still shows three; the overlay knows better
    assert (world.replicas, len(world.api.writes)) == (5, 1)


async def test_nothing_more_is_written_until_the_cache_shows_the_last_write() -> None:
    world = World()
    await world.tick(5)
    assert await world.tick(6, after=4) is None
    world.cached = 5
    assert await world.tick(6) is ScaleOutcome.WRITTEN
    assert world.replicas == 6


async def test_a_watch_that_is_slow_to_show_the_last_write_does_no_harm() -> None:
    world = World()
    await world.tick(5)
    assert await world.tick(6, after=15) is ScaleOutcome.CHANGED_MEANWHILE
    assert world.replicas == 5


async def test_what_changed_since_it_was_seen_is_left_alone() -> None:
    world = World()
    world.live(8)
    assert await world.tick(5) is ScaleOutcome.CHANGED_MEANWHILE
    assert (world.replicas, world.api.writes) == (8, [])


async def test_a_target_made_anew_under_the_same_name_is_left_alone() -> None:
    world = World()
    world.live(3, uid="deployment-2")
    assert await world.tick(5) is ScaleOutcome.CHANGED_MEANWHILE
    assert world.api.writes == []


async def test_a_policy_deleted_or_edited_meanwhile_writes_nothing() -> None:
    world = World()
    world.policy_exists = False
    assert await world.tick(5) is None
    assert world.api.writes == []


async def test_a_pause_set_while_the_target_is_read_is_obeyed() -> None:
    world = World()
    world.api.on_get = lambda: setattr(world, "policy_exists", False)
    assert await world.tick(5) is ScaleOutcome.CHANGED_MEANWHILE
    assert world.api.writes == []


async def test_a_target_that_is_gone_is_no_failure() -> None:
    world = World()
    world.api.objects.clear()
    assert await world.tick(5) is ScaleOutcome.TARGET_GONE
    assert world.scaler.failure(observation()) is None
    assert await world.tick(5, after=15) is ScaleOutcome.TARGET_GONE  # and yet it is still seen
    assert isinstance(world.scaler.failure(observation()), NotFoundError)


async def test_the_plural_is_the_one_of_the_installation() -> None:
    world = World()
    irregular = TargetRef(api_version="ml.example.com/v1", kind="Proxy", name="resnet")
    world.api.objects["proxies", "team-a", "resnet"] = world.api.objects.pop(SCALE)
    order = ScaleOrder(
        namespace="team-a", target=irregular, uid=UID, current=3, desired=5, plural="proxies"
    )
    assert (await write_scale(world.api, order)).outcome is ScaleOutcome.WRITTEN


async def test_a_conflict_waits_for_the_next_tick() -> None:
    world = World()
    world.api.fail_with = ConflictError("modified", status=409)
    assert await world.tick(5) is ScaleOutcome.CHANGED_MEANWHILE
    world.api.fail_with = None
    assert await world.tick(5) is ScaleOutcome.WRITTEN


@pytest.mark.parametrize(
    ("error", "quiet_seconds"),
    [
        (DENIED, 60.0),
        (ThrottledError("slow down", retry_after_seconds=20.0), 20.0),
        (UnreachableError("no answer"), 0.0),
        (FencedOffError("not the leader"), 0.0),
    ],
)
async def test_after_a_failure_the_target_is_left_alone_for(
    error: KubeError, quiet_seconds: float
) -> None:
    world = World()
    world.api.fail_with = error
    assert await world.tick(5) is ScaleOutcome.FAILED
    world.api.fail_with = None
    if quiet_seconds:
        assert await world.tick(5, after=quiet_seconds - 0.1) is None
        assert world.scaler.failure(observation()) is error
    assert await world.tick(5, after=0.1) is ScaleOutcome.WRITTEN
    assert world.scaler.failure(observation()) is None


@pytest.mark.parametrize("error", [UnreachableError("TimeoutError"), DENIED])
async def test_a_failure_is_over_when_no_write_is_wanted_any_more(error: KubeError) -> None:
    world = World()
    world.api.fail_with = error
    await world.tick(5)
    assert world.scaler.failure(observation()) is error  # told in the tick it happened in
    assert await world.tick(3, after=15) is None
    assert world.scaler.failure(observation()) is None


async def test_someone_who_keeps_undoing_our_writes_wins_and_is_named() -> None:
    world = World()
    world.api.objects["deployments", "team-a", "resnet"] |= {}
    for _ in range(3):
        assert await world.tick(5, after=40) is ScaleOutcome.WRITTEN
        world.cached = 5
        await world.tick(5, after=1)
        world.live(3)
        world.cached = 3
        world.scaler.expectations.see(UID, 3, at=world.now)
    writes = len(world.api.writes)
    assert await world.tick(5, after=40) is None
    assert len(world.api.writes) == writes


def test_the_manager_named_is_the_newest_other_one_that_owns_replicas() -> None:
    def entry(manager: str, time: str, field: str = "f:replicas") -> dict[str, object]:
        return {"manager": manager, "time": time, "fieldsV1": {"f:spec": {field: {}}}}

    fields = [
        entry("kubectl", "2026-11-22T12:00:00Z"),
        entry("argocd-controller", "2026-11-22T12:05:00Z"),
        entry("inference-cost-operator", "2026-11-22T12:06:00Z"),
        entry("kubelet", "2026-11-22T12:07:00Z", field="f:paused"),
    ]
    assert manager_of_replicas(fields) == "argocd-controller"
    assert manager_of_replicas([]) == ""
