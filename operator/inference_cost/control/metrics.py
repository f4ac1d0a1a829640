"""The operator's own metrics: every name in one place. docs/metrics.md is made from this registry."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from inference_cost.account.costs import Costs, PolicyCost
from inference_cost.act.errors import KubeError
from inference_cost.act.scale import ScaleOutcome
from inference_cost.act.scaler import Scaled
from inference_cost.api.conditions import ConditionStatus
from inference_cost.control.account_metrics import AccountMetrics
from inference_cost.control.cost_totals import Totals
from inference_cost.control.policy_metrics import PolicyMetrics
from inference_cost.control.pool_metrics import PoolMetrics
from inference_cost.model import recorded as names
from inference_cost.model.plan import Plan
from inference_cost.model.policy import PolicyKey
from inference_cost.model.reading import Missing
from inference_cost.model.recorded import PREFIX
from inference_cost.model.workload import CapacityType

_POLICY = ("namespace", "policy")
_REPLICAS = {
    "current": "Replicas that the target asks for.",
    "ready": "Pods of the target that are Ready.",
    "desired": "Replicas decided; not written in Recommend.",
}
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDescription:
    """A metric as the reference page shows it."""

    name: str
    type: str
    labels: tuple[str, ...]
    text: str


class Metrics:
    """One registry per process. Series of a policy are removed with it."""

    def __init__(self, *, version: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series per counter
        self.registry = CollectorRegistry()
        self.descriptions: list[MetricDescription] = []
        self._currency = ""
        self._policy_gauges = [
            self._gauge(f"policy_{name}_replicas", text, _POLICY)
            for name, text in _REPLICAS.items()
        ]
        self._build_up_money()
        self.accounts = AccountMetrics(self._gauge, self._totals)
        self.policies = PolicyMetrics(self._gauge)
        self.pools = PoolMetrics(self._gauge)
        self._build_up_loop()
        self._build_up_process()
        self._gauge("build_info", "Always 1; the version is a label.", ("version",)).labels(
            version
        ).set(1)

    def _build_up_money(self) -> None:
        self.hourly_cost = self._gauge(
            "policy_hourly_cost",
            "Cost of the policy's replicas per hour, by capacity type of their nodes. Absent while no price is known.",
            (*_POLICY, "capacity_type", "currency"),
        )
        self.month_to_date = self._gauge(
            names.MONTH_TO_DATE,
            "Cost of the policy's replicas since it was first seen this month (UTC).",
            (*_POLICY, "currency"),
        )
        self.condition = self._gauge(
            "condition",
            "1 for the status that a condition of a policy has now, 0 for the other two.",
            (*_POLICY, "type", "status"),
        )
        self.decisions = self._counter(
            "decisions", "Decisions, by action and by what limited them.", ("action", "limited_by")
        )

    def _build_up_loop(self) -> None:
        self.metric_reads = self._counter(
            "metric_reads",
            "Reads of metrics, by source and outcome: ok, partial, empty, or why there was no answer.",
            ("source", "outcome"),
        )
        self.pass_duration = self._histogram(
            "pass_duration_seconds", "Time of one pass over all policies, by phase.", ("phase",)
        )
        self.pass_overruns = self._counter("pass_overruns", "Passes longer than the tick.")
        self.pass_failures = self._counter(
            "pass_failures",
            "Passes, or single policies in them, that failed, by phase.",
            ("phase",),
        )
        self.pass_interval = self._gauge(
            "pass_interval_seconds", "From one pass to the next: the tick, or the scrape interval."
        )
        self.pass_age = self._gauge(
            "pass_age_seconds",
            "Time since a pass was last completed, or since leading; NaN while it does not lead.",
        )
        for phase in ("pass", "decide", "account", "backfill"):
            self.pass_failures.labels(phase)  # zero, or the first failure would be no increase
        self.leader = self._gauge("leader", "1 while this process leads, else 0.")
        self.enforce_enabled = self._gauge(
            "enforce_enabled", "1 while policies in mode Enforce may be enforced, else 0."
        )
        self.api_writes = self._counter(
            "api_writes", "Successful writes to the API server, by kind of object.", ("kind",)
        )
        self.api_write_failures = self._counter(
            "api_write_failures",
            "Writes to the API server that failed, by kind of object and reason. A Conflict is mostly harmless.",
            ("kind", "reason"),
        )
        self.scale_orders = self._counter(
            "scale_orders", "Orders to write `/scale`, by what became of them.", ("outcome",)
        )
        for outcome in ScaleOutcome:
            self.scale_orders.labels(outcome.value)
        self.events_dropped = self._counter(
            "events_dropped", "Events not recorded: over the limits, or refused."
        )
        self.loop_lag = self._gauge(
            "event_loop_lag_seconds", "Largest delay of the event loop in the last half minute."
        )
        self.pending_writes = self._gauge(
            "pending_writes", "Status and checkpoint writes that wait for their turn."
        )
        self.cache_age = self._gauge(
            "cache_age_seconds", "Time since the cluster cache was last listed completely."
        )

    def _build_up_process(self) -> None:
        ProcessCollector(registry=self.registry)
        for family in self.registry.collect():
            if family.name.startswith("process_"):
                name = f"{family.name}_total" if family.type == "counter" else family.name
                self._describe(name, family.type, (), family.documentation)

    def exposition(self) -> bytes:
        """The text format."""
        return generate_latest(self.registry)

    def count_write(self, kind: str, _verb: str) -> None:
        self.api_writes.labels(kind).inc()

    def count_write_failure(self, kind: str, error: KubeError) -> None:
        reason = type(error).__name__.removesuffix("Error")
        self.api_write_failures.labels(kind, reason).inc()

    def count_scaled(self, scaled: Sequence[Scaled]) -> None:
        for one in scaled:
            self.scale_orders.labels(one.result.outcome.value).inc()

    def show_policy(self, key: PolicyKey, status: Mapping[str, Any], plan: Plan | None) -> None:
        """Gauges of one policy from its status; counts its decision."""
        replicas = status.get("replicas") or {}
        for gauge, name in zip(self._policy_gauges, _REPLICAS, strict=True):
            if name in replicas:
                gauge.labels(key.namespace, key.name).set(replicas[name])
            else:
                _drop(gauge, (key.namespace, key.name))
        if not replicas:  # what its target runs is not looked at: its cost is not known either
            self._drop_hourly_cost(key)
        for condition in status.get("conditions") or ():
            for one in ConditionStatus:
                self.condition.labels(key.namespace, key.name, condition["type"], one.value).set(
                    condition["status"] == one.value
                )
        if plan is not None:
            limited_by = plan.limited_by.value or "Nothing"
            self.decisions.labels(plan.action.value, limited_by).inc()

    def _drop_hourly_cost(self, key: PolicyKey) -> None:
        for capacity_type in CapacityType:
            labels = (key.namespace, key.name, capacity_type.value, self._currency)
            _drop(self.hourly_cost, labels)

    def show_costs(self, costs: Costs) -> None:
        self._currency = costs.currency
        for key, cost in costs.policies.items():
            self._show_cost(key, cost, costs.currency)
        self.accounts.show(costs)

    def _show_cost(self, key: PolicyKey, cost: PolicyCost, currency: str) -> None:
        by_type: dict[CapacityType, Decimal] = {}
        for pool in cost.pools:
            if isinstance(pool.per_hour, Missing) and not pool.priced_per_hour:
                continue  # no price is not a price of zero
            known = by_type.get(pool.capacity_type, Decimal(0))
            by_type[pool.capacity_type] = known + pool.priced_per_hour
        for capacity_type in CapacityType:
            labels = (key.namespace, key.name, capacity_type.value, currency)
            if capacity_type in by_type:
                self.hourly_cost.labels(*labels).set(float(by_type[capacity_type]))
            else:
                _drop(self.hourly_cost, labels)
        amount = float(cost.month_to_date.amount)
        self.month_to_date.labels(key.namespace, key.name, currency).set(amount)

    def forget_policy(self, key: PolicyKey) -> None:
        """Removes every series of a deleted policy."""
        self.accounts.forget_policy(key)
        for gauge in (*self._policy_gauges, self.hourly_cost, self.month_to_date, self.condition):
            for metric in list(gauge.collect()):
                for sample in metric.samples:
                    labels = sample.labels
                    if (labels["namespace"], labels["policy"]) == (key.namespace, key.name):
                        _drop(gauge, tuple(labels.values()))

    def watch(self, gauge: Gauge, read: Callable[[], float]) -> None:
        """Lets a gauge read its value when it is scraped."""
        gauge.set_function(read)

    def _gauge(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
        self._describe(f"{PREFIX}{name}", "gauge", labels, text)
        return Gauge(f"{PREFIX}{name}", text, labels, registry=self.registry)

    def _totals(self, name: str, text: str, labels: tuple[str, ...]) -> Totals:
        self._describe(f"{PREFIX}{name}_total", "counter", labels, text)
        return Totals(f"{PREFIX}{name}", text, labels, registry=self.registry)

    def _counter(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Counter:
        self._describe(f"{PREFIX}{name}_total", "counter", labels, text)
        return Counter(f"{PREFIX}{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, labels: tuple[str, ...]) -> Histogram:
        self._describe(f"{PREFIX}{name}", "histogram", labels, text)
        return Histogram(f"{PREFIX}{name}", text, labels, buckets=_SECONDS, registry=self.registry)

    def _describe(self, name: str, kind: str, labels: tuple[str, ...], text: str) -> None:
        self.descriptions.append(MetricDescription(name=name, type=kind, labels=labels, text=text))


def _drop(gauge: Gauge, labels: tuple[str, ...]) -> None:
    try:
        gauge.remove(*labels)
    except KeyError:
        return  # never shown
