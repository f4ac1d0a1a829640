"""One budget for status and checkpoint writes, spread evenly.

Pending writes are keyed: a newer one replaces an older one of the same key. What changed in meaning goes first and may
use the burst; what only brings numbers up to date goes at the steady rate.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass

from inference_cost.act.token_bucket import TokenBucket

log = logging.getLogger(__name__)

Write = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingWrite:
    write: Write
    urgent: bool


class WriteQueue:
    """`run()` does the writes, one at a time; a write handles its own errors."""

    def __init__(
        self,
        *,
        per_second: float,
        burst: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bucket = TokenBucket(per_second=per_second, burst=burst)
        self._spacing = 1 / per_second
        self._monotonic = monotonic
        self._pending: dict[Hashable, PendingWrite] = {}
        self._changed = asyncio.Event()
        self._last_at = float("-inf")

    def __len__(self) -> int:
        return len(self._pending)

    def put(self, key: Hashable, write: Write, *, urgent: bool) -> None:
        """Adds or replaces a pending write. It stays urgent once it was."""
        before = self._pending.get(key)
        urgent = urgent or (before is not None and before.urgent)
        self._pending[key] = PendingWrite(write=write, urgent=urgent)
        self._changed.set()

    def drop(self, key: Hashable) -> None:
        self._pending.pop(key, None)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._step()

    async def _step(self) -> None:
        self._changed.clear()
        key = self._next()
        wait = self._wait_seconds(key) if key is not None else None
        if key is not None and wait == 0:
            await self._do(key)
            return
        try:
            async with asyncio.timeout(wait):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _do(self, key: Hashable) -> None:
        pending = self._pending.pop(key)
        self._last_at = self._monotonic()
        self._bucket.take(self._last_at)
        try:
            await pending.write()
        except Exception:
            log.exception("write_failed", extra={"key": str(key)})

    def _next(self) -> Hashable | None:
        urgent = (key for key, pending in self._pending.items() if pending.urgent)
        return next(urgent, next(iter(self._pending), None))

    def _wait_seconds(self, key: Hashable) -> float:
        now = self._monotonic()
        wait = self._bucket.wait_seconds(now)
        if self._pending[key].urgent:
            return wait
        return max(wait, self._last_at + self._spacing - now, 0.0)
