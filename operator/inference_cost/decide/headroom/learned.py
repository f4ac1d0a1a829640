"""What is learned of one policy's demand and of the rules: a vector of numbers, and where in it what stands."""

from itertools import accumulate, pairwise
from math import isfinite, isnan, nan, prod
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference_cost.decide.headroom.compiled import compiled
from inference_cost.decide.headroom.rules import BASES, RULES

Floats = NDArray[np.float64]

LEVELS: Final = 4  # means of the demand over longer and longer times
HORIZONS: Final = 3  # a third, two thirds and the whole of the lead time
FEATURES: Final = 5
SLOTS: Final = 48  # looks that a lead time may take
DAY_BINS: Final = 288
BUCKETS: Final = 30  # of a third of a start-up: the longest holding time
STARTING: Final = 8  # buckets that a start-up takes

# Entries of `numbers`.
AGE: Final = 0  # seconds looked at
MEAN: Final = 1  # requests/s, of a day
LARGEST: Final = 2  # requests/s; halves within a day
SLOT: Final = 3  # of the next look
DAY_BIN: Final = 4  # number of the present one, with sum and count of what it saw
DAY_SUM: Final = 5
DAY_COUNT: Final = 6
NOTHING: Final = 7  # requests/s below which demands are told apart no further
BUCKET_AGE: Final = 8  # seconds
START_AGE: Final = 9  # seconds
DEMAND: Final = 10  # requests, fading
SMOOTH: Final = 11  # requests/s over the time that a replica evens out
LATEST: Final = 12  # requests/s at the last look
STEPS: Final = 13  # squared differences of requests from look to look, fading
REQUESTS: Final = 14  # in these looks, fading
BUDGET: Final = 15  # late requests that may still come, fading
MAY: Final = 16  # late requests that might have come in all, fading
RULE: Final = 17  # that is followed
PRICE: Final = 18  # of a late request, in costs of serving one
SINCE: Final = 19  # seconds since the rule was chosen
# What was known when it was: shares late, and costs ÷ that of the largest load on every replica. -1: there is none.
RULE_LATE: Final = 20
RULE_COST: Final = 21
SECOND: Final = 22  # the next best with another room
SECOND_LATE: Final = 23
SECOND_COST: Final = 24
LESS: Final = 25  # with less room: dearer in late requests, cheaper in replicas
LESS_LATE: Final = 26
LESS_COST: Final = 27
UNAVOIDABLE: Final = 28  # requests that every rule was late with since the last look
ACCEPTED: Final = 29  # share late that was accepted when the rule was chosen
NUMBERS: Final = 30


class Learned(NamedTuple):
    """Views of one vector, which functions of `decide/` change in place."""

    numbers: Floats
    levels: Floats  # (LEVELS,) requests/s
    short: Floats  # (SLOTS,) logarithm of the short mean, by look
    features: Floats  # (SLOTS, HORIZONS, FEATURES)
    expected: Floats  # (SLOTS, HORIZONS) logarithm; NaN where nobody looked
    variance: Floats  # (SLOTS, HORIZONS) of what is missed
    weights: Floats  # (HORIZONS, FEATURES)
    covariance: Floats  # (HORIZONS, FEATURES, FEATURES)
    normal: Floats  # (HORIZONS, 3) of the fit of the variance: symmetric 2x2
    moment: Floats  # (HORIZONS, 2)
    recent: Floats  # (HORIZONS,) squared miss ÷ variance, lately
    daily: Floats  # (DAY_BINS,) logarithm of the demand by time of day; NaN where not yet seen
    bases: Floats  # (BASES, BUCKETS) largest demand to be ready for, newest bucket first
    live: Floats  # (rules,) replicas of the shadow fleets, starting ones included
    fewest: Floats  # (rules, STARTING) of these, by bucket, newest first
    backlog: Floats  # (rules + 1,) requests; the last is the policy's own fleet
    cost: Floats  # (rules,) replica-seconds, fading
    late: Floats  # (rules,) requests, fading


_SHAPES: Final[tuple[tuple[int, ...], ...]] = (
    (NUMBERS,),
    (LEVELS,),
    (SLOTS,),
    (SLOTS, HORIZONS, FEATURES),
    (SLOTS, HORIZONS),
    (SLOTS, HORIZONS),
    (HORIZONS, FEATURES),
    (HORIZONS, FEATURES, FEATURES),
    (HORIZONS, 3),
    (HORIZONS, 2),
    (HORIZONS,),
    (DAY_BINS,),
    (BASES, BUCKETS),
    (len(RULES),),
    (len(RULES), STARTING),
    (len(RULES) + 1,),
    (len(RULES),),
    (len(RULES),),
)
_SIZES: Final = [prod(shape) for shape in _SHAPES]
_PLACES: Final = tuple(accumulate(_SIZES, initial=0))  # where each begins, and where the last ends
LENGTH: Final = sum(_SIZES)
_FIRST_WEIGHTS: Final = (0.8, 0.3, 0.1, 0.0, 0.0)
_FIRST_COVARIANCE: Final = 0.001
# Before misses were seen their variance is 0.05 ÷ requests in the window; a few misses outweigh that.
_FIRST_NORMAL: Final = (50.0, 0.0, 5.0)
_FIRST_MOMENT: Final = (2.5, 0.0)


def views(vector: Floats) -> Learned:
    """`vector`: (LENGTH,). Written out, for the compiler does not unroll it."""
    at, shape = _PLACES, _SHAPES
    return Learned(
        numbers=vector[at[0] : at[1]],
        levels=vector[at[1] : at[2]],
        short=vector[at[2] : at[3]],
        features=vector[at[3] : at[4]].reshape(shape[3]),
        expected=vector[at[4] : at[5]].reshape(shape[4]),
        variance=vector[at[5] : at[6]].reshape(shape[5]),
        weights=vector[at[6] : at[7]].reshape(shape[6]),
        covariance=vector[at[7] : at[8]].reshape(shape[7]),
        normal=vector[at[8] : at[9]].reshape(shape[8]),
        moment=vector[at[9] : at[10]].reshape(shape[9]),
        recent=vector[at[10] : at[11]],
        daily=vector[at[11] : at[12]],
        bases=vector[at[12] : at[13]].reshape(shape[12]),
        live=vector[at[13] : at[14]],
        fewest=vector[at[14] : at[15]].reshape(shape[14]),
        backlog=vector[at[15] : at[16]],
        cost=vector[at[16] : at[17]],
        late=vector[at[17] : at[18]],
    )


compiled_views = compiled(views)


def new_vector() -> Floats:
    """Nothing learned yet."""
    vector = np.zeros(LENGTH)
    learned = views(vector)
    learned.expected[...] = nan
    learned.daily[...] = nan
    learned.weights[...] = _FIRST_WEIGHTS
    learned.covariance[...] = _FIRST_COVARIANCE * np.eye(FEATURES)
    learned.normal[...] = _FIRST_NORMAL
    learned.moment[...] = _FIRST_MOMENT
    learned.recent[...] = 1.0
    for name in (DAY_BIN, RULE, SECOND, LESS):
        learned.numbers[name] = -1.0
    return vector


def from_bytes(data: bytes) -> Floats:
    """What `to_bytes` made; nothing learned yet where it is damaged, or from a version with another layout."""
    if len(data) != LENGTH * np.dtype(np.float32).itemsize:
        return new_vector()
    vector = np.frombuffer(data, np.float32).astype(np.float64)
    return vector if _sound(vector) else new_vector()


def to_bytes(vector: Floats) -> bytes:
    """Half as many digits do: results differ by less than from one run to the next."""
    return vector.astype(np.float32).tobytes()


_INDEX: Final = Learned._fields.index
_RULES: Final = len(RULES)
_BETWEEN: Final = tuple(pairwise(_PLACES))
_EXPECTED: Final = _BETWEEN[_INDEX("expected")]
_DAILY: Final = _BETWEEN[_INDEX("daily")]
_VARIANCE: Final = _BETWEEN[_INDEX("variance")]
# Of the first rule; for those who want no more of the vector than a rule's record.
COST_AT: Final = _PLACES[_INDEX("cost")]
LATE_AT: Final = _PLACES[_INDEX("late")]


def expect_nothing(vector: Floats) -> None:
    """What was expected of now is not known any more."""
    vector[_EXPECTED[0] : _EXPECTED[1]] = nan


@compiled
def _sound(vector: Floats) -> bool:
    """Whether the functions can go on from here. The numbers stand first."""
    broken = 0  # counted to the end, which is faster than to stop at the first
    for i in range(len(vector)):
        broken += not isfinite(vector[i])
    for first, end in (_EXPECTED, _DAILY):
        for i in range(first, end):
            broken -= isnan(vector[i])
    for i in range(_VARIANCE[0], _VARIANCE[1]):
        broken += vector[i] < 0
    if broken:
        return False
    if vector[AGE] < 0 or vector[DEMAND] < 0 or vector[STEPS] < 0:
        return False
    return bool(
        0 <= vector[SLOT] < SLOTS
        and -1 <= vector[DAY_BIN] < DAY_BINS
        and -1 <= vector[RULE] < _RULES
        and -1 <= vector[SECOND] < _RULES
        and -1 <= vector[LESS] < _RULES
    )
