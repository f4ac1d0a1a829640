"""Teaches policies that are new what their demand was before, beside the loop: no tick waits for it.

All that are new and have the same tick are taught together, a span of the past after the other: one answer of the
metrics store tells of all. Half of the time nothing is done, so that neither the store nor a core is taken up by it.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from inference_cost.control.clock import Clock
from inference_cost.control.metrics import Metrics
from inference_cost.decide.backfill import (
    Conditions,
    Taught,
    conditions,
    merged,
    teach,
    young,
)
from inference_cost.model.memory import Memory, PolicyMemory
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.policy import Policy, PolicyKey
from inference_cost.model.reading import Missing
from inference_cost.observe.history import (
    Past,
    RangeReader,
    Scraping,
    Span,
    Whose,
    read_past,
    whose,
)
from inference_cost.observe.settings import PrometheusSettings

log = logging.getLogger(__name__)

LOOK_SECONDS = 30.0  # between looks for policies that are new
SPAN_STEPS = 240  # an hour at the usual tick: for a thousand workloads an answer of 7 MB
HOUR_SECONDS = 3_600.0
DAY_SECONDS = 86_400.0
# Of a span that could not be read. A store that is down for longer is not asked again for these policies.
RETRY_SECONDS = (15.0, 60.0, 240.0)
LEAST_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Pupil:
    """A policy that is taught, and what it is taught under."""

    policy: Policy
    who: Whose
    given: Conditions
    scrape_seconds: float
    taught: Taught = field(default_factory=Taught)

    @property
    def step_seconds(self) -> int:
        """The client asks in whole seconds."""
        return max(round(self.given.look.tick), 1)


Pupils = dict[PolicyKey, Pupil]


class PrometheusBackfill:
    def __init__(
        self,
        reader: RangeReader,
        prometheus: PrometheusSettings,
        *,
        seconds: float,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._reader = reader
        self._prometheus = prometheus
        self._seconds = seconds
        self._metrics = metrics
        self._clock = clock
        self._seen: tuple[Snapshot, Memory] | None = None
        self._done: dict[PolicyKey, Pupil] = {}  # until the next tick
        self._tried: set[PolicyKey] = set()

    def remembered(self, memory: Memory) -> Memory:
        done, self._done = self._done, {}
        policies = {
            key: merged(memory.policies[key], pupil.taught)
            for key, pupil in done.items()
            if key in memory.policies
        }
        return replace(memory, policies={**memory.policies, **policies}) if policies else memory

    def see(self, snapshot: Snapshot, memory: Memory) -> None:
        self._seen = snapshot, memory

    async def run(self) -> None:
        """Until cancelled. No failure here ends the operator: policies then learn as they go."""
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            try:
                await self.round()
            except Exception:
                self._metrics.pass_failures.labels("backfill").inc()
                log.exception("backfill_failed")

    async def round(self) -> None:
        """Teaches all policies that are new now."""
        if self._seen is None:
            return
        snapshot, memory = self._seen
        pupils = await self._new(snapshot, memory)
        self._tried |= pupils.keys()
        for group in _groups(pupils):
            await self._teach_together(group, snapshot.settings.rate_window_seconds)

    async def _teach_together(self, group: Pupils, window_seconds: float) -> None:
        policies = len(group)
        log.info("backfill_started", extra={"policies": policies})
        interval = max(pupil.scrape_seconds for pupil in group.values())
        scraping = Scraping(interval_seconds=interval, window_seconds=window_seconds)
        why = await self._teach(group, scraping)
        if why is not None:
            log.info("backfill_given_up", extra={"policies": policies, "why": why.detail})
            return
        self._hand_over(group)

    async def _new(self, snapshot: Snapshot, memory: Memory) -> Pupils:
        """One at a time: each takes as long as a decision."""
        self._tried &= memory.policies.keys()
        pupils = {}
        for seen in snapshot.observations:
            key = seen.policy.key
            if key in self._tried:
                continue
            with self._contained(key):
                pupil = _pupil(seen, memory.policies.get(key), snapshot)
                if pupil is not None:
                    pupils[key] = pupil
            await self._clock.sleep(0)
        return pupils

    async def _teach(self, group: Pupils, scraping: Scraping) -> Missing | None:
        """From the farthest past to the present, which moves on meanwhile. Why not, where it cannot be read."""
        step = next(iter(group.values())).step_seconds
        start = (self._clock.time() - self._seconds) // step * step
        while group:
            span = _span(start, self._clock.time() - scraping.lag_seconds, step)
            if span is None:
                break
            begun = self._clock.monotonic()
            past = await self._read(scraping, span)
            if isinstance(past, Missing):
                return past
            await self._take_in(group, past)
            start = span.end + step
            worked = self._clock.monotonic() - begun
            await self._clock.sleep(max(worked, LEAST_PAUSE_SECONDS))
        return None

    async def _take_in(self, group: Pupils, past: Past) -> None:
        for key in list(group):
            pupil = group.pop(key)
            with self._contained(key):
                group[key] = await asyncio.to_thread(_taught, pupil, past)

    @contextmanager
    def _contained(self, key: PolicyKey) -> Iterator[None]:
        """What fails with one policy is not tried with it again, and keeps no other from learning."""
        try:
            yield
        except Exception:
            self._tried.add(key)
            self._metrics.pass_failures.labels("backfill").inc()
            log.exception("backfill_failed", extra={"policy": str(key)})

    async def _read(self, scraping: Scraping, span: Span) -> Past | Missing:
        past = await read_past(self._reader, self._prometheus, scraping, span)
        for pause in RETRY_SECONDS:
            if not isinstance(past, Missing):
                break
            log.debug("backfill_retried", extra={"why": past.detail})
            await self._clock.sleep(pause)
            past = await read_past(self._reader, self._prometheus, scraping, span)
        return past

    def _hand_over(self, pupils: Mapping[PolicyKey, Pupil]) -> None:
        """A policy that was changed meanwhile was taught under what no longer holds: it may be taught again."""
        now = {} if self._seen is None else _generations(self._seen[0])
        for key, pupil in pupils.items():
            if now.get(key) != pupil.policy.generation:
                self._tried.discard(key)
            elif pupil.taught.seconds > 0:
                self._done[key] = pupil
                hours = round(pupil.taught.seconds / HOUR_SECONDS, 1)
                log.info("backfilled", extra={"policy": str(key), "hours": hours})
            else:
                log.info("backfill_found_nothing", extra={"policy": str(key)})


def _pupil(seen: PolicyObservation, known: PolicyMemory | None, snapshot: Snapshot) -> Pupil | None:
    """None where there is no need, or not yet a way."""
    if known is None or not young(known) or isinstance(seen.signals, Missing):
        return None
    who, given = whose(seen), conditions(seen, known, snapshot)
    if who is None or given is None:
        return None
    scrape = seen.signals.scrape_interval_seconds or snapshot.settings.tick_seconds
    return Pupil(policy=seen.policy, who=who, given=given, scrape_seconds=scrape)


def _groups(pupils: Pupils) -> list[Pupils]:
    """Of one step each, the largest first: who is alone with a tick keeps nobody waiting."""
    groups: dict[int, Pupils] = {}
    for key, pupil in pupils.items():
        groups.setdefault(pupil.step_seconds, {})[key] = pupil
    return sorted(groups.values(), key=len, reverse=True)


def _taught(pupil: Pupil, past: Past) -> Pupil:
    """In a thread."""
    demand = past.of(pupil.who)
    taught = teach(pupil.taught, pupil.given, demand.times, demand.per_second)
    return replace(pupil, taught=taught)


def _span(start: float, now: float, step: int) -> Span | None:
    """The next one, or what there is of it; None when less than a step is left."""
    end = min(start + (SPAN_STEPS - 1) * step, now // step * step)
    return Span(start=start, end=end, step_seconds=step) if end > start else None


def _generations(snapshot: Snapshot) -> dict[PolicyKey, int]:
    return {seen.policy.key: seen.policy.generation for seen in snapshot.observations}
