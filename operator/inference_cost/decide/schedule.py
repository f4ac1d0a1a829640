"""Bounds by the clock: the schedules that hold, and those that will before a replica ordered now could serve.

A schedule holds from each start to the first end after it, that end excluded. What cron expressions mean where clocks
change is Debian cron's business: a time that is left out comes at once after the gap, one that comes twice counts once.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from math import inf
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim

from inference_cost.decide.case import Case
from inference_cost.decide.limits.stabilize import Bounds, Choice
from inference_cost.decide.place import bounds
from inference_cost.model.plan import LimitedBy, Reason
from inference_cost.model.policy import Policy, Schedule

DAY_SECONDS: Final = 86_400
LAST_DAY: Final = 2_000_000  # beyond it no calendar goes
DAYS_KEPT: Final = 4096  # of all schedules

Window = tuple[float, float]  # epoch seconds: from, until


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """Bounds at one time. `…_by`: the schedule behind them, None where they are those of the spec."""

    lowest: int
    highest: int
    fewest: int  # at any time
    lowest_by: Reason | None = None
    highest_by: Reason | None = None


def in_force(policy: Policy, at: float, lead_seconds: float) -> InForce:
    """The largest minimum of all that hold until an order of now serves, and the maximum of now.

    Of several schedules the largest counts; a minimum raises a maximum below it.
    """
    lowest, highest = bounds(policy)
    if not policy.schedules or not 0 <= at < LAST_DAY * DAY_SECONDS:
        return InForce(lowest=lowest, highest=highest, fewest=lowest)
    least, least_by = _minimum(policy.schedules, lowest, at, min(lead_seconds, DAY_SECONDS))
    most = _largest((s.max_replicas, s) for s in policy.schedules if _window(s, at))
    return InForce(
        lowest=least,
        highest=max(most[0] if most else highest, least),
        fewest=widest(policy)[0],
        lowest_by=least_by,
        highest_by=_holds("at most", most[0], most[1]) if most else None,
    )


def scheduled(case: Case) -> tuple[Case, InForce]:
    """The case with the bounds in force in place of the policy's."""
    policy = case.observation.policy
    found = in_force(policy, case.at, case.start_up_seconds + case.tick_seconds)
    # What could be zero is one for all but `zero.py`.
    lowest = min(max(found.lowest, 1), found.highest)
    if (lowest, found.highest) == (case.bounds.lowest, case.bounds.highest):
        return case, found
    bounded = _bounded(policy, lowest, found.highest)
    observation = replace(case.observation, policy=bounded)
    least, most = bounds(bounded)
    in_force_now = Bounds(lowest=least, highest=most)
    return replace(case, observation=observation, bounds=in_force_now), found


def credited(choice: Choice, found: InForce) -> Choice:
    """What limited the choice is the schedule where the bound is the schedule's.

    A minimum of 0 asks for nothing: the replica that stays then is not the schedule's.
    """
    at_least, at_most = found.lowest_by if found.lowest else None, found.highest_by
    reason = {LimitedBy.MIN_REPLICAS: at_least, LimitedBy.MAX_REPLICAS: at_most}.get(
        choice.limited_by
    )
    if reason is not None:
        reasons = (*choice.reasons, reason)
        return replace(choice, limited_by=LimitedBy.SCHEDULE, reasons=reasons)
    return choice


def widest(policy: Policy) -> tuple[int, int]:
    """Fewest and most replicas that are ever allowed."""
    lowest, highest = bounds(policy)
    fewest = [s.min_replicas for s in policy.schedules if s.min_replicas is not None]
    most = [s.max_replicas for s in policy.schedules if s.max_replicas is not None]
    return min([lowest, *fewest]), max([highest, *most])


def _minimum(
    schedules: Sequence[Schedule], lowest: int, at: float, lead: float
) -> tuple[int, Reason | None]:
    """The largest from now until `lead` seconds later; it changes only where a window begins or ends."""
    edges = sorted({edge for s in schedules for edge in _edges(s, at, at + lead)})
    found, reason = lowest, None
    for i, time in enumerate((at, *edges)):
        least = _largest((s.min_replicas, s) for s in schedules if _window(s, time))
        replicas = least[0] if least else lowest
        if i == 0:
            found, reason = replicas, _holds("at least", *least) if least else None
        elif replicas > found:
            found = replicas
            reason = (
                _begins(least[1], replicas, time - at)
                if least
                else _ends(schedules, replicas, at, time - at)
            )
    return found, reason


def _largest(found: Iterable[tuple[int | None, Schedule]]) -> tuple[int, Schedule] | None:
    """The first of the largest."""
    known = [(replicas, s) for replicas, s in found if replicas is not None]
    return max(known, key=lambda one: one[0], default=None)


def _label(schedule: Schedule) -> str:
    return schedule.name or f"{schedule.start} to {schedule.end} {schedule.time_zone}"


def _holds(bound: str, replicas: int, schedule: Schedule) -> Reason:
    values = (("name", _label(schedule)), ("bound", bound), ("replicas", replicas))
    return Reason(code="schedule", values=values)


def _begins(schedule: Schedule, replicas: int, seconds: float) -> Reason:
    values = (("name", _label(schedule)), ("replicas", replicas), ("seconds", seconds))
    return Reason(code="schedule-begins", values=values)


def _ends(schedules: Sequence[Schedule], replicas: int, at: float, seconds: float) -> Reason:
    """`replicas`: those of the spec, which a schedule with fewer has set aside until then."""
    ending = next(s for s in schedules if s.min_replicas is not None and _window(s, at))
    values = (("name", _label(ending)), ("replicas", replicas), ("seconds", seconds))
    return Reason(code="schedule-ends", values=values)


def _bounded(policy: Policy, lowest: int, highest: int) -> Policy:
    """With other bounds in all. Of several variants each keeps its own, which are what its pool allows."""
    variants = policy.variants
    if len(variants) == 1:
        alone = replace(variants[0], min_replicas=lowest, max_replicas=max(highest, lowest))
        variants = (alone,)
    return replace(policy, variants=variants, fewest=lowest, most=highest)


def _window(schedule: Schedule, at: float) -> Window | None:
    """The one that holds at a time."""
    windows = _windows_of(schedule, at)
    i = bisect_right(windows, (at, inf)) - 1
    return windows[i] if i >= 0 and at < windows[i][1] else None


def _edges(schedule: Schedule, after: float, until: float) -> Iterator[float]:
    windows = _windows_of(schedule, after)
    for opens, closes in windows[max(bisect_right(windows, (after, inf)) - 1, 0) :]:
        if opens > until:
            return
        yield from (edge for edge in (opens, closes) if after < edge <= until)


def _windows_of(schedule: Schedule, at: float) -> tuple[Window, ...]:
    return _windows(schedule.start, schedule.end, schedule.time_zone, int(at // DAY_SECONDS))


@lru_cache(maxsize=DAYS_KEPT)
def _windows(start: str, end: str, time_zone: str, day: int) -> tuple[Window, ...]:
    """In order, those that hold at some time of this day (of UTC) or the next; found once a day."""
    begin, until = day * DAY_SECONDS, (day + 2) * DAY_SECONDS
    zone = ZoneInfo(time_zone)
    windows = []
    opens = _before(start, zone, begin)
    while opens < until:
        closes = _after(end, zone, opens)
        if closes > begin:
            windows.append((opens, closes))
        if closes >= until:
            break
        opens = _after(start, zone, closes - 1)
    return tuple(windows)


def _after(expression: str, zone: ZoneInfo, at: float) -> float:
    """The first time after; infinite where none comes."""
    for moment in CronSim(expression, datetime.fromtimestamp(at, zone)):
        if moment.timestamp() > at:
            return moment.timestamp()
    return inf


def _before(expression: str, zone: ZoneInfo, at: float) -> float:
    """One of the last times before; the first after where none was.

    Not always the last: an hour that comes twice hides one, but never of the day before.
    """
    margin = datetime.fromtimestamp(at - DAY_SECONDS, zone)
    for moment in CronSim(expression, margin, reverse=True):
        return moment.timestamp()
    return _after(expression, zone, at - DAY_SECONDS)
