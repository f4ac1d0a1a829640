"""The stages for one policy, in order: profile, demand, need, guard, stabilize."""

from dataclasses import replace

from inference_cost.decide import attainment, behavior
from inference_cost.decide.case import Case, case_of, observed_since
from inference_cost.decide.guard import Verdict, forbids_removal
from inference_cost.decide.learning import Lesson, learn
from inference_cost.decide.need import Looked, Needs, needs
from inference_cost.decide.plans import NOT_DECIDED, assemble, held_plan
from inference_cost.decide.profile import Capability
from inference_cost.decide.routing import gain
from inference_cost.decide.size import predict, profile_among
from inference_cost.decide.stabilize import NEEDS_KEPT, Choice, Need, Rules, choose
from inference_cost.decide.traffic import Traffic, mean_gpu_utilization
from inference_cost.decide.without_metrics import count_miss, hold
from inference_cost.model.memory import PolicyMemory
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.plan import LimitedBy, Plan, Reason
from inference_cost.model.policy import Pause
from inference_cost.model.reading import Missing
from inference_cost.model.workload import NoWorkload


def plan_policy(
    observation: PolicyObservation, memory: PolicyMemory, snapshot: Snapshot
) -> tuple[Plan, PolicyMemory]:
    problem = next((one for one in observation.workloads if isinstance(one, NoWorkload)), None)
    if problem is not None or not observation.workloads:
        message = problem.message if problem is not None else "no target"
        reason = Reason(code="no-target", values=(("message", message),))
        return held_plan(observation, snapshot, LimitedBy.NO_TARGET, (reason,)), memory
    case = case_of(observation, memory, snapshot)
    if isinstance(case.traffic, Missing):
        return _without_metrics(case, case.traffic)
    return _with_metrics(case, case.traffic)


def _paused(case: Case, pause: Pause) -> Choice:
    """A fixed number is the user's order, also outside the bounds. All else is measured and learned as ever."""
    desired = case.fleet.current if pause.replicas is None else max(pause.replicas, 0)
    reason = Reason(code="paused", values=(("source", pause.source),))
    return Choice(desired=desired, limited_by=LimitedBy.PAUSED, reasons=(reason,))


def _without_metrics(case: Case, missing: Missing) -> tuple[Plan, PolicyMemory]:
    pause, memory = case.observation.policy.pause, count_miss(case, missing)
    choice = hold(case, missing, memory.misses) if pause is None else _paused(case, pause)
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


def _with_metrics(case: Case, seen: Traffic) -> tuple[Plan, PolicyMemory]:
    lesson = learn(case, seen)
    can = lesson.can
    found, looked = needs(case, seen, can)
    memory = _remembered(case, lesson, found, looked)
    gpu = mean_gpu_utilization(seen, case.at)
    pause, objective = case.observation.policy.pause, case.observation.policy.objective
    if pause is None:
        forbidden = forbids_removal(case.fleet, seen, can, gpu, _late_now(case, lesson.measured))
        choice = _choose(case, found, memory, forbidden)
    else:
        choice = _paused(case, pause)
    plan = assemble(
        case.observation,
        case.snapshot,
        found.now,
        choice.desired,
        limited_by=choice.limited_by,
        reasons=(*_findings(case, can, choice.desired), *choice.reasons),
        demand=found.demand,
        profile=profile_among(can, choice.desired),
        prediction=predict(can, objective, found.demand, choice.desired),
        one_fewer=predict(can, objective, found.demand, choice.desired - 1)
        if pause is None
        else NOT_DECIDED,
        attainment=lesson.reached,
        gpu_utilization=gpu,
        headroom=found.headroom,
    )
    return plan, memory


def _remembered(case: Case, lesson: Lesson, found: Needs, looked: Looked) -> PolicyMemory:
    return replace(
        case.memory,
        attainment=lesson.attainment,
        estimates=lesson.estimates,
        last_sampled_at=lesson.sampled_at,
        observed_at=case.at,
        observed_since=observed_since(case),
        headroom=looked.learned,
        looked_at=looked.at,
        needs=_remember_need(case, found.keep),
        misses=0,
    )


def _late_now(case: Case, measured: tuple[float, float] | Missing) -> float | None:
    """Lateness that the model did not expect: replicas added just now say that it knew of the shortage.

    A known shortage shows until they serve, what piled up is worked off, and a window has passed.
    """
    objective, signals = case.observation.policy.objective, case.observation.signals
    window = case.settings.rate_window_seconds
    draining = max(case.start_up_seconds, window)
    since = case.at - case.lead_seconds - draining - window
    if any(change > 0 and time > since for time, change in case.memory.changes):
        return None
    return attainment.missed_now(objective, measured, signals)


def _choose(case: Case, found: Needs, memory: PolicyMemory, forbidden: Verdict | None) -> Choice:
    return choose(
        Need(
            now=found.now,
            keep=found.keep,
            kept=memory.needs,
            start_up_seconds=case.start_up_seconds,
            observed_since=memory.observed_since,
        ),
        case.fleet,
        case.bounds,
        Rules(behavior=case.observation.policy.behavior, changes=memory.changes),
        forbidden=forbidden,
        at=case.at,
    )


def _remember_need(case: Case, keep: int) -> behavior.Series:
    """As far back as the user's stabilization windows look."""
    rules = case.observation.policy.behavior
    windows = (
        rules.scale_in.stabilization_window_seconds,
        rules.scale_out.stabilization_window_seconds,
    )
    return behavior.remember(case.memory.needs, case.at, keep, float(max(windows)), NEEDS_KEPT)


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
