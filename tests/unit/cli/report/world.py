"""A week of three policies, sample by sample, simple enough to be priced by hand.

- serving/resnet, enforced: 2 replicas at night, 6 by day (8 to 20 h), at 4.00 per hour; its side of the savings is
  16.00 per hour, its baseline's 28.00. On Wednesday at noon another leader takes over.
- nlp/bert, in Recommend: 4 replicas at 2.50; its decisions would run 3. Its load asks for 2, and by night minReplicas
  keeps all 4.
- legacy/old: 1 replica at 1.00, misses its objective; its price is unknown on the last day.
- One idle GPU at 4.00 in pool l4 throughout.
- From Friday 00:00 to 06:00 nothing is scraped.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.unit.cli.report.store import Store

FIRST = datetime(2025, 3, 3, tzinfo=UTC).timestamp()  # a Monday
HOUR, DAY, SCRAPE = 3600.0, 86_400.0, 300.0
END = FIRST + 7 * DAY
FAILOVER = FIRST + 2.5 * DAY
SILENT = (FIRST + 4 * DAY, FIRST + 4.25 * DAY)
BEFORE = 1000.0  # what each total had come to when the week began


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Of one moment, per hour or per second."""

    resnet_ready: int
    resnet_boot: float  # share of the hour's cost
    night: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A policy and its baseline, at so much per hour."""

    namespace: str
    policy: str
    baseline: str
    mode: str
    theirs: float
    ours: float
    demand: float
    late: float = 0.002


PAIRS = (
    Pair(
        namespace="serving",
        policy="resnet",
        baseline="HPA",
        mode="Enforce",
        theirs=28.0,
        ours=16.0,
        demand=100.0,
    ),
    Pair(
        namespace="nlp",
        policy="bert",
        baseline="Observed",
        mode="Recommend",
        theirs=10.0,
        ours=7.5,
        demand=50.0,
    ),
    Pair(
        namespace="legacy",
        policy="old",
        baseline="StaticPeak",
        mode="Enforce",
        theirs=2.0,
        ours=1.0,
        demand=10.0,
        late=0.1,
    ),
)


def rates(at: float) -> Rates:
    hour = (at - FIRST) % DAY / HOUR
    day = 8 <= hour < 20
    return Rates(
        resnet_ready=6 if day else 2,
        resnet_boot=1.0 if 8 <= hour < 8.5 else 0.0,
        night=not day,
    )


def moments() -> Iterator[float]:
    at = FIRST - DAY
    while at <= END:
        yield at
        at += SCRAPE


def week() -> Store:
    store = Store()
    totals = dict.fromkeys(("resnet", "resnet boot", "bert", "old", "idle"), BEFORE)
    before = None
    for at in moments():
        if before is not None and at > FIRST:
            for name, per_hour in costs(before).items():
                totals[name] += per_hour * SCRAPE / HOUR
        before = at
        _sample(store, at, totals)
    store.gone(*SILENT)
    return store


def costs(at: float) -> dict[str, float]:
    """Per hour."""
    now = rates(at)
    return {
        "resnet": 4.0 * now.resnet_ready - 8.0 * now.resnet_boot,
        "resnet boot": 8.0 * now.resnet_boot,
        "bert": 10.0,
        "old": 0.0 if at >= END - DAY else 1.0,
        "idle": 4.0,
    }


def _sample(store: Store, at: float, totals: dict[str, float]) -> None:
    job = {"instance": "a" if at < FAILOVER else "b", "job": "operator"}
    for instance in ("a", "b"):
        store.add(at, "leader", float(instance == job["instance"]), instance=instance)
    now = rates(at)
    resnet = {"namespace": "serving", "policy": "resnet", **job}
    bert = {"namespace": "nlp", "policy": "bert", **job}
    old = {"namespace": "legacy", "policy": "old", **job}
    line = {"currency": "USD", "line": "serving", "capacity_type": "on-demand", "pool": "l4"}
    more = {"variant": "", "cost_center": "vision"}
    store.add(at, "policy_cost_total", totals["resnet"], **resnet, **line, **more)
    store.add(
        at, "policy_cost_total", totals["resnet boot"], **resnet, **(line | more | {"line": "boot"})
    )
    store.add(
        at, "policy_cost_total", totals["bert"], **bert, **line, variant="spot", cost_center=""
    )
    spot = {"pool": "t4", "capacity_type": "spot", "variant": "", "cost_center": ""}
    store.add(at, "policy_cost_total", totals["old"], **old, **(line | spot))
    store.add(at, "pool_cost_total", totals["idle"], **(line | {"line": "idle"}), **job)

    _gauges(store, at, resnet, ready=now.resnet_ready, demand=100.0, in_time=0.998, load=20.0)
    _gauges(store, at, bert, ready=4, demand=50.0, in_time=0.995, load=30.0)
    _gauges(store, at, old, ready=1, demand=10.0, in_time=0.9, load=10.0)
    store.add(at, "policy_gpu_utilization_ratio", 0.75, **resnet)
    store.add(at, "policy_gpu_utilization_ratio", 0.4, **bert)
    store.add(at, "policy_price_known", float(at < END - DAY), **old)
    if now.night:
        store.add(at, "policy_limited_by", 1.0, **bert, limited_by="MinReplicas")
    for pair in PAIRS:
        _compared(store, at, pair, {**job, "namespace": pair.namespace, "policy": pair.policy})


def _gauges(
    store: Store,
    at: float,
    policy: dict[str, str],
    *,
    ready: int,
    demand: float,
    in_time: float,
    load: float,
) -> None:
    store.add(at, "policy_desired_replicas", float(ready), **policy)
    store.add(at, "policy_ready_replicas", float(ready), **policy)
    store.add(at, "policy_demand_requests_per_second", demand, **policy)
    store.add(at, "policy_forecast_requests_per_second", demand, **policy)
    store.add(at, "policy_slo_attainment_ratio", in_time, **policy)
    store.add(at, "policy_replica_load_requests_per_second", load, **policy)


def _compared(store: Store, at: float, pair: Pair, of: dict[str, str]) -> None:
    """Nothing is counted in the silent hours: the operator was away."""
    for side, per_hour in (("policy", pair.ours), ("baseline", pair.theirs)):
        store.add(at, "policy_compared_hourly_cost", per_hour, **of, side=side, currency="USD")
    hours = max(0.0, min(at, SILENT[0]) - FIRST) / HOUR + max(0.0, at - SILENT[1]) / HOUR
    requests = pair.demand * hours * HOUR
    labels = {**of, "baseline": pair.baseline, "mode": pair.mode}
    store.add(at, "policy_compared_requests_total", BEFORE + requests, **labels)
    store.add(at, "policy_compared_seconds_total", BEFORE + hours * HOUR, **labels)
    sides = (("policy", pair.ours * hours, pair.late), ("baseline", pair.theirs * hours, 0.004))
    for side, cost, late in sides:
        store.add(
            at, "policy_compared_cost_total", BEFORE + cost, **labels, side=side, currency="USD"
        )
        store.add(
            at, "policy_compared_late_requests_total", BEFORE + requests * late, **labels, side=side
        )


def policy(namespace: str, name: str, mode: str, target: str, **cost: Any) -> dict[str, Any]:
    return {
        "metadata": {"namespace": namespace, "name": name, "generation": 1},
        "spec": {
            "mode": mode,
            "scaleTargetRef": {"kind": "Deployment", "name": name},
            "slo": {"latency": {"thresholdMilliseconds": 100, "target": target}},
        },
        "status": {
            "cost": {
                "currency": "USD",
                "priceSource": "ShippedTable",
                "priceTime": "2025-02-01T00:00:00Z",
            }
            | cost,
            "decision": {
                "time": "2025-03-09T20:00:05Z",
                "action": "Hold",
                "desiredReplicas": 2,
                "limitedBy": "MinReplicas",
                "message": "Seen: 50 requests/s & <few> of them late.",
                "whyNotFewer": "minReplicas asks for 2.",
            },
        },
    }


def event(
    namespace: str, name: str, reason: str, message: str, *, at: str, count: int
) -> dict[str, Any]:
    return {
        "metadata": {"namespace": namespace, "name": f"{name}.1", "creationTimestamp": at},
        "involvedObject": {"kind": "InferenceCostPolicy", "namespace": namespace, "name": name},
        "reason": reason,
        "message": message,
        "eventTime": at,
        "series": {"count": count, "lastObservedTime": at},
    }


POLICIES = [
    policy("serving", "resnet", "Enforce", "99.0", perHour="8.00", coveragePercent="98.81"),
    policy("nlp", "bert", "Recommend", "99.0", perHour="10.00", priceSource="CapacityPool"),
    policy("legacy", "old", "Enforce", "99.0"),
]
EVENTS = [
    event(
        "serving",
        "resnet",
        "ScaledOut",
        "From 2 to 6 replicas.",
        at="2025-03-09T08:00:01.000000Z",
        count=7,
    ),
    event(
        "legacy",
        "old",
        "SLOViolated",
        "90 % of 99 % in time <script>alert(1)</script>.",
        at="2025-03-09T03:00:00Z",
        count=2,
    ),
]
L4: dict[str, Any] = {
    "metadata": {"name": "l4"},
    "spec": {},
    "status": {
        "nodes": 11,
        "perNodeHour": "4.00",
        "priceSource": "CapacityPool",
        "priceTime": "2025-03-09T00:00:00Z",
        "conditions": [
            {"type": "PriceKnown", "status": "True", "reason": "Known", "message": "It is known."},
            {
                "type": "Scarce",
                "status": "True",
                "reason": "NotProvisioned",
                "message": "No node came in 900 s.",
            },
        ],
    },
}
GROUP = "/apis/inferencecost.dev/v1alpha1"
API: dict[str, Any] = {
    f"{GROUP}/inferencecostpolicies": POLICIES,
    f"{GROUP}/capacitypools": [L4],
    "/api/v1/events": EVENTS,
    f"{GROUP}/namespaces/nlp/inferencecostpolicies": [POLICIES[1]],
    "/api/v1/namespaces/nlp/events": 403,
}
