"""What a gateway in front of the fleet saw: offered load, errors, and latency as clients have it.

Envoy's names are Envoy's: times in milliseconds, classes of response codes, one set per upstream cluster.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from inference_cost.model.policy import TargetRef
from inference_cost.model.reading import Missing, MissingReason, Reading, Sample
from inference_cost.model.signals import GatewaySignals, LatencyHistogram
from inference_cost.observe import queries as q
from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.prometheus_client import Answer
from inference_cost.observe.queries import TickAnswers
from inference_cost.observe.records import Labels, ScaleTargetRecord, ServiceRecord
from inference_cost.observe.settings import GatewaySettings

ServiceKey = tuple[str, str]  # (namespace, name)
NOT_CONFIGURED = Missing(
    reason=MissingReason.NOT_CONFIGURED,
    detail="no gateway is configured; set gateway.preset to have latency measured at the client's side",
)
_MILLISECONDS = 0.001
_NAMES_SHOWN = 5


@dataclass(slots=True)
class ServiceTraffic:
    """Increases over the window for one Service, all gateways and ports together."""

    attempts: float = 0.0
    responses: float = 0.0
    errors: float = 0.0
    waiting: float | None = None  # a gauge; None where the gateway does not export it
    buckets: dict[float, float] = field(default_factory=lambda: defaultdict(float))


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayTick:
    """A gateway's traffic by Service. `failure`: why there is none at all."""

    window_seconds: float
    traffic: Mapping[ServiceKey, ServiceTraffic]
    at: float = 0.0
    failure: Missing | None = None
    unmatched: tuple[str, ...] = ()  # cluster names that fit no pattern, a few


class ClusterNames:
    """From an upstream cluster's name to a Service. Compiled once, and each name is matched once."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._patterns = [re.compile(p) for p in settings.cluster_patterns]
        self._known: dict[str, ServiceKey | None] = {}

    def service(self, cluster: str) -> ServiceKey | None:
        if cluster not in self._known:
            self._known[cluster] = self._match(cluster)
        return self._known[cluster]

    def _match(self, cluster: str) -> ServiceKey | None:
        for pattern in self._patterns:
            found = pattern.fullmatch(cluster)
            if found:
                return found["namespace"], found["service"]
        return None


def read_gateway(
    answers: TickAnswers, settings: GatewaySettings, names: ClusterNames
) -> GatewayTick:
    """Sort a tick's gateway answers by Service."""
    if settings.preset == "none":
        return GatewayTick(window_seconds=0.0, traffic={}, failure=NOT_CONFIGURED)
    failed = next((a for a in map(answers.get, _ADDED) if isinstance(a, Missing)), None)
    if failed is not None:
        return GatewayTick(window_seconds=0.0, traffic={}, failure=failed)
    traffic: dict[ServiceKey, ServiceTraffic] = defaultdict(ServiceTraffic)
    unmatched: set[str] = set()
    for name, add in _ADDED.items():
        for labels, value in _values(answers.get(name)):
            cluster = labels.get(settings.cluster_label, "")
            service = names.service(cluster)
            if service is None:
                unmatched.add(cluster)
            else:
                add(traffic[service], labels, value)
    _add_waiting(traffic, answers, settings, names)
    return GatewayTick(
        window_seconds=answers.window_seconds,
        at=answers.at,
        traffic=dict(traffic),
        unmatched=tuple(sorted(unmatched)[:_NAMES_SHOWN]),
    )


def _add_waiting(
    traffic: dict[ServiceKey, ServiceTraffic],
    answers: TickAnswers,
    settings: GatewaySettings,
    names: ClusterNames,
) -> None:
    """What the gateway holds back. Not every gateway exports it, and nothing else hangs on it."""
    for labels, value in _values(answers.get("gateway_waiting")):
        service = names.service(labels.get(settings.cluster_label, ""))
        if service is not None and service in traffic:
            traffic[service].waiting = (traffic[service].waiting or 0.0) + value


def _values(answer: Answer | Missing) -> Iterable[tuple[Labels, float]]:
    if isinstance(answer, Missing):
        return
    for entry in answer.result:
        value = _number(entry)
        if value is not None:
            yield entry.get("metric") or {}, value


def _number(entry: Mapping[str, Any]) -> float | None:
    try:
        value = float(entry["value"][1])
    except (KeyError, IndexError, TypeError, ValueError):
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _add_attempts(traffic: ServiceTraffic, labels: Labels, value: float) -> None:
    del labels
    traffic.attempts += value


def _add_class(traffic: ServiceTraffic, labels: Labels, value: float) -> None:
    traffic.responses += value
    if labels.get(q.ENVOY_CLASS_LABEL) == "5":
        traffic.errors += value


def _add_bucket(traffic: ServiceTraffic, labels: Labels, value: float) -> None:
    try:
        bound = float(labels.get("le", ""))
    except ValueError:
        return
    traffic.buckets[bound * _MILLISECONDS] += value


_ADDED = {
    "gateway_requests": _add_attempts,
    "gateway_classes": _add_class,
    "gateway_latency": _add_bucket,
}


def gateway_signals(
    tick: GatewayTick, cache: ClusterCache, namespace: str, targets: Iterable[TargetRef]
) -> GatewaySignals | Missing:
    """Traffic of all Services that select the targets' pods."""
    if tick.failure is not None:
        return tick.failure
    services = _services_of(tick, cache, namespace, list(targets))
    if isinstance(services, Missing):
        return services
    many = [tick.traffic[s] for s in services]
    attempts, responses = (sum(_each(many, key)) for key in ("attempts", "responses"))
    return GatewaySignals(
        seconds=tick.window_seconds,
        # Retries count as attempts, and a request shed by the gateway itself is a response without one.
        requests=max(attempts, responses),
        responses=responses,
        errors=sum(_each(many, "errors")),
        latency=_histogram(many),
        waiting=_waiting(many, tick.at),
    )


def _waiting(many: Iterable[ServiceTraffic], at: float) -> Reading[float]:
    known = [t.waiting for t in many if t.waiting is not None]
    if not known:
        return Missing(reason=MissingReason.NOT_EXPORTED, detail=q.ENVOY_WAITING)
    return Sample(value=sum(known), at=at)


def _each(many: Iterable[ServiceTraffic], key: str) -> Iterable[float]:
    return (getattr(t, key) for t in many)


def _histogram(many: Iterable[ServiceTraffic]) -> LatencyHistogram | Missing:
    summed: dict[float, float] = defaultdict(float)
    for traffic in many:
        for bound, count in traffic.buckets.items():
            summed[bound] += count
    bounds = sorted(summed)
    if not bounds or not math.isinf(bounds[-1]):
        return Missing(reason=MissingReason.EMPTY_RESULT, detail=f"no {q.ENVOY_TIME_BUCKET}")
    cumulative: list[float] = []
    for bound in bounds:  # extrapolation may leave a bucket a hair below the one before it
        cumulative.append(max(summed[bound], cumulative[-1] if cumulative else 0.0))
    return LatencyHistogram(bounds_seconds=tuple(bounds), cumulative=tuple(cumulative))


def _services_of(
    tick: GatewayTick, cache: ClusterCache, namespace: str, targets: list[TargetRef]
) -> list[ServiceKey] | Missing:
    records = {(r.kind, r.name): r for r in cache.scale_targets(namespace)}
    ours = [records[t.kind, t.name] for t in targets if (t.kind, t.name) in records]
    chosen = []
    for key in sorted(k for k in tick.traffic if k[0] == namespace):
        service = cache.service(*key)
        if service is None or not any(_leads_to(service, r) for r in ours):
            continue
        others = [r for r in records.values() if r not in ours and _leads_to(service, r)]
        if others:
            return _shared(service, others[0])
        chosen.append(key)
    return chosen or _no_traffic(tick, namespace)


def _leads_to(service: ServiceRecord, target: ScaleTargetRecord) -> bool:
    wanted, labels = service.selector, target.template_labels
    return bool(wanted) and all(labels.get(k) == v for k, v in wanted.items())


def _shared(service: ServiceRecord, other: ScaleTargetRecord) -> Missing:
    return Missing(
        reason=MissingReason.AMBIGUOUS,
        detail=f"Service/{service.name} also selects the pods of {other.kind}/{other.name}, which this "
        "policy does not scale; give each its own Service",
    )


def _no_traffic(tick: GatewayTick, namespace: str) -> Missing:
    there = sorted(f"{n}/{s}" for n, s in tick.traffic if n == namespace)
    names = ", ".join(there[:_NAMES_SHOWN]) or f"none in {namespace}"
    beside = f"; not understood: {', '.join(tick.unmatched)}" if tick.unmatched else ""
    return Missing(
        reason=MissingReason.EMPTY_RESULT,
        detail=f"the gateway has no upstream that selects these pods; it has {names}{beside}",
    )
