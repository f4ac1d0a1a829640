"""What one replica can carry: the service time of its batches, and the largest load that keeps the objective.

Inside the latency model's domain (one model per pod, dynamic batching, not decoupled) this is computed;
outside it is the largest load per replica seen while the objective held.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil
from typing import Final, assert_never

from inference_cost.decide.latency.loads import (
    LargestLoad,
    batching_of,
    full_load,
    largest_load,
)
from inference_cost.decide.latency.routing import NO_GAIN, Gains, gains, unmodeled
from inference_cost.decide.latency.tables import Batching, Replica
from inference_cost.decide.replica.domain import LARGEST_BATCH
from inference_cost.decide.replica.service_time import (
    CounterWindow,
    ServiceTime,
    for_new_kind,
    learn,
    solve,
    unlearned,
    usual_batch,
)
from inference_cost.decide.traffic import PodTraffic, totals, usable
from inference_cost.model.memory import ServiceTimeEstimate
from inference_cost.model.plan import Profile, ProfileSource
from inference_cost.model.policy import (
    DrainObjective,
    LatencyObjective,
    Objective,
    QueueTimeObjective,
    Routing,
)
from inference_cost.model.profile_key import ProfileKey
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import BatchStatistic, ModelConfiguration

KINDS_KEPT: Final = 8  # of replicas, of the newest and of earlier templates
BELOW_TOO_MUCH: Final = 0.9  # of a load at which the objective was missed
LEARNED_EXECUTIONS: Final = 100.0  # batches seen before anything may be removed
LEARNED_ERROR: Final = 0.5
MODEL_ERROR: Final = 0.02  # of the table, the linear fit and the routing
EXTRAPOLATION_ERROR: Final = 0.2  # where mean batches stayed below B ÷ 4
EXTRAPOLATED: Final = 4.0
LARGEST_ERROR: Final = 0.5
STATISTIC_EXECUTIONS: Final = 10  # of one batch size before its timing counts
STATISTICS_EXECUTIONS: Final = 100  # of all sizes together
STATISTICS_AGREE: Final = 0.15  # else what the counters say now is trusted more
STATISTICS_KEPT: Final = 1024  # they are read rarely and asked for at every tick


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """`learned` False: nothing may be removed yet. `outside`: why the latency model does not apply.

    `gains`: what the load balancer adds by number of replicas. `unbalanced`: why nothing although it is named.
    `busy`: of pods that several models share, executions at once now and at the most when the objective held.
    `kinds`: names of the kinds of replicas where they are several, the slowest first: it is the one sized on.
    `stretch`: a load is taken as so many times itself, for what the model was seen to miss (decide/calibration.py).
    """

    profile: Profile | Missing
    replica: Replica | None
    learned: bool
    reachable: bool = True
    outside: str = ""
    gains: Gains = NO_GAIN
    unbalanced: str = ""
    kinds: tuple[str, ...] = ()
    busy: tuple[float, float] | None = None
    stretch: float = 1.0


def learn_window(
    estimate: ServiceTimeEstimate,
    pods: tuple[PodTraffic, ...],
    configuration: ModelConfiguration | Missing,
    *,
    new_fraction: float,
    at: float,
) -> ServiceTimeEstimate:
    """Learn from the settled pods of one kind; anything doubtful teaches nothing."""
    instances = 1 if isinstance(configuration, Missing) else max(configuration.instances, 1)
    window = _window(pods, instances, new_fraction)
    if window is None:
        return estimate
    size = max_batch_size(configuration, estimate, window.mean_batch)
    return learn(estimate, window, size, at)


def current_estimate(
    estimates: tuple[ServiceTimeEstimate, ...], key: ProfileKey
) -> ServiceTimeEstimate:
    """The estimate of this kind, or one started from the nearest other."""
    for estimate in estimates:
        if estimate.is_of(key):
            return estimate
    nearest = max(estimates, key=lambda one: _likeness(one, key), default=None)
    return unlearned(key) if nearest is None else for_new_kind(nearest, key)


def _likeness(estimate: ServiceTimeEstimate, key: ProfileKey) -> tuple[bool, bool]:
    """A GPU makes more of a difference than a template; among equals the newest is first."""
    return estimate.gpu_product == key.gpu_product, estimate.template_hash == key.template_hash


def remember_load(estimate: ServiceTimeEstimate, load_per_replica: float) -> ServiceTimeEstimate:
    """The objective held at this load per replica."""
    if load_per_replica <= estimate.largest_load_seen:
        return estimate
    return replace(estimate, largest_load_seen=load_per_replica)


def forget_load(estimate: ServiceTimeEstimate, load_per_replica: float) -> ServiceTimeEstimate:
    """The objective was clearly missed at this load per replica."""
    less = BELOW_TOO_MUCH * load_per_replica
    if less >= estimate.largest_load_seen:
        return estimate
    return replace(estimate, largest_load_seen=less)


def put(
    estimates: tuple[ServiceTimeEstimate, ...], new: ServiceTimeEstimate
) -> tuple[ServiceTimeEstimate, ...]:
    others = tuple([one for one in estimates if not one.is_of(new)])
    return (new, *others)[:KINDS_KEPT]


def _window(
    pods: tuple[PodTraffic, ...], instances: int, new_fraction: float
) -> CounterWindow | None:
    found = totals(
        [
            window
            for pod in pods
            if pod.settled and not pod.slow
            for window in pod.windows
            if window.failures == 0 and window.requests > 0
        ]
    )
    if found.requests < 1 or found.executions < 1:
        return None
    if found.inferences < found.executions or found.compute_seconds <= 0:
        return None
    return CounterWindow(
        requests=found.requests,
        inferences=found.inferences,
        executions=min(found.executions, found.requests),
        compute_seconds=found.compute_seconds,
        instance_seconds=instances * found.seconds,
        new_fraction=new_fraction,
    )


def max_batch_size(
    configuration: ModelConfiguration | Missing, estimate: ServiceTimeEstimate, seen: float = 0.0
) -> int:
    """As configured (0 means no batching); else the largest mean batch seen: capacity is at least that."""
    if not isinstance(configuration, Missing):
        return max(configuration.largest_batch, 1)
    return min(max(ceil(max(estimate.largest_mean_batch, seen) - 0.25), 1), LARGEST_BATCH)


def capability(
    estimate: ServiceTimeEstimate,
    configuration: ModelConfiguration | Missing,
    objective: Objective,
    *,
    outside: str,
    concurrency: float,
    inferences_per_request: float,
    routing: Routing = Routing.EQUAL,
) -> Capability:
    """Profile of one replica in requests/s. `concurrency`: mean executions running at once, as measured."""
    if outside:
        return _largest_seen(estimate, configuration, outside)
    chosen = _service_time(estimate, configuration)
    if chosen is None:
        missing = Missing(reason=MissingReason.NOT_LEARNED, detail="no batch was timed so far")
        return Capability(profile=missing, replica=None, learned=False)
    time, source = chosen
    size = max_batch_size(configuration, estimate)
    error = _error(time, size, estimate, source)
    replica = Replica(
        alpha_seconds=time.alpha_seconds * (1 + error),
        beta_seconds=time.beta_seconds * (1 + error),
        max_batch_size=size,
        batching=batching_of(configuration) if size > 1 else Batching.GREEDY,
        queue_delay_seconds=0.0
        if isinstance(configuration, Missing)
        else configuration.queue_delay_seconds,
    )
    load = _largest_load(replica, objective)
    instances = 1 if isinstance(configuration, Missing) else max(configuration.instances, 1)
    at_once = min(max(concurrency, 1.0), float(instances))
    unbalanced = unmodeled(routing, configuration, objective, replica.batching)
    return Capability(
        profile=_profile(
            estimate, time, size, instances, at_once, inferences_per_request, load, error, source
        ),
        replica=replica,
        learned=_learned(estimate, error, source),
        reachable=load.reachable,
        gains=_gains(replica, objective, unbalanced, routing),
        unbalanced=unbalanced,
    )


def _largest_load(replica: Replica, objective: Objective) -> LargestLoad:
    match objective:
        case DrainObjective():
            return full_load(replica)
        case LatencyObjective() | QueueTimeObjective():
            return largest_load(replica, objective)
        case _ as unknown:
            assert_never(unknown)


def _gains(replica: Replica, objective: Objective, unbalanced: str, routing: Routing) -> Gains:
    if routing is Routing.EQUAL or unbalanced or isinstance(objective, DrainObjective):
        return NO_GAIN
    return gains(replica, objective)


def _profile(  # noqa: PLR0917 - one place puts a profile together
    estimate: ServiceTimeEstimate,
    time: ServiceTime,
    size: int,
    instances: int,
    at_once: float,
    inferences_per_request: float,
    load: LargestLoad,
    error: float,
    source: ProfileSource,
) -> Profile:
    per_request = max(inferences_per_request, 1.0)
    computed = load.per_second * at_once / per_request
    if instances > 1:  # what several instances on one GPU reach together is known only once seen
        most = load.per_second * instances / per_request
        computed = max(computed, min(estimate.largest_load_seen, most))
    return Profile(
        template_hash=estimate.template_hash,
        gpu_product=estimate.gpu_product,
        model_version=estimate.model_version,
        alpha_seconds=time.alpha_seconds,
        beta_seconds=time.beta_seconds,
        max_batch_size=size,
        instances=instances,
        load_per_replica=computed,
        capacity_per_replica=max(size / time.seconds(size) * at_once / per_request, computed),
        error_fraction=error,
        source=source,
    )


def _error(
    time: ServiceTime, size: int, estimate: ServiceTimeEstimate, source: ProfileSource
) -> float:
    if source is ProfileSource.BATCH_STATISTICS:
        return min(time.error_fraction(size) + MODEL_ERROR, LARGEST_ERROR)
    unseen = max(1 - EXTRAPOLATED * max(estimate.largest_mean_batch, 1.0) / size, 0.0)
    error = time.error_fraction(size) + MODEL_ERROR + EXTRAPOLATION_ERROR * unseen
    return min(error, LARGEST_ERROR)


def _learned(estimate: ServiceTimeEstimate, error: float, source: ProfileSource) -> bool:
    if source is ProfileSource.BATCH_STATISTICS:
        return True
    return estimate.executions >= LEARNED_EXECUTIONS and error < LEARNED_ERROR


def _largest_seen(
    estimate: ServiceTimeEstimate, configuration: ModelConfiguration | Missing, outside: str
) -> Capability:
    if estimate.largest_load_seen <= 0:
        missing = Missing(reason=MissingReason.NOT_LEARNED, detail=outside)
        return Capability(profile=missing, replica=None, learned=False, outside=outside)
    size, instances = 1, 1
    if not isinstance(configuration, Missing):
        size, instances = max(configuration.largest_batch, 1), max(configuration.instances, 1)
    profile = Profile(
        template_hash=estimate.template_hash,
        gpu_product=estimate.gpu_product,
        model_version=estimate.model_version,
        alpha_seconds=0.0,
        beta_seconds=0.0,
        max_batch_size=size,
        instances=instances,
        load_per_replica=estimate.largest_load_seen,
        capacity_per_replica=estimate.largest_load_seen,
        error_fraction=0.0,
        source=ProfileSource.LARGEST_SEEN,
    )
    return Capability(profile=profile, replica=None, learned=True, outside=outside)


def _service_time(
    estimate: ServiceTimeEstimate, configuration: ModelConfiguration | Missing
) -> tuple[ServiceTime, ProfileSource] | None:
    """Triton's own timings per batch size where it gives them and they still fit what happens now."""
    counted = solve(estimate)
    timed = _timed(estimate.key, configuration)
    if timed is None:
        source = (
            ProfileSource.CHECKPOINT if estimate.source == "Checkpoint" else ProfileSource.COUNTERS
        )
        return None if counted is None else (counted, source)
    if counted is not None and estimate.executions >= LEARNED_EXECUTIONS:
        batch = usual_batch(estimate)
        here = max(timed.seconds(batch), 1e-9)
        if abs(counted.seconds(batch) - here) > STATISTICS_AGREE * here:
            return counted, ProfileSource.COUNTERS
    return timed, ProfileSource.BATCH_STATISTICS


def _timed(key: ProfileKey, configuration: ModelConfiguration | Missing) -> ServiceTime | None:
    """Timings of another kind of replica say nothing of this one."""
    if isinstance(configuration, Missing):
        return None
    alike = _alike(key.gpu_product, configuration.gpu_product)
    if not (alike and _alike(key.model_version, configuration.version)):
        return None
    return _from_statistics(configuration.batch_statistics)


def _alike(one: str | Missing, other: str | Missing) -> bool:
    """As far as is known."""
    return isinstance(one, Missing) or isinstance(other, Missing) or one == other


@lru_cache(maxsize=STATISTICS_KEPT)
def _from_statistics(statistics: tuple[BatchStatistic, ...]) -> ServiceTime | None:
    """Weighted least squares over batch sizes with enough executions; None with fewer than two sizes."""
    rows = [row for row in statistics if _counts(row)]
    if len(rows) < 2 or sum(row.executions for row in rows) < STATISTICS_EXECUTIONS:  # noqa: PLR2004
        return None
    information = [0.0, 0.0, 0.0]
    vector = [0.0, 0.0]
    for row in rows:
        weight = min(row.executions, 100) / row.mean_seconds**2
        information[0] += weight
        information[1] += weight * row.batch_size
        information[2] += weight * row.batch_size**2
        vector[0] += weight * row.mean_seconds
        vector[1] += weight * row.batch_size * row.mean_seconds
    return solve(
        ServiceTimeEstimate(
            template_hash="",
            information=(information[0], information[1], information[2]),
            vector=(vector[0], vector[1]),
            residual=0.05**2,
        )
    )


def _counts(row: BatchStatistic) -> bool:
    plausible = usable(row.mean_seconds) and row.mean_seconds > 0
    return (
        plausible
        and row.executions >= STATISTIC_EXECUTIONS
        and 1 <= row.batch_size <= LARGEST_BATCH
    )
