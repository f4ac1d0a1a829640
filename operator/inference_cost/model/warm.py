"""Nodes kept ready for replicas that do not run yet: what is asked for, what is there, what was decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from inference_cost.model.plan import Reason
from inference_cost.model.policy import PolicyKey


class WarmBy(StrEnum):
    """What keeps nodes: pods of our own that give way, or an object that the autoscaler follows."""

    PLACEHOLDER = "Placeholder"
    CAPACITY_BUFFER = "CapacityBuffer"


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmSpec:
    """Of one CapacityPool; in nodes."""

    least: int
    most: int
    pre_pull: bool = False
    by: WarmBy = WarmBy.PLACEHOLDER


@dataclass(frozen=True, slots=True, kw_only=True)
class Toleration:
    """Of a taint that all nodes of a pool have."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A placeholder: a pod that holds a node until another pod wants it. Times are epoch seconds.

    A CapacityBuffer has no pods: one stands for each node that its autoscaler keeps empty.
    """

    uid: str
    node: str  # "" until bound
    created_at: float
    ready_at: float | None  # None while not ready
    trouble: str = ""  # ErrImagePull, CrashLoopBackOff …
    name: str = ""
    gpus: int = 0  # requested, as the others
    cpu_millicores: int = 0
    memory_bytes: int = 0

    @property
    def free(self) -> bool:
        """What it holds can be had at once; an image that cannot be loaded keeps no node from that."""
        return bool(self.node) and (self.ready_at is not None or bool(self.trouble))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is stored to keep them: the placeholders' Deployment, or a CapacityBuffer.

    `taken_up`: nodes that an autoscaler says it keeps for the buffer; None where none has looked at it.
    """

    name: str
    uid: str
    replicas: int
    template: str  # what it was made from, in short
    refusal: str = ""  # why its pods are not made, or what the autoscaler says against the buffer
    by: WarmBy = WarmBy.PLACEHOLDER
    taken_up: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmPool:
    """Of one pool, what is asked for and what is there. `spec`: None where nothing is to be kept.

    `others`: its nodes with pods on a GPU that belong to no policy. `paused`: nothing is changed. `former`: what was
    stored to keep them by another strategy. `unserved`: why the cluster cannot take what the spec asks for.
    """

    name: str
    spec: WarmSpec | None
    match_labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    tolerations: tuple[Toleration, ...] = ()
    asked: Asked | None = None
    former: Asked | None = None
    holders: tuple[Holder, ...] = ()
    others: frozenset[str] = frozenset()
    paused: bool = False
    unserved: str = ""
    covered: bool = False  # enough was free for long enough that policies rely on it

    @property
    def free(self) -> tuple[Holder, ...]:
        return tuple(one for one in self.holders if one.free)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeShape:
    """What a placeholder requests: the GPUs of one node, and as much else as the largest replica."""

    gpus: int
    cpu_millicores: int
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmNeeds:
    """What the largest replica of one policy needs of a placeholder. `at`: epoch seconds, when it was last looked at.

    `secret_images`: pulled with a secret of its namespace.
    """

    at: float
    gpus: int = 1
    cpu_millicores: int = 0
    memory_bytes: int = 0
    images: tuple[str, ...] = ()
    secret_images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmPlan:
    """Decided for one pool, in nodes. `shape`: None where nothing can be held.

    `lost`: of the nodes that were free, those on which pods of no policy run now. `uses`: replicas of policies that
    started there within a day. `images`: to load ahead of time. `tolerations`: of the pool's nodes, when it had one.
    `template_stays`: what is stored is made from more than this leader has seen so far.
    """

    pool: str
    wanted: int
    free: int
    lost: int
    uses: int
    reasons: tuple[Reason, ...]
    shape: NodeShape | None
    images: tuple[str, ...] = ()
    tolerations: tuple[Toleration, ...] = ()
    template_stays: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmRecord:
    """What one policy teaches of the room that all of its pool share. Times are epoch seconds.

    `recent`: (time, replicas that the demand filled), of the last start. `steps`: seconds, fading, by how much more was
    needed a start later (decide/warm/steps.py); `squares`: of these steps. `together` ÷ `apart`: how far steps of the
    others came at the same time. `starts`: seconds on nodes that were free. `uses`: when.
    """

    recent: tuple[tuple[float, float], ...] = ()
    steps: tuple[float, ...] = ()
    squares: float = 0.0
    looked_at: float = 0.0
    together: float = 0.0
    apart: float = 0.0
    starts: tuple[float, ...] = ()
    uses: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmMemory:
    """Of one pool. Times are epoch seconds.

    `sizes`: (time, nodes) found lately, and `reasons` of the last. `cold_seconds`: of a start that waits for a node.
    `full_at`: when all that was wanted was last free; `relied`: policies relied on it then. `free`: nodes that were at
    the last look, and since when. `lost`: nodes that pods of no policy took. `needs`, `tolerations`: what
    placeholders are made from. `inherited_at`: the first look of this leader, where it found some that another one
    made, and has not yet seen all that they are made from.
    """

    sizes: tuple[tuple[float, int], ...] = ()
    reasons: tuple[Reason, ...] = ()
    wanted: int = 0
    cold_seconds: float = 0.0
    full_at: float | None = None
    relied: bool = False
    free: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    lost: frozenset[str] = frozenset()
    needs: Mapping[PolicyKey, WarmNeeds] = field(default_factory=lambda: MappingProxyType({}))
    tolerations: tuple[Toleration, ...] = ()
    inherited_at: float | None = None
