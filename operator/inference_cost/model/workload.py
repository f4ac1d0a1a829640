"""What runs: scale targets, their pods, and the nodes below."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from inference_cost.model.money import HourlyPrice
from inference_cost.model.policy import TargetRef
from inference_cost.model.reading import Missing


class CapacityType(StrEnum):
    ON_DEMAND = "on-demand"
    SPOT = "spot"
    RESERVED = "reserved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node. `pool`: a CapacityPool, or inferred as `<node pool or instance type>/<capacity type>/<zone>`."""

    name: str
    pool: str
    capacity_type: CapacityType
    instance_type: str
    zone: str
    gpu_product: str
    allocatable_gpus: int
    created_at: float
    ready: bool
    price: HourlyPrice | Missing
    allocatable_cpu_millicores: int = 0
    allocatable_memory_bytes: int = 0
    leaving: str = (
        ""  # why it is about to go; what runs there serves and is billed, but is to be replaced
    )
    reclaimed: bool = False  # it leaves because the cloud takes back what it can take back
    capacity_known: bool = True  # False: on demand for its price, spot for its risk
    cordoned: bool = False  # by somebody: what runs there stays, and nothing new lands on it
    pods: int = 0  # that keep it from being empty: those of DaemonSets and terminating ones do not

    @property
    def can_be_lost(self) -> bool:
        return self.capacity_type is CapacityType.SPOT or not self.capacity_known


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLimits:
    """What policies may use of a pool together; None: as much as they like."""

    nodes: int | None = None
    per_hour: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedByOthers:
    """Of a pool by pods that no policy scales: nodes, in shares of each, and what they cost per hour."""

    nodes: float = 0.0
    per_hour: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LossesSeen:
    """Zones of a pool that were lost, and hours with replicas in one, summed over policies."""

    losses: float = 0.0
    hours: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """One CapacityPool, also where it has no node. `capacity_type`: None where its selector does not tell.

    `examples`: a node of each of its offerings, or what one would be like; without allocatable where that is unknown.
    `zones`: of its nodes, and of the offerings that name one. `cordoned`: of its `nodes`.
    `seen`: by all policies with a variant here.
    """

    name: str
    capacity_type: CapacityType | None
    examples: tuple[Node, ...] = ()
    zones: frozenset[str] = frozenset()
    limits: PoolLimits | None = None
    others: UsedByOthers = UsedByOthers()  # looked at only where there are limits
    nodes: int = 0
    cordoned: int = 0
    seen: LossesSeen = LossesSeen()

    @property
    def can_be_lost(self) -> bool:
        return self.capacity_type is None or self.capacity_type is CapacityType.SPOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """One pod of a scale target; only the fields we use."""

    name: str
    uid: str
    node: str  # "" until bound
    template_hash: str
    gpus: int
    created_at: float
    ready_at: float | None  # epoch seconds of the last change to Ready=True; None while not ready
    terminating: bool = False
    unschedulable: bool = False
    refused: bool = False  # the cloud had no machine for it
    scheduled_at: float | None = None  # bound to its node
    started_at: float | None = None  # the last of its containers
    waiting_reason: str = ""  # CrashLoopBackOff, ImagePullBackOff …
    restarts: int = 0
    cpu_millicores: int = 0  # requested, all containers
    memory_bytes: int = 0  # requested, all containers
    priority: int = 0  # as its PriorityClass gives it
    replica_set: bool = False  # its controller removes the one of the lowest deletion cost first
    cost_set_by: str = ""  # field manager of its deletion cost

    @property
    def ready(self) -> bool:
        return self.ready_at is not None and not self.terminating


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """A pod on a node that no policy scales, and what it requests. `system`: each node has one, or needs it."""

    name: str
    uid: str
    gpus: int
    cpu_millicores: int
    memory_bytes: int
    system: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A scale target as last seen. `desired_replicas` is `.spec.replicas` (absent counts as 1).

    `pool`: the CapacityPool with limits whose nodes alone its pod template selects; "" where there is none.
    """

    target: TargetRef
    uid: str
    desired_replicas: int
    template_hash: str  # of the newest template; "" when unknown
    rolling_out: bool
    pods: tuple[Pod, ...]
    quota_refusal: str = ""  # ReplicaFailure message when pods are refused by quota or admission
    plural: str = ""  # of the target's kind, as paths name it; "" when unknown
    spreads_over_zones: bool = False  # by a topology spread constraint of its template
    strict_zones: bool = False  # and its pods rather wait than be more in one zone than in another
    pool: str = ""
    images: tuple[str, ...] = ()  # of the newest template
    pull_secrets: bool = False  # whether they are pulled with a secret


class TargetProblem(StrEnum):
    NOT_FOUND = "TargetNotFound"
    KIND_NOT_ENABLED = "KindNotEnabled"
    NO_SCALE = "NoScaleSubresource"
    OWNED_BY = "OwnedBy"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoWorkload:
    """The target cannot be scaled. `message` names the field and the fix."""

    target: TargetRef
    problem: TargetProblem
    message: str


class ConflictKind(StrEnum):
    AUTOSCALER = "Autoscaler"  # HPA or KEDA ScaledObject on the same target
    POLICY = "Policy"  # an older InferenceCostPolicy on the same target
    REVERTED = "Reverted"  # another manager keeps reverting our replicas


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Another writer of the same replicas. `other`: for example `HorizontalPodAutoscaler/resnet`."""

    kind: ConflictKind
    other: str
    message: str
