"""How many replicas a policy needs now, and how many it keeps: what is offered, put to the headroom rules."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from inference_cost.decide.case import Case
from inference_cost.decide.deadline.backlog import History
from inference_cost.decide.deadline.need import Draining, draining
from inference_cost.decide.demand import GROWTH_WHILE_CENSORED, Capacity, expecting, offered
from inference_cost.decide.headroom.described import described
from inference_cost.decide.headroom.learned import Floats, expect_nothing, from_bytes, to_bytes
from inference_cost.decide.headroom.regression import Look
from inference_cost.decide.headroom.sizing import Size, size
from inference_cost.decide.headroom.takeover import taken_over
from inference_cost.decide.limits.behavior import Series
from inference_cost.decide.limits.guard import Verdict
from inference_cost.decide.look import interrupted, look_of
from inference_cost.decide.outage import Suspicion, suspected, verdict
from inference_cost.decide.replica.profile import Capability
from inference_cost.decide.serving import serving
from inference_cost.decide.size import replicas_for
from inference_cost.decide.traffic import Traffic
from inference_cost.model.memory import SuspectedOutage, TakeOver
from inference_cost.model.plan import Demand, HeadroomChoice, Profile, Reason
from inference_cost.model.policy import (
    DrainObjective,
    HeadroomMode,
    LatencyObjective,
    ServiceObjective,
)
from inference_cost.model.reading import Missing, MissingReason

GROWTH_WHILE_LATE: Final = 1.5
A_WHOLE_TICK: Final = 0.9  # ticks are not exact
LATE_ALLOWED: Final = 0.01  # share of the time in which a mean may be above its objective


NOT_CHOSEN: Final = Missing(reason=MissingReason.NOT_LEARNED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Replicas to have at once, and to stay at while there are more."""

    demand: Demand
    now: int
    keep: int
    headroom: HeadroomChoice | Missing = NOT_CHOSEN
    draining: Draining | None = None  # of an objective that lets requests wait
    reasons: tuple[Reason, ...] = ()
    forbidden: Verdict | None = None  # to remove anything


class Looked(NamedTuple):
    """What is to be remembered of the demand, and of what was wanted for it."""

    headroom: bytes
    at: float  # of the last look that counts
    take_over: TakeOver | None
    outage: SuspectedOutage | None
    arrivals: History
    wanted: Series


def needs(
    case: Case, seen: Traffic, can: Capability, late: float | None = None
) -> tuple[Needs, Looked]:
    """Without a profile: hold, or grow while requests are late or demand is hidden."""
    demand = offered(seen, _capacity(case, can), hidden_losses=_hides_losses(case, seen))
    if isinstance(can.profile, Missing):
        # What can be timed is known in seconds, and grows by what it needs.
        short = demand.censored or (bool(can.outside) and late is not None)
        need = _blind_need(case, short=short)
        demand = expecting(demand, demand.now)
        return Needs(demand=demand, now=need, keep=need), _as_before(case)
    if demand.censored:
        return _growing(case, can, can.profile, demand), _as_before(case)
    objective = case.observation.policy.objective
    if isinstance(objective, DrainObjective):
        return _to_drain(case, seen, can.profile, demand, objective)
    outage, remembered = suspected(case, seen, demand)
    if outage is None:
        found, looked = _asked(case, seen, can, can.profile, demand, objective=objective)
    else:
        found, looked = _waiting(case, can, can.profile, demand, outage), _as_before(case)
    return found, looked._replace(outage=remembered)


def _as_before(case: Case) -> Looked:
    memory = case.memory
    return Looked(
        memory.headroom,
        memory.looked_at,
        memory.take_over,
        memory.outage,
        memory.arrivals,
        memory.wanted,
    )


def _to_drain(
    case: Case, seen: Traffic, profile: Profile, demand: Demand, objective: DrainObjective
) -> tuple[Needs, Looked]:
    found, more = draining(case, seen, profile, demand, objective), fixed_headroom(case)
    needs = Needs(demand=found.demand, now=found.now + more, keep=found.keep + more, draining=found)
    return needs, _as_before(case)._replace(arrivals=found.arrivals, wanted=found.wanted)


def _capacity(case: Case, can: Capability) -> Capacity:
    ready = case.fleet.ready
    if isinstance(can.profile, Missing):
        return Capacity(ready=ready, per_second=0.0, batch=1.0)
    return Capacity(
        ready=ready,
        per_second=_ready_over_the_window(case) * can.profile.capacity_per_replica,
        batch=float(can.profile.max_batch_size * can.profile.instances),
    )


def _ready_over_the_window(case: Case) -> float:
    """Mean number of ready replicas in the window that the rates are of: new ones served in a part of it only."""
    window, newest = case.settings.rate_window_seconds, case.at - case.age_seconds
    served = 0.0
    for ready_at in [pod.ready_at for one in case.workloads for pod in one.pods if pod.ready]:
        share = 1.0 if ready_at is None else (newest - ready_at) / window
        served += min(max(share, 0.0), 1.0)
    return served - sum([1 - 1 / pod.times for pod in case.slow])


def _hides_losses(case: Case, seen: Traffic) -> bool:
    """A queue policy sheds requests that Triton counts nowhere; without the gauge a queue grows unseen."""
    if seen.gateway_rate is not None:
        return False
    policy = not isinstance(case.configuration, Missing) and case.configuration.queue_policy
    return policy or not seen.pending_known


def _blind_need(case: Case, *, short: bool) -> int:
    current = case.fleet.current
    if short and case.fleet.ready:
        return max(current, -int(-case.fleet.ready * GROWTH_WHILE_LATE // 1))
    return current


def _growing(case: Case, can: Capability, profile: Profile, demand: Demand) -> Needs:
    """The true demand cannot be seen: nothing is learned from it."""
    demand = expecting(demand, demand.now * GROWTH_WHILE_CENSORED)
    need = replicas_for(demand.forecast, profile.load_per_replica, can.gains) + fixed_headroom(case)
    return Needs(demand=demand, now=need, keep=max(need, case.fleet.current))


def _waiting(
    case: Case, can: Capability, profile: Profile, demand: Demand, outage: Suspicion
) -> Needs:
    """The demand may be back at any moment: nothing is learned from its absence."""
    demand = expecting(demand, max(demand.now, outage.before))
    need = replicas_for(demand.now, profile.load_per_replica, can.gains) + fixed_headroom(case)
    keep = max(need, case.fleet.current)
    return Needs(demand=demand, now=need, keep=keep, forbidden=verdict(outage))


def fixed_headroom(case: Case) -> int:
    headroom = case.observation.policy.headroom
    return headroom.replicas if headroom.mode is HeadroomMode.FIXED else 0


def _asked(
    case: Case,
    seen: Traffic,
    can: Capability,
    profile: Profile,
    demand: Demand,
    *,
    objective: ServiceObjective,
) -> tuple[Needs, Looked]:
    """As learned, or as the user says: the expected demand and so many more, or the present one and none."""
    policy, look = case.observation.policy, look_of(case, seen, demand)
    vector, allowed = from_bytes(case.memory.headroom), _allowed(objective)
    if interrupted(case):
        expect_nothing(vector)
    replica = serving(can, profile, objective, case.bounds, case.fleet)
    found = size(vector, look, replica, allowed)
    looked = _looked(case, look, vector)
    if policy.headroom.mode is HeadroomMode.AUTO:
        if looked.at == case.at:
            looked = looked._replace(
                take_over=taken_over(looked.take_over, vector, allowed, case.at)
            )
        chosen = described(vector, looked.take_over, case.order_seconds, profile, allowed)
        demand = expecting(demand, found.ready_for)
        needs = Needs(demand=demand, now=found.now, keep=found.keep, headroom=chosen)
    else:
        needs = _as_ordered(case, can, profile, demand, found)
    return needs, looked


def _looked(case: Case, look: Look, vector: Floats) -> Looked:
    """A look between ticks is answered, and not counted."""
    before = _as_before(case)
    if look.seconds < A_WHOLE_TICK * look.tick:
        return before
    return before._replace(headroom=to_bytes(vector), at=case.at)


def _allowed(objective: ServiceObjective) -> float:
    if isinstance(objective, LatencyObjective):
        return 1.0 - objective.target_fraction
    return LATE_ALLOWED


def _as_ordered(
    case: Case, can: Capability, profile: Profile, demand: Demand, found: Size
) -> Needs:
    disabled = case.observation.policy.headroom.mode is HeadroomMode.DISABLED
    expected, more = demand.now if disabled else found.expected, fixed_headroom(case)
    need = max(replicas_for(expected, profile.load_per_replica, can.gains) + more, found.drain)
    keep = replicas_for(found.held, profile.load_per_replica, can.gains) + more
    return Needs(demand=expecting(demand, expected), now=need, keep=max(keep, need))
