"""What waits for a policy with a deadline, since when, and what is expected to come.

Kept in `PolicyMemory.arrivals`: (time, requests that came since the entry before, held back by the gateway then).
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from inference_cost.decide.traffic import Traffic, usable
from inference_cost.model.reading import Missing
from inference_cost.model.signals import ModelWindow, Signals

History = tuple[tuple[float, float, float], ...]

ENTRIES_KEPT: Final = 120
LONG_ENOUGH: Final = 0.25  # of what lies ahead: a shorter span says nothing of how much comes


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Requests. `longest`: in the queue of one pod."""

    held: float
    longest: float
    free: float


def backlog_of(seen: Traffic, signals: Signals | Missing) -> Backlog:
    queues = [sum(map(_pending, pod.windows)) for pod in seen.pods]
    return Backlog(held=seen.waiting, longest=max(queues, default=0.0), free=held_back(signals))


def _pending(window: ModelWindow) -> float:
    reading = window.pending
    return 0.0 if isinstance(reading, Missing) or not usable(reading.value) else reading.value


def held_back(signals: Signals | Missing) -> float:
    """By the gateway. Where it does not say so, what waits there is not known and counts once it comes."""
    if isinstance(signals, Missing) or isinstance(signals.gateway, Missing):
        return 0.0
    waiting = signals.gateway.waiting
    return 0.0 if isinstance(waiting, Missing) or not usable(waiting.value) else waiting.value


def remember(
    history: History, rate: float, free: float, *, at: float, longest_gap: float, span: float
) -> History:
    """`rate`: what reached the pods; what the gateway holds back more than before came beside it."""
    before, _, held = history[-1] if history else (at, 0.0, 0.0)
    seconds = min(max(at - before, 0.0), longest_gap)
    came = max(rate * seconds + free - held, 0.0)
    width = span / ENTRIES_KEPT
    if len(history) > 1 and at // width == before // width:
        history, came = history[:-1], came + history[-1][1]
    history = (*history, (at, came, free))
    return tuple(one for one in history if at - span < one[0] <= at)[-ENTRIES_KEPT - 1 :]


def age_seconds(history: History, free: float, at: float) -> float:
    """Of the oldest request at the gateway: those that came last wait there, for it is first in, first out."""
    if free <= 0:
        return 0.0
    left = free
    for (before, _, _), (_, came, _) in reversed(tuple(pairwise(history))):
        left -= came
        if left <= 0:
            return at - before
    return at - history[0][0] if history else 0.0


def expected_rate(history: History, at: float, ahead: float) -> float:
    """Requests/s to provide for before they come: the lesser of the newest two spans as long as what lies ahead.

    What came once need not come again, and a deadline leaves time for what does.
    """
    known = min(at - history[0][0], 2 * ahead) if history else 0.0
    newest, before = mean_rate(history, at, ahead), known - ahead
    if before < LONG_ENOUGH * ahead:
        return newest
    return min(newest, _came(history, at - known, at - ahead) / before)


def mean_rate(history: History, at: float, ahead: float) -> float:
    """Requests/s over as long as what lies ahead."""
    return _came(history, at - ahead, at) / ahead if ahead > 0 else 0.0


def _came(history: History, after: float, until: float) -> float:
    """Requests of a time, spread evenly between the entries."""
    total = 0.0
    for (before, _, _), (time, came, _) in pairwise(history):
        common = min(time, until) - max(before, after)
        if common > 0:
            total += came * common / (time - before)
    return total
