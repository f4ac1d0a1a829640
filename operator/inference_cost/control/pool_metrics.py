"""Gauges of pools: what their nodes cost, and the conditions of CapacityPools.

Nodes and cost are of every pool that replicas run in, declared or inferred; the rest of CapacityPools alone.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from inference_cost.account.costs import Costs, PoolCost
from inference_cost.api.conditions import ConditionStatus
from inference_cost.control.shown_series import MakeGauge, Point, ShownSeries

POOL: Final = ("pool",)
QUANTILES: Final = (("p50Seconds", "0.5"), ("p95Seconds", "0.95"))
WARM_STATES: Final = (
    ("ready", "ready"),
    ("wanted", "wanted"),
    ("usedByOthers", "used_by_others"),
)


class PoolMetrics:
    def __init__(self, gauge: MakeGauge) -> None:
        self._paid, self._told = ShownSeries(), ShownSeries()
        self._nodes = gauge("pool_nodes", "Nodes of a pool that replicas run in, or ran in.", POOL)
        self._unpriced = gauge(
            "pool_unpriced_nodes", "Of these, nodes whose price is not known.", POOL
        )
        self._cost = gauge(
            "pool_hourly_cost",
            "Cost of the priced nodes of a pool per hour.",
            (*POOL, "currency"),
        )
        self._idle = gauge(
            "pool_idle_hourly_cost",
            "The part of it that no pod requested.",
            (*POOL, "currency"),
        )
        self._overhead = gauge(
            "pool_overhead_hourly_cost",
            "The part of it that system pods and DaemonSets requested.",
            (*POOL, "currency"),
        )
        self._other = gauge(
            "pool_other_hourly_cost",
            "The part of it that pods of no policy requested.",
            (*POOL, "currency"),
        )
        self._warm_cost = gauge(
            "pool_warm_hourly_cost",
            "The part of it that placeholders hold, for all policies; part of no policy's cost, and not idle.",
            (*POOL, "currency"),
        )
        self._warm = gauge(
            "pool_warm_nodes",
            "Nodes kept ready for all policies of a CapacityPool: ready, wanted, and used by pods of no policy.",
            (*POOL, "state"),
        )
        self._condition = gauge(
            "pool_condition",
            "1 for the status that a condition of a CapacityPool has now, 0 for the other two.",
            (*POOL, "type", "status"),
        )
        self._losses = gauge(
            "pool_losses_per_hour",
            "How often the cloud is expected to take a zone of a CapacityPool away per hour, as learned.",
            POOL,
        )
        self._start = gauge(
            "pool_start_seconds",
            "From the creation of a pod to ready in a CapacityPool, as seen.",
            (*POOL, "quantile"),
        )

    def show_costs(self, costs: Costs | None) -> None:
        pools = {pool.pool: pool for pool in costs.pools} if costs is not None else {}
        self._paid.keep_only(frozenset(pools))
        for name, pool in pools.items():
            self._paid.show(name, self._cost_of(pool, costs.currency if costs else ""))

    def show_statuses(self, statuses: Mapping[str, Mapping[str, Any]]) -> None:
        """Statuses of CapacityPools by name, as they are stored."""
        self._told.keep_only(frozenset(statuses))
        for name, status in statuses.items():
            self._told.show(name, dict(self._points(name, status)))

    def _cost_of(self, pool: PoolCost, currency: str) -> dict[Point, float]:
        return {
            (self._nodes, (pool.pool,)): pool.nodes,
            (self._unpriced, (pool.pool,)): len(pool.unpriced_nodes),
            (self._cost, (pool.pool, currency)): float(pool.per_hour),
            (self._idle, (pool.pool, currency)): float(pool.idle_per_hour),
            (self._overhead, (pool.pool, currency)): float(pool.overhead_per_hour),
            (self._other, (pool.pool, currency)): float(pool.other_per_hour),
            (self._warm_cost, (pool.pool, currency)): float(pool.warm_per_hour),
        }

    def _points(self, name: str, status: Mapping[str, Any]) -> Iterator[tuple[Point, float]]:
        for condition in status.get("conditions") or ():
            for one in ConditionStatus:
                labels = (name, condition["type"], one.value)
                yield (self._condition, labels), condition["status"] == one.value
        if "lossesPerHour" in status:
            yield (self._losses, (name,)), float(status["lossesPerHour"])
        for field, state in WARM_STATES:
            if field in (status.get("warm") or {}):
                yield (self._warm, (name, state)), status["warm"][field]
        for field, quantile in QUANTILES:
            if field in (status.get("leadTime") or {}):
                yield (self._start, (name, quantile)), status["leadTime"][field]
