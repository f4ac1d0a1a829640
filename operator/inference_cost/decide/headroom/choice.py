"""Which headroom rule to follow: the cheapest whose record keeps the objective.

What a rule did on this policy's demand counts together with what it does on the average of many services, which
weighs as much as two hours' demand. A late request is priced in costs of serving one; the lowest price is taken at
which the rule that is cheapest, late requests paid for, is late no more often than allowed, or the highest that is
worth paying.
"""

from math import exp
from typing import Final

from inference_cost.decide.headroom.compiled import compiled
from inference_cost.decide.headroom.learned import (
    ACCEPTED,
    AGE,
    BUDGET,
    DEMAND,
    LATEST,
    LESS,
    LESS_COST,
    LESS_LATE,
    MAY,
    MEAN,
    PRICE,
    RULE,
    RULE_COST,
    RULE_LATE,
    SECOND,
    SECOND_COST,
    SECOND_LATE,
    SINCE,
    UNAVOIDABLE,
    Floats,
    Learned,
)
from inference_cost.decide.headroom.regression import Look
from inference_cost.decide.headroom.rules import BASE_OF, LOAD_OF, PRIOR_COST, PRIOR_LATE
from inference_cost.decide.headroom.shadow import Serving, counting

LOWEST_PRICE: Final = 1.0
PRICE_STEP: Final = 1.05
LEAST_ALLOWED: Final = 1e-5  # share late; below it the price rises no further
# Price × share that may be late, at most: all that may be late is never worth more than so much of all that is served.
# After a burst that nothing foretold a higher price buys what is gone.
WORTH_AT_MOST: Final = 0.6
PRIOR_SECONDS: Final = 7_200.0  # of demand, for which the average stands
# Of the late share that the objective allows, what a record may show while it is young and when it is ripe: the best
# of many rules by a few bursts promises more than it keeps.
ALLOWED_YOUNG: Final = 0.5
ALLOWED_RIPE: Final = 0.7
ALLOWED_AVERAGE: Final = (
    1.5  # and what a rule's average may: it stands for hours, the objective for weeks
)
RIPE_SECONDS: Final = 7 * 86_400.0
AHEAD: Final = 1.2  # logarithm of how much more is allowed at most where less was late before,
# and of how much less where more was, once there is a record: more than that only buys what is gone, and a bad start
# says little about what follows.
BEHIND: Final = 0.6
CHOICE_STARTS: Final = 1.0  # start-up times between choices
BUDGET_SECONDS: Final = 43_200.0  # half-life
UNLOADED: Final = 0.3  # of a replica's load: the least mean demand that the average stands for


@compiled
def choose(learned: Learned, look: Look, serving: Serving, allowed: float, late: float) -> int:
    """Number of the rule. `allowed`: late share of the objective; `late`: requests, own fleet, since the last look."""
    numbers = learned.numbers
    if counting(learned, look):
        _count_budget(learned, look, allowed, max(late - numbers[UNAVOIDABLE], 0.0))
    numbers[SINCE] += look.seconds
    if numbers[RULE] < 0 or numbers[SINCE] >= CHOICE_STARTS * look.start_up:
        numbers[SINCE] = 0.0
        _choose(learned, serving, allowed)
    return int(numbers[RULE])


@compiled
def _may(learned: Learned, allowed: float) -> float:
    """Late share that the record of a rule may show."""
    ripe = min(learned.numbers[AGE] / RIPE_SECONDS, 1.0)
    share: float = ALLOWED_YOUNG + (ALLOWED_RIPE - ALLOWED_YOUNG) * ripe
    return allowed * share


@compiled
def _count_budget(learned: Learned, look: Look, allowed: float, late: float) -> None:
    numbers = learned.numbers
    fading = 2.0 ** (-look.seconds / BUDGET_SECONDS)
    may = _may(learned, allowed) * numbers[LATEST] * look.seconds
    numbers[BUDGET] = numbers[BUDGET] * fading + may - late
    numbers[MAY] = numbers[MAY] * fading + may


@compiled
def _choose(learned: Learned, serving: Serving, allowed: float) -> None:
    numbers, may = learned.numbers, _may(learned, allowed)
    mean = max(numbers[MEAN], UNLOADED * serving.load)
    prior = PRIOR_SECONDS * mean  # requests
    ahead = numbers[BUDGET] / max(numbers[MAY] + allowed * prior, 1e-9)
    behind = BEHIND * numbers[DEMAND] / (numbers[DEMAND] + prior)
    late = learned.late + prior * PRIOR_LATE
    cost = learned.cost * serving.load + prior * PRIOR_COST  # in costs of serving a request
    most = may * numbers[DEMAND] + ALLOWED_AVERAGE * allowed * prior
    most *= exp(min(max(ahead, -behind), AHEAD))
    numbers[RULE], numbers[PRICE] = cheapest(cost, late, most, allowed)
    requests = numbers[DEMAND] + prior
    _compare(learned, cost / requests, late / requests, most / requests)


@compiled
def highest_price(allowed: float) -> float:
    """Of a late request, in costs of serving one. `allowed`: share that the objective allows to be late."""
    return WORTH_AT_MOST / max(allowed, LEAST_ALLOWED)


@compiled
def cheapest(cost: Floats, late: Floats, most: float, allowed: float) -> tuple[int, float]:
    """The rule, and the price of a late request, in units of cost ÷ late, that makes it no later than `most`.

    Later than that where a price within `WORTH_AT_MOST` does not suffice.
    """
    price, highest = LOWEST_PRICE, highest_price(allowed)
    rule = int((cost + price * late).argmin())
    while late[rule] > most and price * PRICE_STEP <= highest:
        price *= PRICE_STEP
        rule = int((cost + price * late).argmin())
    return rule, price


@compiled
def _compare(learned: Learned, cost: Floats, late: Floats, most: float) -> None:
    """For the explanation: what comes second by the same price, and what less room would do."""
    numbers = learned.numbers
    rule, price = int(numbers[RULE]), numbers[PRICE]
    second, less = -1, -1
    for i in range(len(cost)):
        if BASE_OF[i] == BASE_OF[rule] and LOAD_OF[i] == LOAD_OF[rule]:
            continue
        if second < 0 or cost[i] + price * late[i] < cost[second] + price * late[second]:
            second = i
        if cost[i] < cost[rule] and late[i] > most and (less < 0 or late[i] < late[less]):
            less = i
    numbers[SECOND], numbers[LESS], numbers[ACCEPTED] = second, less, most
    numbers[RULE_LATE], numbers[RULE_COST] = late[rule], cost[rule]
    numbers[SECOND_LATE], numbers[SECOND_COST] = late[second], cost[second]
    if less >= 0:
        numbers[LESS_LATE], numbers[LESS_COST] = late[less], cost[less]
