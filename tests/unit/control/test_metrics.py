"""Metrics of a policy: from its status and cost; what is not known has no series."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from inference_cost.account.costs import Costs, PolicyCost, PoolCost, PoolShare
from inference_cost.account.month import MonthToDate
from inference_cost.control.metrics import Metrics
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.warm import WarmPlan
from inference_cost.model.workload import CapacityType
from tests.unit.act.worlds import KEY, NOW, plan

UNPRICED = Missing(reason=MissingReason.PRICE_UNKNOWN)
STATUS: dict[str, Any] = {
    "replicas": {"current": 3, "ready": 2, "desired": 5},
    "conditions": [{"type": "SLOMet", "status": "Unknown"}],
}


def share(capacity_type: CapacityType, per_hour: str | None) -> PoolShare:
    known = Decimal(per_hour or 0)
    return PoolShare(
        pool="l4",
        capacity_type=capacity_type,
        variant="resnet",
        replicas=1,
        nodes=1,
        per_hour=UNPRICED if per_hour is None else known,
        priced_per_hour=known,
        price=UNPRICED,
    )


def costs(*pools: PoolShare) -> Costs:
    month = MonthToDate(
        month="2025-11",
        amount=Decimal("12.34"),
        since=NOW,
        coverage=1.0,
        gap_seconds=0,
        unpriced_seconds=0,
    )
    cost = PolicyCost(
        per_hour=UNPRICED,
        priced_per_hour=Decimal(0),
        desired_per_hour=UNPRICED,
        pools=pools,
        unpriced=(),
        month_to_date=month,
    )
    return Costs(currency="USD", policies={KEY: cost}, pools=())


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"inference_cost_{name}", labels)


POLICY = {"namespace": "team-a", "policy": "resnet"}


def test_replicas_condition_and_decision_of_a_policy() -> None:
    metrics = Metrics(version="1.0")
    metrics.show_policy(KEY, STATUS, plan())
    assert value(metrics, "policy_desired_replicas", **POLICY) == 5
    assert value(metrics, "policy_ready_replicas", **POLICY) == 2
    by_status = {
        status: value(metrics, "condition", **POLICY, type="SLOMet", status=status)
        for status in ("True", "False", "Unknown")
    }
    assert by_status == {"True": 0, "False": 0, "Unknown": 1}
    assert value(metrics, "decisions_total", action="ScaleOut", limited_by="Nothing") == 1


def test_cost_by_capacity_type_and_none_where_the_price_is_not_known() -> None:
    metrics = Metrics(version="1.0")
    on_demand, spot = CapacityType.ON_DEMAND, CapacityType.SPOT
    metrics.show_costs(costs(share(on_demand, "4.00"), share(on_demand, "4.00"), share(spot, None)))
    labels = {**POLICY, "currency": "USD"}
    assert value(metrics, "policy_hourly_cost", **labels, capacity_type="on-demand") == 8
    assert value(metrics, "policy_hourly_cost", **labels, capacity_type="spot") is None
    assert value(metrics, "policy_month_to_date_cost", **labels) == 12.34


def test_a_capacity_type_that_is_no_longer_used_loses_its_series() -> None:
    metrics = Metrics(version="1.0")
    labels = {**POLICY, "currency": "USD", "capacity_type": "spot"}
    metrics.show_costs(costs(share(CapacityType.SPOT, "1.00")))
    assert value(metrics, "policy_hourly_cost", **labels) == 1
    metrics.show_costs(costs())
    assert value(metrics, "policy_hourly_cost", **labels) is None


def test_a_deleted_policy_leaves_no_series() -> None:
    metrics = Metrics(version="1.0")
    metrics.show_policy(KEY, STATUS, plan())
    metrics.show_costs(costs(share(CapacityType.SPOT, "1.00")))
    metrics.forget_policy(KEY)
    assert 'policy="resnet"' not in metrics.exposition().decode()


PLAN = WarmPlan(pool="safe", wanted=2, free=1, lost=1, uses=3, reasons=(), shape=None)


def line(warm: str, *unpriced: str) -> Costs:
    pool = PoolCost(
        pool="safe",
        nodes=2,
        per_hour=Decimal(warm),
        allocated_per_hour=Decimal(0),
        idle_per_hour=Decimal(0),
        warm_per_hour=Decimal(warm),
        unpriced_nodes=unpriced,
    )
    return Costs(currency="USD", policies={}, pools=(pool, replace(pool, pool="other")))


def test_nodes_that_a_pool_keeps_ready_and_what_they_cost() -> None:
    metrics = Metrics(version="1")
    metrics.show_warm({"safe": PLAN}, line("0.80"))
    states = {"ready": 1, "wanted": 2, "used_by_others": 1}
    for state, nodes in states.items():
        assert value(metrics, "pool_warm_nodes", pool="safe", state=state) == nodes
    assert value(metrics, "pool_warm_hourly_cost", pool="safe", currency="USD") == 0.8
    assert value(metrics, "pool_warm_hourly_cost", pool="other", currency="USD") is None


def test_a_pool_that_keeps_none_any_more_loses_its_series() -> None:
    metrics = Metrics(version="1")
    metrics.show_warm({"safe": PLAN}, line("0.80"))
    metrics.show_warm({}, line("0.80"))
    assert value(metrics, "pool_warm_nodes", pool="safe", state="ready") is None
    assert value(metrics, "pool_warm_hourly_cost", pool="safe", currency="USD") is None


def test_a_kept_node_without_a_price_has_no_cost_of_zero() -> None:
    metrics = Metrics(version="1")
    metrics.show_warm({"safe": PLAN}, line("0", "n1"))
    assert value(metrics, "pool_warm_hourly_cost", pool="safe", currency="USD") is None
    metrics.show_warm({"safe": PLAN}, None)
    assert value(metrics, "pool_warm_nodes", pool="safe", state="wanted") == 2
