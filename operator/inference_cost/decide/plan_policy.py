"""The stages for one policy, in order: profile, demand, size, stabilize, guard."""

from dataclasses import dataclass, replace

from inference_cost.decide import attainment, behavior, forecast
from inference_cost.decide.fallback import fallback_replicas, may_remove
from inference_cost.decide.guard import Verdict, forbids_removal
from inference_cost.decide.place import bounds
from inference_cost.decide.plans import NOT_DECIDED, assemble, held_plan, workloads_of
from inference_cost.decide.pods import Fleet, fleet, learn_start_ups
from inference_cost.decide.profile import (
    Capability,
    capability,
    configuration_of,
    current_estimate,
    learn_window,
    outside_domain,
    remember_load,
)
from inference_cost.decide.routing import gain
from inference_cost.decide.size import needed, needed_to_keep, predict, profile_among
from inference_cost.decide.stabilize import (
    CHANGES_KEPT,
    LONGEST_PERIOD_SECONDS,
    NEEDS_KEPT,
    Bounds,
    Choice,
    Need,
    Rules,
    choose,
)
from inference_cost.decide.traffic import Traffic, mean_gpu_utilization, traffic
from inference_cost.model.memory import PolicyMemory
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.plan import Attainment, Demand, LimitedBy, Plan, Reason
from inference_cost.model.policy import HeadroomMode, LatencyObjective, Pause
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import ModelConfiguration
from inference_cost.model.workload import NoWorkload, Workload

HELD_BY_MEAN = 3.0  # a 99th percentile is at most about three means
GROWTH_WHILE_LATE = 1.5
# Pods that start are no failure of the metrics: each cold start would bring the fallback.
NO_FAILURE = frozenset({MissingReason.WARMING_UP, MissingReason.NO_READY_PODS})

A_WHOLE_TICK = 0.9  # ticks are not exact
LONGEST_GAP = (
    4.0  # ticks without metrics, before what was seen no longer counts as seen without a break
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One policy at one tick, with all that is derived once."""

    observation: PolicyObservation
    snapshot: Snapshot
    memory: PolicyMemory
    workloads: tuple[Workload, ...]
    fleet: Fleet
    start_up_seconds: float
    traffic: Traffic | Missing
    configuration: ModelConfiguration | Missing
    scrape_seconds: float

    @property
    def at(self) -> float:
        return self.snapshot.at

    @property
    def bounds(self) -> Bounds:
        lowest, highest = bounds(self.observation.policy.variants)
        return Bounds(lowest=lowest, highest=highest)


def plan_policy(
    observation: PolicyObservation, memory: PolicyMemory, snapshot: Snapshot
) -> tuple[Plan, PolicyMemory]:
    problem = next((one for one in observation.workloads if isinstance(one, NoWorkload)), None)
    if problem is not None or not observation.workloads:
        message = problem.message if problem is not None else "no target"
        reason = Reason(code="no-target", values=(("message", message),))
        return held_plan(observation, snapshot, LimitedBy.NO_TARGET, (reason,)), memory
    case = _case(observation, memory, snapshot)
    if isinstance(case.traffic, Missing):
        return _without_metrics(case, case.traffic)
    return _with_metrics(case, case.traffic)


def _case(observation: PolicyObservation, memory: PolicyMemory, snapshot: Snapshot) -> Case:
    settings, at = snapshot.settings, snapshot.at
    workloads = tuple(workloads_of(observation))
    memory = learn_start_ups(memory, workloads, at, settings.tick_seconds)
    start_up = forecast.start_up_seconds(memory.start_up_seconds, settings.start_up_seconds_prior)
    signals = observation.signals
    scrape = 0.0 if isinstance(signals, Missing) else signals.scrape_interval_seconds
    window = settings.rate_window_seconds
    seen = [traffic(signals, workload, at, window) for workload in workloads]
    pods = fleet(workloads, at, start_up)
    return Case(
        observation=observation,
        snapshot=snapshot,
        memory=_remember_changes(memory, pods, at),
        workloads=workloads,
        fleet=pods,
        start_up_seconds=start_up,
        traffic=seen[0],
        configuration=configuration_of(observation.configurations, seen[0]),
        scrape_seconds=scrape,
    )


def _remember_changes(memory: PolicyMemory, pods: Fleet, at: float) -> PolicyMemory:
    """Changes are seen rather than assumed, so that a failed write counts for nothing."""
    changes = tuple(c for c in memory.changes if at - LONGEST_PERIOD_SECONDS < c[0] <= at)
    if memory.last_current is not None and pods.current != memory.last_current:
        changes = (*changes, (at, pods.current - memory.last_current))[-CHANGES_KEPT:]
    ended = at if pods.rolling_out else memory.rollout_ended_at
    return replace(memory, changes=changes, last_current=pods.current, rollout_ended_at=ended)


def _paused(case: Case, pause: Pause) -> Choice:
    """A fixed number is the user's order, also outside the bounds. All else is measured and learned as ever."""
    desired = case.fleet.current if pause.replicas is None else max(pause.replicas, 0)
    reason = Reason(code="paused", values=(("source", pause.source),))
    return Choice(desired=desired, limited_by=LimitedBy.PAUSED, reasons=(reason,))


def _without_metrics(case: Case, missing: Missing) -> tuple[Plan, PolicyMemory]:
    pause, memory = case.observation.policy.pause, _count_miss(case, missing)
    choice = _blind(case, missing, memory.misses) if pause is None else _paused(case, pause)
    plan = assemble(
        case.observation,
        case.snapshot,
        choice.desired,
        choice.desired,
        limited_by=choice.limited_by,
        reasons=choice.reasons,
        demand=missing,
        profile=missing,
        prediction=missing,
        one_fewer=missing,
        attainment=missing,
        gpu_utilization=missing,
    )
    return plan, memory


def _blind(case: Case, missing: Missing, misses: int) -> Choice:
    """Hold; after the failure threshold the user's fallback. Fewer than now only where that asks for it."""
    current, fallback = case.fleet.current, case.observation.policy.fallback
    target = fallback_replicas(fallback, current, misses)
    code = "no-metrics" if target is None else "fallback"
    values = (("reason", missing.reason.value), ("detail", missing.detail))
    reasons = (Reason(code=code, values=values),)
    if target is None:
        desired = max(current, case.bounds.lowest)
        return Choice(desired=desired, limited_by=LimitedBy.METRICS_UNAVAILABLE, reasons=reasons)
    desired = case.bounds.clamp(target)
    if not may_remove(fallback):
        desired = max(desired, current)
    return Choice(desired=desired, limited_by=LimitedBy.FALLBACK, reasons=reasons)


def _count_miss(case: Case, missing: Missing) -> PolicyMemory:
    """One per tick: a change in the cluster may bring looks within a second, and they count for nothing."""
    memory, tick = case.memory, case.snapshot.settings.tick_seconds
    too_soon = 0 <= case.at - memory.last_miss_at < A_WHOLE_TICK * tick
    if missing.reason in NO_FAILURE or too_soon:
        return memory
    return replace(memory, misses=min(memory.misses + 1, 10**6), last_miss_at=case.at)


def _with_metrics(case: Case, seen: Traffic) -> tuple[Plan, PolicyMemory]:
    case, can, reached = _learn(_observed(case), seen)
    demand, memory = _demand(case, seen, can)
    need, keep = _need(case, can, demand)
    memory = replace(memory, needs=_remember_need(case, keep), misses=0)
    gpu = mean_gpu_utilization(seen, case.at)
    pause, objective = case.observation.policy.pause, case.observation.policy.objective
    if pause is None:
        forbidden = forbids_removal(case.fleet, seen, can, gpu, _late_now(case, seen))
        choice = _choose(replace(case, memory=memory), need, forbidden)
    else:
        choice = _paused(case, pause)
    plan = assemble(
        case.observation,
        case.snapshot,
        need,
        choice.desired,
        limited_by=choice.limited_by,
        reasons=(*_findings(case, can, choice.desired), *choice.reasons),
        demand=demand,
        profile=profile_among(can, choice.desired),
        prediction=predict(can, objective, demand, choice.desired),
        one_fewer=predict(can, objective, demand, choice.desired - 1)
        if pause is None
        else NOT_DECIDED,
        attainment=reached,
        gpu_utilization=gpu,
    )
    return plan, memory


def _late_now(case: Case, seen: Traffic) -> float | None:
    """Lateness that the model did not expect: replicas added just now say that it knew of the shortage.

    A known shortage shows until they serve, what piled up is worked off, and a window has passed.
    """
    objective, signals = case.observation.policy.objective, case.observation.signals
    window = case.snapshot.settings.rate_window_seconds
    since = case.at - _lead_seconds(case) - _drain_seconds(case) - window
    if any(change > 0 and time > since for time, change in case.memory.changes):
        return None
    return attainment.missed_now(objective, attainment.measure(objective, signals, seen), signals)


def _lead_seconds(case: Case) -> float:
    settings = case.snapshot.settings
    return forecast.lead_seconds(settings, case.start_up_seconds, case.scrape_seconds)


def _choose(case: Case, need: int, forbidden: Verdict | None) -> Choice:
    return choose(
        Need(
            now=need,
            keep=case.memory.needs,
            hold_seconds=_hold_seconds(case),
            observed_since=case.memory.observed_since,
        ),
        case.fleet,
        case.bounds,
        Rules(behavior=case.observation.policy.behavior, changes=case.memory.changes),
        forbidden=forbidden,
        at=case.at,
    )


def _observed(case: Case) -> Case:
    """Time without metrics proves nothing: after a gap holding times and trends start over."""
    memory, at = case.memory, case.at
    tick = max(case.snapshot.settings.tick_seconds, case.scrape_seconds)
    if 0 <= at - memory.observed_at <= LONGEST_GAP * tick:
        memory = replace(memory, observed_at=at)
    else:
        memory = replace(memory, observed_at=at, observed_since=at, demand=())
    return replace(case, memory=memory)


def _learn(case: Case, seen: Traffic) -> tuple[Case, Capability, Attainment | Missing]:
    """Attainment first, then what the window teaches, then what a replica can carry with it."""
    observation, memory = case.observation, case.memory
    objective = observation.policy.objective
    measured = attainment.measure(objective, observation.signals, seen)
    history = memory.attainment
    if not isinstance(measured, Missing):
        seconds = seen.gateway_seconds if isinstance(objective, LatencyObjective) else seen.seconds
        window = case.snapshot.settings.slo_window_seconds
        history = attainment.remember(history, measured, seconds, case.at, window)
    reached = attainment.attained(history, objective, measured, observation.signals)
    memory = replace(memory, attainment=history)
    memory = _learn_profile(case, seen, memory, measured)
    outside = outside_domain(case.configuration, seen)
    can = capability(
        current_estimate(memory.estimates, case.fleet.template_hash),
        case.configuration,
        objective,
        outside=outside,
        concurrency=_concurrency(seen),
        inferences_per_request=_inferences_per_request(seen),
        routing=observation.policy.routing,
    )
    return replace(case, memory=memory), can, reached


def _learn_profile(
    case: Case, seen: Traffic, memory: PolicyMemory, measured: tuple[float, float] | Missing
) -> PolicyMemory:
    sampled_at = _sampled_at(case)
    new = min(max((sampled_at - memory.last_sampled_at) / seen.seconds, 0.0), 1.0)
    template = case.fleet.template_hash
    teaches = new > 0 and not case.fleet.rolling_out and seen.failed == 0 and not _shed(seen)
    if not teaches:
        return replace(memory, last_sampled_at=sampled_at)
    estimates = memory.estimates
    if not outside_domain(case.configuration, seen):
        estimates = learn_window(
            estimates, template, seen, case.configuration, new_fraction=new, at=case.at
        )
    if all(pod.settled for pod in seen.pods) and not seen.partial and _held(case, seen, measured):
        load = seen.completed / len(seen.pods)
        estimates = remember_load(estimates, template, load)
    return replace(memory, estimates=estimates, last_sampled_at=sampled_at)


def _sampled_at(case: Case) -> float:
    signals = case.observation.signals
    return case.memory.last_sampled_at if isinstance(signals, Missing) else signals.sampled_at


def _shed(seen: Traffic) -> bool:
    return bool(seen.gateway_errors)


def _held(case: Case, seen: Traffic, measured: tuple[float, float] | Missing) -> bool:
    """Whether the objective held in this window; without a gateway judged by the server's means."""
    objective = case.observation.policy.objective
    if not isinstance(objective, LatencyObjective):
        return seen.mean_queue_seconds <= objective.mean_seconds
    if isinstance(measured, Missing):
        return 0 < seen.mean_seconds * HELD_BY_MEAN <= objective.threshold_seconds
    within_time, requests = measured
    return requests > 0 and within_time >= objective.target_fraction * requests


def _concurrency(seen: Traffic) -> float:
    """Mean executions running at once per pod: executions × mean batch time ÷ time."""
    windows = [window for pod in seen.pods if pod.settled for window in pod.windows]
    requests = sum(window.requests for window in windows)
    seconds = sum(window.seconds for window in windows)
    if requests <= 0 or seconds <= 0:
        return 1.0
    batch = sum(window.compute_seconds for window in windows) / requests
    return batch * sum(window.executions for window in windows) / seconds


def _inferences_per_request(seen: Traffic) -> float:
    windows = [window for pod in seen.pods for window in pod.windows]
    requests = sum(window.requests for window in windows)
    return sum(window.inferences for window in windows) / requests if requests > 0 else 1.0


def _demand(case: Case, seen: Traffic, can: Capability) -> tuple[Demand, PolicyMemory]:
    hidden = _hides_losses(case, seen)
    demand = forecast.offered(seen, _capacity(case, can), hidden_losses=hidden)
    settings = case.snapshot.settings
    lead = _lead_seconds(case)
    span = forecast.look_back_seconds(settings, lead)
    history = forecast.remember(case.memory.demand, case.at, demand.now, span)
    expected = forecast.forecast(
        demand,
        history,
        case.observation.policy.headroom,
        lead=lead,
        window=settings.rate_window_seconds,
    )
    return replace(demand, forecast=expected), replace(case.memory, demand=history)


def _capacity(case: Case, can: Capability) -> forecast.Capacity:
    ready = case.fleet.ready
    if isinstance(can.profile, Missing):
        return forecast.Capacity(ready=ready, per_second=0.0, batch=1.0)
    return forecast.Capacity(
        ready=ready,
        per_second=ready * can.profile.capacity_per_replica,
        batch=float(can.profile.max_batch_size * can.profile.instances),
    )


def _hides_losses(case: Case, seen: Traffic) -> bool:
    """A queue policy sheds requests that Triton counts nowhere; without the gauge a queue grows unseen."""
    if seen.gateway_rate is not None:
        return False
    policy = not isinstance(case.configuration, Missing) and case.configuration.queue_policy
    return policy or not seen.pending_known


def _need(case: Case, can: Capability, demand: Demand) -> tuple[int, int]:
    """Replicas needed, and those to keep. Without a profile: hold, or grow while requests are late."""
    headroom = case.observation.policy.headroom
    extra = headroom.replicas if headroom.mode is HeadroomMode.FIXED else 0
    if isinstance(can.profile, Missing):
        need = _blind_need(case, demand)
        return need, need
    drain = _drain_seconds(case)
    need = needed(demand, can.profile, drain, can.gains) + extra
    return need, max(needed_to_keep(demand, can.profile, drain, can.gains) + extra, need)


def _drain_seconds(case: Case) -> float:
    """In which a backlog is to be worked off."""
    return max(case.start_up_seconds, case.snapshot.settings.rate_window_seconds)


def _blind_need(case: Case, demand: Demand) -> int:
    current = case.fleet.current
    if demand.censored and case.fleet.ready:
        return max(current, -int(-case.fleet.ready * GROWTH_WHILE_LATE // 1))
    return current


def _remember_need(case: Case, keep: int) -> behavior.Series:
    rules = case.observation.policy.behavior
    span = max(
        _hold_seconds(case),
        float(rules.scale_in.stabilization_window_seconds),
        float(rules.scale_out.stabilization_window_seconds),
    )
    return behavior.remember(case.memory.needs, case.at, keep, span, NEEDS_KEPT)


def _hold_seconds(case: Case) -> float:
    """A lower need must last as long as a start takes (ski rental), and be seen in a whole window."""
    return max(case.start_up_seconds, case.snapshot.settings.rate_window_seconds)


def _findings(case: Case, can: Capability, desired: int) -> tuple[Reason, ...]:
    """What a user should know about the profile itself."""
    found = []
    if can.outside:
        found.append(Reason(code="outside-model", values=(("why", can.outside),)))
    if not can.reachable:
        found.append(Reason(code="objective-unreachable"))
    if can.replica is not None and isinstance(case.configuration, Missing):
        found.append(Reason(code="unknown-batching"))
    more = round(100 * (gain(can.gains, desired) - 1))
    if more > 0:
        values = (("replicas", desired), ("percent", more))
        found.append(Reason(code="evened-out", values=values))
    if can.unbalanced:
        found.append(Reason(code="not-evened-out", values=(("why", can.unbalanced),)))
    return tuple(found)
