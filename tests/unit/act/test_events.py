"""The recorder of Events: merged when repeated, limited per object, never in the way."""

import asyncio

from inference_cost.act.errors import UnreachableError
from inference_cost.act.events import OBJECT_BURST, QUEUE_LIMIT, EventRecorder
from inference_cost.act.transitions import EventDraft
from inference_cost.api.events import EventReason
from inference_cost.model.policy import PolicyKey
from tests.unit.act.memory_api import MemoryApi

POLICY = PolicyKey(namespace="team-a", name="resnet", uid="uid-1")
OTHER = PolicyKey(namespace="team-a", name="bert", uid="uid-2")


def draft(note: str = "No answer.") -> EventDraft:
    return EventDraft(
        reason=EventReason.METRICS_UNAVAILABLE, action="Observe", note=note, warning=True
    )


class Recording:
    def __init__(self) -> None:
        self.now = 0.0
        self.dropped = 0
        self.api = MemoryApi()
        self.recorder = EventRecorder(
            self.api,
            instance="operator-1",
            per_minute=60,
            on_drop=self._drop,
            monotonic=lambda: self.now,
        )

    def _drop(self) -> None:
        self.dropped += 1

    def record(self, key: PolicyKey = POLICY, *, note: str = "No answer.") -> None:
        self.recorder.record(key, draft(note), at=1_763_812_800.0)

    async def settle(self) -> None:
        task = asyncio.create_task(self.recorder.run())
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    @property
    def verbs(self) -> list[str]:
        return [verb for verb, _, _ in self.api.writes]


async def test_the_same_event_again_is_counted_and_not_made_anew() -> None:
    recording = Recording()
    for _ in range(3):
        recording.record()
    await recording.settle()
    assert recording.verbs == ["create", "patch", "patch"]
    assert next(iter(recording.api.objects.values()))["series"]["count"] == 3


async def test_another_note_is_another_event() -> None:
    recording = Recording()
    recording.record(note="3 to 4 replicas.")
    recording.record(note="4 to 5 replicas.")
    await recording.settle()
    assert recording.verbs == ["create", "create"]


async def test_the_same_event_much_later_is_a_new_one() -> None:
    recording = Recording()
    recording.record()
    await recording.settle()
    recording.now = 700.0
    recording.record()
    await recording.settle()
    assert recording.verbs == ["create", "create"]


async def test_an_event_that_expired_on_the_server_is_made_anew() -> None:
    recording = Recording()
    recording.record()
    await recording.settle()
    recording.api.objects.clear()
    recording.record()
    await recording.settle()
    assert recording.verbs == ["create", "patch", "create"]


async def test_a_chatty_policy_does_not_take_the_place_of_others() -> None:
    recording = Recording()
    for number in range(2 * OBJECT_BURST):
        recording.record(note=str(number))
    recording.record(OTHER)
    await recording.settle()
    assert recording.verbs.count("create") == OBJECT_BURST + 1
    assert recording.dropped == OBJECT_BURST


async def test_an_api_server_that_is_away_costs_events_and_nothing_else() -> None:
    recording = Recording()
    recording.api.fail_with = UnreachableError("no answer")
    recording.record()
    await recording.settle()
    recording.api.fail_with = None
    recording.record(note="back")
    await recording.settle()
    assert (recording.verbs, recording.dropped) == (["create"], 1)


async def test_the_queue_is_bounded_and_the_oldest_goes() -> None:
    recording = Recording()
    for number in range(QUEUE_LIMIT + 5):
        recording.record(note=str(number))
    assert recording.dropped == 5
