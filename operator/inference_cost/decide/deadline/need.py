"""How many replicas a policy with a deadline needs now, and how many it keeps."""

from dataclasses import dataclass, replace
from math import ceil
from typing import Final

from inference_cost.decide.case import LONGEST_GAP, Case
from inference_cost.decide.deadline import backlog
from inference_cost.decide.deadline.backlog import Backlog
from inference_cost.decide.deadline.fluid import (
    Work,
    drain,
    finished_seconds,
    longest_wait_seconds,
    shorter_than_a_start,
)
from inference_cost.decide.demand import GROWTH_WHILE_CENSORED
from inference_cost.decide.lasting import highest_since, remember
from inference_cost.decide.limits.behavior import Series
from inference_cost.decide.pods import CANNOT_START, STUCK_AFTER_START_UPS
from inference_cost.decide.traffic import Traffic
from inference_cost.model.plan import Demand, Prediction, Profile, ProfileSource, Reason
from inference_cost.model.policy import DrainObjective, Routing
from inference_cost.model.reading import Missing, MissingReason

# A pod that is removed answers what it holds for 30 s, unless Triton is told otherwise.
WORKED_OFF_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Draining:
    """Replicas to have and to stay at, and what they have to do. `arrivals` and `wanted` are to be remembered."""

    now: int
    keep: int
    demand: Demand
    work: Work
    arrivals: backlog.History
    wanted: Series


def draining(
    case: Case, seen: Traffic, profile: Profile, demand: Demand, objective: DrainObjective
) -> Draining:
    """In once nothing waits, and fewer would have been in time for as long as a start takes."""
    waiting = backlog.backlog_of(seen, case.observation.signals)
    history = _remembered(case, objective, waiting, demand)
    work = _work(case, profile, waiting, history, objective)
    found = drain(work)
    wanted = remember(case.memory.wanted, case.at, found.replicas, case.start_up_seconds)
    busy = case.fleet.current if _busy(case, profile, waiting) else 0
    now = _by_half(case, found.replicas) if _never_seen_full(profile) else found.replicas
    return Draining(
        now=now,
        keep=max(highest_since(wanted, case.at - case.start_up_seconds), busy, now),
        demand=replace(demand, forecast=work.rate, backlog=_shown(waiting, demand)),
        work=work,
        arrivals=history,
        wanted=wanted,
    )


def _never_seen_full(profile: Profile) -> bool:
    return profile.source is ProfileSource.LARGEST_SEEN


def _by_half(case: Case, replicas: int) -> int:
    """What waits fills those that run, and shows within a window what they can do: until then not all at once."""
    return min(replicas, max(case.fleet.current, ceil(case.fleet.ready * GROWTH_WHILE_CENSORED)))


def _remembered(
    case: Case, objective: DrainObjective, waiting: Backlog, demand: Demand
) -> backlog.History:
    return backlog.remember(
        case.memory.arrivals,
        demand.now,
        waiting.free,
        at=case.at,
        longest_gap=LONGEST_GAP * case.tick_seconds,
        span=max(objective.within_seconds, 2 * _next_order_seconds(case)),
    )


def _order_seconds(case: Case) -> float:
    return case.start_up_seconds + case.age_seconds


def _next_order_seconds(case: Case) -> float:
    return _order_seconds(case) + case.tick_seconds


def _work(
    case: Case,
    profile: Profile,
    waiting: Backlog,
    history: backlog.History,
    objective: DrainObjective,
) -> Work:
    ahead = _next_order_seconds(case)
    work = Work(
        held=waiting.held,
        longest=waiting.longest if case.observation.policy.routing is Routing.EQUAL else 0.0,
        free=waiting.free,
        age_seconds=backlog.age_seconds(history, waiting.free, case.at),
        rate=backlog.expected_rate(history, case.at, ahead),
        per_second=profile.load_per_replica,
        ready=case.fleet.ready,
        starting=_starting(case),
        order_seconds=_order_seconds(case),
        next_order_seconds=ahead,
        within_seconds=objective.within_seconds,
    )
    if shorter_than_a_start(work):  # what comes must be provided for before it does
        return replace(work, rate=backlog.mean_rate(history, case.at, ahead))
    return work


def _starting(case: Case) -> tuple[float, ...]:
    """When those will serve that start, and those ordered that are not there yet."""
    pods = [pod for workload in case.workloads for pod in workload.pods if not pod.terminating]
    longest = STUCK_AFTER_START_UPS * case.start_up_seconds
    ages = [
        case.at - pod.created_at
        for pod in pods
        if not pod.ready and pod.waiting_reason not in CANNOT_START
    ]
    left = [max(_order_seconds(case) - age, case.tick_seconds) for age in ages if age <= longest]
    ordered = max(case.fleet.current - len(pods), 0)
    return (*sorted(left), *(_order_seconds(case),) * ordered)


def _busy(case: Case, profile: Profile, waiting: Backlog) -> bool:
    """While a replica that is removed could not answer all that it holds."""
    batch = profile.max_batch_size * profile.instances * max(case.fleet.ready, 1)
    return waiting.free > batch or waiting.longest > WORKED_OFF_SECONDS * profile.load_per_replica


def _shown(waiting: Backlog, demand: Demand) -> float:
    """Beyond what waits for the next batch anyway."""
    return demand.backlog + waiting.free


def predict_drain(found: Draining, replicas: int) -> Prediction | Missing:
    """The longest wait among so many."""
    if replicas < 1:
        return Missing(reason=MissingReason.NO_READY_PODS)
    seconds = longest_wait_seconds(found.work, replicas)
    return Prediction(
        replicas=replicas,
        seconds=seconds,
        meets_objective=seconds <= found.work.within_seconds,
    )


def reasons(found: Draining, replicas: int) -> tuple[Reason, ...]:
    """What waits and how long it takes; a deadline that no order can meet is said as such."""
    said: list[Reason] = []
    values: tuple[tuple[str, float], ...]
    within = ("within", found.work.within_seconds)
    if found.demand.backlog >= 1 and replicas > 0:
        waiting = ("waiting", round(found.demand.backlog))
        seconds = ("seconds", finished_seconds(found.work, replicas))
        values = (waiting, ("replicas", replicas), seconds, within)
        said.append(Reason(code="draining", values=values))
    if shorter_than_a_start(found.work):
        values = (within, ("start", found.work.order_seconds))
        said.append(Reason(code="shorter-than-a-start", values=values))
    elif longest_wait_seconds(found.work, found.now) > found.work.within_seconds:
        said.append(Reason(code="past-the-deadline", values=(within,)))
    return tuple(said)
