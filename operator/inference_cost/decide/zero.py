"""No replica at all: when the last one may go, and when the first one must come.

Only where a gateway counts requests that no replica can take: nothing else would tell that somebody asks. All else is
decided as if one replica were the least.
"""

from dataclasses import dataclass, replace
from math import exp, isnan
from typing import Final

from inference_cost.decide.case import LONGEST_GAP, Case
from inference_cost.decide.deadline.backlog import held_back
from inference_cost.decide.headroom.learned import DAY_BINS, NOTHING, from_bytes, views
from inference_cost.decide.headroom.regression import DAY_SECONDS
from inference_cost.decide.limits.behavior import limited
from inference_cost.decide.limits.guard import Verdict, caps_ask
from inference_cost.decide.limits.stabilize import Choice
from inference_cost.decide.place import replica_price
from inference_cost.decide.replica.domain import outside_domain
from inference_cost.decide.replica.kinds import last_kind
from inference_cost.decide.replica.profile import Capability, capability, current_estimate
from inference_cost.decide.schedule import InForce
from inference_cost.decide.size import replicas_for
from inference_cost.decide.traffic import Traffic, clean_gateway
from inference_cost.model.memory import PolicyMemory
from inference_cost.model.plan import Demand, LimitedBy, Reason
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import GatewaySignals

LEAST_QUIET_SECONDS: Final = 600.0
QUIET_START_UPS: Final = 2.0  # without a request before the last replica goes
BLIND_SECONDS: Final = (
    21_600.0  # some gateways drop a Service that has no endpoint: not tried again so soon
)
WORTH_STAYING_FOR: Final = 1.0  # requests expected within a start-up time
UNSEEN: Final = Missing(reason=MissingReason.NOT_CONFIGURED)
LOST: Final = "its metrics fell silent while no replica ran"
IN_PART: Final = Missing(reason=MissingReason.PARTIAL, detail="the answer is there in part only")


@dataclass(frozen=True, slots=True, kw_only=True)
class AtZero:
    """What is decided while no replica is ready, and what is known then."""

    choice: Choice
    demand: Demand
    can: Capability


def noticed(case: Case, found: InForce, seen: Traffic) -> Case:
    """Remembers how long nobody has asked, and what a replica costs: where none runs, no node tells."""
    if found.fewest > 0:
        return case
    memory, price = case.memory, replica_price(case.workloads, case.snapshot.nodes)
    if not isinstance(price, Missing):
        memory = replace(memory, price_before_zero=float(price))
    if seen.gateway_rate is None or seen.partial:
        return replace(case, memory=memory)
    held = held_back(case.observation.signals)
    rate = seen.gateway_rate + seen.offered + seen.waiting + held
    return replace(case, memory=_remember_quiet(replace(case, memory=memory), rate))


def _remember_quiet(case: Case, rate: float) -> PolicyMemory:
    """After a gap in what is known it begins anew."""
    memory, at = replace(case.memory, unseen_at=0.0, unseen_since=0.0), case.at
    if rate > 0:
        return replace(memory, quiet_at=0.0, quiet_since=0.0)
    since = memory.quiet_since if _lately(case, memory.quiet_at) else at
    return replace(memory, quiet_at=at, quiet_since=since)


def _remember_unseen(case: Case) -> PolicyMemory:
    memory, at = case.memory, case.at
    since = memory.unseen_since if _lately(case, memory.unseen_at) else at
    return replace(memory, unseen_at=at, unseen_since=since)


def _lately(case: Case, at: float) -> bool:
    return 0 <= case.at - at <= LONGEST_GAP * case.tick_seconds


def let_go(case: Case, found: InForce, choice: Choice, forbidden: Verdict | None) -> Choice:
    """The choice, or no replica where the minimum in force is 0 and nobody has asked for long."""
    if found.lowest > 0:
        return choice
    gateway = _gateway(case)
    if isinstance(gateway, Missing):
        return replace(choice, reasons=(*choice.reasons, unseen(gateway.detail)))
    if choice.desired > 1:
        return choice
    if not case.memory.quiet_at:  # somebody asks, and one is no fewer than needed
        by_minimum = choice.limited_by is LimitedBy.MIN_REPLICAS
        return replace(choice, limited_by=LimitedBy.NOTHING) if by_minimum else choice
    held = _held(case, forbidden) if case.fleet.current else None
    return held or _gone(case)


def _held(case: Case, forbidden: Verdict | None) -> Choice | None:
    """What keeps the last replica though nobody asks. That little was learned does not: it takes requests."""
    if forbidden is not None and forbidden.limited_by is not LimitedBy.LEARNING:
        return Choice(desired=1, limited_by=forbidden.limited_by, reasons=(forbidden.reason,))
    if 0 <= case.at - case.memory.blind_at < BLIND_SECONDS:
        reason = unseen(LOST)
        return Choice(desired=1, limited_by=LimitedBy.STABILIZATION, reasons=(reason,))
    quiet, due = case.at - case.memory.quiet_since, _due(case)
    if quiet < due:
        reason = Reason(code="not-yet-zero", values=(("seconds", quiet), ("due", due)))
        return Choice(desired=1, limited_by=LimitedBy.STABILIZATION, reasons=(reason,))
    if _expected(case) * case.start_up_seconds >= WORTH_STAYING_FOR:
        values = (("seconds", case.start_up_seconds),)
        reason = Reason(code="expected-soon", values=values)
        return Choice(desired=1, limited_by=LimitedBy.STABILIZATION, reasons=(reason,))
    rules, current = case.observation.policy.behavior, case.fleet.current
    allowed = limited(rules, current, 0, case.memory.changes, case.at)
    if allowed > 0:
        reason = Reason(code="behavior", values=(("wanted", 0),))
        return Choice(desired=allowed, limited_by=LimitedBy.BEHAVIOR, reasons=(reason,))
    return None


def _due(case: Case) -> float:
    """Starting one again must be worth it, by far."""
    window = case.observation.policy.behavior.scale_in.stabilization_window_seconds
    return max(QUIET_START_UPS * case.start_up_seconds, LEAST_QUIET_SECONDS, float(window))


def _expected(case: Case) -> float:
    """Requests/s: the most that these minutes of the day saw before, until a replica ordered now could serve."""
    learned = views(from_bytes(case.memory.headroom))
    nothing = float(learned.numbers[NOTHING])
    width = DAY_SECONDS / DAY_BINS
    first, last = int(case.at / width), int((case.at + case.start_up_seconds) / width)
    known = [float(learned.daily[i % DAY_BINS]) for i in range(first, last + 1)]
    return max((exp(log) - nothing for log in known if not isnan(log)), default=0.0)


def _gone(case: Case) -> Choice:
    reason = Reason(code="asleep", values=_price_of_zero(case))
    return Choice(desired=0, limited_by=LimitedBy.NOTHING, reasons=(reason,))


def _price_of_zero(case: Case) -> tuple[tuple[str, float], ...]:
    """What a request waits, and what a replica would cost; without the latter where it is not known."""
    wait, price = ("wait", case.start_up_seconds), case.memory.price_before_zero
    return (wait,) if price is None else (wait, ("per_hour", price))


def at_zero(case: Case, found: InForce) -> tuple[AtZero | None, PolicyMemory]:
    """While no replica is ready: asleep, or waking as requests come. None: as for any policy."""
    if found.lowest > 0 or case.fleet.ready:
        return None, case.memory
    gateway = _gateway(case)
    if isinstance(gateway, Missing):
        return _for_a_while(case, gateway)
    rate = max(gateway.requests, held_back(case.observation.signals)) / gateway.seconds
    if rate == 0 and _in_part(case):
        return _for_a_while(case, IN_PART)
    memory = _remember_quiet(case, rate)
    if rate > 0:
        return _woken(case, rate), memory
    if case.fleet.current > 0:
        return None, memory
    return _known(case, 0.0, _gone(case)), memory


def _gateway(case: Case) -> GatewaySignals | Missing:
    signals = case.observation.signals
    return UNSEEN if isinstance(signals, Missing) else clean_gateway(signals.gateway)


def _in_part(case: Case) -> bool:
    return not isinstance(case.observation.signals, Missing) and case.observation.signals.partial


def _for_a_while(case: Case, gateway: Missing) -> tuple[AtZero | None, PolicyMemory]:
    """A gap as short as any other changes nothing; a longer one might hide requests.

    It begins with the first look that fails: when nobody asked last is not known well after a change of leader.
    """
    if case.fleet.current > 0:
        return None, case.memory
    memory, seen = _remember_unseen(case), case.traffic
    unseen_for = case.at - memory.unseen_since
    if not memory.quiet_at or unseen_for >= LONGEST_GAP * case.tick_seconds:
        alone = isinstance(seen, Missing) and seen.reason is MissingReason.NO_READY_PODS
        return None, replace(memory, blind_at=case.at) if alone and memory.quiet_at else memory
    values = (("reason", gateway.reason.value), ("detail", gateway.detail))
    reason = Reason(code="no-metrics", values=values)
    choice = Choice(desired=0, limited_by=LimitedBy.METRICS_UNAVAILABLE, reasons=(reason,))
    return _known(case, 0.0, choice), memory


def _woken(case: Case, rate: float) -> AtZero:
    """One at once, and as many as the rate needs where a replica is known. None that starts is taken back."""
    can = _capability(case)
    per_replica = 0.0 if isinstance(can.profile, Missing) else can.profile.load_per_replica
    current, rules = case.fleet.current, case.observation.policy.behavior
    need = replicas_for(rate, per_replica, can.gains)
    wanted = max(case.bounds.clamp(need), current)
    wanted = limited(rules, current, wanted, case.memory.changes, case.at)
    wanted, verdict = caps_ask(case.fleet, wanted)
    reasons = [Reason(code="woken", values=(("wait", case.start_up_seconds),))]
    limited_by = LimitedBy.MAX_REPLICAS if need > case.bounds.highest else LimitedBy.NOTHING
    if verdict is not None:
        limited_by = verdict.limited_by
        reasons.append(verdict.reason)
    choice = Choice(desired=max(wanted, 1), limited_by=limited_by, reasons=tuple(reasons))
    return AtZero(choice=choice, demand=_demand(rate), can=can)


def _known(case: Case, rate: float, choice: Choice) -> AtZero:
    return AtZero(choice=choice, demand=_demand(rate), can=_capability(case))


def _demand(rate: float) -> Demand:
    return Demand(now=rate, forecast=rate, backlog=0.0, source="Gateway")


def _capability(case: Case) -> Capability:
    """As learned when replicas last served."""
    return capability(
        current_estimate(
            case.memory.estimates, last_kind(case.memory.estimates, case.fleet.template_hash)
        ),
        case.configuration,
        case.observation.policy.objective,
        outside=outside_domain(case.configuration, case.traffic),
        concurrency=1.0,
        inferences_per_request=1.0,
        routing=case.observation.policy.routing,
    )


def unseen(detail: str = "") -> Reason:
    return Reason(code="zero-unseen", values=(("detail", detail),))


def unseen_any_more(case: Case) -> Reason:
    """Why one is started where none runs: no gateway tells who asks, or none does any more."""
    return unseen(LOST) if case.memory.quiet_at else unseen()
