"""The stretch of a model: the load at which it predicts what is observed, ÷ the real load. 1 where it is exact.

Sums over windows are compared, not windows: what is observed in one is mostly chance. The prediction of each window is
summed at several relative loads, and the stretch is where the sums meet.
"""

from math import log, sqrt
from typing import Final

import numpy as np

from inference_cost.decide.headroom.learned import Floats
from inference_cost.model.memory import Compared

STRETCHES: Final = (0.85, 0.92, 1.0, 1.1, 1.2, 1.35, 1.5, 1.75, 2.0)
HALF_LIFE_WINDOWS: Final = 30.0
ENOUGH_WINDOWS: Final = 10.0
BY_CHANCE: Final = 3.0  # standard deviations
NONE: Final = 1e-7  # seconds or requests per request
_GRID: Final[Floats] = np.array(STRETCHES)
KEPT: Final = 0.5 ** (1 / HALF_LIFE_WINDOWS)


def expected(curve: Floats, loads: Floats, requests: Floats) -> Floats:
    """Sum over pods at each relative load. `curve`: per request, at even loads from 0 to 1; 1 stands for all above."""
    at = np.outer(_GRID, loads).clip(0.0, 1.0) * (len(curve) - 1)
    lower = np.minimum(at.astype(np.intp), len(curve) - 2)
    values = curve[lower] + (at - lower) * (curve[lower + 1] - curve[lower])
    result: Floats = values @ requests
    return result


def counted(before: Compared, observed: float, predicted: Floats, requests: float) -> Compared:
    """One more window of late requests. They come in batches: how they scattered so far counts, not Poisson's law."""
    usual = _usual(before, observed, requests)
    return _added(before, observed, predicted, requests, max((observed - usual) ** 2, usual, 1.0))


def summed(before: Compared, observed: float, predicted: Floats, requests: float) -> Compared:
    """One more window of seconds waited: of a single request they scatter about as much as their mean."""
    usual = _usual(before, observed, requests)
    variance = max((observed - usual) ** 2, usual**2 / requests)
    return _added(before, observed, predicted, requests, variance)


def _usual(before: Compared, observed: float, requests: float) -> float:
    return before.observed / before.requests * requests if before.requests > 0 else observed


def _added(
    before: Compared, observed: float, predicted: Floats, requests: float, variance: float
) -> Compared:
    old = faded(before)
    sums = old.predicted or (0.0,) * len(STRETCHES)
    return Compared(
        windows=old.windows + 1.0,
        requests=old.requests + requests,
        observed=old.observed + observed,
        variance=old.variance + variance,
        predicted=tuple(a + b for a, b in zip(sums, predicted.tolist(), strict=True)),
    )


def faded(before: Compared, kept: float = KEPT) -> Compared:
    """As of one window that said nothing; or more, where what was seen no longer applies."""
    if not before.predicted:
        return before
    return Compared(
        windows=kept * before.windows,
        requests=kept * before.requests,
        observed=kept * before.observed,
        variance=kept**2 * before.variance,
        predicted=tuple(kept * one for one in before.predicted),
    )


def stretch(compared: Compared, deviations: float = 0.0, more: float = 0.0) -> float:
    """Where the sums meet, for the observed sum, `more` and so many standard deviations; within `STRETCHES`."""
    observed = compared.observed + more + deviations * sqrt(compared.variance)
    least = NONE * max(
        compared.requests, 1.0
    )  # between relative loads both kinds grow about exponentially
    predicted = np.log(np.maximum(compared.predicted, least))
    return float(np.interp(log(max(observed, least)), predicted, _GRID))


def enough(compared: Compared) -> bool:
    return compared.windows >= ENOUGH_WINDOWS


def at_least(compared: Compared) -> float:
    """The stretch that is certain. An observed sum is above the prediction at every relative load: the largest."""
    return stretch(compared, -BY_CHANCE)


def at_most(compared: Compared, more: float = 0.0) -> float:
    return stretch(compared, BY_CHANCE, more)


def predicted_as_is(compared: Compared) -> float:
    """The sum that the model predicts at the real loads."""
    return compared.predicted[STRETCHES.index(1.0)] if compared.predicted else 0.0
