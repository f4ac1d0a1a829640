"""The stages for one policy, in order: profile, demand, need, guard, stabilize."""

from dataclasses import replace
from typing import assert_never

from inference_cost.decide.calibration import inaccurate
from inference_cost.decide.carried import carried
from inference_cost.decide.case import Case, case_of, observed_since
from inference_cost.decide.deadline.need import predict_drain
from inference_cost.decide.deadline.need import reasons as drain_reasons
from inference_cost.decide.evenness import (
    capped,
    known,
)
from inference_cost.decide.findings import findings
from inference_cost.decide.gpu_signal import follow
from inference_cost.decide.lead_time import by_pool
from inference_cost.decide.learning import Lesson
from inference_cost.decide.limits import behavior, unread
from inference_cost.decide.limits.guard import Verdict, forbids_removal, replaced
from inference_cost.decide.limits.stabilize import NEEDS_KEPT, Choice, Need, Rules, choose
from inference_cost.decide.mix.placement import Placement
from inference_cost.decide.mix.variants import How, late_price
from inference_cost.decide.need import Looked, Needs, needs
from inference_cost.decide.plans import NOT_DECIDED, assemble, held_plan, with_targets
from inference_cost.decide.proposal import Decided, Proposed, held, proposed, remember
from inference_cost.decide.replica.profile import Capability
from inference_cost.decide.replica.slow_pods import missing
from inference_cost.decide.schedule import InForce, credited, scheduled
from inference_cost.decide.serving import late_among
from inference_cost.decide.size import predict, profile_among
from inference_cost.decide.traffic import Traffic, mean_gpu_utilization
from inference_cost.decide.without_metrics import count_miss, hold
from inference_cost.decide.zero import AtZero, at_zero, let_go, noticed
from inference_cost.model.memory import Calibration, PolicyMemory
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.plan import Evenness, LimitedBy, Prediction, Reason
from inference_cost.model.policy import (
    DrainObjective,
    LatencyObjective,
    Objective,
    Pause,
    QueueTimeObjective,
)
from inference_cost.model.reading import Missing
from inference_cost.model.workload import NoWorkload


def propose(observation: PolicyObservation, memory: PolicyMemory, snapshot: Snapshot) -> Proposed:
    """What to do about one policy, the others not looked at."""
    missing = [one.message for one in observation.workloads if isinstance(one, NoWorkload)]
    told = tuple(Reason(code="no-target", values=(("message", one),)) for one in missing)
    if len(missing) == len(observation.workloads):
        unknown = Reason(code="no-target", values=(("message", "no target"),))
        plan = held_plan(observation, snapshot, LimitedBy.NO_TARGET, told or (unknown,))
        return held(plan, memory)
    found = _propose_what_is_there(with_targets(observation), memory, snapshot)
    return _telling(found, told) if told else found


def _telling(found: Proposed, told: tuple[Reason, ...]) -> Proposed:
    def conclude(choice: Choice, placement: Placement | None) -> Decided:
        plan, memory = found.conclude(choice, placement)
        return replace(plan, reasons=(*told, *plan.reasons)), memory

    return replace(found, conclude=conclude)


def _propose_what_is_there(
    observation: PolicyObservation, memory: PolicyMemory, snapshot: Snapshot
) -> Proposed:
    case, bounds = scheduled(case_of(observation, memory, snapshot))
    if isinstance(case.traffic, Missing):
        return _without_metrics(case, bounds, case.traffic)
    return _with_metrics(case, bounds, case.traffic)


def _paused(case: Case, pause: Pause) -> Choice:
    """A fixed number is the user's order, also outside the bounds. All else is measured and learned as ever."""
    there = sum(workload.desired_replicas for workload in case.workloads)
    desired = there if pause.replicas is None else max(pause.replicas, 0)
    reason = Reason(code="paused", values=(("source", pause.source),))
    return Choice(desired=desired, limited_by=LimitedBy.PAUSED, reasons=(reason,))


def _without_metrics(case: Case, bounds: InForce, missing: Missing) -> Proposed:
    pause = case.observation.policy.pause
    asleep, memory = at_zero(case, bounds) if pause is None else (None, case.memory)
    if asleep is not None:
        return _at_zero(replace(case, memory=memory), bounds, asleep, missing)
    memory = count_miss(replace(case, memory=memory), missing)
    chosen = hold(case, bounds, missing, memory.misses) if pause is None else _paused(case, pause)

    def conclude(choice: Choice, placement: Placement | None) -> Decided:
        plan = assemble(
            case.observation,
            case.snapshot,
            chosen.desired,
            choice.desired,
            limited_by=choice.limited_by,
            reasons=choice.reasons,
            demand=missing,
            profile=missing,
            prediction=missing,
            one_fewer=missing,
            attainment=missing,
            gpu_utilization=missing,
            placement=placement,
        )
        return plan, _with_placing(memory, placement)

    return proposed(case, chosen, How(keep=True), conclude)


def _with_placing(memory: PolicyMemory, placement: Placement | None) -> PolicyMemory:
    return memory if placement is None else replace(memory, placing=placement.placing)


def _at_zero(case: Case, bounds: InForce, asleep: AtZero, missing: Missing) -> Proposed:
    chosen, objective = credited(asleep.choice, bounds), case.observation.policy.objective

    def conclude(choice: Choice, placement: Placement | None) -> Decided:
        plan = assemble(
            case.observation,
            case.snapshot,
            chosen.desired,
            choice.desired,
            limited_by=choice.limited_by,
            reasons=choice.reasons,
            demand=asleep.demand,
            profile=asleep.can.profile,
            prediction=NOT_DECIDED
            if isinstance(objective, DrainObjective)
            else predict(asleep.can, objective, asleep.demand, choice.desired),
            one_fewer=missing,
            attainment=missing,
            gpu_utilization=missing,
            placement=placement,
        )
        return plan, _with_placing(case.memory, placement)

    return proposed(case, chosen, How(), conclude)


def _with_metrics(case: Case, bounds: InForce, seen: Traffic) -> Proposed:
    case = noticed(case, bounds, seen)
    lesson, calibration, uneven, can = carried(case, seen)
    found, looked = needs(case, seen, can, lesson.late)
    signal = case.observation.policy.gpu_signal
    if signal is not None:
        found, looked = follow(case, seen, found, looked, signal, lost=_lost(case))
    memory = _remembered(case, lesson, calibration, uneven, found, looked)
    gpu = mean_gpu_utilization(seen, case.at)
    pause, objective = case.observation.policy.pause, case.observation.policy.objective
    if pause is None:
        sure = can if signal is None else replace(can, learned=True)  # of the signal
        forbidden = forbids_removal(case.fleet, seen, sure, gpu, late=lesson.late, busy=lesson.busy)
        forbidden = forbidden or found.forbidden or inaccurate(calibration, case.at)
        chosen = _choose(case, found, memory, forbidden)
        chosen = capped(chosen, case.fleet, case.bounds, uneven, case.at)
        chosen = unread.capped(chosen, case.fleet, case.bounds, case.observation.configurations)
        chosen = credited(let_go(case, bounds, chosen, forbidden), bounds)
        before = case.memory.placing.late_price
        price = late_price(found.headroom, can.profile, objective, before)
        how = How(late_price=price, keep=forbidden is not None)
    else:
        chosen, how = _paused(case, pause), How()

    def conclude(choice: Choice, placement: Placement | None) -> Decided:
        replicas = choice.desired if placement is None else choice.desired - placement.withheld
        plan = assemble(
            case.observation,
            case.snapshot,
            found.now,
            choice.desired,
            limited_by=choice.limited_by,
            reasons=(
                *findings(case, can, uneven, replicas),
                *_of_the_need(found, replicas),
                *choice.reasons,
            ),
            demand=found.demand,
            profile=profile_among(can, replicas),
            prediction=_predicted(found, can, objective, replicas),
            one_fewer=_predicted(found, can, objective, replicas - 1)
            if pause is None
            else NOT_DECIDED,
            attainment=lesson.reached,
            gpu_utilization=gpu,
            headroom=found.headroom,
            evenness=uneven if known(uneven, case.at) else NOT_DECIDED,
            starts=by_pool(case.memory),
            placement=placement,
        )
        return plan, _with_placing(remember(case, memory), placement)

    return proposed(case, chosen, how, conclude)


def _remembered(  # noqa: PLR0917 - one of each stage
    case: Case,
    lesson: Lesson,
    calibration: Calibration,
    uneven: Evenness,
    found: Needs,
    looked: Looked,
) -> PolicyMemory:
    """Replaced once, at the end: the stages read what was remembered before."""
    return replace(
        case.memory,
        attainment=lesson.attainment,
        estimates=lesson.estimates,
        last_sampled_at=lesson.sampled_at,
        calibration=calibration,
        evenness=uneven,
        observed_at=case.at,
        observed_since=observed_since(case),
        headroom=looked.headroom,
        looked_at=looked.at,
        take_over=looked.take_over,
        outage=looked.outage,
        arrivals=looked.arrivals,
        wanted=looked.wanted,
        gaps=() if isinstance(case.traffic, Missing) else case.traffic.gaps,
        needs=_remember_need(case, found.keep + _lost(case)),
        misses=0,
    )


def _predicted(
    found: Needs, can: Capability, objective: Objective, replicas: int
) -> Prediction | Missing:
    match objective:
        case LatencyObjective() | QueueTimeObjective():
            late = late_among(can, objective, found.demand.forecast, replicas)
            return predict(can, objective, found.demand, replicas, late=late)
        case DrainObjective():
            if found.draining is None:
                return NOT_DECIDED
            return predict_drain(found.draining, replicas)
        case _ as unknown:
            assert_never(unknown)


def _of_the_need(found: Needs, replicas: int) -> tuple[Reason, ...]:
    drained = () if found.draining is None else drain_reasons(found.draining, replicas)
    return (*found.reasons, *drained)


def _choose(case: Case, found: Needs, memory: PolicyMemory, forbidden: Verdict | None) -> Choice:
    lost = _lost(case)
    return choose(
        Need(
            now=found.now + lost,
            keep=found.keep + lost,
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


def _lost(case: Case) -> int:
    """Replicas that are there and serve little or nothing, or not for long: replaced before they are gone.

    A GPU's utilization shows the slow ones itself.
    """
    slow = case.slow if case.observation.policy.gpu_signal is None else ()
    if case.has_variants:  # what leaves is replaced where it is placed
        return replaced(case.fleet) + missing(slow)
    return replaced(case.fleet) + missing(slow) + case.fleet.leaving


def _remember_need(case: Case, keep: int) -> behavior.Series:
    """What is decided on, as far back as the user's stabilization windows look."""
    rules = case.observation.policy.behavior
    windows = (
        rules.scale_in.stabilization_window_seconds,
        rules.scale_out.stabilization_window_seconds,
    )
    return behavior.remember(case.memory.needs, case.at, keep, float(max(windows)), NEEDS_KEPT)
