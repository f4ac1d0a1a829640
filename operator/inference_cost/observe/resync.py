"""Complete re-lists of every watched kind, at start and every few minutes: the cache's only authority."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterable

from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.extract import to_record
from inference_cost.observe.kinds import WatchedKind
from inference_cost.observe.kubernetes_reader import (
    HTTP_FORBIDDEN,
    HTTP_GONE,
    HTTP_NOT_FOUND,
    KubernetesReader,
    ReadFailedError,
)
from inference_cost.observe.records import Record

PAGE_SIZE = 500
_LOG = logging.getLogger(__name__)


async def list_records(reader: KubernetesReader, kind: WatchedKind) -> list[Record]:
    """All objects of a kind as records, page by page. An expired page token starts over once.

    Raises:
        ReadFailedError: the API server refused or did not answer.
    """
    try:
        return await _list_pages(reader, kind)
    except ReadFailedError as error:
        if error.status != HTTP_GONE:
            raise
        return await _list_pages(reader, kind)


async def _list_pages(reader: KubernetesReader, kind: WatchedKind) -> list[Record]:
    records: list[Record] = []
    token = ""
    while True:
        page = await reader.list_page(kind, limit=PAGE_SIZE, continue_token=token)
        for item in page.get("items") or []:
            # Items of a list come without their kind.
            obj = {"apiVersion": kind.api_version, "kind": kind.kind, **item}
            records.append(to_record(kind.kind, obj))
        token = (page.get("metadata") or {}).get("continue") or ""
        if not token:
            return records
        await asyncio.sleep(0)


async def relist(
    reader: KubernetesReader,
    cache: ClusterCache,
    kinds: Iterable[WatchedKind],
    *,
    clock: Callable[[], float] = time.time,
) -> dict[str, str]:
    """List every kind and replace the cache's content by it. Returns the failures, by kind, in words."""
    failures = {}
    for kind in kinds:
        failure = await _relist_kind(reader, cache, kind, clock())
        if failure:
            failures[kind.kind] = failure
    return failures


async def _relist_kind(
    reader: KubernetesReader, cache: ClusterCache, kind: WatchedKind, listed_at: float
) -> str:
    since = cache.begin_relist(kind.kind)
    try:
        records = await list_records(reader, kind)
    except ReadFailedError as error:
        cache.abandon_relist(kind.kind)
        return _note_failure(cache, kind, error)
    except BaseException:
        cache.abandon_relist(kind.kind)
        raise
    purged = cache.replace_records(kind.kind, records, listed_at=listed_at, since=since)
    if purged:
        _LOG.info(
            "Re-list of %s removed %d objects whose deletion no watch told", kind.resource, purged
        )
    return ""


def _note_failure(cache: ClusterCache, kind: WatchedKind, error: ReadFailedError) -> str:
    """Words for a failure. A kind that is absent or forbidden is recorded; other failures are passing."""
    if error.status == HTTP_FORBIDDEN:
        words = f"PermissionDenied: the operator's role lacks the verb list on {kind.resource}"
    elif error.status == HTTP_NOT_FOUND:
        words = f"{kind.resource} is not installed in this cluster"
    else:
        return str(error)
    if kind.optional:
        cache.mark_unavailable(kind.kind, words)
        return "" if error.status == HTTP_NOT_FOUND else words
    return words


class CacheResync:
    """Re-lists until cancelled: quickly until the first complete list, then every 5 to 10 minutes."""

    def __init__(
        self,
        reader: KubernetesReader,
        cache: ClusterCache,
        *,
        interval_seconds: tuple[float, float] = (300.0, 600.0),
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._sleep = sleep
        self._reader = reader
        self._cache = cache
        self._interval_seconds = interval_seconds
        self._clock = clock
        self.failures: dict[str, str] = {}

    async def run(self) -> None:
        """Never returns; errors of the API server are waited out."""
        attempt = 0
        while True:
            await self.once()
            attempt = attempt + 1 if self._unfinished() else 0
            await self._sleep(self._pause(attempt))

    async def once(self) -> None:
        failures = await relist(self._reader, self._cache, self._cache.kinds, clock=self._clock)
        for kind, words in failures.items():
            if self.failures.get(kind) != words:
                _LOG.warning("Cannot list %s: %s", kind, words)
        self.failures = failures

    def _unfinished(self) -> bool:
        required = {k.kind for k in self._cache.kinds if not k.optional}
        return not self._cache.synced or bool(required & self.failures.keys())

    def _pause(self, attempt: int) -> float:
        """Exponential with full jitter while unfinished, capped at 30 s; else a draw from the interval."""
        if attempt:
            return random.uniform(0.5, 1.0) * min(30.0, 0.5 * 2.0 ** min(attempt, 10))  # noqa: S311
        return random.uniform(*self._interval_seconds)  # noqa: S311
