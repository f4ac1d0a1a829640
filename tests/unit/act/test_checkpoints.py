"""Checkpoints: what is kept, when it is written, and what is restored for whom."""

import asyncio
import base64
import zlib
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from inference_cost.account.month import AccountMemory
from inference_cost.act.checkpoint_payload import (
    LARGEST_INFLATED,
    Learned,
    decode,
    encode,
    moved,
    pressing,
)
from inference_cost.act.checkpoints import Checkpoints
from inference_cost.act.errors import UnreachableError
from inference_cost.act.write_queue import WriteQueue
from inference_cost.model.memory import (
    Calibration,
    PolicyMemory,
    ServiceTimeEstimate,
    SuspectedOutage,
    TakeOver,
)
from inference_cost.model.plan import Evenness
from tests.unit.act.memory_api import MemoryApi
from tests.unit.act.worlds import KEY, NOW

ESTIMATE = ServiceTimeEstimate(
    template_hash="abc",
    information=(100.0, 300.0, 1000.0),
    vector=(5.5, 17.0),
    executions=100.0,
    largest_load_seen=80.0,
)
ACCOUNT = AccountMemory(
    month="2025-11", amount=Decimal("12.50"), since=NOW, last_at=NOW + 60, per_hour=Decimal(4)
)
LEARNED = Learned(
    memory=PolicyMemory(estimates=(ESTIMATE,), start_up_seconds=(10.0, 12.0), last_desired=3),
    account=ACCOUNT,
)


def with_estimate(**changes: Any) -> Learned:
    estimate = replace(ESTIMATE, **changes)
    return replace(LEARNED, memory=replace(LEARNED.memory, estimates=(estimate,)))


def with_amount(amount: str) -> Learned:
    return replace(LEARNED, account=replace(ACCOUNT, amount=Decimal(amount)))


RESTORED = with_estimate(source="Checkpoint")


def test_what_is_encoded_is_decoded_with_the_profile_marked_as_restored() -> None:
    assert decode(encode(LEARNED)) == RESTORED


@pytest.mark.parametrize("payload", ["", "!", "aGVsbG8=", encode(LEARNED)[:-8] + "AAAAAAA="])
def test_a_damaged_payload_is_dropped(payload: str) -> None:
    assert decode(payload) is None


def test_a_payload_that_inflates_without_end_is_dropped() -> None:
    assert decode(padded(1_000)) is not None
    assert decode(padded(LARGEST_INFLATED)) is None


def padded(spaces: int) -> str:
    """What is stored, valid JSON still."""
    text = zlib.decompress(base64.b64decode(encode(LEARNED)))
    return base64.b64encode(zlib.compress(text + b" " * spaces)).decode()


def remembering(**changes: Any) -> Learned:
    return replace(LEARNED, memory=replace(LEARNED.memory, **changes))


OUTAGE = SuspectedOutage(began_at=NOW, seen_at=NOW, before_per_second=200.0, spare_seconds=1800.0)
UNEVEN = Evenness(pods=4, effective=2.8, idle=0, windows=3, looked_at=NOW)


def waited(seconds: float, free: float = 500.0, written: float = NOW) -> Learned:
    """Watched for an hour until so long after the checkpoint was written."""
    at = written + seconds
    return remembering(arrivals=((at - 3600.0, 900.0, 0.0), (at, 900.0, free)))


MOVES = {
    "nothing": (LEARNED, False),
    "a service time by one percent": (with_estimate(vector=(5.555, 17.17)), False),
    "a service time by ten percent": (with_estimate(vector=(6.05, 18.7)), True),
    "twice as many observations": (with_estimate(executions=201.0), True),
    "a larger load seen": (with_estimate(largest_load_seen=90.0), True),
    "a new template": (with_estimate(template_hash="def"), True),
    "replicas desired": (
        replace(LEARNED, memory=replace(LEARNED.memory, last_desired=9)),
        False,
    ),
    "the start-up time": (
        replace(LEARNED, memory=replace(LEARNED.memory, start_up_seconds=(20.0,))),
        True,
    ),
    "a demand watched for half an hour": (remembering(looked_at=1_800.0), False),
    "a demand watched for an hour": (remembering(looked_at=3_600.0), True),
    "a clearly cheaper rule, which was told": (
        remembering(take_over=TakeOver(rule=5, replaced=7, at=NOW)),
        True,
    ),
    "money by half a percent": (with_amount("12.56"), False),
    "money by two percent": (with_amount("12.75"), True),
}


@pytest.mark.parametrize(("new", "want"), MOVES.values(), ids=MOVES.keys())
def test_a_checkpoint_is_due_after_a_move_of(new: Learned, want: bool) -> None:
    assert moved(LEARNED, new) is want


OVER = replace(OUTAGE, over=True)
CHANGES = {
    "an outage that is over": (
        remembering(outage=OUTAGE),
        remembering(outage=OVER),
        True,
    ),
    "an outage that goes on": (
        remembering(outage=OUTAGE),
        remembering(outage=replace(OUTAGE, seen_at=NOW + 60.0, spare_seconds=1740.0)),
        False,
    ),
    "uneven traffic that lasts": (
        remembering(evenness=replace(UNEVEN, windows=2)),
        remembering(evenness=UNEVEN),
        True,
    ),
    "even traffic again": (
        remembering(evenness=UNEVEN),
        remembering(evenness=replace(UNEVEN, windows=0)),
        True,
    ),
    "uneven traffic of which nobody says so yet": (
        remembering(),
        remembering(evenness=replace(UNEVEN, windows=2)),
        False,
    ),
    "more pods that are effective": (
        remembering(evenness=UNEVEN),
        remembering(evenness=replace(UNEVEN, effective=3.2)),
        True,
    ),
    "a pod that gets nothing": (
        remembering(evenness=UNEVEN),
        remembering(evenness=replace(UNEVEN, idle=1)),
        True,
    ),
    "a calibration by one percent": (
        remembering(calibration=Calibration(factor=1.1)),
        remembering(calibration=Calibration(factor=1.111)),
        False,
    ),
    "a calibration by three percent": (
        remembering(calibration=Calibration(factor=1.1)),
        remembering(calibration=Calibration(factor=1.135)),
        True,
    ),
    "a model that has been wrong for ten minutes": (
        remembering(calibration=Calibration(wrong_seconds=540.0)),
        remembering(calibration=Calibration(wrong_seconds=600.0)),
        True,
    ),
    "a gateway that fell silent": (remembering(), remembering(blind_at=NOW), True),
    "arrivals watched for half an hour": (waited(0.0, 0.0), waited(1_800.0, 0.0), False),
    "arrivals watched for an hour": (waited(0.0, 0.0), waited(3_600.0, 0.0), True),
}


@pytest.mark.parametrize(("old", "new", "want"), CHANGES.values(), ids=CHANGES.keys())
def test_a_checkpoint_is_due_for(old: Learned, new: Learned, want: bool) -> None:
    assert moved(old, new) is want
    assert not pressing(old, new)


ASLEEP = remembering(last_current=0, quiet_at=NOW)
PRESSING = {
    "an outage that begins": (remembering(), remembering(outage=OUTAGE), True),
    "an outage after another one": (
        remembering(outage=OVER),
        remembering(outage=replace(OUTAGE, began_at=NOW + 900.0)),
        True,
    ),
    "an outage that goes on": (remembering(outage=OUTAGE), remembering(outage=OUTAGE), False),
    "the first requests that wait": (remembering(), waited(0.0), True),
    "requests that wait, for a tenth of the deadline": (waited(0.0), waited(361.0), True),
    "requests that wait, for less than that": (waited(0.0), waited(360.0), False),
    "requests that wait no more": (waited(0.0), waited(361.0, free=0.0), False),
    "a policy that fell asleep": (remembering(last_current=1, quiet_at=NOW), ASLEEP, True),
    "a policy that sleeps": (ASLEEP, remembering(last_current=0, quiet_at=NOW + 9e4), False),
    "no replica though somebody asks": (remembering(), remembering(last_current=0), False),
}


@pytest.mark.parametrize(("old", "new", "want"), PRESSING.values(), ids=PRESSING.keys())
def test_a_checkpoint_presses_for(old: Learned, new: Learned, want: bool) -> None:
    assert pressing(old, new) is want


class World:
    def __init__(self, version: str = "1.0") -> None:
        self.now = 0.0
        self.api = MemoryApi()
        self.start(version)

    def start(self, version: str) -> None:
        """Another operator process on the same objects."""
        self.queue = WriteQueue(per_second=1000, burst=1000, monotonic=lambda: self.now)
        self.checkpoints = Checkpoints(
            self.api,
            self.queue,
            version=version,
            interval_seconds=600,
            monotonic=lambda: self.now,
            wall_clock=lambda: NOW + self.now,
        )

    async def offer(self, learned: Learned) -> int:
        """Returns how many writes were made."""
        before = len(self.api.writes)
        self.checkpoints.offer(KEY, learned)
        task = asyncio.create_task(self.queue.run())
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return len(self.api.writes) - before


async def test_written_when_learned_and_then_at_most_every_ten_minutes() -> None:
    world = World()
    assert await world.offer(LEARNED) == 1
    world.now = 599.0
    assert await world.offer(with_amount("20.00")) == 0
    world.now = 600.0
    assert await world.offer(with_amount("20.00")) == 1
    world.now = 6000.0
    assert await world.offer(with_amount("20.00")) == 0


async def test_what_presses_is_written_after_a_minute() -> None:
    world = World()
    assert await world.offer(waited(0.0)) == 1
    world.now = 59.0
    assert await world.offer(waited(3_600.0)) == 0
    world.now = 60.0
    assert await world.offer(waited(3_600.0)) == 1
    world.now = 119.0
    assert await world.offer(remembering(outage=OUTAGE)) == 0
    world.now = 120.0
    assert await world.offer(remembering(outage=OUTAGE)) == 1
    world.now = 600.0
    assert await world.offer(remembering(outage=OVER)) == 0
    world.now = 720.0
    assert await world.offer(remembering(outage=OVER)) == 1


async def test_the_object_is_owned_by_its_policy() -> None:
    world = World()
    await world.offer(LEARNED)
    (stored,) = world.api.objects.values()
    (owner,) = stored["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("InferenceCostPolicy", KEY.uid)


async def test_the_next_leader_restores_it_and_writes_nothing() -> None:
    world = World()
    await world.offer(LEARNED)
    world.start("1.0")
    restored = await world.checkpoints.restore()
    assert restored.learned == {KEY: RESTORED}
    assert restored.last_writer == "1.0"
    assert await world.offer(LEARNED) == 0


async def test_another_version_writes_its_name_so_that_the_upgrade_is_seen_once() -> None:
    world = World("1.0")
    await world.offer(LEARNED)
    world.start("2.0")
    assert (await world.checkpoints.restore()).last_writer == "1.0"
    assert await world.offer(LEARNED) == 1
    world.start("2.0")
    assert (await world.checkpoints.restore()).last_writer == "2.0"


async def test_a_policy_made_anew_inherits_nothing_and_takes_the_object_over() -> None:
    world = World()
    await world.offer(LEARNED)
    (stored,) = world.api.objects.values()
    stored["metadata"]["ownerReferences"][0]["uid"] = "an-earlier-policy"
    world.start("1.0")
    restored = await world.checkpoints.restore()
    assert KEY not in restored.learned
    assert await world.offer(LEARNED) == 2  # create, which exists, then patch
    assert (await world.checkpoints.restore()).learned == {KEY: RESTORED}


async def test_a_failure_is_tried_again_soon() -> None:
    world = World()
    world.api.fail_with = UnreachableError("no answer")
    assert await world.offer(LEARNED) == 0
    world.api.fail_with = None
    world.now = 29.0
    assert await world.offer(remembering(outage=OUTAGE)) == 0
    assert await world.offer(LEARNED) == 0
    world.now = 30.0
    assert await world.offer(LEARNED) == 1
