"""Shadow fleets: what each headroom rule would have cost and made late on the demand that really came.

Arrivals do not depend on what the operator does, so all rules are tried at once, each with a fleet of its own that
starts, serves and stops in a model.
"""

from math import ceil, erfc, exp, isnan, pi, sqrt
from typing import Final, NamedTuple

import numpy as np

from inference_cost.decide.headroom.compiled import compiled
from inference_cost.decide.headroom.learned import (
    AGE,
    BUCKET_AGE,
    BUCKETS,
    DEMAND,
    LARGEST,
    LATEST,
    NOTHING,
    REQUESTS,
    SMOOTH,
    START_AGE,
    STARTING,
    STEPS,
    UNAVOIDABLE,
    Floats,
    Learned,
)
from inference_cost.decide.headroom.regression import Expected, Look, above, unevenness
from inference_cost.decide.headroom.rules import (
    BASE_OF,
    BASES,
    DEVIATIONS,
    HOLD_OF,
    LOAD_OF,
)

NEGLIGIBLE: Final = 0.02  # of a replica: not worth one more
DRAIN_LOAD: Final = 0.95  # of capacity while a backlog is worked off
MOST_REPLICAS: Final = 100_000  # above what a scale subresource is ever asked for
BUCKETS_PER_START: Final = 3.0
SETTLING_STARTS: Final = (
    2.0  # start-up times until the fleets are those of the rules and the forecast knows the load,
)
LONGEST_SETTLING_STARTS: Final = (
    20.0  # and until a queue from before is worked off, or never will be
)
FADING_SECONDS: Final = 4 * 86_400.0  # half-life of what is known of the rules
DISPERSION_STARTS: Final = 80.0  # half-life of the dispersion of arrivals, in start-ups
OBJECTIVES_EVENED: Final = 3.0  # a replica evens out the load over so many objectives,
LONGEST_EVENED: Final = 120.0  # seconds, and no longer
# Bursts within one look are not seen. They are taken to be as uneven as looks are from one to the next, over this time
# or half of what a request may wait: so the lateness of the own fleet is met on traces with little and with much
# dispersion (docs/how-it-decides.md).
BURST_SECONDS: Final = 6.0
FARTHEST: Final = 8.0  # deviations
BURSTS_KEPT: Final = 64  # most fleets have so few replicas, and many as many as others
LARGEST_BASE: Final = 3.0  # times the largest demand seen
LARGEST_GROWTH: Final = 2.0  # expected at most, times the present


class Serving(NamedTuple):
    """What a replica does, and the fleet. Rates in requests/s of one replica."""

    capacity: float
    load: float  # at which the objective is just met
    goodput: float  # most in time
    wait_allowed: float  # seconds in a backlog before a request is late
    longest_wait: float  # seconds; older requests are given up
    threshold: float  # seconds, of the objective
    late: Floats  # (loads,) share late at even loads from 0 to capacity
    gains: Floats  # (replicas,) of `load` among one, two, three…
    lowest: int
    highest: int
    ready: int  # of the own fleet


class Bursts(NamedTuple):
    """What goes beyond the mean within one look, the same for all fleets. Rates in requests/s."""

    smooth: float  # load as a replica evens it out
    rate: float
    deviation: float  # of the rate, a share of it
    seconds: float  # of the look
    goodput: float  # of one replica
    known: Floats  # (BURSTS_KEPT,) requests too many by number of replicas; NaN where not yet asked


@compiled
def remember_bases(learned: Learned, expected: Expected, look: Look) -> Floats:
    """(BASES,) demands to be ready for now, requests/s; the largest of each bucket of time is kept."""
    bases = learned.bases
    for _ in range(_buckets_over(learned, BUCKET_AGE, look, BUCKETS_PER_START, BUCKETS)):
        for i in range(BUCKETS - 1, 0, -1):
            bases[:, i] = bases[:, i - 1]
        bases[:, 0] = 0.0
    now = _bases(learned, expected, look)
    bases[:, 0] = np.maximum(bases[:, 0], now)
    return now


@compiled
def _bases(learned: Learned, expected: Expected, look: Look) -> Floats:
    """Never below the present rate, never far above all that was seen."""
    now, grown = np.empty(BASES), LARGEST_GROWTH * learned.levels[0]
    now[0] = min(exp(expected.log[-1]) - learned.numbers[NOTHING], grown)
    cap = max(LARGEST_BASE * learned.numbers[LARGEST], grown)
    for base in range(1, BASES):
        now[base] = min(above(learned, expected, DEVIATIONS[base - 1]), cap)
    return np.maximum(now, look.rate)


@compiled
def at_once(bases: Floats, serving: Serving, rule: int) -> int:
    """Replicas that the rule has at the least, `bases` being the demands of now."""
    return replicas_for(bases[BASE_OF[rule]] / LOAD_OF[rule], serving)


@compiled
def to_keep(learned: Learned, serving: Serving, rule: int) -> int:
    """Replicas below which the rule does not go now."""
    held = learned.bases[BASE_OF[rule], : HOLD_OF[rule]].max()
    return replicas_for(held / LOAD_OF[rule], serving)


@compiled
def replicas_for(demand: float, serving: Serving) -> int:
    """Fewest that carry the demand; among more each carries more where a balancer evens out."""
    alone, gains = min(demand / serving.load, MOST_REPLICAS), serving.gains
    fewest: int = ceil(alone / gains[-1] - NEGLIGIBLE)
    while fewest < alone / gains[min(max(fewest, 1), len(gains)) - 1] - NEGLIGIBLE:
        fewest += 1
    return fewest


@compiled
def advance(learned: Learned, bases: Floats, look: Look, serving: Serving) -> float:
    """Let all fleets serve what came since the last look, then order. Returns requests late in the own fleet."""
    if learned.numbers[REQUESTS] == 0:
        learned.live[:] = serving.ready
        learned.fewest[:] = serving.ready
    _count_arrivals(learned, look, serving)
    over = _buckets_over(learned, START_AGE, look, float(STARTING), STARTING)
    if learned.numbers[DEMAND] == 0:
        learned.backlog[:-1] = 0.0
    late, bursts = np.empty(len(learned.live)), _bursts_of(learned.numbers, look, serving)
    for rule in range(len(learned.live)):
        ready = min(_least(learned.fewest[rule]), learned.live[rule])
        late[rule] = _serve(learned.backlog, bursts, look, serving, rule, ready)
    _record(learned, look, late)
    held = _held(learned)
    for rule in range(len(learned.live)):
        fewest = learned.fewest[rule]
        keep = replicas_for(held[BASE_OF[rule], HOLD_OF[rule] - 1] / LOAD_OF[rule], serving)
        now = max(at_once(bases, serving, rule), draining(look, serving, learned.backlog[rule]))
        now = min(max(now, serving.lowest), serving.highest)
        learned.live[rule] = max(now, min(learned.live[rule], max(keep, now)))
        for _ in range(over):
            for i in range(STARTING - 1, 0, -1):
                fewest[i] = fewest[i - 1]
            fewest[0] = learned.live[rule]
        fewest[0] = min(fewest[0], learned.live[rule])
    return _serve(learned.backlog, bursts, look, serving, len(late), float(serving.ready))


@compiled
def _least(values: Floats) -> float:
    least = values[0]
    for i in range(1, len(values)):
        least = min(least, values[i])
    return float(least)


@compiled
def _held(learned: Learned) -> Floats:
    """(BASES, BUCKETS) largest demand of this bucket and the newer ones."""
    held = learned.bases.copy()
    for base in range(BASES):
        for i in range(1, BUCKETS):
            held[base, i] = max(held[base, i], held[base, i - 1])
    return held


@compiled
def _record(learned: Learned, look: Look, late: Floats) -> None:
    """What every rule was late with says nothing about the rules, and no price would have avoided it."""
    numbers = learned.numbers
    numbers[UNAVOIDABLE] = late.min()
    if not counting(learned, look):
        return
    fading = 2.0 ** (-look.seconds / FADING_SECONDS)
    numbers[DEMAND] = numbers[DEMAND] * fading + look.latest * look.seconds
    for rule in range(len(late)):
        learned.cost[rule] = learned.cost[rule] * fading + learned.live[rule] * look.seconds
        learned.late[rule] = learned.late[rule] * fading + late[rule] - numbers[UNAVOIDABLE]


@compiled
def counting(learned: Learned, look: Look) -> bool:
    """What happens to fleets that no rule ordered, and the queue that was there before, say nothing about the rules."""
    starts = learned.numbers[AGE] / look.start_up
    if learned.numbers[DEMAND] > 0 or starts > LONGEST_SETTLING_STARTS:
        return True
    return bool(starts > SETTLING_STARTS and learned.backlog[-1] <= 0)


@compiled
def _buckets_over(learned: Learned, age: int, look: Look, per_start: float, most: int) -> int:
    """How many buckets of time are over since the last look."""
    width = look.start_up / per_start
    learned.numbers[age] += look.seconds
    over = int(learned.numbers[age] / width + 1e-9)
    learned.numbers[age] -= over * width
    return min(over, most)


@compiled
def _count_arrivals(learned: Learned, look: Look, serving: Serving) -> None:
    """The load as a replica evens it out, and how uneven arrivals are from look to look."""
    numbers, came = learned.numbers, look.latest * look.seconds
    evened = min(max(OBJECTIVES_EVENED * serving.threshold, look.seconds), LONGEST_EVENED)
    first = numbers[REQUESTS] == 0
    gain = 1.0 if first else 1.0 - exp(-look.seconds / evened)
    step = 0.0 if first else came - numbers[LATEST] * look.seconds
    fading = 2.0 ** (-look.seconds / (DISPERSION_STARTS * look.start_up))
    numbers[SMOOTH] += gain * (look.latest - numbers[SMOOTH])
    numbers[STEPS] = numbers[STEPS] * fading + step * step / 2
    numbers[REQUESTS] = numbers[REQUESTS] * fading + max(came, 1.0)
    numbers[LATEST] = look.latest


@compiled
def _serve(  # noqa: PLR0917 - compiled functions take no keywords
    backlog: Floats, bursts: Bursts, look: Look, serving: Serving, fleet: int, replicas: float
) -> float:
    """Requests late; the backlog is what is left."""
    came, rate = look.latest * look.seconds, max(replicas, 1.0) * serving.capacity
    before = backlog[fleet]
    left = max(before + came - rate * look.seconds, 0.0)
    evened = serving.gains[min(max(int(replicas), 1), len(serving.gains)) - 1]
    late = came * late_at(serving.late, bursts.smooth / rate / evened)
    late = max(late, came * _share_waiting(before / rate, left / rate, serving.wait_allowed))
    late = max(late, _above_what_is_served(bursts, max(replicas, 1.0)))
    backlog[fleet] = min(left, rate * serving.longest_wait)
    return min(late, came)


@compiled
def late_at(late: Floats, load: float) -> float:
    """Between the tabulated loads; above capacity as at it: what is late then waits in the backlog."""
    place = min(load, 1.0) * (len(late) - 1)
    lower = min(int(place), len(late) - 2)
    return float(late[lower] + (place - lower) * (late[lower + 1] - late[lower]))


@compiled
def _share_waiting(before: float, after: float, allowed: float) -> float:
    """Share of the time in which the wait behind a backlog that changes evenly is longer than allowed."""
    longer, shorter = max(before, after), min(before, after)
    return min(max((longer - allowed) / max(longer - shorter, 1e-9), 0.0), 1.0)


@compiled
def _bursts_of(numbers: Floats, look: Look, serving: Serving) -> Bursts:
    """Arrivals are as uneven within a look as from look to look."""
    rate = numbers[SMOOTH] if serving.threshold > look.seconds else look.latest
    index, deviation = unevenness(numbers), 0.0
    if rate > 0:
        deviation = sqrt(index / (rate * max(BURST_SECONDS, serving.wait_allowed / 2)))
    known = np.full(BURSTS_KEPT, np.nan)
    return Bursts(numbers[SMOOTH], rate, deviation, look.seconds, serving.goodput, known)


@compiled
def _above_what_is_served(bursts: Bursts, replicas: float) -> float:
    """Expected requests above what is served in time; fleets of as many replicas have the same."""
    if bursts.rate <= 0:
        return 0.0
    place = int(replicas) if replicas < BURSTS_KEPT and replicas == int(replicas) else 0
    if place and not isnan(bursts.known[place]):
        return float(bursts.known[place])
    room = replicas * bursts.goodput / bursts.rate - 1.0
    excess = _excess(room / bursts.deviation)
    bursts.known[place] = bursts.rate * bursts.seconds * bursts.deviation * excess
    return float(bursts.known[place])


@compiled
def _excess(over: float) -> float:
    """Mean of what a standard normal variable is above `over`, 0 where it is not."""
    if abs(over) > FARTHEST:
        return max(-over, 0.0)
    return exp(-over * over / 2) / sqrt(2 * pi) - over * erfc(over / sqrt(2.0)) / 2


@compiled
def draining(look: Look, serving: Serving, backlog: float) -> int:
    """Replicas that also work off the backlog while one more would start; 0 without one."""
    if backlog <= 0:
        return 0
    rate = look.rate + backlog / max(look.start_up, look.window)
    return ceil(rate / (DRAIN_LOAD * serving.capacity))
