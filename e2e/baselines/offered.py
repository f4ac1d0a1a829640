"""The made-up load that the controllers follow: ramps, steps, an overload, zero, an outage."""

import math
import random
from itertools import pairwise

SECONDS = 480
# No scrape succeeds in between: rates over a few seconds end, then nobody knows the load.
OUTAGE = (375.0, 428.0)

_SEED = 20_260
_NOISE = 0.08
# (from second, requests/s): a straight line to the next point, a step where two share a second.
_CORNERS = (
    (0, 20.0),
    (20, 20.0),
    (80, 120.0),
    (100, 115.0),
    (100, 195.0),  # more than the largest fleet can take
    (118, 195.0),
    (118, 62.0),
    (150, 58.0),
    (150, 31.0),
    # Short peaks: load falls while pods are starting for it.
    (158, 31.0),
    (158, 90.0),
    (162, 90.0),
    (162, 30.0),
    (172, 34.0),
    (172, 75.0),
    (175, 75.0),
    (175, 36.0),
    (185, 34.0),
    (230, 5.0),
    (230, 0.0),
    (288, 0.0),
    (288, 62.0),
    (302, 58.0),
    (302, 104.0),
    (345, 128.0),
    (345, 88.0),
    (440, 92.0),
    (440, 130.0),
    (445, 130.0),
    (445, 70.0),
    (SECONDS, 40.0),
)


def requests_per_second(at_seconds: float) -> float:
    """Offered load `at_seconds` after the start: a line with noise, new every second."""
    line = _line(at_seconds)
    noise = random.Random(_SEED + math.floor(at_seconds)).gauss(0, _NOISE)
    return max(0.0, line * (1 + noise))


def requests_until(at_seconds: float) -> float:
    """Offered since the start, the counter that goes to Prometheus."""
    whole = math.floor(at_seconds)
    past = sum(requests_per_second(second) for second in range(whole))
    return past + requests_per_second(whole) * (at_seconds - whole)


def in_outage(at_seconds: float) -> bool:
    return OUTAGE[0] <= at_seconds < OUTAGE[1]


def _line(at_seconds: float) -> float:
    for (begin, low), (end, high) in pairwise(_CORNERS):
        if begin <= at_seconds < end:
            return low + (high - low) * (at_seconds - begin) / (end - begin)
    return _CORNERS[-1][1]
