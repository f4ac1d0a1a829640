"""Arrivals from scrape to scrape, put together to a window's: what pods that come or go within it served is not lost.

Increases over a window are those of pods that are there now. One that was removed takes what it had served with it, and
a new one is first seen a scrape after it begins; for as long as the window looks back the sum would be too small by
their share, and then rise again though the demand did not.
"""

from typing import Final

Gaps = tuple[
    tuple[float, float], ...
]  # (newest sample, requests/s since the sample before), ascending

KEPT: Final = 64
COVERED: Final = (
    0.9  # of the time between two looks, that their gap must span; of a window, that gaps must
)


def extended(gaps: Gaps, at: float, seconds: float, per_second: float, window: float) -> Gaps:
    """With the newest gap, where it is new and follows on the one before; else it begins anew."""
    if not gaps:
        return ((at, per_second),)
    since = at - gaps[-1][0]
    if since == 0:
        return gaps
    if not 0 < COVERED * since <= seconds:
        return ((at, per_second),)
    oldest = at - window - since
    kept = gaps if gaps[0][0] >= oldest else tuple([one for one in gaps if one[0] >= oldest])
    return (*kept, (at, per_second))[-KEPT:]


def mean(gaps: Gaps, window: float) -> float | None:
    """Requests/s over the newest `window` seconds; None where gaps do not reach back so far."""
    arrived = covered = 0.0
    for (begin, _), (end, per_second) in zip(reversed(gaps[:-1]), reversed(gaps[1:]), strict=True):
        arrived += per_second * (end - begin)
        covered += end - begin
        if covered >= COVERED * window:
            return arrived / covered
    return None
