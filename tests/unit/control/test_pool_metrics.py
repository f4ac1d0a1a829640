"""Gauges of pools: money of all that are in use, conditions of the declared ones."""

from decimal import Decimal
from typing import Any

from inference_cost.account.costs import Costs, PoolCost
from inference_cost.control.metrics import Metrics
from tests.unit.control.test_metrics import value

TOLD: dict[str, Any] = {
    "conditions": [{"type": "Scarce", "status": "True"}],
    "lossesPerHour": "0.25",
    "leadTime": {"starts": 7, "p50Seconds": 40, "p95Seconds": 90},
    "warm": {"shown": "1/2", "ready": 1, "wanted": 2, "usedByOthers": 0},
}


def paid(*pools: str) -> Costs:
    cost = PoolCost(
        pool="",
        nodes=3,
        per_hour=Decimal("12.00"),
        allocated_per_hour=Decimal("8.25"),
        idle_per_hour=Decimal("2.00"),
        warm_per_hour=Decimal("1.00"),
        overhead_per_hour=Decimal("0.50"),
        other_per_hour=Decimal("0.25"),
        unpriced_nodes=("node-9",),
    )
    named = tuple(
        PoolCost(**{**{f: getattr(cost, f) for f in cost.__slots__}, "pool": pool})
        for pool in pools
    )
    return Costs(currency="EUR", policies={}, pools=named)


def test_nodes_and_money_of_a_pool() -> None:
    metrics = Metrics(version="1.0")
    metrics.pools.show_costs(paid("l4"))
    assert value(metrics, "pool_nodes", pool="l4") == 3
    assert value(metrics, "pool_unpriced_nodes", pool="l4") == 1
    assert value(metrics, "pool_hourly_cost", pool="l4", currency="EUR") == 12
    assert value(metrics, "pool_idle_hourly_cost", pool="l4", currency="EUR") == 2
    assert value(metrics, "pool_warm_hourly_cost", pool="l4", currency="EUR") == 1
    assert value(metrics, "pool_overhead_hourly_cost", pool="l4", currency="EUR") == 0.5
    assert value(metrics, "pool_other_hourly_cost", pool="l4", currency="EUR") == 0.25


def test_a_pool_that_nothing_runs_in_any_more_has_no_series() -> None:
    metrics = Metrics(version="1.0")
    metrics.pools.show_costs(paid("l4", "t4"))
    metrics.pools.show_costs(paid("t4"))
    assert value(metrics, "pool_nodes", pool="l4") is None
    metrics.pools.show_costs(None)  # the accounts failed: the money is missing, not zero
    assert value(metrics, "pool_nodes", pool="t4") is None


def test_what_is_told_of_a_declared_pool() -> None:
    metrics = Metrics(version="1.0")
    metrics.pools.show_statuses({"spot": TOLD})
    by_status = {
        status: value(metrics, "pool_condition", pool="spot", type="Scarce", status=status)
        for status in ("True", "False", "Unknown")
    }
    assert by_status == {"True": 1, "False": 0, "Unknown": 0}
    assert value(metrics, "pool_losses_per_hour", pool="spot") == 0.25
    assert value(metrics, "pool_start_seconds", pool="spot", quantile="0.95") == 90
    states = {"ready": 1, "wanted": 2, "used_by_others": 0}
    assert states == {s: value(metrics, "pool_warm_nodes", pool="spot", state=s) for s in states}
    metrics.pools.show_statuses({"spot": {"conditions": ()}})
    assert value(metrics, "pool_losses_per_hour", pool="spot") is None


def test_a_pool_that_is_deleted_has_no_series() -> None:
    metrics = Metrics(version="1.0")
    metrics.pools.show_statuses({"spot": TOLD})
    metrics.pools.show_statuses({})
    assert 'pool="spot"' not in metrics.exposition().decode()
