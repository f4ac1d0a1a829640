"""What the accounts export: totals that go on over changes of leaders, the month's forecast, both sides of savings."""

from collections.abc import Callable, Iterator

from inference_cost.account.accrual import CostLine
from inference_cost.account.costs import Costs, PolicyCost
from inference_cost.account.month import AccountMemory, Unknown
from inference_cost.account.savings.savings import Kept, Savings
from inference_cost.control.cost_totals import Totals
from inference_cost.control.shown_series import MakeGauge, Point, ShownSeries
from inference_cost.model import recorded as names
from inference_cost.model.policy import Mode, PolicyKey
from inference_cost.model.reading import Missing

SECONDS_PER_HOUR = 3600
MakeTotals = Callable[[str, str, tuple[str, ...]], Totals]
SIDES = (names.BASELINE_SIDE, names.POLICY_SIDE)


class AccountMetrics:
    """A figure that is not known has no series."""

    def __init__(self, gauge: MakeGauge, totals: MakeTotals) -> None:
        self._shown = ShownSeries()
        self._policy_totals = totals(
            names.POLICY_COST,
            "Cost of the policy's replicas since it was first seen; it goes on over restarts and changes of leaders."
            " `line`: serving, or boot (bound and not ready yet).",
            (*names.POLICY_LABELS, *names.LINE_LABELS),
        )
        self._policy_counted = gauge(
            names.POLICY_COUNTED,
            "Time (epoch seconds) up to which the totals count; `uid` is that of the policy.",
            (*names.POLICY_LABELS, names.UID),
        )
        self._pool_totals = totals(
            names.POOL_COST,
            "Cost of what is no policy's of the pool's nodes. `line`: idle (nobody requested it), warm (kept ready),"
            " overhead (system pods, DaemonSets), other (pods of no policy), or boot (nodes that are not ready).",
            names.POOL_LINE_LABELS,
        )
        self._pool_counted = gauge(
            names.POOL_COUNTED, "Time (epoch seconds) up to which the total counts.", ("pool",)
        )
        self._build_up_time(totals)
        self._build_up_month(gauge)
        self._build_up_savings(gauge, totals)

    def _build_up_time(self, totals: MakeTotals) -> None:
        self._policy_charged = totals(
            names.POLICY_CHARGED,
            "Time of replicas that is in the total: two for an hour are 7200.",
            (*names.POLICY_LABELS, *names.PLACE_LABELS),
        )
        self._pool_charged = totals(
            names.POOL_CHARGED,
            "Time of nodes that have part in the line: two for an hour are 7200.",
            names.POOL_PLACE_LABELS,
        )
        text = (
            "Time of which not all is in the total. `reason`: away (nobody looked, and pods and nodes came and went),"
            " or price (one was not known, or the"
            " target was not followed)."
        )
        self._policy_unknown = totals(
            names.POLICY_UNKNOWN, text, (*names.POLICY_LABELS, names.REASON)
        )
        self._pool_unknown = totals(names.POOL_UNKNOWN, text, ("pool", names.REASON))

    def _build_up_month(self, gauge: MakeGauge) -> None:
        self._projected = gauge(
            "policy_projected_month_cost",
            "What the calendar month (UTC) will have cost. `bound`: expected, or an end of the band in which four of"
            " five months end. Absent while not known.",
            (*names.POLICY_LABELS, "bound", "currency"),
        )
        self._budget = gauge(
            "policy_monthly_budget",
            "`spec.monthlyBudget`. Absent without one.",
            (*names.POLICY_LABELS, "currency"),
        )

    def _build_up_savings(self, gauge: MakeGauge, totals: MakeTotals) -> None:
        self._baseline_replicas = gauge(
            "policy_baseline_replicas",
            "Replicas that the baseline of savings would run now, a fraction for Observed. Absent while not known.",
            (*names.POLICY_LABELS, "baseline"),
        )
        self._compared = gauge(
            "policy_compared_hourly_cost",
            "Both sides of the savings, in whole nodes: `side` is baseline or policy. In Recommend the policy's is what"
            " its decisions would cost. Absent while one is not known.",
            (*names.POLICY_LABELS, "side", "currency"),
        )
        compared = (*names.POLICY_LABELS, *names.COMPARED_LABELS)
        self._compared_cost = totals(
            names.COMPARED_COST,
            "Both sides of the savings, counted while both are known; it goes on over restarts. `mode`: Enforce, or"
            " Recommend for what is potential.",
            (*compared, "side", "currency"),
        )
        self._compared_requests = totals(
            names.COMPARED_REQUESTS, "Requests in that time.", compared
        )
        self._compared_late = totals(
            names.COMPARED_LATE,
            "Of these, those beyond the objective, measured or predicted.",
            (*compared, "side"),
        )
        self._compared_seconds = totals(
            names.COMPARED_SECONDS, "Time in which both sides were known.", compared
        )

    def show(self, costs: Costs) -> None:
        self._shown.keep_only(frozenset(costs.policies))
        for key, cost in costs.policies.items():
            self._shown.show(key, dict(self._points(key, cost, costs)))
        for key, memory in costs.memory.items():
            self._show_totals(key, memory, costs.currency)
            for kept in memory.savings.kept if memory.savings is not None else ():
                self._show_kept(key, kept, costs.currency)
        for name, memory in costs.pool_memory.items():
            self._pool_counted.labels(name).set(memory.last_at)
            _show_unknown(self._pool_unknown, (name,), memory.unknown)
            for line, amount in memory.totals:
                where = (line.pool, line.capacity_type.value, line.kind.value)
                self._pool_totals.show((*where, costs.currency), float(amount))
            for line, hours in memory.hours:
                where = (line.pool, line.capacity_type.value, line.kind.value)
                self._pool_charged.show(where, float(hours * SECONDS_PER_HOUR))

    def forget_policy(self, key: PolicyKey) -> None:
        self._shown.forget(key)
        for totals in (
            self._policy_totals,
            self._compared_cost,
            self._compared_requests,
            self._compared_late,
            self._compared_seconds,
            self._policy_unknown,
            self._policy_charged,
        ):
            totals.keep(lambda labels: labels[:2] != (key.namespace, key.name))

    def _show_totals(self, key: PolicyKey, memory: AccountMemory, currency: str) -> None:
        _show_unknown(self._policy_unknown, (key.namespace, key.name), memory.unknown)
        for line, amount in memory.totals:
            self._policy_totals.show((*_place(key, line), currency), float(amount))
        for line, hours in memory.hours:
            self._policy_charged.show(_place(key, line), float(hours * SECONDS_PER_HOUR))

    def _show_kept(self, key: PolicyKey, kept: Kept, currency: str) -> None:
        mode = Mode.RECOMMEND if kept.potential else Mode.ENFORCE
        labels = (key.namespace, key.name, kept.baseline.value, mode.value)
        self._compared_requests.show(labels, kept.requests)
        self._compared_seconds.show(labels, kept.seconds)
        for side, total in zip(SIDES, (kept.theirs, kept.ours), strict=True):
            self._compared_cost.show((*labels, side, currency), float(total.amount))
            self._compared_late.show((*labels, side), total.late)

    def _points(
        self, key: PolicyKey, cost: PolicyCost, costs: Costs
    ) -> Iterator[tuple[Point, float]]:
        policy = (key.namespace, key.name)
        if key in costs.memory:
            yield (self._policy_counted, (*policy, key.uid)), costs.memory[key].last_at
        if cost.monthly_budget is not None:
            yield (self._budget, (*policy, costs.currency)), float(cost.monthly_budget)
        if not isinstance(cost.projection, Missing):
            for bound in ("expected", "low", "high"):
                amount = getattr(cost.projection, bound)
                if not isinstance(amount, Missing):
                    yield (self._projected, (*policy, bound, costs.currency)), float(amount)
        yield from self._comparison(policy, cost.savings, costs.currency)

    def _comparison(
        self, policy: tuple[str, str], savings: Savings | Missing, currency: str
    ) -> Iterator[tuple[Point, float]]:
        look = savings if isinstance(savings, Missing) else savings.look
        if isinstance(look, Missing):
            return
        baseline = (*policy, look.baseline.value)
        yield (self._baseline_replicas, baseline), look.theirs.replicas
        for side, per_hour in zip(SIDES, (look.theirs.per_hour, look.ours.per_hour), strict=True):
            yield (self._compared, (*policy, side, currency)), float(per_hour)


def _place(key: PolicyKey, line: CostLine) -> tuple[str, ...]:
    where = (line.variant, line.pool, line.capacity_type.value, line.cost_center)
    return (key.namespace, key.name, *where, line.kind.value)


def _show_unknown(totals: Totals, whose: tuple[str, ...], unknown: Unknown) -> None:
    totals.show((*whose, names.AWAY), unknown.away)
    totals.show((*whose, names.UNPRICED), unknown.unpriced)
