"""Models' configurations by target and template, read in the background and kept for minutes."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from inference_cost.model.policy import Policy
from inference_cost.model.profile_key import UNKNOWN
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import ModelConfiguration
from inference_cost.observe.records import PodRecord
from inference_cost.observe.settings import TritonSettings
from inference_cost.observe.triton_client import TritonReader

Configurations = tuple[ModelConfiguration, ...] | Missing
# Batches of a model after which its timings stop moving by more than a percent or so.
ENOUGH_EXECUTIONS = 500
ProductOf = Callable[[str], str | Missing]  # by the name of a node
CatalogKey = tuple[str, str, tuple[str, ...], str]  # policy uid, target, models, template hash

NOT_READ_YET = Missing(
    reason=MissingReason.WARMING_UP, detail="the models' configuration is being read"
)
DISABLED = Missing(reason=MissingReason.NOT_CONFIGURED, detail="triton.enabled is false")
NO_POD = Missing(reason=MissingReason.NO_READY_PODS, detail="no ready pod to ask")


def unknown_product(_: str) -> Missing:
    return UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    value: Configurations
    good_until: float


class ModelCatalog:
    """Gives what is known at once, and has what is stale read anew. A tick never waits for a Triton."""

    def __init__(
        self,
        reader: TritonReader,
        settings: TritonSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = reader
        self._settings = settings
        self._clock = clock
        self._entries: dict[CatalogKey, _Entry] = {}
        self._reads: dict[CatalogKey, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(settings.concurrency)

    def configurations(
        self,
        policy: Policy,
        newest: tuple[str, ...],
        pods: Sequence[PodRecord],
        product_of: ProductOf = unknown_product,
    ) -> Configurations:
        """For the newest template of each target, as one of its ready pods tells; of the first that is known.

        Until a pod of a new template is ready and read, those that serve tell, but for their timings.
        """
        if not self._settings.enabled:
            return DISABLED
        told = [self._of(policy, template, pods, product_of) for template in newest]
        known = next((one for one in told if not isinstance(one, Missing)), None)
        known = known or self._of_serving(policy, set(newest), pods, product_of)
        if known is not None:
            return known
        return NOT_READ_YET if NOT_READ_YET in told else next(iter(told), NO_POD)

    def _of_serving(
        self,
        policy: Policy,
        newest: set[str],
        pods: Sequence[PodRecord],
        product_of: ProductOf,
    ) -> tuple[ModelConfiguration, ...] | None:
        """As known of an older template that has a ready pod."""
        older = dict.fromkeys(pod.template_hash for pod in _ready(pods))
        for template in (one for one in older if one not in newest):
            found = self._of(policy, template, pods, product_of)
            if not isinstance(found, Missing):
                return tuple(replace(one, batch_statistics=()) for one in found)
        return None

    def _of(
        self,
        policy: Policy,
        template_hash: str,
        pods: Sequence[PodRecord],
        product_of: ProductOf,
    ) -> Configurations:
        target = str(policy.variants[0].target)
        key = (policy.key.uid, target, policy.models, template_hash)
        entry = self._entries.get(key)
        if entry is None or entry.good_until <= self._clock():
            pod = _longest_ready(pods, template_hash)
            if pod is None:
                return entry.value if entry else NO_POD
            self._start_read(key, pod, policy.models, product_of(pod.node))
        return entry.value if entry else NOT_READ_YET

    def forget_others(self, uids: set[str]) -> None:
        """Drop what belongs to policies that are gone."""
        for key in [k for k in self._entries if k[0] not in uids]:
            del self._entries[key]

    async def settle(self) -> None:
        """Wait for the reads under way."""
        await asyncio.gather(*self._reads.values(), return_exceptions=True)

    async def close(self) -> None:
        for task in self._reads.values():
            task.cancel()
        await self.settle()

    def _start_read(
        self, key: CatalogKey, pod: PodRecord, models: Sequence[str], product: str | Missing
    ) -> None:
        if key not in self._reads:
            task = asyncio.create_task(self._read(key, pod, models, product))
            self._reads[key] = task
            task.add_done_callback(lambda _: self._reads.pop(key, None))

    async def _read(
        self, key: CatalogKey, pod: PodRecord, models: Sequence[str], product: str | Missing
    ) -> None:
        async with self._places:
            found = await self._reader.read(pod.ip, models)
        if not isinstance(found, Missing):
            found = tuple(replace(one, gpu_product=product) for one in found)
        settings = self._settings
        pause = settings.refresh_seconds if _settled(found) else settings.retry_seconds
        self._entries[key] = _Entry(value=self._merge(key, found), good_until=self._clock() + pause)

    def _merge(self, key: CatalogKey, found: Configurations) -> Configurations:
        """A pod that cannot be reached now does not undo what it told before about the same template."""
        before = self._entries.get(key)
        unreachable = (
            isinstance(found, Missing) and found.reason is MissingReason.SOURCE_UNREACHABLE
        )
        if unreachable and before is not None and not isinstance(before.value, Missing):
            return before.value
        return found


def _settled(found: Configurations) -> bool:
    """Whether asking again soon would tell nothing new: an answer, with enough batches timed."""
    if isinstance(found, Missing):
        return False
    return all(
        sum(row.executions for row in model.batch_statistics) >= ENOUGH_EXECUTIONS
        for model in found
        if model.dynamic_batching
    )


def _longest_ready(pods: Sequence[PodRecord], template_hash: str) -> PodRecord | None:
    ready = [p for p in _ready(pods) if p.template_hash == template_hash]
    return min(ready, key=lambda p: (p.ready_at or 0.0, p.name), default=None)


def _ready(pods: Sequence[PodRecord]) -> list[PodRecord]:
    return [p for p in pods if p.ready_at is not None and p.ip and not p.terminating]
