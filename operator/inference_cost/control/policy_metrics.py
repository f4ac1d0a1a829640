"""Gauges of each policy beside its status: what is asked of it, what limits it, what its decision rests on.

A value that is not known has no series. At most 18 for a policy.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeVar, assert_never

from inference_cost.account.costs import Costs, PolicyCost
from inference_cost.act.tick import Tick
from inference_cost.control.shown_series import MakeGauge, Point, ShownSeries
from inference_cost.model.money import HourlyPrice
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import Plan
from inference_cost.model.policy import (
    UNBOUNDED,
    DrainObjective,
    LatencyObjective,
    Objective,
    PolicyKey,
    QueueTimeObjective,
)
from inference_cost.model.reading import Missing

T = TypeVar("T")
POLICY: Final = ("namespace", "policy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of a policy; `read` gives None where it is not known."""

    name: str
    text: str
    read: Callable[[PolicyObservation, Plan], float | None]


def _objective_seconds(objective: Objective) -> float:
    match objective:
        case LatencyObjective():
            return objective.threshold_seconds
        case QueueTimeObjective():
            return objective.mean_seconds
        case DrainObjective():
            return objective.within_seconds
        case _ as unknown:
            assert_never(unknown)


def _target(objective: Objective) -> float:
    return objective.target_fraction if isinstance(objective, LatencyObjective) else 1.0


def _of(reading: T | Missing, read: Callable[[T], float]) -> float | None:
    return None if isinstance(reading, Missing) else read(reading)


FIGURES: Final = (
    Figure(
        name="policy_slo_target_ratio",
        text="Share of requests that is to be within the objective; 1 for a mean queue time and for a deadline.",
        read=lambda seen, _: _target(seen.policy.objective),
    ),
    Figure(
        name="policy_slo_attainment_ratio",
        text="Measured share of requests within the objective, over `decision.slo_window_seconds`."
        " Of a mean queue time: objective ÷ mean, at most 1.",
        read=lambda _, plan: _of(plan.attainment, lambda one: one.fraction),
    ),
    Figure(
        name="policy_slo_window_requests",
        text="Requests that this share is of.",
        read=lambda _, plan: _of(plan.attainment, lambda one: one.requests),
    ),
    Figure(
        name="policy_objective_seconds",
        text="The objective: latency, mean queue time or longest wait.",
        read=lambda seen, _: _objective_seconds(seen.policy.objective),
    ),
    Figure(
        name="policy_predicted_seconds",
        text="The same as predicted for the desired replicas, with the margin for what is not known.",
        read=lambda _, plan: _of(plan.prediction, lambda one: one.seconds),
    ),
    Figure(
        name="policy_demand_requests_per_second",
        text="Load offered now.",
        read=lambda _, plan: _of(plan.demand, lambda one: one.now),
    ),
    Figure(
        name="policy_forecast_requests_per_second",
        text="Highest load expected before a new replica could be ready.",
        read=lambda _, plan: _of(plan.demand, lambda one: one.forecast),
    ),
    Figure(
        name="policy_replica_load_requests_per_second",
        text="Load at which one replica still meets the objective, as learned.",
        read=lambda _, plan: _of(plan.profile, lambda one: one.load_per_replica),
    ),
    Figure(
        name="policy_gpu_utilization_ratio",
        text="Mean GPU utilization of the ready pods.",
        read=lambda _, plan: _of(plan.gpu_utilization, lambda one: one.value),
    ),
    Figure(
        name="policy_max_replicas",
        text="Replicas allowed now, by `maxReplicas` or a schedule.",
        read=lambda _, plan: None if plan.highest >= UNBOUNDED else plan.highest,
    ),
)


class PolicyMetrics:
    """Of all policies that are followed."""

    def __init__(self, gauge: MakeGauge) -> None:
        self._series = ShownSeries()
        self._figures = [(one, gauge(one.name, one.text, POLICY)) for one in FIGURES]
        self._info = gauge(
            "policy_info", "Always 1; `mode` is the one in force.", (*POLICY, "mode")
        )
        self._limited_by = gauge(
            "policy_limited_by",
            "1 for what keeps the replicas from following the need; no series where nothing does.",
            (*POLICY, "limited_by"),
        )
        self._running = gauge(
            "policy_running_replicas",
            "Replicas that are paid for, by capacity type of their nodes.",
            (*POLICY, "capacity_type"),
        )
        self._price_known = gauge(
            "policy_price_known",
            "1 while the price of every replica is known, else 0; 0, too, while a target is not followed.",
            POLICY,
        )
        self._price_time = gauge(
            "policy_price_timestamp_seconds",
            "Date of the oldest price in use, epoch seconds.",
            POLICY,
        )
        self._desired_cost = gauge(
            "policy_desired_hourly_cost",
            "Cost of the desired replicas per hour. Absent while a price is not known.",
            (*POLICY, "currency"),
        )
        self._would_save = gauge(
            "policy_would_save_hourly_cost",
            "What nodes cost less per hour with the desired replicas, if those that empty are removed; negative where"
            " more are needed. Absent while a price is not known.",
            (*POLICY, "currency"),
        )

    def show(self, tick: Tick) -> None:
        seen = {one.policy.key: one for one in tick.snapshot.observations}
        # First: a name made anew has the labels of the old one.
        self._series.keep_only(frozenset(seen))
        for key, observation in seen.items():
            plan = tick.plans.get(key)
            decided = {} if plan is None else dict(self._decided(observation, plan))
            self._series.show(key, decided | dict(self._paid(key, tick.costs)))

    def _decided(self, seen: PolicyObservation, plan: Plan) -> Iterator[tuple[Point, float]]:
        labels = _labels(plan.policy)
        yield (self._info, (*labels, plan.mode.value)), 1
        if plan.limited_by.value:
            yield (self._limited_by, (*labels, plan.limited_by.value)), 1
        for figure, gauge in self._figures:
            value = figure.read(seen, plan)
            if value is not None and math.isfinite(value):
                yield (gauge, labels), value

    def _paid(self, key: PolicyKey, costs: Costs | None) -> Iterator[tuple[Point, float]]:
        cost = costs.policies.get(key) if costs is not None else None
        if costs is None or cost is None:
            return
        labels = _labels(key)
        yield (self._price_known, labels), 0 if cost.unpriced else 1
        if isinstance(cost.desired_per_hour, Decimal):
            yield (self._desired_cost, (*labels, costs.currency)), float(cost.desired_per_hour)
        if isinstance(cost.would_save_per_hour, Decimal):
            yield (self._would_save, (*labels, costs.currency)), float(cost.would_save_per_hour)
        for capacity_type, replicas in _replicas(cost).items():
            yield (self._running, (*labels, capacity_type)), replicas
        dates = [one.price.as_of for one in cost.pools if isinstance(one.price, HourlyPrice)]
        if dates:
            yield (self._price_time, labels), min(dates)


def _labels(key: PolicyKey) -> tuple[str, str]:
    return key.namespace, key.name


def _replicas(cost: PolicyCost) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for pool in cost.pools:
        kind = pool.capacity_type.value
        found[kind] = found.get(kind, 0) + pool.replicas
    return found
