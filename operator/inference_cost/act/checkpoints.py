"""Learned state in InferenceCostCheckpoint objects: one per policy, written rarely, restored at take-over."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from inference_cost.account.calendar import time_text
from inference_cost.act.checkpoint_payload import (
    FORMAT,
    Learned,
    decode,
    encode,
    moved,
    pressing,
)
from inference_cost.act.errors import ConflictError, KubeError, NotFoundError, PermissionDeniedError
from inference_cost.act.kube_api import Json, KubeApi
from inference_cost.act.resources import CHECKPOINTS
from inference_cost.act.write_queue import WriteQueue
from inference_cost.api.group import API_VERSION, CHECKPOINT, POLICY
from inference_cost.model.policy import PolicyKey

log = logging.getLogger(__name__)

PRESSING_SECONDS = 60.0
RETRY_SECONDS = 30.0
DENIED_RETRY_SECONDS = 300.0
NOTHING = Learned()


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """Learned state by owning policy, and the operator version that wrote the newest one ("" if none)."""

    learned: dict[PolicyKey, Learned]
    last_writer: str


@dataclass(slots=True)
class Stored:
    """What a policy's checkpoint holds, whether the object exists, and when it may be written again.

    `press_after`: the same for what a new leader could not find out.
    `outdated`: another version of the operator wrote it. It is written anew, so that a later leader of this version
    does not take itself for an upgrade.
    """

    learned: Learned = NOTHING
    exists: bool = False
    outdated: bool = False
    write_after: float = float("-inf")
    press_after: float = float("-inf")


class Checkpoints:
    def __init__(
        self,
        api: KubeApi,
        queue: WriteQueue,
        *,
        version: str,
        interval_seconds: float,
        monotonic: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self._api = api
        self._queue = queue
        self._version = version
        self._interval = interval_seconds
        self._monotonic = monotonic
        self._wall_clock = wall_clock
        self._stored: dict[str, Stored] = {}

    async def restore(self) -> Restored:
        """Reads every checkpoint.

        Raises:
            KubeError: they cannot be read now. Deciding without them would decide twice.
        """
        objects = await self._api.list_all(CHECKPOINTS)
        restored = restored_from(objects)
        outdated = restored.last_writer != self._version
        self._stored = {
            key.uid: Stored(learned=learned, exists=True, outdated=outdated)
            for key, learned in restored.learned.items()
        }
        return restored

    def offer(self, key: PolicyKey, learned: Learned) -> None:
        """Queues a write when a learned value moved and the last write is long enough ago."""
        stored = self._stored.setdefault(key.uid, Stored())
        if self._due(stored, learned):
            self._queue.put(
                ("checkpoint", key), lambda: self._write(key, stored, learned), urgent=False
            )

    def _due(self, stored: Stored, learned: Learned) -> bool:
        now = self._monotonic()
        if now < stored.press_after:
            return False
        if now < stored.write_after:
            return pressing(stored.learned, learned)
        known = stored.learned
        return stored.outdated or moved(known, learned) or pressing(known, learned)

    def forget(self, key: PolicyKey) -> None:
        """The object itself goes with its owner, by garbage collection."""
        self._stored.pop(key.uid, None)
        self._queue.drop(("checkpoint", key))

    async def _write(self, key: PolicyKey, stored: Stored, learned: Learned) -> None:
        now = self._monotonic()
        stored.write_after = now + self._interval
        stored.press_after = now + min(PRESSING_SECONDS, self._interval)
        try:
            await self._put(key, stored, self._body(key, learned))
        except (KubeError, ValueError) as error:
            denied = isinstance(error, PermissionDeniedError)
            pause = DENIED_RETRY_SECONDS if denied else RETRY_SECONDS
            stored.write_after = stored.press_after = self._monotonic() + pause
            log.warning("checkpoint_failed", extra={"policy": str(key), "error": str(error)})
        else:
            stored.learned, stored.exists, stored.outdated = learned, True, False

    async def _put(self, key: PolicyKey, stored: Stored, body: Json) -> None:
        """Create or patch; the other one when the guess about its existence was wrong."""
        first, second = self._create, self._patch
        if stored.exists:
            first, second = second, first
        try:
            await first(key, body)
        except (NotFoundError, ConflictError):
            await second(key, body)

    async def _create(self, key: PolicyKey, body: Json) -> None:
        await self._api.create(CHECKPOINTS, key.namespace, body)

    async def _patch(self, key: PolicyKey, body: Json) -> None:
        await self._api.merge_patch(CHECKPOINTS, key.namespace, key.name, body)

    def _body(self, key: PolicyKey, learned: Learned) -> Json:
        return checkpoint_body(key, encode(learned), version=self._version, at=self._wall_clock())


def checkpoint_body(key: PolicyKey, payload: str, *, version: str, at: float) -> Json:
    """The object; the owner reference lets the garbage collector remove it with the policy."""
    return {
        "apiVersion": API_VERSION,
        "kind": CHECKPOINT.kind,
        "metadata": {
            "name": key.name,
            "namespace": key.namespace,
            "ownerReferences": [
                {
                    "apiVersion": API_VERSION,
                    "kind": POLICY.kind,
                    "name": key.name,
                    "uid": key.uid,
                    "controller": True,
                }
            ],
        },
        "data": {
            "version": FORMAT,
            "writtenBy": version,
            "writtenAt": time_text(at),
            "payload": payload,
        },
    }


def restored_from(objects: list[Json]) -> Restored:
    """Readable checkpoints by owner; a policy made anew under an old name inherits nothing."""
    readable: dict[PolicyKey, Learned] = {}
    for found in objects:
        data, owner = found.get("data") or {}, _owner(found.get("metadata") or {})
        learned = decode(str(data.get("payload", ""))) if data.get("version") == FORMAT else None
        if owner is not None and learned is not None:
            readable[owner] = learned
    newest: Json = max((o.get("data") or {} for o in objects), key=_written_at, default={})
    return Restored(learned=readable, last_writer=str(newest.get("writtenBy", "")))


def _written_at(data: Json) -> str:
    return str(data.get("writtenAt", ""))


def _owner(metadata: Json) -> PolicyKey | None:
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("kind") == POLICY.kind and owner.get("uid"):
            namespace = str(metadata.get("namespace", ""))
            return PolicyKey(
                namespace=namespace, name=str(owner.get("name", "")), uid=str(owner["uid"])
            )
    return None
