"""From the need to the replicas to ask for: out at once, in only as far as is not to be kept.

How long a lower need must last is up to the headroom rule that is followed. Whatever it is, nothing is removed until
the demand was seen for as long as a replica takes to start: removing one pays only when it stays unneeded for at least
that long (ski rental).
"""

from dataclasses import dataclass, replace
from typing import Final

from inference_cost.decide.limits import behavior
from inference_cost.decide.limits.behavior import Series
from inference_cost.decide.limits.guard import Verdict, caps_ask
from inference_cost.decide.pods import Fleet
from inference_cost.model.plan import LimitedBy, Reason
from inference_cost.model.policy import Behavior

NEEDS_KEPT: Final = 240
CHANGES_KEPT: Final = 120
LONGEST_PERIOD_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Replicas needed now and to be kept. `kept`: history of the latter, newest last."""

    now: int
    keep: int
    kept: Series
    start_up_seconds: float
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
    seen_for = at - need.observed_since
    kept = current if seen_for < need.start_up_seconds else min(bounds.clamp(need.keep), current)
    if kept > wanted:
        return Choice(
            desired=kept, limited_by=LimitedBy.STABILIZATION, reasons=(Reason(code="not-yet-in"),)
        )
    return Choice(desired=wanted, limited_by=_by_bounds(need.now, bounds))


def _behave(choice: Choice, need: Need, current: int, rules: Rules, at: float) -> Choice:
    desired = behavior.stabilized(rules.behavior, current, choice.desired, need.kept, at)
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
