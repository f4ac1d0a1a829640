"""One policy in one line, and the fleet in one sentence."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from inference_cost.api.annotations import InvalidAnnotationError, pause_request
from inference_cost.api.conditions import ConditionType
from inference_cost.cli.targets import targets_of

PAUSED = "Paused"  # reason of Ready, also where the namespace is paused
SLO_ORDER = ("Violated", "AtRisk", "Met", "Unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What `kubectl get icp` shows too, and more; "" where nothing is known."""

    namespace: str
    name: str
    target: str
    mode: str
    replicas: str
    desired: str
    slo: str
    cost_per_hour: str
    limited_by: str
    ready: str
    ready_pods: str
    requests_per_second: str
    forecast_requests_per_second: str
    attainment_percent: str
    measured_at: str
    desired_cost_per_hour: str
    month_to_date: str
    currency: str
    paused: bool
    conflicted: bool
    current: bool  # whether the status speaks of the spec as it is
    slo_violated: bool

    def to_cells(self) -> dict[str, str]:
        """The columns of a table, as those of `kubectl get icp`."""
        return {
            "namespace": self.namespace,
            "name": self.name,
            "target": self.target,
            "mode": f"{self.mode} (paused)" if self.paused else self.mode,
            "replicas": self.replicas,
            "desired": self.desired,
            "slo": self.slo,
            "cost/h": self.cost_per_hour,
            "limited-by": self.limited_by,
            "ready": self.ready,
        }

    def to_wide_cells(self) -> dict[str, str]:
        return self.to_cells() | {
            "ready-pods": self.ready_pods,
            "requests/s": self.requests_per_second,
            "forecast": self.forecast_requests_per_second,
            "in-time %": self.attainment_percent,
            "measured-at": self.measured_at,
            "desired/h": self.desired_cost_per_hour,
            "month-to-date": self.month_to_date,
        }

    def to_json(self) -> dict[str, Any]:
        return {
            "namespace": self.namespace,
            "name": self.name,
            "target": self.target,
            "mode": self.mode,
            "replicas": self.replicas,
            "desired": self.desired,
            "slo": self.slo,
            "costPerHour": self.cost_per_hour,
            "limitedBy": self.limited_by,
            "ready": self.ready,
            "readyPods": self.ready_pods,
            "requestsPerSecond": self.requests_per_second,
            "forecastRequestsPerSecond": self.forecast_requests_per_second,
            "attainmentPercent": self.attainment_percent,
            "measuredAt": self.measured_at,
            "desiredCostPerHour": self.desired_cost_per_hour,
            "monthToDate": self.month_to_date,
            "currency": self.currency,
            "paused": self.paused,
            "conflicted": self.conflicted,
            "current": self.current,
            "sloViolated": self.slo_violated,
        }


def summary_of(policy: Mapping[str, Any]) -> Summary:
    metadata, spec, status = policy["metadata"], policy["spec"], policy.get("status") or {}
    replicas, slo, cost = (status.get(key) or {} for key in ("replicas", "slo", "cost"))
    decision, demand = status.get("decision") or {}, status.get("demand") or {}
    conditions = {c["type"]: c["status"] for c in status.get("conditions") or ()}
    reasons = {c["type"]: c["reason"] for c in status.get("conditions") or ()}
    return Summary(
        namespace=metadata["namespace"],
        name=metadata["name"],
        target=targets_of(spec),
        mode=spec.get("mode", "Recommend"),
        replicas=_text(replicas.get("current")),
        desired=_text(replicas.get("desired")),
        slo=_text(slo.get("state")),
        cost_per_hour=_text(cost.get("perHour")),
        limited_by=_text(decision.get("limitedBy")),
        ready=conditions.get(ConditionType.READY, ""),
        ready_pods=_text(replicas.get("ready")),
        requests_per_second=_text(demand.get("requestsPerSecond")),
        forecast_requests_per_second=_text(demand.get("forecastRequestsPerSecond")),
        attainment_percent=_text(slo.get("attainmentPercent")),
        measured_at=_text(slo.get("measuredAt")),
        desired_cost_per_hour=_text(decision.get("costPerHour")),
        month_to_date=_text(cost.get("monthToDate")),
        currency=_text(cost.get("currency")),
        paused=is_paused(metadata) or reasons.get(ConditionType.READY) == PAUSED,
        conflicted=conditions.get(ConditionType.CONFLICTED) == "True",
        current=status.get("observedGeneration", 0) >= metadata.get("generation", 0),
        slo_violated=conditions.get(ConditionType.SLO_MET) == "False",
    )


def is_paused(metadata: Mapping[str, Any]) -> bool:
    """By its own annotations. One that means nothing pauses, too: the operator writes nothing meanwhile."""
    try:
        return pause_request(metadata.get("annotations") or {}) is not None
    except InvalidAnnotationError:
        return True


def _text(value: object) -> str:
    return "" if value is None else str(value)


def fleet_sentence(rows: Sequence[Summary]) -> str:
    """For example: 12 policies, 57 replicas (52 wanted), 41.20 USD per hour; SLO: 1 Violated, 11 Met; 2 paused."""
    count = len(rows)
    parts = [f"{count} polic{'ies' if count > 1 else 'y'}, {_replicas(rows)}", *_costs(rows)]
    told = ", ".join(parts)
    states = Counter(row.slo or "Unknown" for row in rows)
    slo = ", ".join(f"{states[state]} {state}" for state in SLO_ORDER if states[state])
    extras = {
        "paused": sum(row.paused for row in rows),
        "conflicted": sum(row.conflicted for row in rows),
        "not looked at yet": sum(not row.current or not row.ready for row in rows),
    }
    more = "".join(f"; {number} {what}" for what, number in extras.items() if number)
    return f"{told}; SLO: {slo}{more}"


def _replicas(rows: Sequence[Summary]) -> str:
    now = sum(int(row.replicas) for row in rows if row.replicas)
    wanted = sum(int(row.desired) for row in rows if row.desired)
    return f"{now} replicas ({wanted} wanted)" if wanted != now else f"{now} replicas"


def _costs(rows: Sequence[Summary]) -> list[str]:
    """Per currency; policies whose price is not known are named by their number."""
    totals: dict[str, Decimal] = {}
    for row in rows:
        if (amount := _amount(row.cost_per_hour)) is not None:
            totals[row.currency] = totals.get(row.currency, Decimal(0)) + amount
    told = [f"{amount:.2f} {currency} per hour" for currency, amount in sorted(totals.items())]
    unpriced = sum(_amount(row.cost_per_hour) is None for row in rows)
    if unpriced:
        told.append(f"{unpriced} without a price")
    return told


def _amount(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
