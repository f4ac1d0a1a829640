"""What was decided and why. Words are made from these values in `decide/explain/`, and only when asked for."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from inference_cost.model.policy import Mode, PolicyKey, TargetRef
from inference_cost.model.profile_key import OfOneKind
from inference_cost.model.reading import Missing, MissingReason, Reading


class Action(StrEnum):
    SCALE_OUT = "ScaleOut"
    SCALE_IN = "ScaleIn"
    HOLD = "Hold"


class LimitedBy(StrEnum):
    """What kept the replicas from following the need; `Nothing` prints as an empty column."""

    NOTHING = ""
    MIN_REPLICAS = "MinReplicas"
    MAX_REPLICAS = "MaxReplicas"
    SCHEDULE = "Schedule"  # a bound of `spec.schedules`
    BEHAVIOR = "Behavior"  # stabilization window or step limits of the policy
    STABILIZATION = "Stabilization"  # our own prudence on the way in
    ROLLOUT = "Rollout"
    METRICS_UNAVAILABLE = "MetricsUnavailable"
    FALLBACK = "Fallback"
    LEARNING = "Learning"  # the profile is not known well enough to remove anything
    MODEL_INACCURATE = "ModelInaccurate"  # what is observed is not what the model predicts
    GPU_GUARD = "GPUUtilization"
    TRAFFIC_UNEVEN = "TrafficUneven"  # a pod gets nothing: more would get nothing either
    SUSPECTED_OUTAGE = "SuspectedOutage"  # requests stopped at once
    CAPACITY = "Capacity"  # pods pend, crash or are refused
    POOL_LIMIT = "PoolLimit"  # `limits` of a CapacityPool that others have the room of
    MAX_HOURLY_COST = "MaxHourlyCost"
    FLEET_GUARD = "FleetGuard"
    PAUSED = "Paused"
    CONFLICT = "Conflict"
    NO_TARGET = "NoTarget"
    INTERNAL_ERROR = "InternalError"  # the decision failed; metrics are not to blame


class ProfileSource(StrEnum):
    BATCH_STATISTICS = "BatchStatistics"  # Triton's own per-batch timings
    COUNTERS = "Counters"  # learned from Prometheus counters
    CHECKPOINT = "Checkpoint"  # restored
    LARGEST_SEEN = (
        "LargestSeen"  # outside the latency model: largest throughput while the objective held
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile(OfOneKind):
    """Service time of a batch of b inferences, α + β·b seconds, and what one replica can carry.

    `load_per_replica`: requests per second at which the objective is still met. `error_fraction`: relative
    uncertainty of the largest batch's time (two sigma). `calibration`: load at which the model predicts what is
    observed, ÷ the load; None where too little was observed.
    """

    alpha_seconds: float
    beta_seconds: float
    max_batch_size: int
    instances: int
    load_per_replica: float
    capacity_per_replica: float
    error_fraction: float
    source: ProfileSource
    calibration: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Requests per second: offered now, and the highest expected before new capacity can be ready."""

    now: float
    forecast: float
    backlog: float  # requests waiting beyond the steady state
    censored: bool = False  # overload seen: a lower bound
    source: str = "Triton"  # or "Gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attainment:
    """Measured share of requests within the objective over the SLO window."""

    fraction: float
    requests: float
    measured_at: str  # "Gateway" or "Server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Expected at `replicas`: percentile (or mean queue time) in seconds, and whether the objective holds.

    These with the margin for what is not known; `late_fraction`, of the requests, as is likeliest.
    """

    replicas: int
    seconds: float
    meets_objective: bool
    late_fraction: float | Missing = Missing(reason=MissingReason.NOT_LEARNED)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadroomRule:
    """A way to keep room above the demand, and what its record promises.

    Either a share of the largest load, or standard deviations above the expected demand (`load_fraction` is 1 then).
    `cost`: replicas for each one that the demand would fill.
    """

    load_fraction: float
    deviations: float
    hold_seconds: float
    late_fraction: float
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplacedRule:
    """One that is clearly dearer than the rule followed, both within the objective, by the record alone.

    `saved`: replicas fewer with the rule followed, for each one that the demand would fill. `average`: it suits an
    average service; else it was told as followed before. `at`: when that was told, epoch seconds.
    """

    rule: HeadroomRule
    saved: float
    average: bool
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadroomChoice:
    """The rule that is followed and those it was chosen from, as known when it was chosen.

    `late_price_replica_seconds`: what a late request counts like, at the lowest price that keeps the objective, or the
    highest worth paying.
    """

    followed: HeadroomRule
    runner_up: HeadroomRule
    less: HeadroomRule | None  # fewer replicas, and late more often than the objective allows
    rules: int
    allowed_fraction: float  # late, by the objective
    accepted_fraction: (
        float  # of the rule's record: more where less was late before, less where more was
    )
    seen_seconds: float  # how long this demand has been seen
    filled_replicas: float  # that the mean demand would fill
    late_price_replica_seconds: float
    replaced: ReplacedRule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evenness:
    """How the requests of a window were spread over the ready pods; `pods` 0: not known.

    `effective`: pods that would carry as much, were they loaded alike. `idle`: pods without a request. `windows`: in a
    row that were uneven beyond chance, up to three.
    """

    pods: int = 0
    effective: float = 0.0
    hottest: str = ""
    hottest_fraction: float = 0.0  # of the requests
    idle: int = 0
    windows: int = 0
    looked_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolStarts:
    """How long pods took from their creation to ready on nodes of one pool; "" where it is not known."""

    pool: str
    count: int
    p50_seconds: float
    p95_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One step of the argument: a code from `decide/explain/sentences.py` and the values its sentence needs."""

    code: str
    values: tuple[tuple[str, str | float | int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What a removal of replicas can leave empty: nodes, and their price per hour.

    `pods`: that are to go first, in this order, so that it does; () where any do, or where nobody is to be told.
    `outdated`: that an earlier removal named and this one does not. `left_to`: the field manager that orders the pods.
    """

    nodes: tuple[str, ...]
    per_hour: Decimal | Missing
    pods: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()
    left_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantPlan:
    """Replicas of one variant: `needed` before limits, `desired` after them.

    Of several variants also, of one replica, the price per hour, how often what it runs on is lost per hour (0: never),
    and until when no more are asked for after a loss or a refusal.
    """

    variant: str
    target: TargetRef
    current: int
    ready: int
    needed: int
    desired: int
    price_per_hour: float | None = None
    losses_per_hour: float = 0.0
    away_until: float | None = None
    removal: Removal | None = None  # where replicas are removed, and it is known what that does


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The decision for one policy. `write` is True only when /scale must be changed now."""

    policy: PolicyKey
    mode: Mode  # in force: Recommend where the global switch says so
    at: float
    action: Action
    variants: tuple[VariantPlan, ...]  # that exist
    limited_by: LimitedBy
    reasons: tuple[Reason, ...]
    demand: Demand | Missing
    profile: Profile | Missing
    prediction: Prediction | Missing  # at the desired replicas
    one_fewer: Prediction | Missing  # at one replica fewer: why not
    attainment: Attainment | Missing
    gpu_utilization: Reading[float]
    headroom: HeadroomChoice | Missing = Missing(reason=MissingReason.NOT_LEARNED)
    highest: int = 2**31 - 1  # replicas allowed at this time
    evenness: Evenness | Missing = Missing(reason=MissingReason.NOT_LEARNED)
    starts: tuple[PoolStarts, ...] = ()  # of the pools that count, the slowest first
    write: bool = False
    replica_price_per_hour: Decimal | Missing = Missing(reason=MissingReason.PRICE_UNKNOWN)
    surplus: int = 0  # of the current replicas: there only until others serve in their place

    @property
    def current(self) -> int:
        return sum(v.current for v in self.variants)

    @property
    def counted(self) -> int:
        """Replicas now, those left out that a move will take away."""
        return self.current - self.surplus

    @property
    def ready(self) -> int:
        return sum(v.ready for v in self.variants)

    @property
    def desired(self) -> int:
        return sum(v.desired for v in self.variants)
