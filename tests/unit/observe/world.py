"""Small Kubernetes objects, and answers of a metrics source, for the tests of `observe/`."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inference_cost.model.reading import Missing
from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.prometheus_client import Answer
from inference_cost.observe.queries import CLOCK_QUERY, SUCCESS

NOW = 1_800_000_000.0
RECORDED = Path(__file__).parent / "recorded"
Object = dict[str, Any]
Entry = dict[str, Any]


def rfc3339(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def metadata(name: str, *, namespace: str = "vision", **more: Any) -> Object:
    base = {"name": name, "uid": f"uid-{namespace}-{name}", "generation": 1}
    return {**base, "namespace": namespace, "creationTimestamp": rfc3339(NOW - 3600), **more}


def policy(name: str = "resnet", *, spec: Mapping[str, Any] | None = None, **meta: Any) -> Object:
    smallest = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "minReplicas": 2,
        "maxReplicas": 10,
        "slo": {"latency": {"thresholdMilliseconds": 100, "target": "99.0"}},
    }
    return {"metadata": metadata(name, **meta), "spec": {**smallest, **(spec or {})}}


def deployment(
    name: str = "resnet",
    *,
    replicas: int | None = 2,
    updated: int = 2,
    total: int = 2,
    generation: int = 1,
    observed: int = 1,
    image: str = "triton:1",
    conditions: Iterable[Object] = (),
    **meta: Any,
) -> Object:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"image": image}]}}
    spec: Object = {"selector": {"matchLabels": {"app": name}}, "template": template}
    if replicas is not None:
        spec["replicas"] = replicas
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(name, **{"generation": generation, **meta}),
        "spec": spec,
        "status": {
            "observedGeneration": observed,
            "replicas": total,
            "updatedReplicas": updated,
            "conditions": list(conditions),
        },
    }


def stateful_set(name: str = "resnet", *, update_revision: str = "resnet-b") -> Object:
    obj = deployment(name)
    obj["kind"] = "StatefulSet"
    obj["status"]["updateRevision"] = update_revision
    return obj


def owner(kind: str, name: str, api_version: str = "apps/v1") -> list[Object]:
    return [{"apiVersion": api_version, "kind": kind, "name": name, "controller": True}]


def pod(
    name: str,
    *,
    app: str = "resnet",
    template_hash: str = "aaa",
    ready_for: float | None = 600.0,
    created_at: float = NOW - 1200,
    node: str = "gpu-1",
    phase: str = "Running",
    ip: str = "10.244.1.5",
    **meta: Any,
) -> Object:
    labels = {"app": app, "pod-template-hash": template_hash}
    ready = (
        {"type": "Ready", "status": "False"}
        if ready_for is None
        else {"type": "Ready", "status": "True", "lastTransitionTime": rfc3339(NOW - ready_for)}
    )
    defaults = {
        "labels": labels,
        "ownerReferences": owner("ReplicaSet", f"{app}-{template_hash}"),
        "creationTimestamp": rfc3339(created_at),
    }
    resources = {"limits": {"nvidia.com/gpu": "1"}, "requests": {"cpu": "500m", "memory": "1Gi"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata(name, **{**defaults, **meta}),
        "spec": {"nodeName": node, "containers": [{"name": "triton", "resources": resources}]},
        "status": {"phase": phase, "podIP": ip, "conditions": [ready]},
    }


def node(name: str = "gpu-1", *, labels: Mapping[str, str] | None = None, gpus: int = 1) -> Object:
    common = {"node.kubernetes.io/instance-type": "g6.xlarge"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": metadata(name, namespace="", labels={**common, **(labels or {})}),
        "status": {
            "allocatable": {"nvidia.com/gpu": str(gpus), "cpu": "3920m", "memory": "14Gi"},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def service(name: str = "resnet", *, app: str = "resnet") -> Object:
    return {"metadata": metadata(name), "kind": "Service", "spec": {"selector": {"app": app}}}


def autoscaler(kind: str, name: str, *, target: Mapping[str, str], **meta: Any) -> Object:
    spec = {"scaleTargetRef": dict(target)}
    return {"kind": kind, "metadata": metadata(name, **meta), "spec": spec}


def namespace(name: str = "vision", **annotations: str) -> Object:
    keys = {f"inferencecost.dev/{k.replace('_', '-')}": v for k, v in annotations.items()}
    return {"kind": "Namespace", "metadata": metadata(name, namespace="", annotations=keys)}


def filled(*objects: Object, **by_kind: Object) -> ClusterCache:
    """A synced cache. An object's kind is its own, or the keyword's, or a policy's."""
    cache = ClusterCache()
    for kind in cache.kinds:
        cache.replace(kind.kind, [], listed_at=NOW)
    for obj in objects:
        cache.apply(obj.get("kind", "InferenceCostPolicy"), None, obj)
    for kind_name, obj in by_kind.items():
        cache.apply(kind_name, None, obj)
    return cache


# --- metrics ---


def entry(name: str, labels: Mapping[str, str], *samples: tuple[float, float | str]) -> Entry:
    """One series of a range selector; times are seconds before NOW, written as negative numbers."""
    values = [[NOW + at, str(value)] for at, value in samples]
    return {"metric": {"__name__": name, **labels}, "values": values}


def vector(labels: Mapping[str, str], value: float | str) -> Entry:
    return {"metric": dict(labels), "value": [NOW, str(value)]}


_LINE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")


def exposition(file: str) -> list[tuple[str, dict[str, str], float]]:
    """Samples of a recorded Prometheus text page."""
    found = []
    for line in (RECORDED / file).read_text().splitlines():
        match = _LINE.match(line)
        if match:
            labels = dict(re.findall(r'(\w+)="([^"]*)"', match[2] or ""))
            found.append((match[1], labels, float(match[3])))
    return found


def recorded_window(pod_name: str, *, extra: Mapping[str, str] | None = None) -> list[Entry]:
    """Two scrapes of the real Triton, 30 s apart: idle, then after 43 requests with 22 pending."""
    target = {"namespace": "vision", "pod": pod_name, "instance": "10.244.1.5:8002", "job": "pods"}
    target |= extra or {}
    after = {(n, tuple(sorted(ls.items()))): v for n, ls, v in exposition("triton_loaded.prom")}
    return [
        entry(
            name,
            {**labels, **target},
            (-35, before),
            (-5, after[name, tuple(sorted(labels.items()))]),
        )
        for name, labels, before in exposition("triton_idle.prom")
    ]


class FakeMetrics:
    """A metrics source in memory: filters its entries by the names in the query, as Prometheus would."""

    def __init__(self, *entries: Entry, partial: bool = False, clock: float = NOW) -> None:
        self.entries = list(entries)
        self.gateway: dict[str, list[Entry]] = {}
        self.partial = partial
        self.clock = clock
        self.failures: dict[str, Missing] = {}  # by a part of the query
        self.prices: list[Entry] = []
        self.asked: list[str] = []

    async def query(self, promql: str, *, at: float | None) -> Answer | Missing:
        self.asked.append(promql)
        if promql == CLOCK_QUERY:
            return self.failures.get("time", Answer(result=[self.clock, str(self.clock)]))
        if "_price_estimate" in promql or "hourly_cost" in promql:
            return Answer(result=self.prices)
        assert at == self.clock, "all queries of a tick are at the source's own time"
        for part, missing in self.failures.items():
            if part in promql:
                return missing
        for family, entries in self.gateway.items():
            if family in promql:
                return Answer(result=entries, partial=self.partial)
        names = set(re.findall(r"\w+", promql))
        found = [e for e in self.entries if e["metric"]["__name__"] in names]
        return Answer(result=found, partial=self.partial)


SUCCESS_NAME = SUCCESS
