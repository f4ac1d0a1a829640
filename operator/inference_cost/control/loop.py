"""The central loop: one look at all policies per tick, one tick at a time.

A tick is begun every `tick_seconds` on the monotonic clock, or earlier when something important happened. No
failure in it ends the loop: what cannot be observed or decided leaves replicas as they are.
"""

import asyncio
import logging
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from inference_cost.account.costs import Costs
from inference_cost.account.month import AccountMemory
from inference_cost.act.kube_api import Json
from inference_cost.act.scaler import Scaled
from inference_cost.act.tick import Tick
from inference_cost.control.clock import Clock
from inference_cost.control.held_failures import held_failures
from inference_cost.control.isolation import IsolatedDecisions, Outcome
from inference_cost.control.metrics import Metrics
from inference_cost.model.memory import Memory
from inference_cost.model.observation import Snapshot
from inference_cost.model.plan import Plan
from inference_cost.model.policy import PolicyKey
from inference_cost.model.signals import Signals
from inference_cost.observe.fault_log import FaultLog

log = logging.getLogger(__name__)

# Between two ticks begun by wake-ups: a rollout brings many changes, one look each second is enough.
SHORTEST_PAUSE_SECONDS = 1.0


class Looks(Protocol):
    async def observe(self, now: float) -> Snapshot: ...


class Accounts(Protocol):
    def __call__(
        self,
        snapshot: Snapshot,
        plans: Mapping[PolicyKey, Plan],
        memory: Mapping[PolicyKey, AccountMemory],
        *,
        currency: str,
        pool_memory: Mapping[str, AccountMemory],
    ) -> Costs: ...


class Teaches(Protocol):
    """What is learned beside the loop. Neither waits."""

    def remembered(self, memory: Memory) -> Memory:
        """The memory with what was taught since the last tick."""
        ...

    def see(self, snapshot: Snapshot, memory: Memory) -> None:
        """What this tick saw, and what is remembered after it."""
        ...


class Acts(Protocol):
    """The writers. `overlay` brings a snapshot up to our own last writes."""

    async def overlay(self, snapshot: Snapshot) -> Snapshot: ...

    async def act(self, tick: Tick) -> tuple[tuple[Scaled, ...], Mapping[PolicyKey, Json]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopTimes:
    """Seconds."""

    tick: float = 15.0
    debounce: float = 0.5
    observe_deadline: float = 12.0


class ControlLoop:
    def __init__(
        self,
        *,
        observer: Looks,
        decide: IsolatedDecisions,
        account: Accounts,
        actuator: Acts,
        metrics: Metrics,
        clock: Clock,
        times: LoopTimes,
        currency: str,
        teacher: Teaches | None = None,
    ) -> None:
        self._observer = observer
        self._decide = decide
        self._account = account
        self._actuator = actuator
        self._metrics = metrics
        self._clock = clock
        self._times = times
        self._currency = currency
        self._teacher = teacher
        self._wake = asyncio.Event()
        self._memory = Memory()
        self._account_memory: Mapping[PolicyKey, AccountMemory] = {}
        self._pool_memory: Mapping[str, AccountMemory] = {}
        self._known: frozenset[PolicyKey] = frozenset()
        self._interval = times.tick
        self._faults = FaultLog(log)
        self.heartbeat = clock.monotonic()  # when the last tick ended, well or not
        self._completed_at = math.nan
        self.running = False
        self.ticks = 0

    @property
    def interval(self) -> float:
        """Seconds from one tick to the next: the tick, or the scrape interval if that is longer."""
        return self._interval

    @property
    def pass_age(self) -> float:
        """Seconds since a pass was completed, or since `run` began; NaN before."""
        return self._clock.monotonic() - self._completed_at

    def wake(self) -> None:
        """Something important happened: look soon."""
        self._wake.set()

    def restore(
        self,
        memory: Memory,
        account: Mapping[PolicyKey, AccountMemory],
        pools: Mapping[str, AccountMemory] | None = None,
    ) -> None:
        """State of an earlier leader, before the first tick."""
        self._memory, self._account_memory = memory, account
        self._pool_memory = pools or {}

    async def run(self) -> None:
        """Ticks until cancelled."""
        self.heartbeat, self.running = self._clock.monotonic(), True
        self._completed_at = self.heartbeat
        while True:
            started = self._clock.monotonic()
            await self._safe_tick()
            self.heartbeat = self._clock.monotonic()
            if self.heartbeat - started > self._interval:
                self._metrics.pass_overruns.inc()
            await self._pause(started)

    async def tick(self) -> None:
        """One pass.

        Raises:
            Exception: whatever a phase raised; nothing was written after it.
        """
        with self._phase("observe"):
            async with asyncio.timeout(self._times.observe_deadline):
                snapshot = await self._observer.observe(self._clock.time())
            snapshot = await self._actuator.overlay(snapshot)
        with self._phase("decide"):
            outcome = self._decide(snapshot, self._remembered())
        self._count_failures(outcome)
        self._tell_held(outcome, snapshot)
        self._memory = outcome.decisions.memory
        if self._teacher is not None:
            self._teacher.see(snapshot, self._memory)
        with self._phase("account"):
            costs = self._costs(snapshot, outcome.decisions.plans)
        tick = Tick(
            snapshot=snapshot,
            plans=outcome.decisions.plans,
            memory=self._memory,
            costs=costs,
            account=self._account_memory,
            warm=outcome.decisions.warm,
        )
        with self._phase("act"):
            scaled, statuses = await self._actuator.act(tick)
        self._metrics.count_scaled(scaled)
        self._show(tick, statuses)
        self._interval = max(self._times.tick, scrape_interval(snapshot))
        self._completed_at = self._clock.monotonic()

    def _remembered(self) -> Memory:
        """Kept at once: a tick that fails must not lose what was taught."""
        if self._teacher is not None:
            self._memory = self._teacher.remembered(self._memory)
        return self._memory

    async def _safe_tick(self) -> None:
        try:
            await self.tick()
        except Exception:
            self._metrics.pass_failures.labels("pass").inc()
            log.exception("pass_failed")
        self.ticks += 1

    async def _pause(self, started: float) -> None:
        """Until the next tick is due, or a wake-up and the time to gather what comes with it."""
        due = started + self._interval
        try:
            async with asyncio.timeout(max(0.0, due - self._clock.monotonic())):
                await self._wake.wait()
        except TimeoutError:
            return
        earliest = started + SHORTEST_PAUSE_SECONDS
        gather = max(self._times.debounce, earliest - self._clock.monotonic())
        await self._clock.sleep(min(gather, max(0.0, due - self._clock.monotonic())))
        self._wake.clear()

    def _costs(self, snapshot: Snapshot, plans: Mapping[PolicyKey, Plan]) -> Costs | None:
        """Costs of the tick. A failure here must not stop scaling: the money is then missing."""
        try:
            costs = self._account(
                snapshot,
                plans,
                self._account_memory,
                currency=self._currency,
                pool_memory=self._pool_memory,
            )
        except Exception:
            self._metrics.pass_failures.labels("account").inc()
            log.exception("account_failed")
            return None
        refused = {refusal.key for refusal in snapshot.refusals}
        kept = {key: m for key, m in self._account_memory.items() if key in refused}
        self._account_memory = {**kept, **costs.memory}
        self._pool_memory = costs.pool_memory
        return costs

    def _count_failures(self, outcome: Outcome) -> None:
        for key, error in outcome.failed.items():
            self._metrics.pass_failures.labels("decide").inc()
            log.error("decision_failed", extra={"policy": str(key)}, exc_info=error)

    def _tell_held(self, outcome: Outcome, snapshot: Snapshot) -> None:
        """Decisions that failed and were held by `decide` itself, which does not log."""
        for key, error in held_failures(outcome.decisions.plans, snapshot, self._memory).items():
            self._metrics.pass_failures.labels("decide").inc()
            self._faults.tell("decision_failed", key, error)

    def _show(self, tick: Tick, statuses: Mapping[PolicyKey, Json]) -> None:
        for key in self._known - tick.policies:
            self._metrics.forget_policy(key)
        self._known = tick.policies
        for key, status in statuses.items():
            self._metrics.show_policy(key, status, tick.plans.get(key))
        self._metrics.policies.show(tick)
        self._metrics.pools.show_costs(tick.costs)
        if tick.costs is not None:
            self._metrics.show_costs(tick.costs)
        self._metrics.show_warm(tick.warm, tick.costs)

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        started = self._clock.monotonic()
        try:
            yield
        finally:
            elapsed = self._clock.monotonic() - started
            self._metrics.pass_duration.labels(name).observe(elapsed)


def scrape_interval(snapshot: Snapshot) -> float:
    """Shortest measured scrape interval of all policies in seconds; looking more often shows nothing new."""
    intervals = [
        seen.signals.scrape_interval_seconds
        for seen in snapshot.observations
        if isinstance(seen.signals, Signals) and seen.signals.scrape_interval_seconds > 0
    ]
    return min(intervals, default=0.0)
