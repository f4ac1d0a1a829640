"""By how much more replicas a policy needed one start later, learned look by look.

A step is the difference of the roots of (replicas that the demand fills + 1), now and one start before: the start that
a node cuts short is what such a step has to wait for. Of roots, for a service ten times as large does not grow by ten
times as many replicas, nor by as many (docs/warm-capacity.md). Steps are counted in classes: their distribution has no
shape that a mean and a variance would tell, nothing most of the time, and bursts.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference_cost.model.warm import WarmRecord

Floats = NDArray[np.float64]

# Upper ends of the classes; the first has all that did not grow.
ENDS: Final = (
    *(0.0, 0.03, 0.06, 0.1, 0.15, 0.2, 0.25, 0.3, 0.36, 0.43, 0.5, 0.6),
    *(0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 1.9, 2.4, 3.0, 4.0, 5.5, 8.0),
)
FADING_SECONDS: Final = 4 * 86_400.0  # half-life
KEPT_PER_START: Final = 48  # of the recent demand
LARGEST_GAP: Final = (
    0.25  # of a start: after a longer one without a look what was before says nothing
)
LEAST_GAP_SECONDS: Final = 600.0  # the longest tick
LARGEST_DEVIATION: Final = 3.0
PRIOR_CORRELATION: Final = 0.3
PRIOR_SECONDS: Final = 7_200.0  # for which the prior stands


def see(record: WarmRecord, at: float, filled: float, start_seconds: float) -> WarmRecord:
    """One look: `filled`, the replicas that the demand of now fills, at the largest load that meets the objective."""
    since = at - record.looked_at
    if since <= 0:
        return record
    if since > max(LARGEST_GAP * start_seconds, LEAST_GAP_SECONDS):
        return replace(record, recent=((at, filled),), looked_at=at)
    found = step(record, at, filled, start_seconds)
    if found is not None:
        record = _counted(record, found, since)
    return replace(record, recent=_kept(record.recent, at, filled, start_seconds), looked_at=at)


def step(record: WarmRecord, at: float, filled: float, start_seconds: float) -> float | None:
    """The step that ends now; None as long as no start is looked back on."""
    before = [value for time, value in record.recent if time <= at - start_seconds]
    return sqrt(filled + 1) - sqrt(before[-1] + 1) if before else None


def grown(filled: float, by: Floats) -> Floats:
    """Replicas that the demand fills after such steps."""
    after: Floats = (sqrt(filled + 1) + by) ** 2 - 1
    return after


def seconds_seen(record: WarmRecord) -> float:
    return sum(record.steps)


def deviation(record: WarmRecord) -> float:
    """Root of the mean square; 0 where nothing was seen."""
    seen = seconds_seen(record)
    return sqrt(record.squares / seen) if seen > 0 else 0.0


def compare(
    records: Sequence[WarmRecord], steps: Sequence[float | None], seconds: float
) -> list[WarmRecord]:
    """With what the steps that end now say of how far policies grow together, in deviations of each."""
    deviations = [
        None if found is None else _in_deviations(record, found)
        for record, found in zip(records, steps, strict=True)
    ]
    known = [one for one in deviations if one is not None]
    if len(known) < 2:  # noqa: PLR2004 - one has nobody to compare with
        return list(records)
    total, others, fading = sum(known), len(known) - 1, _fading(seconds)
    return [
        record
        if one is None
        else replace(
            record,
            together=record.together * fading + seconds * one * (total - one) / others,
            apart=record.apart * fading + seconds * one * one,
        )
        for record, one in zip(records, deviations, strict=True)
    ]


def correlation(records: Sequence[WarmRecord]) -> float:
    """Between two policies of the pool, of their steps; what was seen so far against a guess that errs to the high."""
    together = sum(record.together for record in records) + PRIOR_CORRELATION * PRIOR_SECONDS
    apart = sum(record.apart for record in records) + PRIOR_SECONDS
    return min(max(together / apart, 0.0), 1.0)


def _counted(record: WarmRecord, found: float, seconds: float) -> WarmRecord:
    fading = _fading(seconds)
    counts = [one * fading for one in record.steps or (0.0,) * len(ENDS)]
    counts[min(bisect_left(ENDS, found), len(ENDS) - 1)] += seconds
    squares = record.squares * fading + seconds * found * found
    return replace(record, steps=tuple(counts), squares=squares)


def _kept(
    recent: tuple[tuple[float, float], ...], at: float, filled: float, start_seconds: float
) -> tuple[tuple[float, float], ...]:
    """What one start is looked back on, and of older looks the newest."""
    if recent and at - recent[-1][0] < start_seconds / KEPT_PER_START:
        return recent
    older = [i for i, (time, _) in enumerate(recent) if time <= at - start_seconds]
    return (*recent[older[-1] if older else 0 :], (at, filled))


def _in_deviations(record: WarmRecord, found: float) -> float | None:
    usual = deviation(record)
    if usual <= 0:
        return None
    return min(max(found / usual, -LARGEST_DEVIATION), LARGEST_DEVIATION)


def _fading(seconds: float) -> float:
    return float(2.0 ** (-seconds / FADING_SECONDS))
