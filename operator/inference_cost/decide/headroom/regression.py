"""Expected demand over the lead time: a regression of its logarithm, learned online, and how far it usually misses.

For each of three lead times the logarithm of the demand is that of a short mean plus a weighted sum of features: the
step of the time of day, and the differences between means over longer and longer times. The weights are found by
recursive least squares; the variance of what is missed is a part that falls with the level (counting noise) and one
that does not, times how large the misses have lately been.
"""

from math import copysign, exp, isnan, log, nan, sqrt
from typing import Final, NamedTuple

import numpy as np

from inference_cost.decide.headroom.compiled import compiled
from inference_cost.decide.headroom.learned import (
    AGE,
    DAY_BIN,
    DAY_BINS,
    DAY_COUNT,
    DAY_SUM,
    FEATURES,
    HORIZONS,
    LARGEST,
    LEVELS,
    MEAN,
    NOTHING,
    REQUESTS,
    SLOT,
    SLOTS,
    STEPS,
    Floats,
    Learned,
)

DAY_SECONDS: Final = 86_400.0
HALF_LIVES: Final = (0.0, 0.5, 10 / 3, 20.0)  # of the means, in start-ups
FORGETTING_SECONDS: Final = 43_200.0  # half-life of weights and variance
RECENT_SECONDS: Final = 1_500.0  # half-life of how large misses have lately been
LARGEST_FEATURE: Final = 1.0
BY_CHANCE: Final = 2.0  # standard deviations of what arrives
LARGEST_CHANCE: Final = 0.12  # of a logarithm: what is more is a trend however few requests come
LARGEST_SURPRISE: Final = 1.0  # of a logarithm, that the weights learn from
CERTAIN: Final = 1.0  # trace of the covariance from which on nothing more is forgotten
LEAST_DEMAND: Final = 0.03  # of the day's mean: what is below it is told apart no further
LEAST_VARIANCE: Final = 1e-4
LARGEST_VARIANCE: Final = 0.64
LARGEST_MISS: Final = 25.0  # variances
SINGULAR: Final = 1e-9


class Look(NamedTuple):
    """One look at the demand of one policy."""

    at: float  # epoch seconds
    tick: float  # seconds between looks, as a rule
    seconds: float  # since the look before, or since it would have been after a break
    rate: float  # requests/s, mean of the window
    latest: float  # requests/s since the look before
    window: float  # seconds
    start_up: float  # seconds
    lead: float  # seconds from the middle of the window until an order of now serves
    waiting: float  # requests in line beyond a normal queue; NaN where it is not measured


class Expected(NamedTuple):
    """Logarithms of requests/s + the least demand, by horizon, and the standard deviation of what is missed."""

    log: Floats
    deviation: Floats


@compiled
def learn(learned: Learned, look: Look) -> Expected:
    """Take one look in, and say what to expect. Before the first request there is nothing to learn."""
    if look.rate <= 0 and learned.numbers[LARGEST] <= 0:
        learned.numbers[NOTHING] = 1.0 / look.window
        return Expected(np.full(HORIZONS, -log(look.window)), np.zeros(HORIZONS))
    _skip(learned, look)
    _count_means(learned, look)
    numbers = learned.numbers
    numbers[NOTHING] = max(1.0 / look.window, LEAST_DEMAND * numbers[MEAN])
    logs = np.log(learned.levels + numbers[NOTHING])
    _count_day(learned, look.at, logs[1])
    for horizon in range(HORIZONS):
        _learn_from_miss(learned, look, horizon, logs[0])
    return _expect(learned, look, logs)


@compiled
def above(learned: Learned, expected: Expected, deviations: float) -> float:
    """Requests/s: the largest over the lead time, so many deviations above what is expected."""
    high = (expected.log + deviations * expected.deviation).max()
    return exp(high) - float(learned.numbers[NOTHING])


@compiled
def looks_ahead(look: Look, horizon: int) -> int:
    ahead = look.lead * (horizon + 1) / HORIZONS / look.tick
    return min(max(int(ahead + 0.5), 1), SLOTS - 1)


@compiled
def _skip(learned: Learned, look: Look) -> None:
    """Looks that were missed expected nothing."""
    numbers, missed = learned.numbers, int(look.seconds / look.tick + 0.5) - 1
    for _ in range(min(max(missed, 0), SLOTS)):
        learned.expected[int(numbers[SLOT])] = nan
        numbers[SLOT] = (numbers[SLOT] + 1) % SLOTS


@compiled
def _count_means(learned: Learned, look: Look) -> None:
    """What came before the first request is not part of any mean."""
    numbers, levels = learned.numbers, learned.levels
    first = numbers[AGE] < look.window
    of_a_day = 1.0 - 2.0 ** (-look.seconds / DAY_SECONDS)
    so_far = look.seconds / (numbers[AGE] + look.seconds)
    numbers[MEAN] += max(of_a_day, so_far) * (look.rate - numbers[MEAN])
    numbers[AGE] += look.seconds
    numbers[LARGEST] = max(numbers[LARGEST] * (1.0 - of_a_day), look.rate)
    levels[0] = max(look.rate, _at_least(numbers, look))
    for i in range(1, LEVELS):
        gain = 1.0 - 2.0 ** (-look.seconds / (HALF_LIVES[i] * look.start_up))
        levels[i] += (1.0 if first else gain) * (look.rate - levels[i])


@compiled
def _at_least(numbers: Floats, look: Look) -> float:
    """Requests/s that chance does not explain since the last look: the window would show them only when it is full."""
    seconds = min(look.seconds, look.tick)
    return look.latest - BY_CHANCE * sqrt(unevenness(numbers) * look.latest / seconds)


@compiled
def unevenness(numbers: Floats) -> float:
    """Variance ÷ mean of arrivals."""
    return float(max(numbers[STEPS] / max(numbers[REQUESTS], 1.0), 1.0))


@compiled
def _count_day(learned: Learned, at: float, level: float) -> None:
    """Mean logarithm by time of day. A bin counts when it is over, half against the days before."""
    numbers, number = learned.numbers, _day_bin(at)
    old = int(numbers[DAY_BIN])
    if old != number:
        if old >= 0:
            mean, known = numbers[DAY_SUM] / numbers[DAY_COUNT], learned.daily[old]
            learned.daily[old] = mean if isnan(known) else (known + mean) / 2
        numbers[DAY_BIN] = number
        numbers[DAY_SUM] = numbers[DAY_COUNT] = 0.0
    numbers[DAY_SUM] += level
    numbers[DAY_COUNT] += 1.0


@compiled
def _day_bin(at: float) -> int:
    return int(at % DAY_SECONDS / DAY_SECONDS * DAY_BINS)


@compiled
def _of_day(learned: Learned, at: float) -> float:
    """The daily mean around a time; NaN where a neighbor was not yet seen."""
    number, daily = _day_bin(at), learned.daily
    return float(daily[number - 1] + daily[number] + daily[(number + 1) % DAY_BINS]) / 3


@compiled
def _learn_from_miss(learned: Learned, look: Look, horizon: int, now: float) -> None:
    """What had been expected of now against what is."""
    slot = (int(learned.numbers[SLOT]) - looks_ahead(look, horizon)) % SLOTS
    if not isnan(learned.expected[slot, horizon]):
        _learn_weights(learned, look, horizon, slot, now)
        _learn_variance(learned, look, horizon, slot, now)


@compiled
def _learn_weights(learned: Learned, look: Look, horizon: int, slot: int, now: float) -> None:
    """Recursive least squares."""
    weights, covariance = learned.weights[horizon], learned.covariance[horizon]
    features, variance = learned.features[slot, horizon], learned.variance[slot, horizon]
    gained = now - learned.short[slot]
    surprise = min(max(gained - (weights * features).sum(), -LARGEST_SURPRISE), LARGEST_SURPRISE)
    seen = (covariance * features).sum(axis=1)
    step = seen / (variance + (features * seen).sum())
    weights += step * surprise
    for i in range(FEATURES):
        covariance[i] -= step[i] * seen
    if np.trace(covariance) < CERTAIN:
        covariance /= 2.0 ** (-look.seconds / FORGETTING_SECONDS)


@compiled
def _learn_variance(learned: Learned, look: Look, horizon: int, slot: int, now: float) -> None:
    """Weighted least squares of squared misses on 1 ÷ requests in the window and on a constant."""
    expected, variance = learned.expected[slot, horizon], learned.variance[slot, horizon]
    miss = now - expected
    square = min(miss * miss, LARGEST_MISS * variance)
    requests = max(exp(expected) * look.window, 1.0)
    constant, few = 1.0 / variance, 1.0 / variance / requests
    normal, moment = learned.normal[horizon], learned.moment[horizon]
    keep = 2.0 ** (-look.seconds / FORGETTING_SECONDS)
    normal *= keep
    normal[0] += few * few
    normal[1] += few * constant
    normal[2] += constant * constant
    moment *= keep
    moment[0] += few * square / variance
    moment[1] += constant * square / variance
    lately = 1.0 - 2.0 ** (-look.seconds / RECENT_SECONDS)
    learned.recent[horizon] += lately * (square / variance - learned.recent[horizon])


@compiled
def _expect(learned: Learned, look: Look, logs: Floats) -> Expected:
    """And remember it, to learn from it when its time has come."""
    log_, deviation = np.zeros(HORIZONS), np.zeros(HORIZONS)
    slot = int(learned.numbers[SLOT])
    learned.numbers[SLOT] = (slot + 1) % SLOTS
    learned.short[slot] = logs[1]
    for horizon in range(HORIZONS):
        features = learned.features[slot, horizon]
        _set_features(learned, look, horizon, logs, features)
        log_[horizon] = logs[1] + (learned.weights[horizon] * features).sum()
        features[1] = _beyond_chance(learned, look, features[1])  # to learn from
        requests = max(exp(log_[horizon]) * look.window, 1.0)
        variance = _variance(learned.normal[horizon], learned.moment[horizon], requests)
        learned.expected[slot, horizon] = log_[horizon]
        learned.variance[slot, horizon] = variance
        spread = variance * (1.0 + learned.recent[horizon]) / 2
        deviation[horizon] = sqrt(min(spread, LARGEST_VARIANCE))
    return Expected(log_, deviation)


@compiled
def _set_features(
    learned: Learned, look: Look, horizon: int, logs: Floats, features: Floats
) -> None:
    """What the time of day says is 0 until it was seen."""
    now = _of_day(learned, look.at)
    then = _of_day(learned, look.at + looks_ahead(look, horizon) * look.tick)
    features[0] = 0.0 if isnan(then - now) else then - now
    for i in range(1, LEVELS):
        features[i] = logs[i - 1] - logs[i]
    features[4] = 0.0 if isnan(now) else now - logs[2]
    for i in range(FEATURES):
        features[i] = min(max(features[i], -LARGEST_FEATURE), LARGEST_FEATURE)


@compiled
def _beyond_chance(learned: Learned, look: Look, difference: float) -> float:
    """Of the newest mean to a longer one. It is of few requests: what chance explains says nothing of trends."""
    uneven = unevenness(learned.numbers)
    chance = BY_CHANCE * sqrt(uneven / max(learned.levels[0] * look.window, 1.0))
    return copysign(max(abs(difference) - min(chance, LARGEST_CHANCE), 0.0), difference)


@compiled
def _variance(normal: Floats, moment: Floats, requests: float) -> float:
    """The fit at so many requests; neither part is negative."""
    few, both, constant = normal[0], normal[1], normal[2]
    determinant = few * constant - both * both
    falling, steady = 0.0, -1.0
    if determinant > SINGULAR * few * constant:
        falling = (moment[0] * constant - moment[1] * both) / determinant
        steady = (moment[1] * few - moment[0] * both) / determinant
    if steady < 0:
        falling, steady = moment[0] / few, 0.0
    if falling < 0:
        falling, steady = 0.0, moment[1] / constant
    return max(falling / requests + steady, LEAST_VARIANCE)
