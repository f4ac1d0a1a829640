"""Statuses, Events and checkpoints on the real API server."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from e2e.rig.kube import KubeClient, Manifest, wait_for
from inference_cost.act.checkpoint_payload import Learned
from inference_cost.act.checkpoints import Checkpoints
from inference_cost.act.events import EventRecorder
from inference_cost.act.kube_api import KubeApi
from inference_cost.act.status import render_refused, render_status
from inference_cost.act.status_changes import Change, RefreshTimes
from inference_cost.act.status_writer import StatusWriter
from inference_cost.act.transitions import EventDraft
from inference_cost.act.write_queue import WriteQueue
from inference_cost.api.events import EventReason
from inference_cost.api.group import API_VERSION
from inference_cost.model.memory import PolicyMemory, ServiceTimeEstimate
from inference_cost.model.observation import PolicyRefusal
from inference_cost.model.policy import PolicyKey
from tests.integration.act.objects import policy
from tests.unit.act.worlds import NOW, observation, plan

KIND = "InferenceCostPolicy"
LEARNED = Learned(
    memory=PolicyMemory(
        estimates=(
            ServiceTimeEstimate(
                template_hash="abc", information=(9.0, 9.0, 9.1), vector=(1.0, 1.0)
            ),
        )
    )
)


class Writers:
    """Queue and writers of one operator process; `settle` lets them write."""

    def __init__(self, api: KubeApi) -> None:
        self.writes = 0
        api._on_write = self._count
        self.queue = WriteQueue(per_second=100, burst=100)
        self.statuses = StatusWriter(
            api, self.queue, times=RefreshTimes(), monotonic=time.monotonic
        )
        self.recorder = EventRecorder(api, instance="operator-1", per_minute=600)
        self.checkpoints = Checkpoints(
            api,
            self.queue,
            version="1.0",
            interval_seconds=600,
            monotonic=time.monotonic,
            wall_clock=time.time,
        )

    def _count(self, _resource: str, _verb: str) -> None:
        self.writes += 1

    async def settle(self) -> None:
        tasks = [asyncio.create_task(self.queue.run()), asyncio.create_task(self.recorder.run())]
        await asyncio.sleep(0.3)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def writers(api: KubeApi) -> Writers:
    return Writers(api)


def status_of(key: PolicyKey, *, previous: Mapping[str, Any]) -> dict[str, Any]:
    seen = observation(key=key)
    return render_status(seen, plan(key=key, desired=3), None, at=NOW, previous=previous)


def stored(kube: KubeClient, key: PolicyKey) -> Manifest:
    return kube.get(API_VERSION, KIND, key.name, namespace=key.namespace)


async def test_an_unchanged_status_is_written_once(
    writers: Writers, kube: KubeClient, key: PolicyKey
) -> None:
    for _ in range(5):
        before = writers.statuses.stored(key, {})
        writers.statuses.offer(key, status_of(key, previous=before), seen={})
        await writers.settle()
    assert writers.writes == 1
    assert stored(kube, key)["status"]["replicas"]["desired"] == 3


async def test_the_next_leader_finds_nothing_to_write(
    api: KubeApi, writers: Writers, kube: KubeClient, key: PolicyKey
) -> None:
    writers.statuses.offer(key, status_of(key, previous={}), seen={})
    await writers.settle()
    cached = stored(kube, key)["status"]
    successor = Writers(api)
    change = successor.statuses.offer(key, status_of(key, previous=cached), seen=cached)
    await successor.settle()
    assert (change, successor.writes) == (Change.NONE, 0)


async def test_what_is_no_longer_known_is_removed_and_foreign_conditions_stay(
    writers: Writers, kube: KubeClient, key: PolicyKey
) -> None:
    foreign = {
        "type": "Audited",
        "status": "True",
        "reason": "ByHand",
        "message": "",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-11-22T12:00:00Z",
    }
    path = f"/apis/{API_VERSION}/namespaces/{key.namespace}/inferencecostpolicies/resnet/status"
    body = {
        "status": {"conditions": [foreign], "replicas": {"current": 1, "ready": 1, "desired": 1}}
    }
    cached = kube.request("PATCH", path, body=body, content_type="application/merge-patch+json")[
        "status"
    ]
    refusal = PolicyRefusal(key=key, generation=1, field="spec.minReplicas", message="Lower it.")
    writers.statuses.offer(key, render_refused(refusal, at=NOW, previous=cached), seen=cached)
    await writers.settle()
    status = stored(kube, key)["status"]
    assert "replicas" not in status
    assert {"Ready", "Audited"} <= {c["type"] for c in status["conditions"]}


async def test_a_policy_made_anew_does_not_get_the_status_of_the_old_one(
    writers: Writers, kube: KubeClient, key: PolicyKey
) -> None:
    kube.delete(API_VERSION, KIND, key.name, namespace=key.namespace)
    kube.apply(policy(), namespace=key.namespace)
    writers.statuses.offer(key, status_of(key, previous={}), seen={})
    await writers.settle()
    assert writers.writes == 0
    assert "replicas" not in stored(kube, key).get("status", {})


async def test_an_event_said_twice_is_one_event_with_a_count(
    writers: Writers, kube: KubeClient, key: PolicyKey
) -> None:
    draft = EventDraft(
        reason=EventReason.METRICS_UNAVAILABLE, action="Observe", note="No answer.", warning=True
    )
    for _ in range(2):
        writers.recorder.record(key, draft, at=time.time())
        await writers.settle()
    (event,) = kube.list("events.k8s.io/v1", "Event", namespace=key.namespace)
    assert event["series"]["count"] == 2
    assert event["regarding"]["uid"] == key.uid
    assert (event["type"], event["reason"]) == ("Warning", "MetricsUnavailable")


async def test_a_checkpoint_goes_with_its_policy(
    writers: Writers, kube: KubeClient, key: PolicyKey
) -> None:
    writers.checkpoints.offer(key, LEARNED)
    await writers.settle()
    restored = (await writers.checkpoints.restore()).learned[key].memory.estimates
    assert restored == (replace(LEARNED.memory.estimates[0], source="Checkpoint"),)
    kube.delete(API_VERSION, KIND, key.name, namespace=key.namespace)

    def gone() -> bool:
        found = kube.find(API_VERSION, "InferenceCostCheckpoint", key.name, namespace=key.namespace)
        return found is None

    wait_for(gone, timeout_seconds=30.0, what="the checkpoint to be collected")
