"""Gauges of a policy's decision and money: what is known is shown, what is not has no series."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from inference_cost.account.costs import Costs
from inference_cost.act.tick import Tick
from inference_cost.control.metrics import Metrics
from inference_cost.model.memory import Memory
from inference_cost.model.money import HourlyPrice, PriceSource
from inference_cost.model.observation import PolicyObservation, PolicyRefusal
from inference_cost.model.plan import Attainment, Demand, LimitedBy, Plan, Prediction
from inference_cost.model.policy import (
    DrainObjective,
    LatencyObjective,
    Objective,
    QueueTimeObjective,
)
from inference_cost.model.reading import Sample
from inference_cost.model.workload import CapacityType
from tests.unit.act.worlds import KEY, NOW, observation, plan, snapshot
from tests.unit.control.test_metrics import POLICY, STATUS, costs, share, value

SPOT = CapacityType.SPOT
KNOWN: dict[str, Any] = {
    "demand": Demand(now=120.0, forecast=150.0, backlog=0.0),
    "prediction": Prediction(replicas=5, seconds=0.08, meets_objective=True),
    "attainment": Attainment(fraction=0.995, requests=36_000.0, measured_at="Gateway"),
    "gpu_utilization": Sample(value=0.62, at=NOW),
    "highest": 10,
}


def tick(
    *plans: Plan, seen: PolicyObservation | None = None, money: Costs | None = None, **changes: Any
) -> Tick:
    shot = replace(snapshot(seen or observation()), **changes)
    by_key = {one.policy: one for one in plans}
    return Tick(snapshot=shot, plans=by_key, memory=Memory(), costs=money)


def shown(*plans: Plan, **world: Any) -> Metrics:
    metrics = Metrics(version="1.0")
    metrics.policies.show(tick(*plans, **world))
    return metrics


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("policy_demand_requests_per_second", 120.0),
        ("policy_forecast_requests_per_second", 150.0),
        ("policy_predicted_seconds", 0.08),
        ("policy_slo_attainment_ratio", 0.995),
        ("policy_slo_window_requests", 36_000.0),
        ("policy_slo_target_ratio", 0.99),
        ("policy_objective_seconds", 0.1),
        ("policy_gpu_utilization_ratio", 0.62),
        ("policy_max_replicas", 10),
        ("policy_replica_load_requests_per_second", None),  # nothing is learned of a replica
    ],
)
def test_a_figure_is_shown_where_it_is_known(name: str, expected: float | None) -> None:
    assert value(shown(plan(**KNOWN)), name, **POLICY) == expected


@pytest.mark.parametrize(
    ("objective", "target", "seconds"),
    [
        (LatencyObjective(threshold_seconds=0.2, target_fraction=0.95), 0.95, 0.2),
        (QueueTimeObjective(mean_seconds=0.05), 1.0, 0.05),
        (DrainObjective(within_seconds=600.0), 1.0, 600.0),
    ],
)
def test_every_kind_of_objective_is_shown(
    objective: Objective, target: float, seconds: float
) -> None:
    seen = observation()
    seen = replace(seen, policy=replace(seen.policy, objective=objective))
    metrics = shown(plan(), seen=seen)
    assert value(metrics, "policy_slo_target_ratio", **POLICY) == target
    assert value(metrics, "policy_objective_seconds", **POLICY) == seconds


def test_what_is_no_longer_known_loses_its_series() -> None:
    metrics = shown(plan(**KNOWN))
    metrics.policies.show(tick(plan()))
    assert value(metrics, "policy_demand_requests_per_second", **POLICY) is None
    assert value(metrics, "policy_slo_attainment_ratio", **POLICY) is None
    assert value(metrics, "policy_objective_seconds", **POLICY) == 0.1


def test_one_limit_and_one_mode_are_shown_at_a_time() -> None:
    metrics = shown(plan(limited_by=LimitedBy.MAX_REPLICAS))
    metrics.policies.show(tick(plan(limited_by=LimitedBy.ROLLOUT)))
    limits = [line for line in lines(metrics) if "policy_limited_by" in line]
    assert limits == [
        'inference_cost_policy_limited_by{limited_by="Rollout",namespace="team-a",policy="resnet"} 1.0'
    ]
    metrics.policies.show(tick(plan()))
    assert not [line for line in lines(metrics) if "policy_limited_by" in line]
    assert value(metrics, "policy_info", **POLICY, mode="Enforce") == 1


def test_money_at_the_decision_and_where_it_runs() -> None:
    price = HourlyPrice(
        per_hour=Decimal(4), currency="USD", source=PriceSource.KARPENTER, as_of=NOW - 60
    )
    pools = replace(share(SPOT, "2.00"), replicas=3, price=price), share(SPOT, "1.00")
    money = costs(*pools)
    paid = replace(
        money.policies[KEY], desired_per_hour=Decimal("5.00"), would_save_per_hour=Decimal(-4)
    )
    metrics = shown(plan(), money=replace(money, policies={KEY: paid}))
    assert value(metrics, "policy_running_replicas", **POLICY, capacity_type="spot") == 4
    assert value(metrics, "policy_desired_hourly_cost", **POLICY, currency="USD") == 5
    assert value(metrics, "policy_would_save_hourly_cost", **POLICY, currency="USD") == -4
    assert value(metrics, "policy_price_timestamp_seconds", **POLICY) == NOW - 60
    assert value(metrics, "policy_price_known", **POLICY) == 1


def test_a_price_that_is_not_known_is_said_and_is_no_price_of_zero() -> None:
    money = costs(share(SPOT, None))
    paid = replace(money.policies[KEY], unpriced=("pool l4 has no price",))
    metrics = shown(plan(), money=replace(money, policies={KEY: paid}))
    assert value(metrics, "policy_price_known", **POLICY) == 0
    for name in ("policy_desired_hourly_cost", "policy_would_save_hourly_cost"):
        assert value(metrics, name, **POLICY, currency="USD") is None


def test_without_accounts_there_is_no_money_and_without_a_decision_no_figure() -> None:
    metrics = shown(plan(**KNOWN), money=costs(share(SPOT, "1.00")))
    metrics.policies.show(tick())
    assert not [line for line in lines(metrics) if 'policy="resnet"' in line]


def test_of_a_refused_policy_only_its_conditions_stay() -> None:
    metrics = shown(plan(**KNOWN), money=costs(share(SPOT, "1.00")))
    metrics.show_policy(KEY, STATUS, plan())
    metrics.show_costs(costs(share(SPOT, "1.00")))
    refusal = PolicyRefusal(key=KEY, generation=2, field="spec.slo", message="must be set")
    metrics.show_policy(KEY, {"conditions": STATUS["conditions"]}, None)
    metrics.policies.show(tick(observations=(), refusals=(refusal,)))
    names = {line.partition("{")[0] for line in lines(metrics) if 'policy="resnet"' in line}
    assert names == {"inference_cost_condition", "inference_cost_policy_month_to_date_cost"}


def test_a_name_made_anew_keeps_the_series_of_the_new_one() -> None:
    metrics = shown(plan(**KNOWN))
    again = replace(KEY, uid="policy-2")
    metrics.policies.show(tick(plan(key=again, **KNOWN), seen=observation(key=again)))
    assert value(metrics, "policy_demand_requests_per_second", **POLICY) == 120.0
    metrics.policies.show(tick(observations=()))
    assert value(metrics, "policy_demand_requests_per_second", **POLICY) is None


def test_a_policy_has_no_more_series_than_the_page_says() -> None:
    money = costs(*(share(kind, "1.00") for kind in CapacityType))
    metrics = shown(plan(limited_by=LimitedBy.MAX_REPLICAS, **KNOWN), money=money)
    kinds = ("Ready", "Accepted", "MetricsAvailable", "SLOMet", "CapacityAvailable")
    kinds = (*kinds, "ScalingLimited", "TrafficUneven", "Conflicted")
    conditions = [{"type": kind, "status": "True"} for kind in kinds]
    metrics.show_policy(KEY, STATUS | {"conditions": conditions}, plan())
    metrics.show_costs(money)
    assert len([line for line in lines(metrics) if 'policy="resnet"' in line]) <= 50


def lines(metrics: Metrics) -> list[str]:
    return [line for line in metrics.exposition().decode().splitlines() if not line.startswith("#")]
