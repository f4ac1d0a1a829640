"""Says of each CapacityPool what was seen and learned of it."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inference_cost.act.pool_status import NOTHING, Learned, learned_by_pool, render_pool_status
from inference_cost.act.status_writer import StatusWriter
from inference_cost.act.tick import Tick
from inference_cost.act.warm_status import render_warm, warm_finding
from inference_cost.model.policy import PolicyKey

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPool:
    """As the cluster cache has it."""

    name: str
    uid: str
    generation: int
    status: Mapping[str, Any]

    @property
    def key(self) -> PolicyKey:
        """Of an object without a namespace."""
        return PolicyKey(namespace="", name=self.name, uid=self.uid)


class PoolReporter:
    """`stored` gives the pools there are; `problems` why some are not used, by name.

    `on_report`: told the statuses of all pools, by name.
    `unwritten`: why the placeholders of a pool are not as decided, or "".
    """

    def __init__(
        self,
        *,
        statuses: StatusWriter,
        stored: Callable[[], Sequence[StoredPool]],
        problems: Callable[[], Mapping[str, str]],
        unwritten: Callable[[str], str],
        on_report: Callable[[Mapping[str, Mapping[str, Any]]], None] = lambda _statuses: None,
    ) -> None:
        self._statuses = statuses
        self._stored = stored
        self._problems = problems
        self._on_report = on_report
        self._unwritten = unwritten
        self._said: dict[PolicyKey, Mapping[str, Any]] = {}

    def report(self, tick: Tick) -> None:
        """Queues what is new. Never raises: what is told of pools must not keep policies from being told."""
        try:
            self._report(tick)
        except Exception:
            log.exception("pools_status_failed")

    def _report(self, tick: Tick) -> None:
        pools, problems = self._stored(), self._problems()
        if not pools and not self._said:
            return
        learned = learned_by_pool(tick.snapshot, tick.memory)
        for pool in pools:
            try:
                self._tell(pool, tick, learned.get(pool.name, NOTHING), problems.get(pool.name, ""))
            except Exception:
                log.exception("pool_status_failed", extra={"pool": pool.name})
        for key in self._said.keys() - {pool.key for pool in pools}:
            del self._said[key]
            self._statuses.forget(key)
        self._on_report({key.name: status for key, status in self._said.items()})

    def _warm(self, pool: str, tick: Tick) -> dict[str, Any]:
        """The parts of a status that speak of nodes kept ready."""
        plan, seen = tick.warm.get(pool), tick.snapshot.warm.get(pool)
        if plan is None or seen is None or (seen.spec is None and not seen.holders):
            return {}
        unwritten = self._unwritten(pool)
        return {
            "warm": render_warm(plan, seen, tick.costs, unwritten=unwritten),
            "warm_ready": warm_finding(plan, seen, unwritten=unwritten),
        }

    def _tell(self, pool: StoredPool, tick: Tick, learned: Learned, problem: str) -> None:
        stored = self._statuses.stored(pool.key, pool.status)
        status = render_pool_status(
            pool.name,
            tick.snapshot,
            learned,
            problem=problem,
            generation=pool.generation,
            previous=self._said.get(pool.key) or stored,
            **self._warm(pool.name, tick),
        )
        self._said[pool.key] = status
        self._statuses.offer(pool.key, status, seen=pool.status)
