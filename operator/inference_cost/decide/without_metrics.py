"""What to do while nothing is measured: hold, and in the end the user's fallback."""

from dataclasses import replace
from typing import Final

from inference_cost.decide.case import Case
from inference_cost.decide.limits.fallback import fallback_replicas, may_remove
from inference_cost.decide.limits.stabilize import Choice
from inference_cost.decide.need import A_WHOLE_TICK
from inference_cost.decide.schedule import InForce
from inference_cost.decide.zero import unseen_any_more
from inference_cost.model.memory import PolicyMemory
from inference_cost.model.plan import LimitedBy, Reason
from inference_cost.model.reading import Missing, MissingReason

# Pods that start are no failure of the metrics: each cold start would bring the fallback.
NO_FAILURE: Final = frozenset({MissingReason.WARMING_UP, MissingReason.NO_READY_PODS})


def hold(case: Case, bounds: InForce, missing: Missing, misses: int) -> Choice:
    """Fewer than now only where the fallback asks for it. `misses`: ticks in a row without metrics."""
    current, fallback = case.fleet.current, case.observation.policy.fallback
    target = fallback_replicas(fallback, current, misses)
    values = (("reason", missing.reason.value), ("detail", missing.detail))
    if target is None:
        code, limited_by = "no-metrics", LimitedBy.METRICS_UNAVAILABLE
        wanted, desired = current, max(current, case.bounds.lowest)
    else:
        code, limited_by = "fallback", LimitedBy.FALLBACK
        wanted, desired = target, case.bounds.clamp(target)
        if not may_remove(fallback):
            desired = max(desired, current)
    reasons = (Reason(code=code, values=values), *_bound(case, bounds, wanted, desired))
    return Choice(desired=desired, limited_by=limited_by, reasons=reasons)


def _bound(case: Case, bounds: InForce, wanted: int, desired: int) -> tuple[Reason, ...]:
    """What asks for more than wanted, or allows less, where it is not the policy's own minimum or maximum."""
    by = None
    if wanted < desired == case.bounds.lowest:
        by = bounds.lowest_by if bounds.lowest else unseen_any_more(case)
    elif wanted > desired == case.bounds.highest:
        by = bounds.highest_by
    return () if by is None else (by,)


def count_miss(case: Case, missing: Missing) -> PolicyMemory:
    """One per tick: a change in the cluster may bring looks within a second, and they count for nothing."""
    memory = case.memory
    too_soon = 0 <= case.at - memory.last_miss_at < A_WHOLE_TICK * case.settings.tick_seconds
    if missing.reason in NO_FAILURE or too_soon:
        return memory
    return replace(memory, misses=min(memory.misses + 1, 10**6), last_miss_at=case.at)
