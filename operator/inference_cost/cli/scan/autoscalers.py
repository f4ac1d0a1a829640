"""Who scales a workload today, by which rule, in words; and what is easily overlooked in that rule."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from inference_cost.cli.scan.workloads import WorkloadKey
from inference_cost.observe.extract import KEDA_PAUSED_ANNOTATION
from inference_cost.observe.fields import controller_of, mapping, sequence

Object = Mapping[str, Any]
HPA, KEDA, NONE = "HorizontalPodAutoscaler", "ScaledObject", "none"
LONGEST_QUERY: Final = 80
_THRESHOLDS: Final = (
    "threshold",
    "value",
    "targetValue",
    "targetQueryValue",
    "lagThreshold",
    "queueLength",
)
_PROMETHEUS: Final = "prometheus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoscaler:
    """`rule`: in words. Bounds are None where nothing scales."""

    kind: str = NONE
    name: str = ""
    rule: str = ""
    min_replicas: int | None = None
    max_replicas: int | None = None
    paused: bool = False
    traps: tuple[str, ...] = field(default=())


def by_target(
    autoscalers: Iterable[Object], scaled_objects: Iterable[Object]
) -> Mapping[WorkloadKey, Autoscaler]:
    """A HorizontalPodAutoscaler that KEDA made is KEDA's, and named after its ScaledObject."""
    found: dict[WorkloadKey, Autoscaler] = {}
    for obj in autoscalers:
        found[_target(obj, "")] = _hpa(obj)
    for obj in scaled_objects:
        found[_target(obj, "Deployment")] = _keda(obj)
    return found


def _target(obj: Object, kind: str) -> WorkloadKey:
    target = mapping(mapping(obj.get("spec")).get("scaleTargetRef"))
    return WorkloadKey(
        namespace=str(mapping(obj.get("metadata")).get("namespace", "")),
        kind=str(target.get("kind") or kind),
        name=str(target.get("name", "")),
    )


def _hpa(obj: Object) -> Autoscaler:
    metadata, spec = mapping(obj.get("metadata")), mapping(obj.get("spec"))
    owner = controller_of(metadata)
    metrics = list(sequence(spec.get("metrics")))
    made_by_keda = owner is not None and owner.kind == KEDA
    lowest = spec.get("minReplicas")
    return Autoscaler(
        kind=KEDA if made_by_keda and owner else HPA,
        name=owner.name if made_by_keda and owner else str(metadata.get("name", "")),
        rule="; ".join(map(_metric, metrics)) or "no metric",
        min_replicas=1 if lowest is None else int(lowest),
        max_replicas=int(spec.get("maxReplicas") or 0),
        traps=() if made_by_keda else tuple(_hpa_traps(metrics)),
    )


def _metric(metric: Object) -> str:
    kind = str(metric.get("type", ""))
    source = mapping(metric.get(kind[:1].lower() + kind[1:]))
    name = str(source.get("name") or mapping(source.get("metric")).get("name") or kind)
    target = mapping(source.get("target"))
    match kind:
        case "Resource" | "ContainerResource":
            inside = f" of container {source['container']}" if source.get("container") else ""
            return f"{name}{inside} {_of_target(target, 'a pod')}"
        case "Pods":
            return f"{name} {_of_target(target, 'a pod')}"
        case _:
            return f"{name} {_of_target(target, 'replica')}"


def _of_target(target: Object, per: str) -> str:
    if target.get("averageUtilization") is not None:
        return f"at {target['averageUtilization']} % of requests"
    if target.get("averageValue") is not None:
        return f"at {target['averageValue']} per {per.removeprefix('a ')}"
    return f"at {target.get('value', '?')}"


def _hpa_traps(metrics: Sequence[Object]) -> Iterator[str]:
    kinds = {str(metric.get("type")) for metric in metrics}
    if kinds and kinds <= {"Resource", "ContainerResource"}:
        yield "CPU and memory say little about a GPU server: it is late long before they rise"
    if any(
        "gpu_util" in _metric(one).lower() or "duty_cycle" in _metric(one).lower()
        for one in metrics
    ):
        yield "GPU utilization is the share of time in which any kernel ran: near 100 % long before the GPU is full"


def _keda(obj: Object) -> Autoscaler:
    metadata, spec = mapping(obj.get("metadata")), mapping(obj.get("spec"))
    triggers = list(sequence(spec.get("triggers")))
    lowest, highest = spec.get("minReplicaCount"), spec.get("maxReplicaCount")
    annotations = mapping(metadata.get("annotations"))
    return Autoscaler(
        kind=KEDA,
        name=str(metadata.get("name", "")),
        rule="; ".join(map(_trigger, triggers)) or "no trigger",
        min_replicas=0 if lowest is None else int(lowest),
        max_replicas=100 if highest is None else int(highest),
        paused=annotations.get(KEDA_PAUSED_ANNOTATION) == "true",
        traps=tuple(_keda_traps(spec, triggers)),
    )


def _trigger(trigger: Object) -> str:
    kind, metadata = str(trigger.get("type", "")), mapping(trigger.get("metadata"))
    target = next((str(metadata[key]) for key in _THRESHOLDS if key in metadata), "")
    query = str(metadata.get("query") or metadata.get("metricName") or "")
    if len(query) > LONGEST_QUERY:
        query = f"{query[:LONGEST_QUERY]}…"
    told = f"{kind} {query}".strip()
    return f"{told} at {target} per replica" if target else told


def _keda_traps(spec: Object, triggers: Sequence[Object]) -> Iterator[str]:
    queries = [mapping(one.get("metadata")) for one in triggers if one.get("type") == _PROMETHEUS]
    if any(str(one.get("ignoreNullValues", "true")).lower() != "false" for one in queries):
        yield "a series that vanishes is read as no load (`ignoreNullValues` is true), and replicas go"
    if queries and not spec.get("fallback"):
        yield "without `fallback` nothing is done while Prometheus does not answer"
