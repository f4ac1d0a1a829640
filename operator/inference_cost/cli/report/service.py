"""What was served in the time, how much of it within the objective, and what that has to do with the cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from inference_cost.cli.report.document import PolicyPart, SavingsPart
from inference_cost.cli.report.money import Rounding, rate_text
from inference_cost.cli.report.recorded import Policy, Recorded, Values
from inference_cost.cli.report.window import Window

IN_TIME = "policy_slo_attainment_ratio"
DEMAND = "policy_demand_requests_per_second"
READY = "policy_ready_replicas"
NOT_THERE = "not in the cluster now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """`requests`: offered, where that is recorded. `in_time`: share of those of which it is measured, by load."""

    requests: float | None
    requests_hours: float
    in_time: float | None
    in_time_requests: float


def service_of(recorded: Recorded, policy: Policy, window: Window) -> Service:
    demand = recorded.mean(DEMAND, policy) or ()
    in_time = recorded.mean(IN_TIME, policy) or ()
    seconds = window.piece_seconds
    known = [rate for rate in demand if rate is not None]
    pairs = [
        (rate, share)
        for rate, share in zip(demand, in_time, strict=bool(demand and in_time))
        if rate is not None and share is not None
    ]
    weight = sum(rate for rate, _ in pairs)
    return Service(
        requests=sum(known) * seconds if known else None,
        requests_hours=len(known) * seconds / 3600,
        in_time=sum(rate * share for rate, share in pairs) / weight if weight > 0 else None,
        in_time_requests=weight * seconds,
    )


def all_in_time(services: Sequence[Service]) -> float | None:
    """Of all policies together, by requests."""
    known = [(one.in_time, one.in_time_requests) for one in services if one.in_time is not None]
    weight = sum(requests for _, requests in known)
    return sum(share * requests for share, requests in known) / weight if weight > 0 else None


def in_time_by_piece(
    recorded: Recorded, policies: Sequence[Policy], pieces: int
) -> list[float | None]:
    sums: list[tuple[float, float]] = [(0.0, 0.0)] * pieces
    for policy in policies:
        demand, in_time = recorded.mean(DEMAND, policy), recorded.mean(IN_TIME, policy)
        if demand is None or in_time is None:
            continue
        sums = [
            (met + rate * share, all_ + rate)
            if rate is not None and share is not None
            else (met, all_)
            for (met, all_), rate, share in zip(sums, demand, in_time, strict=True)
        ]
    return [met / whole if whole > 0 else None for met, whole in sums]


def target_of(spec: Mapping[str, Any]) -> float | None:
    """Percent of the requests that are to be in time, where the objective names it."""
    latency = (spec.get("slo") or {}).get("latency") or {}
    target = latency.get("target")
    return None if target is None else float(target)


def objective_of(spec: Mapping[str, Any]) -> str:
    slo = spec.get("slo") or {}
    if "latency" in slo:
        latency = slo["latency"]
        return (
            f"{float(latency['target']):g} % within {latency['thresholdMilliseconds']} ms"
            if "target" in latency
            else f"within {latency['thresholdMilliseconds']} ms"
        )
    if "queueTime" in slo:
        return f"queue of {slo['queueTime'].get('meanMilliseconds')} ms on average"
    if "drain" in slo:
        return f"done within {slo['drain'].get('withinSeconds')} s"
    return ""


def policy_part(
    policy: Policy,
    found: Mapping[str, Any] | None,
    *,
    cost: Decimal,
    service: Service,
    replicas: Values | None,
    savings: tuple[SavingsPart, ...],
    rounding: Rounding,
) -> PolicyPart:
    """`found`: the object, None where it is gone. `cost` of the time, `service` and `savings` likewise."""
    spec = (found or {}).get("spec") or {}
    status = (found or {}).get("status") or {}
    now = status.get("cost") or {}
    in_time, source = _in_time(service, status)
    target = target_of(spec)
    return PolicyPart(
        namespace=policy[0],
        name=policy[1],
        mode=spec.get("mode", "Recommend") if found else NOT_THERE,
        objective=objective_of(spec),
        target_percent=target,
        cost=rounding.text(cost),
        requests=None if service.requests is None else round(service.requests),
        per_thousand_requests=_per_thousand(cost, service.requests),
        in_time_percent=None if in_time is None else round(100 * in_time, 3),
        in_time_source=source,
        late_of_allowed=_late_of_allowed(in_time, target),
        mean_replicas=_mean(replicas),
        per_hour=None if now.get("perHour") is None else rate_text(Decimal(now["perHour"])),
        price_source=now.get("priceSource") or "",
        price_time=now.get("priceTime") or "",
        coverage_percent=_number(now.get("coveragePercent")),
        cost_center=spec.get("costCenter") or "",
        savings=savings,
    )


def _in_time(service: Service, status: Mapping[str, Any]) -> tuple[float | None, str]:
    if service.in_time is not None:
        return service.in_time, "measured in the time, by load"
    percent = _number((status.get("slo") or {}).get("attainmentPercent"))
    if percent is not None:
        return percent / 100, "measured now; not recorded over the time"
    return None, ""


def _late_of_allowed(in_time: float | None, target_percent: float | None) -> float | None:
    if in_time is None or target_percent is None:
        return None
    return round(max(0.0, 1 - in_time) / (1 - target_percent / 100), 2)


def _per_thousand(cost: Decimal, requests: float | None) -> str | None:
    if not requests:
        return None
    return f"{cost * 1000 / Decimal(str(requests)):.6f}"


def _mean(values: Values | None) -> float | None:
    known = [value for value in values or () if value is not None]
    return round(sum(known) / len(known), 2) if known else None


def _number(text: object) -> float | None:
    return None if text is None else float(str(text))
