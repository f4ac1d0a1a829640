"""Compact records of the objects in the cluster cache: only the fields we use.

A cluster has many pods that are not ours; a record is small, and its strings are shared.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

Labels = Mapping[str, str]
ObjectKey = tuple[str, str]  # (namespace or "", name)
NO_LABELS: Labels = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRecord:
    """An InferenceCostPolicy as stored: `spec` unparsed, annotations only those that pause."""

    namespace: str
    name: str
    uid: str
    generation: int
    created_at: float
    spec: Mapping[str, Any]
    status: Mapping[str, Any]
    pause_annotations: Labels = field(default_factory=lambda: NO_LABELS)
    terminating: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityPoolRecord:
    namespace: str
    name: str
    uid: str
    generation: int
    created_at: float
    edited_at: float  # its spec
    spec: Mapping[str, Any]
    status: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    pause_annotations: Labels = field(default_factory=lambda: NO_LABELS)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceRecord:
    namespace: str  # always ""
    name: str
    pause_annotations: Labels
    terminating: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectorTerm:
    """One requirement of a label selector. `operator`: In, NotIn, Exists or DoesNotExist."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Labels) -> bool:
        present = self.key in labels
        match self.operator:
            case "In":
                return present and labels[self.key] in self.values
            case "NotIn":
                return not present or labels[self.key] not in self.values
            case "Exists":
                return present
            case "DoesNotExist":
                return not present
        return False


Selector = tuple[SelectorTerm, ...]


def selects(selector: Selector, labels: Labels) -> bool:
    """Whether every term matches. An empty selector selects nothing: it is a mistake or not yet set."""
    return bool(selector) and all(term.matches(labels) for term in selector)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The controller of an object (`ownerReferences[].controller: true`)."""

    api_version: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleTargetRecord:
    """A Deployment, StatefulSet or another enabled kind.

    `template_generation`: generation at which the pod template last changed, as far as seen; a change of
    `/scale` raises the generation too, and must not look like a rollout.
    """

    namespace: str
    name: str
    uid: str
    api_version: str
    kind: str
    generation: int
    observed_generation: int
    template_generation: int
    template_fingerprint: str
    template_labels: Labels
    template_nodes: Labels  # labels that a node must have for its pods
    template_terms: tuple[Selector, ...]  # its required node affinity: any one of them suffices
    template_spreads: bool  # its pods, over zones
    template_strict_zones: bool  # and rather not at all than unevenly
    template_images: tuple[str, ...]
    template_pull_secrets: bool  # whether its images are pulled with a secret
    resource_version: str
    desired_replicas: int
    status_replicas: int
    updated_replicas: int
    update_revision: str  # StatefulSet only
    progress_reason: str  # reason of a Deployment's Progressing condition
    replica_failure: str  # message of its ReplicaFailure condition, when True
    selector: Selector
    owner: Owner | None
    terminating: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PodRecord:
    """One pod. `workload`: name of the scale target behind its owner, "" when the owner does not tell."""

    namespace: str
    name: str
    uid: str
    labels: Labels
    owner_kind: str
    workload: str
    template_hash: str
    node: str
    ip: str
    phase: str
    gpus: int
    cpu_millicores: int
    memory_bytes: int
    created_at: float
    ready_at: float | None
    terminating: bool
    unschedulable: bool
    waiting_reason: str
    restarts: int
    scheduled_at: float | None = None
    started_at: float | None = None  # the last of its containers; None while one does not run
    priority: int = 0
    cost_set_by: str = ""  # field manager of its deletion cost


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRecord:
    """One node. Prices, pools and zones are read from its labels."""

    namespace: str  # always ""
    name: str
    uid: str
    labels: Labels
    allocatable_gpus: int
    allocatable_cpu_millicores: int
    allocatable_memory_bytes: int
    created_at: float
    ready: bool
    leaving: str = ""  # why it is about to go
    cordoned: bool = False  # by somebody: nothing new lands on it
    taints: tuple[tuple[str, str, str], ...] = ()  # key, value, effect


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoscalerRecord:
    """A HorizontalPodAutoscaler or a KEDA ScaledObject, and what it scales."""

    namespace: str
    name: str
    kind: str
    target_api_version: str
    target_kind: str
    target_name: str
    owner: Owner | None = None
    paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRequirement:
    """On one label of a node, as Karpenter writes it."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeOverlayRecord:
    """Karpenter's. `price` per hour, or `adjustment` of the cloud's: "+0.10", "-5%". `refused`: not Ready."""

    namespace: str  # always ""
    name: str
    edited_at: float
    weight: int
    requirements: tuple[NodeRequirement, ...]
    price: str
    adjustment: str
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeClaimRecord:
    """Karpenter's order of a machine. `node`: "" until it registered. `launched`: the cloud gave a machine.

    `labels` include what it asks for. `disruption`: why Karpenter itself gives it up; "" where it does not.
    """

    namespace: str  # always ""
    name: str
    labels: Labels
    node: str
    created_at: float
    expires_at: float | None
    deleted_at: float | None  # epoch seconds at which its deletion began
    launched: bool
    disruption: str
    gpus: int = 0  # of the pods that it was asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityBufferRecord:
    """`kept`: replicas that its autoscaler follows, None before it looked. `refusal`: what it says against it."""

    namespace: str
    name: str
    uid: str
    labels: Labels
    replicas: int
    kept: int | None
    ready: bool  # the autoscaler did not say that it cannot follow it
    refusal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRecord:
    namespace: str
    name: str
    selector: Labels = field(default_factory=lambda: NO_LABELS)


Record = (
    PolicyRecord
    | CapacityPoolRecord
    | NamespaceRecord
    | ScaleTargetRecord
    | PodRecord
    | NodeRecord
    | AutoscalerRecord
    | NodeOverlayRecord
    | NodeClaimRecord
    | CapacityBufferRecord
    | ServiceRecord
)
