"""What one window teaches of a policy: whether the objective held, and what a replica can carry with it."""

from math import sqrt
from typing import Final, NamedTuple, assert_never

from inference_cost.decide import attainment
from inference_cost.decide.case import Case
from inference_cost.decide.demand import shed
from inference_cost.decide.replica.domain import inferences_per_request, outside_domain
from inference_cost.decide.replica.kinds import Kinds, kinds_of, last_kind
from inference_cost.decide.replica.mixed import of_all
from inference_cost.decide.replica.profile import (
    Capability,
    capability,
    current_estimate,
    forget_load,
    learn_window,
    put,
    remember_load,
)
from inference_cost.decide.replica.shared import (
    Shared,
    forget_mix,
    remember_mix,
    shared_capability,
    shared_pods,
)
from inference_cost.decide.server_latency import told
from inference_cost.decide.traffic import Traffic, totals
from inference_cost.model.memory import ServiceTimeEstimate
from inference_cost.model.plan import Attainment
from inference_cost.model.policy import (
    DrainObjective,
    LatencyObjective,
    Objective,
    QueueTimeObjective,
)
from inference_cost.model.profile_key import ProfileKey
from inference_cost.model.reading import Missing
from inference_cost.model.signals import Signals

STEADY: Final = 0.25  # the newest rate may differ from the window's by so much
BY_CHANCE: Final = 3.0  # standard deviations
HELD_BY_MEAN: Final = 3.0  # a 99th percentile is at most about three means


class Lesson(NamedTuple):
    """`measured`: of the newest window; `reached`: of the whole SLO window. The rest is to be remembered."""

    can: Capability
    measured: tuple[float, float] | Missing
    reached: Attainment | Missing
    attainment: attainment.History
    estimates: tuple[ServiceTimeEstimate, ...]
    sampled_at: float
    late: float | None  # share of the newest requests, where it clearly misses the objective
    busy: float  # share of the time in which a pod's Triton executes


class _Pods(NamedTuple):
    """`shared`: by several models. `outside`: why the latency model does not apply to the one that is served."""

    kinds: Kinds
    shared: Shared | None
    outside: str


def learn(case: Case, seen: Traffic) -> Lesson:
    """Attainment first, then what the window teaches, then what a replica can carry with it."""
    observation, history = case.observation, case.memory.attainment
    objective = observation.policy.objective
    signals = told(case, seen)
    measured = attainment.measure(objective, signals, seen)
    if not isinstance(measured, Missing):
        seconds = _measured_over(objective, seen)
        window = case.snapshot.settings.slo_window_seconds
        history = attainment.remember(history, measured, seconds, case.at, window)
    late, concurrency = _late_now(case, measured, signals), _concurrency(seen)
    last = last_kind(case.memory.estimates, case.fleet.template_hash)
    newest = {workload.template_hash for workload in case.workloads}
    kinds = kinds_of(seen, last, case.snapshot.nodes, newest)
    outside = outside_domain(case.configuration, seen)
    pods = _Pods(kinds, shared_pods(seen, _ensembles(case)), outside)
    estimates = _learned_estimates(case, seen, pods, measured, late)
    can = _of_all(case, seen, pods, estimates, concurrency)
    where = "Gateway" if signals is observation.signals else "Server"
    reached = attainment.attained(history, objective, measured, signals, where)
    busy = min(concurrency, 1.0) if seen.completed > 0 else 0.0
    return Lesson(can, measured, reached, history, estimates, _sampled_at(case), late, busy)


def _ensembles(case: Case) -> frozenset[str]:
    known = case.observation.configurations
    return (
        frozenset()
        if isinstance(known, Missing)
        else frozenset(c.model for c in known if c.ensemble)
    )


def _of_all(
    case: Case,
    seen: Traffic,
    pods: _Pods,
    estimates: tuple[ServiceTimeEstimate, ...],
    concurrency: float,
) -> Capability:
    policy = case.observation.policy

    def of(key: ProfileKey) -> Capability:
        estimate = current_estimate(estimates, key)
        if pods.shared is not None:
            return shared_capability(estimate, pods.shared)
        return capability(
            estimate,
            case.configuration,
            policy.objective,
            outside=pods.outside,
            concurrency=concurrency,
            inferences_per_request=inferences_per_request(seen),
            routing=policy.routing,
        )

    return of_all({key: of(key) for key in pods.kinds}, estimates, policy.routing)


def _late_now(
    case: Case, measured: tuple[float, float] | Missing, signals: Signals | Missing
) -> float | None:
    """Lateness that the model did not expect."""
    if _being_mended(case):
        return None
    return attainment.missed_now(case.observation.policy.objective, measured, signals)


def _being_mended(case: Case) -> bool:
    """Replicas added just now say that a shortage is known.

    It shows until they serve, what piled up is worked off, and a window has passed.
    """
    window = case.settings.rate_window_seconds
    draining = max(case.start_up_seconds, window)
    since = case.at - case.lead_seconds - draining - window
    return any(change > 0 and time > since for time, change in case.memory.changes)


def _measured_over(objective: Objective, seen: Traffic) -> float:
    match objective:
        case LatencyObjective():
            return seen.gateway_seconds or seen.seconds
        case QueueTimeObjective() | DrainObjective():
            return seen.seconds
        case _ as unknown:
            assert_never(unknown)


def _learned_estimates(
    case: Case,
    seen: Traffic,
    pods: _Pods,
    measured: tuple[float, float] | Missing,
    late: float | None,
) -> tuple[ServiceTimeEstimate, ...]:
    """Kinds that serve beside each other get the same load each, and the objective is that of all."""
    memory = case.memory
    estimates, (kinds, shared, outside) = memory.estimates, pods
    new = min(max((_sampled_at(case) - memory.last_sampled_at) / seen.seconds, 0.0), 1.0)
    if new <= 0 or case.fleet.rolling_out:
        return estimates
    outside = outside if shared is None else shared.why
    alike = not any(pod.slow for pod in seen.pods)
    load, whole = seen.completed / len(seen.pods), seen.settled and not seen.partial and alike
    missed = whole and (late is not None or _too_slow(case, seen, shared, measured))
    if missed and (outside or _several_instances(case)):
        for key in kinds:
            before = current_estimate(estimates, key)
            estimates = _put(estimates, before, _forget(before, load, shared))
    if missed and outside:
        return estimates
    if seen.failed > 0 or shed(seen) or not is_steady(seen):
        return estimates
    held = whole and _held(case, seen, shared, measured)
    for key, siblings in kinds.items():
        before = after = current_estimate(estimates, key)
        if not outside:
            after = learn_window(before, siblings, case.configuration, new_fraction=new, at=case.at)
        if held:
            after = _remember(after, load, shared)
        estimates = _put(estimates, before, after)
    return estimates


def _put(
    estimates: tuple[ServiceTimeEstimate, ...],
    before: ServiceTimeEstimate,
    after: ServiceTimeEstimate,
) -> tuple[ServiceTimeEstimate, ...]:
    """What taught nothing is not begun, and does not become the newest."""
    return estimates if after is before else put(estimates, after)


def _several_instances(case: Case) -> bool:
    """What they carry together is the largest load seen, too."""
    known = case.configuration
    return not isinstance(known, Missing) and known.instances > 1


def _forget(
    estimate: ServiceTimeEstimate, load: float, shared: Shared | None
) -> ServiceTimeEstimate:
    if shared is None:
        return forget_load(estimate, load)
    return forget_mix(estimate, shared.mix)


def _remember(
    estimate: ServiceTimeEstimate, load: float, shared: Shared | None
) -> ServiceTimeEstimate:
    if shared is None:
        return remember_load(estimate, load)
    return remember_mix(estimate, shared.mix)


def _too_slow(
    case: Case, seen: Traffic, shared: Shared | None, measured: tuple[float, float] | Missing
) -> bool:
    """Even a mean of the server is above the objective. A gateway outranks it, but sees all models together."""
    objective = case.observation.policy.objective
    return (
        isinstance(objective, LatencyObjective)
        and (isinstance(measured, Missing) or shared is not None)
        and seen.mean_seconds > objective.threshold_seconds
        and not _being_mended(case)
    )


def is_steady(seen: Traffic) -> bool:
    """In a window with two loads batches are of two kinds, which its sums do not tell apart."""
    chance = BY_CHANCE * sqrt(seen.offered * seen.seconds) / seen.seconds
    return abs(seen.latest - seen.offered) <= STEADY * seen.offered + chance


def _sampled_at(case: Case) -> float:
    signals = case.observation.signals
    return case.memory.last_sampled_at if isinstance(signals, Missing) else signals.sampled_at


def _held(
    case: Case, seen: Traffic, shared: Shared | None, measured: tuple[float, float] | Missing
) -> bool:
    """Whether the objective held in this window; without a gateway judged by the server's means."""
    objective = case.observation.policy.objective
    match objective:
        case QueueTimeObjective():
            return seen.mean_queue_seconds <= objective.mean_seconds
        case DrainObjective():
            return not isinstance(measured, Missing) and 0 < measured[1] <= measured[0]
        case LatencyObjective():
            pass
        case _ as unknown:
            assert_never(unknown)
    if isinstance(measured, Missing):
        return 0 < seen.mean_seconds * HELD_BY_MEAN <= objective.threshold_seconds
    if shared is not None and seen.mean_seconds > objective.threshold_seconds:
        return False
    within_time, requests = measured
    return requests > 0 and within_time >= objective.target_fraction * requests


def _concurrency(seen: Traffic) -> float:
    """Mean executions running at once per pod: executions × mean batch time ÷ time, once for all models of a pod."""
    pods = [pod for pod in seen.pods if pod.settled and not pod.slow and pod.windows]
    found = totals([window for pod in pods for window in pod.windows])
    seconds = sum([max([window.seconds for window in pod.windows]) for pod in pods])
    if found.requests <= 0 or seconds <= 0:
        return 1.0
    return found.compute_seconds / found.requests * found.executions / seconds
