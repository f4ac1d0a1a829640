"""What to do while nothing is measured: hold, and in the end the user's fallback."""

from dataclasses import replace
from typing import Final

from inference_cost.decide.case import Case
from inference_cost.decide.fallback import fallback_replicas, may_remove
from inference_cost.decide.need import A_WHOLE_TICK
from inference_cost.decide.schedule import InForce
from inference_cost.decide.stabilize import Choice
from inference_cost.decide.zero import unseen
from inference_cost.model.memory import PolicyMemory
from inference_cost.model.plan import LimitedBy, Reason
from inference_cost.model.reading import Missing, MissingReason

# Pods that start are no failure of the metrics: each cold start would bring the fallback.
NO_FAILURE: Final = frozenset({MissingReason.WARMING_UP, MissingReason.NO_READY_PODS})


def hold(case: Case, bounds: InForce, missing: Missing, misses: int) -> Choice:
    """Fewer than now only where the fallback asks for it. `misses`: ticks in a row without metrics."""
    current, fallback = case.fleet.current, case.observation.policy.fallback
    target = fallback_replicas(fallback, current, misses)
    code = "no-metrics" if target is None else "fallback"
    values = (("reason", missing.reason.value), ("detail", missing.detail))
    reasons = (Reason(code=code, values=values),)
    if target is None:
        desired = max(current, case.bounds.lowest)
        choice = Choice(desired=desired, limited_by=LimitedBy.METRICS_UNAVAILABLE, reasons=reasons)
        return _named(choice, bounds, current)
    desired = case.bounds.clamp(target)
    named = _named(
        Choice(desired=desired, limited_by=LimitedBy.FALLBACK, reasons=reasons), bounds, target
    )
    return named if may_remove(fallback) else replace(named, desired=max(desired, current))


def _named(choice: Choice, bounds: InForce, wanted: int) -> Choice:
    """With the bound that asks for more, or allows less, than `wanted`."""
    by = bounds.lowest_by if choice.desired > wanted else bounds.highest_by
    if choice.desired > wanted and bounds.lowest == 0:
        by = unseen()
    if by is None or choice.desired == wanted:
        return choice
    return replace(choice, reasons=(*choice.reasons, by))


def count_miss(case: Case, missing: Missing) -> PolicyMemory:
    """One per tick: a change in the cluster may bring looks within a second, and they count for nothing."""
    memory = case.memory
    too_soon = 0 <= case.at - memory.last_miss_at < A_WHOLE_TICK * case.settings.tick_seconds
    if missing.reason in NO_FAILURE or too_soon:
        return memory
    return replace(memory, misses=min(memory.misses + 1, 10**6), last_miss_at=case.at)
