"""Leader election on a clock that the test owns."""

import pytest

from inference_cost.act.errors import KubeError, UnreachableError
from inference_cost.act.resources import LEASES
from inference_cost.control.elector import Elector, LeadershipLostError, LeaseTimes
from tests.unit.act.memory_api import MemoryApi
from tests.unit.control.clocks import FakeClock

TIMES = LeaseTimes(duration=15.0, renew_deadline=10.0, retry=2.0)
KEY = (LEASES.plural, "system", "operator")
DOWN = UnreachableError("no answer")


class World:
    """Two electors on one Lease, and the clock that both look at."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.api = MemoryApi()
        self.a, self.b = self.elector("a"), self.elector("b")

    def elector(self, identity: str) -> Elector:
        return Elector(
            self.api,
            namespace="system",
            name="operator",
            identity=identity,
            times=TIMES,
            clock=self.clock,
        )

    @property
    def holder(self) -> str:
        return str(self.api.objects[KEY]["spec"]["holderIdentity"])

    def fail(self, error: KubeError | None) -> None:
        self.api.fail_with = error


async def test_the_first_creates_the_lease_and_the_second_waits() -> None:
    world = World()
    await world.a.attempt()
    await world.b.attempt()
    assert (world.a.leading, world.b.leading, world.holder) == (True, False, "a")
    assert world.a.remaining() == TIMES.renew_deadline


async def test_a_renewed_lease_is_never_taken() -> None:
    world = World()
    for _ in range(30):
        await world.a.attempt()
        await world.b.attempt()
        world.clock.now += 2
    assert (world.a.leading, world.b.leading) == (True, False)


async def test_a_standby_takes_over_one_lease_duration_after_the_last_change_it_saw() -> None:
    world = World()
    await world.a.attempt()
    world.clock.now = 8.0
    await world.b.attempt()  # sees a's record for the first time
    world.clock.now = 8.0 + TIMES.duration
    await world.b.attempt()
    assert not world.b.leading
    world.clock.now += 0.1
    await world.b.attempt()
    assert (world.b.leading, world.holder, world.b.epoch) == (True, "b", 1)


async def test_the_old_leader_may_not_write_long_before_another_leads() -> None:
    world = World()
    await world.a.attempt()
    world.clock.now = TIMES.renew_deadline
    assert world.a.remaining() == 0
    assert not world.a.leading


async def test_a_leader_that_cannot_renew_in_time_gives_up() -> None:
    world = World()
    await world.a.attempt()
    world.fail(DOWN)
    world.clock.now = 9.9
    await world.a.attempt()
    assert world.a.leading
    world.clock.now = 10.0
    with pytest.raises(LeadershipLostError, match="in time"):
        await world.a.attempt()


async def test_a_leader_that_was_frozen_finds_another_and_gives_up() -> None:
    world = World()
    await world.a.attempt()
    await world.b.attempt()
    world.clock.now = 16.0
    await world.b.attempt()
    with pytest.raises(LeadershipLostError, match="b holds"):
        await world.a.attempt()
    assert world.b.leading


async def test_a_released_lease_is_taken_at_once() -> None:
    world = World()
    await world.a.attempt()
    await world.b.attempt()
    await world.a.release()
    assert not world.a.leading
    world.clock.now = 0.1
    await world.b.attempt()
    assert world.b.leading


async def test_an_answer_that_got_lost_does_not_lose_the_lease() -> None:
    """The renewal reached the server, its answer did not reach us: the version is newer, the holder is ours."""
    world = World()
    await world.a.attempt()
    lease = world.api.objects[KEY]
    lease["metadata"]["resourceVersion"] = "99"
    world.clock.now = 2.0
    await world.a.attempt()
    assert world.a.remaining() == TIMES.renew_deadline


async def test_a_deleted_lease_is_made_again_by_its_leader() -> None:
    world = World()
    await world.a.attempt()
    world.api.objects.clear()
    world.clock.now = 2.0
    await world.a.attempt()
    assert (world.a.leading, world.holder) == (True, "a")


async def test_a_standby_writes_nothing() -> None:
    world = World()
    await world.a.attempt()
    before = len(world.api.writes)
    for _ in range(5):
        await world.b.attempt()
    assert len(world.api.writes) == before


async def test_a_wall_clock_of_another_machine_decides_nothing() -> None:
    world = World()
    await world.a.attempt()
    world.api.objects[KEY]["spec"]["renewTime"] = "2001-01-01T00:00:00.000000Z"
    await world.b.attempt()
    world.clock.now = 14.0
    await world.b.attempt()
    assert not world.b.leading
