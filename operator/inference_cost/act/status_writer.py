"""Writes the status of policies and pools: rarely, whole, and only what says something new."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from inference_cost.act.errors import KubeError, NotFoundError, PermissionDeniedError
from inference_cost.act.kube_api import Json, KubeApi
from inference_cost.act.resources import POLICY_STATUS, Resource
from inference_cost.act.status_changes import Change, RefreshTimes, change_of, due
from inference_cost.act.write_queue import WriteQueue
from inference_cost.model.policy import PolicyKey

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0
DENIED_RETRY_SECONDS = 60.0


@dataclass(slots=True)
class Written:
    """The status as stored, when it was written, and when another attempt may be made."""

    status: Mapping[str, Any]
    at: float
    retry_at: float = float("-inf")


class StatusWriter:
    """Remembers what each object's status says, and queues a write when a new one says something else.

    Objects without a namespace have a key with an empty one.
    """

    def __init__(
        self,
        api: KubeApi,
        queue: WriteQueue,
        *,
        times: RefreshTimes,
        monotonic: Callable[[], float],
        resource: Resource = POLICY_STATUS,
    ) -> None:
        self._api = api
        self._resource = resource
        self._queue = queue
        self._times = times
        self._monotonic = monotonic
        self._written: dict[PolicyKey, Written] = {}

    def stored(self, key: PolicyKey, seen: Mapping[str, Any]) -> Mapping[str, Any]:
        """The newest known status. `seen`: that of the cache, used until the first write of this process."""
        return self._record(key, seen).status

    def offer(self, key: PolicyKey, status: Json, *, seen: Mapping[str, Any]) -> Change:
        """Queues `status` if it is due. Returns how it differs from what is stored."""
        now = self._monotonic()
        record = self._record(key, seen)
        change = change_of(record.status, status)
        if due(change, age_seconds=now - record.at, times=self._times) and now >= record.retry_at:
            urgent = change is Change.MEANING
            self._queue.put(("status", key), lambda: self._write(key, status), urgent=urgent)
        elif change is Change.NONE:
            self._queue.drop(("status", key))
        return change

    def forget(self, key: PolicyKey) -> None:
        self._written.pop(key, None)
        self._queue.drop(("status", key))

    def _record(self, key: PolicyKey, seen: Mapping[str, Any]) -> Written:
        return self._written.setdefault(key, Written(status=seen, at=self._monotonic()))

    async def _write(self, key: PolicyKey, status: Json) -> None:
        record = self._written.get(key)
        if record is None:
            return
        operations = status_operations(key.uid, record.status, status)
        try:
            answer = await self._api.json_patch(self._resource, key.namespace, key.name, operations)
        except NotFoundError:
            self.forget(key)  # deleted meanwhile
        except KubeError as error:
            denied = isinstance(error, PermissionDeniedError)
            pause = DENIED_RETRY_SECONDS if denied else RETRY_SECONDS
            record.retry_at = self._monotonic() + pause
            log.warning("status_write_failed", extra={"policy": str(key), "error": str(error)})
        else:
            now = self._monotonic()
            self._written[key] = Written(status=answer.get("status") or {}, at=now)


def status_operations(uid: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Json]:
    """JSON patch that replaces the status whole. Conditions of types that are not ours stay.

    The test of the uid keeps the status of a deleted policy from a new one of the same name: a merge patch of
    `/status` cannot, since the API server ignores metadata there.
    """
    conditions = [*new.get("conditions", ()), *_foreign_conditions(old, new)]
    return [
        {"op": "test", "path": "/metadata/uid", "value": uid},
        {"op": "add", "path": "/status", "value": {**new, "conditions": conditions}},
    ]


def _foreign_conditions(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Any]:
    ours = {c["type"] for c in new.get("conditions", ())}
    return [c for c in old.get("conditions") or () if c.get("type") not in ours]
