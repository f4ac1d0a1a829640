"""Records Kubernetes Events (events.k8s.io/v1): few, merged when repeated, never in the way of scaling."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from inference_cost.act.errors import KubeError, NotFoundError
from inference_cost.act.kube_api import Json, KubeApi
from inference_cost.act.resources import EVENTS
from inference_cost.act.token_bucket import TokenBucket
from inference_cost.act.transitions import EventDraft
from inference_cost.api.fields import whole_sentences
from inference_cost.api.group import API_VERSION, GROUP, POLICY
from inference_cost.model.policy import PolicyKey, TargetRef

log = logging.getLogger(__name__)

REPORTING_CONTROLLER = f"{GROUP}/operator"
QUEUE_LIMIT = 1000
# As client-go: an object may have 25 Events at once, then one per five minutes.
OBJECT_BURST = 25
OBJECT_PER_SECOND = 1 / 300
BURST = 100
MERGE_WITHIN_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedEvent:
    policy: PolicyKey
    draft: EventDraft
    related: TargetRef | None
    at: float  # epoch seconds


@dataclass(slots=True)
class Series:
    """An Event that was recorded, and how often it happened."""

    name: str
    at: float
    count: int = 1


Fingerprint = tuple[str, str, str, str]


class EventRecorder:
    """`record()` never waits; `run()` writes. What exceeds the limits is dropped and counted."""

    def __init__(
        self,
        api: KubeApi,
        *,
        instance: str,
        per_minute: float,
        on_drop: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._instance = instance[:128]
        self._bucket = TokenBucket(per_second=per_minute / 60, burst=BURST)
        self._objects: dict[str, TokenBucket] = {}
        self._series: dict[Fingerprint, Series] = {}
        self._queue: deque[QueuedEvent] = deque()
        self._filled = asyncio.Event()
        self._on_drop = on_drop
        self._monotonic = monotonic

    def record(
        self, policy: PolicyKey, draft: EventDraft, *, at: float, related: TargetRef | None = None
    ) -> None:
        """Queues one Event on a policy. `at`: epoch seconds. The oldest goes when the queue is full."""
        if len(self._queue) >= QUEUE_LIMIT:
            self._queue.popleft()
            self._on_drop()
        self._queue.append(QueuedEvent(policy=policy, draft=draft, related=related, at=at))
        self._filled.set()

    def forget(self, policy: PolicyKey) -> None:
        self._objects.pop(policy.uid, None)
        for fingerprint in [f for f in self._series if f[0] == policy.uid]:
            del self._series[fingerprint]

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._queue:
                await self._handle(self._queue.popleft())

    async def _handle(self, event: QueuedEvent) -> None:
        if not self._allowed(event.policy.uid):
            self._on_drop()
            return
        try:
            await self._write(event)
        except KubeError as error:
            self._on_drop()
            log.warning("event_dropped", extra={"policy": str(event.policy), "error": str(error)})
        except Exception:
            self._on_drop()
            log.exception("event_failed", extra={"policy": str(event.policy)})

    def _allowed(self, uid: str) -> bool:
        now = self._monotonic()
        fresh = TokenBucket(per_second=OBJECT_PER_SECOND, burst=OBJECT_BURST)
        return self._objects.setdefault(uid, fresh).take(now) and self._bucket.take(now)

    async def _write(self, event: QueuedEvent) -> None:
        fingerprint = fingerprint_of(event)
        series = self._series.get(fingerprint)
        now = self._monotonic()
        if series is not None and now - series.at < MERGE_WITHIN_SECONDS:
            try:
                await self._merge(event, series)
            except NotFoundError:  # expired on the server
                pass
            else:
                series.at, series.count = now, series.count + 1
                return
        body = event_body(event, instance=self._instance)
        await self._api.create(EVENTS, event.policy.namespace, body)
        self._series[fingerprint] = Series(name=body["metadata"]["name"], at=now)

    async def _merge(self, event: QueuedEvent, series: Series) -> None:
        body = {"series": {"count": series.count + 1, "lastObservedTime": micro_time(event.at)}}
        await self._api.merge_patch(EVENTS, event.policy.namespace, series.name, body)


def fingerprint_of(event: QueuedEvent) -> Fingerprint:
    """Events alike in this are one series."""
    draft = event.draft
    return (event.policy.uid, draft.reason.value, draft.action, draft.note)


def event_body(event: QueuedEvent, *, instance: str) -> Json:
    policy, draft = event.policy, event.draft
    body = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {
            "name": f"{policy.name[:220]}.{uuid4().hex[:16]}",
            "namespace": policy.namespace,
        },
        "eventTime": micro_time(event.at),
        "reportingController": REPORTING_CONTROLLER,
        "reportingInstance": instance,
        "type": "Warning" if draft.warning else "Normal",
        "reason": draft.reason.value,
        "action": draft.action,
        "note": whole_sentences(draft.note),
        "regarding": {
            "apiVersion": API_VERSION,
            "kind": POLICY.kind,
            "namespace": policy.namespace,
            "name": policy.name,
            "uid": policy.uid,
        },
    }
    if event.related is not None:
        body["related"] = {
            "apiVersion": event.related.api_version,
            "kind": event.related.kind,
            "namespace": policy.namespace,
            "name": event.related.name,
        }
    return body


def micro_time(at: float) -> str:
    """Epoch seconds as Kubernetes' MicroTime, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
