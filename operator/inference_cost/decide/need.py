"""How many replicas a policy needs now, and how many it keeps: what is offered, put to the headroom rules."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from inference_cost.decide.case import Case
from inference_cost.decide.demand import GROWTH_WHILE_CENSORED, Capacity, expecting, offered
from inference_cost.decide.headroom.described import described
from inference_cost.decide.headroom.learned import Floats, expect_nothing, from_bytes, to_bytes
from inference_cost.decide.headroom.regression import Look
from inference_cost.decide.headroom.sizing import Size, size
from inference_cost.decide.look import interrupted, look_of
from inference_cost.decide.profile import Capability
from inference_cost.decide.serving import serving
from inference_cost.decide.size import replicas_for
from inference_cost.decide.traffic import Traffic
from inference_cost.model.plan import Demand, HeadroomChoice, Profile
from inference_cost.model.policy import HeadroomMode, LatencyObjective
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


class Looked(NamedTuple):
    """What the headroom rules learned so far, and when they last looked."""

    learned: bytes
    at: float


def needs(case: Case, seen: Traffic, can: Capability) -> tuple[Needs, Looked]:
    """Without a profile: hold, or grow while requests are late."""
    demand = offered(seen, _capacity(case, can), hidden_losses=_hides_losses(case, seen))
    if isinstance(can.profile, Missing):
        need = _blind_need(case, demand)
        demand = expecting(demand, demand.now)
        return Needs(demand=demand, now=need, keep=need), _not_looked(case)
    if demand.censored:
        return _growing(case, can, can.profile, demand), _not_looked(case)
    return _asked(case, seen, can, can.profile, demand)


def _capacity(case: Case, can: Capability) -> Capacity:
    ready = case.fleet.ready
    if isinstance(can.profile, Missing):
        return Capacity(ready=ready, per_second=0.0, batch=1.0)
    return Capacity(
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


def _blind_need(case: Case, demand: Demand) -> int:
    current = case.fleet.current
    if demand.censored and case.fleet.ready:
        return max(current, -int(-case.fleet.ready * GROWTH_WHILE_LATE // 1))
    return current


def _growing(case: Case, can: Capability, profile: Profile, demand: Demand) -> Needs:
    """The true demand cannot be seen: nothing is learned from it."""
    demand = expecting(demand, demand.now * GROWTH_WHILE_CENSORED)
    need = replicas_for(demand.forecast, profile.load_per_replica, can.gains) + _fixed(case)
    return Needs(demand=demand, now=need, keep=max(need, case.fleet.current))


def _fixed(case: Case) -> int:
    headroom = case.observation.policy.headroom
    return headroom.replicas if headroom.mode is HeadroomMode.FIXED else 0


def _asked(
    case: Case, seen: Traffic, can: Capability, profile: Profile, demand: Demand
) -> tuple[Needs, Looked]:
    """As learned, or as the user says: the expected demand and so many more, or the present one and none."""
    policy, look = case.observation.policy, look_of(case, seen, demand)
    vector = from_bytes(case.memory.headroom)
    if interrupted(case):
        expect_nothing(vector)
    replica = serving(can, profile, policy.objective, case.bounds, case.fleet)
    found = size(vector, look, replica, _allowed(case))
    if policy.headroom.mode is HeadroomMode.AUTO:
        chosen = described(vector, case.order_seconds, profile, _allowed(case))
        demand = expecting(demand, found.ready_for)
        needs = Needs(demand=demand, now=found.now, keep=found.keep, headroom=chosen)
    else:
        needs = _as_ordered(case, can, profile, demand, found)
    return needs, _looked(case, look, vector)


def _looked(case: Case, look: Look, vector: Floats) -> Looked:
    """A look between ticks is answered, and not counted."""
    if look.seconds < A_WHOLE_TICK * look.tick:
        return _not_looked(case)
    return Looked(to_bytes(vector), case.at)


def _not_looked(case: Case) -> Looked:
    return Looked(case.memory.headroom, case.memory.looked_at)


def _allowed(case: Case) -> float:
    objective = case.observation.policy.objective
    if isinstance(objective, LatencyObjective):
        return 1.0 - objective.target_fraction
    return LATE_ALLOWED


def _as_ordered(
    case: Case, can: Capability, profile: Profile, demand: Demand, found: Size
) -> Needs:
    disabled = case.observation.policy.headroom.mode is HeadroomMode.DISABLED
    expected, more = demand.now if disabled else found.expected, _fixed(case)
    need = max(replicas_for(expected, profile.load_per_replica, can.gains) + more, found.drain)
    keep = replicas_for(found.held, profile.load_per_replica, can.gains) + more
    return Needs(demand=expecting(demand, expected), now=need, keep=max(keep, need))
