"""Which headroom rule to follow: the cheapest whose record keeps the objective.

What a rule did on this policy's demand counts together with what it does on the average of many services, which
weighs as much as an hour's demand. A late request is priced in costs of serving one; the lowest price is taken at
which the rule that is cheapest, late requests paid for, is late no more often than allowed.
"""

from math import exp
from typing import Final

from inference_cost.decide.headroom.compiled import compiled
from inference_cost.decide.headroom.learned import (
    BUDGET,
    DEMAND,
    LATEST,
    MAY,
    MEAN,
    PRICE,
    RULE,
    SINCE,
    Learned,
)
from inference_cost.decide.headroom.regression import Look
from inference_cost.decide.headroom.rules import PRIOR_COST, PRIOR_LATE
from inference_cost.decide.headroom.shadow import Serving

LOWEST_PRICE: Final = 1.0
PRICE_STEP: Final = 1.25
PRICES: Final = 24
PRIOR_STARTS: Final = 20.0  # start-up times for which the average stands,
LONGEST_PRIOR: Final = 3_600.0  # seconds, and no longer
ALLOWED: Final = 0.8  # of the late share that the objective allows
AHEAD: Final = 1.2  # logarithm of how much more is allowed at most where less was late before
CHOICE_STARTS: Final = 5.0  # start-up times between choices
BUDGET_SECONDS: Final = 86_400.0  # half-life
UNLOADED: Final = 0.3  # of a replica's load: the least mean demand that the average stands for


@compiled
def choose(learned: Learned, look: Look, serving: Serving, allowed: float, late: float) -> int:
    """Number of the rule. `allowed`: late share of the objective; `late`: requests, own fleet, since the last look."""
    numbers = learned.numbers
    _count_budget(learned, look, allowed, late)
    numbers[SINCE] += look.seconds
    if numbers[RULE] < 0 or numbers[SINCE] >= CHOICE_STARTS * look.start_up:
        numbers[SINCE] = 0.0
        _choose(learned, look, serving, ALLOWED * allowed)
    return int(numbers[RULE])


@compiled
def _count_budget(learned: Learned, look: Look, allowed: float, late: float) -> None:
    numbers = learned.numbers
    fading = 2.0 ** (-look.seconds / BUDGET_SECONDS)
    may = ALLOWED * allowed * numbers[LATEST] * look.seconds
    numbers[BUDGET] = numbers[BUDGET] * fading + may - late
    numbers[MAY] = numbers[MAY] * fading + may


@compiled
def _choose(learned: Learned, look: Look, serving: Serving, may: float) -> None:
    numbers = learned.numbers
    mean = max(numbers[MEAN], UNLOADED * serving.load)
    prior = min(PRIOR_STARTS * look.start_up, LONGEST_PRIOR) * mean  # requests
    ahead = min(max(numbers[BUDGET] / max(numbers[MAY] + may * prior, 1e-9), 0.0), AHEAD)
    late = learned.late + prior * PRIOR_LATE
    cost = learned.cost * serving.load + prior * PRIOR_COST  # in costs of serving a request
    most = may * exp(ahead) * (numbers[DEMAND] + prior)
    price = LOWEST_PRICE
    for _ in range(PRICES):
        rule = int((cost + price * late).argmin())
        numbers[RULE], numbers[PRICE] = rule, price
        if late[rule] <= most:
            break
        price *= PRICE_STEP
