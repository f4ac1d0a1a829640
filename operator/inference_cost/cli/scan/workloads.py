"""Which workloads run Triton: told by their pod template, or by the metrics of their pods."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from inference_cost.observe.fields import mapping, sequence
from inference_cost.observe.pods import is_finished, pod_record
from inference_cost.observe.records import PodRecord

Object = Mapping[str, Any]
PodName = tuple[str, str]  # namespace, name
_TRITON: Final = re.compile(r"tritonserver|pytriton", re.IGNORECASE)
_ROLLOUT_LABEL: Final = "rollouts-pod-template-hash"
SCALABLE: Final = frozenset({"Deployment", "StatefulSet"})


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class WorkloadKey:
    namespace: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A workload and its pods that have not ended. `asked`: replicas it is to have; None without its object."""

    key: WorkloadKey
    api_version: str
    asked: int | None
    pods: tuple[PodRecord, ...]

    @property
    def replicas(self) -> int:
        return len(self.pods) if self.asked is None else self.asked

    @property
    def ready(self) -> int:
        return sum(pod.ready_at is not None and not pod.terminating for pod in self.pods)

    @property
    def bound(self) -> tuple[PodRecord, ...]:
        """Pods that are paid for: those on a node."""
        return tuple(pod for pod in self.pods if pod.node)


def targets_of_policy(policy: Object) -> list[WorkloadKey]:
    """Workloads of an InferenceCostPolicy, in the order of its variants."""
    spec = mapping(policy.get("spec"))
    alone = spec.get("scaleTargetRef")
    references = (
        [alone] if alone else [one.get("scaleTargetRef") for one in spec.get("variants") or ()]
    )
    return [
        WorkloadKey(
            namespace=str(policy["metadata"].get("namespace", "")),
            kind=str(one.get("kind") or "Deployment"),
            name=str(one.get("name", "")),
        )
        for one in map(mapping, references)
    ]


def find(
    objects: Iterable[Object], pods: Iterable[Object], with_series: frozenset[PodName]
) -> list[Found]:
    """By name. `objects`: Deployments and StatefulSets. `with_series`: pods that Prometheus has Triton's metrics of."""
    members: dict[WorkloadKey, list[PodRecord]] = {}
    triton: set[WorkloadKey] = set()
    for obj in pods:
        pod = pod_record(obj)
        if is_finished(pod):
            continue
        key = owner_of(pod)
        members.setdefault(key, []).append(pod)
        if (pod.namespace, pod.name) in with_series or runs_triton(mapping(obj.get("spec"))):
            triton.add(key)
    known = {key_of(obj): obj for obj in objects}
    triton |= {key for key, obj in known.items() if runs_triton(_pod_spec(obj))}
    return [
        Found(
            key=key,
            api_version=_api_version(key, known),
            asked=_asked(known.get(key)),
            pods=tuple(sorted(members.get(key, ()), key=lambda pod: pod.name)),
        )
        for key in sorted(triton)
    ]


def runs_triton(pod_spec: Mapping[str, Any]) -> bool:
    return any(_TRITON.search(text) for text in _texts(pod_spec))


def _texts(pod_spec: Mapping[str, Any]) -> Iterator[str]:
    for container in sequence(pod_spec.get("containers")):
        yield str(container.get("image") or "")
        yield from map(str, container.get("command") or ())
        yield from map(str, container.get("args") or ())


def owner_of(pod: PodRecord) -> WorkloadKey:
    """A pod without an owner that tells is a workload of its own."""
    if not pod.workload:
        return WorkloadKey(namespace=pod.namespace, kind="Pod", name=pod.name)
    kind = pod.owner_kind
    if kind == "ReplicaSet":
        kind = "Rollout" if _ROLLOUT_LABEL in pod.labels else "Deployment"
    return WorkloadKey(namespace=pod.namespace, kind=kind, name=pod.workload)


def key_of(obj: Object) -> WorkloadKey:
    metadata = mapping(obj.get("metadata"))
    return WorkloadKey(
        namespace=str(metadata.get("namespace", "")),
        kind=str(obj.get("kind", "")),
        name=str(metadata.get("name", "")),
    )


def _pod_spec(obj: Object) -> Mapping[str, Any]:
    return mapping(mapping(mapping(obj.get("spec")).get("template")).get("spec"))


def _asked(obj: Object | None) -> int | None:
    if obj is None:
        return None
    asked = mapping(obj.get("spec")).get("replicas")
    return 1 if asked is None else int(asked)


def _api_version(key: WorkloadKey, known: Mapping[WorkloadKey, Object]) -> str:
    if key.kind in SCALABLE:
        return "apps/v1"
    if key.kind == "Rollout":
        return "argoproj.io/v1alpha1"
    return str(known.get(key, {}).get("apiVersion", ""))
