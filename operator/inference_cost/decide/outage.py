"""Requests that stop at once: rather an outage in front of the fleet than an end of the demand.

A broken gateway, name server or login service takes all requests away within a minute and gives them back within a
second. A fleet that went in meanwhile is late with all of them until replicas have started and the queue is worked
off. So nothing is removed for a while, and nothing is learned. Demand that ends by itself seldom does so within a
minute, and not at a time of day that usually has requests.
"""

from dataclasses import dataclass, replace
from math import exp, isnan, sqrt
from typing import Final

from inference_cost.decide.case import Case
from inference_cost.decide.headroom.learned import (
    AGE,
    DAY_BINS,
    NOTHING,
    REQUESTS,
    STEPS,
    Learned,
    from_bytes,
    views,
)
from inference_cost.decide.headroom.regression import DAY_SECONDS
from inference_cost.decide.limits.guard import Verdict
from inference_cost.decide.look import interrupted
from inference_cost.decide.traffic import Traffic
from inference_cost.model.memory import SuspectedOutage
from inference_cost.model.plan import Demand, LimitedBy, Reason

# Shares of what came before the fall.
NEARLY_NOTHING: Final = 0.1  # in the newest gap; of what is usual, too
SUDDENLY: Final = 0.25  # in the window, which the fall has then only just reached
EXPECTED: Final = 0.3  # that the time of day must usually bring
BACK: Final = 0.5
FILLED: Final = 0.8  # of the newest rate: the window has forgotten the gap
BY_CHANCE: Final = 5.0  # standard deviations of the arrivals of a gap
# Requests that come back to a fleet that went in are late for about a lead time. A late one is worth some ten that are
# served (of that order is its price in choice.py), so to have gone in costs as much as staying for ten lead times.
# What no time of day confirms is held for less.
LEADS_HELD: Final = 10.0
LEADS_HELD_UNCONFIRMED: Final = 3.0
LONGEST_SECONDS: Final = 1_800.0  # at once, and per day on average: 2 % of the replicas' cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """Requests/s `before` the fall, and what is `usual` at that time of day: NaN where no day was seen yet."""

    before: float
    usual: float
    until: float


def suspected(
    case: Case, seen: Traffic, demand: Demand
) -> tuple[Suspicion | None, SuspectedOutage | None]:
    """An outage that begins now or goes on, and what to remember of it."""
    known = case.memory.outage
    if known is not None and not known.over and case.at >= known.seen_at:
        return _going_on(case, seen, demand, known)
    stopped = seen.latest < NEARLY_NOTHING / SUDDENLY * demand.now
    if not stopped or seen.partial or interrupted(case):
        return None, known
    return _beginning(case, seen, demand, known)


def verdict(suspicion: Suspicion) -> Verdict:
    usual = () if isnan(suspicion.usual) else (("usual", suspicion.usual),)
    values = (("before", suspicion.before), ("until", suspicion.until), *usual)
    reason = Reason(code="suspected-outage", values=values)
    return Verdict(limited_by=LimitedBy.SUSPECTED_OUTAGE, reason=reason)


def _beginning(
    case: Case, seen: Traffic, demand: Demand, known: SuspectedOutage | None
) -> tuple[Suspicion | None, SuspectedOutage | None]:
    learned = views(from_bytes(case.memory.headroom))
    usual = _usual(learned, case.at)
    before = float(learned.levels[1:].min() if isnan(usual) else learned.levels[1])
    fell = seen.latest <= NEARLY_NOTHING * before and demand.now >= SUDDENLY * before
    if not fell or _may_be_chance(case, learned, before) or _ends(usual, before, seen.latest):
        return None, known
    new = SuspectedOutage(
        began_at=case.at,
        seen_at=case.at,
        before_per_second=before,
        spare_seconds=_spare(case.at, known),
    )
    return _unless_over(case, learned, new)


def _going_on(
    case: Case, seen: Traffic, demand: Demand, known: SuspectedOutage
) -> tuple[Suspicion | None, SuspectedOutage | None]:
    learned, before = views(from_bytes(case.memory.headroom)), known.before_per_second
    spare = known.spare_seconds - (case.at - known.seen_at)
    known = replace(known, seen_at=case.at, spare_seconds=spare)
    back = demand.now >= max(BACK * before, FILLED * seen.latest)
    if back or _ends(_usual(learned, case.at), before, 0.0):
        return None, replace(known, over=True)
    return _unless_over(case, learned, known)


def _unless_over(
    case: Case, learned: Learned, known: SuspectedOutage
) -> tuple[Suspicion | None, SuspectedOutage | None]:
    usual = _usual(learned, known.began_at)
    until = min(
        known.began_at + _longest(case, learned, usual), known.seen_at + known.spare_seconds
    )
    if case.at >= until:
        return None, replace(known, over=True)
    return Suspicion(before=known.before_per_second, usual=usual, until=until), known


def _longest(case: Case, learned: Learned, usual: float) -> float:
    """Unconfirmed no longer than the demand was seen."""
    lead = case.lead_seconds - case.age_seconds
    if isnan(usual):
        return min(LEADS_HELD_UNCONFIRMED * lead, LONGEST_SECONDS, float(learned.numbers[AGE]))
    return min(LEADS_HELD * lead, LONGEST_SECONDS)


def _spare(at: float, known: SuspectedOutage | None) -> float:
    """Seconds that may be held: what was used comes back within a day."""
    if known is None:
        return LONGEST_SECONDS
    regained = max(at - known.seen_at, 0.0) / DAY_SECONDS * LONGEST_SECONDS
    return min(max(known.spare_seconds, 0.0) + regained, LONGEST_SECONDS)


def _ends(usual: float, before: float, latest: float) -> bool:
    """Whether the time of day explains that so little comes."""
    return usual < EXPECTED * before or latest > NEARLY_NOTHING * usual


def _may_be_chance(case: Case, learned: Learned, before: float) -> bool:
    """Arrivals as uneven from look to look as they were."""
    numbers, expected = learned.numbers, before * case.scrape_seconds
    dispersion = max(numbers[STEPS] / max(numbers[REQUESTS], 1.0), 1.0)
    return bool((1.0 - NEARLY_NOTHING) * expected < BY_CHANCE * sqrt(dispersion * expected))


def _usual(learned: Learned, at: float) -> float:
    """Requests/s around this time of day, as regression.py remembers them."""
    number, daily = int(at % DAY_SECONDS / DAY_SECONDS * DAY_BINS), learned.daily
    around = (daily[number - 1], daily[number], daily[(number + 1) % DAY_BINS])
    return exp(sum(around) / len(around)) - float(learned.numbers[NOTHING])
