"""What decisions remember between ticks: a value, bounded per policy, kept in the checkpoint object.

Losing it is harmless: everything in it is learned again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from inference_cost.model.placement import Placing
from inference_cost.model.plan import Evenness, Plan
from inference_cost.model.policy import PolicyKey
from inference_cost.model.profile_key import OfOneKind
from inference_cost.model.warm import WarmMemory, WarmPlan, WarmRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class MixPart:
    """One model's share of a pod's load. `seconds`: of execution per request."""

    model: str
    per_second: float  # requests
    seconds: float

    @property
    def busy(self) -> float:
        return self.per_second * self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTimeEstimate(OfOneKind):
    """Recursive weighted least squares of y = α + β·x (docs/how-it-decides.md), of one kind of replica.

    `information` is the symmetric 2x2 matrix (s11, s12, s22), `vector` its right-hand side (v1, v2).
    """

    information: tuple[float, float, float] = (0.0, 0.0, 0.0)
    vector: tuple[float, float] = (0.0, 0.0)
    residual: float = 0.0  # weighted mean square of relative residuals
    executions: float = 0.0
    largest_mean_batch: float = 0.0
    largest_load_seen: float = 0.0  # requests/s per replica while the objective held
    held_mix: tuple[
        MixPart, ...
    ] = ()  # the same of several models, per pod (decide/replica/shared.py)
    rejected_in_a_row: int = 0
    updated_at: float = 0.0
    source: str = "Counters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Observed against predicted, summed over windows that fade (decide/stretch.py).

    `predicted`: what the latency model says of the same windows at each of several loads relative to the real ones.
    """

    windows: float = 0.0
    requests: float = 0.0
    observed: float = 0.0
    variance: float = 0.0  # of `observed`
    predicted: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration(OfOneKind):
    """How far the latency model of one kind of replica is off (decide/calibration.py).

    `estimate`: the likeliest stretch of the model, 0 where not known; `factor`: the one that is acted on.
    """

    template_hash: str = ""
    queue: Compared = Compared()  # seconds that requests waited in Triton
    late: Compared = Compared()  # late requests, as a gateway counts them
    bound_seconds: float = 0.0  # later than this is late
    doubtful: float = 0.0  # requests between two bounds of the histogram: late or not
    estimate: float = 0.0
    factor: float = 1.0
    wrong_seconds: float = (
        0.0  # of steady windows in a row that the calibrated model does not explain
    )
    compared_at: float = 0.0
    disturbed_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowPod:
    """A ready pod that takes `times` as long per batch as its siblings. Epoch seconds."""

    uid: str
    name: str
    times: float
    since: float  # without a look that says otherwise
    seen_at: float  # last look at which it could be compared


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspectedOutage:
    """Requests stopped at once, at `began_at`. Epoch seconds."""

    began_at: float
    seen_at: float  # last tick of it
    before_per_second: float  # requests
    spare_seconds: float  # that replicas may still be held, as of `seen_at`
    over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOver:
    """A headroom rule that was found clearly cheaper than the one told before. Numbers of rules; epoch seconds."""

    rule: int
    replaced: int
    at: float


# Pool, and the seconds until the pod had a node that was bought for it, its containers ran, and it was ready.
StartParts = tuple[str, float | None, float | None, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyMemory:
    """State of one policy. Histories are (epoch seconds, value) and are cut to what the rules look back on."""

    estimates: tuple[ServiceTimeEstimate, ...] = ()
    # What the headroom rules learned (decide/headroom/learned.py), as float32: not for reading.
    headroom: bytes = field(default=b"", repr=False)
    looked_at: float = 0.0  # when they last did
    take_over: TakeOver | None = None  # the last one
    calibration: Calibration = Calibration()
    evenness: Evenness = field(default=Evenness())
    needs: tuple[
        tuple[float, int], ...
    ] = ()  # replicas to keep, for the user's stabilization windows
    wanted: tuple[
        tuple[float, int], ...
    ] = ()  # replicas not to go below, where no headroom rule says for how long
    arrivals: tuple[
        tuple[float, float, float], ...
    ] = ()  # (time, requests since the entry before, held back by the gateway), for a drain objective
    gaps: tuple[
        tuple[float, float], ...
    ] = ()  # (newest sample, requests/s since the one before), of one window
    changes: tuple[
        tuple[float, int], ...
    ] = ()  # replicas added (+) or removed (-), for step limits
    start_up_seconds: tuple[float, ...] = ()  # seen from pod creation to ready
    start_up_pools: tuple[str, ...] = ()  # of the nodes of the newest of these; "" where not known
    start_parts: tuple[StartParts, ...] = ()
    attainment: tuple[
        tuple[float, float, float], ...
    ] = ()  # (time, requests within the objective, requests)
    pods_seen_starting: tuple[str, ...] = ()  # uids whose start-up time is not yet counted
    misses: int = 0  # ticks in a row without metrics
    last_miss_at: float = 0.0  # when the newest of them was counted
    last_sampled_at: float = 0.0
    observed_at: float = 0.0  # last tick with metrics
    observed_since: float = 0.0  # first one of those before it without a gap
    last_desired: int | None = None
    last_current: int | None = None  # replicas at the last tick: a difference is a change made
    rollout_ended_at: float | None = None
    quiet_at: float = 0.0  # last look at which nobody asked; 0 while somebody does
    quiet_since: float = 0.0  # first one of those before it without a gap
    unseen_at: float = 0.0  # last look at which nothing told, without a replica, who asks
    unseen_since: float = 0.0  # first one of those before it without a gap
    blind_at: float = 0.0  # when no gateway told any more who asks, without a replica
    price_before_zero: float | None = None  # of a replica per hour, when last known
    outage: SuspectedOutage | None = None  # the last one
    slow_pods: tuple[SlowPod, ...] = ()
    leaving_nodes: tuple[
        tuple[str, float], ...
    ] = ()  # that hold pods and are about to go, with the first look at which they were
    placing: Placing = field(default=Placing())  # over several variants
    priority: int = 0  # of its pods, when there were any
    dear_per_hour: float = (
        0.0  # of a replica, the highest of late, where a cap on the cost needs it
    )
    dear_at: float = 0.0
    warm: WarmRecord = field(default=WarmRecord())  # for the nodes that its pool keeps ready


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetMemory:
    """State across policies for the fleet guard: (epoch seconds, replicas removed)."""

    removals: tuple[tuple[float, int], ...] = ()
    asks_in: tuple[tuple[float, str], ...] = ()  # (since, uid) of policies asking to go in by much
    frozen_until: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """How pools with limits were shared out, `at` epoch seconds, and `asked`: by what (decide/joint).

    `goals`: replicas by variant. Not stored: a new leader shares out anew.
    """

    asked: tuple[object, ...]
    goals: Mapping[PolicyKey, tuple[int, ...]]
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    policies: Mapping[PolicyKey, PolicyMemory] = field(default_factory=lambda: MappingProxyType({}))
    fleet: FleetMemory = FleetMemory()
    shared: tuple[Shared, ...] = ()  # of groups of policies that share pools
    warm: Mapping[str, WarmMemory] = field(default_factory=lambda: MappingProxyType({}))  # by pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """Output of one tick: a plan for every observed policy and warm pool, and the memory for the next tick."""

    plans: Mapping[PolicyKey, Plan]
    memory: Memory
    warm: Mapping[str, WarmPlan] = field(default_factory=lambda: MappingProxyType({}))  # by pool
