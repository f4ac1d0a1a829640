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
from inference_cost.account.savings.savings import Savings, SavingsMemory
from inference_cost.act.errors import KubeError
from inference_cost.act.scale import ScaleOutcome
from inference_cost.act.scaler import Scaled
from inference_cost.api.conditions import ConditionStatus
from inference_cost.control.cost_totals import Totals
from inference_cost.control.policy_metrics import PolicyMetrics
from inference_cost.control.pool_metrics import PoolMetrics
from inference_cost.model import recorded as names
from inference_cost.model.plan import Plan
from inference_cost.model.policy import Baseline, Mode, PolicyKey
from inference_cost.model.reading import Missing
from inference_cost.model.recorded import BASELINE_SIDE, POLICY_SIDE, PREFIX
from inference_cost.model.warm import WarmPlan
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
        self._policy_totals = self._totals(
            names.POLICY_COST,
            "Cost of the policy's replicas since it was first seen; it goes on over restarts and changes of leaders."
            " `line`: serving, or boot (bound and not ready yet).",
            (*names.POLICY_LABELS, *names.LINE_LABELS),
        )
        self._policy_counted = self._gauge(
            names.POLICY_COUNTED, "Time (epoch seconds) up to which the total counts.", _POLICY
        )
        self._pool_totals = self._totals(
            names.POOL_COST,
            "Cost of what no replica requested of the pool's nodes. `line`: idle, warm (nodes kept ready), or boot"
            " (nodes that are not ready).",
            names.POOL_LINE_LABELS,
        )
        self._pool_counted = self._gauge(
            names.POOL_COUNTED, "Time (epoch seconds) up to which the total counts.", ("pool",)
        )
        self._baseline_replicas = self._gauge(
            "policy_baseline_replicas",
            "Replicas that the baseline of savings would run now, a fraction for Observed. Absent while not known.",
            (*_POLICY, "baseline"),
        )
        self._compared = self._gauge(
            "policy_compared_hourly_cost",
            "Both sides of the savings, in whole nodes: `side` is baseline or policy. In Recommend the policy's is what"
            " its decisions would cost. Absent while one is not known.",
            (*_POLICY, "side", "currency"),
        )
        self._compared_totals = {
            names.COMPARED_COST: self._totals(
                names.COMPARED_COST,
                "Both sides of the savings, counted while both are known; it goes on over restarts. `mode`: Enforce, or"
                " Recommend for what is potential.",
                (*_POLICY, *names.COMPARED_LABELS, "side", "currency"),
            ),
            names.COMPARED_REQUESTS: self._totals(
                names.COMPARED_REQUESTS,
                "Requests in that time.",
                (*_POLICY, *names.COMPARED_LABELS),
            ),
            names.COMPARED_LATE: self._totals(
                names.COMPARED_LATE,
                "Of these, those beyond the objective, measured or predicted.",
                (*_POLICY, *names.COMPARED_LABELS, "side"),
            ),
        }
        self.warm_nodes = self._gauge(
            "pool_warm_nodes",
            "Nodes kept ready for all policies of a CapacityPool: ready, wanted, and used by pods of no policy.",
            ("pool", "state"),
        )
        self.warm_cost = self._gauge(
            "pool_warm_hourly_cost",
            "Cost per hour of the nodes kept ready; part of no policy's cost.",
            ("pool", "currency"),
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
        for key, memory in costs.memory.items():
            self._policy_counted.labels(key.namespace, key.name).set(memory.last_at)
            for line, amount in memory.totals:
                where = (line.variant, line.pool, line.capacity_type.value, line.cost_center)
                labels = (key.namespace, key.name, *where, line.kind.value, costs.currency)
                self._policy_totals.show(labels, float(amount))
            self._show_kept(key, memory.savings, costs.currency)
        for name, memory in costs.pool_memory.items():
            self._pool_counted.labels(name).set(memory.last_at)
            for line, amount in memory.totals:
                self._pool_totals.show(
                    (line.pool, line.capacity_type.value, line.kind.value, costs.currency),
                    float(amount),
                )

    def _show_kept(self, key: PolicyKey, savings: SavingsMemory | None, currency: str) -> None:
        cost, requests, late = self._compared_totals.values()
        for one in savings.kept if savings is not None else ():
            mode = Mode.RECOMMEND if one.potential else Mode.ENFORCE
            labels = (key.namespace, key.name, one.baseline.value, mode.value)
            requests.show(labels, one.requests)
            for side, total in ((BASELINE_SIDE, one.theirs), (POLICY_SIDE, one.ours)):
                cost.show((*labels, side, currency), float(total.amount))
                late.show((*labels, side), total.late)

    def show_warm(self, plans: Mapping[str, WarmPlan], costs: Costs | None) -> None:
        """Of the pools that keep nodes ready now, and of no other."""
        self.warm_nodes.clear()
        self.warm_cost.clear()
        for name, plan in plans.items():
            states = {"ready": plan.free, "wanted": plan.wanted, "used_by_others": plan.lost}
            for state, nodes in states.items():
                self.warm_nodes.labels(name, state).set(nodes)
        if costs is None:
            return
        for pool in costs.pools:
            known = bool(pool.warm_per_hour) or not pool.unpriced_nodes
            if known and pool.pool in plans:
                self.warm_cost.labels(pool.pool, costs.currency).set(float(pool.warm_per_hour))

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
        self._show_comparison(key, cost.savings, currency)
        amount = float(cost.month_to_date.amount)
        self.month_to_date.labels(key.namespace, key.name, currency).set(amount)

    def _show_comparison(self, key: PolicyKey, savings: Savings | Missing, currency: str) -> None:
        policy = (key.namespace, key.name)
        look = savings if isinstance(savings, Missing) else savings.look
        for baseline in Baseline:
            if isinstance(look, Missing) or baseline is not look.baseline:
                _drop(self._baseline_replicas, (*policy, baseline.value))
            else:
                self._baseline_replicas.labels(*policy, baseline.value).set(look.theirs.replicas)
        for side in (BASELINE_SIDE, POLICY_SIDE):
            if isinstance(look, Missing):
                _drop(self._compared, (*policy, side, currency))
            else:
                per_hour = (look.theirs if side == BASELINE_SIDE else look.ours).per_hour
                self._compared.labels(*policy, side, currency).set(float(per_hour))

    def forget_policy(self, key: PolicyKey) -> None:
        """Removes every series of a deleted policy."""
        for totals in (self._policy_totals, *self._compared_totals.values()):
            totals.keep(lambda labels: labels[:2] != (key.namespace, key.name))
        for gauge in (
            *self._policy_gauges,
            self.hourly_cost,
            self.month_to_date,
            self.condition,
            self._policy_counted,
            self._baseline_replicas,
            self._compared,
        ):
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
