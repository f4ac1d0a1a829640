"""One tick of decisions: a frozen snapshot and the memory in, a plan per policy and the new memory out.

Pure: no clock (now is `snapshot.at`), no I/O, no logging, no randomness. A surprise in one policy holds that policy
and leaves the others alone.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from types import MappingProxyType
from typing import Final

from inference_cost.decide.joint.limits import limited_pools, may_use
from inference_cost.decide.joint.share import SharedOut, share_out
from inference_cost.decide.limits.fleet_guard import guard_fleet
from inference_cost.decide.mix.grant import Grant
from inference_cost.decide.mix.hazard import with_hazards
from inference_cost.decide.plan_policy import propose
from inference_cost.decide.plans import held_plan
from inference_cost.decide.proposal import Decided, Proposed, held, with_grant
from inference_cost.decide.warm.cover import with_cover
from inference_cost.decide.warm.plan import plan_warm
from inference_cost.model.memory import Decisions, Memory, PolicyMemory, Shared
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.plan import LimitedBy, Plan, Reason
from inference_cost.model.policy import Mode, PolicyKey

NOTHING_KNOWN: Final = PolicyMemory()

Planned = tuple[dict[PolicyKey, Plan], dict[PolicyKey, PolicyMemory], tuple[Shared, ...]]


def decide(snapshot: Snapshot, memory: Memory) -> Decisions:
    """Plan every observed policy, then the nodes that they share. Policies no longer observed are forgotten."""
    snapshot = with_hazards(with_cover(snapshot, memory.warm), memory)
    decided = _alone if not limited_pools(snapshot) else _sharing
    plans, remembered, shared = decided(snapshot, memory)
    ceilings = {key: plan.highest for key, plan in plans.items()}
    guarded, fleet = guard_fleet(
        plans, ceilings, _recent_removals(remembered, snapshot), memory.fleet, snapshot
    )
    final = {key: _decided(state, plans[key], guarded[key]) for key, state in remembered.items()}
    warm = plan_warm(snapshot, guarded, final, memory.warm)
    return Decisions(
        plans=MappingProxyType(guarded),
        memory=Memory(
            policies=MappingProxyType({**final, **warm.policies}),
            fleet=fleet,
            shared=shared,
            warm=MappingProxyType(warm.memory),
        ),
        warm=MappingProxyType(warm.plans),
    )


def _decided(memory: PolicyMemory, planned: Plan, plan: Plan) -> PolicyMemory:
    """With what is ordered in the end. `planned`: before the fleet guard."""
    if memory.last_desired != plan.desired:
        memory = replace(memory, last_desired=plan.desired)
    if not memory.placing.domains:
        return memory
    acts = plan.mode is Mode.ENFORCE and plan.limited_by is not LimitedBy.CONFLICT
    placing = replace(
        memory.placing,
        total=memory.placing.total + plan.desired - planned.desired,
        ordered=tuple(variant.desired for variant in plan.variants) if acts else (),
    )
    return replace(memory, placing=placing)


def _alone(snapshot: Snapshot, memory: Memory) -> Planned:
    """No pool has a limit: each policy by itself."""
    plans: dict[PolicyKey, Plan] = {}
    remembered: dict[PolicyKey, PolicyMemory] = {}
    for seen in snapshot.observations:
        key = seen.policy.key
        made = _proposed(seen, memory, snapshot)
        plans[key], remembered[key] = _concluded(made, seen, memory, snapshot)
    return plans, remembered, ()


def _sharing(snapshot: Snapshot, memory: Memory) -> Planned:
    """What all would do, then what limits of pools leave to each. Where that fails, nobody in such pools adds any."""
    plans: dict[PolicyKey, Plan] = {}
    remembered: dict[PolicyKey, PolicyMemory] = {}
    made = {seen.policy.key: _proposed(seen, memory, snapshot) for seen in snapshot.observations}
    out, whole = _shared_out(made, snapshot, memory.shared)
    for seen in snapshot.observations:
        key = seen.policy.key
        grant = out.grants.get(key)
        plans[key], remembered[key] = _concluded(made[key], seen, memory, snapshot, grant)
        more = plans[key].desired > plans[key].current
        error = out.failed.get(key, whole)
        if error is not None and more and may_use(seen, snapshot):
            plans[key], remembered[key] = _failed(seen, memory, snapshot, error).decided
    return plans, remembered, out.memory


def _shared_out(
    made: Mapping[PolicyKey, Proposed], snapshot: Snapshot, before: tuple[Shared, ...]
) -> tuple[SharedOut, Exception | None]:
    try:
        return share_out(made, snapshot, before), None
    except Exception as error:  # noqa: BLE001 - policies elsewhere go on
        return SharedOut(grants={}, memory=before), error


def _proposed(seen: PolicyObservation, memory: Memory, snapshot: Snapshot) -> Proposed:
    try:
        if not isfinite(snapshot.at):
            raise ValueError("time is not finite")  # noqa: TRY301 - same handling as below
        return propose(seen, memory.policies.get(seen.policy.key, NOTHING_KNOWN), snapshot)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other policies go on
        return _failed(seen, memory, snapshot, error)


def _concluded(
    made: Proposed,
    seen: PolicyObservation,
    memory: Memory,
    snapshot: Snapshot,
    grant: Grant | None = None,
) -> Decided:
    try:
        return (made if grant is None else with_grant(made, grant)).decided
    except Exception as error:  # noqa: BLE001 - whatever it is, the other policies go on
        return _failed(seen, memory, snapshot, error).decided


def _failed(
    seen: PolicyObservation, memory: Memory, snapshot: Snapshot, error: Exception
) -> Proposed:
    reason = Reason(code="internal-error", values=(("error", type(error).__name__),))
    plan = held_plan(seen, snapshot, LimitedBy.INTERNAL_ERROR, (reason,))
    return held(plan, memory.policies.get(seen.policy.key, NOTHING_KNOWN))


def _recent_removals(
    memories: Mapping[PolicyKey, PolicyMemory], snapshot: Snapshot
) -> dict[PolicyKey, int]:
    since = snapshot.at - snapshot.settings.fleet_guard_period_seconds
    return {
        key: -sum(change for at, change in memory.changes if at > since and change < 0)
        for key, memory in memories.items()
    }
