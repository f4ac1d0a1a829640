"""One tick of decisions: a frozen snapshot and the memory in, a plan per policy and the new memory out.

Pure: no clock (now is `snapshot.at`), no I/O, no logging, no randomness. A surprise in one policy holds that policy
and leaves the others alone.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from types import MappingProxyType

from inference_cost.decide.limits.fleet_guard import guard_fleet
from inference_cost.decide.plan_policy import plan_policy
from inference_cost.decide.plans import held_plan
from inference_cost.model.memory import Decisions, Memory, PolicyMemory
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.plan import LimitedBy, Plan, Reason
from inference_cost.model.policy import Mode, PolicyKey


def decide(snapshot: Snapshot, memory: Memory) -> Decisions:
    """Plan every observed policy. Policies no longer observed are forgotten."""
    plans: dict[PolicyKey, Plan] = {}
    remembered: dict[PolicyKey, PolicyMemory] = {}
    for observation in snapshot.observations:
        key = observation.policy.key
        before = memory.policies.get(key, PolicyMemory())
        plans[key], remembered[key] = _contained(observation, before, snapshot)
    ceilings = {key: plan.highest for key, plan in plans.items()}
    guarded, fleet = guard_fleet(
        plans, ceilings, _recent_removals(remembered, snapshot), memory.fleet, snapshot
    )
    final = {key: _decided(state, plans[key], guarded[key]) for key, state in remembered.items()}
    return Decisions(
        plans=MappingProxyType(guarded),
        memory=Memory(policies=MappingProxyType(final), fleet=fleet),
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
) -> tuple[Plan, PolicyMemory]:
    try:
        if not isfinite(snapshot.at):
            raise ValueError("time is not finite")  # noqa: TRY301 - same handling as below
        return plan_policy(observation, memory, snapshot)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other policies go on
        reason = Reason(code="internal-error", values=(("error", type(error).__name__),))
        plan = held_plan(observation, snapshot, LimitedBy.INTERNAL_ERROR, (reason,))
        return plan, memory


def _recent_removals(
    memories: Mapping[PolicyKey, PolicyMemory], snapshot: Snapshot
) -> dict[PolicyKey, int]:
    since = snapshot.at - snapshot.settings.fleet_guard_period_seconds
    return {
        key: -sum(change for at, change in memory.changes if at > since and change < 0)
        for key, memory in memories.items()
    }
