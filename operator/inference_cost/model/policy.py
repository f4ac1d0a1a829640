"""What a user asked for, validated and in base units. Built from the API object in `observe/policies.py`."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

UNBOUNDED: Final = 2**31 - 1  # replicas


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PolicyKey:
    """Identity of a policy. State is keyed by `uid`, so that a recreated name inherits nothing."""

    namespace: str
    name: str
    uid: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class TargetRef:
    """A scalable object in the policy's namespace."""

    api_version: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


class Mode(StrEnum):
    RECOMMEND = "Recommend"
    ENFORCE = "Enforce"


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyObjective:
    """`target_fraction` of the requests finish within `threshold_seconds`."""

    threshold_seconds: float
    target_fraction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueTimeObjective:
    """The mean time in Triton's scheduler queue stays below `mean_seconds`."""

    mean_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainObjective:
    """No request waits longer than `within_seconds`: what waits and what comes may use all of that time."""

    within_seconds: float


ServiceObjective = LatencyObjective | QueueTimeObjective  # of a fleet that keeps no queue
Objective = ServiceObjective | DrainObjective


class SelectPolicy(StrEnum):
    MAX = "Max"
    MIN = "Min"
    DISABLED = "Disabled"


class LimitType(StrEnum):
    PODS = "Pods"
    PERCENT = "Percent"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingLimit:
    """At most `value` pods, or percent of the replicas at the start of the period, per `period_seconds`."""

    type: LimitType
    value: int
    period_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingRules:
    """One direction of `autoscaling/v2` behavior. No limits and zero stabilization mean no extra limit."""

    stabilization_window_seconds: int = 0
    select: SelectPolicy = SelectPolicy.MAX
    limits: tuple[ScalingLimit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Behavior:
    scale_out: ScalingRules = ScalingRules()
    scale_in: ScalingRules = ScalingRules()


class FallbackBehavior(StrEnum):
    """KEDA's four: static, currentReplicas, currentReplicasIfHigher, currentReplicasIfLower."""

    STATIC = "Static"
    CURRENT_REPLICAS = "CurrentReplicas"
    CURRENT_REPLICAS_IF_HIGHER = "CurrentReplicasIfHigher"
    CURRENT_REPLICAS_IF_LOWER = "CurrentReplicasIfLower"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """What to run after more than `failure_threshold` ticks in a row without metrics."""

    failure_threshold: int
    replicas: int
    behavior: FallbackBehavior


class HeadroomMode(StrEnum):
    AUTO = "Auto"
    FIXED = "Fixed"
    DISABLED = "Disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Headroom:
    """Replicas above the need: learned from trend and start delay (Auto), or a fixed number."""

    mode: HeadroomMode = HeadroomMode.AUTO
    replicas: int = 0


class Routing(StrEnum):
    """How requests reach the replicas."""

    EQUAL = "Equal"  # at random, as behind a plain Service
    LEAST_REQUEST = "LeastRequest"  # a load balancer picks the endpoint with fewer in flight


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuSignal:
    """Replicas follow the mean GPU utilization, as the HorizontalPodAutoscaler would."""

    target_fraction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A pause by annotation. `replicas`: the fixed count asked for, or None to leave replicas alone."""

    source: str  # "policy" or "namespace"
    replicas: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One existing workload that serves the policy's traffic.

    `pool`: the CapacityPool that it runs on, where that is told. `max_traffic_fraction`: of the requests.
    """

    name: str
    target: TargetRef
    min_replicas: int
    max_replicas: int
    pool: str = ""
    max_traffic_fraction: float = 1.0


class SpotRisk(StrEnum):
    """How much may run where it can be lost."""

    PRICED = "Priced"  # as much as pays, what a loss makes late paid for
    SURVIVE_LARGEST_ZONE = "SurviveLargestZone"  # as much as can be lost at once


class Baseline(StrEnum):
    """What savings are told against."""

    OBSERVED = "Observed"  # what really ran in Recommend
    HPA = "HPA"
    STATIC_PEAK = "StaticPeak"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Other bounds from each start to the next end, both in cron's five fields. None: as the policy says."""

    start: str
    end: str
    time_zone: str = "UTC"
    name: str = ""
    min_replicas: int | None = None
    max_replicas: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One InferenceCostPolicy. `fewest` and `most`: replicas of all variants together, beside what each may have.

    `priority` None: that of its pods.
    """

    key: PolicyKey
    generation: int
    created_at: float
    mode: Mode
    variants: tuple[Variant, ...]
    objective: Objective
    models: tuple[str, ...] = ()  # empty: every model seen on the target
    behavior: Behavior = Behavior()
    fallback: Fallback | None = None
    schedules: tuple[Schedule, ...] = ()
    headroom: Headroom = Headroom()
    routing: Routing = Routing.EQUAL
    gpu_signal: GpuSignal | None = None  # None: what the objective needs
    pause: Pause | None = None
    fewest: int = 0
    most: int = UNBOUNDED
    min_on_demand_replicas: int = 0  # that cannot be lost
    spot_risk: SpotRisk = SpotRisk.PRICED
    cost_center: str = ""
    monthly_budget: Decimal | None = None
    baseline: Baseline = Baseline.OBSERVED
    max_hourly_cost: Decimal | None = None
    priority: int | None = None
