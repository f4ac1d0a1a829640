"""Why a decision failed that `decide` held: the pure decision is made once more, to see its exception."""

from collections.abc import Mapping

from inference_cost.decide.plan_policy import propose
from inference_cost.model.memory import Memory, PolicyMemory
from inference_cost.model.observation import PolicyObservation, Snapshot
from inference_cost.model.plan import LimitedBy, Plan
from inference_cost.model.policy import PolicyKey


def held_failures(
    plans: Mapping[PolicyKey, Plan], snapshot: Snapshot, memory: Memory
) -> dict[PolicyKey, Exception]:
    """The exception of each policy whose decision was held because it failed. `memory`: as it was before."""
    return {
        seen.policy.key: _failure(seen, snapshot, memory)
        for seen in snapshot.observations
        if seen.policy.key in plans
        and plans[seen.policy.key].limited_by is LimitedBy.INTERNAL_ERROR
    }


def _failure(seen: PolicyObservation, snapshot: Snapshot, memory: Memory) -> Exception:
    try:
        memory_of = memory.policies.get(seen.policy.key, PolicyMemory())
        propose(seen, memory_of, snapshot).decided  # noqa: B018 - for its exception
    except Exception as error:  # noqa: BLE001  # it is what is looked for
        return error
    return RuntimeError("the decision failed, and did not when it was made again")
