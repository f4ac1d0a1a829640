"""One tick of decisions: a frozen snapshot and the memory in, a plan per policy and the new memory out.

Pure: no clock (now is `snapshot.at`), no I/O, no logging, no randomness. A surprise in one policy holds that policy
and leaves the others alone.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from types import MappingProxyType

from inference_cost.decide.joint.limits import limited_pools, may_use
from inference_cost.decide.joint.share import share_out
from inference_cost.decide.limits.fleet_guard import guard_fleet
from inference_cost.decide.plan_policy import propose
from inference_cost.decide.plans import held_plan
from inference_cost.decide.proposal import Decided, Proposed, held, with_grant
from inference_cost.decide.warm.cover import with_cover
from inference_cost.decide.warm.plan import plan_warm
from inference_cost.model.memory import Decisions, Memory, PolicyMemory, Shared
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.plan import LimitedBy, Plan, Reason
from inference_cost.model.policy import Mode, PolicyKey


def decide(snapshot: Snapshot, memory: Memory) -> Decisions:
    """Plan every observed policy, then the nodes that they share. Policies no longer observed are forgotten."""
    snapshot = with_cover(snapshot, memory.warm)
    limited = limited_pools(snapshot)
    plans: dict[PolicyKey, Plan] = {}
    remembered: dict[PolicyKey, PolicyMemory] = {}
    proposals: dict[PolicyKey, Proposed] = {}
    for observation in snapshot.observations:
        key = observation.policy.key
        before = memory.policies.get(key, PolicyMemory())
        made, (plans[key], remembered[key]) = _contained(observation, before, snapshot)
        if limited:
            proposals[key] = made
    shared = _share_out(proposals, plans, remembered, snapshot, memory) if limited else ()
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


def _contained(
    observation: PolicyObservation, memory: PolicyMemory, snapshot: Snapshot
) -> tuple[Proposed, Decided]:
    try:
        if not isfinite(snapshot.at):
            raise ValueError("time is not finite")  # noqa: TRY301 - same handling as below
        made = propose(observation, memory, snapshot)
        decided = made.decided
    except Exception as error:  # noqa: BLE001 - whatever it is, the other policies go on
        made = _failed(observation, memory, snapshot, error)
        decided = made.decided
    return made, decided


def _failed(
    observation: PolicyObservation, memory: PolicyMemory, snapshot: Snapshot, error: Exception
) -> Proposed:
    reason = Reason(code="internal-error", values=(("error", type(error).__name__),))
    plan = held_plan(observation, snapshot, LimitedBy.INTERNAL_ERROR, (reason,))
    return held(plan, memory)


def _share_out(
    proposals: Mapping[PolicyKey, Proposed],
    plans: dict[PolicyKey, Plan],
    remembered: dict[PolicyKey, PolicyMemory],
    snapshot: Snapshot,
    memory: Memory,
) -> tuple[Shared, ...]:
    """Decides anew on those that pools with limits have no room for. Where that fails, nobody in them adds any."""
    try:
        out = share_out(proposals, snapshot, memory.shared)
        again = {
            key: with_grant(proposals[key], grant).decided for key, grant in out.grants.items()
        }
    except Exception as error:  # noqa: BLE001 - policies in other pools go on
        for seen in snapshot.observations:
            key = seen.policy.key
            if may_use(seen, limited_pools(snapshot)) and plans[key].desired > plans[key].current:
                before = memory.policies.get(key, PolicyMemory())
                plans[key], remembered[key] = _failed(seen, before, snapshot, error).decided
        return memory.shared
    for key, (plan, state) in again.items():
        plans[key], remembered[key] = plan, state
    return out.memory


def _recent_removals(
    memories: Mapping[PolicyKey, PolicyMemory], snapshot: Snapshot
) -> dict[PolicyKey, int]:
    since = snapshot.at - snapshot.settings.fleet_guard_period_seconds
    return {
        key: -sum(change for at, change in memory.changes if at > since and change < 0)
        for key, memory in memories.items()
    }
