"""From the need to the replicas to ask for: out at once, in only when the need stayed lower long enough.

A start costs the start-up time of a replica, so removing one pays only when it stays unneeded for at least that
long (ski rental); the measuring window is added because a fall is seen that much later.
"""

from dataclasses import dataclass, replace
from typing import Final

from inference_cost.decide import behavior
from inference_cost.decide.behavior import Series
from inference_cost.decide.guard import Verdict, caps_ask
from inference_cost.decide.pods import Fleet
from inference_cost.model.plan import LimitedBy, Reason
from inference_cost.model.policy import Behavior

NEEDS_KEPT: Final = 240
CHANGES_KEPT: Final = 120
LONGEST_PERIOD_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Replicas needed now, and the history of what would have to be kept, newest last."""

    now: int
    keep: Series
    hold_seconds: float  # how long a lower need must last before a removal
    observed_since: float  # a need holds until the next one only where somebody looked


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The user's step limits, and the changes made in their periods."""

    behavior: Behavior
    changes: Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    desired: int
    limited_by: LimitedBy
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    lowest: int
    highest: int

    def clamp(self, replicas: int) -> int:
        return min(max(replicas, self.lowest), self.highest)


def choose(
    need: Need,
    fleet: Fleet,
    bounds: Bounds,
    rules: Rules,
    *,
    forbidden: Verdict | None,
    at: float,
) -> Choice:
    """Replicas to ask for, with what limited them last."""
    choice = _direction(need, fleet, bounds, forbidden, at)
    choice = _behave(choice, need, fleet.current, rules, at)
    capped, verdict = caps_ask(fleet, choice.desired)
    if verdict is not None:
        choice = Choice(
            desired=capped,
            limited_by=verdict.limited_by,
            reasons=(*choice.reasons, verdict.reason),
        )
    return within(choice, _bounds_in_force(bounds, fleet, forbidden))


def _bounds_in_force(bounds: Bounds, fleet: Fleet, forbidden: Verdict | None) -> Bounds:
    """What is not seen may be needed: only unavailable metrics outrank the maximum."""
    if forbidden is None or forbidden.limited_by is not LimitedBy.METRICS_UNAVAILABLE:
        return bounds
    return replace(bounds, highest=max(bounds.highest, fleet.current))


def _direction(
    need: Need, fleet: Fleet, bounds: Bounds, forbidden: Verdict | None, at: float
) -> Choice:
    wanted, current = bounds.clamp(need.now), fleet.current
    if wanted >= current:
        return Choice(desired=wanted, limited_by=_by_bounds(need.now, bounds))
    if forbidden is not None:
        return Choice(desired=current, limited_by=forbidden.limited_by, reasons=(forbidden.reason,))
    lasting = _lasting(need, at)
    if lasting is None or bounds.clamp(lasting) > wanted:
        kept = current if lasting is None else min(bounds.clamp(lasting), current)
        reason = Reason(code="not-yet-in", values=(("seconds", round(need.hold_seconds)),))
        return Choice(desired=kept, limited_by=LimitedBy.STABILIZATION, reasons=(reason,))
    return Choice(desired=wanted, limited_by=_by_bounds(need.now, bounds))


def _lasting(need: Need, at: float) -> int | None:
    """Highest need of the holding time; None while less than that was observed."""
    since = at - need.hold_seconds
    if not need.keep or max(need.keep[0][0], need.observed_since) > since:
        return None
    return max(behavior.in_force(need.keep, since))


def _behave(choice: Choice, need: Need, current: int, rules: Rules, at: float) -> Choice:
    desired = behavior.stabilized(rules.behavior, current, choice.desired, need.keep, at)
    desired = behavior.limited(rules.behavior, current, desired, rules.changes, at)
    if desired == choice.desired:
        return choice
    reason = Reason(code="behavior", values=(("wanted", choice.desired),))
    return Choice(desired=desired, limited_by=LimitedBy.BEHAVIOR, reasons=(*choice.reasons, reason))


def within(choice: Choice, bounds: Bounds) -> Choice:
    """The bounds are the user's order and win over all that is inferred."""
    desired = bounds.clamp(choice.desired)
    if desired == choice.desired:
        return choice
    limited_by = LimitedBy.MIN_REPLICAS if desired > choice.desired else LimitedBy.MAX_REPLICAS
    return Choice(desired=desired, limited_by=limited_by, reasons=choice.reasons)


def _by_bounds(need: int, bounds: Bounds) -> LimitedBy:
    if need > bounds.highest:
        return LimitedBy.MAX_REPLICAS
    return LimitedBy.MIN_REPLICAS if need < bounds.lowest else LimitedBy.NOTHING
