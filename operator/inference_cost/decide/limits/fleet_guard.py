"""Limits on removals across all policies, against one bad input that moves many fleets at once.

Only removals that our own arithmetic asks for are held: a lowered maximum or a pause is the user's order.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from inference_cost.model.memory import FleetMemory, PolicyMemory
from inference_cost.model.observation import DecisionSettings, Snapshot
from inference_cost.model.plan import Action, LimitedBy, Plan, Reason, VariantPlan
from inference_cost.model.policy import Mode, PolicyKey
from inference_cost.model.reading import Missing, MissingReason

Plans = Mapping[PolicyKey, Plan]
Ceilings = Mapping[PolicyKey, int]  # maximum replicas by policy

HELD = Missing(reason=MissingReason.NOT_LEARNED, detail="held by the fleet guard")
ASKING_SECONDS = 120.0
MOST_REMOVALS_REMEMBERED = 120


def guard_fleet(
    plans: Plans,
    ceilings: Ceilings,
    recent: Mapping[PolicyKey, int],
    memory: FleetMemory,
    snapshot: Snapshot,
) -> tuple[dict[PolicyKey, Plan], FleetMemory]:
    """Hold removals beyond the limits. `recent`: replicas each policy removed in the running period."""
    at, settings = snapshot.at, snapshot.settings
    result = dict(plans)
    managed = {key: plan for key, plan in plans.items() if plan.mode is Mode.ENFORCE}
    asking = {
        key: plan
        for key, plan in managed.items()
        if plan.write
        and plan.desired < min(plan.counted, ceilings[key])
        and plan.limited_by is not LimitedBy.PAUSED
    }
    if _upgraded(snapshot):
        return result | _held(asking, ceilings, Reason(code="upgrade-hold")), memory
    replicas = sum(plan.counted for plan in managed.values())
    if (
        len(managed) < settings.fleet_guard_min_policies
        or replicas < settings.fleet_guard_min_replicas
    ):
        return result, FleetMemory()
    memory = _remember_asks(memory, asking, len(managed), at, settings)
    if at < memory.frozen_until:
        until = Reason(code="fleet-freeze", values=(("until", memory.frozen_until),))
        return result | _held(asking, ceilings, until), memory
    budget = int(settings.fleet_guard_removal_fraction * replicas) - sum(
        n for _, n in memory.removals
    )
    allowed = _share_out(asking, recent, max(budget, 0))
    kept = {key: _limited(plan, ceilings[key], allowed[key]) for key, plan in asking.items()}
    removed = sum(max(plan.counted - plan.desired, 0) for plan in kept.values() if plan.write)
    return result | kept, _remember_removed(memory, removed, at, settings)


def removed_before(memories: Iterable[PolicyMemory]) -> FleetMemory:
    """What all policies are known to have removed, for a new leader: a change of leaders gives no new budget."""
    removed = Counter[float]()
    for memory in memories:
        for at, change in memory.changes:
            removed[at] += max(-change, 0)
    return FleetMemory(removals=tuple(sorted((at, n) for at, n in removed.items() if n)))


def _upgraded(snapshot: Snapshot) -> bool:
    if snapshot.upgraded_at is None:
        return False
    return 0 <= snapshot.at - snapshot.upgraded_at < snapshot.settings.upgrade_hold_seconds


def _remember_asks(
    memory: FleetMemory, asking: Plans, managed: int, at: float, settings: DecisionSettings
) -> FleetMemory:
    """Freeze when too many policies begin within a short time to ask to go in by much.

    One that goes on asking, because it is held, does not ask anew: else no freeze would end.
    """
    drop, since = settings.fleet_guard_freeze_drop, {uid: time for time, uid in memory.asks_in}
    asking_now = {key.uid for key, p in asking.items() if p.desired < (1 - drop) * p.counted}
    asks = dict.fromkeys(asking_now, at) | {
        uid: time
        for uid, time in since.items()
        if time <= at and (uid in asking_now or time > at - ASKING_SECONDS)
    }
    new = sum(1 for time in asks.values() if time > at - ASKING_SECONDS)
    frozen = memory.frozen_until
    if at in asks.values() and new > settings.fleet_guard_freeze_fraction * managed:
        frozen = max(frozen, at + settings.fleet_guard_freeze_seconds)
    period = settings.fleet_guard_period_seconds
    return FleetMemory(
        removals=tuple((time, n) for time, n in memory.removals if at - period < time <= at),
        asks_in=tuple(sorted((time, uid) for uid, time in asks.items())),
        frozen_until=frozen,
    )


def _share_out(asking: Plans, recent: Mapping[PolicyKey, int], budget: int) -> dict[PolicyKey, int]:
    """In proportion to what each asks for; one for who removed none in this period, whatever is left."""
    total = sum(plan.counted - plan.desired for plan in asking.values())
    return {
        key: max(
            budget * (plan.counted - plan.desired) // max(total, 1),
            0 if recent.get(key, 0) else 1,
        )
        for key, plan in asking.items()
    }


def _held(asking: Plans, ceilings: Ceilings, why: Reason) -> dict[PolicyKey, Plan]:
    return {key: _keep(plan, ceilings[key], 0, why) for key, plan in asking.items()}


def _limited(plan: Plan, ceiling: int, allowed: int) -> Plan:
    wanted = Reason(code="fleet-limit", values=(("wanted", plan.desired),))
    return _keep(plan, ceiling, allowed, wanted)


def _keep(plan: Plan, ceiling: int, allowed: int, why: Reason) -> Plan:
    """Allow `allowed` removals; what is above the user's maximum goes in any case."""
    desired = max(plan.desired, min(plan.counted - allowed, ceiling))
    if desired == plan.desired:
        return plan
    return replace(
        plan,
        variants=_with_total(plan.variants, desired),
        action=Action.SCALE_IN if desired < plan.current else Action.HOLD,
        write=desired != plan.current,
        limited_by=LimitedBy.FLEET_GUARD,
        one_fewer=HELD,
        reasons=(*plan.reasons, why),
    )


def _with_total(variants: tuple[VariantPlan, ...], desired: int) -> tuple[VariantPlan, ...]:
    """Give back to the variants in order, none above what it runs now. Which pods go was told of another number."""
    left = desired - sum(variant.desired for variant in variants)
    result = []
    for variant in variants:
        back = min(left, max(variant.current - variant.desired, 0))
        left -= back
        told = None if back else variant.removal
        result.append(replace(variant, desired=variant.desired + back, removal=told))
    return tuple(result)


def _remember_removed(
    memory: FleetMemory, removed: int, at: float, settings: DecisionSettings
) -> FleetMemory:
    if not removed:
        return memory
    width = settings.fleet_guard_period_seconds / MOST_REMOVALS_REMEMBERED
    removals = memory.removals
    if removals and at - removals[-1][0] < width:
        removals = (*removals[:-1], (removals[-1][0], removals[-1][1] + removed))
    else:
        removals = (*removals, (at, removed))
    return replace(memory, removals=removals)
